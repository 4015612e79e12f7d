//! From the state of an ended run to its outcome.

use super::engine::Engine;
use super::flows::Flow;
use super::ids::ReceiverId;
use super::limits::Ended;
use super::queue::EventQueue;
use super::sender_samples::SenderSampler;
use super::series::Sampler;
use super::setup::PATHS_COMPARED;
use super::unloaded;
use crate::ids::{HostId, LinkId, SubflowId, TaskId};
use crate::outcome::{
    Counters, FctSummary, FlowRecord, Limit, LinkRecord, Outcome, Reached, Stuck, TOO_LATE, TaskTimes, Unfinished,
};
use crate::topology::Fabric;
use crate::units::Time;
use crate::workload::{Action, Task, Transfer};

/// The outcome, or the flows that did not finish.
pub(super) fn outcome<Q: EventQueue>(mut engine: Engine<'_, Q>) -> Result<Outcome, Stuck> {
    let stopped = engine.ended == Some(Ended::Stopped);
    if engine.flows.unfinished > 0 && !stopped {
        return Err(stuck(&engine));
    }
    let observe = engine.net.setup.observe;
    Ok(Outcome {
        cct: Time(engine.flows.cct),
        ended: Time(engine.net.events.clock()),
        skipped: Time(engine.net.events.skipped),
        skip_error: Time(engine.net.skipped.doubt as u64),
        stopped: stopped.then_some(Time(engine.net.events.clock())),
        fct: FctSummary::of(engine.flows.completion_times(engine.net.setup)),
        flows: if observe.flows { flows(&engine) } else { Vec::new() },
        tasks: if observe.tasks { tasks(&engine) } else { Vec::new() },
        links: if observe.links { links(&engine) } else { Vec::new() },
        counters: counters(&engine),
        series: engine.sampler.take().map(Sampler::into_series),
        senders: engine
            .sender_sampler
            .take()
            .map_or_else(Vec::new, SenderSampler::into_samples),
        most_paused: most_paused(&engine),
    })
}

/// What the owners have counted.
fn counters<Q: EventQueue>(engine: &Engine<'_, Q>) -> Counters {
    let mut counters = Counters {
        events: engine.events,
        packet_hops: engine.net.packet_hops + engine.net.skipped.packet_hops,
        packets: engine.sending.packets + engine.net.skipped.packets,
        retransmits: engine.sending.retransmits + engine.net.skipped.retransmits,
        ..Counters::default()
    };
    for (link, counts) in engine.net.links.counts.entries() {
        let skipped = engine.net.skipped.link(link);
        counters.ecn_marks += counts.ecn_marks + skipped.ecn_marks;
        counters.drops += counts.drops + skipped.drops;
        counters.trims += counts.trims + skipped.trims;
        counters.pauses += counts.pauses + skipped.pauses;
    }
    counters
}

fn flows<Q: EventQueue>(engine: &Engine<'_, Q>) -> Vec<FlowRecord> {
    let fabric = engine.net.setup.fabric;
    let record = |Transfer { task, src, dst, bytes }: Transfer| {
        let flow = engine.flows.flows[task.index()];
        let (src, dst) = (src.node(), dst.node());
        let paths = fabric.path_count(src, dst).min(match engine.net.terms.equal_paths {
            true => 1,
            false => PATHS_COMPARED,
        });
        let alone = (0..paths).map(|index| {
            let path = fabric.path(src, dst, index);
            unloaded::completion(fabric, &path, bytes, engine.net.setup.packet).0
        });
        let reached = reached(&flow);
        let end = |time, then| {
            Time(if reached < then {
                engine.net.events.clock()
            } else {
                time
            })
        };
        FlowRecord {
            task,
            reached,
            delivered_bytes: engine.delivered_bytes(task),
            start: end(flow.start, Reached::Started),
            delivered: end(flow.delivered, Reached::Delivered),
            acked: end(flow.acked, Reached::Acked),
            ideal: alone.min().unwrap_or(Time::ZERO),
            subflows: engine.net.setup.placement.of(task).len() as u32,
            paths: engine.receiving.paths_taken[task]
                .iter()
                .map(|bits| bits.count_ones())
                .sum(),
            retransmits: engine.retransmits(task),
            reordered: flow.reordered + engine.skipped_reordered(task),
            extent: flow.extent,
        }
    };
    engine.net.setup.schedule.transfers().map(record).collect()
}

