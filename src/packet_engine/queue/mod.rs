//! The pending events, earliest first.
//!
//! [`Wheel`] is what runs; [`Heap`] is the plain reference that a differential test holds it against.

mod event_queue;
mod heap;
#[cfg(test)]
mod tests;
mod wheel;

pub(super) use event_queue::EventQueue;
pub(super) use heap::Heap;
pub(super) use wheel::Wheel;
