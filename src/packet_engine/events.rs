//! The clock, the pending events, and what owners of state tell each other.

use super::packet::{Event, Keys, Kind, Packet};
use super::queue::EventQueue;

/// What an event has brought about beside its owner: it is dealt with once the owner is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The last packet of a sub-flow of a task has left its host.
    Sent { task: u32 },
    /// The first packet of one has arrived.
    Begun { task: u32 },
    /// The last packet of one has arrived, after so many out of order, by so many packets at most.
    Delivered { task: u32, reordered: u32, extent: u32 },
    /// All packets of one have been acknowledged; so many had been sent again.
    Acknowledged { task: u32, retransmits: u32 },
    /// A host serves one queue pair less.
    Closed { host: u32 },
    /// A card's port may ask its next sender.
    Poll { port: u32 },
    /// The queue of a link may send its next packet.
    Serve { link: u32 },
}

/// Pending events, and effects of the one at hand.
#[derive(Debug)]
pub(super) struct Events<Q> {
    /// In picoseconds.
    pub now: u64,
    pub keys: Keys,
    pub queue: Q,
    effects: Vec<Effect>,
    /// Of the effects, how many have been dealt with.
    settled: usize,
}

impl<Q: EventQueue> Events<Q> {
    pub(super) fn new(keys: Keys) -> Self {
        Self {
            now: 0,
            keys,
            queue: Q::default(),
            effects: Vec::new(),
            settled: 0,
        }
    }

    /// Adds an alarm.
    pub(super) fn alarm(&mut self, time: u64, key: u32, kind: Kind, about: u32) {
        let packet = Packet::alarm(kind, about);
        self.queue.push(Event { time, key, packet });
    }

    /// Adds the alarm of a retransmission timer.
    pub(super) fn await_timeout(&mut self, time: u64, qp: u32) {
        let (key, packet) = (self.keys.timeout + qp, Packet::alarm(Kind::Timeout, qp));
        self.queue.push_timer(Event { time, key, packet });
    }

    /// A packet will have crossed a link.
    #[inline(always)]
    pub(super) fn arrival(&mut self, time: u64, link: u32, packet: Packet) {
        let key = Keys::ARRIVAL + link;
        self.queue.push(Event { time, key, packet });
    }

    /// Tells of an effect.
    pub(super) fn tell(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Whether effects wait to be dealt with.
    #[inline(always)]
    pub(super) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// The next effect, in the order in which they were told.
    pub(super) fn next_effect(&mut self) -> Option<Effect> {
        let next = self.effects.get(self.settled).copied();
        match next {
            Some(_) => self.settled += 1,
            None => {
                self.effects.clear();
                self.settled = 0;
            }
        }
        next
    }
}
