//! Skips steady states (`packet.fast_forward`).
//!
//! As long as no flow starts or ends and no link changes, the rates of flows come to repeat. Then the clock
//! moves on, and every flow has so many packets less to send as it would have sent meanwhile; what is in flight, windows, queues
//! and timers stay as they are. To packets, hosts and switches no time has passed: they have a clock of
//! their own ([`Events::now`](super::events::Events)), and what comes at a time of the schedule or of faults comes so
//! much sooner for them. The end of every flow, and what it brings about, is simulated.
//!
//! How far to go follows from what is known: not beyond the next change, nor beyond several times what was seen, nor
//! where the drift of the rates might add up to more than the error allowed. After that, one more window
//! shows whether the rates are still the same; so long phases take a handful of windows.

mod estimate;
mod options;
mod snapshot;
mod watch;

pub use options::FastForward;

use estimate::Rates;
use snapshot::Snapshot;
use watch::Watch;

use super::events::Events;
use super::faults::Faults;
use super::flows::Flows;
use super::links::LinkTotals;
use super::network::Network;
use super::packet::{Keys, Kind};
use super::queue::EventQueue;
use super::receiving::Receiving;
use super::sending::Sending;
use super::skipped::PairTotals;

/// Unloaded round trips of the unit in which looks come, and of what is simulated before a flow ends.
const UNIT: u64 = 2;
const END: u64 = 4;

/// A phase of which so much was seen or skipped may go on for so many times as long before it is looked at again.
const MOST_SPANS: f64 = 8.0;

/// The part of the error allowed that luck may use up, for the flow that has most of it.
const LUCK: f64 = 0.4;

/// All that a run has, as far as it is looked at or moved on.
pub(super) struct Run<'a, 'n, Q> {
    pub(super) net: &'a mut Network<'n, Q>,
    pub(super) sending: &'a mut Sending,
    pub(super) receiving: &'a Receiving,
    pub(super) flows: &'a Flows,
    pub(super) faults: &'a Faults,
    /// Nothing happens after this time, in ps as packets know it.
    pub(super) until: &'a mut u64,
}

/// Looks at a run and moves it on.
#[derive(Debug)]
pub(super) struct Skipper {
    error: f64,
    watch: Watch,
    /// In ps.
    rtt: u64,
    /// Simulated time, in ps, at which the present phase began.
    phase: u64,
    /// When the next look is due; an alarm for another time is stale.
    awaited: Option<u64>,
}

impl Skipper {
    /// None where nothing is to be skipped, or nothing could be: links that lose packets at random have no steady state, and
    /// some transports have none.
    pub(super) fn new<Q: EventQueue>(net: &Network<'_, Q>) -> Option<Self> {
        let options = net.setup.packet.fast_forward?;
        let (rtt, cycle) = (net.terms.rtt.max(1), net.setup.transport.cycle()?);
        (!net.is_gray()).then(|| Self {
            error: options.error,
            watch: Watch::new(options.error / 2.0, (UNIT * rtt).max(cycle)),
            rtt,
            phase: 0,
            awaited: None,
        })
    }

    /// A flow starts or ends: a phase begins.
    pub(super) fn begin<Q: EventQueue>(&mut self, events: &mut Events<Q>) {
        self.restart(events);
        if self.awaited.is_none_or(|time| time > self.watch.next_at()) {
            self.await_look(events);
        }
    }

    fn restart<Q: EventQueue>(&mut self, events: &Events<Q>) {
        self.watch.restart(events.now);
        self.phase = events.clock();
    }

    fn await_look<Q: EventQueue>(&mut self, events: &mut Events<Q>) {
        let time = self.watch.next_at().max(events.now + 1);
        self.awaited = Some(time);
        events.alarm(time, Keys::WATCH, Kind::Watch, 0);
    }

    /// Looks at a run, if it is time, and skips what can be skipped.
    pub(super) fn look<Q: EventQueue>(&mut self, mut run: Run<'_, '_, Q>) {
        let now = run.net.events.now;
        if self.awaited != Some(now) {
            return;
        }
        self.awaited = None;
        if self.watch.next_at() > now {
            return self.await_look(&mut run.net.events);
        }
        let snapshot = Snapshot::take(run.net, (run.sending, run.receiving), run.flows, run.faults);
        // Hosts that keep off paths will come back to them.
        let found = match run.sending.avoided.is_empty() && self.watch.goes_on(&snapshot) {
            true => self.watch.look(run.net, snapshot),
            false => {
                self.restart(&run.net.events);
                None
            }
        };
        if let Some((rates, window)) = found
            && !self.skip(&mut run, &rates, window)
        {
            self.watch.lengthen();
        }
        let goes_on = !self.watch.is_idle() && !run.net.events.queue.is_empty();
        if goes_on {
            self.await_look(&mut run.net.events);
        }
    }

