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
    /// One of so many values in their order.
    Ordered(u32),
    /// A place from 0 to 1.
    Range,
}

/// A candidate: by dimension, the number of a value or a place in a range.
pub type Config = Vec<f64>;

/// In a candidate, the number of a key that is an option of what the candidate has not chosen.
pub(super) const NOT_CHOSEN: f64 = -1.0;

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
            TuneValues::Choices(values) if axis.is_ordered() => Dimension::Ordered(values.len() as u32),
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
        let applied = self.applied(config).into_iter();
        applied.map(|(k, value)| (&self.axes[k], value)).collect()
    }

    /// The dimensions that count for a candidate, with their values.
    fn applied(&self, config: &Config) -> Vec<(usize, Entry)> {
        let mut applied: Vec<(usize, Entry)> = Vec::new();
        for (k, (axis, &number)) in self.axes.iter().zip(config).enumerate() {
            let chosen = |(choice, value): &(usize, Entry)| fits(&self.axes[*choice].path, value, &axis.path);
            if number != NOT_CHOSEN && applied.iter().all(chosen) {
                applied.push((k, axis.value(number)));
            }
        }
        applied
    }

    /// A candidate as all have it whose settings are the same: places are those of steps, and `NOT_CHOSEN` stands for what does
    /// not count.
    pub fn canonical(&self, config: &Config) -> Config {
        let mut canonical = vec![NOT_CHOSEN; config.len()];
        for (k, _) in self.applied(config) {
            canonical[k] = self.axes[k].snapped(config[k]);
        }
        canonical
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
    dimensions.iter().map(|dimension| draw_one(dimension, random)).collect()
}

fn draw_one(dimension: &Dimension, random: &mut Stream) -> f64 {
    match *dimension {
        Dimension::Choice(count) | Dimension::Ordered(count) => f64::from(random.random_range(0..count)),
        Dimension::Range => random.random::<f64>(),
    }
}

/// A candidate that differs in one or two keys, by little where they have an order.
pub(super) fn draw_near(dimensions: &[Dimension], config: &Config, random: &mut Stream) -> Config {
    let mut near = config.clone();
    for _ in 0..random.random_range(1..3_u32) {
        let k = random.random_range(0..dimensions.len());
        let away = random.random::<f64>() - 0.5;
        near[k] = match dimensions[k] {
            _ if near[k] == NOT_CHOSEN => draw_one(&dimensions[k], random),
            Dimension::Choice(_) => draw_one(&dimensions[k], random),
            Dimension::Ordered(count) => (near[k] + away.signum()).clamp(0.0, f64::from(count - 1)),
            // Near and nearer alike.
            Dimension::Range => (near[k] + 4.0 * away * away * away).clamp(0.0, 1.0),
        };
    }
    // What a change makes count has some value.
    for (number, dimension) in near.iter_mut().zip(dimensions) {
        if *number == NOT_CHOSEN {
            *number = draw_one(dimension, random);
        }
    }
    near
}

/// All candidates, if there are no more than so many.
pub(super) fn all(dimensions: &[Dimension], most: usize) -> Option<Vec<Config>> {
    let mut all: Vec<Config> = vec![Vec::new()];
    for dimension in dimensions {
        let (Dimension::Choice(count) | Dimension::Ordered(count)) = *dimension else {
            return None;
        };
        if all.len() * count as usize > most {
            return None;
        }
        let longer = |config: &Config| {
            (0..count)
                .map(|value| [config.as_slice(), &[f64::from(value)]].concat())
                .collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FileStore;
    use crate::experiment::Plan;

    fn space(text: &str) -> Space {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.toml");
        let above = "[topology.leaf-spine]\nleaves = 2\nspines = 1\nhosts_per_leaf = 1\nhost_link = { rate = \"100Gbps\" }\nfabric_link = { rate = \"100Gbps\" }\n[workload.all-to-all]\nmessage = \"1KB\"\n[tune.space]\n";
        std::fs::write(&path, format!("{above}{text}")).unwrap();
        let plan = Plan::parse_among(&path, &[], FileStore::default()).unwrap();
        Space::new(plan.tuning().unwrap().axes)
    }

    #[test]
    fn lists_of_rising_or_falling_numbers_are_ordered() {
        let space = space(
            "a = [1, 2.5, 4]\nb = [\"1MB\", \"50KB\"]\nc = [1, 3, 2]\nd = [\"x\", \"y\"]\ne = [\"1us\", \"1MB\"]\nf = { from = 1, to = 9 }",
        );
        let expected = [
            Dimension::Ordered(3),
            Dimension::Ordered(2),
            Dimension::Choice(3),
            Dimension::Choice(2),
            Dimension::Choice(2),
            Dimension::Range,
        ];
        assert_eq!(space.dimensions(), expected);
    }

    #[test]
    fn candidates_with_the_same_settings_are_one() {
        // Keys of one part come first.
        let space = space(
            "transport = [\"dctcp\", \"swift\"]\n\"transport.dctcp.gain\" = [0.1, 0.2]\n\"transport.swift.beta\" = { from = 0.1, to = 0.9, step = 0.4 }\nn = { from = 1, to = 3 }",
        );
        assert_eq!(space.canonical(&vec![0.0, 0.7, 1.0, 0.3]), [0.0, 0.5, 1.0, NOT_CHOSEN]);
        assert_eq!(space.canonical(&vec![1.0, 1.0, 1.0, 0.3]), [1.0, 1.0, NOT_CHOSEN, 0.5]);
        let text = |config: &Config| {
            format!(
                "{:?}",
                space
                    .settings(config)
                    .iter()
                    .map(|(axis, value)| (axis.key(), value.to_string()))
                    .collect::<Vec<_>>()
            )
        };
        let mut random = crate::rng::stream(1, "canonical", 0);
        for _ in 0..200 {
            let drawn = draw(space.dimensions(), &mut random);
            let canonical = space.canonical(&drawn);
            assert_eq!(text(&drawn), text(&canonical));
            assert_eq!(space.canonical(&canonical), canonical);
            let near = space.canonical(&draw_near(space.dimensions(), &canonical, &mut random));
            assert!(near.iter().all(|&number| number == NOT_CHOSEN || number >= 0.0));
        }
    }

    #[test]
    fn few_candidates_are_listed() {
        assert_eq!(
            all(&[Dimension::Choice(3), Dimension::Ordered(4)], 12).unwrap().len(),
            12
        );
        assert!(all(&[Dimension::Choice(3), Dimension::Ordered(4)], 11).is_none());
        assert!(all(&[Dimension::Range], 11).is_none());
    }
}
