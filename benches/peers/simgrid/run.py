#!/usr/bin/env python3
"""fabricsim's flow engine beside SimGrid: the same fabric, flows and paths in one go.

Installs SimGrid from Debian (libsimgrid-dev, g++) if it is missing, builds `leaf_spine.cc` and
fabricsim, places flows of distinct sizes by ECMP, gives both simulators the same paths, and prints
user CPU seconds and the largest relative difference of the flows' completion times. Both share
links max-min fairly: SimGrid with its model CM02 under the settings below, whose weights, one over
the latency, are equal here because all flows cross leaves.

Usage: python3 benches/peers/simgrid/run.py [NAME]     cases whose name contains NAME
Exit status 1 if a completion time differs by more than 1e-9.
"""

import csv
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
import ours  # noqa: E402

GBPS, DELAY_NS = 100, 500
# Flows of some seconds: SimGrid's times are whole nanoseconds, more or less.
SMALLEST, LARGEST = 500_000_000, 1_500_000_000
SETTINGS = ["network/model:CM02", "network/TCP-gamma:0", "network/crosstraffic:0", "network/optim:Full"]
MOST_DIFFERENT = 1e-9


def sh(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, **options)


def build(folder):
    if not pathlib.Path("/usr/include/simgrid").exists() or not shutil.which("g++"):
        sh("apt-get", "install", "-y", "-q", "libsimgrid-dev", "g++", stdout=subprocess.DEVNULL)
    program = folder / "leaf_spine"
    sh("g++", "-O3", "-DNDEBUG", "-std=c++17", HERE / "leaf_spine.cc", "-o", program, "-lsimgrid")
    return program, ours.build()


def all_to_all(radix):
    hosts = radix * radix
    return [(src, dst) for src in range(hosts) for dst in range(hosts) if src // radix != dst // radix]


def permutations(radix, count):
    """Random permutations, all at once, without pairs below one leaf and pairs that come twice."""
    hosts, pairs = radix * radix, {}
    for _ in range(count):
        order = random.sample(range(hosts), hosts)
        pairs.update({pair: None for pair in enumerate(order) if pair[0] // radix != pair[1] // radix})
    return list(pairs)


CASES = {
    "all-to-all, 64 hosts": (8, lambda: all_to_all(8)),
    "all-to-all, 100 hosts": (10, lambda: all_to_all(10)),
    "8 permutations, 256 hosts": (16, lambda: permutations(16, 8)),
    "8 permutations, 1024 hosts": (32, lambda: permutations(32, 8)),
}


def experiment(folder, radix, pairs):
    cable = f'{{ rate = "{GBPS}Gbps", delay = "{DELAY_NS}ns" }}'
    text = f"""
name = "beside-simgrid"
engine = "flow"
load_balancing = "ecmp"
[topology.leaf-spine]
leaves = {radix}
spines = {radix}
hosts_per_leaf = {radix}
host_link = {cable}
fabric_link = {cable}
[workload.flows]
file = "flows.csv"
[output]
flows = true
"""
    lines = [f"{src},{dst},{random.randint(SMALLEST, LARGEST)}" for src, dst in pairs]
    (folder / "flows.csv").write_text("\n".join(["src,dst,bytes", *lines]) + "\n")
    path = folder / "experiment.toml"
    path.write_text(text)
    return path


def run_fabricsim(fabricsim, folder, path):
    """Paths and completion times in seconds by pair, and the CPU seconds of the whole point."""
    plan, results = folder / "plan.json", folder / "results"
    sh(fabricsim, "place", path, "--out", plan, stdout=subprocess.DEVNULL)
    shutil.rmtree(results, ignore_errors=True)
    sh(fabricsim, "run", path, "--out", results, "--quiet")
    seconds = float(next(csv.DictReader(open(results / "timings.csv")))["cpu_s"])
    (flows,) = results.glob("points/*/flows.csv")
    times = {(int(row["src"]), int(row["dst"])): float(row["fct_us"]) / 1e6 for row in csv.DictReader(open(flows))}
    placed = json.loads(plan.read_text())["flows"]
    return placed, times, seconds


def run_simgrid(program, folder, radix, placed):
    """Completion times in seconds, in the order of the flows, and the user CPU seconds of the run."""
    lines = []
    for flow in placed:
        (piece,) = flow["pieces"]
        (spine,) = [name.removeprefix("spine") for name in piece["path"] if name.startswith("spine")]
        lines.append(f"{flow['src']} {flow['dst']} {flow['bytes']} {spine}")
    flows = folder / "flows.txt"
    flows.write_text("\n".join(lines) + "\n")
    arguments = [f"--cfg={setting}" for setting in SETTINGS]
    arguments += ["--log=root.thresh:warning", radix, radix, radix, GBPS * 1e9 / 8, DELAY_NS, flows]
    *times, figures = sh(program, *arguments, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return [float(time) for time in times], json.loads(figures)["user_s"]


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    random.seed(1)
    worst = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program, fabricsim = build(folder)
        print(f"{'case':28} {'flows':>7} {'fabricsim s':>12} {'SimGrid s':>10} {'ratio':>7} {'largest difference':>19}")
        for case, (radix, pairs) in CASES.items():
            if wanted not in case:
                continue
            path = experiment(folder, radix, pairs())
            placed, own, own_seconds = run_fabricsim(fabricsim, folder, path)
            theirs, their_seconds = run_simgrid(program, folder, radix, placed)
            differences = [abs(own[flow["src"], flow["dst"]] / time - 1) for flow, time in zip(placed, theirs)]
            worst = max(worst, *differences)
            ratio = their_seconds / own_seconds
            print(
                f"{case:28} {len(placed):7} {own_seconds:12.3f} {their_seconds:10.3f} {ratio:7.1f} {max(differences):19.1e}",
                flush=True,
            )
    sys.exit(worst > MOST_DIFFERENT)


if __name__ == "__main__":
    main()
