//! What a set of pending events can do.

use crate::packet_engine::packet::Event;

/// A set of events that gives them back in order of (time, key).
pub(in crate::packet_engine) trait EventQueue: Default {
    /// Adds an event, not earlier than the last one popped.
    fn push(&mut self, event: Event);

    /// Adds a timer: most are set in the order in which they run out.
    fn push_timer(&mut self, event: Event) {
        self.push(event);
    }

    /// Takes the earliest event.
    fn pop(&mut self) -> Option<&Event>;

    /// Time and key of the earliest event.
    fn next(&mut self) -> Option<(u64, u32)>;

    /// Events that pops are giving or will give next, in no order: a hint to fetch what they will need.
    fn coming(&self) -> &[Event] {
        &[]
    }

    /// Position among [`EventQueue::coming`] of the event that was popped last, if it was there.
    fn position(&self) -> usize {
        usize::MAX
    }

    /// A number that changes whenever [`EventQueue::coming`] has other events.
    fn turn(&self) -> u64 {
        0
    }

    /// Whether nothing is pending.
    fn is_empty(&self) -> bool;

    /// Takes out all events that `chosen` names, in order. Slow: for rare changes such as a link
    /// that goes down.
    fn extract(&mut self, chosen: impl Fn(&Event) -> bool) -> Vec<Event>;
}
