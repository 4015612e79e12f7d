#!/usr/bin/env python3
"""fabricsim's packet engine beside ns-3: the same fabric, flows and paths in one go.

Installs ns-3 from Debian (libns3-dev, g++) if it is missing, builds `leaf_spine.cc` and fabricsim,
places the flows by ECMP, gives both simulators the same paths, and prints completion times,
packet-hops per CPU second, peak memory, and the largest difference of a flow's completion time.
Both send UDP at line rate, one way.

Usage: python3 benches/peers/ns3/run.py [128 | 1024]
"""

import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
import ours  # noqa: E402

SHAPES = {128: (8, 16, 16), 1024: (32, 32, 32)}
PAYLOAD, HEADER, GBPS, DELAY_NS = 4086, 64, 400, 500
LIBRARIES = ["core", "network", "internet", "point-to-point", "stats", "bridge", "traffic-control"]


def sh(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, **options)


def build(folder):
    if not pathlib.Path("/usr/include/ns3").exists() or not shutil.which("g++"):
        sh("apt-get", "install", "-y", "-q", "libns3-dev", "g++", stdout=subprocess.DEVNULL)
    program = folder / "leaf_spine"
    flags = ["-O3", "-DNDEBUG", "-DNS3_LOG_ENABLE", "-std=c++17"]
    sh("g++", *flags, HERE / "leaf_spine.cc", "-o", program, *[f"-lns3-{name}" for name in LIBRARIES])
    return program, ours.build()


def experiment(folder, hosts, workload):
    leaves, spines, hosts_per_leaf = SHAPES[hosts]
    cable = f'{{ rate = "{GBPS}Gbps", delay = "{DELAY_NS}ns" }}'
    text = f"""
name = "beside-ns3"
engine = "packet"
load_balancing = "ecmp"
transport = "udp"
[topology.leaf-spine]
leaves = {leaves}
spines = {spines}
hosts_per_leaf = {hosts_per_leaf}
host_link = {cable}
fabric_link = {cable}
[workload.{workload}
[packet]
payload = {PAYLOAD}
header = {HEADER}
[output]
flows = true
"""
    path = folder / "experiment.toml"
    path.write_text(text)
    return path


def flows_with_spines(plan):
    """`src dst bytes spine` of every sub-flow; the spine of a flow inside one leaf is never used."""
    for flow in json.loads(plan.read_text())["flows"]:
        for piece in flow["pieces"]:
            spines = [name for name in piece["path"] if name.startswith("spine")]
            spine = spines[0].removeprefix("spine") if spines else "0"
            yield f"{flow['src']} {flow['dst']} {piece['bytes']} {spine}"


def run_fabricsim(fabricsim, folder, path):
    plan, results = folder / "plan.json", folder / "results"
    sh(fabricsim, "place", path, "--out", plan, stdout=subprocess.DEVNULL)
    shutil.rmtree(results, ignore_errors=True)
    command = [fabricsim, "run", path, "--out", results, "--quiet"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(run.pid, 0)
    if status:
        sys.exit("fabricsim failed")
    peak = usage.ru_maxrss / 1024
    row = next(csv.DictReader(open(results / "results.csv")))
    timing = next(csv.DictReader(open(results / "timings.csv")))
    cct, hops, user = float(row["cct_us"]), int(row["packet_hops"]), float(timing["cpu_s"])
    flows = csv.DictReader(open(next((results / "points").glob("*/flows.csv"))))
    fcts = [round(float(flow["fct_us"]) * 1e6) for flow in flows]
    return plan, {"cct_us": cct, "packet_hops": hops, "user_s": user, "peak_mib": peak, "fct_ps": fcts}


def compare(folder, programs, hosts, name, workload):
    program, fabricsim = programs
    path = experiment(folder, hosts, workload)
    plan, own = run_fabricsim(fabricsim, folder, path)
    flows = folder / "flows.txt"
    flows.write_text("\n".join(flows_with_spines(plan)) + "\n")
    leaves, spines, hosts_per_leaf = SHAPES[hosts]
    arguments = [leaves, spines, hosts_per_leaf, GBPS, DELAY_NS, PAYLOAD, HEADER, flows]
    theirs = json.loads(sh(program, *arguments, stdout=subprocess.PIPE, text=True).stdout)
    for simulator, result in (("fabricsim", own), ("ns-3", theirs)):
        speed = result["packet_hops"] / result["user_s"] / 1e6
        print(
            f"{hosts:5} {name:24} {simulator:10} {result['cct_us']:12.3f} {result['packet_hops']:12} "
            f"{result['user_s']:9.3f} {speed:9.3f} {result['peak_mib']:9.0f}"
        )
    ratio = own["packet_hops"] / own["user_s"] / (theirs["packet_hops"] / theirs["user_s"])
    difference = own["cct_us"] / theirs["cct_us"] - 1
    pairs = list(zip(own["fct_ps"], theirs["fct_ps"], strict=True))
    largest = max(abs(ours / other - 1) for ours, other in pairs)
    same = sum(ours == other for ours, other in pairs)
    print(
        f"{'':30} hops per CPU second x {ratio:.1f}, CCT {difference:+.3%}; of {len(pairs)} flows {same} end at the same "
        f"picosecond, the others within {largest:.3%}",
        flush=True,
    )


def main():
    sizes = [int(argument) for argument in sys.argv[1:]] or [128]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        programs = build(folder)
        print("hosts workload                 simulator        CCT us  packet-hops    user s  M hops/s  peak MiB")
        for hosts in sizes:
            offset = SHAPES[hosts][2]
            shift = f'shift]\nmessage = "2MB"\noffset = {offset}'
            compare(folder, programs, hosts, "shift by a leaf, 2 MB", shift)
            if hosts == 128:
                compare(folder, programs, hosts, "all-to-all, 64 KiB", 'all-to-all]\nmessage = "64KiB"')


if __name__ == "__main__":
    main()
