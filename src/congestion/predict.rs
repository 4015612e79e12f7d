//! The completion time of a placement at flow level, without simulating.
//!
//! All transfers of a step count as if they started together and shared links in proportion to
//! their size: then a flow is sent when the most loaded link on its way has drained, and arrives a
//! path delay later. Steps are chained through the schedule's dependencies.
//!
//! Exact for one step whose transfers start together, under max-min sharing with sub-flows weighted
//! by size, as far as the last flow to end is one on the most loaded link; and for collectives whose
//! steps do not overlap and load their links alike. An estimate elsewhere: flows that a slower link
//! holds back leave room to others, and steps that overlap share links.

use super::framing::Framing;
use super::timeline::{self, Duration};
use crate::ids::{HostId, Id, IdVec, LinkId, NodeId, TaskId};
use crate::loads::{LinkLoads, PairId, PairIndex};
use crate::placement::{Placement, Subflow};
use crate::routes::{EdgeSwitches, PathDagBuilder, Route};
use crate::topology::Fabric;
use crate::units::Time;
use crate::workload::{Action, Schedule, Transfer};

/// Transfers times nodes that forward, up to which paths are looked at one by one.
const MOST_CELLS: u64 = 100_000_000;
/// Fewer transfers always are.
const FEW: usize = 1_000;

/// The predicted completion time; `None` where some sub-flow is routed dynamically, or where very many pairs of hosts have
/// very many paths.
pub(super) fn predict(fabric: &Fabric, schedule: &Schedule, placement: &Placement, framing: Framing) -> Option<Time> {
    let transfers = schedule.transfer_count();
    let ported = (0..fabric.hosts()).any(|host| fabric.has_ports(NodeId(host)));
    if ported && transfers > FEW && transfers as u64 * fabric.table_width() > MOST_CELLS {
        return None;
    }
    let mut cct = 0.0_f64;
    if schedule.dependencies() == 0 {
        // Nothing waits: what each takes need not be kept.
        Durations::new(fabric, framing).each(schedule, placement, |task, duration| {
            cct = cct.max(schedule.task(task).earliest.0 as f64 + duration.delivered);
        })?;
        for task in schedule.tasks() {
            if let Action::Delay(time) = task.action
                && !time.is_zero()
            {
                cct = cct.max((task.earliest + time).0 as f64);
            }
        }
        return Some(Time(cct.round() as u64));
    }
    let durations = Durations::new(fabric, framing).of(schedule, placement)?;
    timeline::run(
        schedule,
        |task| durations[task.index()],
        |_, start, duration| cct = cct.max(start + duration.delivered),
    );
    Some(Time(cct.round() as u64))
}

/// How long each transfer of a schedule of one step takes, by task.
pub(super) fn first_step(
    fabric: &Fabric,
    schedule: &Schedule,
    placement: &Placement,
    framing: Framing,
) -> Option<Vec<Duration>> {
    Durations::new(fabric, framing).of(schedule, placement)
}

/// What a sub-flow meets on its way.
#[derive(Debug, Clone, Copy, Default)]
struct Way {
    /// Time until the most loaded link has drained, in picoseconds.
    drain: f64,
    /// Sum of propagation delays, and of those there and back.
    delay: f64,
    round_trip: f64,
    /// Time per byte to transmit on every link, and on the slowest.
    per_byte: f64,
    slowest: f64,
}

impl Way {
    fn and(self, link: Self) -> Self {
        Self {
            drain: self.drain.max(link.drain),
            delay: self.delay + link.delay,
            round_trip: self.round_trip + link.round_trip,
            per_byte: self.per_byte + link.per_byte,
            slowest: self.slowest.max(link.slowest),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            drain: self.drain.max(other.drain),
            delay: self.delay.max(other.delay),
            round_trip: self.round_trip.max(other.round_trip),
            per_byte: self.per_byte.max(other.per_byte),
            slowest: self.slowest.max(other.slowest),
        }
    }
}

/// Computes how long each transfer takes among those of its step.
struct Durations<'a> {
    fabric: &'a Fabric,
    framing: Framing,
    edges: EdgeSwitches,
    loads: LinkLoads<'a>,
    builder: PathDagBuilder<'a>,
    /// Pairs of the step that are spread over all their paths, and the worst of those.
    spread: PairIndex,
    worst: IdVec<PairId, Way>,
}

impl<'a> Durations<'a> {
    fn new(fabric: &'a Fabric, framing: Framing) -> Self {
        let edges = EdgeSwitches::new(fabric);
        Self {
            fabric,
            framing,
            loads: LinkLoads::new(fabric),
            builder: PathDagBuilder::new(fabric),
            spread: PairIndex::new(edges.len()),
            worst: IdVec::new(),
            edges,
        }
    }

