"""What the checks of commands share: fabrics as graphs, written down for fabricsim and walked by other means."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections import deque


def need(package, module=None):
    """A module, or an exit with the package that has it."""
    try:
        return importlib.import_module(module or package)
    except ImportError:
        sys.exit(f"this check needs the package {package}: pip install {package}")


def lines(pairs):
    return "[\n" + "".join(f"    {pair},\n" for pair in pairs) + "]\n"


class Graph:
    """Switches with cables of their own rates, and hosts on one switch each, in the order in which they are added."""

    def __init__(self):
        self.switches = []
        self.cables = []  # (a, b, bits per second, delay in ns)
        self.hosts = []  # (switch, bits per second)
        self._ways = {}

    def switch(self, name):
        self.switches.append(name)
        return name

    def cable(self, a, b, rate, delay=500):
        self.cables.append((a, b, rate, delay))

    def host(self, switch, rate):
        self.hosts.append((switch, rate))

    def toml(self):
        nodes = [f'{{ name = "h{h}", kind = "host" }}' for h in range(len(self.hosts))]
        nodes += [f'{{ name = "{name}", kind = "switch" }}' for name in self.switches]
        cables = [f'{{ a = "h{h}", b = "{at}", rate = "{rate}bps" }}' for h, (at, rate) in enumerate(self.hosts)]
        cables += [
            f'{{ a = "{a}", b = "{b}", rate = "{rate}bps", delay = "{delay}ns" }}' for a, b, rate, delay in self.cables
        ]
        return "[topology.graph]\nnodes = " + lines(nodes) + "links = " + lines(cables)

    def arcs(self):
        """(from, to, bits per second, delay in ns) of both directions of each cable between switches."""
        return [arc for a, b, rate, delay in self.cables for arc in ((a, b, rate, delay), (b, a, rate, delay))]

    def ways_from(self, source):
        """Hops from a switch to every other, and the number of ways with that many."""
        if source not in self._ways:
            beside = self._ways.setdefault(None, {})
            if not beside:
                for a, b, *_ in self.arcs():
                    beside.setdefault(a, []).append(b)
            hops, ways, queue = {source: 0}, {source: 1}, deque([source])
            while queue:
                at = queue.popleft()
                for other in beside.get(at, []):
                    if other not in hops:
                        hops[other], ways[other] = hops[at] + 1, 0
                        queue.append(other)
                    if hops[other] == hops[at] + 1:
                        ways[other] += ways[at]
            self._ways[source] = hops, ways
        return self._ways[source]

    def shares(self, source, sink):
        """{index of an arc: share of the equal-cost paths that cross it}. Cables lead as well back as there."""
        hops, ways = self.ways_from(source)
        back, ways_back = self.ways_from(sink)
        through = {
            index: ways[a] * ways_back[b] / ways[sink]
            for index, (a, b, *_) in enumerate(self.arcs())
            if hops[a] + 1 + back[b] == hops[sink]
        }
        return through if source != sink else {}


class Command:
    """The binary under test, in a folder of its own."""

    def __init__(self):
        self.binary = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/fabricsim")
        if not os.path.exists(self.binary):
            sys.exit(f"there is no {self.binary}: cargo build --release, or name the binary")
        self.folder = tempfile.TemporaryDirectory()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def flows(self, name, flows):
        self.write(name, "src,dst,bytes\n" + "".join(f"{src},{dst},{size}\n" for src, dst, size in flows))

    def run(self, *arguments):
        done = subprocess.run(
            [self.binary, *arguments], cwd=self.folder.name, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            sys.exit(f"fabricsim {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def order(self, *arguments):
        """The rank map of `exp.toml`."""
        self.run("order", "exp.toml", "--out", "map.json", *arguments)
        with open(self.path("map.json"), encoding="utf-8") as file:
            return json.load(file)

    def prices(self):
        """The rows of the prices of `exp.toml`."""
        return json.loads(self.run("bound", "exp.toml", "--prices", "--format", "json"))


class Report:
    """Goals that were reached or missed."""

    def __init__(self):
        self.missed = False

    def goal(self, reached, text):
        self.missed |= not reached
        print(f"{'ok' if reached else 'MISSED':>6}  {text}", flush=True)


def main(checks):
    """Runs the checks named on the command line after the binary, or all: exit code 1 on a missed goal."""
    command, report = Command(), Report()
    for name in sys.argv[2:] or checks:
        checks[name](command, report)
    sys.exit(int(report.missed))
