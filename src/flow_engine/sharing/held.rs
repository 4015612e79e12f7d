//! The sub-flows whose bottleneck a constraint is.

use std::collections::HashMap;

use crate::flow_engine::constraints::{ConstraintId, DIRECT};
use crate::flow_engine::routes::SegmentId;
use crate::ids::{Id, IdVec, SubflowId, id};

/// The constraints that see all of a sub-flow's rate besides its bottleneck. [`super::Sharing::nobody`], which nothing
/// limits, fills up the end.
pub(super) type Others = [ConstraintId; 1 + DIRECT];

/// Places in an empty list that are kept for further use.
const KEPT: usize = 1_024;

id! {
    /// Sub-flows with the same others.
    GroupId;
}

/// A sub-flow, as its bottleneck knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// Reading of the bottleneck's clock at which the sub-flow ends.
    pub end: f64,
    pub start: f64,
    pub weight: f64,
    /// Weight times the fraction of the rate that the bottleneck sees.
    pub claim: f64,
    pub subflow: SubflowId,
    pub segment: SegmentId,
    /// The bottleneck sees all of its rate.
    pub whole: bool,
}

/// Sub-flows by slot. What is read with every change of the level lies apart from the rest.
#[derive(Debug, Clone, Default)]
pub(super) struct HeldList {
    pub subflows: Vec<Held>,
    pub others: Vec<Others>,
    /// The weight of all of them, where it is the same and none has a segment.
    alike: Option<f64>,
    groups: Option<Groups>,
}

/// How many sub-flows have the same others: where many sub-flows share few ways, what changes for all of
/// them is told to each way once.
#[derive(Debug, Clone, Default)]
struct Groups {
    counts: IdVec<GroupId, (Others, u32)>,
    /// By slot.
    of: Vec<GroupId>,
    index: HashMap<Others, GroupId>,
}

impl Groups {
    fn push(&mut self, others: Others) {
        let group = *self
            .index
            .entry(others)
            .or_insert_with(|| self.counts.push((others, 0)));
        self.counts[group].1 += 1;
        self.of.push(group);
    }

    fn swap_remove(&mut self, slot: usize) {
        let group = self.of.swap_remove(slot);
        self.counts[group].1 -= 1;
    }
}

impl HeldList {
    pub(super) fn len(&self) -> usize {
        self.subflows.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.subflows.is_empty()
    }

    /// The weight of every sub-flow, if it is the same and all of its rate is seen by all that it crosses.
    pub(super) fn alike(&self) -> Option<f64> {
        self.alike
    }

    pub(super) fn push(&mut self, held: Held, others: Others) {
        let alike = self.is_empty() || self.alike == Some(held.weight);
        self.alike = (alike && held.segment == SegmentId::NONE).then_some(held.weight);
        self.subflows.push(held);
        self.others.push(others);
        if let Some(groups) = &mut self.groups {
            groups.push(others);
        }
    }

    /// Counts the sub-flows that have the same others, from now on.
    pub(super) fn group(&mut self) {
        let groups = self.groups.get_or_insert_with(|| {
            let mut groups = Groups::default();
            self.others.iter().for_each(|&others| groups.push(others));
            groups
        });
        // Groups that have become empty are many.
        if groups.counts.len() > 2 * self.subflows.len() {
            self.groups = None;
        }
    }

    /// Others with the number of sub-flows that have them, if these are counted.
    pub(super) fn grouped(&self) -> Option<&[(Others, u32)]> {
        self.groups.as_ref().map(|groups| groups.counts.as_slice())
    }

    /// Removes a sub-flow; the last one takes its slot.
    pub(super) fn swap_remove(&mut self, slot: usize) -> (Held, Others) {
        if let Some(groups) = &mut self.groups {
            groups.swap_remove(slot);
        }
        (self.subflows.swap_remove(slot), self.others.swap_remove(slot))
    }

    /// Forgets all sub-flows; of a long list, the room that they took, too.
    pub(super) fn clear(&mut self) {
        self.subflows.clear();
        self.subflows.shrink_to(KEPT);
        self.others.clear();
        self.others.shrink_to(KEPT);
        self.groups = None;
    }

    pub(super) fn reserve(&mut self, additional: usize) {
        self.subflows.reserve(additional);
        self.others.reserve(additional);
    }
}
