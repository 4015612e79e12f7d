//! The machines that every transfer needs: its NICs, and the cuts between its ends.

use super::edges::{Edges, HostLinks, PairAmount, PairSums};
use super::framing::Framing;
use super::one_machine::Machine;
use super::pairs::{Pairs, RouteSet};
use crate::ids::LinkId;
use crate::topology::Fabric;
use crate::workload::Schedule;

/// A kind of machine; one transfer needs at most one of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// All links in use out of a host.
    NicOut,
    /// All links in use into a host.
    NicIn,
    /// All links in use out of a set of one division.
    CutOut(usize),
    /// All links in use into a set of one division.
    CutIn(usize),
    /// All paths from one edge to another.
    Pair,
}

/// What a transfer needs of one machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Need {
    /// Host, set of the division, or pair.
    pub machine: u32,
    /// Bytes per picosecond.
    pub rate: f64,
    /// Least time from the start of the transfer until its first byte can be there, in picoseconds.
    pub head: f64,
    /// Least time from its last byte leaving the machine until that has arrived.
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
pub(super) struct Machines {
    pub(super) framing: Framing,
    edges: Edges,
    pairs: Pairs,
    /// Payload bytes between edges.
    pub(super) demand: Vec<PairAmount>,
    up: Vec<Nic>,
    down: Vec<Nic>,
}

/// A transfer prepared for several questions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leg {
    src: u32,
    dst: u32,
    /// Number of its pair of edges; none within one edge.
    pair: Option<u32>,
    /// Bytes on the wire.
    pub wire: f64,
}

impl Machines {
    pub(super) fn new(fabric: &Fabric, routes: RouteSet, schedule: &Schedule, framing: Framing) -> Self {
        let edges = Edges::new(fabric);
        let nics = |link: fn(HostLinks) -> LinkId| -> Vec<Nic> {
            let links = (0..fabric.hosts()).map(|host| edges.links(host).map(link));
            let nic = |id: Option<LinkId>| id.map_or(Nic::default(), |id| Nic::new(fabric, id, framing));
            links.map(nic).collect()
        };
        let (up, down) = (nics(|l| l.up), nics(|l| l.down));
        let mut sums = PairSums::new(edges.len());
        let mut busy = vec![[0.0_f64; 2]; fabric.hosts() as usize];
        for (_, src, dst, bytes) in schedule.transfers().filter(|&(_, src, dst, _)| src != dst) {
            let (from, to) = (edges.of(src), edges.of(dst));
            if from != to {
                sums.add(from, to, bytes as f64);
            }
            busy[src as usize][0] += bytes as f64;
            busy[dst as usize][1] += bytes as f64;
        }
        let demand = sums.take();
        // Any set of links that is done before the busiest NIC does not matter.
        let busiest = busy
            .iter()
            .zip(up.iter().zip(&down))
            .fold(0.0_f64, |busiest, ([out, into], (up, down))| {
                busiest.max(up.time(*out)).max(down.time(*into))
            });
        let fastest = |nics: &[Nic]| {
            let mut fastest = vec![0.0_f64; edges.len()];
            for (host, nic) in nics.iter().enumerate() {
                let rate = if nic.rate > 0.0 { nic.rate } else { f64::INFINITY };
                let edge = edges.of(host as u32) as usize;
                fastest[edge] = fastest[edge].max(rate);
            }
            fastest
        };
        let (fastest_out, fastest_in) = (fastest(&up), fastest(&down));
        let enough = |pair: &PairAmount| {
            let nic = fastest_out[pair.src as usize].min(fastest_in[pair.dst as usize]);
            nic.max(pair.amount / busiest)
        };
        let pairs = match routes {
            RouteSet::EqualCost => Pairs::new(fabric, &edges, framing, &demand, enough),
            RouteSet::Any => Pairs::of_any_route(fabric, &edges, framing, &demand),
        };
        Self {
            framing,
            edges,
            pairs,
            demand,
            up,
            down,
        }
    }

    /// Whether some host has several cables, and so links to choose from.
    pub(super) fn some_host_chooses(&self) -> bool {
        (0..self.up.len() as u32).any(|host| self.edges.links(host).is_none())
    }

    /// All kinds of machines of this fabric.
    pub(super) fn families(&self) -> Vec<Family> {
        let cuts = (0..self.pairs.divisions.len()).flat_map(|d| [Family::CutOut(d), Family::CutIn(d)]);
        let others = [Family::NicOut, Family::NicIn, Family::Pair];
        others.into_iter().chain(cuts).collect()
    }

    /// Prepares a transfer; `None` for one that stays on its host.
    pub(super) fn leg(&self, src: u32, dst: u32, bytes: u64) -> Option<Leg> {
        if src == dst {
            return None;
        }
        let (from, to) = (self.edges.of(src), self.edges.of(dst));
        Some(Leg {
            src,
            dst,
            pair: (from != to).then(|| self.pairs.index(from, to)),
            wire: self.framing.wire(bytes) as f64,
        })
    }

    /// What a transfer needs of one kind of machine.
    //
    // A fluid loads all links of its path at once, when its first byte can be at the last of them: all of its delay
    // lies before it needs the machine, wherever on the path that is.
    pub(super) fn need(&self, family: Family, leg: &Leg) -> Option<Need> {
        let need = self.need_of_packets(family, leg)?;
        Some(match self.framing {
            Framing::Packets { .. } => need,
            Framing::Fluid => Need {
                head: need.head + need.tail,
                tail: 0.0,
                ..need
            },
        })
    }

