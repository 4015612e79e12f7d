//! The event loop: which transfers start when, and what follows from their completions.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::outcome_builder::Flow;
use super::routes::Routes;
use super::sharing::Sharing;
use crate::ids::{SubflowId, TaskId};
use crate::placement::Placement;
use crate::units::Time;
use crate::workload::{Action, Due, Milestone, Progress, Schedule, Transfer};

/// Places in a list that are kept for further use.
const KEPT: usize = 1_024;

/// What is on the event_queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    /// A milestone of a task has come.
    Occurs(TaskId, Milestone),
    /// Bytes of sub-flows that lie one after the other, from the first to before the last, can be on all their links.
    Joins { first: SubflowId, end: SubflowId },
    /// A transfer starts.
    Starts(TaskId),
}

/// An entry with its time; the greatest is the one that comes first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Event {
    at: f64,
    entry: Entry,
}

impl Eq for Event {}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.total_cmp(&self.at).then_with(|| other.entry.cmp(&self.entry))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How a run has ended.
pub(super) struct Ended {
    /// By task id.
    pub flows: Vec<Flow>,
    /// Moments at which the rates have changed.
    pub events: u64,
    /// When nothing more could happen.
    pub at: f64,
    /// Whether all transfers are done.
    pub finished: bool,
    /// Whether who watched it ended it.
    pub cut_short: bool,
}

/// One run.
pub(super) struct Engine<'a> {
    schedule: &'a Schedule,
    placement: &'a Placement,
    routes: &'a Routes,
    sharing: Sharing,
    /// By task id; of a delay, only the start is known.
    flows: Vec<Flow>,
    /// Delays count before the links fill. Where all transfers start at one time, it is the same for every link whether
    /// they count before or after, and what shares the sender's link does so from the start if they count after.
    delays_first: bool,
    /// The transfer of each sub-flow.
    task_of: Vec<TaskId>,
    event_queue: BinaryHeap<Event>,
    /// Transfers that start now, or have started before, as is known only now.
    ready: Vec<(TaskId, f64)>,
    now: f64,
}

impl<'a> Engine<'a> {
    /// A run in which delays count before the links fill, or after the last byte (`delays_first`).
    pub(super) fn new(
        schedule: &'a Schedule,
        placement: &'a Placement,
        routes: &'a Routes,
        sharing: Sharing,
        delays_first: bool,
    ) -> Self {
        let mut task_of = Vec::with_capacity(placement.subflows().len());
        for Transfer { task, .. } in schedule.transfers() {
            task_of.resize(placement.range(task).end, task);
        }
        Self {
            schedule,
            placement,
            routes,
            sharing,
            flows: vec![Flow::WAITING; schedule.tasks().len()],
            delays_first,
            task_of,
            event_queue: BinaryHeap::new(),
            ready: Vec::new(),
            now: 0.0,
        }
    }

    /// Runs to the end, or until `watch`, who is told the share of the sub-flows that are done, does not want more.
    pub(super) fn run(mut self, watch: &mut dyn FnMut(f64) -> bool) -> Ended {
        let (mut progress, roots) = Progress::<f64>::new(self.schedule);
        for due in roots {
            self.enter(due);
        }
        let (mut events, mut drained) = (0, Vec::new());
        let (mut done, all) = (0, self.task_of.len().max(1) as f64);
        let mut cut_short = false;
        let in_time = loop {
            if !watch(done as f64 / all) {
                cut_short = true;
                break false;
            }
            self.dispatch_due(&mut progress);
            events += u64::from(self.sharing.settle(self.now));
            let planned = self.event_queue.peek().map_or(f64::INFINITY, |next| next.at);
            let completion = self.sharing.next_completion();
            let next = planned.min(completion);
            if next == f64::INFINITY {
                break true;
            }
            if next > Time::LATEST.0 as f64 {
                self.now = next;
                break false;
            }
            if completion <= planned {
                self.now = self.sharing.complete(planned, &mut drained).max(self.now);
                done += drained.len();
                for (subflow, end) in drained.drain(..) {
                    self.drain(subflow, end);
                }
            } else {
                self.now = planned;
            }
        };
        let done = |Transfer { task, .. }: Transfer| self.flows[task.index()].finished();
        Ended {
            finished: in_time && self.schedule.transfers().all(done),
            flows: self.flows,
            events,
            at: self.now,
            cut_short,
        }
    }

