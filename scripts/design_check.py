#!/usr/bin/env python3
"""The oracle of `fabricsim design`: every design of a catalogue priced and timed here, and NSGA-II of pymoo.

A healthy leaf-spine is timed without fabricsim: of each step, what the busiest host sends over its cable, or what the busiest leaf sends
over its cables to the spines, whichever takes longer. The catalogue has leaves and spines of four models, so that price and time
are open; both searches have the same number of evaluations, of designs that fit, each counted once.

    pip install numpy pymoo
    python3 scripts/design_check.py [BINARY] [front|genetic ...]

By default the binary is target/release/fabricsim, and both are checked. Exit code 1 where a goal is missed.
"""

import csv
import itertools
import pathlib
import subprocess
import sys
import tempfile

from oracle import need

numpy = need("numpy")

SEEDS = 10
HOSTS = 96
# Name, ports, bits per second, price.
SWITCHES = [
    ("small", 32, 200e9, 9000),
    ("large", 64, 200e9, 22000),
    ("quick", 32, 400e9, 21000),
    ("fast", 64, 400e9, 38000),
]
CABLES = [(200e9, 500), (400e9, 1100)]
ALL_TO_ALL = 1_000_000
ALL_REDUCE, WEIGHT = 64_000_000, 3
GOAL = 0.999


class Catalogue:
    """Designs are (leaf model, spine model, hosts per leaf, spines, parallel cables, planes)."""

    def __init__(self, parallel, planes):
        self.lists = [
            range(len(SWITCHES)),
            range(len(SWITCHES)),
            [count for count in range(1, 65) if HOSTS % count == 0],
            range(1, 65),
            parallel,
            planes,
        ]

    def toml(self, evaluations):
        switches = ", ".join(
            f'{{ name = "{name}", ports = {ports}, rate = "{rate / 1e9:.0f}Gbps", price = {price} }}'
            for name, ports, rate, price in SWITCHES
        )
        cables = ", ".join(f'{{ rate = "{rate / 1e9:.0f}Gbps", price = {price} }}' for rate, price in CABLES)
        return f"""[design]
hosts = {HOSTS}
parallel = {list(self.lists[4])}
planes = {list(self.lists[5])}
evaluations = {evaluations}
switches = [{switches}]
cables = [{cables}]
[[design.workloads]]
workload = {{ all-to-all = {{ message = "{ALL_TO_ALL}B" }} }}
[[design.workloads]]
weight = {WEIGHT}
workload = {{ all-reduce = {{ size = "{ALL_REDUCE}B" }} }}
"""

    def judge(self, design):
        """(price, microseconds), or None of what cannot be built."""
        leaf, spine, below, spines, parallel, planes = design
        (_, leaf_ports, leaf_rate, leaf_price), (_, spine_ports, spine_rate, spine_price) = SWITCHES[leaf], SWITCHES[spine]
        leaves = HOSTS // below
        if leaves < 2 or below + spines * parallel > leaf_ports or leaves * parallel > spine_ports:
            return None
        fabric_rate = min(leaf_rate, spine_rate)

        def cable(rate):
            return min(price for fast, price in CABLES if fast >= rate)

        price = leaves * leaf_price + spines * spine_price + HOSTS * cable(leaf_rate) + leaves * spines * parallel * cable(fabric_rate)
        up = spines * parallel * fabric_rate
        one = max((HOSTS - 1) * ALL_TO_ALL / leaf_rate, below * (HOSTS - below) * ALL_TO_ALL / up)
        # A ring leaves each leaf once, in 2 (n - 1) steps.
        share = ALL_REDUCE / HOSTS
        ring = 2 * (HOSTS - 1) * max(share / leaf_rate, share / up)
        return planes * price, 8e6 * (one + WEIGHT * ring) / planes


def front(costs):
    """Those that none other beats, by rising price."""
    kept = []
    for price, time in sorted(costs):
        if not kept or time < kept[-1][1] * (1 - 1e-9):
            kept.append((price, time))
    return kept


def area(kept, corner):
    ends = [price for price, _ in kept[1:]] + [corner[0]]
    return sum(max(min(end, corner[0]) - price, 0) * max(corner[1] - time, 0) for (price, time), end in zip(kept, ends))


