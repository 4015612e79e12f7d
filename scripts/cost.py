#!/usr/bin/env python3
"""What every experiment costs: points, CPU seconds and peak memory, as a Markdown table, and what `check` had said.

Runs each file in a process of its own, one point at a time; those below experiments/validate, and all after
`--validate`, with `validate`.
Files that others build on, and that have no workload of their own, are left out.
With `--shard I/N` both are of that part of the points, which is enough of what takes hours.
What takes more than `--limit` seconds of CPU is ended. A row ends with what `check` had said over what it took, for
time and for memory; the last line counts those within a factor of 2.

Usage: python3 scripts/cost.py [--validate] [--limit SECONDS] [--shard I/N] [FILE...]     all files below experiments/ if none is named
"""

import argparse
import csv
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent / "experiments"
sys.path.append(str(ROOT.parent / "benches/peers"))
import ours  # noqa: E402

# What costs less than this is too little to be told apart from what any process costs.
LEAST_SECONDS, LEAST_MB = 0.1, 30


def complete(fabricsim, path):
    return subprocess.run([fabricsim, "check", path, "--quick"], capture_output=True).returncode == 0


def told(fabricsim, path, part):
    """CPU seconds and MB of memory that `check` expects in all, with one point at a time."""
    line = subprocess.run([fabricsim, "check", path, *part], capture_output=True, text=True).stderr
    units = {"ms": 1e-3, "s": 1, "min": 60, "h": 3600, "MB": 1, "GB": 1000}
    in_all = re.search(r"about ([\d.]+) (ms|s|min|h) of CPU time and ([\d.]+) (MB|GB) of memory in all", line)
    alone = re.search(r"about ([\d.]+) (MB|GB) of memory and ([\d.]+) (ms|s|min|h) each$", line, re.MULTILINE)
    if in_all:
        seconds, unit, memory, memory_unit = in_all.groups()
    elif alone:
        memory, memory_unit, seconds, unit = alone.groups()
    else:
        return None
    return float(seconds) * units[unit], float(memory) * units[memory_unit]


def cost(fabricsim, path, validate, limit, part):
    """Exit status, points, CPU seconds, and the peak of the resident set in MB."""

    def limited():
        if limit:
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))

    with tempfile.TemporaryDirectory() as folder:
        if validate:
            command = ["validate", path]
        else:
            command = ["run", path, "--jobs", "1", "--out", folder, *part]
        run = subprocess.Popen([fabricsim, *command, "--quiet"], stdout=subprocess.DEVNULL, preexec_fn=limited)
        _, status, usage = os.wait4(run.pid, 0)
        results = pathlib.Path(folder) / "results.csv"
        points = len(list(csv.DictReader(open(results)))) if results.exists() else ""
        if part:
            points = len(list((pathlib.Path(folder) / "points").iterdir()))
        return status, points, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def over(expected, cost, least):
    """What was expected over what it cost; nothing where both are too little to tell."""
    return None if max(expected, cost) < least else max(expected, least) / max(cost, least)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[-1])
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--shard")
    parser.add_argument("files", nargs="*")
    asked = parser.parse_args()
    fabricsim = ours.build()
    part = ["--shard", asked.shard] if asked.shard else []
    paths = [pathlib.Path(file).resolve() for file in asked.files] or sorted(ROOT.rglob("*.toml"))
    print("| file | points | CPU s | expected | over | peak MB | expected | over |")
    print("|---|---|---|---|---|---|---|---|")
    ratios = {"time": [], "memory": []}
    for path in paths:
        if not complete(fabricsim, path):
            continue
        validate = asked.validate or path.parent.name == "validate"
        expected = None if validate else told(fabricsim, path, part)
        status, points, seconds, peak = cost(fabricsim, path, validate, asked.limit, part)
        ended = " (ended)" if os.WIFSIGNALED(status) else " (failed)" if status else ""
        with_validate = " with `validate`" if asked.validate else ""
        of_part = f", part {asked.shard}" if part else ""
        cells = ["", "", "", ""]
        if expected and not os.WIFSIGNALED(status):
            of_each = (over(expected[0], seconds, LEAST_SECONDS), over(expected[1], peak, LEAST_MB))
            for name, ratio in zip(ratios, of_each):
                if ratio:
                    ratios[name].append(ratio)
            time, memory = ("" if ratio is None else f"{ratio:.2f}" for ratio in of_each)
            cells = [f"{expected[0]:.2f}", time, f"{expected[1]:.0f}", memory]
        print(
            f"| {path.relative_to(ROOT)}{of_part}{with_validate}{ended} | {points} | {seconds:.2f} | {cells[0]} | {cells[1]}"
            f" | {peak:.0f} | {cells[2]} | {cells[3]} |",
            flush=True,
        )
    for name, of_files in ratios.items():
        within = sum(0.5 <= ratio <= 2 for ratio in of_files)
        print(f"{name}: {within} of {len(of_files)} within a factor of 2", file=sys.stderr)


if __name__ == "__main__":
    main()
