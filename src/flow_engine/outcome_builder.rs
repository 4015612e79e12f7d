//! What is known about every flow, and the outcome made of it at the end.

use std::collections::{BTreeMap, HashMap};

use super::routes::{Routes, link_loads};
use crate::ids::{Id, NodeId, TaskId};
use crate::outcome::{
    Counters, FctSummary, FlowRecord, LinkRecord, Observe, Outcome, Reached, Stuck, TOO_LATE, TaskTimes, Unfinished,
};
use crate::placement::Placement;
use crate::routes::Route;
use crate::topology::Fabric;
use crate::units::{Rate, Time};
use crate::workload::{Action, Schedule, Task, Transfer};

/// One flow; times in picoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Flow {
    /// When it started; NaN before.
    pub start: f64,
    /// When the last byte that has been sent so far left the sender.
    pub sent: f64,
    /// When it reaches the receiver.
    pub delivered: f64,
    /// When the acknowledgement of that byte reaches the sender.
    pub acked: f64,
    /// Sub-flows still to be sent.
    pub left: u32,
}

impl Flow {
    /// A flow that has not started.
    pub(super) const WAITING: Self = Self {
        start: f64::NAN,
        sent: 0.0,
        delivered: 0.0,
        acked: 0.0,
        left: 0,
    };

    pub(super) fn finished(&self) -> bool {
        self.left == 0 && !self.start.is_nan()
    }
}

/// A time of the engine as a whole number of picoseconds: rounded up, so that no flow seems to
/// beat a bound, unless it lies above a whole number by no more than rounding can explain.
pub(super) fn whole_ps(time: f64) -> Time {
    let nearest = (time + 0.5) as u64;
    let above = time - nearest as f64 > time * 1e-12;
    Time(nearest.saturating_add(u64::from(above)))
}

/// The flow of every task: its own, or that of the task that stands for it.
pub(super) struct Flows<'a> {
    flows: &'a [Flow],
    class_of: Option<&'a [u32]>,
}

impl<'a> Flows<'a> {
    pub(super) fn each(flows: &'a [Flow]) -> Self {
        let class_of = None;
        Self { flows, class_of }
    }

    /// Of a folded run, with the task in it that stands for each.
    pub(super) fn folded(flows: &'a [Flow], class_of: &'a [u32]) -> Self {
        let class_of = Some(class_of);
        Self { flows, class_of }
    }

    /// Tells of every flow, or of each that stands for others how many these are, with the first task of them.
    fn for_each(&self, mut tell: impl FnMut(&Flow, u64, TaskId)) {
        let Some(class_of) = self.class_of else {
            let flows = self.flows.iter().zip((0..).map(TaskId));
            return flows.for_each(|(flow, id)| tell(flow, 1, id));
        };
        let mut counts = vec![(0, TaskId::NONE); self.flows.len()];
        for (id, &class) in (0..).map(TaskId).zip(class_of) {
            let (count, first) = &mut counts[class as usize];
            if *count == 0 {
                *first = id;
            }
            *count += 1;
        }
        for (flow, (count, first)) in self.flows.iter().zip(counts) {
            tell(flow, count, first);
        }
    }

    fn of(&self, task: TaskId) -> &'a Flow {
        let class = self
            .class_of
            .map_or(task.index(), |class_of| class_of[task.index()] as usize);
        &self.flows[class]
    }
}

/// What a run is of.
pub(super) struct Built<'a> {
    pub fabric: &'a Fabric,
    pub schedule: &'a Schedule,
    pub placement: &'a Placement,
    pub routes: &'a Routes,
}