fn reached(flow: &Flow) -> Reached {
    match flow {
        Flow { started: false, .. } => Reached::Nothing,
        Flow { unacked: 0, .. } => Reached::Acked,
        Flow { undelivered: 0, .. } => Reached::Delivered,
        _ => Reached::Started,
    }
}

fn tasks<Q: EventQueue>(engine: &Engine<'_, Q>) -> Vec<TaskTimes> {
    let tasks = engine.net.setup.schedule.tasks().zip(&engine.flows.flows);
    let interval = |(task, flow): (Task, &Flow)| {
        let end = Time(flow.delivered);
        let start = match task.action {
            Action::Delay(time) => end.saturating_sub(time),
            _ => Time(flow.start),
        };
        TaskTimes { start, end }
    };
    tasks.map(interval).collect()
}

fn links<Q: EventQueue>(engine: &Engine<'_, Q>) -> Vec<LinkRecord> {
    let record = |link: LinkId| {
        let (taken, bytes) = engine.net.links.bytes(link);
        // Where a run was stopped, queues hold what links have not sent.
        let unsent = match engine.net.setup.packet.stop {
            Some(_) => engine.net.links.unsent(link, engine.net.events.now),
            None => 0,
        };
        let skipped = engine.net.skipped.link(link);
        let wire_bytes = taken.saturating_sub(unsent) + skipped.wire_bytes;
        let counts = engine.net.links.counts[link];
        LinkRecord {
            bytes: (bytes + skipped.data_bytes) as f64,
            wire_bytes: wire_bytes as f64,
            max_queue: engine.net.links.max_queue(link),
            drops: counts.drops + skipped.drops,
            trims: counts.trims + skipped.trims,
            ecn_marks: counts.ecn_marks + skipped.ecn_marks,
            pauses: counts.pauses + skipped.pauses,
            paused: counts
                .paused
                .total(engine.net.events.now)
                .saturating_add(Time(skipped.paused)),
            longest_pause: counts.paused.longest(engine.net.events.now),
        }
    };
    engine.net.setup.fabric.link_ids().map(record).collect()
}

/// The link that was paused longest; of several the first.
fn most_paused<Q: EventQueue>(engine: &Engine<'_, Q>) -> Option<(LinkId, Time)> {
    let net = &engine.net;
    let paused = net.links.counts.entries().map(|(link, counts)| {
        let seen = counts.paused.total(net.events.now);
        (seen.saturating_add(Time(net.skipped.link(link).paused)), link)
    });
    let longest = paused.max_by_key(|&(time, link)| (time, std::cmp::Reverse(link)));
    longest
        .filter(|(time, _)| !time.is_zero())
        .map(|(time, link)| (link, time))
}

fn stuck<Q: EventQueue>(engine: &Engine<'_, Q>) -> Stuck {
    let deadlock = match engine.ended {
        Some(Ended::Told) => None,
        _ => engine.net.deadlock(),
    };
    let mut unfinished = Vec::new();
    for Transfer { task, .. } in engine.net.setup.schedule.transfers() {
        if reached(&engine.flows.flows[task.index()]) == Reached::Acked {
            continue;
        }
        unfinished.push(Unfinished {
            task,
            delivered: engine.delivered_bytes(task),
            reason: engine.reason(task, deadlock.is_some()),
        });
    }
    Stuck {
        at: Time(engine.net.events.clock()),
        flows: engine.net.setup.schedule.transfer_count(),
        unfinished,
        limit: match engine.ended {
            Some(Ended::Limit(limit)) => Some(limit),
            _ => None,
        },
        deadlock: deadlock.map(|cycle| in_words(engine.net.setup.fabric, &cycle)),
    }
}

/// Links of a deadlock that are named.
const NAMED_LINKS: usize = 16;

