//! What a search came to.

use std::collections::BTreeMap;

use super::candidate::Tuner;
use super::hyperband::{Budget, Evaluator, Fidelity, Trial, Verdict, search};
use super::space::{Config, Dimension, NOT_CHOSEN, Space};
use crate::experiment::Tuning;
use crate::math::ln;
use crate::results::{Number, TrialRow};

/// The best of the candidates with the same choices.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Its choices, as one text.
    pub name: String,
    /// Candidates that were looked at in any fidelity.
    pub candidates: usize,
    /// Those that were looked at in full.
    pub full: usize,
    /// The best in full.
    pub best_us: Option<f64>,
    /// Its keys with their values.
    pub settings: Vec<(String, String)>,
}

/// How much a key matters.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensitivity {
    /// The key.
    pub key: String,
    /// Share of the variance of the logarithm of what was found, within its fidelity, that the key alone explains.
    pub explains: f64,
    /// The value of the best.
    pub best: String,
}

/// What came of a search.
#[derive(Debug)]
pub struct TuneReport {
    /// The best candidate that ran in full, if any did.
    pub best: Option<Config>,
    /// Its objective, in microseconds.
    pub best_us: Option<f64>,
    /// No candidate is below, where that is known.
    pub floor_us: Option<f64>,
    /// The best first.
    pub families: Vec<Family>,
    /// The most important first.
    pub sensitivities: Vec<Sensitivity>,
    /// All that was looked at, in order.
    pub trials: Vec<TrialRow>,
    /// Candidates that a bound has shown not to be better.
    pub bounded: usize,
    /// Runs that the clock has shown not to be better.
    pub timed_out: usize,
    /// Candidates whose values do not fit together.
    pub impossible: usize,
}

/// Searches, and says what came of it.
pub fn report(tuner: &Tuner<'_>, tuning: &Tuning, seed: u64) -> TuneReport {
    let options = &tuning.options;
    let budget = Budget {
        full: options.budget,
        least_share: options.min_budget,
        batch: options.batch as usize,
    };
    let trials = search(tuner.space().dimensions(), budget, seed, tuner);
    let best = best_of(trials.iter());
    let count = |test: &dyn Fn(&Trial) -> bool| trials.iter().filter(|trial| test(trial)).count();
    let screened = |trial: &Trial| trial.fidelity == Fidelity::Screen;
    let beaten = |trial: &Trial| matches!(trial.verdict, Verdict::NotBelow(_));
    TuneReport {
        best: best.map(|trial| trial.config.clone()),
        best_us: best.map(|trial| trial.verdict.value()),
        floor_us: tuner.floor().map(|floor| floor / (1.0 + options.within)),
        families: families(tuner.space(), &trials),
        sensitivities: sensitivities(tuner.space(), &trials, best),
        bounded: count(&|trial| screened(trial) && beaten(trial)),
        timed_out: count(&|trial| !screened(trial) && beaten(trial)),
        impossible: count(&|trial| trial.verdict == Verdict::Impossible),
        trials: rows(tuner.space(), &trials),
    }
}

fn is_full(trial: &Trial) -> bool {
    trial.fidelity == Fidelity::Share(1.0)
}

fn best_of<'t>(trials: impl Iterator<Item = &'t Trial>) -> Option<&'t Trial> {
    let full = trials.filter(|trial| is_full(trial) && trial.verdict.value().is_finite());
    full.reduce(|a, b| if b.verdict.value() < a.verdict.value() { b } else { a })
}

fn named(space: &Space, config: &Config) -> Vec<(String, String)> {
    let settings = space.settings(config).into_iter();
    settings.map(|(axis, value)| (axis.key(), value.to_string())).collect()
}

fn families(space: &Space, trials: &[Trial]) -> Vec<Family> {
    let mut by_name: BTreeMap<String, Vec<&Trial>> = BTreeMap::new();
    for trial in trials {
        by_name.entry(space.family(&trial.config)).or_default().push(trial);
    }
    let family = |(name, trials): (String, Vec<&Trial>)| {
        let best = best_of(trials.iter().copied());
        Family {
            name,
            candidates: trials.iter().filter(|trial| trial.fidelity == Fidelity::Screen).count(),
            full: trials.iter().filter(|trial| is_full(trial)).count(),
            best_us: best.map(|trial| trial.verdict.value()),
            settings: best.map_or_else(Vec::new, |trial| named(space, &trial.config)),
        }
    };
    let mut families: Vec<Family> = by_name.into_iter().map(family).collect();
    let value = |family: &Family| family.best_us.unwrap_or(f64::INFINITY);
    families.sort_by(|a, b| value(a).total_cmp(&value(b)));
    families
}