    fn need_of_packets(&self, family: Family, leg: &Leg) -> Option<Need> {
        let (up, down) = (&self.up[leg.src as usize], &self.down[leg.dst as usize]);
        let through = leg.pair.map_or(0.0, |p| self.pairs.pair(p).through);
        let node = |host: u32| self.edges.node(self.edges.of(host));
        match family {
            Family::NicOut if up.rate > 0.0 => Some(Need {
                machine: leg.src,
                rate: up.rate,
                head: 0.0,
                tail: up.delay + through + down.latency,
            }),
            Family::NicIn if down.rate > 0.0 => Some(Need {
                machine: leg.dst,
                rate: down.rate,
                head: up.latency + through,
                tail: down.delay,
            }),
            // A host of several cables is an edge of its own: the first division tells all of them apart.
            Family::NicOut => {
                let own = self.edges.links(leg.src).is_none();
                own.then(|| self.need_of_packets(Family::CutOut(0), leg))?
            }
            Family::NicIn => {
                let own = self.edges.links(leg.dst).is_none();
                own.then(|| self.need_of_packets(Family::CutIn(0), leg))?
            }
            Family::CutOut(d) => {
                let out = self.pairs.crossings(leg.pair?)[d].out;
                let machine = self.pairs.divisions[d].of(node(leg.src));
                out.happens().then(|| Need {
                    machine,
                    rate: self.pairs.rates[d].out[machine as usize],
                    head: up.latency + out.head,
                    tail: out.tail + down.latency,
                })
            }
            Family::CutIn(d) => {
                let into = self.pairs.crossings(leg.pair?)[d].into;
                let machine = self.pairs.divisions[d].of(node(leg.dst));
                into.happens().then(|| Need {
                    machine,
                    rate: self.pairs.rates[d].into[machine as usize],
                    head: up.latency + into.head,
                    tail: into.tail + down.latency,
                })
            }
            Family::Pair => {
                let pair = self.pairs.pair(leg.pair?);
                pair.rate.is_finite().then(|| Need {
                    machine: leg.pair.unwrap_or(0),
                    rate: pair.rate,
                    head: up.latency,
                    tail: pair.through_but_one + down.latency,
                })
            }
        }
    }

    /// Least time from the start of a transfer until its last byte has arrived, alone on its fabric.
    pub(super) fn span(&self, leg: &Leg) -> f64 {
        let (up, down) = (&self.up[leg.src as usize], &self.down[leg.dst as usize]);
        let (through, but_one, rate) = leg.pair.map_or((0.0, 0.0, f64::INFINITY), |p| {
            let pair = self.pairs.pair(p);
            (pair.through, pair.through_but_one, pair.rate)
        });
        let mut span = up.latency + but_one + leg.wire / rate + down.latency;
        if up.rate > 0.0 {
            span = span.max(leg.wire / up.rate + up.delay + through + down.latency);
        }
        if down.rate > 0.0 {
            span = span.max(up.latency + through + leg.wire / down.rate + down.delay);
        }
        span
    }

    /// Least time from the start of a transfer until the first of its data have arrived.
    pub(super) fn latency(&self, leg: &Leg) -> f64 {
        let through = leg.pair.map_or(0.0, |p| self.pairs.pair(p).through);
        self.up[leg.src as usize].latency + through + self.down[leg.dst as usize].latency
    }

    /// Least time from the start of a transfer until its last byte has left its host.
    pub(super) fn sending(&self, leg: &Leg) -> f64 {
        self.up[leg.src as usize].time(leg.wire)
    }

    /// Least time from the delivery of a transfer until its acknowledgement has arrived.
    pub(super) fn acknowledgement(&self, leg: &Leg) -> f64 {
        let inner = leg.pair.map_or(0.0, |p| self.pairs.pair(p).back);
        self.up[leg.src as usize].back + inner + self.down[leg.dst as usize].back
    }

    /// The least time before a transfer between edges reaches its first switch, and from its last
    /// switch to its host, all of it before for a fluid; `None` within one edge.
    pub(super) fn ends(&self, leg: &Leg) -> Option<(f64, f64)> {
        leg.pair?;
        let (first, last) = (self.up[leg.src as usize].latency, self.down[leg.dst as usize].latency);
        Some(match self.framing {
            Framing::Packets { .. } => (first, last),
            Framing::Fluid => (first + last, 0.0),
        })
    }

    /// The largest bound over all machines of one kind. `jobs` yields transfers with the least
    /// time before each starts and after each has arrived.
    pub(super) fn bound(&self, family: Family, jobs: impl Iterator<Item = (Leg, f64, f64)>) -> f64 {
        let count = self.pairs.len().max(self.pairs.divisions[0].nodes());
        let mut machines = vec![Machine::default(); count];
        let mut rates = vec![0.0; count];
        for (leg, before, after) in jobs {
            if let Some(need) = self.need(family, &leg) {
                rates[need.machine as usize] = need.rate;
                machines[need.machine as usize].add(before + need.head, leg.wire, need.tail + after);
            }
        }
        let ends = machines.iter_mut().zip(rates).map(|(machine, rate)| machine.take(rate));
        ends.fold(0.0, f64::max)
    }
}
