//! The resources that every transfer needs: its NICs, and the cuts between its ends.

use super::framing::Framing;
use super::one_machine::Resource;
use super::pairs::{Pairs, RouteSet};
use super::ports::PortSetId;
use crate::ids::{HostId, IdVec, LinkId};
use crate::loads::{PairAmount, PairId, PairSums};
use crate::routes::EdgeSwitches;
use crate::topology::{Attachment, Fabric};
use crate::workload::{Schedule, Transfer};

/// A kind of resource; one transfer needs at most one of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResourceKind {
    /// The link out of a host; where it has several, those that the paths of a transfer begin with.
    NicOut,
    /// The link into a host; where it has several, those that the paths of a transfer end with.
    NicIn,
    /// All links in use out of a set of one division.
    CutOut(usize),
    /// All links in use into a set of one division.
    CutIn(usize),
    /// All paths from one edge to another.
    Pair,
}

/// What a transfer needs of one resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Demand {
    /// Host or set of cables of one, set of the division, or pair.
    pub resource: u32,
    /// Bytes per picosecond.
    pub rate: f64,
    /// Least time from the start of the transfer until its first byte can be there, in picoseconds.
    pub head: f64,
    /// Least time from its last byte leaving the resource until that has arrived.
    pub tail: f64,
}

/// One direction of a host's only link; nothing where it has several.
#[derive(Debug, Clone, Copy, Default)]
struct Nic {
    rate: f64,
    delay: f64,
    /// Delay and transmission of the smallest packet.
    latency: f64,
    /// Delay of the other direction.
    back: f64,
}

impl Nic {
    fn new(fabric: &Fabric, id: LinkId, framing: Framing) -> Self {
        let link = fabric.link(id);
        let (rate, delay) = (link.rate.bytes_per_ps(), link.delay.0 as f64);
        let transmission = if rate > 0.0 {
            framing.smallest_packet() / rate
        } else {
            0.0
        };
        Self {
            rate,
            delay,
            latency: delay + transmission,
            back: fabric.link(link.reverse).delay.0 as f64,
        }
    }

    /// How long it is busy with that many bytes; 0 where there is no such link.
    fn time(&self, bytes: f64) -> f64 {
        if self.rate > 0.0 { bytes / self.rate } else { 0.0 }
    }
}

/// Fabric, framing and pairs as the bounds see them.
#[derive(Debug)]
pub(super) struct Resources {
    pub(super) framing: Framing,
    edges: EdgeSwitches,
    pairs: Pairs,
    /// Payload bytes between edges.
    pub(super) between_edges: Vec<PairAmount>,
    up: IdVec<HostId, Nic>,
    down: IdVec<HostId, Nic>,
}

/// A transfer prepared for several questions.
#[derive(Debug, Clone, Copy)]
pub(super) struct WireTransfer {
    src: HostId,
    dst: HostId,
    /// Number of its pair of edges; none within one edge.
    pair: Option<PairId>,
    /// Bytes on the wire.
    pub wire: f64,
}

impl Resources {
    pub(super) fn new(fabric: &Fabric, routes: RouteSet, schedule: &Schedule, framing: Framing) -> Self {
        let edges = EdgeSwitches::new(fabric);
        let nics = |link: fn(Attachment) -> LinkId| -> IdVec<HostId, Nic> {
            let links = (0..fabric.hosts()).map(|host| edges.attachment(HostId(host)).map(link));
            let nic = |id: Option<LinkId>| id.map_or(Nic::default(), |id| Nic::new(fabric, id, framing));
            links.map(nic).collect()
        };
        let (up, down) = (nics(|a| a.up), nics(|a| a.down));
        let mut sums = PairSums::new(edges.len());
        let mut busy = IdVec::filled([0.0_f64; 2], fabric.hosts() as usize);
        for Transfer { src, dst, bytes, .. } in schedule.transfers().filter(|t| t.src != t.dst) {
            let (from, to) = (edges.of(src), edges.of(dst));
            if from != to {
                sums.add(from, to, bytes as f64);
            }
            busy[src][0] += bytes as f64;
            busy[dst][1] += bytes as f64;
        }
        let between_edges = sums.take();
        // Any set of links that is done before the busiest NIC does not matter.
        let busiest = busy
            .iter()
            .zip(up.iter().zip(&down))
            .fold(0.0_f64, |busiest, ([out, into], (up, down))| {
                busiest.max(up.time(*out)).max(down.time(*into))
            });
        let fastest = |nics: &IdVec<HostId, Nic>| {
            let mut fastest = IdVec::filled(0.0_f64, edges.len());
            for (host, nic) in nics.entries() {
                let rate = if nic.rate > 0.0 { nic.rate } else { f64::INFINITY };
                let edge = edges.of(host);
                fastest[edge] = fastest[edge].max(rate);
            }
            fastest
        };
        let (fastest_out, fastest_in) = (fastest(&up), fastest(&down));
        let enough = |pair: &PairAmount| {
            let nic = fastest_out[pair.src].min(fastest_in[pair.dst]);
            nic.max(pair.amount / busiest)
        };
        let pairs = match routes {
            RouteSet::EqualCost => Pairs::new(fabric, &edges, framing, &between_edges, enough),
            RouteSet::Any => Pairs::of_any_route(fabric, &edges, framing, &between_edges),
        };
        Self {
            framing,
            edges,
            pairs,
            between_edges,
            up,
            down,
        }
    }

