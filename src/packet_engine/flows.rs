//! How far the transfers of the schedule have come, and what is due next.

use super::setup::Setup;
use crate::ids::TaskId;
use crate::units::Time;
use crate::workload::{Action, Due, Milestone, Progress};

/// One transfer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flow {
    pub start: u64,
    pub delivered: u64,
    pub acked: u64,
    /// Sub-flows not sent, with packets that are leaving by one of several ports; not delivered; not acknowledged.
    pub unsent: u32,
    pub undelivered: u32,
    pub unacked: u32,
    pub retransmits: u32,
    pub reordered: u32,
    pub extent: u32,
    pub started: bool,
    /// Its first packet has arrived.
    pub begun: bool,
}

/// All transfers.
#[derive(Debug)]
pub(super) struct Flows {
    pub flows: Vec<Flow>,
    progress: Progress,
    /// What has become due and has not been looked at.
    due: Vec<Due>,
    /// Transfers without their last acknowledgement, and delays that are not over.
    pub unfinished: usize,
    /// Transfers that have started, and those that have been delivered.
    pub started: u64,
    pub delivered: u64,
    pub cct: u64,
}

impl Flows {
    /// Before the beginning.
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        let (progress, due) = Progress::new(setup.schedule);
        let subflows = |task| setup.placement.of(TaskId::from(task)).len() as u32;
        let flow = |task| Flow {
            unsent: subflows(task),
            undelivered: subflows(task),
            unacked: subflows(task),
            ..Flow::default()
        };
        Self {
            flows: (0..setup.schedule.tasks().len()).map(flow).collect(),
            progress,
            due,
            unfinished: setup.schedule.transfer_count() + setup.schedule.delay_count(),
            started: 0,
            delivered: 0,
            cct: 0,
        }
    }

    /// Before the beginning of a part of a run, where some tasks are at home.
    pub(super) fn stay(&mut self, setup: &Setup<'_>, is_home: impl Fn(TaskId) -> bool) {
        self.due.retain(|due| is_home(due.task));
        let takes_time = |task: &TaskId| match setup.schedule.task(*task).action {
            Action::Transfer { .. } => true,
            Action::Delay(time) => !time.is_zero(),
            Action::Trigger => false,
        };
        let tasks = (0..self.flows.len()).map(TaskId::from);
        self.unfinished = tasks.filter(takes_time).filter(|&task| is_home(task)).count();
    }

    /// The completion times of all transfers that have been delivered.
    pub(super) fn completion_times(&self, setup: &Setup<'_>) -> Vec<Time> {
        let flows = setup
            .schedule
            .transfers()
            .map(|transfer| &self.flows[transfer.task.index()]);
        let delivered = flows.filter(|flow| flow.undelivered == 0);
        delivered.map(|flow| Time(flow.delivered - flow.start)).collect()
    }

    /// Takes over what another part of the run knows of its tasks: of all that begin there, and of transfers that arrive there.
    pub(super) fn absorb(&mut self, other: &Self, begins: impl Fn(TaskId) -> bool, arrives: impl Fn(TaskId) -> bool) {
        for (index, (flow, theirs)) in self.flows.iter_mut().zip(&other.flows).enumerate() {
            let task = TaskId::from(index);
            if begins(task) {
                *flow = Flow {
                    start: theirs.start,
                    acked: theirs.acked,
                    unsent: theirs.unsent,
                    unacked: theirs.unacked,
                    retransmits: theirs.retransmits,
                    started: theirs.started,
                    ..*flow
                };
            }
            if arrives(task) {
                *flow = Flow {
                    delivered: theirs.delivered,
                    undelivered: theirs.undelivered,
                    reordered: theirs.reordered,
                    extent: theirs.extent,
                    begun: theirs.begun,
                    ..*flow
                };
            }
        }
        self.unfinished += other.unfinished;
        self.started += other.started;
        self.delivered += other.delivered;
        self.cct = self.cct.max(other.cct);
    }

    /// What has become due, in order of task; none where nothing has.
    pub(super) fn take_due(&mut self) -> Option<Vec<Due>> {
        if self.due.is_empty() {
            return None;
        }
        let mut batch = std::mem::take(&mut self.due);
        batch.sort_unstable();
        Some(batch)
    }

    /// Keeps the memory of a batch for the next.
    pub(super) fn recycle(&mut self, mut batch: Vec<Due>) {
        if self.due.is_empty() {
            batch.clear();
            self.due = batch;
        }
    }

    /// Notes a milestone of a task, which may make others due.
    pub(super) fn happened(&mut self, setup: &Setup<'_>, task: TaskId, milestone: Milestone, now: u64) {
        self.progress
            .happened(setup.schedule, task, milestone, Time(now), &mut self.due);
    }

    /// A transfer starts.
    pub(super) fn start(&mut self, task: TaskId, now: u64) {
        let flow = &mut self.flows[task.index()];
        flow.started = true;
        flow.start = now;
        self.started += 1;
    }

    /// A delay, or what takes no time, is over.
    pub(super) fn pass(&mut self, setup: &Setup<'_>, task: TaskId, action: Action, now: u64) {
        if matches!(action, Action::Delay(time) if !time.is_zero()) {
            self.cct = self.cct.max(now);
            self.unfinished -= 1;
            self.flows[task.index()].delivered = now;
        }
        self.happened(setup, task, Milestone::Delivered, now);
    }

    /// A packet that is not the last of its sub-flow is leaving.
    pub(super) fn leaving(&mut self, task: TaskId) {
        self.flows[task.index()].unsent += 1;
    }

    /// The last packet of a sub-flow, or one that was leaving, has left its sender; whether it was the last of the transfer.
    pub(super) fn sent(&mut self, task: TaskId) -> bool {
        let flow = &mut self.flows[task.index()];
        flow.unsent -= 1;
        flow.unsent == 0
    }

    /// The first packet of a sub-flow has arrived; whether it was the first of the transfer.
    pub(super) fn begun(&mut self, task: TaskId) -> bool {
        !std::mem::replace(&mut self.flows[task.index()].begun, true)
    }

    /// The last packet of a sub-flow has arrived; whether the transfer is delivered.
    pub(super) fn delivered(&mut self, task: TaskId, (reordered, extent): (u32, u32), now: u64) -> bool {
        let flow = &mut self.flows[task.index()];
        flow.reordered += reordered;
        flow.extent = flow.extent.max(extent);
        flow.undelivered -= 1;
        if flow.undelivered > 0 {
            return false;
        }
        flow.delivered = now;
        self.cct = self.cct.max(now);
        self.delivered += 1;
        true
    }

    /// A sub-flow is over for its sender; whether it was the last of the transfer.
    pub(super) fn acknowledged(&mut self, task: TaskId, retransmits: u32) -> bool {
        let flow = &mut self.flows[task.index()];
        flow.retransmits += retransmits;
        flow.unacked -= 1;
        flow.unacked == 0
    }

    /// A transfer is over for its sender.
    pub(super) fn end(&mut self, task: TaskId, now: u64) {
        let flow = &mut self.flows[task.index()];
        flow.unacked = 0;
        flow.acked = now;
        self.unfinished -= 1;
    }
}
