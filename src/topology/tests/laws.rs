//! Forwarding tables against brute force: all simple paths of the drawn graph, filtered by the
//! definition of each routing.

use crate::ids::PathIndex;
use std::collections::BTreeMap;

use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use proptest::prelude::*;

use super::*;

/// A random small graph: hosts with one or more cables, switches in tiers, parallel cables.
#[derive(Debug, Clone)]
struct Case {
    hosts: usize,
    tiers: Vec<u8>,
    /// Ends as indices over hosts, then switches.
    cables: Vec<(usize, usize)>,
    /// Directions that are down, as indices over links.
    down: Vec<usize>,
    routing: Routing,
}

fn cases() -> impl Strategy<Value = Case> {
    let routing = prop_oneof![
        Just(Routing::UpDown),
        Just(Routing::Shortest),
        Just(Routing::ShortestThroughHosts)
    ];
    (2_usize..5, prop::collection::vec(1_u8..4, 1..6), routing).prop_flat_map(|(hosts, tiers, routing)| {
        let nodes = hosts + tiers.len();
        let first = hosts..nodes;
        let cable = (0..nodes, 0..nodes).prop_filter("a cable has two ends", |(a, b)| a != b);
        (
            prop::collection::vec(first, hosts),
            prop::collection::vec(cable, 0..9),
            prop::collection::vec(0_usize..24, 0..5),
        )
            .prop_map(move |(homes, more, down)| {
                let own = homes.into_iter().enumerate().map(|(h, switch)| (switch, h));
                let cables: Vec<_> = own.chain(more).collect();
                let links = cables.len() * 2;
                Case {
                    hosts,
                    tiers: tiers.clone(),
                    cables,
                    down: down.into_iter().filter(|&l| l < links).collect(),
                    routing,
                }
            })
    })
}

impl Case {
    fn draw(&self) -> Blueprint {
        let mut drawing = Blueprint::new(self.routing);
        drawing.add_hosts(self.hosts as u32);
        for (s, &tier) in self.tiers.iter().enumerate() {
            drawing.add(Node::switch(format!("s{s}"), tier));
        }
        for (c, &(a, b)) in self.cables.iter().enumerate() {
            let cable = Cable {
                rate: Rate::from_gbps(100),
                delay: Time::from_ns(500),
            };
            drawing.connect_as(format!("c{c}"), NodeIndex::new(a), NodeIndex::new(b), cable, None);
        }
        drawing
    }
}

/// All simple paths of a graph over the links that are up.
struct BruteForce<'a> {
    drawing: &'a Blueprint,
    is_up: &'a dyn Fn(EdgeIndex) -> bool,
}

