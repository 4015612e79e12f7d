//! Whether rates repeat, and what they come to over a longer time.
//!
//! Two windows of equal length count what each flow has delivered. Flows of a class have the same to do in the same
//! places: their mean is known far better than the rate of each. What a flow has delivered more or less than the mean is
//! split in two by how it repeats: the part that lasts (a path with fewer rivals) grows with time, the part that
//! does not (the luck of spraying) grows with its root. So the slowest of many flows stays as far behind as it would be.

use crate::math::ln;

/// What two windows of equal length have seen of each flow.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// Packets delivered in the first and in the second.
    pub(super) first: Vec<f64>,
    pub(super) second: Vec<f64>,
    /// Which flows have the same to do.
    pub(super) classes: Vec<u32>,
}

/// The rates of flows, where they repeat.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rates {
    /// Packets that each flow delivers per window in the long run.
    lasting: Vec<f64>,
    /// By how many packets it was ahead over one window, which does not last.
    passing: Vec<f64>,
    /// By how many packets the luckiest of its class may be ahead over one window.
    luck: Vec<f64>,
    /// Estimate of the relative error of the rates.
    pub(super) error: f64,
    /// By which part rates have drifted from one window to the next.
    pub(super) drift: f64,
    /// By which part the rate of a flow differs from that of its class at most.
    pub(super) own: f64,
}

/// How one class repeats.
struct Class {
    means: [f64; 2],
    /// Mean square of what flows differ from the mean, and which part of it repeats.
    variance: f64,
    repeats: f64,
    flows: usize,
}

/// Rounding of one count to whole packets, as a standard deviation.
const ROUNDING: f64 = 0.41;

/// Smaller classes tell little of chance: each of their flows is taken by itself.
const LEAST_CLASS: usize = 8;

impl Windows {
    /// The rates, if all of them repeat within `error`.
    pub(super) fn rates(&self, error: f64) -> Option<Rates> {
        let flows = self.first.len();
        let mut rates = Rates {
            lasting: vec![0.0; flows],
            passing: vec![0.0; flows],
            luck: vec![0.0; flows],
            error: 0.0,
            drift: 0.0,
            own: 0.0,
        };
        let mut members: Vec<usize> = (0..flows).collect();
        members.sort_by_key(|&flow| (self.classes[flow], flow));
        for class in members.chunk_by(|&a, &b| self.classes[a] == self.classes[b]) {
            let size = if class.len() < LEAST_CLASS { 1 } else { class.len() };
            for class in class.chunks(size) {
                self.add(class, error, &mut rates)?;
            }
        }
        Some(rates)
    }

    /// Adds the rates of one class, if they repeat.
    fn add(&self, members: &[usize], error: f64, rates: &mut Rates) -> Option<()> {
        let class = self.class(members);
        let mean = (class.means[0] + class.means[1]) / 2.0;
        let doubt = class.doubt();
        if mean <= 0.0 || doubt > error * mean {
            return None;
        }
        rates.error = rates.error.max(doubt / mean);
        rates.drift = rates.drift.max(class.drift() / mean);
        for &flow in members {
            let ahead = (self.first[flow] + self.second[flow]) / 2.0 - mean;
            let own = class.lasts() * ahead;
            rates.own = rates.own.max(own.abs() / mean);
            rates.lasting[flow] = mean + own;
            // The mean of two windows varies less than one by the root of two.
            rates.passing[flow] = (ahead - own) * 2_f64.sqrt();
            rates.luck[flow] = class.luck();
        }
        Some(())
    }

    fn class(&self, members: &[usize]) -> Class {
        let flows = members.len();
        let mean = |counts: &[f64]| members.iter().map(|&flow| counts[flow]).sum::<f64>() / flows as f64;
        let means = [mean(&self.first), mean(&self.second)];
        let off = |flow: usize| (self.first[flow] - means[0], self.second[flow] - means[1]);
        let (mut variance, mut shared) = (0.0, 0.0);
        for (a, b) in members.iter().map(|&flow| off(flow)) {
            variance += (a * a + b * b) / 2.0 / flows as f64;
            shared += a * b / flows as f64;
        }
        // Between independent windows as much is shared by chance.
        let by_chance = 2.0 * variance / (flows as f64).sqrt();
        let repeats = if shared > by_chance { shared / variance } else { 0.0 };
        Class {
            means,
            variance,
            repeats,
            flows,
        }
    }
}

impl Class {
    /// Which part of what a flow is ahead over both windows lasts (Spearman and Brown).
    fn lasts(&self) -> f64 {
        2.0 * self.repeats / (1.0 + self.repeats)
    }

    /// How many standard deviations the flow is off that is furthest off.
    fn furthest(&self) -> f64 {
        (2.0 * ln(self.flows as f64)).sqrt().max(1.0)
    }

    /// What the mean has drifted beyond what rounding makes of it.
    fn drift(&self) -> f64 {
        let rounding = 2.0 * ROUNDING / (self.flows as f64).sqrt();
        ((self.means[0] - self.means[1]).abs() - rounding).max(0.0)
    }

