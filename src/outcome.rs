//! What a simulation yields, whichever engine ran it.

use std::collections::BTreeMap;

use crate::ids::{LinkId, TaskId};
use crate::units::{Rate, Time};

/// What to record besides completion times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Observe {
    /// Record every flow ([`Outcome::flows`]); aggregates are always there.
    pub flows: bool,
    /// Record every link ([`Outcome::links`]).
    pub links: bool,
    /// Sample queues and rates at this interval ([`Outcome::series`]); packet engine.
    pub series: Option<Time>,
    /// Sample what senders know at this interval ([`Outcome::senders`]); packet engine.
    pub senders: Option<Time>,
    /// Record when every task was under way ([`Outcome::tasks`]).
    pub tasks: bool,
}

/// How far a flow came by the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// It has not begun.
    Nothing,
    /// Its first packet has left.
    Started,
    /// Its last data byte has reached the receiver.
    Delivered,
    /// Its last acknowledgement has reached the sender.
    Acked,
}

/// When a task was under way: from the start of a transfer until its last data byte had arrived, or from the beginning of
/// a delay to its end. Both are zero for what has not happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TaskTimes {
    /// When it began.
    pub start: Time,
    /// When it was done.
    pub end: Time,
}

/// One flow (a transfer of the schedule). What had not happened when the run was stopped has that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowRecord {
    /// The transfer.
    pub task: TaskId,
    /// How far it came.
    pub reached: Reached,
    /// Payload bytes that have reached the receiver.
    pub delivered_bytes: u64,
    /// When it started to send.
    pub start: Time,
    /// When its last data byte reached the receiver.
    pub delivered: Time,
    /// When the last acknowledgement reached the sender.
    pub acked: Time,
    /// Completion time (`delivered - start`) of the same flow alone on its fastest path.
    pub ideal: Time,
    /// Sub-flows it was sent in.
    pub subflows: u32,
    /// Distinct paths its data took.
    pub paths: u32,
    /// Packets sent again; packet engine.
    pub retransmits: u32,
    /// Packets that arrived after a later one; packet engine.
    pub reordered: u32,
    /// The most numbers by which one of them lay behind the highest that had arrived; packet engine.
    pub extent: u32,
}

/// One directed link.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LinkRecord {
    /// Payload bytes that crossed it (fractional where a fluid flow is spread).
    pub bytes: f64,
    /// Bytes that crossed it with headers and control packets; the same as `bytes` in the flow engine.
    pub wire_bytes: f64,
    /// Highest fill of its output queue in bytes; packet engine.
    pub max_queue: u64,
    /// Packets that found no room.
    pub drops: u64,
    /// Packets cut to their headers.
    pub trims: u64,
    /// Packets marked as congested.
    pub ecn_marks: u64,
    /// Times at which flow control held it back.
    pub pauses: u64,
    /// Time for which flow control held its data back, in all and at a stretch.
    pub paused: Time,
    /// The longest time without a break.
    pub longest_pause: Time,
}

/// Totals over the run; zero where an engine has no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Data packets injected.
    pub packets: u64,
    /// Link traversals of all packets, acknowledgements included.
    pub packet_hops: u64,
    /// Events the engine processed.
    pub events: u64,
    /// Packets marked, counted once for each.
    pub ecn_marks: u64,
    /// Packets that found no room.
    pub drops: u64,
    /// Packets cut to their headers.
    pub trims: u64,
    /// Times at which flow control held a link back.
    pub pauses: u64,
    /// Packets sent again.
    pub retransmits: u64,
}

/// Queues and rates over time, in order of time, then link; intervals in which a link was idle with
/// an empty queue are left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// Time from one sample of a link to the next.
    pub interval: Time,
    /// By time, then by link.
    pub samples: Vec<Sample>,
}

/// One link over one interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// End of the interval.
    pub at: Time,
    /// The link.
    pub link: LinkId,
    /// Fill of the output queue at the end of the interval, in bytes.
    pub queue: u64,
    /// Wire bytes sent in the interval.
    pub sent: u64,
}

/// What the sender of a sub-flow knew at a moment; `None` where its transport has no such thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SenderSample {
    /// The time.
    pub at: Time,
    /// The transfer.
    pub task: TaskId,
    /// Sub-flow of its flow, from 0.
    pub subflow: u32,
    /// Wire bytes in flight, in full packets, and those that may be.
    pub in_flight: u64,
    /// Bytes that may be in flight, where the transport has a window.
    pub window: Option<u64>,
    /// Rate at which packets leave, where they are paced.
    pub rate: Option<Rate>,
    /// Mean share of marked packets, as it estimates it.
    pub alpha: Option<f64>,
    /// The round trip that it measured last.
    pub rtt: Option<Time>,
    /// Packets that the receiver has granted and that are not sent yet.
    pub credits: Option<u32>,
}

