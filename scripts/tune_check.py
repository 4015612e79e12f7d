#!/usr/bin/env python3
"""The oracle of `fabricsim tune`: full grids, random search, and Optuna's TPE with Hyperband.

Every candidate of a grid is simulated once, in full and with messages of a third and a ninth of their length. Random search
draws without repeating itself; its packet-hops until one is within 1 % of the best of the grid are a closed form, (N + 1) / (m + 1)
runs where m of N are so good. `tune` and Optuna are charged what the grid says that a candidate costs, runs that the clock ended
in full, too; Optuna's pruned trials are charged for the shorter messages only. Goals: a third of random search's packet-hops in 9 of 10
seeds, the best of the grid never ruled out by a bound, and with that budget no worse than Optuna in as many seeds as it is better.

    pip install optuna
    python3 scripts/tune_check.py [BINARY] [--keep FOLDER] [GRID ...]

By default the binary is target/release/fabricsim, and all grids are checked: about 10 minutes of two processors. With --keep, what was simulated
is kept in a folder and not simulated again. Exit code 1 where a goal is missed.
"""

import csv
import itertools
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import tomllib

from oracle import need

optuna = need("optuna")
optuna.logging.set_verbosity(optuna.logging.ERROR)

SEEDS = 10
NEAR = 1.01
SHARES = [1 / 9, 1 / 3, 1]
FABRIC = """engine = "packet"
[topology.leaf-spine]
leaves = 4
spines = 2
hosts_per_leaf = 4
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }
[workload.all-to-all]
"""
# What stands above, the message in bytes, and what is searched.
GRIDS = {
    "transports": ("", 128000, """
transport = ["dctcp", "swift"]
load_balancing = ["ecmp", "spray", "reps"]
"transport.dctcp.gain" = [0.01, 0.03, 0.06, 0.12, 0.25, 0.5]
"transport.swift.base_target" = ["10us", "15us", "20us", "30us", "45us", "60us"]
"switch.alpha" = [0.1, 0.3, 0.6, 1.0, 3.0, 8.0]
"workload.all-to-all.window" = [0, 1, 2, 4, 8]
"""),
    "marking": ('transport = "dcqcn"', 256000, """
load_balancing = ["ecmp", "spray", "reps"]
"switch.ecn.kmin" = ["10KB", "25KB", "50KB", "100KB", "200KB"]
"switch.ecn.kmax" = ["250KB", "500KB", "1MB", "2MB"]
"switch.ecn.pmax" = [0.05, 0.2, 0.5, 1.0]
"transport.dcqcn.increase" = ["1Gbps", "2Gbps", "5Gbps", "10Gbps"]
"transport.dcqcn.cnp_interval" = ["5us", "50us"]
"""),
    "queue-pairs": ("", 128000, """
"load_balancing.ecmp-split.ways" = [1, 2, 4, 8, 16]
"workload.all-to-all.window" = [0, 1, 2, 3, 4, 6, 8]
"transport.dctcp.initial_window" = [0.25, 0.5, 1.0, 2.0]
"transport.dctcp.max_window" = [1.0, 2.0, 4.0]
"packet.payload" = ["1KiB", "4KiB", "8KiB"]
"""),
    "degraded": ('faults = [{ link = "leaf0-spine0", rate = "25Gbps" }]', 128000, """
transport = ["dctcp", "nscc"]
load_balancing = ["ecmp", "plb", "reps", "adaptive"]
"transport.dctcp.gain" = [0.01, 0.03, 0.06, 0.12, 0.25]
"transport.dctcp.max_window" = [0.5, 1.0, 2.0, 4.0]
"transport.nscc.target" = [0.25, 0.5, 0.75, 1.0, 1.5]
"transport.nscc.max_window" = [1.0, 1.25, 1.5, 2.0]
"workload.all-to-all.window" = [0, 1, 2, 4, 8]
"""),
}
CHOICES = ("transport", "load_balancing")


def run(binary, *arguments):
    done = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done


class Grid:
    """All candidates; one is a tuple of pairs of key and value as written, options of other choices left out."""

    def __init__(self, binary, folder, name):
        self.above, self.message, self.space = GRIDS[name]
        self.axes = list(tomllib.loads(f"[space]{self.space}")["space"].items())
        chosen = [axis for axis in self.axes if axis[0] in CHOICES]
        self.values, self.hops, self.floors = {}, {}, {}
        for family in itertools.product(*(values for _, values in chosen)):
            family = dict(zip((key for key, _ in chosen), family))
            rest = [(key, values) for key, values in self.axes if self.applies(family, key)]
            for share in SHARES:
                head = "".join(f"{key} = {json.dumps(value)}\n" for key, value in family.items())
                sweep = "".join(f'"{key}" = {json.dumps(values)}\n' for key, values in rest)
                message = max(1, round(share * self.message))
                file = folder / "grid.toml"
                file.write_text(f'{head}{self.above}\n{FABRIC}message = "{message}B"\n[sweep]\n{sweep}')
                out = folder / f"{name}-{'-'.join(family.values())}-{message}"
                run(binary, "run", file, "--out", out)
                rows = csv.DictReader((out / "results.csv").open())
                for values, row in zip(itertools.product(*(values for _, values in rest)), rows, strict=True):
                    candidate = self.key({**family, **dict(zip((key for key, _ in rest), values))})
                    self.values.setdefault(candidate, {})[share] = float(row["cct_us"] or "inf")
                    self.hops.setdefault(candidate, {})[share] = int(row["packet_hops"])
                    if share == 1:
                        self.floors[candidate] = max(float(row["bound_us"]), float(row["congestion_us"] or 0))
        self.sound = all(floor <= self.values[candidate][1] * (1 + 1e-9) for candidate, floor in self.floors.items())
        self.best = min(value[1] for value in self.values.values())
        good = sum(value[1] <= NEAR * self.best for value in self.values.values())
        mean = sum(hops[1] for hops in self.hops.values()) / len(self.hops)
        self.good, self.runs = good, (len(self.values) + 1) / (good + 1)
        self.random = self.runs * mean

    @staticmethod
    def applies(family, key):
        head, _, option = key.partition(".")
        return key not in CHOICES and not (head in family and option.split(".")[0] != family[head])

    @staticmethod
    def key(settings):
        return tuple(sorted((key, str(value)) for key, value in settings.items()))


