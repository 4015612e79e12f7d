//! A binary heap: the reference.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::event_queue::EventQueue;
use crate::packet_engine::packet::Event;

/// An event of which the earliest is the greatest, as `BinaryHeap` wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Earliest(pub Event);

impl Ord for Earliest {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.0.time, other.0.key).cmp(&(self.0.time, self.0.key))
    }
}

impl PartialOrd for Earliest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// std's `BinaryHeap` of events.
#[derive(Debug, Default)]
pub(in crate::packet_engine) struct Heap {
    pending: BinaryHeap<Earliest>,
    popped: Option<Event>,
}

impl EventQueue for Heap {
    fn push(&mut self, event: Event) {
        self.pending.push(Earliest(event));
    }

    fn pop(&mut self) -> Option<&Event> {
        self.popped = self.pending.pop().map(|Earliest(event)| event);
        self.popped.as_ref()
    }

    fn next(&mut self) -> Option<(u64, u32)> {
        self.pending.peek().map(|Earliest(event)| (event.time, event.key))
    }

    fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    fn extract(&mut self, chosen: impl Fn(&Event) -> bool) -> Vec<Event> {
        let all = std::mem::take(&mut self.pending).into_sorted_vec();
        let (taken, left): (Vec<_>, Vec<_>) = all.into_iter().rev().partition(|Earliest(event)| chosen(event));
        self.pending = left.into();
        taken.into_iter().map(|Earliest(event)| event).collect()
    }
}
