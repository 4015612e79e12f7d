//! What a byte from one edge to another puts on the links between.
//!
//! Links that always share their load in the same proportions, as all uplinks of a leaf do, are one bundle, for which the
//! slowest stands: a leaf-spine of any width has two bundles per leaf. Of many hosts with several ports, those whose cables
//! lead to the same switches share their footprints.

use std::collections::BTreeMap;

use crate::ids::{HostId, IdVec, LinkId, NodeId, id};
use crate::loads::{PairId, PairIndex};
use crate::rng::mix;
use crate::routes::{EdgeClasses, EdgeId, EdgeSwitches, PathDag, PathDagBuilder, Position};
use crate::topology::Fabric;

id! {
    /// Links that always share their load in the same proportions. The first is [`BundleId::NO_PATH`].
    pub(super) BundleId;
}

impl BundleId {
    /// The bundle of what has no path: loaded beyond everything else.
    pub(super) const NO_PATH: Self = Self(0);
}

/// Picoseconds per byte on a bundle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Share {
    pub bundle: BundleId,
    pub time: f64,
}

/// What a byte between two edges costs.
#[derive(Debug, Clone, Default)]
pub(super) struct Footprint {
    pub shares: Vec<Share>,
    /// Switch-to-switch links crossed, in the mean over paths.
    pub hops: f64,
    /// Picoseconds of propagation, in the mean over paths.
    pub delay: f64,
}

/// Picoseconds per byte where there is no path, and hops.
const NEVER: f64 = 1e12;

/// Footprints of pairs of edges, made when first asked for.
#[derive(Debug)]
pub(super) struct Footprints<'a> {
    fabric: &'a Fabric,
    edges: EdgeSwitches,
    /// Edges that are alike; without, each is one of a kind.
    classes: Option<EdgeClasses>,
    builder: PathDagBuilder<'a>,
    /// The link that stands for each bundle.
    slowest: IdVec<BundleId, Option<LinkId>>,
    /// The bundle for which a link stands.
    bundle_of: IdVec<LinkId, Option<BundleId>>,
    /// Pairs of classes, of different servers and of the same.
    known: [Known; 2],
    /// From an edge to itself.
    nothing: Footprint,
}

/// Footprints by pair of edges, or of classes.
#[derive(Debug)]
struct Known {
    index: PairIndex,
    prints: IdVec<PairId, Footprint>,
}

impl Known {
    fn new(edges: usize) -> Self {
        Self {
            index: PairIndex::new(edges),
            prints: IdVec::new(),
        }
    }
}

/// Most edges that are told apart by their own cables; of more, those are alike whose cables lead to the same switches, and what
/// hosts with several ports have for themselves does not count.
const MOST_SINGLE: usize = 1_024;
/// Most edges, one or two of each class, whose links are put into bundles: beyond, every link is one.
const MOST_EDGES: usize = 1_024;

impl<'a> Footprints<'a> {
    /// Between the edges of some hosts.
    pub(super) fn new(fabric: &'a Fabric, hosts: &[u32]) -> Self {
        Self::with_single(fabric, hosts, MOST_SINGLE)
    }

    /// The same with at most so many edges that are told apart.
    fn with_single(fabric: &'a Fabric, hosts: &[u32], most: usize) -> Self {
        let edges = EdgeSwitches::new(fabric);
        let mut members: Vec<EdgeId> = hosts.iter().map(|&host| edges.of(HostId(host))).collect();
        members.sort_unstable();
        members.dedup();
        let mut builder = PathDagBuilder::new(fabric);
        let classes = (members.len() > most)
            .then(|| EdgeClasses::new(fabric, &edges))
            .filter(|classes| !classes.are_single());
        if let Some(classes) = &classes {
            members = of_each_class(classes, &members);
        }
        let mut slowest = if members.len() <= MOST_EDGES {
            bundles(fabric, &edges, &mut builder, &members)
        } else {
            fabric.link_ids().collect()
        };
        if classes.is_some() || members.len() > MOST_EDGES {
            slowest.retain(|&link| fabric.is_fabric_link(link));
        }
        let slowest: IdVec<BundleId, _> = std::iter::once(None).chain(slowest.into_iter().map(Some)).collect();
        let mut bundle_of = IdVec::filled(None, fabric.links().len());
        for (bundle, &link) in slowest.entries() {
            if let Some(link) = link {
                bundle_of[link] = Some(bundle);
            }
        }
        Self {
            fabric,
            // Numbers of classes are below those of edges.
            known: [Known::new(edges.len()), Known::new(edges.len())],
            edges,
            classes,
            builder,
            slowest,
            bundle_of,
            nothing: Footprint::default(),
        }
    }

