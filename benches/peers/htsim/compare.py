#!/usr/bin/env python3
"""fabricsim beside an htsim of your own, on the same .cm and .topo files.

Every connection matrix of a folder runs through `htsim_uec` and through fabricsim, under every control and path
selection asked for. A row tells when the last acknowledgement reached its sender in both ("finished at" there), the ratio,
what no scheme can beat, and the CPU seconds of both processes. The last line sums the ratios up.

A matrix `x.cm` runs on `x.topo`, else on the folder's only .topo file, else on every .topo file with as many nodes.
`--random N` first writes N cases drawn from a seed: two and three tiers, 100 to 800 Gb/s, with and without
oversubscription; permutations, incasts, all-to-alls and random pairs of 20 KB to 4 MB.

Usage: python3 benches/peers/htsim/compare.py FOLDER --htsim DIR [--random N] [--seed S]
           [--control nscc eqds dctcp] [--paths bitmap reps oblivious ecmp]
  FOLDER      with .cm and .topo files; random cases are written here
  --htsim     the folder with the program htsim_uec, built by yourself from github.com/ultraethernet/uet-htsim
"""

import argparse
import csv
import math
import pathlib
import random
import re
import resource
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import ours  # noqa: E402

# Upstream acknowledges after so many bytes (its -sack_threshold), and so does fabricsim beside it.
ACK_EVERY = 16_384

# The same control and path selection in the words of both: arguments of htsim_uec, values of an experiment file.
CONTROLS = {
    "nscc": (["-sender_cc_only", "-sender_cc_algo", "nscc"], '"nscc"'),
    "eqds": (["-receiver_cc_only"], '{ eqds = { mode = "rccc", initial_window = 1.5 } }'),
    "dctcp": (["-sender_cc_only", "-sender_cc_algo", "dctcp"], '"dctcp"'),
}
PATHS = {
    "bitmap": '"bitmap"',
    "reps": '"reps"',
    "oblivious": '{ spray = { choose = "permuted" } }',
    "ecmp": '{ ecmp = { hash = "transfer" } }',
}


def nodes_of(path):
    return int(re.search(r"^\s*Nodes\s+(\d+)", path.read_text(), re.MULTILINE | re.IGNORECASE)[1])


def cases(folder):
    """(matrix, topology) for every matrix of the folder."""
    topologies = sorted(folder.glob("*.topo"))
    for matrix in sorted(folder.glob("*.cm")):
        own = matrix.with_suffix(".topo")
        if own in topologies:
            yield matrix, own
            continue
        fitting = topologies if len(topologies) == 1 else [t for t in topologies if nodes_of(t) == nodes_of(matrix)]
        if not fitting:
            print(f"{matrix.name}: no .topo file for it, left out", file=sys.stderr)
        for topology in fitting:
            yield matrix, topology


