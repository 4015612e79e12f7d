//! Where the bytes of each sub-flow travel, as fractions of its rate on every link.

use crate::ids::{HostId, Id, IdVec, LinkId, NodeId, SubflowId, TaskId, id};
use crate::loads::LinkLoads;
use crate::placement::{Placement, Subflow};
use crate::quick_map::QuickMap;
use crate::routes::{Route, path_weights};
use crate::topology::{Attachment, Fabric};
use crate::units::Time;
use crate::workload::{Schedule, Transfer};

id! {
    /// A segment among all that are in use.
    pub(super) SegmentId;
}

/// A connection from edge to edge, shared by all sub-flows between the hosts of these edges: one path, or
/// all paths of the pair in fixed proportions. The hosts' own links are not part of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Segment {
    pub from: NodeId,
    pub to: NodeId,
    /// Links between the edges with the fraction of the rate that each carries, by link id.
    pub links: Vec<(LinkId, f64)>,
    /// Propagation delay of the slowest path.
    pub forward: Time,
    /// Propagation delay there and back of the slowest path.
    pub round_trip: Time,
    /// Number of paths.
    pub paths: u32,
}

impl Segment {
    /// The same as far as delays are concerned.
    pub(super) fn without_links(&self) -> Self {
        let links = Vec::new();
        Self { links, ..*self }
    }
}

/// The segments in use and which of them each sub-flow takes.
#[derive(Debug)]
pub(super) struct Routes {
    /// By host; `None` where paths begin at the host itself (see [`Fabric::edge`]).
    pub ports: Vec<Option<Port>>,
    pub segments: IdVec<SegmentId, Segment>,
    /// By position of the sub-flow in the placement; NONE where it cannot be sent.
    pub of_subflow: Vec<SegmentId>,
    /// Why, by flow, for those that cannot be sent.
    pub impossible: Vec<(TaskId, String)>,
}

/// The link of a host that hangs on a switch by one cable, in both directions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Port {
    pub up: LinkId,
    pub down: LinkId,
    /// Propagation delays.
    pub up_delay: Time,
    pub down_delay: Time,
}

impl Port {
    fn new(fabric: &Fabric, host: NodeId) -> Option<Self> {
        let Attachment { up, down, .. } = fabric.attachment(host)?;
        Some(Self {
            up,
            down,
            up_delay: fabric.link(up).delay,
            down_delay: fabric.link(down).delay,
        })
    }
}

impl Routes {
    /// The routes of all sub-flows of a placement.
    pub(super) fn new(fabric: &Fabric, schedule: &Schedule, placement: &Placement) -> Self {
        let ports: Vec<_> = (0..fabric.hosts()).map(|h| Port::new(fabric, NodeId(h))).collect();
        let mut finder = Finder {
            fabric,
            ports: &ports,
            known: QuickMap::default(),
            last: None,
            segments: IdVec::new(),
        };
        let mut of_subflow = vec![SegmentId::NONE; placement.subflows().len()];
        let mut impossible = Vec::new();
        for Transfer { task, src, dst, .. } in schedule.transfers() {
            match finder.find(
                src.node(),
                dst.node(),
                placement.of(task),
                &mut of_subflow[placement.range(task)],
            ) {
                Ok(()) => {}
                Err(reason) => impossible.push((task, reason)),
            }
        }
        Self {
            segments: finder.segments,
            ports,
            of_subflow,
            impossible,
        }
    }

    /// Delays of a sub-flow between two hosts: one way, and there and back.
    #[inline]
    pub(super) fn delays(&self, subflow: SubflowId, src: HostId, dst: HostId) -> (Time, Time) {
        let segment = &self.segments[self.of_subflow[subflow.index()]];
        let (mut forward, mut round_trip) = (segment.forward, segment.round_trip);
        if let Some(port) = self.ports[src.index()] {
            forward += port.up_delay;
            round_trip += port.up_delay + port.down_delay;
        }
        if let Some(port) = self.ports[dst.index()] {
            forward += port.down_delay;
            round_trip += port.down_delay + port.up_delay;
        }
        (forward, round_trip)
    }
}

/// Payload bytes on every link of the fabric, by link id.
pub(super) fn link_loads(fabric: &Fabric, schedule: &Schedule, placement: &Placement, routes: &Routes) -> Vec<f64> {
    let mut loads = LinkLoads::new(fabric);
    let mut on_segment = IdVec::filled(0_u64, routes.segments.len());
    for Transfer { task, src, dst, .. } in schedule.transfers() {
        let mut bytes = 0;
        for (subflow, &segment) in placement.of(task).iter().zip(&routes.of_subflow[placement.range(task)]) {
            on_segment[segment] += subflow.bytes;
            bytes += subflow.bytes;
        }
        loads.add_attachments(src, dst, bytes as f64);
    }
    for (segment, bytes) in routes.segments.iter().zip(on_segment) {
        for &(id, fraction) in &segment.links {
            loads.add_link(id, bytes as f64 * fraction);
        }
    }
    loads.into_bytes()
}