def ours(binary, folder, catalogue, evaluations, seed):
    """The front, what the command computed, and whether it says that nothing is better."""
    file = folder / "check.toml"
    file.write_text(f"seed = {seed}\n" + catalogue.toml(evaluations))
    out = folder / f"out-{seed}-{evaluations}"
    done = subprocess.run([binary, "design", file, "--no-confirm", "--out", out], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    rows = csv.DictReader((out / "front.csv").open())
    kept = [(float(row["price"]), float(row["least_time_us"])) for row in rows]
    return kept, done.stderr


def theirs(catalogue, evaluations, seed):
    """The same for pymoo with the population of ours, integers crossed and mutated as pymoo has it."""
    need("pymoo")
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import ElementwiseProblem
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.optimize import minimize

    known = {}

    class Problem(ElementwiseProblem):
        def __init__(self):
            lengths = [len(values) for values in catalogue.lists]
            super().__init__(n_var=len(lengths), n_obj=2, xl=0, xu=numpy.array(lengths) - 1, n_ieq_constr=1, vtype=int)

        def _evaluate(self, x, out, *args, **kwargs):
            design = tuple(values[int(k)] for values, k in zip(catalogue.lists, x))
            cost = catalogue.judge(design)
            # What cannot be built takes no evaluation.
            if cost is not None and (design in known or len(known) < evaluations):
                known[design] = cost
            out["F"] = list(cost or (1e12, 1e12))
            out["G"] = [0.0 if cost else 1.0]


    integers = {"vtype": float, "repair": RoundingRepair()}
    algorithm = NSGA2(
        pop_size=60,
        sampling=IntegerRandomSampling(),
        crossover=SBX(prob=0.9, eta=3, **integers),
        mutation=PM(eta=3, **integers),
        eliminate_duplicates=True,
    )
    algorithm.setup(Problem(), termination=("n_gen", 4000), seed=seed, verbose=False)
    while algorithm.has_next() and len(known) < evaluations:
        algorithm.next()
    return front(known.values())


def exact(binary, folder):
    """A catalogue of some thousand designs, enumerated."""
    catalogue = Catalogue([1, 2, 3, 4], [1])
    costs = [cost for design in itertools.product(*catalogue.lists) if (cost := catalogue.judge(design))]
    best = front(costs)
    found, text = ours(binary, folder, catalogue, len(costs) // 10, 1)
    same = len(found) == len(best) and all(
        abs(a / b - 1) < 1e-4 for one, other in zip(found, best) for a, b in zip(one, other)
    )
    print(f"front: {len(costs)} designs, {len(best)} on the front; all of them found: {same}; {' '.join(text.split())}")
    return same


def genetic(binary, folder):
    """More designs than are listed."""
    catalogue = Catalogue(list(range(1, 17)), [1, 2, 3, 4])
    costs = [cost for design in itertools.product(*catalogue.lists) if (cost := catalogue.judge(design))]
    best = front(costs)
    corner = (1.1 * best[-1][0], 1.1 * best[0][1])
    whole = area(best, corner)
    least = min(price * time for price, time in best)
    good = True
    for evaluations in (300, len(costs) // 100, len(costs) // 10):
        rows = []
        for seed in range(1, SEEDS + 1):
            mine, text = ours(binary, folder, catalogue, evaluations, seed)
            other = theirs(catalogue, evaluations, seed)
            product = [min(price * time for price, time in kept) for kept in (mine, other)]
            rows.append((area(mine, corner) / whole, area(other, corner) / whole, product[0] <= least / GOAL, product[1] <= least / GOAL))
        mine, other = (sorted(row[k] for row in rows) for k in (0, 1))
        # The file of a front has rounded times.
        wins = sum(row[0] >= row[1] * (1 - 1e-6) for row in rows)
        optimum = [sum(row[k] for row in rows) for k in (2, 3)]
        print(
            f"genetic: {len(costs)} designs, {evaluations} evaluations: hypervolume {mine[SEEDS // 2]:.4f} of the front's in the median (least {mine[0]:.4f}), "
            f"pymoo {other[SEEDS // 2]:.4f} ({other[0]:.4f}); no less in {wins} of {SEEDS}; least price times time found in {optimum[0]}, by pymoo in {optimum[1]}"
        )
        good &= mine[SEEDS // 2] >= other[SEEDS // 2] * (1 - 1e-6) and (evaluations < len(costs) // 10 or optimum[0] >= 9)
    print(" ", " ".join(text.split()))
    return good


def main():
    arguments = sys.argv[1:]
    checks = {"front": exact, "genetic": genetic}
    binary = arguments.pop(0) if arguments and arguments[0] not in checks else "target/release/fabricsim"
    with tempfile.TemporaryDirectory() as folder:
        good = [checks[name](binary, pathlib.Path(folder)) for name in arguments or checks]
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
