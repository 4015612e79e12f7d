#!/usr/bin/env python3
"""The results of an experiment as a Markdown table, as the pages under docs/ show them.

One row per load balancing; one column per size and per value of what else was swept. Cells are the mean over
seeds with the least and the largest value, where they differ.

Usage: python3 scripts/table.py RESULTS [COLUMN] [--draws KEY]
  RESULTS      a results folder, such as results/paper-v2-ring
  COLUMN       of results.csv; cct_over_bound if not given
  --draws KEY  a swept key whose values are draws, like seeds
"""

import argparse
import csv
import pathlib


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def size(number):
    """In the largest unit that takes a whole number."""
    for unit, name in ((10**6, "MB"), (2**20, "MiB"), (10**3, "KB"), (2**10, "KiB")):
        if number and number % unit == 0:
            return f"{number // unit} {name}"
    return f"{number} B"


def cell(values):
    def short(value):
        return f"{value:.3f}" if value < 1.1 else f"{value:.2f}" if value < 10 else f"{value:.0f}"

    mean, low, high = (short(value) for value in (sum(values) / len(values), min(values), max(values)))
    return mean if low == high else f"{mean} [{low}, {high}]"


def told(key, point):
    """A swept key and its value, in few words."""
    if key != "workload":
        return f"{key.rsplit('.')[-1]} {point[key]}"
    options = [(option.split(".")[1:], value) for option, value in point.items() if option.startswith("workload.") and value]
    if not options:
        return point[key].rsplit("/")[-1].removesuffix(".toml")
    telling = [value for (*_, name), value in options if name not in ("size", "message")]
    return " ".join([options[0][0][0], *telling])


def swept_keys(points):
    """The columns of points.csv without the options inside tables that are swept whole."""
    keys = list(next(iter(points.values())))
    return [key for at, key in enumerate(keys) if not any(key.startswith(f"{outer}.") for outer in keys[:at])]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("column", nargs="?", default="cct_over_bound")
    parser.add_argument("--draws", action="append", default=["seed"], metavar="KEY")
    arguments = parser.parse_args()
    swept = {point["point"]: point for point in read(arguments.results / "points.csv")}
    results = [row for row in read(arguments.results / "results.csv") if row[arguments.column]]
    one_size = len({row["size_bytes"] for row in results}) == 1
    keys = swept_keys(swept)
    apart = {"point", "hash", "load_balancing", *arguments.draws}
    rows, columns = {}, {}
    for result in results:
        point = swept[result["point"]]
        sizes = [] if one_size else [size(int(result["size_bytes"]))]
        others = [
            told(key, point)
            for key in keys
            if key not in apart and not (key.startswith("workload.") and key.endswith((".size", ".message")))
        ]
        column = ", ".join(sizes + others) or arguments.column
        columns[column] = None
        rows.setdefault(result["load_balancing"], {}).setdefault(column, []).append(float(result[arguments.column]))
    print("| load balancing |", " | ".join(columns), "|")
    print("|---" * (len(columns) + 1) + "|")
    for scheme, cells in rows.items():
        print(f"| {scheme} |", " | ".join(cell(cells[c]) if c in cells else "" for c in columns), "|")


if __name__ == "__main__":
    main()