/// Finds segments and keeps those that it has found.
struct Finder<'a> {
    fabric: &'a Fabric,
    ports: &'a [Option<Port>],
    known: QuickMap<Key, SegmentId>,
    /// The last answer: it is often the next one, too.
    last: Option<(Key, SegmentId)>,
    segments: IdVec<SegmentId, Segment>,
}

/// Edges of the source and the destination, and the way between them.
type Key = (NodeId, NodeId, Choice);

/// A route, once it is known to be possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Choice {
    Path(u32),
    Even,
    Weighted,
}

impl Finder<'_> {
    fn find(&mut self, src: NodeId, dst: NodeId, subflows: &[Subflow], routes: &mut [SegmentId]) -> Result<(), String> {
        let count = self.fabric.path_count(src, dst);
        let name = |host: NodeId| &self.fabric.node(host).name;
        if count == 0 {
            return Err(format!("there is no path from {} to {}", name(src), name(dst)));
        }
        if subflows.is_empty() {
            return Err("the placement has no piece of it".into());
        }
        for (subflow, route) in subflows.iter().zip(routes) {
            let choice = match subflow.route {
                Route::Pinned(path) if path.0 >= count => {
                    return Err(format!("it is placed on path {path}, but the pair has {count}"));
                }
                Route::Pinned(path) => Choice::Path(path.0),
                Route::Even | Route::Weighted if count == 1 => Choice::Path(0),
                Route::Even => Choice::Even,
                Route::Weighted => Choice::Weighted,
                Route::Dynamic => return Err("only the packet engine can choose its path".into()),
            };
            *route = self.segment(src, dst, choice);
        }
        Ok(())
    }

    fn segment(&mut self, src: NodeId, dst: NodeId, choice: Choice) -> SegmentId {
        let key = (self.fabric.edge(src), self.fabric.edge(dst), choice);
        if let Some((_, known)) = self.last.filter(|&(last, _)| last == key) {
            return known;
        }
        let id = match self.known.get(&key) {
            Some(&known) => known,
            None => self.add(src, dst, key),
        };
        self.last = Some((key, id));
        id
    }

    fn add(&mut self, src: NodeId, dst: NodeId, key: Key) -> SegmentId {
        let count = self.fabric.path_count(src, dst);
        let (paths, weights): (Vec<u32>, Vec<u64>) = match key.2 {
            Choice::Path(path) => (vec![path], vec![1]),
            Choice::Even => ((0..count).collect(), vec![1; count as usize]),
            Choice::Weighted => ((0..count).collect(), path_weights(self.fabric, src, dst)),
        };
        let segment = self.spread(src, dst, &paths, &weights);
        let id = self.segments.push(segment);
        self.known.insert(key, id);
        id
    }

    fn spread(&self, src: NodeId, dst: NodeId, paths: &[u32], weights: &[u64]) -> Segment {
        let fabric = self.fabric;
        let skip_first = usize::from(self.ports[src.index()].is_some());
        let skip_last = usize::from(self.ports[dst.index()].is_some());
        let mut weighted: Vec<(LinkId, u64)> = Vec::new();
        let (mut forward, mut round_trip) = (Time::ZERO, Time::ZERO);
        for (&path, &weight) in paths.iter().zip(weights) {
            let links = fabric.path(src, dst, path);
            let inner = &links[skip_first..links.len() - skip_last];
            let there = fabric.path_delay(inner);
            let back = inner
                .iter()
                .map(|&id| fabric.link(fabric.link(id).reverse).delay)
                .sum::<Time>();
            forward = forward.max(there);
            round_trip = round_trip.max(there + back);
            weighted.extend(inner.iter().map(|&id| (id, weight)));
        }
        weighted.sort_unstable_by_key(|&(id, _)| id);
        let whole: u64 = weights.iter().sum();
        let links = weighted
            .chunk_by(|a, b| a.0 == b.0)
            .map(|same| {
                let weight: u64 = same.iter().map(|&(_, weight)| weight).sum();
                (same[0].0, weight as f64 / whole as f64)
            })
            .collect();
        Segment {
            from: fabric.edge(src),
            to: fabric.edge(dst),
            links,
            forward,
            round_trip,
            paths: paths.len() as u32,
        }
    }
}
