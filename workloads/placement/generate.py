#!/usr/bin/env python3
"""Writes equal.csv, lognormal.csv and pareto.csv beside this file: 64 hosts below 8 leaves, three flows from each
to hosts below other leaves, of 1 MB in the mean (the median of lognormal.csv). The same files every time.

    python3 workloads/placement/generate.py
"""

import math
import pathlib
import random

HOSTS, PER_LEAF, FLOWS, BYTES = 64, 8, 3, 1_000_000

SIZES = {
    "equal": lambda draw: BYTES,
    "lognormal": lambda draw: round(BYTES * math.exp(draw.gauss(0.0, 1.0))) + 1,
    # Pareto with shape 1.2 has the mean 6 times its least value.
    "pareto": lambda draw: round(BYTES / 6 * draw.paretovariate(1.2)),
}

for name, size in SIZES.items():
    draw = random.Random(1)
    lines = ["src,dst,bytes"]
    for src in range(HOSTS):
        for _ in range(FLOWS):
            leaf = (src // PER_LEAF + draw.randrange(1, HOSTS // PER_LEAF)) % (HOSTS // PER_LEAF)
            dst = leaf * PER_LEAF + draw.randrange(PER_LEAF)
            lines.append(f"{src},{dst},{size(draw)}")
    pathlib.Path(__file__).with_name(f"{name}.csv").write_text("\n".join(lines) + "\n")
