#!/usr/bin/env python3
"""Measures the tables of docs/reproduction.md again and writes them into the page.

Usage: python3 scripts/reproduction.py list            the runs, cheapest needs first
       python3 scripts/reproduction.py run [NAME...]   run them (all if none is named) below results/reproduction/
       python3 scripts/reproduction.py write           write the tables whose runs are complete into the page

A table of the page stands below a comment `<!-- table NAME -->`. A cell is the mean over the seeds of the run with
the least and the largest value, where they differ. `FABRICSIM` names another binary than target/release/fabricsim.
"""

import csv
import functools
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results/reproduction"
PAGE = ROOT / "docs/reproduction.md"
FABRICSIM = os.environ.get("FABRICSIM", ROOT / "target/release/fabricsim")

TEN = "sweep.seed=[1,2,3,4,5,6,7,8,9,10]"
ECMP = {"ecmp": "ecmp(hash=transfer)"}
EIGHT = {"ecmp-split, 8 ways": "ecmp-split(hash=transfer ways=8)"}
SPLIT = {
    "ecmp-split, 2 ways": "ecmp-split(hash=transfer)",
    "ecmp-split, 4 ways": "ecmp-split(hash=transfer ways=4)",
    **EIGHT,
}
REPS = {"REPS as the authors run it": "reps(variant=artifact)", "REPS as published": "reps"}
SPRAY = {"random spray at the host": "spray"}
OURS = {name: name for name in ("ethereal", "cut-line")}
CENTRAL = {name: name for name in ("edge-coloring", "optimal-transport")}
TRANSPORT = {"optimal-transport": "optimal-transport"}
LEAF_SPINE = {**ECMP, **SPLIT, **REPS, **SPRAY, **OURS, **CENTRAL}
FAT_TREE = {**ECMP, **EIGHT, **REPS, **SPRAY, **OURS, **TRANSPORT}
V1 = {
    **ECMP,
    "switch round-robin spray": "spray(choose=round-robin)",
    **REPS,
    "least-bytes (the rule v1 runs)": "least-bytes",
    "ethereal (the theorem's rule)": "ethereal",
    "cut-line": "cut-line",
    **CENTRAL,
}


def all_reduce(size, algorithm, order=None):
    """A workload as an inline table."""
    ordered = f', order="{order}"' if order else ""
    return f'{{all-reduce={{size="{size}",algorithm="{algorithm}"{ordered}}}}}'


def schemes(*names):
    """A sweep of load balancings as `--set` takes it."""
    tables = {
        "ecmp": '{ecmp={hash="transfer"}}',
        "artifact": '{reps={variant="artifact"}}',
        **{f"split{n}": f'{{ecmp-split={{ways={n},hash="transfer"}}}}' for n in (2, 4, 8)},
    }
    return "sweep.load_balancing=[" + ",".join(tables.get(name, f'"{name}"') for name in names) + "]"


ALGORITHMS = [
    ("direct", None),
    ("halving-doubling", "near-first"),
    ("halving-doubling", "far-first"),
    ("ring", None),
    ("double-binary-tree", None),
]


def each_algorithm(size):
    return "sweep.workload=[" + ",".join(all_reduce(size, *a) for a in ALGORITHMS) + "]"


