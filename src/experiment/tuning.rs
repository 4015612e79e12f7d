//! The table `[tune]`: keys with the values that they may have, what is to become small, and how much may be spent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::{ConfigError, ConfigValue, Entry, MAX_DEPTH, split_path, too_deep};
use crate::math::{exp, ln};
use crate::units::{Bytes, Rate, Time};

/// What `fabricsim tune` looks for. Other commands leave it alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TuneOptions {
    /// The values of each key: a list, or a range such as `{ from = "50KB", to = "2MB", log = true }`, with `step` where
    /// only multiples of it count from `from`.
    pub space: Map<String, Value>,
    /// What is to become small.
    pub objective: TuneObjective,
    /// How much is simulated at most, in runs of all messages in full.
    pub budget: f64,
    /// The smallest share of messages that tells candidates apart; each further look is at three times as much. Default 1: all runs
    /// are in full, since what is best for short messages seldom is for long ones.
    pub min_budget: f64,
    /// Candidates that are chosen at a time, without what the others of them come to: as many are simulated side by side. Default 1:
    /// each knows of all before, so that the fewest are needed.
    pub batch: u32,
    /// Which random numbers the search draws. Default: the experiment's seed.
    pub seed: Option<u64>,
    /// It ends once the best is within this share of the bound of all candidates, which none can beat.
    pub within: f64,
}

impl Default for TuneOptions {
    fn default() -> Self {
        Self {
            space: Map::new(),
            objective: TuneObjective::default(),
            budget: 30.0,
            min_budget: 1.0,
            batch: 1,
            seed: None,
            within: 0.001,
        }
    }
}

/// What is to become small.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TuneObjective {
    /// The completion time.
    #[default]
    Cct,
    /// The mean of the flows' completion times.
    FctMean,
    /// The 99th percentile of the flows' completion times.
    FctP99,
}

/// What is tuned.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// How long and towards what.
    pub options: TuneOptions,
    /// The keys that are tuned, in the order of the file.
    pub axes: Vec<TuneAxis>,
}

/// A key that is tuned.
#[derive(Debug, Clone)]
pub struct TuneAxis {
    /// The key, part by part.
    pub path: Vec<String>,
    /// What it may be set to.
    pub values: TuneValues,
    /// Where it is written.
    entry: Entry,
}

/// The values of a key.
#[derive(Debug, Clone)]
pub enum TuneValues {
    /// These.
    Choices(Vec<Entry>),
    /// All between two.
    Range(TuneRange),
}

/// A range of numbers of a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuneRange {
    from: f64,
    to: f64,
    log: bool,
    step: Option<f64>,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Whole,
    Real,
    Bytes,
    Time,
    Rate,
}

impl Tuning {
    /// Reads the table.
    ///
    /// # Errors
    /// Keys that are not there, values that are no numbers of one unit, and an empty space.
    pub fn read(table: &Entry) -> Result<Self, ConfigError> {
        let mut rest = table.clone();
        let Some(space) = rest.remove("space").filter(|space| !space.children().is_empty()) else {
            return Err(ConfigError::new("tune.space: there is nothing to tune")
                .help("list values by key, such as `[tune.space]` and below it `\"transport.dctcp.gain\" = [0.03, 0.06, 0.12]`")
                .at_key(table));
        };
        let options: TuneOptions = rest.read()?;
        for (key, value, least, most) in [
            ("budget", options.budget, 1.0, 1e6),
            ("min_budget", options.min_budget, 1e-4, 1.0),
            ("within", options.within, 0.0, 1e3),
            ("batch", f64::from(options.batch), 1.0, 1024.0),
        ] {
            if !(least..=most).contains(&value) {
                return Err(
                    ConfigError::new(format!("tune.{key}: {value} is not between {least} and {most}"))
                        .help(format!("choose one from {least} to {most}"))
                        .at_value(rest.child(key).unwrap_or(table)),
                );
            }
        }
        let mut axes = Vec::new();
        collect(&[], &space, &mut axes)?;
        Ok(Self { options, axes })
    }
}

/// Tables that are no range are dotted keys written without quotes.
fn collect(above: &[String], table: &Entry, axes: &mut Vec<TuneAxis>) -> Result<(), ConfigError> {
    for (key, entry) in table.children() {
        let path = [above, &split_path(key)].concat();
        if path.len() > MAX_DEPTH {
            return Err(too_deep(path.len()).at_key(entry));
        }
        if let ["name" | "extends" | "sweep" | "tune" | "output" | "engine" | "seed", ..] =
            path.iter().map(String::as_str).collect::<Vec<_>>()[..]
        {
            return Err(
                ConfigError::new(format!("tune.space: `{}` is nothing to tune", path[0]))
                    .help("tune what a fabric or its hosts can be set to")
                    .at_key(entry),
            );
        }
        let values = match &entry.node {
            ConfigValue::List(values) if values.is_empty() => {
                return Err(
                    ConfigError::new(format!("tune.space.{}: the list is empty", path.join(".")))
                        .help("list at least one value, or take the key out")
                        .at_key(entry),
                );
            }
            ConfigValue::List(values) => TuneValues::Choices(values.to_vec()),
            ConfigValue::Table(_) if entry.child("from").is_some() || entry.child("to").is_some() => {
                TuneValues::Range(TuneRange::read(&path.join("."), entry)?)
            }
            ConfigValue::Table(_) => {
                collect(&path, entry, axes)?;
                continue;
            }
            _ => {
                return Err(
                    ConfigError::new(format!("tune.space.{}: a list or a range is expected", path.join(".")))
                        .help("such as `[1, 2, 4]` or `{ from = 1, to = 8 }`")
                        .at_value(entry),
                );
            }
        };
        if axes.iter().any(|axis| axis.path == path) {
            return Err(
                ConfigError::new(format!("tune.space.{}: the key is there twice", path.join("."))).at_key(entry),
            );
        }
        axes.push(TuneAxis {
            path,
            values,
            entry: entry.clone(),
        });
    }
    Ok(())
}

