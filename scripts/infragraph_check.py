#!/usr/bin/env python3
"""Expands an InfraGraph file of ours with InfraGraph's own package, and compares: it must find as many nodes and edges as the file says.

    pip install infragraph
    fabricsim export EXPERIMENT.toml --to infragraph --out DIR
    python3 scripts/infragraph_check.py DIR/infragraph.json

Parallel cables are one edge there, as the package builds a simple graph. Exit code 1 where the numbers differ.
"""

import json
import sys

from infragraph import Infrastructure
from infragraph.infragraph_service import InfraGraphService


def written(text: str) -> tuple[int, int, int]:
    """Nodes, pairs of nodes with a cable, and cables of a file in which every box has a single component."""
    file = json.loads(text)
    nodes = sum(instance["count"] for instance in file["instances"])
    ends = [(edge["ep1"]["instance"], edge["ep2"]["instance"]) for edge in file["edges"]]
    return nodes, len({tuple(sorted(pair)) for pair in ends}), len(ends)


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    infrastructure = Infrastructure()
    infrastructure.deserialize(text)
    service = InfraGraphService()
    service.set_graph(infrastructure)
    graph = service.get_networkx_graph()
    found = (graph.number_of_nodes(), graph.number_of_edges())
    nodes, pairs, cables = written(text)
    print(f"{found[0]} nodes, {found[1]} edges; in the file {nodes} nodes, {pairs} edges, {cables} with parallel ones")
    return int(found != (nodes, pairs))


if __name__ == "__main__":
    sys.exit(main())
