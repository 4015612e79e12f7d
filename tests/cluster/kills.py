#!/usr/bin/env python3
"""Shards that are killed at random and run again: what is merged equals what one process writes, byte for byte.

    tests/cluster/kills.py FABRICSIM [KILLS]      200 by default

Every process gets one of the shards of a random number, and is killed (SIGKILL or SIGTERM, by a coin) after a random time.
In the end all shards run once more without a kill, and the folder is merged.
"""

import pathlib
import random
import signal
import subprocess
import sys
import tempfile

EXPERIMENT = """
name = "kills"
engine = "packet"

[topology.leaf-spine]
leaves = 4
spines = 4
hosts_per_leaf = 4
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }

[workload.all-to-all]
message = "64KiB"

[output]
flows = true
links = true

[sweep]
load_balancing = ["ecmp", "spray", "ethereal"]
"workload.all-to-all.message" = ["8KiB", "64KiB", "256KiB"]
seed = [1, 2, 3, 4, 5, 6, 7, 8]
"""


def files(folder):
    """What must be the same every time, by name."""
    points = folder / "points"
    kept = [folder / "results.csv", folder / "points.csv", folder / "experiment.toml"]
    kept += [path for path in points.rglob("*.csv")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    dice = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "kills.toml").write_text(EXPERIMENT)

        def start(out, *arguments):
            command = [program, "run", "kills.toml", "--out", out, "--quiet", "--jobs", "1", *arguments]
            return subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)

        assert start("whole").wait() == 0
        ended = 0
        for round in range(kills):
            # What is there is taken away now and then, so that there is always something to do.
            done = [path for path in (folder / "parts" / "points").glob("*") if len(path.name) == 32]
            if len(done) > 60:
                subprocess.run(["rm", "-r", *map(str, dice.sample(done, 40))], check=True)
            shards = dice.randint(1, 5)
            running = [start("parts", "--shard", f"{dice.randrange(shards)}/{shards}") for _ in range(dice.randint(1, 3))]
            for process in running:
                try:
                    process.wait(dice.uniform(0.005, 0.12))
                    ended += 1
                except subprocess.TimeoutExpired:
                    process.send_signal(dice.choice([signal.SIGKILL, signal.SIGTERM]))
            for process in running:
                # SIGTERM may come before it is listened for.
                assert process.wait() in (0, 75, -signal.SIGKILL, -signal.SIGTERM), process.returncode
        for shard in range(3):
            assert start("parts", "--shard", f"{shard}/3").wait() == 0
        subprocess.run([program, "merge", "parts", "--quiet"], cwd=folder, check=True)
        whole, parts = files(folder / "whole"), files(folder / "parts")
        assert whole.keys() == parts.keys(), whole.keys() ^ parts.keys()
        wrong = [name for name in whole if whole[name] != parts[name]]
        assert not wrong, wrong
        print(f"{kills} rounds of kills, {ended} processes ended before theirs; {len(whole)} files equal those of one process")


if __name__ == "__main__":
    main()
