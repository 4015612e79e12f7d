//! From the state of an ended run to its outcome.

use super::engine::Engine;
use super::queue::EventQueue;
use super::queue_pairs::{COMPLETE, NONE};
use super::series::Sampler;
use super::unloaded;
use crate::ids::{LinkId, NodeId, TaskId};
use crate::outcome::{FctSummary, FlowRecord, LinkRecord, Outcome, Stuck, TOO_LATE, Unfinished};
use crate::units::Time;

/// The outcome, or the flows that did not finish.
pub(super) fn outcome<Q: EventQueue>(mut engine: Engine<'_, Q>) -> Result<Outcome, Stuck> {
    for counts in &engine.links.counts {
        engine.counters.ecn_marks += counts.ecn_marks;
        engine.counters.drops += counts.drops;
        engine.counters.trims += counts.trims;
        engine.counters.pauses += counts.pauses;
    }
    if engine.unfinished > 0 {
        return Err(stuck(&engine));
    }
    let observe = engine.setup.observe;
    Ok(Outcome {
        cct: Time(engine.cct),
        ended: Time(engine.now),
        fct: FctSummary::of(std::mem::take(&mut engine.fcts)),
        flows: if observe.flows { flows(&engine) } else { Vec::new() },
        links: if observe.links { links(&engine) } else { Vec::new() },
        counters: engine.counters,
        series: engine.sampler.take().map(Sampler::into_series),
        most_paused: most_paused(&engine),
    })
}

fn flows<Q: EventQueue>(engine: &Engine<'_, Q>) -> Vec<FlowRecord> {
    let fabric = engine.setup.fabric;
    let record = |(task, src, dst, bytes): (TaskId, u32, u32, u64)| {
        let flow = engine.flows[task.index()];
        let (src, dst) = (NodeId(src), NodeId(dst));
        let paths = fabric.path_count(src, dst).min(match engine.equal_links {
            true => 1,
            false => super::PATHS_LOOKED_AT,
        });
        let alone = (0..paths).map(|index| {
            let path = fabric.path(src, dst, index);
            unloaded::completion(fabric, &path, bytes, engine.setup.packet).0
        });
        FlowRecord {
            task,
            start: Time(flow.start),
            delivered: Time(flow.delivered),
            acked: Time(flow.acked),
            ideal: alone.min().unwrap_or(Time::ZERO),
            subflows: engine.setup.placement.of(task).len() as u32,
            paths: engine.paths_taken[task.index()]
                .iter()
                .map(|bits| bits.count_ones())
                .sum(),
            retransmits: flow.retransmits,
            reordered: flow.reordered,
            extent: flow.extent,
        }
    };
    engine.setup.schedule.transfers().map(record).collect()
}

fn links<Q: EventQueue>(engine: &Engine<'_, Q>) -> Vec<LinkRecord> {
    let record = |link: usize| {
        let (wire_bytes, bytes) = engine.links.bytes(link as u32);
        let counts = engine.links.counts[link];
        LinkRecord {
            bytes: bytes as f64,
            wire_bytes: wire_bytes as f64,
            max_queue: engine.links.max_queue(link as u32),
            drops: counts.drops,
            trims: counts.trims,
            ecn_marks: counts.ecn_marks,
            pauses: counts.pauses,
            paused: counts.paused.total(engine.now),
            longest_pause: counts.paused.longest(engine.now),
        }
    };
    (0..engine.setup.fabric.links().len()).map(record).collect()
}

/// The link that was paused longest; of several the first.
fn most_paused<Q: EventQueue>(engine: &Engine<'_, Q>) -> Option<(LinkId, Time)> {
    let mut paused = engine.links.counts.iter().map(|counts| counts.paused.total(engine.now));
    let longest = paused.clone().max().filter(|time| !time.is_zero())?;
    let link = paused.position(|time| time == longest)?;
    Some((LinkId(link as u32), longest))
}

fn stuck<Q: EventQueue>(engine: &Engine<'_, Q>) -> Stuck {
    let payload = engine.setup.packet.payload.0;
    let mut unfinished = Vec::new();
    for (task, _, _, bytes) in engine.setup.schedule.transfers() {
        let flow = engine.flows[task.index()];
        if flow.started && flow.unacked == 0 {
            continue;
        }
        let first = engine.setup.placement.first(task);
        let pieces = engine.setup.placement.of(task);
        let received = |qp: usize| match engine.queue_pairs[qp].receiver {
            NONE => 0,
            COMPLETE => pieces[qp - first].bytes,
            slot => {
                u64::from(
                    engine
                        .receivers
                        .get(slot)
                        .map_or(0, |receiver| receiver.received.count()),
                ) * payload
            }
        };
        let delivered = (first..first + pieces.len()).map(received).sum::<u64>();
        unfinished.push(Unfinished {
            task,
            delivered: delivered.min(bytes),
            reason: engine.reason(task),
        });
    }
    Stuck {
        at: Time(engine.now),
        flows: engine.setup.schedule.transfer_count(),
        unfinished,
    }
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// Why a transfer did not finish.
    fn reason(&self, task: TaskId) -> String {
        if !self.flows[task.index()].started {
            return "it never started: transfers it waits for did not finish".to_owned();
        }
        if self.now >= Time::LATEST.0 {
            return TOO_LATE.to_owned();
        }
        let first = self.setup.placement.first(task);
        let range = first..first + self.setup.placement.of(task).len();
        let senders = range.filter_map(|qp| self.senders.get(self.queue_pairs[qp].sender));
        let tries = senders.map(|sender| sender.timeouts).max().unwrap_or(0);
        let task = self.setup.schedule.task(task).action;
        if let crate::workload::Action::Transfer { src, dst, .. } = task
            && self.is_cut_off(src, dst)
        {
            let name = |host| &self.setup.fabric.node(NodeId(host)).name;
            return format!("no path was left from {} to {}", name(src), name(dst));
        }
        if tries > self.setup.packet.retries {
            format!("gave up after {} timeouts in a row", self.setup.packet.retries)
        } else if !self.queue.is_empty() {
            "the run was ended".to_owned()
        } else if !self.acknowledged {
            format!(
                "packets were lost, and `{}` sends nothing again",
                self.setup.transport.name()
            )
        } else {
            "nothing was left that could bring its packets on".to_owned()
        }
    }
}