# Name of a run: file below experiments/paper, what is set.
RUNS = {
    "v1-leaf-ring": ("v1-leaf-ring",),
    "v2-halving-doubling": ("v2-halving-doubling",),
    "v2-ring": ("v2-ring",),
    "v2-double-binary-tree": ("v2-double-binary-tree",),
    "v2-direct": ("v2-direct",),
    "v2-failure": ("v2-failure",),
    "v2-fat-tree": ("v2-fat-tree",),
    "v2-fat-tree-1-mib": ("v2-fat-tree", each_algorithm("1MiB")),
    "v2-fat-tree-16-mb": ("v2-fat-tree", each_algorithm("16MB")),
    "v2-fat-tree-seeds": ("v2-fat-tree-seeds",),
    "v2-fat-tree-large": ("v2-fat-tree-large",),
    "v1-all-to-all": ("v1-all-to-all",),
    "v2-64-mb": ("v2-halving-doubling", 'sweep."workload.all-reduce.size"=["64MB"]', "sweep.seed=[1]"),
    "v2-large": ("v2-large",),
    "v1-leaf-ring-jitter": ("v1-leaf-ring-jitter",),
    "v1-all-to-all-jitter": ("v1-all-to-all-jitter",),
    "v2-direct-seeds": ("v2-direct-seeds",),
    "v2-largest": ("v2-largest",),
    "v2-fat-tree-ideal": (
        "v2-fat-tree-large",
        'sweep."workload.all-reduce.size"=["16MB","64MB"]',
        schemes("spray"),
        "sweep.transport=[{ideal={window=2}}]",
    ),
    "v1-all-to-all-256-kb": ("v1-all-to-all", 'sweep."workload.all-to-all.message"=["256KB"]'),
    "v2-largest-far-more": ("v2-largest", schemes("artifact", "split8", "cut-line", "optimal-transport")),
    "v2-fat-tree-large-seeds": ("v2-fat-tree-large", "sweep.seed=[2,3,4]"),
    "v2-fat-tree-64-mb": ("v2-fat-tree", each_algorithm("64MB").replace(all_reduce("64MB", *ALGORITHMS[2]) + ",", "")),
    "v2-largest-others": ("v2-largest-others", schemes("ecmp", "artifact", "reps", "spray", "ethereal", "optimal-transport")),
    "v2-fat-tree-256-mb": (
        "v2-fat-tree-large",
        'sweep."workload.all-reduce.size"=["256MB"]',
        schemes("ecmp", "artifact", "reps", "spray", "ethereal", "optimal-transport"),
    ),
    "v1-all-to-all-1-mb": ("v1-all-to-all-large",),
    "v2-largest-near": (
        "v2-largest",
        "workload.all-reduce.order=near-first",
        schemes("ecmp", "artifact", "reps", "spray", "ethereal", "optimal-transport"),
    ),
}


def command(name):
    file, *sets = RUNS[name]
    words = [str(FABRICSIM), "run", str(ROOT / f"experiments/paper/{file}.toml"), "--out", str(RESULTS / name), "--quiet"]
    for one in sets:
        words += ["--set", one]
    return words


def run(names):
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in names or RUNS:
        print(name, flush=True)
        subprocess.run([*command(name), "--jobs", os.environ.get("JOBS", "1")], check=True)


@functools.cache
def rows(name):
    """The rows of a run and of those that add to it, each with what the sweep set."""
    found = []
    for folder in (RESULTS / part for part in [name, *MORE.get(name, [])]):
        swept = {point["point"]: point for point in read(folder / "points.csv")}
        for row in read(folder / "results.csv"):
            point = swept[row["point"]]
            found.append({**point, **row, "swept_workload": point.get("workload", "")})
    return found


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def number(value):
    text = f"{value:.3f}" if value < 1.1 else f"{value:.2f}" if value < 10 else f"{value:,.0f}"
    return text.replace(",", " ")


def cell(values):
    if not values:
        return ""
    mean, low, high = (number(value) for value in (sum(values) / len(values), min(values), max(values)))
    return mean if low == high else f"{mean} [{low}, {high}]"


class Column:
    """A heading, the run, which of its rows, and a column of results.csv.

    `where` compares what the sweep set (or a column of results.csv) with a value; for a swept workload, `contains` are
    the values that its text must have.
    """

    def __init__(self, heading, name, column="cct_over_bound", contains=(), **where):
        self.heading, self.name, self.column, self.contains, self.where = heading, name, column, contains, where

    def cell(self, scheme):
        found = [row for row in rows(self.name) if row["load_balancing"] == scheme and self.fits(row)]
        if self.column == "subflows":
            counts = {int(row[self.column]) for row in found}
            return f"{max(counts):,}".replace(",", " ") if counts else ""
        return cell([float(row[self.column]) for row in found])

    def fits(self, row):
        same = all(row[key] == str(value) for key, value in self.where.items())
        return same and all(re.search(rf"\b{value}\b", row["swept_workload"]) for value in self.contains)


NEAR = "halving-doubling, near first"


def algorithm_columns(name, *headings):
    """A column for each algorithm of a swept workload, or for those headings."""
    known = dict(zip(["direct", NEAR, "far first", "ring", "double binary tree"], ALGORITHMS))
    return [
        Column(heading, name, contains=[word for word in known[heading] if word]) for heading in headings or known
    ]


SIZES = {"1 MiB": 2**20, "4 MB": 4 * 10**6, "16 MB": 16 * 10**6}


def by_size(run, **where):
    return [Column(label, run, size_bytes=size, **where) for label, size in SIZES.items()]