    pub(super) fn fabric(&self) -> &'a Fabric {
        self.fabric
    }

    /// Number of bundles, that of what has no path included.
    pub(super) fn bundles(&self) -> usize {
        self.slowest.len()
    }

    /// The slowest link of a bundle.
    pub(super) fn slowest(&self, bundle: BundleId) -> Option<LinkId> {
        self.slowest.get(bundle).copied().flatten()
    }

    /// The edge of a host.
    pub(super) fn edge(&self, host: u32) -> EdgeId {
        self.edges.of(HostId(host))
    }

    /// The switch, or host, that an edge is.
    pub(super) fn node(&self, edge: EdgeId) -> NodeId {
        self.edges.node(edge)
    }

    /// Edges of one class are as far from all others, but for those of their servers.
    pub(super) fn class(&self, edge: EdgeId) -> u32 {
        self.classes.as_ref().map_or(edge.0, |classes| classes.of(edge))
    }

    /// The switch inside the server of an edge, where edges have classes.
    pub(super) fn server(&self, edge: EdgeId) -> Option<NodeId> {
        self.classes.as_ref().and_then(|classes| classes.server(edge))
    }

    /// What a byte from one edge to another costs.
    pub(super) fn of(&mut self, src: EdgeId, dst: EdgeId) -> &Footprint {
        if src == dst {
            return &self.nothing;
        }
        let inside = self.server(src).is_some_and(|server| self.server(dst) == Some(server));
        let side = usize::from(inside);
        let (from, to) = (EdgeId(self.class(src)), EdgeId(self.class(dst)));
        let number = self.known[side].index.number(from, to);
        if self.known[side].prints.get(number).is_none() {
            let made = self.make(src, dst);
            self.known[side].prints.push(made);
        }
        &self.known[side].prints[number]
    }

    fn make(&mut self, src: EdgeId, dst: EdgeId) -> Footprint {
        let mut made = Footprint::default();
        let source = std::iter::once(self.edges.node(src));
        let dag = self
            .builder
            .build(self.edges.node(dst), self.edges.receiver(dst), source);
        let counts = dag.path_counts();
        if counts[dag.sources[0]] == 0.0 {
            made.shares.push(Share {
                bundle: BundleId::NO_PATH,
                time: NEVER,
            });
            made.hops = NEVER;
            return made;
        }
        let mut through = dag.filled(0.0);
        through[dag.sources[0]] = 1.0;
        spread(&dag, &counts, &mut through, |link, share| {
            let on = self.fabric.link(link);
            made.delay += share * on.delay.0 as f64;
            made.hops += if self.fabric.is_fabric_link(link) { share } else { 0.0 };
            if let Some(bundle) = self.bundle_of[link] {
                let time = share / on.rate.bytes_per_ps();
                made.shares.push(Share { bundle, time });
            }
        });
        made
    }
}

/// Passes what is on the sources down to the destination, all paths alike.
fn spread(
    dag: &PathDag,
    counts: &IdVec<Position, f64>,
    through: &mut IdVec<Position, f64>,
    mut carried: impl FnMut(LinkId, f64),
) {
    let hops = dag.all_hops();
    dag.pass_down(
        through,
        |position, amount| {
            if counts[position] > 0.0 {
                amount / counts[position]
            } else {
                0.0
            }
        },
        |per_path, hop| per_path * counts[hops[hop].to],
        |hop, amount| carried(hops[hop].link, amount),
    );
}

/// The first edge of each class, and one of another server, by which pairs of classes are seen apart that meet in no server of the
/// first.
fn of_each_class(classes: &EdgeClasses, members: &[EdgeId]) -> Vec<EdgeId> {
    let mut chosen: BTreeMap<u32, Vec<EdgeId>> = BTreeMap::new();
    for &edge in members {
        let of_class = chosen.entry(classes.of(edge)).or_default();
        let another = match of_class.as_slice() {
            [] => true,
            [first] => !classes.share_a_server(*first, edge),
            _ => false,
        };
        if another {
            of_class.push(edge);
        }
    }
    let mut chosen: Vec<EdgeId> = chosen.into_values().flatten().collect();
    chosen.sort_unstable();
    chosen
}

/// Random demands by which links are told apart: those that always share load are loaded in the same proportions by
/// every one of them.
const PROBES: usize = 3;
/// Rounding of a proportion.
const ALIKE: f64 = 1e-9;