    /// Whether some host has several cables, and so links to choose from.
    pub(super) fn some_host_chooses(&self) -> bool {
        self.up.ids().any(|host| self.edges.attachment(host).is_none())
    }

    /// All kinds of resources of this fabric.
    pub(super) fn kinds(&self) -> Vec<ResourceKind> {
        let cuts = (0..self.pairs.divisions.len()).flat_map(|d| [ResourceKind::CutOut(d), ResourceKind::CutIn(d)]);
        let others = [ResourceKind::NicOut, ResourceKind::NicIn, ResourceKind::Pair];
        others.into_iter().chain(cuts).collect()
    }

    /// Prepares a transfer; `None` for one that stays on its host.
    pub(super) fn transfer(&self, transfer: Transfer) -> Option<WireTransfer> {
        let Transfer { src, dst, bytes, .. } = transfer;
        if src == dst {
            return None;
        }
        let (from, to) = (self.edges.of(src), self.edges.of(dst));
        Some(WireTransfer {
            src,
            dst,
            pair: (from != to).then(|| self.pairs.index(from, to)),
            wire: self.framing.wire(bytes) as f64,
        })
    }

    /// What a transfer needs of one kind of resource.
    //
    // A fluid loads all links of its path at once, when its first byte can be at the last of them: all of its delay
    // lies before it needs the resource, wherever on the path that is.
    pub(super) fn demand(&self, kind: ResourceKind, transfer: &WireTransfer) -> Option<Demand> {
        let demand = self.demand_of_packets(kind, transfer)?;
        Some(match self.framing {
            Framing::Packets { .. } => demand,
            Framing::Fluid => Demand {
                head: demand.head + demand.tail,
                tail: 0.0,
                ..demand
            },
        })
    }

    fn demand_of_packets(&self, kind: ResourceKind, transfer: &WireTransfer) -> Option<Demand> {
        let (up, down) = (&self.up[transfer.src], &self.down[transfer.dst]);
        let through = transfer.pair.map_or(0.0, |p| self.pairs.pair(p).through);
        let node = |host: HostId| self.edges.node(self.edges.of(host));
        match kind {
            ResourceKind::NicOut if up.rate > 0.0 => Some(Demand {
                resource: transfer.src.0,
                rate: up.rate,
                head: 0.0,
                tail: up.delay + through + down.latency,
            }),
            ResourceKind::NicIn if down.rate > 0.0 => Some(Demand {
                resource: transfer.dst.0,
                rate: down.rate,
                head: up.latency + through,
                tail: down.delay,
            }),
            // A host of several cables is an edge of its own, which the first division tells from all others: its paths
            // cross that border by their first link, or their last.
            ResourceKind::NicOut => {
                let first = self.pairs.pair(transfer.pair?).first?;
                let crossing = self.demand_of_packets(ResourceKind::CutOut(0), transfer)?;
                Some(Demand {
                    resource: self.ports(first),
                    rate: self.pairs.out_of_hosts.rate(first),
                    ..crossing
                })
            }
            ResourceKind::NicIn => {
                let last = self.pairs.pair(transfer.pair?).last?;
                let crossing = self.demand_of_packets(ResourceKind::CutIn(0), transfer)?;
                Some(Demand {
                    resource: self.ports(last),
                    rate: self.pairs.into_hosts.rate(last),
                    ..crossing
                })
            }
            ResourceKind::CutOut(d) => {
                let out = self.pairs.crossings(transfer.pair?)[d].out;
                let set = self.pairs.divisions[d].of(node(transfer.src));
                out.happens().then(|| Demand {
                    resource: set.0,
                    rate: self.pairs.rates[d].out[set],
                    head: up.latency + out.head,
                    tail: out.tail + down.latency,
                })
            }
            ResourceKind::CutIn(d) => {
                let into = self.pairs.crossings(transfer.pair?)[d].into;
                let set = self.pairs.divisions[d].of(node(transfer.dst));
                into.happens().then(|| Demand {
                    resource: set.0,
                    rate: self.pairs.rates[d].into[set],
                    head: up.latency + into.head,
                    tail: into.tail + down.latency,
                })
            }
            ResourceKind::Pair => {
                let pair = self.pairs.pair(transfer.pair?);
                pair.rate.is_finite().then(|| Demand {
                    resource: transfer.pair.map_or(0, |pair| pair.0),
                    rate: pair.rate,
                    head: up.latency,
                    tail: pair.through_but_one + down.latency,
                })
            }
        }
    }