fn in_words(fabric: &Fabric, cycle: &[LinkId]) -> String {
    let names: Vec<_> = cycle
        .iter()
        .take(NAMED_LINKS)
        .map(|&link| fabric.link_name(link).to_string())
        .collect();
    let more = match cycle.len().saturating_sub(NAMED_LINKS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "PFC deadlock: {}{more} are paused, each until the next goes on, the last until the first",
        names.join(", ")
    )
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// Payload bytes of a transfer that have reached its receiver.
    fn delivered_bytes(&self, task: TaskId) -> u64 {
        let placement = self.net.setup.placement;
        let options = self.net.setup.packet;
        let received = |qp: SubflowId| {
            let pair = &self.net.pairs[qp];
            match self.receiving.receivers.get(pair.receiver) {
                Some(receiver) => {
                    let last = u64::from(pair.last) - options.header.0;
                    let skipped = self.net.skipped.pair(qp).packets * options.payload.0;
                    receiver.received.bytes(pair.packets, options.payload.0, last) + skipped
                }
                None if pair.receiver == ReceiverId::COMPLETE => placement.subflows()[qp.index()].bytes,
                None => 0,
            }
        };
        placement.ids(task).map(received).sum()
    }

    /// Why a transfer did not finish.
    fn reason(&self, task: TaskId, deadlock: bool) -> String {
        if !self.flows.flows[task.index()].started {
            return "it never started: transfers it waits for did not finish".to_owned();
        }
        if self.net.events.clock() >= Time::LATEST.0 {
            return TOO_LATE.to_owned();
        }
        let range = self.net.setup.placement.ids(task);
        let senders = range.filter_map(|qp| self.sending.senders.get(self.net.pairs[qp].sender));
        let tries = senders.map(|sender| sender.timeouts).max().unwrap_or(0);
        let task_id = task;
        let task = self.net.setup.schedule.task(task).action;
        if let crate::workload::Action::Transfer { src, dst, .. } = task
            && self.net.fabric().path_count(src.node(), dst.node()) == 0
        {
            let name = |host: HostId| &self.net.setup.fabric.node(host.node()).name;
            return format!("no path was left from {} to {}", name(src), name(dst));
        }
        if tries > self.net.setup.packet.retries {
            format!("gave up after {} timeouts in a row", self.net.setup.packet.retries)
        } else if deadlock {
            "its packets wait in or behind a PFC deadlock".to_owned()
        } else if let Some(ended) = self.ended {
            self.reason_of(ended, task_id, tries)
        } else if !self.net.terms.acknowledged {
            format!(
                "packets were lost, and `{}` sends nothing again",
                self.net.setup.transport.name()
            )
        } else {
            "nothing was left that could bring its packets on".to_owned()
        }
    }

    /// Why a transfer did not finish in a run that ended before it had nothing left to do.
    fn reason_of(&self, ended: Ended, task: TaskId, tries: u32) -> String {
        let resent = self.retransmits(task);
        match ended {
            Ended::Silent(since) => format!(
                "nothing new was delivered to any flow since {}; it has sent {resent} packets again, {tries} timeouts in a row",
                Time(since)
            ),
            Ended::Limit(Limit::Time) => "the limit of simulated time was reached".to_owned(),
            Ended::Limit(Limit::Events) => "the limit of events was reached".to_owned(),
            Ended::Told | Ended::Stopped => "the run was ended".to_owned(),
        }
    }

    /// Packets of a transfer that came late in times that were skipped.
    fn skipped_reordered(&self, task: TaskId) -> u32 {
        let range = self.net.setup.placement.ids(task);
        range.map(|qp| self.net.skipped.pair(qp).reordered as u32).sum()
    }

    /// Packets that a transfer has sent again.
    fn retransmits(&self, task: TaskId) -> u32 {
        let range = self.net.setup.placement.ids(task);
        let senders = range.filter_map(|qp| self.sending.senders.get(self.net.pairs[qp].sender));
        let live: u32 = senders.map(|sender| sender.retransmits).sum();
        let range = self.net.setup.placement.ids(task);
        let skipped = range.map(|qp| self.net.skipped.pair(qp).retransmits as u32);
        self.flows.flows[task.index()].retransmits + live + skipped.sum::<u32>()
    }
}
