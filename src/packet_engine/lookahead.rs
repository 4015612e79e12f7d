//! Fetches what the next events will need while the present one is worked on.
//!
//! The state of a large network does not fit the cache next to the processor, and an event that
//! waits for memory wastes more time than it works. Pending events of the current bucket are known in
//! order, so what they will touch is read some events ahead; the reads overlap with the work.
//! Looking ahead reads only: it never changes what happens.

use std::hint::black_box;

use super::engine::Engine;
use super::forwarding::Next;
use super::packet::{Event, Keys, Kind};
use super::queue::EventQueue;
use super::queue_pairs::NONE;

/// How many events ahead a packet's queue pair is read, and then what its numbers lead to.
const FAR: usize = 16;
const NEAR: usize = 6;

/// State of links and queue pairs, in bytes, that stays in the cache by itself.
const CACHED: usize = 1 << 17;
const BYTES_PER_LINK: usize = 64;
const BYTES_PER_QUEUE_PAIR: usize = 256;

/// Whether a network of this size gains from looking ahead.
pub(super) fn pays(links: usize, queue_pairs: usize) -> bool {
    links * BYTES_PER_LINK + queue_pairs * BYTES_PER_QUEUE_PAIR > CACHED
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// Reads what some of the next events need.
    #[inline]
    pub fn look_ahead(&self) {
        if let Some(event) = self.queue.ahead(FAR)
            && is_packet(event)
        {
            black_box(self.queue_pairs[event.packet.qp as usize].task);
        }
        match self.queue.ahead(NEAR) {
            Some(event) if is_packet(event) => self.fetch(event),
            Some(event) if event.packet.kind == Kind::NicFree => self.fetch_port(event.packet.qp),
            _ => {}
        }
    }

    /// Reads what a network card needs to send its next packet.
    #[inline]
    fn fetch_port(&self, port: u32) {
        let (link, sender) = self.nics.next(port);
        self.links.fetch(link);
        if let Some(slot) = sender {
            self.senders.fetch(slot);
        }
    }

    /// Reads the link that a packet will leave by, or the end of the queue pair that it reaches.
    #[inline]
    fn fetch(&self, event: &Event) {
        let (packet, node) = (&event.packet, self.forwarding.end_of(event.key - Keys::ARRIVAL));
        let pair = &self.queue_pairs[packet.qp as usize];
        let (ends, data) = (pair.ends, packet.kind == Kind::Data);
        let (src, dst) = if data {
            (ends.src, ends.dst)
        } else {
            (ends.dst, ends.src)
        };
        match self.forwarding.next(node, dst) {
            Next::Only(link) => self.links.fetch(link),
            Next::OneOf(cell) if ends.base != NONE => {
                let path = ends.base.wrapping_add(u32::from(packet.path));
                self.links.fetch(self.forwarding.along(cell, node, src, dst, path));
            }
            Next::Arrived => {
                if data {
                    self.receivers.fetch(pair.receiver);
                } else {
                    self.senders.fetch(pair.sender);
                }
                // The answer, or what an acknowledgement lets go, leaves from here.
                if let Some(link) = self.forwarding.only_uplink(node) {
                    self.links.fetch(link);
                }
            }
            Next::OneOf(_) | Next::Lost => {}
        }
    }
}

fn is_packet(event: &Event) -> bool {
    matches!(event.packet.kind, Kind::Data | Kind::Ack | Kind::Nack | Kind::Pull)
}
