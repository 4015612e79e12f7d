//! What is known about every flow, and the outcome made of it at the end.

use std::collections::HashMap;

use super::routes::{Routes, link_loads};
use crate::ids::{NodeId, TaskId};
use crate::outcome::{Counters, FctSummary, FlowRecord, LinkRecord, Observe, Outcome, Reached, Stuck, Unfinished};
use crate::placement::{Placement, Route};
use crate::topology::Fabric;
use crate::units::{Rate, Time};
use crate::workload::{Action, Moment, Schedule};

/// One flow; times in picoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Flow {
    /// When it started; NaN before.
    pub start: f64,
    /// When the last byte that has been sent so far reaches the receiver.
    pub delivered: f64,
    /// When the acknowledgement of that byte reaches the sender.
    pub acked: f64,
    /// Pieces still to be sent.
    pub left: u32,
}

impl Flow {
    /// A flow that has not started.
    pub(super) const WAITING: Self = Self {
        start: f64::NAN,
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
    Time(nearest + u64::from(above))
}

/// The outcome of a run in which every flow finished.
pub(super) fn outcome(
    fabric: &Fabric,
    schedule: &Schedule,
    placement: &Placement,
    routes: &Routes,
    flows: &[Flow],
    observe: &Observe,
    events: u64,
) -> Outcome {
    let times = || schedule.transfers().map(|(task, ..)| &flows[task.index()]);
    let fct = times().map(|flow| whole_ps(flow.delivered).saturating_sub(whole_ps(flow.start)));
    let mut outcome = Outcome {
        cct: times().map(|flow| whole_ps(flow.delivered)).max().unwrap_or(Time::ZERO),
        fct: FctSummary::of(fct.collect()),
        counters: Counters {
            events,
            ..Counters::default()
        },
        ..Outcome::default()
    };
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

fn records(
    fabric: &Fabric,
    schedule: &Schedule,
    placement: &Placement,
    routes: &Routes,
    flows: &[Flow],
) -> Vec<FlowRecord> {
    let mut ideals = Ideals {
        fabric,
        routes,
        known: HashMap::new(),
    };
    let mut segments = Vec::new();
    let record = |(task, src, dst, bytes): (TaskId, u32, u32, u64)| {
        let flow = &flows[task.index()];
        let pieces = placement.of(task);
        let first = placement.first(task);
        segments.clear();
        segments.extend_from_slice(&routes.of_piece[first..first + pieces.len()]);
        segments.sort_unstable();
        segments.dedup();
        let paths: u32 = segments.iter().map(|&s| routes.segments[s as usize].paths).sum();
        let (src, dst) = (NodeId(src), NodeId(dst));
        let spread = pieces.len() > 1 || !matches!(pieces[0].route, Route::Pinned(_));
        FlowRecord {
            task,
            reached: Reached::Acked,
            delivered_bytes: bytes,
            start: whole_ps(flow.start),
            delivered: whole_ps(flow.delivered),
            acked: whole_ps(flow.acked),
            ideal: ideals.of(src, dst, bytes, spread),
            subflows: pieces.len() as u32,
            paths: paths.min(fabric.path_count(src, dst)),
            retransmits: 0,
            reordered: 0,
            extent: 0,
        }
    };
    schedule.transfers().map(record).collect()
}

/// What an idle fabric offers between two edges.
#[derive(Debug, Clone, Copy)]
struct Offer {
    /// Rate and delay of the path with the highest rate, then the lowest delay.
    single: (Rate, Time),
    /// Rates of all paths together, and the delay of the slowest.
    joint: (Rate, Time),
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
        let offer = match self.known.get(&key) {
            Some(&offer) => offer,
            None => {
                let offer = self.offer(src, dst);
                self.known.insert(key, offer);
                offer
            }
        };
        let (mut rate, mut delay) = if spread { offer.joint } else { offer.single };
        let up = self.routes.ports[src.index()].map(|port| port.up);
        let down = self.routes.ports[dst.index()].map(|port| port.down);
        for link in up.into_iter().chain(down).map(|id| fabric.link(id)) {
            rate = rate.min(link.rate);
            delay += link.delay;
        }
        rate.transmission_time(bytes) + delay
    }

    fn offer(&self, src: NodeId, dst: NodeId) -> Offer {
        let fabric = self.fabric;
        let first = usize::from(self.routes.ports[src.index()].is_some());
        let last = usize::from(self.routes.ports[dst.index()].is_some());
        let mut single = (Rate::ZERO, Time::MAX);
        let mut joint = (Rate::ZERO, Time::ZERO);
        for path in fabric.paths(src, dst) {
            let inner = &path[first..path.len() - last];
            let rate = inner.iter().map(|&id| fabric.link(id).rate).min().unwrap_or(Rate::MAX);
            let delay = fabric.path_delay(inner);
            if (rate, std::cmp::Reverse(delay)) > (single.0, std::cmp::Reverse(single.1)) {
                single = (rate, delay);
            }
            joint = (joint.0.saturating_add(rate), joint.1.max(delay));
        }
        Offer { single, joint }
    }
}

/// The flows that did not finish, each with the reason.
pub(super) fn stuck(schedule: &Schedule, routes: &Routes, flows: &[Flow], now: f64) -> Stuck {
    let mut waits_for: Vec<Vec<TaskId>> = vec![Vec::new(); schedule.tasks().len()];
    for task in (0..schedule.tasks().len()).map(TaskId::from) {
        let happened = match schedule.task(task).action {
            Action::Transfer { .. } => flows[task.index()].finished(),
            Action::Delay(_) => !flows[task.index()].start.is_nan(),
            Action::Relay => false,
        };
        for &(next, _) in schedule.successors(task) {
            if !happened {
                waits_for[next.index()].push(task);
            }
        }
    }
    let reason = |task: TaskId| {
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
        .filter(|(task, ..)| !flows[task.index()].finished())
        .map(|(task, ..)| Unfinished {
            task,
            delivered: 0,
            reason: reason(task),
        });
    Stuck {
        at: whole_ps(now),
        flows: schedule.transfer_count(),
        unfinished: unfinished.collect(),
    }
}

fn describe(schedule: &Schedule, task: TaskId) -> String {
    match schedule.task(task).action {
        Action::Transfer { .. } => format!("flow {task}"),
        Action::Delay(_) => format!("delay {task}"),
        Action::Relay => format!("trigger {task}"),
    }
}

/// The moments of a finished flow, with the time of each.
pub(super) fn moments(flow: &Flow) -> [(f64, Moment); 2] {
    [(flow.delivered, Moment::Delivered), (flow.acked, Moment::Acked)]
}
