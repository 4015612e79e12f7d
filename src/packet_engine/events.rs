//! The clock, the pending events, and what owners of state tell each other.

use super::ids::PortId;
use super::packet::{Event, Keys, Kind, Packet};
use super::queue::EventQueue;
use crate::ids::{HostId, LinkId, SubflowId, TaskId};

/// What an event has brought about beside its owner: it is dealt with once the owner is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// A packet that is not the last of a sub-flow begins to leave by one of several ports: it is to be told of as sent, too.
    Leaving { task: TaskId },
    /// The last packet of a sub-flow of a task has left its host, or one that was told of as leaving.
    Sent { task: TaskId },
    /// The first packet of one has arrived.
    Begun { task: TaskId },
    /// The last packet of one has arrived, after so many out of order, by so many packets at most.
    Delivered { task: TaskId, reordered: u32, extent: u32 },
    /// All packets of one have been acknowledged; so many had been sent again.
    Acknowledged { task: TaskId, retransmits: u32 },
    /// A host serves one queue pair less.
    Closed { host: HostId },
    /// A card's port may ask its next sender.
    Poll { port: PortId },
    /// The queue of a link may send its next packet.
    Serve { link: LinkId },
}

/// Pending events, and effects of the one at hand.
#[derive(Debug)]
pub(super) struct Events<Q> {
    /// In picoseconds, without what has been skipped: what packets, hosts and switches go by.
    pub now: u64,
    /// Time that has been skipped, in ps.
    pub skipped: u64,
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
            skipped: 0,
            keys,
            queue: Q::default(),
            effects: Vec::new(),
            settled: 0,
        }
    }

    /// Simulated time, in ps, with what has been skipped: what schedules, faults and results go by.
    #[inline]
    pub(super) fn clock(&self) -> u64 {
        self.now + self.skipped
    }

    /// Skips a time: what is to happen at a time of the schedule, of faults or of samples comes so much sooner for all that packets, hosts
    /// and switches have under way. None of it may lie within the time that is skipped.
    pub(super) fn skip(&mut self, time: u64) {
        let outside = self.queue.extract(|event| event.packet.kind.is_outside());
        for event in outside {
            debug_assert!(event.time >= self.now + time, "what is to happen is not skipped");
            self.queue.push(Event {
                time: event.time - time,
                ..event
            });
        }
        self.skipped += time;
    }

    /// When the next of what is to happen at a time of the schedule, of faults or of samples comes, in ps as packets know it. Slow.
    pub(super) fn next_outside(&mut self) -> Option<u64> {
        let outside = self.queue.extract(|event| event.packet.kind.is_outside());
        let first = outside.first().map(|event| event.time);
        outside.into_iter().for_each(|event| self.queue.push(event));
        first
    }

    /// Adds an alarm at a simulated time, in ps.
    pub(super) fn alarm_at(&mut self, clock: u64, key: u32, kind: Kind, about: u32) {
        self.alarm(clock - self.skipped, key, kind, about);
    }

    /// Adds an alarm.
    pub(super) fn alarm(&mut self, time: u64, key: u32, kind: Kind, about: u32) {
        let packet = Packet::alarm(kind, about);
        self.queue.push(Event { time, key, packet });
    }

    /// Adds the alarm of a retransmission timer.
    pub(super) fn await_timeout(&mut self, time: u64, qp: SubflowId) {
        let (key, packet) = (self.keys.timeout + qp.0, Packet::of(Kind::Timeout, qp));
        self.queue.push_timer(Event { time, key, packet });
    }

    /// A packet will have crossed a link.
    #[inline(always)]
    pub(super) fn arrival(&mut self, time: u64, link: LinkId, packet: Packet) {
        let key = Keys::ARRIVAL + link.0;
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
