#!/usr/bin/env python3
"""What every experiment costs: points, CPU seconds and peak memory, as a Markdown table, and what `check` had said.

Runs each file in a process of its own, one point at a time; those below experiments/validate, and all after
`--validate`, with `validate`.
Files that others build on, and that have no workload of their own, are left out.

Usage: python3 scripts/cost.py [--validate] [FILE...]     all files below experiments/ if none is named
"""

import csv
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent / "experiments"
sys.path.append(str(ROOT.parent / "benches/peers"))
import ours  # noqa: E402



def complete(fabricsim, path):
    return subprocess.run([fabricsim, "check", path], capture_output=True).returncode == 0


def told(fabricsim, path):
    """CPU seconds that `check` expects in all, and MB of memory of a point at most."""
    line = subprocess.run([fabricsim, "check", path], capture_output=True, text=True).stderr
    units = {"ms": 1e-3, "s": 1, "min": 60, "h": 3600, "MB": 1, "GB": 1000}
    in_all = re.search(r"about ([\d.]+) (ms|s|min|h) of CPU time in all", line)
    each = re.search(r"about ([\d.]+) (MB|GB) of memory and ([\d.]+) (ms|s|min|h) each", line)
    if not each:
        return "", ""
    number, unit = in_all.groups() if in_all else each.groups()[2:]
    return f"{float(number) * units[unit]:.2f}", f"{float(each[1]) * units[each[2]]:.0f}"


def cost(fabricsim, path, validate):
    """Exit status, points, CPU and wall seconds, and the peak of the resident set in MB."""
    with tempfile.TemporaryDirectory() as folder:
        if validate:
            command = ["validate", path]
        else:
            command = ["run", path, "--jobs", "1", "--out", folder]
        run = subprocess.Popen([fabricsim, *command, "--quiet"], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(run.pid, 0)
        results = pathlib.Path(folder) / "results.csv"
        points = len(list(csv.DictReader(open(results)))) if results.exists() else ""
        return status, points, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def main():
    fabricsim = ours.build()
    arguments = sys.argv[1:]
    validated = "--validate" in arguments
    files = [argument for argument in arguments if argument != "--validate"]
    paths = [pathlib.Path(file).resolve() for file in files] or sorted(ROOT.rglob("*.toml"))
    print("| file | points | CPU s | peak MB | expected CPU s | MB of a point |")
    print("|---|---|---|---|---|---|")
    for path in paths:
        if not complete(fabricsim, path):
            continue
        validate = validated or path.parent.name == "validate"
        expected = told(fabricsim, path) if not validate else ("", "")
        status, points, seconds, peak = cost(fabricsim, path, validate)
        with_validate = " with `validate`" if validated else ""
        failed = " (failed)" if status else ""
        print(f"| {path.relative_to(ROOT)}{with_validate}{failed} | {points} | {seconds:.2f} | {peak:.0f} | {expected[0]} | {expected[1]} |", flush=True)


if __name__ == "__main__":
    main()
