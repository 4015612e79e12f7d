//! The pending events of one part, and what leaves it.

use std::sync::Arc;

use super::ids::PartId;
use super::parts::Border;
use crate::ids::{Id, IdVec, LinkId};
use crate::packet_engine::packet::{Event, Kind};
use crate::packet_engine::queue::EventQueue;

/// A queue that puts aside what happens in other parts.
#[derive(Debug)]
pub(in crate::packet_engine) struct Parted<Q> {
    queue: Q,
    here: PartId,
    borders: Arc<IdVec<LinkId, Border>>,
    /// What is on its way to each part, and when the earliest of it comes, in ps.
    pub(super) outbox: IdVec<PartId, Vec<Event>>,
    earliest_out: u64,
}

impl<Q: EventQueue> Default for Parted<Q> {
    fn default() -> Self {
        Self {
            queue: Q::default(),
            here: PartId::NONE,
            borders: Arc::default(),
            outbox: IdVec::new(),
            earliest_out: u64::MAX,
        }
    }
}

impl<Q: EventQueue> Parted<Q> {
    /// Becomes the queue of one of so many parts, before anything is pending.
    pub(super) fn settle(&mut self, here: PartId, parts: u32, borders: Arc<IdVec<LinkId, Border>>) {
        self.here = here;
        self.borders = borders;
        self.outbox = IdVec::filled(Vec::new(), parts as usize);
    }

    /// An event has come from another part.
    pub(super) fn receive(&mut self, event: Event) {
        self.queue.push(event);
    }

    /// Hands over what is on its way to other parts in exchange for empty lists, and says when the earliest of it comes, in ps.
    pub(super) fn send(&mut self, outbox: &mut IdVec<PartId, Vec<Event>>) -> Option<u64> {
        std::mem::swap(outbox, &mut self.outbox);
        let earliest = std::mem::replace(&mut self.earliest_out, u64::MAX);
        (earliest < u64::MAX).then_some(earliest)
    }

    /// The part in which an event happens: a packet arrives at the end of its link, flow control takes effect at its beginning, and all
    /// other alarms are for who has set them.
    #[inline(always)]
    fn destination(&self, event: &Event) -> PartId {
        match event.packet.kind {
            kind if kind.is_packet() => self.borders[event.link()].to,
            Kind::FlowControl => self.borders[LinkId(event.packet.about())].from,
            _ => self.here,
        }
    }
}

impl<Q: EventQueue> EventQueue for Parted<Q> {
    #[inline(always)]
    fn push(&mut self, event: Event) {
        let part = self.destination(&event);
        if part == self.here {
            self.queue.push(event);
        } else {
            self.earliest_out = self.earliest_out.min(event.time);
            self.outbox[part].push(event);
        }
    }

    fn push_timer(&mut self, event: Event) {
        self.queue.push_timer(event);
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<&Event> {
        self.queue.pop()
    }

    #[inline]
    fn next(&mut self) -> Option<(u64, u32)> {
        self.queue.next()
    }

    #[inline]
    fn coming(&self) -> &[Event] {
        self.queue.coming()
    }

    #[inline]
    fn position(&self) -> usize {
        self.queue.position()
    }

    #[inline]
    fn turn(&self) -> u64 {
        self.queue.turn()
    }

    fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn extract(&mut self, chosen: impl Fn(&Event) -> bool) -> Vec<Event> {
        self.queue.extract(chosen)
    }
}
