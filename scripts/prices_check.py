#!/usr/bin/env python3
"""The oracle of `fabricsim bound --prices`: finite differences, HiGHS, and every repair solved again.

Fabrics with links of any rates and traffic between any hosts are drawn here. The least congestion of each is solved as a
linear program over arcs of the shortest ways, by HiGHS, which knows nothing of fabricsim; what a link is worth is
compared with what the command says of the same fabric with a slightly changed rate.

    pip install numpy scipy
    python3 scripts/prices_check.py [BINARY] [differences|repairs ...]

By default the binary is target/release/fabricsim, and all is checked. Exit code 1 where a goal is missed.
"""

import random

from oracle import Graph, main, need

numpy = need("numpy")
optimize = need("scipy", "scipy.optimize")
sparse = need("scipy", "scipy.sparse")

GBPS = 10**9
STEP = 10**7  # b/s by which rates are changed
GOAL = 1e-6


def draw(stream):
    """Two tiers with cables of any rates, and bytes between some hosts."""
    graph = Graph()
    low = [graph.switch(f"leaf{leaf}") for leaf in range(stream.randrange(2, 5))]
    high = [graph.switch(f"spine{spine}") for spine in range(stream.randrange(2, 4))]
    for leaf in low:
        for spine in high:
            graph.cable(leaf, spine, stream.randrange(40 * GBPS, 100 * GBPS, 8))
        for _ in range(4):
            graph.host(leaf, stream.randrange(100 * GBPS, 200 * GBPS, 8))
    hosts = range(len(graph.hosts))
    # Much, so that a microsecond's six decimals are twelve digits.
    flows = [(*stream.sample(hosts, 2), stream.randrange(10**9, 9 * 10**9)) for _ in range(stream.randrange(8, 30))]
    return graph, flows


def least_us(graph, rates, flows):
    """The least time of the most loaded link: bytes to each switch flow over arcs that lead closer to it."""
    at = [switch for switch, _ in graph.hosts]
    own = {}
    for src, dst, size in flows:
        own[src, "out"] = own.get((src, "out"), 0) + size
        own[dst, "in"] = own.get((dst, "in"), 0) + size
    least = max(size * 8e6 / graph.hosts[host][1] for (host, _), size in own.items())
    arcs = [arc for a, b, *_ in graph.cables for arc in ((a, b), (b, a))]
    speed = [rate for rate in rates for _ in range(2)]
    alive = Graph()
    alive.switches = graph.switches
    alive.cables = [cable for cable, rate in zip(graph.cables, rates) if rate > 0]
    demand = {}
    for src, dst, size in flows:
        if at[src] != at[dst]:
            key = at[dst], at[src]
            demand[key] = demand.get(key, 0) + size
    variables, rows, right = [], [], []
    for sink in sorted({sink for sink, _ in demand}):
        hops = alive.ways_from(sink)[0]
        mine = [
            (len(variables) + k, arc)
            for k, arc in enumerate(
                index
                for index, (a, b) in enumerate(arcs)
                if speed[index] > 0 and a in hops and hops[a] == hops[b] + 1
            )
        ]
        variables += [arc for _, arc in mine]
        for node in graph.switches:
            if node != sink and node in hops:
                row = [(v, 1.0) for v, arc in mine if arcs[arc][0] == node]
                rows.append(row + [(v, -1.0) for v, arc in mine if arcs[arc][1] == node])
                right.append(demand.get((sink, node), 0) / 1e9)
    if not variables:
        return least
    last = len(variables)
    loads = [([(v, 8e3 * 1e6 * 1e3 / speed[arc]) for v, arc in enumerate(variables) if arc == index] + [(last, -1.0)])
             for index, arc in enumerate(arcs)]

    def matrix(table):
        entries = [(r, c, value) for r, row in enumerate(table) for c, value in row]
        r, c, value = zip(*entries)
        return sparse.coo_matrix((value, (r, c)), shape=(len(table), last + 1)).tocsr()

    costs = numpy.zeros(last + 1)
    costs[last] = 1.0
    found = optimize.linprog(costs, matrix(loads), numpy.zeros(len(loads)), matrix(rows), right, method="highs")
    assert found.status == 0, found.message
    return max(least, found.x[last] * 1e3)


def ask(command, graph, flows, faults=()):
    """The optimum, what links are worth, and the repairs."""
    command.flows("flows.csv", flows)
    listed = "".join(f"  {{ link = \"{name}\", {what} }},\n" for name, what in faults)
    command.write(
        "exp.toml",
        f'load_balancing = "spray"\nfaults = [\n{listed}]\n{graph.toml()}[workload.flows]\nfile = "flows.csv"\n',
    )
    rows = command.prices()
    worth = {row["name"]: row["us_per_gbps"] for row in rows if row["what"] == "link"}
    repairs = [(row["name"], row["repaired_us"], row["saved_us"]) for row in rows if row["what"] == "repair"]
    return rows[0]["optimum_us"], worth, repairs


