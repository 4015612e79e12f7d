//! How weights of paths become better from one run to the next.
//!
//! Each group of queue pairs that have the same paths learns for itself. A path's cost is the share of its packets that
//! came back marked, less the mean over the packets of all paths: what a sender would have saved on another. Weights are the
//! exponentials of scores, which fall with cost.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::experience::{Experience, PathGroup, PathTally};
use crate::math::exp;

/// How scores follow from costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Dual averaging: the score is the sum of all costs so far, shrunk by what chance alone may have brought together,
    /// over the root of their number; weights come from the mean of all scores, in which later ones count more.
    #[default]
    MirrorDescent,
    /// Multiplicative weights: every cost moves the score, chance or not, and less with time.
    Multiplicative,
    /// Normalized policy gradient with momentum by implicit gradient transport: steps of a fixed length, which shrinks with
    /// time, along gradients that are taken ahead of the scores.
    PolicyGradient,
}

/// No weight is less than this share of the largest, so that no path is lost for good.
const LEAST_SHARE: f64 = 1e-3;

/// A weight of 1.
const UNIT: f64 = (1_u64 << 32) as f64;

/// Marks come in bursts, one queue marking many packets: so much more than alone is left to chance.
const BURST: f64 = 4.0;

/// Weights of the paths of every group that has learned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Policy {
    weights: BTreeMap<PathGroup, Vec<u64>>,
}

impl Policy {
    /// The weights of a group's paths; none where it has learned nothing.
    pub(crate) fn of(&self, group: PathGroup) -> Option<&[u64]> {
        self.weights.get(&group).map(Vec::as_slice)
    }
}

/// Learns from runs, group by group.
#[derive(Debug, Clone)]
pub(crate) struct Learner {
    method: Method,
    rate: f64,
    caution: f64,
    /// Runs that it has learned from.
    runs: u32,
    groups: BTreeMap<PathGroup, Scores>,
}

/// What a group has learned, path by path.
#[derive(Debug, Clone)]
struct Scores {
    /// As of now; logarithms of weights. And the mean of all so far.
    now: Vec<f64>,
    mean: Vec<f64>,
    /// The sum of all costs, and of what they vary by chance.
    costs: Vec<f64>,
    variances: Vec<f64>,
    /// As of the run before, and the direction of the last step.
    before: Vec<f64>,
    direction: Vec<f64>,
}

impl Learner {
    /// One that knows nothing: all paths alike.
    pub(crate) fn new(method: Method, rate: f64, caution: f64) -> Self {
        Self {
            method,
            rate,
            caution,
            runs: 0,
            groups: BTreeMap::new(),
        }
    }

    /// What it would do now.
    pub(crate) fn policy(&self) -> Policy {
        self.weighed(|scores| match self.method {
            Method::MirrorDescent => scores.mean.clone(),
            Method::Multiplicative | Method::PolicyGradient => scores.now.clone(),
        })
    }

    /// What it tries in the next run to learn from: the same, or ahead of it.
    pub(crate) fn trial(&self) -> Policy {
        let ahead = match self.method {
            Method::PolicyGradient => 1.0 / self.momentum() - 1.0,
            Method::MirrorDescent | Method::Multiplicative => 0.0,
        };
        self.weighed(|scores| {
            let both = scores.now.iter().zip(&scores.before);
            both.map(|(now, before)| now + ahead * (now - before)).collect()
        })
    }

    /// Learns from a run under [`Learner::trial`].
    pub(crate) fn learn(&mut self, seen: &Experience) {
        self.runs += 1;
        let (momentum, rate) = (self.momentum(), self.rate / f64::from(self.runs).sqrt());
        for (group, tallies) in seen.groups() {
            let (costs, variances) = costs(tallies);
            let scores = self.groups.entry(group).or_insert_with(|| Scores::of(tallies.len()));
            match self.method {
                Method::Multiplicative => {
                    let scores = scores.now.iter_mut().zip(costs);
                    scores.for_each(|(score, cost)| *score -= rate * cost);
                }
                Method::MirrorDescent => scores.average(&costs, &variances, rate, self.caution),
                Method::PolicyGradient => scores.step(&costs, momentum, rate),
            }
            scores.remember(self.runs);
        }
    }

    /// The weight of the newest gradient among all.
    fn momentum(&self) -> f64 {
        1.0 / f64::from(self.runs.max(1)).sqrt()
    }

    fn weighed(&self, scores: impl Fn(&Scores) -> Vec<f64>) -> Policy {
        let weights = |scores: Vec<f64>| {
            let most = scores.iter().copied().fold(f64::MIN, f64::max);
            let weight = |score: f64| (exp(score - most).max(LEAST_SHARE) * UNIT) as u64;
            scores.into_iter().map(weight).collect()
        };
        let each = self.groups.iter();
        Policy {
            weights: each.map(|(&group, of)| (group, weights(scores(of)))).collect(),
        }
    }
}

impl Scores {
    fn of(paths: usize) -> Self {
        let none = || vec![0.0; paths];
        Self {
            now: none(),
            mean: none(),
            costs: none(),
            variances: none(),
            before: none(),
            direction: none(),
        }
    }

