//! How fast a receiver may hand out credits where the fabric is oversubscribed: the control of RCCC (Ultra Ethernet 1.0),
//! with the constants of its public simulator.
//!
//! About every one and a half round trips the receiver looks at what has arrived since. Packets trimmed before the last hop lower the rate by
//! their share; a mean share of marks above its target lowers it in proportion; else it rises, the faster the longer nothing was marked.

use std::collections::BTreeMap;

use crate::ids::NodeId;
use crate::rng::{index_below, mix};
use crate::topology::{Fabric, NodeKind};

/// Share of marked packets that is aimed at, and the weight of a new one in its mean.
const TARGET: f64 = 0.3;
const GAIN: f64 = 0.5;
/// Increase per look as a share of the line rate, and share of the excess by which the rate is cut.
const INCREASE: f64 = 0.01;
const CUT: f64 = 0.5;
/// The lowest rate: of what each receiver gets when all receive at once, and of the line rate.
const OF_FAIR_SHARE: f64 = 0.9;
const LOWEST: f64 = 0.01;
/// Increases double at most so often in a row: to all of the rate.
const MOST_DOUBLINGS: u32 = 7;
/// A mean below counts as none.
const NO_MARKS: f64 = 1e-9;

/// How much more hosts can send than a fabric carries: for each tier the switch with the largest ratio of rates below to those above
/// it, and the product over tiers.
pub(super) fn oversubscription(fabric: &Fabric) -> f64 {
    let mut tiers: BTreeMap<u8, f64> = BTreeMap::new();
    for node in (fabric.hosts() as usize..fabric.nodes().len()).map(NodeId::from) {
        let tier = fabric.node(node).tier;
        let (mut below, mut above) = (0.0, 0.0);
        for link in fabric.out_links(node).iter().map(|&id| fabric.link(id)) {
            let end = fabric.node(link.to);
            match end.kind == NodeKind::Host || end.tier < tier {
                true => below += link.rate.0 as f64,
                false => above += link.rate.0 as f64,
            }
        }
        if above > 0.0 {
            let most = tiers.entry(tier).or_insert(1.0);
            *most = most.max(below / above);
        }
    }
    tiers.values().product()
}

/// One receiver's view of the fabric.
#[derive(Debug, Clone)]
pub(super) struct FabricWatch {
    /// Unloaded round trip, in ps.
    rtt: u64,
    salt: u64,
    /// Looks so far, and when the next one is due; none before anything has arrived.
    looks: u64,
    next_at: Option<u64>,
    /// Packets since the last look, of them marked, trimmed, and trimmed before the last hop.
    packets: u32,
    marked: u32,
    trimmed: u32,
    early: u32,
    /// Mean share of marks.
    mean: f64,
    /// Share of the line rate, and the lowest.
    rate: f64,
    lowest: f64,
    increases: u32,
}

impl FabricWatch {
    /// In a fabric whose hosts can send `ratio` times as much as it carries.
    pub(super) fn new(rtt: u64, ratio: f64, seed: u64, host: u64) -> Self {
        Self {
            rtt: rtt.max(1_000),
            salt: mix(mix(seed ^ 0x0cc5) ^ host),
            looks: 0,
            next_at: None,
            packets: 0,
            marked: 0,
            trimmed: 0,
            early: 0,
            mean: 0.0,
            rate: 1.0,
            lowest: (OF_FAIR_SHARE / ratio).clamp(LOWEST, 1.0),
            increases: 0,
        }
    }

    /// A packet arrives, whole or trimmed, then perhaps before the last hop.
    pub(super) fn arrived(&mut self, now: u64, marked: bool, trimmed: bool, early: bool) {
        self.catch_up(now);
        self.packets += 1;
        self.marked += u32::from(marked && !trimmed);
        self.trimmed += u32::from(trimmed);
        self.early += u32::from(early);
    }

    /// The share of the line rate at which credits may be sent now.
    pub(super) fn rate(&mut self, now: u64) -> f64 {
        self.catch_up(now);
        self.rate
    }