impl TuneAxis {
    /// The key as written.
    pub fn key(&self) -> String {
        self.path.join(".")
    }

    /// Whether the values are a list of numbers, sizes, times or rates that rise or fall.
    pub fn is_ordered(&self) -> bool {
        let TuneValues::Choices(values) = &self.values else {
            return false;
        };
        let numbers: Option<Vec<(f64, Unit)>> = values.iter().map(|value| quantity(&value.read().ok()?)).collect();
        let Some(numbers) = numbers else { return false };
        let of_a_kind = |unit: Unit| if unit == Unit::Whole { Unit::Real } else { unit };
        let pairs = || numbers.windows(2);
        pairs().all(|pair| of_a_kind(pair[0].1) == of_a_kind(pair[1].1))
            && (pairs().all(|pair| pair[0].0 < pair[1].0) || pairs().all(|pair| pair[0].0 > pair[1].0))
    }

    /// The place among those that have the same value.
    pub fn snapped(&self, number: f64) -> f64 {
        match &self.values {
            TuneValues::Choices(_) => number,
            TuneValues::Range(range) => range.snapped(number),
        }
    }

    /// The value for a number: that of a choice, or a place from 0 to 1 in the range.
    pub fn value(&self, number: f64) -> Entry {
        match &self.values {
            TuneValues::Choices(values) => values[(number as usize).min(values.len() - 1)].clone(),
            TuneValues::Range(range) => Entry {
                node: range.node(number),
                origin: self.entry.origin.clone(),
            },
        }
    }
}

/// Keys of a range.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeKeys {
    from: Value,
    to: Value,
    #[serde(default)]
    log: bool,
    #[serde(default)]
    step: Option<Value>,
}

impl TuneRange {
    fn read(key: &str, entry: &Entry) -> Result<Self, ConfigError> {
        let refuse = |what: &str, help: &str| {
            Err(ConfigError::new(format!("tune.space.{key}: {what}"))
                .help(help)
                .at_value(entry))
        };
        let keys: RangeKeys = entry.read()?;
        let (Some((from, first)), Some((to, last))) = (quantity(&keys.from), quantity(&keys.to)) else {
            return refuse(
                "`from` and `to` are no numbers, sizes, times or rates",
                "write, for example, `{ from = \"50KB\", to = \"2MB\" }`",
            );
        };
        let unit = match (first, last) {
            (Unit::Whole, Unit::Real) | (Unit::Real, Unit::Whole) => Unit::Real,
            (first, last) if first == last => first,
            _ => return refuse("`from` and `to` have different units", "give both the same unit"),
        };
        let step = match keys.step.as_ref().map(quantity) {
            None => None,
            Some(Some((step, of))) if step > 0.0 && (of == unit || of == Unit::Whole) => Some(step),
            Some(_) => {
                return refuse(
                    "`step` is not above 0, or has another unit",
                    "give it the unit of `from`",
                );
            }
        };
        if from >= to {
            return refuse("`from` is not below `to`", "exchange them, or write a list");
        }
        if keys.log && (from <= 0.0 || step.is_some()) {
            return refuse(
                "a logarithmic range begins above 0 and has no step",
                "raise `from`, or take out `log` or `step`",
            );
        }
        Ok(Self {
            from,
            to,
            log: keys.log,
            step,
            unit,
        })
    }

    /// The place of the step, or whole number, that a place comes to.
    fn snapped(&self, place: f64) -> f64 {
        let step = self.step.or((self.unit == Unit::Whole && !self.log).then_some(1.0));
        let steps = |step: f64| (self.to - self.from) / step;
        step.map_or(place, |step| ((place * steps(step)).round() / steps(step)).min(1.0))
    }

    fn node(&self, place: f64) -> ConfigValue {
        let value = if self.log {
            exp(ln(self.from) + place * (ln(self.to) - ln(self.from)))
        } else {
            self.from + place * (self.to - self.from)
        };
        let value = self
            .step
            .map_or(value, |step| self.from + ((value - self.from) / step).round() * step);
        let value = value.clamp(self.from, self.to);
        let text = |text: String| ConfigValue::Text(text.into());
        match self.unit {
            Unit::Whole => ConfigValue::Integer(value.round() as i128),
            // Six digits tell more than any of it matters.
            Unit::Real => ConfigValue::Float(format!("{value:.5e}").parse().unwrap_or(value)),
            Unit::Bytes => text(Bytes(value.round() as u64).to_string()),
            Unit::Time => text(Time(value.round() as u64).to_string()),
            Unit::Rate => text(Rate((value / 1e6).round() as u64 * 1_000_000).to_string()),
        }
    }
}

fn quantity(value: &Value) -> Option<(f64, Unit)> {
    match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => Some((number.as_f64()?, Unit::Whole)),
        Value::Number(number) => Some((number.as_f64()?, Unit::Real)),
        Value::String(text) => {
            let bytes = text.parse::<Bytes>().ok().map(|bytes| (bytes.0 as f64, Unit::Bytes));
            let time = || text.parse::<Time>().ok().map(|time| (time.0 as f64, Unit::Time));
            let rate = || text.parse::<Rate>().ok().map(|rate| (rate.0 as f64, Unit::Rate));
            bytes.or_else(time).or_else(rate)
        }
        _ => None,
    }
}
