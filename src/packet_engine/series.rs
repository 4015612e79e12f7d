//! Queues and rates over time, where a run is asked to sample them.

use super::events::Events;
use super::links::Links;
use super::queue::EventQueue;
use crate::ids::{IdVec, LinkId};
use crate::outcome::{Sample, Series};
use crate::units::Time;

/// Samples so far.
#[derive(Debug)]
pub(super) struct Sampler {
    interval: u64,
    /// When the next sample is due.
    next: u64,
    /// Wire bytes that each link had sent at the last sample.
    sent: IdVec<LinkId, u64>,
    samples: Vec<Sample>,
}

impl Sampler {
    pub(super) fn new(interval: Time, links: usize) -> Self {
        Self {
            interval: interval.0,
            next: interval.0,
            sent: IdVec::filled(0, links),
            samples: Vec::new(),
        }
    }

    /// All samples.
    pub(super) fn into_series(self) -> Series {
        Series {
            interval: Time(self.interval),
            samples: self.samples,
        }
    }

    /// When the next sample is due.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Takes a sample if it is time.
    pub(super) fn look<Q: EventQueue>(&mut self, links: &Links, events: &Events<Q>) {
        if self.next <= events.clock() {
            self.next = self.next.saturating_add(self.interval);
            self.sample(links, events);
        }
    }

    /// Takes a sample of every link that was not idle since the last one.
    pub(super) fn sample<Q: EventQueue>(&mut self, links: &Links, events: &Events<Q>) {
        for link in self.sent.ids() {
            let before = &mut self.sent[link];
            let queue = links.queue(link, events.now);
            let accepted = links.bytes(link).0;
            let sent = accepted.saturating_sub(queue).max(*before);
            if queue > 0 || sent > *before {
                self.samples.push(Sample {
                    at: Time(events.clock()),
                    link,
                    queue,
                    sent: sent - *before,
                });
            }
            *before = sent;
        }
    }
}