    /// Scores are sums of costs as far as they are beyond what chance adds up to.
    fn average(&mut self, costs: &[f64], variances: &[f64], rate: f64, caution: f64) {
        for (path, score) in self.now.iter_mut().enumerate() {
            self.costs[path] += costs[path];
            self.variances[path] += variances[path];
            let (sum, chance) = (self.costs[path], caution * self.variances[path].sqrt());
            *score = -rate * sum.signum() * (sum.abs() - chance).max(0.0);
        }
    }

    /// Adds the scores to their mean, in which those of run `run` count `run` times.
    fn remember(&mut self, run: u32) {
        let share = 2.0 / (f64::from(run) + 1.0);
        let both = self.mean.iter_mut().zip(&self.now);
        both.for_each(|(mean, now)| *mean += share * (now - *mean));
    }

    /// A step of this length along the mean of gradients.
    fn step(&mut self, costs: &[f64], momentum: f64, length: f64) {
        for (direction, cost) in self.direction.iter_mut().zip(costs) {
            *direction = (1.0 - momentum) * *direction - momentum * cost;
        }
        let norm = self.direction.iter().map(|x| x * x).sum::<f64>().sqrt();
        self.before.clone_from(&self.now);
        if norm > 0.0 {
            let both = self.now.iter_mut().zip(&self.direction);
            both.for_each(|(score, direction)| *score += length * direction / norm);
        }
    }
}

/// The cost of each path against the mean over all packets, and how much of it may be chance, as a variance.
fn costs(tallies: &[PathTally]) -> (Vec<f64>, Vec<f64>) {
    let acked: u64 = tallies.iter().map(|tally| tally.acked).sum();
    let marked: u64 = tallies.iter().map(|tally| tally.marked).sum();
    let mean = marked as f64 / acked.max(1) as f64;
    let of = |tally: &PathTally| match tally.acked {
        0 => (0.0, 0.0),
        acked => {
            let share = tally.marked as f64 / acked as f64;
            (share - mean, BURST * mean * (1.0 - mean) / acked as f64)
        }
    };
    tallies.iter().map(of).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::NodeId;
    use crate::rng::mix;

    const GROUP: PathGroup = PathGroup {
        from: NodeId(1),
        to: NodeId(2),
        paths: 8,
    };

    fn shares(policy: &Policy) -> Vec<f64> {
        let weights = policy.of(GROUP).map_or_else(|| vec![1; 8], <[u64]>::to_vec);
        let total: u64 = weights.iter().sum();
        weights.iter().map(|&weight| weight as f64 / total as f64).collect()
    }

    /// One run of 4096 packets over paths that carry so many without marks; of what is more, and of a few at random, each
    /// is marked.
    fn run(policy: &Policy, carries: [f64; 8], seed: u64) -> Experience {
        let mut seen = Experience::default();
        for (path, (share, carries)) in shares(policy).into_iter().zip(carries).enumerate() {
            let packets = (share * 4_096.0).round() as u64;
            let marked = (1.0 - carries / packets.max(1) as f64).max(0.1);
            for packet in 0..packets {
                let draw = mix(mix(seed) ^ (packet << 8 | path as u64)) as f64 / u64::MAX as f64;
                seen.acknowledged(GROUP, path as u16, draw < marked, 0);
            }
        }
        seen
    }

    fn learned(method: Method, rate: f64, carries: [f64; 8], runs: u64, seed: u64) -> Vec<f64> {
        let mut learner = Learner::new(method, rate, 5.0);
        for index in 0..runs {
            let seen = run(&learner.trial(), carries, seed * 1_000 + index);
            learner.learn(&seen);
        }
        shares(&learner.policy())
    }

    const METHODS: [(Method, f64); 3] = [
        (Method::MirrorDescent, 5.0),
        (Method::Multiplicative, 5.0),
        (Method::PolicyGradient, 1.0),
    ];

    /// A path that carries a quarter of what others do ends near a quarter of their share.
    #[test]
    fn a_slow_path_loses_its_share() {
        let mut carries = [540.0; 8];
        carries[3] = 135.0;
        for (method, rate) in METHODS {
            let shares = learned(method, rate, carries, 30, 1);
            assert!(shares[3] < 0.05, "{method:?}: {shares:?}");
            let others = shares.iter().enumerate().filter(|&(path, _)| path != 3);
            assert!(
                others.clone().all(|(_, &share)| share > 0.115),
                "{method:?}: {shares:?}"
            );
        }
    }

    /// Where paths are alike, marks by chance move careful weights hardly at all.
    #[test]
    fn chance_moves_no_careful_weights() {
        for seed in 1..=10 {
            let shares = learned(Method::MirrorDescent, 5.0, [600.0; 8], 30, seed);
            assert!(
                shares.iter().all(|share| (0.1225..0.1275).contains(share)),
                "{shares:?}"
            );
        }
    }

    /// A path that recovers gets its share back: no weight is lost for good.
    #[test]
    fn a_path_that_recovers_is_used_again() {
        let mut learner = Learner::new(Method::MirrorDescent, 5.0, 5.0);
        let mut slow = [400.0; 8];
        slow[0] = 40.0;
        for index in 0..60 {
            let carries = if index < 15 { slow } else { [400.0; 8] };
            let seen = run(&learner.trial(), carries, index);
            learner.learn(&seen);
            if index == 14 {
                assert!(shares(&learner.policy())[0] < 0.05);
            }
        }
        assert!(shares(&learner.policy())[0] > 0.08, "{:?}", shares(&learner.policy()));
    }
}
