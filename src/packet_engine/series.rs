//! Queues and rates over time, where a run is asked to sample them.

use super::engine::Engine;
use super::packet::{Keys, Kind};
use super::queue::EventQueue;
use crate::ids::LinkId;
use crate::outcome::{Sample, Series};
use crate::units::Time;

/// Samples so far.
#[derive(Debug)]
pub(super) struct Sampler {
    interval: u64,
    /// When the next sample is due.
    next: u64,
    /// Wire bytes that each link had sent at the last sample.
    sent: Vec<u64>,
    samples: Vec<Sample>,
}

impl Sampler {
    pub fn new(interval: Time, links: usize) -> Self {
        Self {
            interval: interval.0,
            next: interval.0,
            sent: vec![0; links],
            samples: Vec::new(),
        }
    }

    /// All samples.
    pub fn into_series(self) -> Series {
        Series {
            interval: Time(self.interval),
            samples: self.samples,
        }
    }
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// Sets the alarm for the next sample, of links or of senders.
    pub fn await_sample(&mut self) {
        let links = self.sampler.as_ref().map(|sampler| sampler.next);
        let senders = self.watched.as_ref().map(|senders| senders.next);
        if let Some(time) = links.into_iter().chain(senders).min() {
            self.alarm(time, Keys::SAMPLE, Kind::Sample, 0);
        }
    }

    /// Looks at what is due, and again later, unless nothing but this alarm was pending.
    pub fn sample(&mut self) {
        if let Some(sampler) = self.sampler.as_mut().filter(|sampler| sampler.next <= self.now) {
            sampler.next = sampler.next.saturating_add(sampler.interval);
            self.sample_links();
        }
        self.look_at_senders();
        if !self.queue.is_empty() {
            self.await_sample();
        }
    }

    /// Takes a sample of every link that was not idle since the last one.
    pub fn sample_links(&mut self) {
        let Some(sampler) = &mut self.sampler else { return };
        for (link, before) in sampler.sent.iter_mut().enumerate() {
            let queue = self.links.queue(link as u32, self.now);
            let (accepted, _) = self.links.bytes(link as u32);
            let sent = accepted.saturating_sub(queue).max(*before);
            if queue > 0 || sent > *before {
                sampler.samples.push(Sample {
                    at: Time(self.now),
                    link: LinkId(link as u32),
                    queue,
                    sent: sent - *before,
                });
            }
            *before = sent;
        }
    }
}