    /// Does the looks that were due: between two of them nobody sees the difference.
    fn catch_up(&mut self, now: u64) {
        let mut due = self.next_at.unwrap_or_else(|| now + self.interval());
        while due <= now {
            self.look();
            // After a long silence nothing is left to make up for.
            if self.rate >= 1.0 && self.mean < NO_MARKS {
                due = now;
            }
            due += self.interval();
        }
        self.next_at = Some(due);
    }

    /// From 1.125 to 1.875 round trips, so that receivers do not look in lockstep.
    fn interval(&mut self) -> u64 {
        self.looks += 1;
        let thousandths = 1_125 + u64::from(index_below(mix(self.salt ^ self.looks), 751));
        self.rtt / 1_000 * thousandths
    }

    fn look(&mut self) {
        let whole = self.packets - self.trimmed;
        let fraction = f64::from(self.marked) / f64::from(whole.max(1));
        self.mean += GAIN * (fraction - self.mean);
        let before = self.rate;
        self.rate -= f64::from(self.early) / f64::from(self.packets.max(1));
        if self.mean > TARGET {
            self.rate *= 1.0 - CUT * (self.mean - TARGET);
        }
        if self.rate < before {
            self.increases = 0;
        } else {
            let doublings = if self.marked == 0 { self.increases } else { 0 };
            self.rate += INCREASE * f64::from(1_u32 << doublings);
            self.increases = (self.increases + 1).min(MOST_DOUBLINGS);
        }
        self.rate = self.rate.clamp(self.lowest, 1.0);
        (self.packets, self.marked, self.trimmed, self.early) = (0, 0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets packets arrive, `marked` and `early` ones among them, and looks once.
    fn looked(watch: &mut FabricWatch, marked: u32, early: u32, others: u32) -> f64 {
        let now = watch.next_at.unwrap_or(0).saturating_sub(1);
        (0..marked).for_each(|_| watch.arrived(now, true, false, false));
        (0..early).for_each(|_| watch.arrived(now, false, true, true));
        (0..others).for_each(|_| watch.arrived(now, false, false, false));
        watch.rate(watch.next_at.unwrap())
    }

    /// The steps of the control, by hand.
    #[test]
    fn marks_and_trims_lower_the_rate() {
        let mut watch = FabricWatch::new(12_000_000, 4.0, 1, 0);
        let mut close = |marked, early, others, rate: f64| {
            let found = looked(&mut watch, marked, early, others);
            assert!((found - rate).abs() < 1e-9, "{found} instead of {rate}");
        };
        // A tenth trimmed in the fabric.
        close(0, 10, 90, 0.9);
        // All marked: the mean is a half, 0.2 above the target.
        close(100, 0, 0, 0.9 * 0.9);
        // Few marks, mean 0.295: not above it, a small step; then by doubling steps.
        close(9, 0, 91, 0.82);
        close(0, 0, 100, 0.84);
        close(0, 0, 100, 0.88);
        close(0, 0, 100, 0.96);
        close(0, 0, 100, 1.0);
        // Never below nine tenths of a fair share.
        close(0, 100, 0, 0.9 / 4.0);
    }

    /// Trims at the last hop are the receiver's own: credits take care of them.
    #[test]
    fn trims_at_the_last_hop_do_not() {
        let mut watch = FabricWatch::new(12_000_000, 4.0, 1, 0);
        (0..50).for_each(|_| watch.arrived(0, false, true, false));
        assert_eq!(watch.rate(watch.next_at.unwrap()), 1.0);
    }

    /// Looks are 1.125 to 1.875 round trips apart, and a long idle time is soon made up for.
    #[test]
    fn looks_follow_the_round_trip() {
        let mut watch = FabricWatch::new(12_000_000, 2.0, 7, 3);
        for _ in 0..1_000 {
            let interval = watch.interval();
            assert!((13_500_000..=22_500_000).contains(&interval), "{interval}");
        }
        looked(&mut watch, 100, 50, 0);
        assert_eq!(watch.rate(u64::MAX / 2), 1.0);
    }
}
