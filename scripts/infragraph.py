#!/usr/bin/env python3
"""Expands an InfraGraph file with its own package, and prints how many nodes and edges it has.

    pip install infragraph
    fabricsim export EXPERIMENT.toml --to infragraph --out DIR
    python3 scripts/infragraph.py DIR/infragraph.json

Parallel cables are one edge there, as the package builds a simple graph.
"""

import sys

from infragraph import Infrastructure
from infragraph.infragraph_service import InfraGraphService


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    infrastructure = Infrastructure()
    infrastructure.deserialize(text)
    service = InfraGraphService()
    service.set_graph(infrastructure)
    graph = service.get_networkx_graph()
    print(f"{graph.number_of_nodes()} nodes, {graph.number_of_edges()} edges")


if __name__ == "__main__":
    main()