/// Parts of a range that are held against each other.
const PARTS: f64 = 4.0;

/// By each key, how far the means of its values, or of parts of its range, are apart.
fn sensitivities(space: &Space, trials: &[Trial], best: Option<&Trial>) -> Vec<Sensitivity> {
    let scores = relative(trials);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let all: Vec<f64> = scores.iter().map(|(_, score)| *score).collect();
    let center = mean(&all);
    let spread: f64 = all.iter().map(|score| (score - center) * (score - center)).sum();
    // Options of what the best has not chosen have no value.
    let chosen = best.map_or_else(Vec::new, |trial| named(space, &trial.config));
    let of = |(k, dimension): (usize, &Dimension)| {
        let mut parts: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        // Candidates that have the key, as an option of what they have chosen, are held against each other.
        let having = || scores.iter().filter(|(config, _)| config[k] != NOT_CHOSEN);
        let center = mean(&having().map(|(_, score)| *score).collect::<Vec<_>>());
        for (config, score) in having() {
            let part = match dimension {
                Dimension::Choice(_) | Dimension::Ordered(_) => config[k],
                Dimension::Range => (config[k] * PARTS).floor().min(PARTS - 1.0),
            };
            parts.entry(part as u64).or_default().push(*score);
        }
        let between = parts.values().map(|scores| {
            let away = mean(scores) - center;
            scores.len() as f64 * away * away
        });
        let explains = if spread > 0.0 {
            between.sum::<f64>() / spread
        } else {
            0.0
        };
        let axis = &space.axes()[k];
        Sensitivity {
            key: axis.key(),
            explains,
            best: chosen
                .iter()
                .find(|(key, _)| *key == axis.key())
                .map_or_else(String::new, |(_, value)| value.clone()),
        }
    };
    let mut all: Vec<Sensitivity> = space.dimensions().iter().enumerate().map(of).collect();
    all.sort_by(|a, b| b.explains.total_cmp(&a.explains));
    all
}

/// Logarithms of what packets have said, over the best of the same fidelity.
fn relative(trials: &[Trial]) -> Vec<(&Config, f64)> {
    let mut least: Vec<(f64, f64)> = Vec::new();
    let scored = trials.iter().filter_map(|trial| match (trial.fidelity, trial.verdict) {
        (Fidelity::Share(share), Verdict::Score(value)) if value > 0.0 => Some((share, &trial.config, value)),
        _ => None,
    });
    let scored: Vec<_> = scored.collect();
    for &(share, _, value) in &scored {
        match least.iter_mut().find(|(known, _)| *known == share) {
            Some((_, least)) => *least = least.min(value),
            None => least.push((share, value)),
        }
    }
    let unit = |share: f64| {
        least
            .iter()
            .find(|(known, _)| *known == share)
            .map_or(1.0, |(_, least)| *least)
    };
    scored
        .into_iter()
        .map(|(share, config, value)| (config, ln(value / unit(share))))
        .collect()
}

fn rows(space: &Space, trials: &[Trial]) -> Vec<TrialRow> {
    let mut spent = 0.0;
    let mut best = f64::INFINITY;
    let row = |(index, trial): (usize, &Trial)| {
        let share = match trial.fidelity {
            Fidelity::Screen => 0.0,
            Fidelity::Share(share) => share,
        };
        spent += share;
        if is_full(trial) {
            best = best.min(trial.verdict.value());
        }
        let (verdict, value) = match trial.verdict {
            Verdict::Score(value) => ("score", Some(value)),
            Verdict::NotBelow(value) => ("not below", Some(value)),
            Verdict::Impossible => ("impossible", None),
        };
        let settings = named(space, &trial.config).into_iter();
        TrialRow {
            trial: index as u32,
            fidelity: if trial.fidelity == Fidelity::Screen {
                "screen".into()
            } else {
                "simulation".into()
            },
            share: Number::new(share),
            spent: Number::new(spent),
            family: space.family(&trial.config),
            verdict: verdict.into(),
            value_us: value.map(Number::new),
            best_us: best.is_finite().then(|| Number::new(best)),
            settings: settings
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
                .join("; "),
        }
    };
    trials.iter().enumerate().map(row).collect()
}