V1_SIZES = {"8 KB": 8000, "64 KB": 64000, "256 KB": 256000, "1 MB": 10**6}
TABLES = {
    "v1-leaf-ring": (V1, [
        *(Column(label, "v1-leaf-ring", size_bytes=size) for label, size in V1_SIZES.items()),
        Column("sub-flows", "v1-leaf-ring", "subflows"),
    ]),
    "v1-all-to-all": (V1, [
        Column("8 KB to each peer", "v1-all-to-all", size_bytes=8000),
        Column("64 KB", "v1-all-to-all", size_bytes=64000),
        Column("256 KB", "v1-all-to-all-256-kb"),
        Column("1 MB", "v1-all-to-all-1-mb"),
    ]),
    "v2-near-first": (LEAF_SPINE, by_size("v2-halving-doubling", **{"workload.all-reduce.order": "near-first"})),
    "v2-far-first": (LEAF_SPINE, by_size("v2-halving-doubling", **{"workload.all-reduce.order": "far-first"})),
    "v2-ring": (LEAF_SPINE, by_size("v2-ring")),
    "v2-double-binary-tree": (LEAF_SPINE, by_size("v2-double-binary-tree")),
    "v2-direct": (LEAF_SPINE, [*by_size("v2-direct"), Column("4 MB, ten seeds", "v2-direct-seeds"),
                               Column("sub-flows", "v2-direct", "subflows")]),
    "v2-failure": ({**OURS, **REPS, **SPRAY, **EIGHT, **ECMP}, [
        Column("completion time in us", "v2-failure", "cct_us"),
    ]),
    "v2-fat-tree-4-mb": (FAT_TREE, [
        *algorithm_columns("v2-fat-tree"),
        Column("far first, ten seeds", "v2-fat-tree-seeds"),
        Column("sub-flows, far first", "v2-fat-tree-seeds", "subflows"),
    ]),
    "v2-fat-tree-1-mib": (FAT_TREE, algorithm_columns("v2-fat-tree-1-mib")),
    "v2-fat-tree-16-mb": (FAT_TREE, algorithm_columns("v2-fat-tree-16-mb")),
    "v2-fat-tree-64-mb": (FAT_TREE, [
        Column("far first", "v2-fat-tree-large"),
        Column("far first, three more seeds", "v2-fat-tree-large-seeds"),
        *algorithm_columns("v2-fat-tree-64-mb", "direct", NEAR, "ring", "double binary tree"),
    ]),
    "v2-fat-tree-256-mb": (FAT_TREE, [Column("far first", "v2-fat-tree-256-mb")]),
    "v2-64-mb": (LEAF_SPINE, [
        Column(NEAR, "v2-64-mb", **{"workload.all-reduce.order": "near-first"}),
        Column("far first", "v2-64-mb", **{"workload.all-reduce.order": "far-first"}),
        *algorithm_columns("v2-large", "double binary tree", "ring", "direct"),
    ]),
    "v2-256-mb": (LEAF_SPINE, [
        Column(NEAR, "v2-largest-near"),
        Column("far first", "v2-largest"),
        *algorithm_columns("v2-largest-others", "double binary tree", "ring", "direct"),
    ]),
}
# Runs whose rows add to those of another.
MORE = {"v2-largest": ["v2-largest-far-more"]}


def complete(columns):
    names = [part for column in columns for part in [column.name, *MORE.get(column.name, [])]]
    return all((RESULTS / name / "results.csv").exists() for name in names)


def table(schemes_of, columns):
    lines = ["| load balancing | " + " | ".join(column.heading for column in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for label, scheme in schemes_of.items():
        cells = [column.cell(scheme) for column in columns]
        if any(cells):
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return lines


def write():
    lines, out = PAGE.read_text().split("\n"), []
    position = 0
    while position < len(lines):
        out.append(lines[position])
        mark = lines[position].strip()
        position += 1
        if not (mark.startswith("<!-- table ") and mark.endswith(" -->")):
            continue
        name = mark.removeprefix("<!-- table ").removesuffix(" -->")
        if not complete(TABLES[name][1]):
            print(f"{name}: not measured", file=sys.stderr)
            continue
        while position < len(lines) and (lines[position].startswith("|") or not lines[position].strip()):
            position += 1
        out += ["", *table(*TABLES[name]), ""]
    PAGE.write_text("\n".join(out))


def main():
    what, *names = sys.argv[1:] or ["list"]
    if what == "list":
        for name in RUNS:
            print(" ".join(command(name)))
    elif what == "run":
        run(names)
    elif what == "write":
        write()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
