#!/usr/bin/env python3
"""The oracle of plans over outages: time-expanded networks solved by HiGHS, by nodes and arcs instead of paths.

Draws small leaf-spine fabrics with announced outages, lays out their nodes slot by slot with arcs for links and for
waiting at a source, and finds the least end as a linear program. Prints the cases with their ends in
nanoseconds, as `src/search/over_time/tests.rs` holds them.

Usage: python3 scripts/over_time_check.py      (needs scipy)
"""

import random

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

RATE = 12.5  # bytes per ns: 100 Gb/s
SLOT = 1000  # ns; every change is at the end of a slot


def links(case):
    """(from, to) of all links of a fabric: hosts, leaves, spines."""
    hosts = case["leaves"] * case["hosts_per_leaf"]
    pairs = [(h, ("leaf", h // case["hosts_per_leaf"])) for h in range(hosts)]
    pairs += [(("leaf", leaf), ("spine", s)) for leaf in range(case["leaves"]) for s in range(case["spines"])]
    return [link for a, b in pairs for link in ((a, b), (b, a))]


def rate(case, link, slot):
    """Bytes per ns of a link in a slot."""
    (kind, number), (other, spine) = [end if isinstance(end, tuple) else ("host", end) for end in link]
    if "host" in (kind, other):
        return RATE
    leaf, spine = (number, spine) if kind == "leaf" else (spine, number)
    now = RATE
    for name, gbps, first, last in case["outages"]:
        if name == (leaf, spine) and first <= slot < last:
            now = gbps / 8
    return now


def least_end(case):
    """The least end in ns: slots are whole but the last, whose length is a variable."""
    horizon = max(last for *_, last in case["outages"])
    for last in range(horizon + 1):
        length = solve(case, last)
        if length is not None and (length <= SLOT or last == horizon):
            return last * SLOT + length
    raise AssertionError("no end")


def solve(case, last):
    """The least length of slot `last`, when all before it are whole."""
    demand = case["demand"]
    arcs = links(case)
    slots = range(last + 1)
    sinks = sorted({dst for _, dst, _ in demand})
    # Variables: bytes to a sink on an arc in a slot; bytes that a source sends to a sink in a slot; the length.
    # Ways lead up once and down once: spines pass on to the sink's leaf alone, and leaves to no host but the sink.
    def leads(arc, sink):
        start, end = arc
        if isinstance(start, tuple) and start[0] == "spine":
            return end == ("leaf", sink // case["hosts_per_leaf"])
        return isinstance(end, tuple) or end == sink

    ways = {k: [a for a, arc in enumerate(arcs) if leads(arc, k)] for k in sinks}
    flow = {key: i for i, key in enumerate((k, t, a) for k in sinks for t in slots for a in ways[k])}
    sends = {key: len(flow) + i for i, key in enumerate((d, t) for d in range(len(demand)) for t in slots)}
    length = len(flow) + len(sends)
    eq, eq_right, ub, ub_right = [], [], [], []
    nodes = sorted({end for arc in arcs for end in arc}, key=str)
    for k in sinks:
        for t in slots:
            for node in nodes:
                if node == k:
                    continue
                row = [(flow[k, t, a], 1.0) for a in ways[k] if arcs[a][0] == node]
                row += [(flow[k, t, a], -1.0) for a in ways[k] if arcs[a][1] == node]
                row += [(sends[d, t], -1.0) for d, (src, dst, _) in enumerate(demand) if (src, dst) == (node, k)]
                eq.append(row)
                eq_right.append(0.0)
    for d, (_, _, amount) in enumerate(demand):
        eq.append([(sends[d, t], 1.0) for t in slots])
        eq_right.append(amount)
    for t in slots:
        for a, arc in enumerate(arcs):
            row = [(flow[k, t, a], 1.0) for k in sinks if a in ways[k]]
            capacity = rate(case, arc, t)
            ub.append(row + ([(length, -capacity)] if t == last else []))
            ub_right.append(0.0 if t == last else capacity * SLOT)

    def matrix(rows):
        entries = [(r, c, v) for r, row in enumerate(rows) for c, v in row]
        r, c, v = zip(*entries)
        return coo_matrix((v, (r, c)), shape=(len(rows), length + 1)).tocsr()

    costs = np.zeros(length + 1)
    costs[length] = 1.0
    found = linprog(costs, matrix(ub), ub_right, matrix(eq), eq_right, method="highs")
    return found.x[length] if found.status == 0 else None


def draw(seed):
    stream = random.Random(seed)
    case = {"leaves": 2 + seed % 2, "spines": 2, "hosts_per_leaf": 3}
    hosts = case["leaves"] * case["hosts_per_leaf"]
    pairs = [(a, b) for a in range(hosts) for b in range(hosts) if a // 3 != b // 3]
    demand = [(a, b, stream.randrange(1, 40) * 1000) for a, b in stream.sample(pairs, 9)]
    outages = []
    for leaf in stream.choices(range(case["leaves"]), k=3):
        first = stream.randrange(0, 3)
        gbps = stream.choice([0, 25, 50])
        outages.append(((leaf, stream.randrange(2)), gbps, first, first + stream.randrange(1, 4)))
    return case | {"demand": demand, "outages": outages}


def main():
    for seed in range(1, 13):
        case = draw(seed)
        spells = [(leaf, spine, gbps, first, last) for (leaf, spine), gbps, first, last in case["outages"]]
        print(f"({case['leaves']}, &{case['demand']}, &{spells}, {least_end(case):.6f}),")


if __name__ == "__main__":
    main()