/// Mean and 99th percentile (nearest rank) of the flow completion times.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FctSummary {
    /// Mean, in microseconds.
    pub mean_us: f64,
    /// 99th percentile, in microseconds.
    pub p99_us: f64,
}

/// The result of a run in which every flow finished, or that was to stop at a time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Completion time: last data byte of the last transfer at its receiver, or the end of the last computation,
    /// from t = 0.
    pub cct: Time,
    /// When the last acknowledgement was back, until which links carry bytes.
    pub ended: Time,
    /// When the run was stopped, where flows were left then: `cct` is that of the transfers that were delivered.
    pub stopped: Option<Time>,
    /// Simulated time that was skipped; packet engine with `fast_forward`.
    pub skipped: Time,
    /// By how much that may have taken more or less, as far as the rates tell by which it was skipped: an estimate.
    pub skip_error: Time,
    /// Completion times of the flows.
    pub fct: FctSummary,
    /// By task id; empty unless observed.
    pub flows: Vec<FlowRecord>,
    /// By link id; empty unless observed.
    pub links: Vec<LinkRecord>,
    /// When each task was under way, by id, where observed.
    pub tasks: Vec<TaskTimes>,
    /// Totals over the run.
    pub counters: Counters,
    /// Samples, where observed.
    pub series: Option<Series>,
    /// What senders knew, in order of time, then sub-flow, where observed.
    pub senders: Vec<SenderSample>,
    /// The link that flow control held back longest in all, and for how long.
    pub most_paused: Option<(LinkId, Time)>,
}

impl Outcome {
    /// The time that the outcome is about, from 0.
    pub fn end(&self) -> Time {
        self.stopped.unwrap_or(self.cct)
    }
}

/// A flow that did not finish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The transfer.
    pub task: TaskId,
    /// Bytes that reached the receiver.
    pub delivered: u64,
    /// Why: never started and what it waited for, path down, ...
    pub reason: String,
}

/// What a run may not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Simulated time.
    Time,
    /// Events.
    Events,
}

/// The reason of a flow that had not finished when the clock reached [`Time::LATEST`].
pub const TOO_LATE: &str = "the clock would pass 53 days, the longest time that is simulated";

/// A run that ended before every flow had finished.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} of {flows} flows did not finish by {at}{}", .unfinished.len(), .deadlock.as_deref().map_or(String::new(), |what| format!("; {what}")))]
pub struct Stuck {
    /// Simulated time at which nothing was left to do.
    pub at: Time,
    /// Number of flows in the schedule.
    pub flows: usize,
    /// Those that did not finish, by task id.
    pub unfinished: Vec<Unfinished>,
    /// The links that flow control pauses for ever, as each waits for the next, in words.
    pub deadlock: Option<String>,
    /// The limit that was reached, if one was.
    pub limit: Option<Limit>,
}

impl FctSummary {
    /// From the completion times in any order.
    pub fn of(mut times: Vec<Time>) -> Self {
        if times.is_empty() {
            return Self::default();
        }
        let total: u128 = times.iter().map(|t| u128::from(t.0)).sum();
        let rank = (times.len() * 99).div_ceil(100).max(1);
        let (_, &mut p99, _) = times.select_nth_unstable(rank - 1);
        Self {
            mean_us: total as f64 / times.len() as f64 / 1e6,
            p99_us: p99.as_us(),
        }
    }

    /// The same from how many there are of each.
    pub fn counted(times: &BTreeMap<Time, u64>) -> Self {
        let count: u64 = times.values().sum();
        if count == 0 {
            return Self::default();
        }
        let total: u128 = times.iter().map(|(t, &n)| u128::from(t.0) * u128::from(n)).sum();
        let rank = (u128::from(count) * 99).div_ceil(100);
        let mut before = 0;
        let p99 = times.iter().find(|&(_, &n)| {
            before += u128::from(n);
            before >= rank
        });
        Self {
            mean_us: total as f64 / count as f64 / 1e6,
            p99_us: p99.map_or(0.0, |(t, _)| t.as_us()),
        }
    }
}
