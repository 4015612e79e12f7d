//! For whom a part of a schedule is drawn up: some ranks, what each must have done before it takes
//! part, and, in the end, what must have happened for the part to be done on each.

use super::{Action, Milestone, ScheduleBuilder};
use crate::ids::{IdVec, RankId, TaskId, id};
use crate::units::Time;

id! {
    /// A rank by its number among those that take part in an operation.
    pub(super) Member;
}

/// A milestone of a task that something waits for.
pub(super) type When = (TaskId, Milestone);

/// The ranks of an operation, numbered from 0 in the order of its group.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// The rank of each, as the schedule counts them.
    pub ranks: IdVec<Member, RankId>,
    /// What each waits for before it takes part; empty where nobody waits.
    pub entry: IdVec<Member, Option<When>>,
    /// The step of what is step 0 here.
    pub first_step: u32,
    /// The last step of a transfer so far.
    pub last_step: Option<u32>,
    first_task: usize,
    first_edge: usize,
    /// Ranks that are not done before a task, by their numbers in the group.
    together: Vec<(Vec<Member>, TaskId)>,
}

/// What came of a scope.
pub(super) struct Closed {
    /// By rank of the scope, when it has sent all that it sends and got all that it gets; none for a rank that does
    /// nothing and waited for nothing.
    pub exits: IdVec<Member, Option<When>>,
    /// Its tasks, without those that joined its ends.
    pub tasks: std::ops::Range<u32>,
    /// The first step that comes after all of its transfers.
    pub next_step: u32,
}

impl Scope {
    /// All ranks of a workload.
    pub(super) fn whole(ranks: u32) -> Self {
        Self {
            ranks: (0..ranks).map(RankId).collect(),
            ..Self::default()
        }
    }

    /// Some ranks, each after something, from a step on.
    pub(super) fn of(ranks: Vec<RankId>, entry: Vec<Option<When>>, first_step: u32) -> Self {
        Self {
            ranks: ranks.into(),
            entry: entry.into(),
            first_step,
            ..Self::default()
        }
    }

    /// The same, to hold what is added from now on.
    pub(super) fn opened(mut self, schedule: &ScheduleBuilder<RankId>) -> Self {
        self.first_task = schedule.tasks();
        self.first_edge = schedule.edges().len();
        self
    }

    /// Whether a task was added here.
    pub(super) fn holds(&self, task: TaskId) -> bool {
        task.index() >= self.first_task
    }

    /// Lets no rank of these be done before all that leads to a join.
    pub(super) fn end_together(&mut self, ranks: &[Member], join: TaskId) {
        self.together.push((ranks.to_vec(), join));
    }

    /// Finds out when each rank is done. A transfer that another one of the same rank waits for need not be waited
    /// for again.
    pub(super) fn close(self, schedule: &mut ScheduleBuilder<RankId>) -> Closed {
        let tasks = self.first_task as u32..schedule.tasks() as u32;
        let last = self.last_moments(schedule);
        let entries = self.entry.into_iter().chain(std::iter::repeat(None));
        let exits = last
            .into_iter()
            .zip(entries)
            .map(|(milestones, entry)| match milestones.len() {
                0 => entry,
                _ => join(schedule, &milestones),
            });
        Closed {
            exits: exits.collect(),
            tasks,
            next_step: self.last_step.map_or(self.first_step, |step| step + 1),
        }
    }

    /// By rank of the scope, the milestones of its transfers that none of its later ones waits for.
    fn last_moments(&self, schedule: &ScheduleBuilder<RankId>) -> IdVec<Member, Vec<When>> {
        let count = schedule.tasks() - self.first_task;
        let inner = |task: TaskId| task.index().checked_sub(self.first_task);
        // Who goes on after a task: the sender of a transfer, and whoever waits for a join.
        let mut heir: Vec<Option<RankId>> = vec![None; count];
        let (mut sent, mut delivered) = (vec![false; count], vec![false; count]);
        // What waits for a join was added after what the join waits for.
        for &(before, after, milestone) in schedule.edges()[self.first_edge..].iter().rev() {
            let Some((before_index, after_index)) = inner(before).zip(inner(after)) else {
                continue;
            };
            let waiting = match schedule.task(after).action {
                Action::Transfer { src, .. } => Some(src),
                _ => heir[after_index],
            };
            match schedule.task(before).action {
                Action::Transfer { src, dst, .. } => match milestone {
                    Milestone::Sent | Milestone::Acked => sent[before_index] |= waiting == Some(src),
                    Milestone::Delivered => delivered[before_index] |= waiting == Some(dst),
                    Milestone::Begun => {}
                },
                Action::Delay(_) => heir[before_index] = waiting.or(heir[before_index]),
                Action::Trigger => {}
            }
        }
        let mut local: Vec<(RankId, Member)> = self.ranks.iter().copied().zip(self.ranks.ids()).collect();
        local.sort_unstable();
        let local = |rank: RankId| {
            let place = local.binary_search_by_key(&rank, |&(rank, _)| rank);
            local[place.expect("transfers are between ranks of the scope")].1
        };
        let mut last = IdVec::filled(Vec::new(), self.ranks.len());
        for index in 0..count {
            let task = TaskId::from(self.first_task + index);
            if let Action::Transfer { src, dst, .. } = schedule.task(task).action {
                if !sent[index] {
                    last[local(src)].push((task, Milestone::Sent));
                }
                if !delivered[index] {
                    last[local(dst)].push((task, Milestone::Delivered));
                }
            }
        }
        for (ranks, join) in &self.together {
            for &rank in ranks {
                last[rank].push((*join, Milestone::Delivered));
            }
        }
        last
    }
}

/// One milestone that stands for all of these; none for none.
pub(super) fn join(schedule: &mut ScheduleBuilder<RankId>, milestones: &[When]) -> Option<When> {
    if let [] | [_] = milestones {
        return milestones.first().copied();
    }
    let join = schedule.delay(Time::ZERO);
    for &(task, milestone) in milestones {
        schedule.depend(task, milestone, join);
    }
    Some((join, Milestone::Delivered))
}
