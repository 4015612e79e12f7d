//! Ranks that communicate with each other, one operation after the other over the same connections.

use std::collections::HashMap;

use crate::ids::{IdVec, RankId};
use crate::input::{Files, InputError};
use crate::workload::Kind;
use crate::workload::schedule_writer::{ScheduleWriter, Wires};
use crate::workload::scope::{Closed, Member, Scope, When};

/// All communicators, by their ranks.
#[derive(Default)]
pub(crate) struct Communicators(HashMap<Vec<RankId>, Communicator>);

#[derive(Default)]
struct Communicator {
    /// Connections by the family of algorithms that uses them.
    wires: HashMap<&'static str, Wires>,
    /// By rank of the group, when the operation before is done.
    last: IdVec<Member, Option<When>>,
    next_step: u32,
}

/// What a member of a group waits for before it takes part: its place, and the operation before of its communicator.
pub(super) type Entry<'e> = dyn FnMut(&mut ScheduleWriter, usize, Option<When>) -> Option<When> + 'e;

impl Communicators {
    /// Draws an operation of a group, from a step on.
    pub(crate) fn draw(
        &mut self,
        draft: &mut ScheduleWriter,
        kind: &dyn Kind,
        group: &[RankId],
        first_step: u32,
        entry: &mut Entry<'_>,
        (files, seed): (&dyn Files, u64),
    ) -> Result<Closed, InputError> {
        let mut communicator = self.0.remove(group).unwrap_or_default();
        communicator.last.resize(group.len(), None);
        let mut entries = Vec::with_capacity(group.len());
        for (place, &last) in communicator.last.iter().enumerate() {
            entries.push(entry(draft, place, last.filter(|_| kind.ordered())));
        }
        let wires = communicator.wires.remove(kind.family()).unwrap_or_else(Wires::lasting);
        let first_step = match kind.ordered() {
            true => first_step.max(communicator.next_step),
            false => first_step,
        };
        let outer = draft.enter(Scope::of(group.to_vec(), entries, first_step), wires);
        let drawn = kind.draw(draft, files, seed);
        let (closed, wires) = draft.leave(outer);
        drawn?;
        if kind.ordered() {
            communicator.next_step = closed.next_step;
            communicator.last.clone_from(&closed.exits);
        }
        communicator.wires.insert(kind.family(), wires);
        self.0.insert(group.to_vec(), communicator);
        Ok(closed)
    }
}