    /// By task; nothing for tasks that are no transfers.
    fn of(&mut self, schedule: &Schedule, placement: &Placement) -> Option<Vec<Duration>> {
        let mut durations = vec![Duration::default(); schedule.tasks().len()];
        self.each(schedule, placement, |task, duration| durations[task.index()] = duration)?;
        Some(durations)
    }

    /// Tells what each transfer takes, step by step.
    fn each(
        &mut self,
        schedule: &Schedule,
        placement: &Placement,
        mut tell: impl FnMut(TaskId, Duration),
    ) -> Option<()> {
        let framing = self.framing;
        for step in schedule.transfers_by_step() {
            self.loads.clear();
            for &task in &step {
                let transfer = schedule.transfer(task)?;
                placement.load(&mut self.loads, transfer, &|bytes| framing.wire(bytes) as f64)?;
            }
            self.loads.finish();
            self.survey_spread_pairs(schedule, placement, &step);
            for &task in &step {
                let Transfer { src, dst, .. } = schedule.transfer(task)?;
                let subflows = placement.of(task).iter().filter(|_| src != dst);
                let times = subflows.map(|subflow| self.time(src, dst, subflow));
                let duration = times.fold(Duration::default(), |all, subflow| Duration {
                    begun: all.begun.max(subflow.begun),
                    sent: all.sent.max(subflow.sent),
                    delivered: all.delivered.max(subflow.delivered),
                    acked: all.acked.max(subflow.acked),
                });
                tell(task, duration);
            }
        }
        Some(())
    }

    fn time(&self, src: HostId, dst: HostId, subflow: &Subflow) -> Duration {
        let way = self.way(src, dst, subflow.route);
        let packet = match self.framing {
            Framing::Fluid => 0.0,
            Framing::Packets { payload, header } => (subflow.bytes.min(payload) + header) as f64,
        };
        let through = way.drain + packet * (way.per_byte - way.slowest);
        Duration {
            begun: way.delay + packet * way.per_byte,
            sent: way.drain,
            delivered: through + way.delay,
            acked: through + way.round_trip,
        }
    }

    fn way(&self, src: HostId, dst: HostId, route: Route) -> Way {
        let (from, to) = (self.edges.of(src), self.edges.of(dst));
        match route {
            Route::Pinned(index) => {
                let path = self.fabric.path(src.node(), dst.node(), index);
                path.iter().map(|&link| self.link(link)).fold(Way::default(), Way::and)
            }
            _ => {
                let inner = (from != to).then(|| self.worst[self.spread.of(from, to)]);
                let up = self.edges.attachment(src).map(|a| self.link(a.up));
                let down = self.edges.attachment(dst).map(|a| self.link(a.down));
                [up, inner, down].into_iter().flatten().fold(Way::default(), Way::and)
            }
        }
    }

    fn link(&self, id: LinkId) -> Way {
        let link = self.fabric.link(id);
        let per_byte = 1.0 / link.rate.bytes_per_ps();
        let (there, back) = (link.delay.0 as f64, self.fabric.link(link.reverse).delay.0 as f64);
        Way {
            drain: self.loads.of(id) * per_byte,
            delay: there,
            round_trip: there + back,
            per_byte,
            slowest: per_byte,
        }
    }

    /// The worst of all paths of every pair that is spread over them.
    fn survey_spread_pairs(&mut self, schedule: &Schedule, placement: &Placement, step: &[TaskId]) {
        self.spread.clear();
        let mut pairs = Vec::new();
        for &task in step {
            let Some(Transfer { src, dst, .. }) = schedule.transfer(task) else {
                continue;
            };
            let (from, to) = (self.edges.of(src), self.edges.of(dst));
            let is_spread = placement.of(task).iter().any(|p| !matches!(p.route, Route::Pinned(_)));
            if from != to && is_spread && self.spread.number(from, to).index() == pairs.len() {
                pairs.push((to, from));
            }
        }
        self.worst.clear();
        self.worst.resize(pairs.len(), Way::default());
        pairs.sort_unstable();
        for alike in pairs.chunk_by(|a, b| a.0 == b.0) {
            let to = alike[0].0;
            let sources = alike.iter().map(|&(_, from)| self.edges.node(from));
            let dag = self
                .builder
                .build(self.edges.node(to), self.edges.receiver(to), sources);
            let mut worst = dag.filled(Way::default());
            for position in dag.rising() {
                let hops = dag.hops(position).iter();
                let through = hops.map(|hop| self.link(hop.link).and(worst[hop.to]));
                worst[position] = through.fold(Way::default(), Way::or);
            }
            for (&(to, from), &source) in alike.iter().zip(&dag.sources) {
                self.worst[self.spread.of(from, to)] = worst[source];
            }
        }
    }
}
