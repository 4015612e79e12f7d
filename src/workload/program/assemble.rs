//! Operations put together into one schedule.

use std::sync::Arc;

use super::communicators::Communicators;
use crate::ids::{IdVec, RankId};
use crate::input::{Files, InputError};
use crate::rng::mix;
use crate::units::Time;
use crate::workload::schedule_writer::ScheduleWriter;
use crate::workload::scope::{When, join};
use crate::workload::{Kind, Milestone, Purpose, Span};

/// What some groups of ranks do.
pub(crate) struct Operation<'a> {
    pub name: Arc<str>,
    /// The key that describes it.
    pub key: String,
    pub work: Work<'a>,
    pub purpose: Purpose,
    pub groups: Vec<Vec<u32>>,
    /// Operations that come before, by position.
    pub after: Vec<usize>,
}

/// What a group does.
pub(crate) enum Work<'a> {
    /// Every rank is busy for this long.
    Compute(Time),
    /// They communicate.
    Communicate(&'a dyn Kind),
}

/// Draws up operations, each of which comes after those that it waits for, `rounds` times.
pub(crate) fn assemble(
    draft: &mut ScheduleWriter,
    operations: &[Operation],
    rounds: u32,
    files: &dyn Files,
    seed: u64,
) -> Result<(), InputError> {
    let mut assembly = Assembly::new(draft.ranks());
    for round in 0..rounds {
        assembly.begin_round(draft);
        for (number, operation) in operations.iter().enumerate() {
            let name = match round {
                0 => Arc::clone(&operation.name),
                round => format!("{}#{}", operation.name, round + 1).into(),
            };
            let seed = mix(seed ^ mix((u64::from(round) << 32) | number as u64));
            let done = assembly.add(draft, operation, &name, files, seed)?;
            assembly.done.push(done);
        }
    }
    Ok(())
}

/// When an operation is done.
struct Done {
    /// By rank, in ascending order; ranks that wait for nothing are missing.
    exits: Vec<(RankId, When)>,
    /// The step after its last one.
    next_step: u32,
}

/// How far each rank has come.
struct Assembly {
    /// The operations of this round.
    done: Vec<Done>,
    communicators: Communicators,
    /// By rank: its last computation.
    computed: IdVec<RankId, Option<When>>,
    /// By rank: the ends of operations of this round that no later one of it waits for.
    open: IdVec<RankId, Vec<When>>,
    /// By rank: the end of the round before.
    before: IdVec<RankId, Option<When>>,
    round_step: u32,
}

impl Assembly {
    fn new(ranks: u32) -> Self {
        let ranks = ranks as usize;
        Self {
            done: Vec::new(),
            communicators: Communicators::default(),
            computed: IdVec::filled(None, ranks),
            open: IdVec::filled(Vec::new(), ranks),
            before: IdVec::filled(None, ranks),
            round_step: 0,
        }
    }

    fn begin_round(&mut self, draft: &mut ScheduleWriter) {
        let ends = self.done.drain(..).map(|done| done.next_step);
        self.round_step = ends.fold(self.round_step, u32::max);
        for (before, open) in self.before.iter_mut().zip(&mut self.open) {
            if !open.is_empty() {
                *before = join(&mut draft.schedule, open);
                open.clear();
            }
        }
    }

    /// Adds an operation for all of its groups.
    fn add(
        &mut self,
        draft: &mut ScheduleWriter,
        operation: &Operation,
        name: &Arc<str>,
        files: &dyn Files,
        seed: u64,
    ) -> Result<Done, InputError> {
        let before = operation.after.iter().map(|&before| self.done[before].next_step);
        let first_step = before.fold(self.round_step, u32::max);
        let mut done = Done {
            exits: Vec::new(),
            next_step: first_step,
        };
        for (number, group) in operation.groups.iter().enumerate() {
            let mut span = Span {
                name: Arc::clone(name),
                purpose: operation.purpose,
                group: number as u32,
                ranks: group.iter().copied().map(RankId).collect(),
                compute: None,
                bytes: 0,
                tasks: 0..0,
            };
            match &operation.work {
                Work::Compute(time) => {
                    span.compute = Some(*time);
                    self.compute(draft, operation, *time, &mut span, &mut done);
                }
                Work::Communicate(kind) => {
                    let seed = mix(seed ^ number as u64);
                    self.communicate(draft, operation, *kind, first_step, &mut span, &mut done, files, seed)
                        .map_err(|error| error.under(&operation.key))?;
                }
            }
            draft.schedule.span(span);
        }
        done.exits.sort_unstable_by_key(|&(rank, _)| rank);
        Ok(done)
    }

    fn compute(
        &mut self,
        draft: &mut ScheduleWriter,
        operation: &Operation,
        time: Time,
        span: &mut Span<RankId>,
        done: &mut Done,
    ) {
        let mut delays = Vec::with_capacity(span.ranks.len());
        for &rank in &*span.ranks {
            let last = self.computed[rank];
            let causes = self.causes(operation, rank, last);
            let delay = draft.schedule.delay(time);
            for (task, milestone) in causes {
                draft.schedule.depend(task, milestone, delay);
            }
            delays.push(delay);
            let end = (delay, Milestone::Delivered);
            self.computed[rank] = Some(end);
            self.open[rank].push(end);
            done.exits.push((rank, end));
        }
        if let (Some(first), Some(last)) = (delays.first(), delays.last()) {
            span.tasks = first.0..last.0 + 1;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all that an operation of one group is made of")]
    fn communicate(
        &mut self,
        draft: &mut ScheduleWriter,
        operation: &Operation,
        kind: &dyn Kind,
        first_step: u32,
        span: &mut Span<RankId>,
        done: &mut Done,
        files: &dyn Files,
        seed: u64,
    ) -> Result<(), InputError> {
        let group = span.ranks.to_vec();
        let mut communicators = std::mem::take(&mut self.communicators);
        let mut entry = |draft: &mut ScheduleWriter, place: usize, last| {
            let causes = self.causes(operation, group[place], last);
            join(&mut draft.schedule, &causes)
        };
        let drawn = communicators.draw(draft, kind, &group, first_step, &mut entry, (files, seed));
        self.communicators = communicators;
        let closed = drawn?;
        for (&rank, exit) in group.iter().zip(&closed.exits) {
            if let Some(exit) = *exit {
                self.open[rank].push(exit);
                done.exits.push((rank, exit));
            }
        }
        span.bytes = draft.schedule.bytes(closed.tasks.clone());
        span.tasks = closed.tasks;
        done.next_step = done.next_step.max(closed.next_step);
        Ok(())
    }

    /// What a rank waits for before an operation: those that it comes after, the one before it of its kind on the
    /// rank, and, where there is none of either, the round before.
    fn causes(&mut self, operation: &Operation, rank: RankId, last: Option<When>) -> Vec<When> {
        let exit = |&before: &usize| {
            let exits = &self.done[before].exits;
            let found = exits.binary_search_by_key(&rank, |&(rank, _)| rank).ok()?;
            Some(exits[found].1)
        };
        let mut causes: Vec<When> = operation.after.iter().filter_map(exit).collect();
        if causes.is_empty() {
            causes.extend(self.before[rank]);
        }
        causes.extend(last);
        causes.sort_unstable();
        causes.dedup();
        self.open[rank].retain(|open| !causes.contains(open));
        causes
    }
}