    /// How far the rates may be off: by the drift of the mean, by what is not known of each flow's own, and as packets are
    /// whole.
    fn doubt(&self) -> f64 {
        let own = (self.variance * self.repeats * (1.0 - self.lasts())).max(0.0).sqrt();
        self.drift() / 2.0 + own * self.furthest() + ROUNDING / (self.flows as f64).sqrt()
    }

    /// By how many packets a flow may be ahead by luck over one window.
    fn luck(&self) -> f64 {
        let apart = self.means[0] - self.means[1];
        let alone = apart * apart / 2.0;
        let variance = if self.flows == 1 { alone } else { self.variance };
        let rounding = 2.0 * ROUNDING * ROUNDING;
        (variance * (1.0 - self.repeats) - rounding).max(0.0).sqrt() * self.furthest()
    }
}

impl Rates {
    /// Packets that each flow delivers per window in the long run.
    pub(super) fn lasting(&self) -> &[f64] {
        &self.lasting
    }

    /// What flow number `flow` delivers in so many windows.
    pub(super) fn over(&self, flow: usize, windows: f64) -> f64 {
        (self.lasting[flow] * windows + self.passing[flow] * windows.sqrt()).max(0.0)
    }

    /// After how many windows luck may come to so many packets of a flow.
    pub(super) fn windows_until_lucky(&self, flow: usize, packets: f64) -> f64 {
        match self.luck[flow] {
            0.0 => f64::INFINITY,
            luck => packets / luck * (packets / luck),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::mix;

    /// From -1 to 1, by number.
    fn noise(number: u64) -> f64 {
        mix(number) as f64 / u64::MAX as f64 * 2.0 - 1.0
    }

    fn windows(flows: usize, count: impl Fn(usize, u64) -> f64) -> Windows {
        let of = |window| (0..flows).map(|flow| count(flow, window)).collect();
        Windows {
            first: of(0),
            second: of(1),
            classes: vec![0; flows],
        }
    }

    #[test]
    fn equal_rates_go_on() {
        let rates = windows(16, |_, _| 400.0).rates(0.005).unwrap();
        assert_eq!((rates.over(3, 10.0), rates.drift), (4_000.0, 0.0));
        // A packet more or less: two in four hundred are half a percent.
        assert!(windows(1, |_, window| 400.0 + window as f64).rates(0.005).is_some());
        assert_eq!(windows(1, |_, window| 400.0 + 5.0 * window as f64).rates(0.005), None);
        assert_eq!(windows(1, |_, _| 0.0).rates(0.005), None);
    }

    /// The luck of one window is no rate: over a hundred windows it grows tenfold.
    #[test]
    fn luck_grows_with_the_root_of_time() {
        let lucky = windows(400, |flow, window| {
            1_000.0 + 30.0 * noise(flow as u64 + 10_000 * window)
        });
        let rates = lucky.rates(0.005).unwrap();
        let spread = |windows: f64| {
            let counts: Vec<_> = (0..400).map(|flow| rates.over(flow, windows)).collect();
            let mean = counts.iter().sum::<f64>() / 400.0;
            let squares = counts.iter().map(|count| (count - mean) * (count - mean));
            (squares.sum::<f64>() / 400.0).sqrt()
        };
        // Even numbers from -30 to 30: a deviation of 17.3.
        assert!((spread(100.0) / 173.0 - 1.0).abs() < 0.1, "{}", spread(100.0));
    }

    /// Rates that last grow with time, and those that are known too badly are not used.
    #[test]
    fn rates_of_their_own_last() {
        let own = |flow: usize| 1_000.0 + 300.0 * noise(flow as u64);
        let rates = windows(400, |flow, window| {
            own(flow) + noise(flow as u64 + 5_000 * window + 777)
        })
        .rates(0.005)
        .unwrap();
        for flow in 0..400 {
            let off = rates.over(flow, 100.0) / (100.0 * own(flow)) - 1.0;
            assert!(off.abs() < 0.005, "{off}");
        }
        let vague = windows(400, |flow, window| {
            own(flow) + 100.0 * noise(flow as u64 + 5_000 * window + 777)
        });
        assert_eq!(vague.rates(0.005), None);
    }

    #[test]
    fn every_class_has_its_own_mean() {
        let mut mixed = windows(8, |flow, _| if flow % 2 == 0 { 500.0 } else { 1_000.0 });
        mixed.classes = (0..8).map(|flow| flow % 2).collect();
        let rates = mixed.rates(0.005).unwrap();
        assert_eq!((rates.over(2, 3.0), rates.over(5, 3.0)), (1_500.0, 3_000.0));
    }

    /// Luck of 15 packets per window is one of 150 over a hundred windows.
    #[test]
    fn luck_limits_how_far_to_go() {
        let rates = windows(1, |_, window| 3_000.0 + 21.0 * window as f64)
            .rates(0.005)
            .unwrap();
        let windows = rates.windows_until_lucky(0, 150.0);
        assert!((95.0..110.0).contains(&windows), "{windows}");
        let even = windows_of(3_000.0).rates(0.005).unwrap();
        assert_eq!(even.windows_until_lucky(0, 1.0), f64::INFINITY);
    }

    fn windows_of(count: f64) -> Windows {
        windows(1, |_, _| count)
    }
}
