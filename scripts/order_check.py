#!/usr/bin/env python3
"""The oracle of `fabricsim order`: all maps there are, scipy's quadratic assignment, and the routing of OR-tools.

Fabrics are drawn here and written as graphs; what a map puts on links is added up here from the ways in the graph, without
fabricsim. A map is judged as the command does: by the largest load of a link in a step, then the second largest (of
links that do not always share load), then propagation; or by bytes times links crossed.

    pip install numpy scipy ortools
    python3 scripts/order_check.py [BINARY] [rings|maps|tours|scattered ...]

By default the binary is target/release/fabricsim, and all is checked. Exit code 1 where a goal is missed.
"""

import itertools
import random

from oracle import Graph, main, need

numpy = need("numpy")

GBPS = 10**9
ROUNDING = 1e-9


def two_tiers(stream, leaves, spines, hosts):
    """Leaves and spines with cables of any rates, some of them missing."""
    graph = Graph()
    low = [graph.switch(f"leaf{leaf}") for leaf in range(leaves)]
    high = [graph.switch(f"spine{spine}") for spine in range(spines)]
    for leaf in low:
        for spine in high:
            # All leaves reach the first spine.
            if spine == high[0] or stream.random() < 0.8:
                rate = stream.choice([50, 100, 200, 400]) * GBPS
                graph.cable(leaf, spine, rate, stream.choice([300, 500, 700]))
    # Cables of hosts count where they differ.
    rates = stream.choice([[400], [400], [400], [100, 400]])
    for leaf in low:
        for _ in range(hosts):
            graph.host(leaf, stream.choice(rates) * GBPS)
    return graph