def differences(command, report):
    """Prices against the change of the optimum, link by link."""
    compared, positive, ties, wrong, worst, worst_optimum = 0, 0, 0, 0, 0.0, 0.0
    for case in range(20):
        stream = random.Random(f"prices {case}")
        graph, flows = draw(stream)
        rates = [rate for *_, rate, _ in graph.cables]
        optimum, worth, _ = ask(command, graph, flows)
        worst_optimum = max(worst_optimum, abs(optimum / least_us(graph, rates, flows) - 1))
        most = max(worth.values())
        for side, name in directions(graph):
            left, right = [changed(command, graph, flows, side, name, by) for by in (-STEP, STEP)]
            left, right = (left - optimum) / (STEP / GBPS), (optimum - right) / (STEP / GBPS)
            # At a tie the two sides differ, and any price between them is one.
            if abs(left - right) > 1e-2 * max(abs(left), 1e-3 * most):
                ties += 1
                continue
            price, central = worth.get(name[0], 0.0), (left + right) / 2
            error = abs(price - central) / most
            compared += 1
            positive += price > 0
            wrong += error > GOAL
            worst = max(worst, error)
            if error > GOAL:
                print(f"        case {case}, {name[0]}: {price} and {central} of at most {most}")
    report.goal(worst_optimum <= GOAL, f"optima of 20 fabrics are those of HiGHS within {worst_optimum:.1e}")
    report.goal(
        wrong == 0 and positive > 20,
        f"prices of {compared} links ({positive} positive, {ties} at ties left out) equal differences within {worst:.1e}",
    )


def directions(graph):
    """(list of the graph, place in it), (name, name of the other direction) of all links."""
    for index, (a, b, *_) in enumerate(graph.cables):
        yield ("cables", index), (f"{a}->{b}", f"{b}->{a}")
        yield ("cables", index), (f"{b}->{a}", f"{a}->{b}")
    for index, (at, _) in enumerate(graph.hosts):
        yield ("hosts", index), (f"h{index}->{at}", f"{at}->h{index}")
        yield ("hosts", index), (f"{at}->h{index}", f"h{index}->{at}")


def changed(command, graph, flows, side, names, by):
    """The optimum where one direction of a link has another rate. Faults make links slower only, so that the cable is built
    faster and the other direction is as slow as before."""
    (kind, index), (name, other) = side, names
    cable = getattr(graph, kind)[index]
    place = {"cables": 2, "hosts": 1}[kind]
    built = Graph()
    built.switches, built.cables, built.hosts = graph.switches, list(graph.cables), list(graph.hosts)
    getattr(built, kind)[index] = (*cable[:place], cable[place] + STEP, *cable[place + 1 :])
    faults = [(other, f'rate = "{cable[place]}bps"')]
    if by < 0:
        faults.append((name, f'rate = "{cable[place] + by}bps"'))
    return ask(command, built, flows, faults)[0]


def repairs(command, report):
    """The first repair against all of them, solved one by one by HiGHS, and by the command on the repaired fabric."""
    best, alone, same, told, unequal = 0, 0, 0, 0, 0
    for case in range(100):
        stream = random.Random(f"repairs {case}")
        graph, flows = draw(stream)
        rates = [rate for *_, rate, _ in graph.cables]
        broken = {}
        # One cable of every leaf stays as it is, so that there is a path.
        spines = len({b for _, b, *_ in graph.cables})
        for index in range(len(graph.cables)):
            if index % spines and stream.random() < 0.5:
                broken[index] = stream.choice([0, rates[index] // 4, rates[index] // 2])
        if not broken:
            broken[1] = 0
        fault = lambda index: (
            "-".join(graph.cables[index][:2]),
            f'rate = "{broken[index]}bps"' if broken[index] else "down = true",
        )
        optimum, _, found = ask(command, graph, flows, [fault(index) for index in broken])
        after = {}
        for index in broken:
            left = {**{k: rate for k, rate in enumerate(rates)}, **broken, index: rates[index]}
            name = fault(index)[0]
            after[name] = least_us(graph, list(left.values()), flows)
            again = ask(command, graph, flows, [fault(other) for other in broken if other != index])[0]
            unequal += abs(again / after[name] - 1) > GOAL
        first = found[0][0]
        best += after[first] <= min(after.values()) * (1 + GOAL)
        alone += sorted(after.values())[0] < sorted([*after.values(), optimum])[1] * (1 - GOAL)
        same += {name for name, *_ in found} == set(after)
        told += all(abs(repaired / after[name] - 1) <= GOAL for name, repaired, _ in found)
    report.goal(
        best == 100,
        f"the first repair is the best of all in {best} of 100 fabrics; in {alone} it alone saves as much",
    )
    report.goal(same == 100 and told == 100, f"  all repairs are listed in {same}, with HiGHS's optima in {told}")
    report.goal(unequal == 0, f"  {unequal} optima of repaired fabrics differ between HiGHS and the command")


if __name__ == "__main__":
    main({"differences": differences, "repairs": repairs})
