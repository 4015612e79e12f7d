//! When to look, and whether what three looks have seen is a steady state.
//!
//! Looks come at 2, 3, 4, 6, 8, 12, .. units after flows have last started or ended or links changed: the last three at a
//! power of two are the ends of two windows of equal length, the second half of the time since then. Where the two agree,
//! rates repeat: with transports whose windows or rates swing, once both windows hold enough of their swings.
//! Where they do not agree, with each other and with the two before, the next two are twice as long.

use super::estimate::{Rates, Windows};
use super::snapshot::Snapshot;
use crate::ids::{IdVec, SubflowId};
use crate::packet_engine::network::Network;
use crate::packet_engine::queue::EventQueue;

/// Queues repeat when they change by no more than this part of themselves from one look to the next.
const QUEUE_CHANGE: f64 = 0.1;

/// Looks in a row at which nothing has moved, after which there are no more.
const MOST_IDLE: u32 = 64;

/// Looks at a run.
#[derive(Debug)]
pub(super) struct Watch {
    /// Rates must be known so well.
    error: f64,
    /// In ps.
    unit: u64,
    /// The last three at most.
    seen: Vec<Snapshot>,
    /// Units from the beginning of the phase to the next look, and when that began.
    beat: u64,
    began: u64,
    /// Rates repeat: looks come at even distance, to see that they still do.
    steady: bool,
    /// Packets per ps of each flow, as the windows before have shown them.
    known: Vec<f64>,
    idle: u32,
}

impl Watch {
    /// `unit` in ps.
    pub(super) fn new(error: f64, unit: u64) -> Self {
        Self {
            error,
            unit: unit.max(1),
            seen: Vec::new(),
            beat: 0,
            began: 0,
            steady: false,
            known: Vec::new(),
            idle: 0,
        }
    }

    /// Begins anew: nothing that was seen says anything about what comes.
    pub(super) fn restart(&mut self, now: u64) {
        self.seen.clear();
        self.known.clear();
        (self.began, self.beat, self.steady) = (now, 2, false);
    }

    /// When to look next.
    pub(super) fn next_at(&self) -> u64 {
        match self.seen.as_slice() {
            [.., before, last] if self.steady => last.now + (last.now - before.now),
            _ => self.began + self.beat * self.unit,
        }
    }

    /// Whether flows and links are still those of the last look.
    pub(super) fn goes_on(&self, snapshot: &Snapshot) -> bool {
        self.seen.last().is_none_or(|last| last.is_of_the_same(snapshot))
    }

    /// Whether so many looks in a row have seen nothing move that there should be no more.
    pub(super) fn is_idle(&self) -> bool {
        self.idle >= MOST_IDLE
    }

    /// Takes a look. Tells the rates per window, and how long that is, where they repeat.
    pub(super) fn look<Q: EventQueue>(&mut self, net: &Network<'_, Q>, snapshot: Snapshot) -> Option<(Rates, u64)> {
        if let Some(last) = self.seen.last() {
            let moved = last.packet_hops < snapshot.packet_hops;
            self.idle = if moved { 0 } else { self.idle + 1 };
        }
        if self.seen.len() == 3 {
            self.seen.remove(0);
        }
        self.seen.push(snapshot);
        if self.steady {
            let rates = self.confirmed(net);
            if rates.is_none() {
                self.lengthen();
            }
            return rates;
        }
        let full = self.beat.is_power_of_two() && self.beat > 2;
        self.beat = match self.beat.is_power_of_two() {
            true => self.beat / 2 * 3,
            false => self.beat / 3 * 4,
        };
        let rates = if full { self.confirmed(net) } else { None };
        self.steady = rates.is_some();
        rates
    }

    /// The present windows tell too little: from now on they are twice as long.
    pub(super) fn lengthen(&mut self) {
        if let Some([before, last]) = self.window() {
            let length = (last.now - before.now) / self.unit;
            self.began = last.now - 2 * length * self.unit;
            self.beat = 4 * length.next_power_of_two();
            self.seen.drain(..self.seen.len() - 1);
        }
        self.steady = false;
    }