/// The slowest link of every bundle.
fn bundles(fabric: &Fabric, edges: &EdgeSwitches, builder: &mut PathDagBuilder<'_>, members: &[EdgeId]) -> Vec<LinkId> {
    let mut loads = vec![vec![0.0; fabric.links().len()]; PROBES];
    for &dst in members {
        let others = || members.iter().filter(|&&edge| edge != dst);
        let dag = builder.build(
            edges.node(dst),
            edges.receiver(dst),
            others().map(|&edge| edges.node(edge)),
        );
        let counts = dag.path_counts();
        for (probe, loads) in loads.iter_mut().enumerate() {
            let mut through = dag.filled(0.0);
            for (&src, &source) in others().zip(&dag.sources) {
                let drawn = mix(mix(u64::from(src.0) << 32 | u64::from(dst.0)) ^ probe as u64) >> 11;
                through[source] += 0.5 + drawn as f64 / (1_u64 << 53) as f64;
            }
            spread(&dag, &counts, &mut through, |link, amount| {
                loads[link.index()] += amount
            });
        }
    }
    let proportion = |link: LinkId, probe: usize| loads[probe][link.index()] / loads[0][link.index()];
    let mut links: Vec<LinkId> = fabric.link_ids().filter(|link| loads[0][link.index()] > 0.0).collect();
    links.sort_by(|&a, &b| proportion(a, 1).total_cmp(&proportion(b, 1)).then(a.cmp(&b)));
    let alike = |a: LinkId, b: LinkId| (1..PROBES).all(|k| (proportion(a, k) - proportion(b, k)).abs() < ALIKE);
    let time = |link: LinkId| loads[0][link.index()] / fabric.link(link).rate.bytes_per_ps();
    let mut slowest: Vec<LinkId> = Vec::new();
    for run in links.chunk_by(|&a, &b| alike(a, b)) {
        let of_run = run.iter().copied().reduce(|a, b| if time(b) > time(a) { b } else { a });
        slowest.extend(of_run);
    }
    slowest.sort_unstable();
    slowest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::NoFiles;
    use crate::topology::Topology;

    fn fabric(toml: &str) -> Fabric {
        let topology: Topology = toml::from_str(toml).unwrap();
        Fabric::compile(&topology.blueprint(&NoFiles).unwrap())
    }

    #[test]
    fn a_leaf_has_one_bundle_up_and_one_down() {
        let fabric = fabric(
            "leaf-spine = { leaves = 4, spines = 3, hosts_per_leaf = 2, host_link = { rate = \"100Gbps\" }, fabric_link = { rate = \"100Gbps\" } }",
        );
        let hosts: Vec<u32> = (0..8).collect();
        let mut prints = Footprints::new(&fabric, &hosts);
        assert_eq!(prints.bundles(), 1 + 8);
        let print = prints.of(EdgeId(0), EdgeId(2)).clone();
        assert!(print.shares.len() == 2 && (print.hops - 2.0).abs() < 1e-12, "{print:?}");
        let per_byte = 1.0 / 3.0 / fabric.link(prints.slowest(BundleId(1)).unwrap()).rate.bytes_per_ps();
        assert!(print.shares.iter().all(|share| (share.time - per_byte).abs() < 1e-12));
        assert!(prints.of(EdgeId(1), EdgeId(1)).shares.is_empty());
    }

    /// Servers of four with a rail each, three servers to a unit: what classes say is what every pair says for itself.
    #[test]
    fn classes_say_what_pairs_say() {
        let link = |gbps: u32, delay: u32| format!("{{ rate = \"{gbps}Gbps\", delay = \"{delay}ns\" }}");
        let fabric = fabric(&format!(
            "rail = {{ servers = 9, gpus = 4, servers_per_unit = 3, spines = 2, host_link = {}, server_link = {}, fabric_link = {} }}",
            link(400, 500),
            link(3600, 250),
            link(200, 700)
        ));
        let hosts: Vec<u32> = (0..36).collect();
        let mut single = Footprints::with_single(&fabric, &hosts, 36);
        let mut classes = Footprints::with_single(&fabric, &hosts, 35);
        assert!(single.classes.is_none() && classes.classes.is_some());
        let between = |prints: &mut Footprints<'_>, src: u32, dst: u32| {
            let (from, to) = (prints.edge(src), prints.edge(dst));
            let print = prints.of(from, to).clone();
            let of_fabric = |share: &&Share| {
                prints
                    .slowest(share.bundle)
                    .is_some_and(|link| fabric.is_fabric_link(link))
            };
            let mut times: Vec<f64> = print.shares.iter().filter(of_fabric).map(|share| share.time).collect();
            times.sort_by(f64::total_cmp);
            times.extend([print.hops, print.delay]);
            times
        };
        let mut crossing = 0;
        for (src, dst) in hosts.iter().flat_map(|&src| hosts.iter().map(move |&dst| (src, dst))) {
            let (one, other) = (between(&mut single, src, dst), between(&mut classes, src, dst));
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * a.abs();
            assert!(
                one.len() == other.len() && one.iter().zip(&other).all(close),
                "{src} to {dst}: {one:?} {other:?}"
            );
            crossing += usize::from(one.len() > 2);
        }
        assert!(crossing > 600 && classes.known.iter().map(|known| known.prints.len()).sum::<usize>() < 200);
    }
}