    /// Everything that the event_queue holds for now.
    fn dispatch_due(&mut self, progress: &mut Progress<f64>) {
        let mut due = Vec::new();
        // Times that should be equal may differ in their last bits.
        let now = self.now * (1.0 + 8.0 * f64::EPSILON);
        while let Some(next) = self.event_queue.peek().filter(|next| next.at <= now) {
            let Event { at, entry } = *next;
            self.event_queue.pop();
            match entry {
                Entry::Starts(task) => self.ready.push((task, self.now)),
                Entry::Joins { first, end } => (first.0..end.0).for_each(|subflow| self.join(SubflowId(subflow))),
                Entry::Occurs(task, milestone) => {
                    let at = self.occurred_at(at, task, milestone);
                    progress.happened(self.schedule, task, milestone, at, &mut due);
                    for due in due.drain(..) {
                        self.enter(due);
                    }
                }
            }
        }
        let mut ready = std::mem::take(&mut self.ready);
        for (task, at) in ready.drain(..) {
            self.start(task, at);
        }
        // Where all start together, they will not do so again.
        ready.shrink_to(KEPT);
        self.ready = ready;
    }

    /// When what is dispatched now occurred. A delay that follows `Sent` may have ended before it could be known.
    fn occurred_at(&mut self, at: f64, task: TaskId, milestone: Milestone) -> f64 {
        if let Action::Delay(_) = self.schedule.task(task).action {
            let at = at.min(self.now);
            self.flows[task.index()].start = at;
            return at;
        }
        match milestone {
            Milestone::Sent => self.flows[task.index()].sent,
            Milestone::Begun | Milestone::Delivered | Milestone::Acked => self.now,
        }
    }

    /// Puts a task that may start on the event_queue, or among those that start now.
    fn enter(&mut self, due: Due<f64>) {
        let Due { at, task } = due;
        let entry = match self.schedule.task(task).action {
            Action::Delay(_) => Entry::Occurs(task, Milestone::Delivered),
            _ if at <= self.now => return self.ready.push((task, at)),
            _ => Entry::Starts(task),
        };
        self.event_queue.push(Event { at, entry });
    }

    fn start(&mut self, task: TaskId, at: f64) {
        let subflows = self.placement.ids(task);
        let flow = &mut self.flows[task.index()];
        flow.start = at;
        flow.left = self.placement.of(task).len() as u32;
        if self.schedule.awaits(task, Milestone::Begun) {
            let soonest = subflows
                .clone()
                .map(|subflow| self.delays(subflow).0)
                .fold(f64::INFINITY, f64::min);
            self.event_queue.push(Event {
                at: self.now.max(at + soonest),
                entry: Entry::Occurs(task, Milestone::Begun),
            });
        }
        if !self.delays_first {
            subflows.for_each(|subflow| self.join(subflow));
            return;
        }
        let mut left = subflows.peekable();
        while let Some(first) = left.next() {
            let delay = self.delays(first).0;
            let mut end = first.0 + 1;
            while left.next_if(|&subflow| self.delays(subflow).0 == delay).is_some() {
                end += 1;
            }
            self.event_queue.push(Event {
                at: self.now.max(at + delay),
                entry: Entry::Joins {
                    first,
                    end: SubflowId(end),
                },
            });
        }
    }

    /// A sub-flow begins to load its links.
    fn join(&mut self, subflow: SubflowId) {
        if self.placement.subflows()[subflow.index()].bytes > 0 {
            self.sharing.start(subflow, self.now);
        } else {
            self.drain(subflow, self.now);
        }
    }

    /// Delays of a sub-flow: one way, and there and back.
    fn delays(&self, subflow: SubflowId) -> (f64, f64) {
        let Some(Transfer { src, dst, .. }) = self.schedule.transfer(self.task_of[subflow.index()]) else {
            unreachable!("only transfers have pieces");
        };
        let (forward, round_trip) = self.routes.delays(subflow, src, dst);
        (forward.0 as f64, round_trip.0 as f64)
    }

    /// The last byte of a sub-flow has been sent; `end` is when, but for the tolerance, where transfers that
    /// wait for this one go by the time that all completions around now share.
    fn drain(&mut self, subflow: SubflowId, end: f64) {
        let task = self.task_of[subflow.index()];
        let awaited = !self.schedule.successors(task).is_empty();
        let end = if awaited { self.now } else { end };
        let (forward, round_trip) = self.delays(subflow);
        let end = if self.delays_first { end } else { end + forward };
        let flow = &mut self.flows[task.index()];
        flow.sent = flow.sent.max(end - forward);
        flow.delivered = flow.delivered.max(end);
        flow.acked = flow.acked.max(end + (round_trip - forward));
        flow.left -= 1;
        if flow.left == 0 && awaited {
            let milestones = [
                (self.now, Milestone::Sent),
                (flow.delivered, Milestone::Delivered),
                (flow.acked, Milestone::Acked),
            ];
            for (at, milestone) in milestones.into_iter().filter(|&(_, m)| self.schedule.awaits(task, m)) {
                let entry = Entry::Occurs(task, milestone);
                self.event_queue.push(Event { at, entry });
            }
        }
    }
}