def any_graph(stream, switches, hosts):
    """Switches joined at random."""
    graph = Graph()
    names = [graph.switch(f"s{number}") for number in range(switches)]
    pairs = {(stream.randrange(number), number) for number in range(1, switches)}
    while len(pairs) < min(2 * switches, switches * (switches - 1) // 2):
        pairs.add(tuple(sorted(stream.sample(range(switches), 2))))
    for a, b in sorted(pairs):
        graph.cable(names[a], names[b], stream.choice([100, 200, 400]) * GBPS, stream.choice([300, 500, 700]))
    for name in names:
        for _ in range(hosts):
            graph.host(name, 400 * GBPS)
    return graph


class Judge:
    """What maps of ranks on some hosts come to: `steps` are lists of (rank, rank, bytes)."""

    def __init__(self, graph, hosts, steps):
        self.n, self.steps = len(hosts), steps
        at = [graph.hosts[host][0] for host in hosts]
        arcs = graph.arcs()
        shares = {(a, b): graph.shares(a, b) for a in set(at) for b in set(at)}
        ends = [(a, b) for a in at for b in at]
        self.hops = numpy.array([float(sum(shares[pair].values())) for pair in ends])
        self.delay = numpy.array([1e3 * sum(s * arcs[arc][3] for arc, s in shares[pair].items()) for pair in ends])
        share = numpy.zeros((len(arcs), len(ends)))
        for column, pair in enumerate(ends):
            for arc, part in shares[pair].items():
                share[arc, column] = part
        self.cells = numpy.array(self.bundles(share, arcs) + self.cables(graph, hosts) or [[0.0] * len(ends)])

    @staticmethod
    def bundles(share, arcs):
        """Microseconds per byte by pair of places: of links that always share load, those of the slowest."""
        found = {}
        for row, (_, _, rate, _) in zip(share, arcs):
            if row.any():
                key = tuple(numpy.round(row / row.sum(), 9))
                times = row * 8e6 / rate
                if key not in found or times.sum() > found[key].sum():
                    found[key] = times
        return list(found.values())

    @staticmethod
    def cables(graph, hosts):
        """The same of the cables of hosts, where they differ."""
        rates = [graph.hosts[host][1] for host in hosts]
        if len(set(rates)) == 1:
            return []
        n, rows = len(hosts), []
        for place, rate in enumerate(rates):
            out, into = numpy.zeros((n, n)), numpy.zeros((n, n))
            out[place, :], into[:, place] = 8e6 / rate, 8e6 / rate
            rows += [out.ravel(), into.ravel()]
        return rows

    def congestion(self, maps):
        """The two largest loads and the propagation of many maps, a row each."""
        maps = numpy.atleast_2d(maps)
        largest, delay = numpy.zeros((len(maps), 2)), numpy.zeros(len(maps))
        for step in self.steps:
            loads = numpy.zeros((len(maps), len(self.cells)))
            for src, dst, size in step:
                pair = maps[:, src] * self.n + maps[:, dst]
                loads += size * self.cells.T[pair]
                delay += self.delay[pair]
            both = numpy.hstack([largest, loads])
            largest = numpy.sort(numpy.partition(both, -2, axis=1)[:, -2:], axis=1)[:, ::-1]
        return numpy.column_stack([largest, delay])

    def bytes(self, maps):
        """Bytes times links crossed, and the propagation."""
        maps = numpy.atleast_2d(maps)
        crossing, delay = numpy.zeros(len(maps)), numpy.zeros(len(maps))
        for src, dst, size in itertools.chain(*self.steps):
            pair = maps[:, src] * self.n + maps[:, dst]
            crossing += size * self.hops[pair]
            delay += self.delay[pair]
        return numpy.column_stack([crossing, delay])

    def score(self, objective, maps):
        return getattr(self, objective)(maps)

    def best(self, objective, ring):
        """The least of all maps; a ring may begin anywhere."""
        orders = itertools.permutations(range(1, self.n)) if ring else itertools.permutations(range(self.n))
        maps = ((0, *order) for order in orders) if ring else orders
        best = None
        while block := list(itertools.islice(maps, 40_000)):
            scores = self.score(objective, numpy.array(block))
            scores = scores if best is None else numpy.vstack([scores, best])
            for column in range(scores.shape[1]):
                least = scores[:, column].min()
                scores = scores[scores[:, column] <= least + ROUNDING * abs(least)]
            best = scores[0]
        return best


def compared(mine, theirs):
    """-1 where the first is better, 1 where it is worse, 0 where rounding tells them apart."""
    for a, b in zip(mine, theirs):
        if abs(a - b) > ROUNDING * max(abs(a), abs(b)):
            return -1 if a < b else 1
    return 0


def ask(command, graph, hosts, workload, objective):
    """The places that the command gives the ranks."""
    head, tail = workload
    text = f'load_balancing = "spray"\n{graph.toml()}{head}\nrank_map = {list(hosts)}\nranks = {len(hosts)}\n{tail}'
    command.write("exp.toml", text)
    found = command.order("--objective", objective)
    assert sorted(found["hosts"]) == sorted(hosts), "other hosts"
    place = {host: index for index, host in enumerate(hosts)}
    return numpy.array([place[host] for host in found["hosts"]]), found


def confirm(judge, objective, places, found):
    """What the command says of its map is what is added up here."""
    worst, crossing = judge.congestion(places)[0][0], judge.bytes(places)[0][0]
    return abs(found["worst_link_us"] - worst) <= 1e-6 + ROUNDING * worst and abs(
        found["crossing_bytes"] - crossing
    ) <= 1e-6 + ROUNDING * crossing and (objective == found["objective"])


def small_fabric(stream):
    if stream.random() < 0.7:
        return two_tiers(stream, stream.randrange(2, 5), stream.randrange(1, 4), stream.randrange(3, 5))
    return any_graph(stream, stream.randrange(3, 7), stream.randrange(2, 4))


def rings(command, report):
    """Rings of up to nine ranks against all orders."""
    equal, told = 0, 0
    for case in range(50):
        stream = random.Random(f"ring {case}")
        graph = small_fabric(stream)
        n = min(6 + case % 4, len(graph.hosts))
        hosts = stream.sample(range(len(graph.hosts)), n)
        size = 1_000_000 * n
        # In each step a rank sends a part to the next one.
        judge = Judge(graph, hosts, [[(rank, (rank + 1) % n, size // n) for rank in range(n)]])
        workload = f'[workload.all-reduce]\nsize = {size}\nalgorithm = "ring"', ""
        places, found = ask(command, graph, hosts, workload, "congestion")
        equal += compared(judge.congestion(places)[0], judge.best("congestion", True)) == 0
        told += found["optimal"] and confirm(judge, "congestion", places, found)
    report.goal(equal == 50, f"rings of 6 to 9 ranks: {equal} of 50 are the best of all orders")
    report.goal(told == 50, f"  of {told} of 50 the loads are those that are added up here")


def traffic(stream, kind, n):
    """Steps of flows between ranks, and the workload that has them."""
    if kind == "halving" and n == 8:
        size = 8_000_000
        steps = [[(a, a ^ far, size // 2 // (1 << k)) for a in range(n)] for k, far in enumerate([1, 2, 4])]
        return steps, (f'[workload.reduce-scatter]\nsize = {size}\nalgorithm = "halving-doubling"', "")
    flows = []
    if kind == "groups":
        # Groups that exchange much, and rings across them that exchange little.
        of = 4
        for a in range(n):
            flows += [(a, a // of * of + b, 10_000_000) for b in range(of) if a // of * of + b not in (a, *range(n, n + of))]
            flows += [(a, (a + of) % n, stream.choice([500_000, 1_000_000]))]
    else:
        share = min(1 / 3, 4 / n)
        flows = [
            (a, b, stream.randrange(1, 50) * 100_000)
            for a in range(n)
            for b in range(n)
            if a != b and stream.random() < share
        ]
    # Ranks do not tell which is which.
    names = stream.sample(range(n), n)
    flows = sorted((names[a], names[b], size) for a, b, size in flows)
    return [flows], flows


def quadratic_assignment(judge, seed):
    """The best of FAQ, then 2-opt, from the middle and from three random beginnings."""
    optimize = need("scipy", "scipy.optimize")
    sent = numpy.zeros((judge.n, judge.n))
    for src, dst, size in itertools.chain(*judge.steps):
        sent[src, dst] += size
    far = judge.hops.reshape(judge.n, judge.n)
    found = []
    for start in range(4):
        options = {"rng": numpy.random.default_rng([seed, start])}
        faq = optimize.quadratic_assignment(
            sent, far, options={**options, "P0": "randomized" if start else "barycenter"}
        )
        guess = numpy.column_stack([numpy.arange(judge.n), faq.col_ind])
        better = optimize.quadratic_assignment(
            sent, far, method="2opt", options={**options, "partial_guess": guess}
        )
        found += [faq.col_ind, better.col_ind]
    return found


def swapped(judge, places, evaluations=12_000):
    """Any two ranks change places while that lowers the congestion."""
    places, now = places.copy(), judge.congestion(places)[0]
    improved = True
    while improved and evaluations > 0:
        improved = False
        for rank in range(judge.n):
            maps = numpy.tile(places, (judge.n, 1))
            for other in range(judge.n):
                maps[other, [rank, other]] = maps[other, [other, rank]]
            evaluations -= judge.n
            for candidate, score in zip(maps, judge.congestion(maps)):
                if compared(score, now) < 0:
                    places, now, improved = candidate, score, True
    return now


def maps(command, report):
    """Maps of any traffic: of up to nine ranks against all maps, of more against scipy."""
    for objective in ("congestion", "bytes"):
        equal, told, few = 0, 0, 0
        no_worse, better, many = 0, 0, 0
        for case in range(50):
            stream = random.Random(f"map {objective} {case}")
            small = case % 2 == 0
            if small:
                graph, n = small_fabric(stream), 6 + case // 2 % 4
            else:
                n = [16, 24, 32, 48, 64][case // 2 % 5]
                graph = two_tiers(stream, 8, 3, n // 4) if case % 4 == 1 else any_graph(stream, n // 3, 5)
            n = min(n, len(graph.hosts))
            hosts = stream.sample(range(len(graph.hosts)), n)
            kind = ["any", "halving", "groups"][case // 2 % 3]
            steps, workload = traffic(stream, kind, n)
            if isinstance(workload, list):
                command.flows("flows.csv", workload)
                workload = '[workload.flows]\nfile = "flows.csv"', ""
            judge = Judge(graph, hosts, steps)
            places, found = ask(command, graph, hosts, workload, objective)
            score = judge.score(objective, places)[0]
            told += confirm(judge, objective, places, found)
            if small:
                few += 1
                equal += found["optimal"] and compared(score, judge.best(objective, False)) == 0
                continue
            many += 1
            found_maps = quadratic_assignment(judge, case)
            others = [judge.score(objective, other)[0] for other in found_maps]
            if objective == "congestion":
                start = min(range(len(others)), key=lambda index: tuple(others[index]))
                others.append(swapped(judge, found_maps[start]))
            signs = [compared(score, other) for other in others]
            no_worse += max(signs) <= 0
            better += max(signs) < 0
            if max(signs) > 0:
                print(f"        {objective} {case}, {n} ranks, {kind}: {score} and {min(map(tuple, others))}")
        report.goal(equal == few, f"maps by {objective}, 6 to 9 ranks: {equal} of {few} are the best of all maps")
        than = "FAQ and 2-opt" if objective == "bytes" else "FAQ, 2-opt and swaps by congestion"
        report.goal(
            no_worse == many, f"maps by {objective}, 16 to 64 ranks: {no_worse} of {many} no worse than {than}, {better} better"
        )
        report.goal(told == 50, f"  of {told} of 50 the loads are those that are added up here")


def mesh(stream, side, hosts):
    """A grid of switches, some of whose cables are missing, and hosts on some of them."""
    graph = Graph()
    at = {(x, y): graph.switch(f"s{x}-{y}") for x in range(side) for y in range(side)}
    for x, y in at:
        for other in ((x + 1, y), (x, y + 1)):
            if other in at and (stream.random() < 0.9 or 0 in (x, y)):
                graph.cable(at[x, y], at[other], 100 * GBPS)
    reached = set(graph.ways_from(at[0, 0])[0])
    for switch in stream.sample(sorted(reached), hosts):
        graph.host(switch, 100 * GBPS)
    return graph


def tour_of_routing(far, seconds):
    """The length of the tour that the routing of OR-tools finds."""
    pywrapcp = need("ortools", "ortools.constraint_solver.pywrapcp")
    enums = need("ortools", "ortools.constraint_solver.routing_enums_pb2")
    manager = pywrapcp.RoutingIndexManager(len(far), 1, 0)
    model = pywrapcp.RoutingModel(manager)
    transit = model.RegisterTransitMatrix(far.tolist())
    model.SetArcCostEvaluatorOfAllVehicles(transit)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = enums.FirstSolutionStrategy.CHRISTOFIDES
    parameters.local_search_metaheuristic = enums.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromSeconds(seconds)
    return model.SolveWithParameters(parameters).ObjectiveValue()


def tours(command, report, n=500, instances=20, seconds=10):
    """A ring by bytes is a tour: every rank sends as much to the next, and links crossed are the distance."""
    ratios = []
    for case in range(instances):
        stream = random.Random(f"tour {case}")
        graph = mesh(stream, 40, n)
        at = [switch for switch, _ in graph.hosts]
        far = numpy.array([[graph.ways_from(a)[0][b] for b in at] for a in at])
        hosts = stream.sample(range(n), n)
        workload = f'[workload.all-reduce]\nsize = {n}\nalgorithm = "ring"', ""
        places, _ = ask(command, graph, hosts, workload, "bytes")
        tour = [hosts[place] for place in places]
        length = sum(far[a, b] for a, b in zip(tour, tour[1:] + tour[:1]))
        theirs = tour_of_routing(far, seconds)
        ratios.append(length / theirs)
        print(f"        tour {case}: {length} and {theirs}", flush=True)
    report.goal(
        max(ratios) <= 1.01,
        f"tours of {n}: over those of OR-tools {numpy.mean(ratios):.4f} in the mean, {max(ratios):.4f} at most",
    )


def scattered(command, report):
    """Scattered hosts, four of which share each up-link: the ring that is simulated against the bound."""
    ratios = []
    for case in range(10):
        hosts = random.Random(f"scattered {case}").sample(range(256), 64)
        command.write(
            "exp.toml",
            f"""load_balancing = "ecmp"
seed = {case + 1}
[topology.leaf-spine]
leaves = 16
spines = 4
hosts_per_leaf = 16
host_link = {{ rate = "400Gbps" }}
fabric_link = {{ rate = "400Gbps" }}
[workload.all-reduce]
size = "64MiB"
algorithm = "ring"
ranks = 64
rank_map = {hosts}
""",
        )
        last = command.run("order", "exp.toml", "--verify").splitlines()[-1].split()
        assert last[0] == "ordered"
        ratios.append(float(last[-1]))
    report.goal(
        max(ratios) <= 1.03, f"64 of 256 hosts, 4:1: the ordered ring takes {max(ratios)} times the bound at most, of 10"
    )


if __name__ == "__main__":
    main({"rings": rings, "maps": maps, "tours": tours, "scattered": scattered})