    /// The rates, where they also are what the windows before have shown: what changes slowly, two windows may miss.
    fn confirmed<Q: EventQueue>(&mut self, net: &Network<'_, Q>) -> Option<(Rates, u64)> {
        let Some((rates, window)) = self.compare(net) else {
            self.known.clear();
            return None;
        };
        let now: Vec<f64> = rates.lasting().iter().map(|packets| packets / window as f64).collect();
        let known = std::mem::replace(&mut self.known, now);
        let same = |(now, known): (&f64, &f64)| (now - known).abs() <= self.error * known;
        let confirmed = !known.is_empty() && self.known.iter().zip(&known).all(same);
        confirmed.then_some((rates, window))
    }

    /// The last two looks.
    pub(super) fn window(&self) -> Option<[&Snapshot; 2]> {
        match self.seen.as_slice() {
            [.., before, last] => Some([before, last]),
            _ => None,
        }
    }

    fn compare<Q: EventQueue>(&self, net: &Network<'_, Q>) -> Option<(Rates, u64)> {
        let [a, b, c] = self.seen.as_slice() else {
            return None;
        };
        debug_assert_eq!(b.now - a.now, c.now - b.now, "windows are equal");
        let counts = |from: &Snapshot, to: &Snapshot| -> Vec<f64> {
            let pairs = from.pairs.iter().zip(&to.pairs);
            pairs
                .map(|(from, to)| to.delivered.saturating_sub(from.delivered) as f64)
                .collect()
        };
        let windows = Windows {
            first: counts(a, b),
            second: counts(b, c),
            classes: classes(net, c),
        };
        let delivered: f64 = windows.second.iter().sum();
        if !(self.repeats(net, a, b, delivered) && self.repeats(net, b, c, delivered)) {
            return None;
        }
        Some((windows.rates(self.error)?, c.now - b.now))
    }

    /// Whether queues, and packets in flight, are what they were, by themselves or beside the packets that were delivered.
    fn repeats<Q>(&self, net: &Network<'_, Q>, from: &Snapshot, to: &Snapshot, delivered: f64) -> bool {
        let ((flying_before, queued_before), (flying, queued)) = (from.held(), to.held());
        let may_change = self.error / 4.0 * delivered;
        let queue = queued.abs_diff(queued_before) as f64;
        let in_flight = flying.abs_diff(flying_before) as f64;
        // The packets that links are sending come and go by themselves.
        let sending = 2.0 * (to.links.iter().filter(|link| link.queue > 0).count() as f64).sqrt();
        let may_change = may_change + sending;
        let small = may_change * net.terms.full as f64;
        (queue <= small || queue <= QUEUE_CHANGE * queued_before as f64)
            && (in_flight <= may_change || in_flight <= QUEUE_CHANGE * flying_before as f64)
    }
}

/// Numbers the queue pairs so that those have the same number that share their ports with as many others at both ends, and go as far.
fn classes<Q: EventQueue>(net: &Network<'_, Q>, snapshot: &Snapshot) -> Vec<u32> {
    let hosts = net.setup.fabric.hosts() as usize;
    let (mut sending, mut receiving) = (IdVec::filled(0_u32, hosts), IdVec::filled(0_u32, hosts));
    let ends = |qp: SubflowId| net.pairs[qp].ends;
    for pair in &snapshot.pairs {
        sending[ends(pair.qp).src] += 1;
        receiving[ends(pair.qp).dst] += 1;
    }
    let mut known = std::collections::BTreeMap::new();
    let class = snapshot.pairs.iter().map(|pair| {
        let ends = ends(pair.qp);
        let port = net.forwarding.only_uplink(ends.src);
        let rate = port.map_or(0, |link| net.links.rate(link).0);
        let near = net.forwarding.edge(ends.src) == net.forwarding.edge(ends.dst);
        let key = (sending[ends.src], receiving[ends.dst], rate, near);
        let next = known.len() as u32;
        *known.entry(key).or_insert(next)
    });
    class.collect()
}