impl Built<'_> {
    /// The outcome of a run in which every flow finished.
    pub(super) fn outcome(&self, flows: &Flows<'_>, observe: &Observe, events: u64) -> Outcome {
        let Self {
            fabric,
            schedule,
            placement,
            routes,
        } = *self;
        let mut outcome = Outcome {
            counters: Counters {
                events,
                ..Counters::default()
            },
            ..Outcome::default()
        };
        let mut times: BTreeMap<Time, u64> = BTreeMap::new();
        let mut each = Vec::new();
        flows.for_each(|flow, count, first| match schedule.action(first) {
            Action::Transfer { .. } => {
                let delivered = whole_ps(flow.delivered);
                outcome.cct = outcome.cct.max(delivered);
                outcome.ended = outcome.ended.max(whole_ps(flow.acked));
                let time = delivered.saturating_sub(whole_ps(flow.start));
                match flows.class_of {
                    Some(_) => *times.entry(time).or_default() += count,
                    None => each.push(time),
                }
            }
            Action::Delay(time) if !time.is_zero() => outcome.cct = outcome.cct.max(whole_ps(flow.start)),
            Action::Delay(_) | Action::Trigger => {}
        });
        outcome.fct = match flows.class_of {
            Some(_) => FctSummary::counted(&times),
            None => FctSummary::of(each),
        };
        if observe.tasks {
            let tasks = schedule.tasks().zip((0..).map(TaskId));
            outcome.tasks = tasks.map(|(task, id)| interval(&task, flows.of(id))).collect();
        }
        if observe.flows {
            outcome.flows = records(fabric, schedule, placement, routes, flows);
        }
        if observe.links {
            let record = |bytes| LinkRecord {
                bytes,
                wire_bytes: bytes,
                ..LinkRecord::default()
            };
            let loads = link_loads(fabric, schedule, placement, routes);
            outcome.links = loads.into_iter().map(record).collect();
        }
        outcome
    }
}

/// When a task was under way.
fn interval(task: &Task, flow: &Flow) -> TaskTimes {
    let end = match task.action {
        Action::Transfer { .. } => whole_ps(flow.delivered),
        // Of a delay, the start is its end.
        _ => whole_ps(flow.start),
    };
    let start = match task.action {
        Action::Transfer { .. } => whole_ps(flow.start),
        Action::Delay(time) => end.saturating_sub(time),
        Action::Trigger => end,
    };
    TaskTimes { start, end }
}

fn records(
    fabric: &Fabric,
    schedule: &Schedule,
    placement: &Placement,
    routes: &Routes,
    flows: &Flows<'_>,
) -> Vec<FlowRecord> {
    let mut ideals = Ideals {
        fabric,
        routes,
        known: HashMap::new(),
    };
    let mut segments = Vec::new();
    let record = |Transfer { task, src, dst, bytes }: Transfer| {
        let flow = flows.of(task);
        let subflows = placement.of(task);
        segments.clear();
        segments.extend_from_slice(&routes.of_subflow[placement.range(task)]);
        segments.sort_unstable();
        segments.dedup();
        let paths: u32 = segments.iter().map(|&s| routes.segments[s].paths).sum();
        let (src, dst) = (src.node(), dst.node());
        let spread = subflows.len() > 1 || !matches!(subflows[0].route, Route::Pinned(_));
        FlowRecord {
            task,
            reached: Reached::Acked,
            delivered_bytes: bytes,
            start: whole_ps(flow.start),
            delivered: whole_ps(flow.delivered),
            acked: whole_ps(flow.acked),
            ideal: ideals.of(src, dst, bytes, spread),
            subflows: subflows.len() as u32,
            paths: paths.min(fabric.path_count(src, dst)),
            retransmits: 0,
            reordered: 0,
            extent: 0,
        }
    };
    schedule.transfers().map(record).collect()
}

/// What an idle fabric offers between two edges, by rising delay.
#[derive(Debug, Clone, Default)]
struct Offer {
    /// Rate and delay of single paths, each faster than all that have less delay.
    single: Vec<(Rate, Time)>,
    /// Rates of all paths of that delay.
    joint: Vec<(Rate, Time)>,
}

impl Offer {
    /// The least time of `bytes` on one path, with `own` the rate of the hosts' own links.
    fn on_one(&self, bytes: u64, own: Rate) -> Time {
        let times = self.single.iter();
        let times = times.map(|&(rate, delay)| rate.min(own).transmission_time(bytes) + delay);
        times.min().unwrap_or(Time::MAX)
    }

    /// The same on all paths at once, each from when its first byte can have arrived: those of more
    /// delay help only if the others are not done before.
    fn on_all(&self, bytes: u64, own: Rate) -> Time {
        let Some(&(first, least)) = self.joint.first() else {
            return Time::MAX;
        };
        let mut best = first.transmission_time(bytes) + least;
        let (mut rate, mut work) = (first.bytes_per_ps(), bytes as f64);
        for &(more, delay) in &self.joint[1..] {
            rate += more.bytes_per_ps();
            work += more.bytes_per_ps() * (delay - least).0 as f64;
            best = best.min(whole_ps(work / rate) + least);
        }
        best.max(own.transmission_time(bytes) + least)
    }
}

