//! What senders know over time, where a run is asked to sample them.

use std::collections::BTreeMap;

use super::ids::SenderId;
use super::network::Network;
use super::queue::EventQueue;
use super::refusal::{Part, Refusal};
use super::sender::Sender;
use super::setup::Setup;
use super::slab::Slab;
use super::transport::CongestionControl;
use crate::ids::HostId;
use crate::outcome::SenderSample;
use crate::units::{Rate, Time};
use crate::workload::Transfer;

/// Samples of senders that a run keeps at most.
const MOST_SAMPLES: u64 = 50_000_000;

/// Samples so far.
#[derive(Debug)]
pub(super) struct SenderSampler {
    interval: u64,
    /// When the next sample is due.
    next: u64,
    samples: Vec<SenderSample>,
}

impl SenderSampler {
    pub(super) fn new(interval: Time) -> Self {
        Self {
            interval: interval.0,
            next: interval.0,
            samples: Vec::new(),
        }
    }

    /// All samples.
    pub(super) fn into_samples(self) -> Vec<SenderSample> {
        self.samples
    }

    /// When the next sample is due.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Samples every sender that is at work, by queue pair, if it is time.
    pub(super) fn look<Q: EventQueue>(&mut self, net: &Network<'_, Q>, senders: &Slab<SenderId, Sender>) {
        let (now, full) = (net.events.clock(), net.terms.full);
        if self.next > now {
            return;
        }
        self.next = self.next.saturating_add(self.interval);
        let first = self.samples.len();
        for sender in senders.iter() {
            let state = sender.control.state();
            self.samples.push(SenderSample {
                at: Time(now),
                task: net.pairs[sender.qp].task,
                subflow: sender.qp.0,
                in_flight: u64::from(sender.sent.in_flight()) * full,
                window: state.window,
                rate: state.rate.map(|rate| Rate((rate * 8e12) as u64)),
                alpha: state.alpha,
                rtt: (sender.rtt > 0).then_some(Time(sender.rtt)),
                credits: state.credits,
            });
        }
        self.samples[first..].sort_unstable_by_key(|sample| sample.subflow);
        for sample in &mut self.samples[first..] {
            sample.subflow -= net.setup.placement.range(sample.task).start as u32;
        }
    }
}

/// Refuses an interval that is zero, or at which there would be more samples than can be kept.
pub(super) fn check(setup: &Setup<'_>) -> Result<(), Refusal> {
    let Some(interval) = setup.observe.senders else {
        return Ok(());
    };
    if interval.is_zero() {
        return Err(Part::Senders.refused("the sampling interval is zero"));
    }
    let subflows = setup.placement.subflows().len() as u128;
    let until = setup
        .packet
        .stop
        .map_or(u128::MAX, |stop| subflows * u128::from(stop.0));
    let samples = at_work(setup).min(until) / u128::from(interval.0);
    if samples > u128::from(MOST_SAMPLES) {
        let times = samples.div_ceil(u128::from(MOST_SAMPLES));
        let longer = Time(u64::try_from(u128::from(interval.0).saturating_mul(times)).unwrap_or(u64::MAX));
        let message = format!("there would be about {samples} samples");
        let help = format!("at most {MOST_SAMPLES} can be kept: sample every {longer} or less often");
        return Err(Part::Senders.refused(message).help(help));
    }
    Ok(())
}

/// The times for which all senders are at work, added up, in ps, if those of a host that can start together share its
/// links evenly and nothing else holds them up.
fn at_work(setup: &Setup<'_>) -> u128 {
    let mut batches: BTreeMap<(HostId, u32, Time), Vec<u64>> = BTreeMap::new();
    for Transfer { task: id, src, .. } in setup.schedule.transfers() {
        let task = setup.schedule.task(id);
        let sizes = setup.placement.of(id).iter().map(|subflow| subflow.bytes);
        batches
            .entry((src, task.step, task.earliest))
            .or_default()
            .extend(sizes);
    }
    let most = setup.packet.active_queue_pairs.map_or(usize::MAX, |most| most as usize);
    let times = batches.into_iter().map(|((src, ..), mut sizes)| {
        let links = setup.fabric.out_links(src.node()).iter();
        let rates = links.map(|&id| setup.fabric.link(id).rate);
        let rate = rates.fold(Rate::ZERO, Rate::saturating_add);
        if rate.is_zero() {
            return 0;
        }
        sizes.sort_unstable();
        let (mut before, count) = (0, sizes.len());
        // While so many are left, each of them sends the bytes that the next smallest has more.
        let spans = sizes.into_iter().enumerate().map(|(position, size)| {
            let left = count - position;
            let bytes = u128::from(size - std::mem::replace(&mut before, size));
            bytes * left as u128 * left.min(most) as u128
        });
        spans.sum::<u128>().saturating_mul(8_000_000_000_000) / u128::from(rate.0)
    });
    times.fold(0, u128::saturating_add)
}
