//! Keys of an experiment and their values, as numbers between which a search can move.

use rand::RngExt;

use crate::config::Entry;
use crate::experiment::{TuneAxis, TuneValues};
use crate::rng::Stream;

/// What one number of a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// One of so many values without an order.
    Choice(u32),
    /// A place from 0 to 1.
    Range,
}

/// A candidate: by dimension, the number of a choice or a place in a range.
pub type Config = Vec<f64>;

/// The dimensions of a search, and the keys behind them.
#[derive(Debug, Clone)]
pub struct Space {
    axes: Vec<TuneAxis>,
    dimensions: Vec<Dimension>,
}

/// Tables of which one key says what the others mean.
const CHOICES: [&str; 4] = ["transport", "load_balancing", "topology", "workload"];

impl Space {
    /// Choices come first, so that options of what they choose are set after them.
    pub fn new(mut axes: Vec<TuneAxis>) -> Self {
        axes.sort_by_key(|axis| axis.path.len() > 1);
        let dimension = |axis: &TuneAxis| match &axis.values {
            TuneValues::Choices(values) => Dimension::Choice(values.len() as u32),
            TuneValues::Range(_) => Dimension::Range,
        };
        Self {
            dimensions: axes.iter().map(dimension).collect(),
            axes,
        }
    }

    /// What each key can be, as the search sees it.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The keys, in the order of the dimensions.
    pub fn axes(&self) -> &[TuneAxis] {
        &self.axes
    }

    /// The keys and values of a candidate. Options of another choice than the candidate's are left out.
    pub fn settings(&self, config: &Config) -> Vec<(&TuneAxis, Entry)> {
        let mut settings: Vec<(&TuneAxis, Entry)> = Vec::new();
        for (axis, &number) in self.axes.iter().zip(config) {
            let applies = settings
                .iter()
                .all(|(chosen, value)| fits(&chosen.path, value, &axis.path));
            if applies {
                settings.push((axis, axis.value(number)));
            }
        }
        settings
    }

    /// The choices of a candidate by name: candidates with the same are one family.
    pub fn family(&self, config: &Config) -> String {
        let named = self.settings(config).into_iter().filter_map(|(axis, value)| {
            let [key] = axis.path.as_slice() else { return None };
            CHOICES.contains(&key.as_str()).then(|| value.to_string())
        });
        let names: Vec<String> = named.collect();
        if names.is_empty() {
            "all".into()
        } else {
            names.join(", ")
        }
    }
}

/// Whether a key is about what a choice above it has chosen.
fn fits(choice: &[String], value: &Entry, key: &[String]) -> bool {
    let ([name], [first, option, ..]) = (choice, key) else {
        return true;
    };
    if name != first || !CHOICES.contains(&name.as_str()) {
        return true;
    }
    match (value.text(), value.children()) {
        (Some(chosen), _) => chosen == option,
        (None, [(chosen, _)]) => chosen == option,
        _ => true,
    }
}

/// A candidate drawn from the whole space.
pub(super) fn draw(dimensions: &[Dimension], random: &mut Stream) -> Config {
    let one = |dimension: &Dimension| match dimension {
        Dimension::Choice(count) => f64::from(random.random_range(0..*count)),
        Dimension::Range => random.random::<f64>(),
    };
    dimensions.iter().map(one).collect()
}