    /// Skips as much as rates allow; false where that is too little for all that was seen, so that they had to be known better.
    fn skip<Q: EventQueue>(&self, run: &mut Run<'_, '_, Q>, rates: &Rates, window: u64) -> bool {
        let span = run.net.events.clock() - self.phase;
        let (until_change, known) = (self.until_change(run, rates, window), self.known(run, rates, window));
        let time = until_change.min(known);
        if time < window || time < until_change.min(span) {
            return until_change < window;
        }
        self.count(run, rates, window, time);
        let drift = rates.drift * (1.0 + time as f64 / span as f64 / 2.0);
        run.net.skipped.doubt += time as f64 * (rates.error + drift);
        run.net.events.skip(time);
        *run.until -= time;
        true
    }

    /// For how long the rates are known well enough, in ps: their drift, if it goes on, and the luck of flows come to less
    /// than the error allowed.
    fn known<Q: EventQueue>(&self, run: &Run<'_, '_, Q>, rates: &Rates, window: u64) -> u64 {
        let span = (run.net.events.clock() - self.phase) as f64;
        // What flows are ahead of others has lasted for so long, and may do so once more.
        let spans = if rates.own > self.error { 1.0 } else { MOST_SPANS };
        let by_drift = span * (self.error / rates.drift.max(1e-9) - 2.0).min(spans);
        let by_luck = run.sending.senders.iter().enumerate().map(|(flow, sender)| {
            let pair = &run.net.pairs[sender.qp];
            let skipped = run.net.skipped.pair(sender.qp).packets as f64;
            let may_be = self.error * LUCK * (f64::from(pair.packets) + skipped);
            // What was skipped before had its luck, too.
            rates.windows_until_lucky(flow, may_be) - skipped / rates.over(flow, 1.0).max(1.0)
        });
        let by_luck = by_luck.fold(f64::INFINITY, f64::min) * window as f64;
        by_drift.min(by_luck).max(0.0) as u64
    }

    /// Counts what is done in a time that is skipped.
    fn count<Q: EventQueue>(&self, run: &mut Run<'_, '_, Q>, rates: &Rates, window: u64, time: u64) {
        let Some([before, now]) = self.watch.window() else {
            return;
        };
        let windows = time as f64 / window as f64;
        let grown = |before: u64, now: u64| (now.saturating_sub(before) as f64 * windows).round() as u64;
        let net = &mut *run.net;
        let pairs = before.pairs.iter().zip(&now.pairs).enumerate();
        let mut delivered = 0;
        for (sender, (flow, (before, now))) in run.sending.senders.iter_mut().zip(pairs) {
            let most = sender.sent.unsent().saturating_sub(2);
            let packets = (rates.over(flow, windows).round() as u64).min(u64::from(most));
            let done = PairTotals {
                packets,
                retransmits: grown(before.retransmits, now.retransmits),
                reordered: grown(before.reordered, now.reordered),
            };
            sender.sent.shorten(packets as u32);
            net.pairs[sender.qp].packets -= packets as u32;
            net.skipped.add_pair(sender.qp, &done);
            delivered += packets;
        }
        // What links carry is what flows deliver, though what was in flight may have changed a little.
        let seen: u64 = now
            .pairs
            .iter()
            .zip(&before.pairs)
            .map(|(now, before)| now.sent().saturating_sub(before.sent()))
            .sum();
        let windows = delivered as f64 / (seen.max(1)) as f64;
        let grown = |before: u64, now: u64| (now.saturating_sub(before) as f64 * windows).round() as u64;
        let links = before.links.iter().zip(&now.links).map(|(before, now)| LinkTotals {
            wire_bytes: grown(before.wire_bytes, now.wire_bytes),
            data_bytes: grown(before.data_bytes, now.data_bytes),
            drops: grown(before.drops, now.drops),
            trims: grown(before.trims, now.trims),
            ecn_marks: grown(before.ecn_marks, now.ecn_marks),
            pauses: grown(before.pauses, now.pauses),
            paused: grown(before.paused, now.paused),
            queue: 0,
        });
        net.skipped.add_links(links);
        net.skipped.packet_hops += grown(before.packet_hops, now.packet_hops);
    }

    /// The time until the next change, less what is simulated before it, in ps.
    fn until_change<Q: EventQueue>(&self, run: &mut Run<'_, '_, Q>, rates: &Rates, window: u64) -> u64 {
        let now = run.net.events.now;
        let ends = run.sending.senders.iter().enumerate().map(|(flow, sender)| {
            let left = f64::from(sender.sent.unsent());
            (left / rates.over(flow, 1.0).max(1e-9) * window as f64) as u64
        });
        let outside = run.net.events.next_outside().map(|time| time - now);
        let first = ends.chain(outside).chain([run.until.saturating_sub(now)]).min();
        first.unwrap_or(0).saturating_sub(END * self.rtt)
    }
}
