//! Which candidates are looked at next, and how many in which fidelity (Hyperband, Li and others 2018), each third best of which
//! goes on.

use std::collections::HashSet;

use super::process::{Process, Scales};
use super::space::{Config, Dimension, all, draw, draw_near};
use crate::rng::{Stream, stream};

/// By how much fidelity grows from one round to the next, and candidates become fewer.
const ETA: f64 = 3.0;
/// Candidates that are drawn for one that is begun with: bounds, which cost next to nothing, choose.
const SCREENED: usize = 10;
/// Results from which on what others promise is calculated.
const FIRST: usize = 4;
/// Candidates up to which all there are are compared by what they promise.
const MOST: usize = 2048;
/// Else, candidates that are drawn to be compared, and those that are drawn near each of some of the best.
const DRAWN: usize = 400;
const NEAR: usize = 60;
const BEST: usize = 5;
/// The search ends after so many brackets in a row in which bounds rule out every candidate.
const IDLE: usize = 50;

/// How closely a candidate is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fidelity {
    /// Cheap enough for all: bounds.
    Screen,
    /// This share of every message, 1 being all of it.
    Share(f64),
}

/// What a fidelity says of a candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// So good; smaller is better.
    Score(f64),
    /// A bound, or the clock, has shown that it is not better than this.
    NotBelow(f64),
    /// It cannot be run.
    Impossible,
}

impl Verdict {
    /// What candidates are compared by.
    pub fn value(self) -> f64 {
        match self {
            Self::Score(value) => value,
            Self::NotBelow(_) | Self::Impossible => f64::INFINITY,
        }
    }
}

/// Looks at candidates.
pub trait Evaluator {
    /// What a fidelity says of each candidate. Those that can not be better than `incumbent` in full may be left early.
    /// What it says must not depend on how many are looked at at a time.
    fn evaluate(&self, candidates: &[Config], fidelity: Fidelity, incumbent: Option<f64>) -> Vec<Verdict>;

    /// A candidate as all have it that are the same.
    fn canonical(&self, config: &Config) -> Config {
        config.clone()
    }

    /// Whether all is to end.
    fn stopped(&self) -> bool {
        false
    }

    /// A limit below which no candidate is, if one is known.
    fn floor(&self) -> Option<f64> {
        None
    }
}

/// What was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The candidate.
    pub config: Config,
    /// How closely it was looked at.
    pub fidelity: Fidelity,
    /// What that showed.
    pub verdict: Verdict,
}

/// How much is spent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// In candidates looked at in full.
    pub full: f64,
    /// The least share of messages.
    pub least_share: f64,
    /// Candidates that are chosen at a time.
    pub batch: usize,
}

/// Spends the budget. All trials, in the order in which they were made.
pub fn search(dimensions: &[Dimension], budget: Budget, seed: u64, evaluator: &dyn Evaluator) -> Vec<Trial> {
    let mut state = State {
        dimensions,
        evaluator,
        seed,
        drawn: 0,
        trials: Vec::new(),
        spent: 0.0,
        budget: budget.full,
        scales: Scales::new(dimensions.len()),
        left_out: HashSet::new(),
        all: None,
    };
    state.all = all(dimensions, MOST).map(|all| state.distinct(all));
    let rungs = rungs(budget.least_share);
    let (mut turn, mut idle) = (0, 0);
    while !state.ended(rungs[0]) && idle < IDLE {
        let before = state.spent;
        // The longest bracket begins with the lowest fidelity.
        let share = &rungs[turn % rungs.len()..];
        let candidates = (rungs.len() / share.len()) as f64 * power(share.len() - 1);
        state.bracket(share, (candidates.ceil() as usize).max(budget.batch));
        turn += 1;
        idle = if state.spent > before { 0 } else { idle + 1 };
    }
    state.trials
}

/// Shares of messages, rising to 1.
fn rungs(least: f64) -> Vec<f64> {
    let mut rungs = vec![1.0];
    while rungs[0] / ETA >= least && rungs.len() < 16 {
        rungs.insert(0, rungs[0] / ETA);
    }
    rungs
}