def ours(binary, folder, grid, name, seed):
    """(packet-hops so far, best so far) after each run, and whether a bound ruled out the best."""
    file, out = folder / "tune.toml", folder / f"tune-{name}-{seed}"
    # Beyond half of what random search needs, nothing is asked.
    budget = math.ceil(grid.runs / 2)
    file.write_text(
        f'{grid.above}\n{FABRIC}message = "{grid.message}B"\n[tune]\nbudget = {budget}\nseed = {seed}\n[tune.space]{grid.space}'
    )
    run(binary, "tune", file, "--out", out)
    spent, best, path, lost = 0, math.inf, [], False
    texts = {(key, canonical(value)): str(value) for key, values in grid.axes for value in values}
    for row in csv.DictReader((out / "trials.csv").open()):
        pairs = (pair.split("=", 1) for pair in row["settings"].split("; "))
        candidate = tuple(sorted((key, texts[key, canonical(value)]) for key, value in pairs))
        if row["fidelity"] == "screen":
            if row["verdict"] == "not below" and grid.values[candidate][1] < best:
                lost = True
            continue
        spent += grid.hops[candidate][1]
        best = min(best, grid.values[candidate][1])
        path.append((spent, best))
    return path, lost


def canonical(value):
    """The same for `1.0` and `1`, `1MB` and `1000KB`."""
    text = str(value).strip('"')
    try:
        return float(text)
    except ValueError:
        return text


def theirs(grid, seed):
    """The same for Optuna's TPE and Hyperband over messages of a ninth, a third and all of their length."""
    spent, best, path = 0, math.inf, []
    sampler = optuna.samplers.TPESampler(seed=seed)
    pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=9, reduction_factor=3)
    # The pruner gives out brackets by the name of the study.
    study = optuna.create_study(study_name=str(seed), sampler=sampler, pruner=pruner)
    known = set()
    # What it asks for again costs nothing, so that it might never end.
    for _ in range(math.ceil(2 * grid.runs)):
        if spent >= grid.random / 2:
            break
        trial = study.ask()
        settings = {}
        ordered = sorted(grid.axes, key=lambda axis: axis[0] not in CHOICES)
        for key, values in ordered:
            family = {key: value for key, value in settings.items() if key in CHOICES}
            if key in CHOICES:
                settings[key] = trial.suggest_categorical(key, values)
            elif grid.applies(family, key):
                # All lists are in order.
                settings[key] = values[trial.suggest_int(key, 0, len(values) - 1)]
        candidate = grid.key(settings)
        pruned = False
        for share, step in zip(SHARES, (1, 3, 9)):
            if (candidate, share) not in known:
                known.add((candidate, share))
                spent += grid.hops[candidate][share]
            trial.report(grid.values[candidate][share], step)
            if share < 1 and trial.should_prune():
                pruned = True
                break
        if pruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            continue
        study.tell(trial, grid.values[candidate][1])
        best = min(best, grid.values[candidate][1])
        path.append((spent, best))
    return path


def reached(path, goal):
    return next((spent for spent, best in path if best <= goal), math.inf)


def within(path, budget):
    return min((best for spent, best in path if spent <= budget), default=math.inf)


def main():
    arguments = sys.argv[1:]
    binary = arguments.pop(0) if arguments and arguments[0] not in [*GRIDS, "--keep"] else "target/release/fabricsim"
    keep = None
    if "--keep" in arguments:
        keep = pathlib.Path(arguments.pop(arguments.index("--keep") + 1))
        arguments.remove("--keep")
        keep.mkdir(parents=True, exist_ok=True)
    missed = False
    for name in arguments or GRIDS:
        with tempfile.TemporaryDirectory() as folder:
            folder = keep or pathlib.Path(folder)
            grid = Grid(binary, folder, name)
            mine, others, lost = [], [], False
            for seed in range(1, SEEDS + 1):
                path, ruled_out = ours(binary, folder, grid, name, seed)
                mine.append(path)
                lost |= ruled_out
                others.append(theirs(grid, seed))
        goal, third = NEAR * grid.best, grid.random / 3
        shares = [sorted(reached(path, goal) / grid.random for path in paths) for paths in (mine, others)]
        pairs = [(within(a, third), within(b, third)) for a, b in zip(mine, others)]
        better, worse = sum(a < b for a, b in pairs), sum(a > b for a, b in pairs)
        found = sum(share <= 1 / 3 for share in shares[0])
        print(f"{name}: {len(grid.values)} candidates, {grid.good} within 1 % of {grid.best:.1f} us; random search needs {grid.runs:.0f} runs")
        for who, share in zip(("tune", "Optuna"), shares):
            print(f"  {who}: a third in {sum(s <= 1 / 3 for s in share)} of {SEEDS}, of random search's packet-hops {share[SEEDS // 2]:.2f} in the median, {share[-2]:.2f} in all but one")
        print(f"  with a third: tune better in {better}, worse in {worse}; no bound is above what it bounds: {grid.sound}; a bound ruled out a better one: {lost}")
        missed |= found < 9 or worse > better or lost or not grid.sound
    sys.exit(missed)


if __name__ == "__main__":
    main()
