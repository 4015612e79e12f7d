#!/usr/bin/env python3
"""`hq submit` as far as `fabricsim submit --to hyperqueue` uses it, for machines that have HyperQueue's Python package alone.

Starts HyperQueue's own server and a worker in this process, gives them the array as tasks, and waits: the exit code is 0 where all
are done, else 1, as that of `hq submit --wait`. Options that the script does not use are refused.
"""

import argparse
import sys

from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig


def main():
    parser = argparse.ArgumentParser(prog="hq", allow_abbrev=False)
    parser.add_argument("verb", choices=["submit"])
    parser.add_argument("--name", required=True)
    parser.add_argument("--array", required=True)
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("--crash-limit", type=int)
    parser.add_argument("--wait", action="store_true", required=True)
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args()
    first, last = map(int, asked.array.split("-"))
    assert first == 0, "the package numbers tasks from 0"
    env = dict(pair.split("=", 1) for pair in asked.env)
    job = Job(name=asked.name, default_env=env, default_workdir=".", max_fails=None)
    for task in range(last + 1):
        output = {"stdout": f"task-{task}.out", "stderr": f"task-{task}.err"}
        job.program(asked.command, crash_limit=asked.crash_limit, **output)
    with LocalCluster(worker_config=WorkerConfig(cores=2)) as cluster:
        client = cluster.client()
        done = client.wait_for_jobs([client.submit(job)], raise_on_error=False)
    sys.exit(0 if done else 1)


if __name__ == "__main__":
    main()