fn power(times: usize) -> f64 {
    (0..times).fold(1.0, |value, _| value * ETA)
}

struct State<'a> {
    dimensions: &'a [Dimension],
    evaluator: &'a dyn Evaluator,
    seed: u64,
    drawn: u64,
    trials: Vec<Trial>,
    spent: f64,
    budget: f64,
    scales: Scales,
    /// Those that were run, and those that bounds have ruled out, by their bits.
    left_out: HashSet<Vec<u64>>,
    /// All candidates, where they are few.
    all: Option<Vec<Config>>,
}

fn bits(config: &Config) -> Vec<u64> {
    config.iter().map(|number| number.to_bits()).collect()
}

impl State<'_> {
    /// Whether there is nothing left to find, or no budget for another run of the least share of messages.
    fn ended(&self, least_share: f64) -> bool {
        let done = self
            .best()
            .zip(self.evaluator.floor())
            .is_some_and(|(best, floor)| best <= floor);
        // A first run in full is always made.
        let spent = !self.trials.is_empty() && self.room(least_share) == 0;
        done || spent || self.evaluator.stopped()
    }

    /// How many runs of a share of messages there is budget for.
    fn room(&self, share: f64) -> usize {
        ((self.budget - self.spent) / share + 1e-6).floor() as usize
    }

    /// The best score in full.
    fn best(&self) -> Option<f64> {
        let full = self
            .trials
            .iter()
            .filter(|trial| trial.fidelity == Fidelity::Share(1.0));
        let best = full.map(|trial| trial.verdict.value()).fold(f64::INFINITY, f64::min);
        best.is_finite().then_some(best)
    }

    /// Successive halving, to a third each time.
    fn bracket(&mut self, shares: &[f64], candidates: usize) {
        let mut left = self.choose(candidates);
        for (rung, &share) in shares.iter().enumerate() {
            let room = self.room(share);
            if room == 0 && share < 1.0 && self.best().is_none() {
                // What is left of too small a budget goes to the one run that counts.
                left.truncate(1);
                continue;
            }
            left.truncate(room.max(usize::from(self.best().is_none())));
            if left.is_empty() || self.evaluator.stopped() {
                return;
            }
            let mut judged = self.look(left, Fidelity::Share(share));
            self.spent += share * judged.len() as f64;
            judged.retain(|(value, _)| value.is_finite());
            judged.sort_by(|a, b| a.0.total_cmp(&b.0));
            let on = (candidates as f64 / power(rung + 1)).floor() as usize;
            judged.truncate(on.max(1));
            left = judged.into_iter().map(|(_, config)| config).collect();
        }
    }

    /// Candidates to begin with: those that promise the greatest improvement, and that no bound rules out.
    fn choose(&mut self, count: usize) -> Vec<Config> {
        let seen = self.results();
        let mut scales = self.scales.clone();
        let Some(mut process) = seen
            .as_ref()
            .and_then(|seen| Process::fit(self.dimensions, seen, &mut scales))
        else {
            return self.first(count);
        };
        self.scales = scales;
        let mut pool = self.pool(seen.as_deref().unwrap_or_default());
        let mut chosen: Vec<Config> = Vec::new();
        while chosen.len() < count && !self.evaluator.stopped() {
            let promises = |(index, config): (usize, &Config)| (process.improvement(config), index);
            let mut order: Vec<(f64, usize)> = pool.iter().enumerate().map(promises).collect();
            order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let next = order.into_iter().find(|&(_, index)| self.passes(&pool[index]));
            let Some((_, index)) = next else { break };
            let config = pool[index].clone();
            pool.retain(|other| !self.left_out.contains(&bits(other)) && *other != config);
            process.believe(&config);
            chosen.push(config);
        }
        chosen
    }

    /// Of candidates that are drawn, those with the lowest bounds.
    fn first(&mut self, count: usize) -> Vec<Config> {
        let mut random = self.random();
        let drawn = match &self.all {
            Some(all) => {
                let mut left: Vec<Config> = all.iter().filter(|config| self.is_left(config)).cloned().collect();
                crate::rng::shuffle(&mut random, &mut left);
                left.truncate(count * SCREENED);
                left
            }
            None => {
                let drawn = (0..count * SCREENED)
                    .map(|_| draw(self.dimensions, &mut random))
                    .collect();
                self.distinct(drawn)
            }
        };
        let mut judged = self.look(drawn, Fidelity::Screen);
        judged.retain(|(value, _)| value.is_finite());
        judged.sort_by(|a, b| a.0.total_cmp(&b.0));
        judged.truncate(count);
        judged.into_iter().map(|(_, config)| config).collect()
    }

    /// Whether bounds leave a candidate.
    fn passes(&mut self, config: &Config) -> bool {
        let judged = self.look(vec![config.clone()], Fidelity::Screen);
        judged[0].0.is_finite()
    }

    /// What is compared by what it promises: all that are left, or some.
    fn pool(&mut self, seen: &[(Config, f64)]) -> Vec<Config> {
        if let Some(all) = &self.all {
            return all.iter().filter(|config| self.is_left(config)).cloned().collect();
        }
        let mut random = self.random();
        let mut drawn: Vec<Config> = (0..DRAWN).map(|_| draw(self.dimensions, &mut random)).collect();
        for (config, _) in seen.iter().take(BEST) {
            drawn.extend((0..NEAR).map(|_| draw_near(self.dimensions, config, &mut random)));
        }
        self.distinct(drawn)
    }

    fn random(&mut self) -> Stream {
        self.drawn += 1;
        stream(self.seed, "tune", self.drawn)
    }

    /// Those that differ and are left.
    fn distinct(&self, drawn: Vec<Config>) -> Vec<Config> {
        let mut known = HashSet::new();
        let canonical = drawn.iter().map(|config| self.evaluator.canonical(config));
        canonical
            .filter(|config| self.is_left(config) && known.insert(bits(config)))
            .collect()
    }

    fn is_left(&self, config: &Config) -> bool {
        !self.left_out.contains(&bits(config))
    }

    fn look(&mut self, candidates: Vec<Config>, fidelity: Fidelity) -> Vec<(f64, Config)> {
        let verdicts = self.evaluator.evaluate(&candidates, fidelity, self.best());
        let mut judged = Vec::with_capacity(candidates.len());
        for (config, verdict) in candidates.into_iter().zip(verdicts) {
            judged.push((verdict.value(), config.clone()));
            if fidelity != Fidelity::Screen || !verdict.value().is_finite() {
                self.left_out.insert(bits(&config));
            }
            self.trials.push(Trial {
                config,
                fidelity,
                verdict,
            });
        }
        judged
    }

    /// Candidates of the highest fidelity in which there are enough and what they came to, the best first. Those that were left early
    /// are known to be worse.
    fn results(&self) -> Option<Vec<(Config, f64)>> {
        let mut by_share: Vec<(f64, Vec<(Config, f64)>)> = Vec::new();
        for trial in &self.trials {
            let Fidelity::Share(share) = trial.fidelity else {
                continue;
            };
            let result = (trial.config.clone(), trial.verdict.value());
            match by_share.iter_mut().find(|(known, _)| *known == share) {
                Some((_, results)) => results.push(result),
                None => by_share.push((share, vec![result])),
            }
        }
        by_share.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (_, mut results) = by_share.into_iter().find(|(_, results)| results.len() >= FIRST)?;
        results.sort_by(|a, b| a.1.total_cmp(&b.1));
        Some(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grid of 12 x 12 x 4 whose low fidelities are off by some noise.
    struct Grid;

    fn value(config: &Config) -> f64 {
        let place = |x: f64| (x * 12.0).floor().min(11.0) / 11.0;
        let (x, y) = (place(config[0]), place(config[1]));
        let family = [0.5, 0.0, 0.8, 0.3][config[2] as usize];
        1.0 + family + (x - 0.7) * (x - 0.7) + 2.0 * (y - 0.2) * (y - 0.2)
    }

    impl Evaluator for Grid {
        fn evaluate(&self, candidates: &[Config], fidelity: Fidelity, incumbent: Option<f64>) -> Vec<Verdict> {
            let one = |config: &Config| match fidelity {
                Fidelity::Screen if incumbent.is_some_and(|best| value(config) - 0.2 >= best) => {
                    Verdict::NotBelow(value(config) - 0.2)
                }
                Fidelity::Screen => Verdict::Score(0.0),
                Fidelity::Share(share) => {
                    let full = value(config);
                    let noise = (1.0 - share) * 0.03 * (config[0] * 37.0).fract();
                    match incumbent {
                        Some(best) if share == 1.0 && full >= 1.2 * best => Verdict::NotBelow(best),
                        _ => Verdict::Score(full + noise),
                    }
                }
            };
            candidates.iter().map(one).collect()
        }
    }

    const DIMENSIONS: [Dimension; 3] = [Dimension::Range, Dimension::Range, Dimension::Choice(4)];

    /// One in 180 points of the space is within 1 % of the best.
    #[test]
    fn the_best_of_a_grid_is_found_sooner_than_at_random() {
        let budget = Budget {
            full: 40.0,
            least_share: 1.0,
            batch: 1,
        };
        let least = (0..144).map(|i| value(&vec![f64::from(i % 12) / 11.99, f64::from(i / 12) / 11.99, 1.0]));
        let goal = 1.01 * least.fold(f64::INFINITY, f64::min);
        let (mut found, mut drawn) = (0, 0);
        for seed in 1..=10 {
            let trials = search(&DIMENSIONS, budget, seed, &Grid);
            let full = trials.iter().filter(|trial| trial.fidelity == Fidelity::Share(1.0));
            found += usize::from(full.map(|trial| trial.verdict.value()).fold(f64::INFINITY, f64::min) <= goal);
            let shares = trials.iter().filter_map(|trial| match trial.fidelity {
                Fidelity::Share(share) => Some(share),
                Fidelity::Screen => None,
            });
            assert!(shares.sum::<f64>() <= budget.full + 1e-6);
            let mut random = stream(seed, "random", 0);
            let draws = (0..40).map(|_| value(&super::super::space::draw(&DIMENSIONS, &mut random)));
            drawn += usize::from(draws.fold(f64::INFINITY, f64::min) <= goal);
        }
        assert!(found >= 9 && drawn <= 5, "{found} found, {drawn} drawn, of 10");
    }

    /// A budget with a rest that no run fits in ends, and one that is too small for a bracket still ends with a run in full.
    #[test]
    fn any_budget_ends_with_a_run_in_full() {
        for full in [0.05, 0.5, 1.2, 2.05, 2.9, 3.95] {
            let budget = Budget {
                full,
                least_share: 0.1,
                batch: 1,
            };
            let trials = search(&DIMENSIONS, budget, 1, &Grid);
            let in_full = trials.iter().filter(|trial| trial.fidelity == Fidelity::Share(1.0));
            assert!(in_full.count() >= 1, "{full}");
        }
    }

    #[test]
    fn rungs_and_candidates_are_those_of_hyperband() {
        assert_eq!(rungs(0.1).len(), 3);
        assert_eq!(rungs(0.01).len(), 5);
        assert_eq!(rungs(1.0), [1.0]);
        let budget = Budget {
            full: 5.0,
            least_share: 0.01,
            batch: 1,
        };
        let trials = search(&DIMENSIONS, budget, 1, &Grid);
        let at = |k: usize| {
            let share = rungs(0.01)[k];
            trials
                .iter()
                .filter(|trial| trial.fidelity == Fidelity::Share(share))
                .count()
        };
        assert_eq!([at(0), at(1), at(2), at(3), at(4)], [81, 27, 9, 3, 1]);
    }

    /// Neither bounds nor clocks nor what is promised lose the best: where there is budget for all, it is found, and nothing is run
    /// twice.
    #[test]
    fn the_best_is_never_left_out() {
        const FEW: [Dimension; 3] = [Dimension::Ordered(5), Dimension::Ordered(4), Dimension::Choice(4)];
        struct Few(u64);
        impl Few {
            /// Drawn, so that nothing but looking tells which is the best.
            fn drawn(&self, config: &Config, purpose: u64) -> f64 {
                let number = config
                    .iter()
                    .fold(10 * self.0 + purpose, |sum, &value| 31 * sum + value as u64);
                (crate::rng::mix(number) >> 11) as f64 / (1_u64 << 53) as f64
            }

            fn value(&self, config: &Config) -> f64 {
                1.0 + self.drawn(config, 1)
            }
        }
        impl Evaluator for Few {
            fn evaluate(&self, candidates: &[Config], fidelity: Fidelity, incumbent: Option<f64>) -> Vec<Verdict> {
                let one = |config: &Config| {
                    let bound = 1.0 + self.drawn(config, 1) * self.drawn(config, 2);
                    let value = match fidelity {
                        Fidelity::Screen => bound,
                        Fidelity::Share(_) => self.value(config),
                    };
                    match incumbent {
                        Some(best) if value >= best => Verdict::NotBelow(best),
                        _ => Verdict::Score(value),
                    }
                };
                candidates.iter().map(one).collect()
            }
        }
        for (seed, batch) in (1..=40).zip([1, 3].into_iter().cycle()) {
            let budget = Budget {
                full: 80.0,
                least_share: 1.0,
                batch,
            };
            let few = Few(seed);
            let values = all(&FEW, 80).unwrap();
            let least = values
                .iter()
                .map(|config| few.value(config))
                .fold(f64::INFINITY, f64::min);
            let trials = search(&FEW, budget, seed, &few);
            let full: Vec<&Trial> = trials
                .iter()
                .filter(|trial| trial.fidelity == Fidelity::Share(1.0))
                .collect();
            let found = full
                .iter()
                .map(|trial| trial.verdict.value())
                .fold(f64::INFINITY, f64::min);
            assert_eq!(found, least, "seed {seed}");
            let different: HashSet<Vec<u64>> = full.iter().map(|trial| bits(&trial.config)).collect();
            assert_eq!(different.len(), full.len());
        }
    }

    /// Hartmann's function of six variables; its least value is -3.322.
    fn hartmann(x: &[f64]) -> f64 {
        const ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
        const A: [[f64; 6]; 4] = [
            [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
            [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
            [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
            [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
        ];
        const P: [[f64; 6]; 4] = [
            [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
            [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
            [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
            [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
        ];
        let term = |i: usize| {
            let inner: f64 = (0..6).map(|j| A[i][j] * (x[j] - P[i][j]) * (x[j] - P[i][j])).sum();
            ALPHA[i] * (-inner).exp()
        };
        -(0..4).map(term).sum::<f64>()
    }

    struct Hartmann;

    impl Evaluator for Hartmann {
        fn evaluate(&self, candidates: &[Config], fidelity: Fidelity, _: Option<f64>) -> Vec<Verdict> {
            let one = |config: &Config| match fidelity {
                Fidelity::Screen => Verdict::Score(0.0),
                Fidelity::Share(_) => Verdict::Score(hartmann(config)),
            };
            candidates.iter().map(one).collect()
        }
    }

    /// Random search comes to -2.0 to -2.4 with 100 trials, Optuna's TPE to -3.178, in the median of 11 seeds.
    #[test]
    fn hartmann_6_is_solved_with_fewer_trials_than_others_need() {
        let budget = Budget {
            full: 60.0,
            least_share: 1.0,
            batch: 1,
        };
        let least = |seed| {
            let trials = search(&[Dimension::Range; 6], budget, seed, &Hartmann);
            let full = trials.iter().filter(|trial| trial.fidelity == Fidelity::Share(1.0));
            full.map(|trial| trial.verdict.value()).fold(0.0, f64::min)
        };
        let mut found: Vec<f64> = (1..=5).map(least).collect();
        found.sort_by(f64::total_cmp);
        assert!(found[2] < -3.178, "{found:?}");
    }
}