def topology(draw):
    """Hosts, and a .topo file of two or three tiers."""
    rate, delay = draw.choice([100, 200, 400, 800]), draw.choice([500, 1000, 2000])
    tier = f"Downlink_speed_Gbps {rate}\nDownlink_Latency_ns {delay}\nSwitch_Latency_ns 0\n"
    if draw.random() < 0.5:
        leaves, hosts, over = draw.choice([2, 4, 8]), draw.choice([4, 8]), draw.choice([1, 1, 2, 4])
        levels = [(hosts, hosts // over), (leaves, None)]
        nodes, pod = leaves * hosts, leaves * hosts
    else:
        half = draw.choice([2, 4])
        levels = [(half, half), (half, half), (2 * half, None)]
        nodes, pod = 2 * half**3, half**2
    lines = [f"Nodes {nodes}\nTiers {len(levels)}\nPodsize {pod}\n"]
    for number, (down, up) in enumerate(levels):
        lines.append(f"Tier {number}\n{tier}Radix_Down {down}\n" + (f"Radix_Up {up}\n" if up else ""))
    return nodes, "".join(lines)


def pairs(draw, nodes):
    """Who sends to whom."""
    hosts = list(range(nodes))
    kind = draw.choice(["permutation", "incast", "all-to-all", "pairs"])
    if kind == "permutation":
        shift = draw.randrange(1, nodes)
        draw.shuffle(hosts)
        return [(hosts[i], hosts[(i + shift) % nodes]) for i in range(nodes)]
    if kind == "incast":
        chosen = draw.sample(hosts, draw.randrange(3, min(nodes, 33)))
        return [(src, chosen[0]) for src in chosen[1:]]
    if kind == "all-to-all":
        chosen = draw.sample(hosts, min(nodes, 16))
        return [(src, dst) for src in chosen for dst in chosen if src != dst]
    return [tuple(draw.sample(hosts, 2)) for _ in range(nodes)]


def write_random(folder, count, seed):
    for number in range(count):
        draw = random.Random(f"{seed}/{number}")
        nodes, text = topology(draw)
        joined = pairs(draw, nodes)
        size = int(2 ** draw.uniform(math.log2(20_000), 22))
        lines = [f"{src}->{dst} id {i} start 0 size {size}\n" for i, (src, dst) in enumerate(joined, 1)]
        name = folder / f"random-{seed}-{number:03}"
        name.with_suffix(".topo").write_text(text)
        name.with_suffix(".cm").write_text(f"Nodes {nodes}\nConnections {len(joined)}\n" + "".join(lines))


def timed(command, **options):
    """What it printed, and the CPU seconds that it took."""

    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    return done.returncode, done.stdout, used() - before


def theirs(program, matrix, topo, control, paths, seed):
    """The last finish in us, and CPU seconds."""
    arguments = ["-tm", matrix, "-topo", topo, *CONTROLS[control][0], "-load_balancing_algo", paths]
    arguments += ["-sack_threshold", ACK_EVERY, "-seed", seed, "-end", 10_000_000]
    status, told, seconds = timed([program, *map(str, arguments)])
    finished = [float(time) for time in re.findall(r"finished at ([0-9.]+)", told)]
    if status or not finished:
        sys.exit(f"htsim_uec on {matrix.name} ended with {status} and told of no flow that finished:\n{told[-2000:]}")
    return max(finished), seconds


def own(program, matrix, topo, control, paths, seed, folder):
    """The last acknowledgement and the bound in us, and CPU seconds."""
    experiment = folder / "compare.toml"
    experiment.write_text(
        f"""engine = "packet"
seed = {seed}
transport = {CONTROLS[control][1]}
load_balancing = {PATHS[paths]}
topology = {{ htsim = {{ file = '{topo}' }} }}
workload = {{ connection-matrix = {{ file = '{matrix}', start_unit = "us" }} }}
packet = {{ payload = 4086, ack_every = "{ACK_EVERY}B" }}
output = {{ flows = true }}
"""
    )
    results = folder / "results"
    status, told, seconds = timed([program, "run", experiment, "--out", results, "--quiet", "--force"])
    if status:
        sys.exit(f"fabricsim on {matrix.name} ended with {status}:\n{told}")
    point = next(csv.DictReader(open(results / "points.csv")))
    row = next(csv.DictReader(open(results / "results.csv")))
    flows = csv.DictReader(open(results / "points" / point["hash"] / "flows.csv"))
    last = max(float(flow["start_us"]) + float(flow["ack_fct_us"]) for flow in flows)
    return last, float(row["bound_us"]), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--htsim", type=pathlib.Path, required=True)
    parser.add_argument("--random", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", nargs="+", choices=CONTROLS, default=["nscc", "eqds"])
    parser.add_argument("--paths", nargs="+", choices=PATHS, default=["bitmap", "ecmp"])
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    write_random(folder, arguments.random, arguments.seed)
    fabricsim, htsim = ours.build(), arguments.htsim.resolve() / "htsim_uec"
    ratios, cpu = [], [0.0, 0.0]
    print("| matrix | fabric | control | paths | fabricsim us | htsim us | ratio | bound us | CPU s, both |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for matrix, topo in cases(folder):
            for control in arguments.control:
                for paths in arguments.paths:
                    case = (matrix, topo, control, paths, arguments.seed)
                    here, bound, seconds = own(fabricsim, *case, pathlib.Path(scratch))
                    there, other_seconds = theirs(htsim, *case)
                    ratios.append(here / there)
                    cpu = [cpu[0] + seconds, cpu[1] + other_seconds]
                    cells = [matrix.name, topo.name, control, paths, f"{here:.2f}", f"{there:.2f}"]
                    cells += [f"{here / there:.3f}", f"{bound:.2f}", f"{seconds:.2f} / {other_seconds:.2f}"]
                    print("| " + " | ".join(cells) + " |", flush=True)
    if not ratios:
        sys.exit(f"{folder} has no .cm file with a .topo file")
    ratios.sort()
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(
        f"\n{len(ratios)} cases: ratio {mean:.3f} in the geometric mean, median {ratios[len(ratios) // 2]:.3f}, "
        f"from {ratios[0]:.3f} to {ratios[-1]:.3f}; CPU {cpu[0]:.1f} s here, {cpu[1]:.1f} s there"
    )


if __name__ == "__main__":
    main()
