//! How many candidates are looked at in which fidelity (Hyperband, Li and others 2018), each third best of which goes on.

use super::densities::propose;
use super::space::{Config, Dimension};
use crate::rng::stream;

/// By how much fidelity grows from one round to the next, and candidates become fewer.
const ETA: f64 = 3.0;
/// Candidates that are drawn for one that is begun with: the cheap fidelities choose.
const SCREENED: usize = 3;
/// The search ends after so many brackets in a row in which bounds rule out every candidate.
const IDLE: usize = 50;

/// How closely a candidate is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fidelity {
    /// Cheap enough for all: bounds, and fluid where that says something.
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
    };
    let rungs = rungs(budget.least_share);
    let (mut turn, mut idle) = (0, 0);
    while !state.ended(rungs[0]) && idle < IDLE {
        let before = state.spent;
        // The longest bracket begins with the lowest fidelity.
        let share = &rungs[turn % rungs.len()..];
        let candidates = (rungs.len() / share.len()) as f64 * power(share.len() - 1);
        state.bracket(share, candidates.ceil() as usize);
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
        let mut left = self.screen(candidates);
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

    /// Candidates to begin with: of those drawn, a third as they come, and else those that look best at a glance.
    fn screen(&mut self, candidates: usize) -> Vec<Config> {
        let ranked = self.ranked();
        let drawn: Vec<Config> = (0..candidates * SCREENED)
            .map(|_| {
                self.drawn += 1;
                propose(
                    self.dimensions,
                    ranked.as_deref(),
                    &mut stream(self.seed, "tune", self.drawn),
                )
            })
            .collect();
        let judged = self.look(drawn, Fidelity::Screen);
        let mut sorted: Vec<(usize, f64)> = judged.iter().map(|(value, _)| *value).enumerate().collect();
        sorted.retain(|(_, value)| !value.is_nan());
        let as_drawn = candidates.div_ceil(SCREENED);
        sorted.sort_by(|a, b| {
            (a.0 >= as_drawn)
                .cmp(&(b.0 >= as_drawn))
                .then(a.1.total_cmp(&b.1))
                .then(a.0.cmp(&b.0))
        });
        sorted.retain(|(_, value)| *value < f64::INFINITY);
        sorted.truncate(candidates);
        sorted.into_iter().map(|(index, _)| judged[index].1.clone()).collect()
    }

    fn look(&mut self, candidates: Vec<Config>, fidelity: Fidelity) -> Vec<(f64, Config)> {
        let verdicts = self.evaluator.evaluate(&candidates, fidelity, self.best());
        let mut judged = Vec::with_capacity(candidates.len());
        for (config, verdict) in candidates.into_iter().zip(verdicts) {
            judged.push((verdict.value(), config.clone()));
            self.trials.push(Trial {
                config,
                fidelity,
                verdict,
            });
        }
        judged
    }

    /// Candidates of the highest fidelity in which there are enough, the best first. Those that were left early are known to be
    /// worse, and are in the order of what lower fidelities said.
    fn ranked(&self) -> Option<Vec<Config>> {
        let mut by_share: Vec<(f64, Vec<&Trial>)> = Vec::new();
        for trial in &self.trials {
            let Fidelity::Share(share) = trial.fidelity else {
                continue;
            };
            match by_share.iter_mut().find(|(known, _)| *known == share) {
                Some((_, trials)) => trials.push(trial),
                None => by_share.push((share, vec![trial])),
            }
        }
        by_share.sort_by(|a, b| b.0.total_cmp(&a.0));
        let enough = self.dimensions.len() + 3;
        let (_, mut trials) = by_share.into_iter().find(|(_, trials)| trials.len() >= enough)?;
        trials.sort_by(|a, b| a.verdict.value().total_cmp(&b.verdict.value()));
        Some(trials.into_iter().map(|trial| trial.config.clone()).collect())
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
                        Some(best) if share == 1.0 && full >= best => Verdict::NotBelow(best),
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
            full: 60.0,
            least_share: 0.1,
        };
        let least = (0..144).map(|i| value(&vec![f64::from(i % 12) / 11.99, f64::from(i / 12) / 11.99, 1.0]));
        let goal = 1.01 * least.fold(f64::INFINITY, f64::min);
        let (mut found, mut drawn) = (0, 0);
        for seed in 1..=20 {
            let trials = search(&DIMENSIONS, budget, seed, &Grid);
            let full = trials.iter().filter(|trial| trial.fidelity == Fidelity::Share(1.0));
            found += usize::from(full.map(|trial| trial.verdict.value()).fold(f64::INFINITY, f64::min) <= goal);
            let shares = trials.iter().filter_map(|trial| match trial.fidelity {
                Fidelity::Share(share) => Some(share),
                Fidelity::Screen => None,
            });
            assert!(shares.sum::<f64>() <= budget.full + 1e-6);
            let mut random = stream(seed, "random", 0);
            let draws = (0..60).map(|_| value(&super::super::space::draw(&DIMENSIONS, &mut random)));
            drawn += usize::from(draws.fold(f64::INFINITY, f64::min) <= goal);
        }
        assert!(found >= 11 && found >= drawn + 4, "{found} found, {drawn} drawn, of 20");
    }

    /// A budget with a rest that no run fits in ends, and one that is too small for a bracket still ends with a run in full.
    #[test]
    fn any_budget_ends_with_a_run_in_full() {
        for full in [0.05, 0.5, 1.2, 2.05, 2.9, 3.95] {
            let budget = Budget { full, least_share: 0.1 };
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
}