/// Ideal completion times: those of a flow alone.
struct Ideals<'a> {
    fabric: &'a Fabric,
    routes: &'a Routes,
    known: HashMap<(NodeId, NodeId), Offer>,
}

impl Ideals<'_> {
    /// On one path, or, for a flow that is spread, on all of them at once.
    fn of(&mut self, src: NodeId, dst: NodeId, bytes: u64, spread: bool) -> Time {
        let fabric = self.fabric;
        let key = (fabric.edge(src), fabric.edge(dst));
        let routes = self.routes;
        let offer = self
            .known
            .entry(key)
            .or_insert_with(|| Self::offer(fabric, routes, src, dst));
        let up = routes.ports[src.index()].map(|port| port.up);
        let down = routes.ports[dst.index()].map(|port| port.down);
        let (mut own, mut delay) = (Rate::MAX, Time::ZERO);
        for link in up.into_iter().chain(down).map(|id| fabric.link(id)) {
            own = own.min(link.rate);
            delay += link.delay;
        }
        let inner = if spread {
            offer.on_all(bytes, own)
        } else {
            offer.on_one(bytes, own)
        };
        inner + delay
    }

    fn offer(fabric: &Fabric, routes: &Routes, src: NodeId, dst: NodeId) -> Offer {
        let first = usize::from(routes.ports[src.index()].is_some());
        let last = usize::from(routes.ports[dst.index()].is_some());
        // The highest rate of one path and the rates of all, by delay.
        let mut by_delay: BTreeMap<Time, (Rate, Rate)> = BTreeMap::new();
        for path in fabric.paths(src, dst) {
            let inner = &path[first..path.len() - last];
            let rate = inner.iter().map(|&id| fabric.link(id).rate).min().unwrap_or(Rate::MAX);
            let (highest, all) = by_delay.entry(fabric.path_delay(inner)).or_default();
            *highest = rate.max(*highest);
            *all = all.saturating_add(rate);
        }
        let mut offer = Offer::default();
        for (delay, (highest, all)) in by_delay {
            if offer.single.last().is_none_or(|&(rate, _)| rate < highest) {
                offer.single.push((highest, delay));
            }
            offer.joint.push((all, delay));
        }
        offer
    }
}

/// The flows that did not finish, each with the reason.
pub(super) fn stuck(schedule: &Schedule, routes: &Routes, flows: &[Flow], now: f64) -> Stuck {
    let mut waits_for: Vec<Vec<TaskId>> = vec![Vec::new(); schedule.tasks().len()];
    for task in (0..schedule.tasks().len()).map(TaskId::from) {
        let happened = match schedule.task(task).action {
            Action::Transfer { .. } => flows[task.index()].finished(),
            Action::Delay(_) => !flows[task.index()].start.is_nan(),
            Action::Trigger => false,
        };
        for &(next, _) in schedule.successors(task) {
            if !happened {
                waits_for[next.index()].push(task);
            }
        }
    }
    let reason = |task: TaskId| {
        if now > Time::LATEST.0 as f64 {
            return TOO_LATE.to_owned();
        }
        if let Ok(i) = routes.impossible.binary_search_by_key(&task, |&(task, _)| task) {
            return routes.impossible[i].1.clone();
        }
        match waits_for[task.index()].as_slice() {
            [] => "it was never released".to_owned(),
            [one] => format!("it waits for {}", describe(schedule, *one)),
            [one, rest @ ..] => format!("it waits for {} and {} more", describe(schedule, *one), rest.len()),
        }
    };
    let unfinished = schedule
        .transfers()
        .filter(|Transfer { task, .. }| !flows[task.index()].finished())
        .map(|Transfer { task, .. }| Unfinished {
            task,
            delivered: 0,
            reason: reason(task),
        });
    Stuck {
        at: whole_ps(now).min(Time::LATEST),
        flows: schedule.transfer_count(),
        unfinished: unfinished.collect(),
        deadlock: None,
        limit: None,
    }
}

fn describe(schedule: &Schedule, task: TaskId) -> String {
    match schedule.task(task).action {
        Action::Transfer { .. } => format!("flow {task}"),
        Action::Delay(_) => format!("delay {task}"),
        Action::Trigger => format!("trigger {task}"),
    }
}