impl BruteForce<'_> {
    fn simple_paths(&self, from: NodeIndex, to: NodeIndex) -> Vec<Vec<EdgeIndex>> {
        let (mut found, mut path, mut seen) = (Vec::new(), Vec::new(), vec![from]);
        self.extend(from, to, &mut path, &mut seen, &mut found);
        found
    }

    fn extend(
        &self,
        at: NodeIndex,
        to: NodeIndex,
        path: &mut Vec<EdgeIndex>,
        seen: &mut Vec<NodeIndex>,
        found: &mut Vec<Vec<EdgeIndex>>,
    ) {
        if at == to {
            found.push(path.clone());
            return;
        }
        for edge in self.drawing.graph.edges(at).filter(|e| (self.is_up)(e.id())) {
            if !seen.contains(&edge.target()) {
                path.push(edge.id());
                seen.push(edge.target());
                self.extend(edge.target(), to, path, seen, found);
                seen.pop();
                path.pop();
            }
        }
    }

    /// +1 where a link goes up a tier, -1 down, 0 level.
    fn slope(&self, edge: EdgeIndex) -> i32 {
        let graph = &self.drawing.graph;
        let (a, b) = graph.edge_endpoints(edge).unwrap();
        (i32::from(graph[b].tier) - i32::from(graph[a].tier)).signum()
    }

    fn falls(&self, path: &[EdgeIndex]) -> bool {
        path.iter().all(|&e| self.slope(e) < 0)
    }

    /// The paths that a routing takes between two hosts, by its definition.
    fn routed(&self, from: NodeIndex, to: NodeIndex) -> Vec<Vec<EdgeIndex>> {
        let graph = &self.drawing.graph;
        let may_forward = |node: NodeIndex| {
            graph[node].kind == NodeKind::Switch || self.drawing.routing == Routing::ShortestThroughHosts
        };
        let forwarded = |path: &&Vec<EdgeIndex>| {
            let inner = path.iter().skip(1).map(|&e| graph.edge_endpoints(e).unwrap().0);
            inner.into_iter().all(may_forward)
        };
        let all = self.simple_paths(from, to);
        let mut kept: Vec<_> = all.iter().filter(forwarded).cloned().collect();
        if self.drawing.routing == Routing::UpDown {
            kept.retain(|path| self.turns_at_the_first_chance(path, to));
        }
        let shortest = kept.iter().map(Vec::len).min();
        kept.retain(|path| Some(path.len()) == shortest);
        kept.sort();
        kept
    }

    /// Rises only from nodes that have no way down, then falls by a shortest way.
    fn turns_at_the_first_chance(&self, path: &[EdgeIndex], to: NodeIndex) -> bool {
        let graph = &self.drawing.graph;
        path.iter().enumerate().all(|(i, &edge)| {
            let at = graph.edge_endpoints(edge).unwrap().0;
            let ways_down = self.simple_paths(at, to).into_iter().filter(|p| self.falls(p));
            match ways_down.map(|p| p.len()).min() {
                Some(shortest) => self.falls(&path[i..]) && path.len() - i == shortest,
                None => self.slope(edge) > 0,
            }
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn tables_hold_exactly_the_paths_of_the_definition(case in cases()) {
        let drawing = case.draw();
        let whole = Fabric::compile(&drawing);
        let changes: Vec<_> = case.down.iter().map(|&l| LinkChange { link: LinkId::from(l), rate: Rate::ZERO }).collect();
        let fabric = whole.with(&changes);
        let is_up = |edge: EdgeIndex| !case.down.contains(&edge.index());
        let oracle = BruteForce { drawing: &drawing, is_up: &is_up };
        for src in 0..case.hosts {
            for dst in (0..case.hosts).filter(|&dst| dst != src) {
                let expected = oracle.routed(NodeIndex::new(src), NodeIndex::new(dst));
                let (src, dst) = (NodeId::from(src), NodeId::from(dst));
                let found: Vec<Vec<_>> = fabric
                    .paths(src, dst)
                    .map(|p| p.iter().map(|l| EdgeIndex::new(l.index())).collect())
                    .collect();
                // Also in the same order: by link ids, hop by hop.
                prop_assert_eq!(&found, &expected, "{} to {}", src, dst);
                for (index, path) in fabric.paths(src, dst).enumerate() {
                    prop_assert_eq!(fabric.path_index(src, dst, &path), Some(PathIndex(index as u32)));
                    for &hop in path.iter() {
                        prop_assert!(fabric.next_hops(fabric.link(hop).from, dst).contains(&hop));
                    }
                }
            }
        }
    }

    /// Walking with every possible choice meets every path once, and names it by its index.
    #[test]
    fn walks_meet_every_path(case in cases()) {
        let fabric = Fabric::compile(&case.draw());
        for (src, dst) in [(0, 1), (1, 0)].map(|(a, b)| (NodeId(a), NodeId(b))) {
            let mut seen = BTreeMap::new();
            let mut choices: Vec<(usize, usize)> = Vec::new();
            loop {
                let mut depth = 0;
                let Some((index, path)) = fabric.walk(src, dst, |_, hops| {
                    if depth == choices.len() {
                        choices.push((0, hops.len()));
                    }
                    depth += 1;
                    choices[depth - 1].0
                }) else {
                    break;
                };
                prop_assert_eq!(&fabric.path(src, dst, index), &path);
                let mut chosen = choices.iter().map(|&(at, _)| at);
                let again = fabric.walk_to_index(src, dst, |_, _| chosen.next().unwrap_or(0));
                prop_assert_eq!(again, Some(index));
                prop_assert!(seen.insert(index, path).is_none());
                while choices.last().is_some_and(|(at, of)| at + 1 == *of) {
                    choices.pop();
                }
                match choices.last_mut() {
                    Some((at, _)) => *at += 1,
                    None => break,
                }
            }
            prop_assert_eq!(seen.len() as u32, fabric.path_count(src, dst));
        }
    }

    /// A fault and its repair leave no trace; a slower link changes no path.
    #[test]
    fn repairs_restore(case in cases()) {
        let whole = Fabric::compile(&case.draw());
        let change = |rate| case.down.iter().map(|&l| LinkChange { link: LinkId::from(l), rate }).collect::<Vec<_>>();
        let repaired = whole.with(&change(Rate::ZERO)).with(&change(Rate::from_gbps(100)));
        let slower = whole.with(&change(Rate::from_gbps(1)));
        for src in 0..case.hosts as u32 {
            for dst in 0..case.hosts as u32 {
                let paths = all_paths(&whole, src, dst);
                prop_assert_eq!(&all_paths(&repaired, src, dst), &paths);
                prop_assert_eq!(&all_paths(&slower, src, dst), &paths);
            }
        }
    }
}