    /// The resource of a set of cables: those of hosts with a single one come first.
    fn ports(&self, set: PortSetId) -> u32 {
        self.up.len() as u32 + set.0
    }

    /// Least time from the start of a transfer until its last byte has arrived, alone on its fabric.
    pub(super) fn span(&self, transfer: &WireTransfer) -> f64 {
        let (up, down) = (&self.up[transfer.src], &self.down[transfer.dst]);
        let (through, but_one, rate) = transfer.pair.map_or((0.0, 0.0, f64::INFINITY), |p| {
            let pair = self.pairs.pair(p);
            (pair.through, pair.through_but_one, pair.rate)
        });
        let mut span = up.latency + but_one + transfer.wire / rate + down.latency;
        if up.rate > 0.0 {
            span = span.max(transfer.wire / up.rate + up.delay + through + down.latency);
        }
        if down.rate > 0.0 {
            span = span.max(up.latency + through + transfer.wire / down.rate + down.delay);
        }
        span
    }

    /// Least time from the start of a transfer until the first of its data have arrived.
    pub(super) fn latency(&self, transfer: &WireTransfer) -> f64 {
        let through = transfer.pair.map_or(0.0, |p| self.pairs.pair(p).through);
        self.up[transfer.src].latency + through + self.down[transfer.dst].latency
    }

    /// Least time from the start of a transfer until its last byte has left its host.
    pub(super) fn sending(&self, transfer: &WireTransfer) -> f64 {
        let several = transfer.pair.and_then(|pair| self.pairs.pair(pair).first);
        match several {
            Some(first) => transfer.wire / self.pairs.out_of_hosts.rate(first),
            None => self.up[transfer.src].time(transfer.wire),
        }
    }

    /// Least time from the delivery of a transfer until its acknowledgement has arrived.
    pub(super) fn acknowledgement(&self, transfer: &WireTransfer) -> f64 {
        let inner = transfer.pair.map_or(0.0, |p| self.pairs.pair(p).back);
        self.up[transfer.src].back + inner + self.down[transfer.dst].back
    }

    /// The least time before a transfer between edges reaches its first switch, and from its last
    /// switch to its host, all of it before for a fluid; `None` within one edge.
    pub(super) fn ends(&self, transfer: &WireTransfer) -> Option<(f64, f64)> {
        transfer.pair?;
        let (first, last) = (self.up[transfer.src].latency, self.down[transfer.dst].latency);
        Some(match self.framing {
            Framing::Packets { .. } => (first, last),
            Framing::Fluid => (first + last, 0.0),
        })
    }

    /// The largest bound over all resources of each kind. `jobs` yields transfers with the least time before each starts and
    /// after each has arrived.
    pub(super) fn bounds(
        &self,
        kinds: &[ResourceKind],
        jobs: impl Iterator<Item = (WireTransfer, f64, f64)>,
    ) -> Vec<f64> {
        let sets = self.pairs.out_of_hosts.len().max(self.pairs.into_hosts.len());
        let nodes = self.pairs.divisions[0].nodes();
        let count = self.pairs.len().max(nodes).max(self.up.len() + sets);
        let mut of_kinds = vec![(vec![Resource::default(); count], vec![0.0; count]); kinds.len()];
        for (transfer, before, after) in jobs {
            for (&kind, (resources, rates)) in kinds.iter().zip(&mut of_kinds) {
                if let Some(demand) = self.demand(kind, &transfer) {
                    let at = demand.resource as usize;
                    rates[at] = demand.rate;
                    resources[at].add(before + demand.head, transfer.wire, demand.tail + after);
                }
            }
        }
        let largest = |(mut resources, rates): (Vec<Resource>, Vec<f64>)| {
            let ends = resources
                .iter_mut()
                .zip(rates)
                .map(|(resource, rate)| resource.take(rate));
            ends.fold(0.0, f64::max)
        };
        of_kinds.into_iter().map(largest).collect()
    }
}
