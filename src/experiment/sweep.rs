//! The cross product of swept values.

use std::collections::HashSet;

use crate::config::{ConfigError, ConfigValue, Entry, MAX_DEPTH, too_deep};

/// Most points of one experiment.
pub const MAX_POINTS: usize = 1_000_000;

/// One swept key.
#[derive(Debug, Clone)]
pub struct Axis {
    /// The key's path in the experiment.
    pub path: Vec<String>,
    /// One for each point along it.
    pub values: Vec<Entry>,
}

impl Axis {
    /// The key as written.
    pub fn key(&self) -> String {
        self.path.join(".")
    }
}

/// The swept keys, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Sweep {
    axes: Vec<Axis>,
}

impl Sweep {
    /// Reads the table `sweep`.
    pub fn read(table: Option<&Entry>) -> Result<Self, ConfigError> {
        let mut sweep = Self::default();
        let Some(table) = table else {
            return Ok(sweep);
        };
        if !matches!(table.node, ConfigValue::Table(_)) {
            return Err(ConfigError::new("sweep: a table of lists is expected")
                .help("write, for example, `[sweep]` and below it `seed = [1, 2, 3]`")
                .at_value(table));
        }
        sweep.collect(&[], table)?;
        let points = sweep
            .axes
            .iter()
            .try_fold(1_usize, |product, axis| product.checked_mul(axis.values.len()));
        match points {
            Some(points) if points <= MAX_POINTS => Ok(sweep),
            _ => {
                let factors: Vec<_> = sweep.axes.iter().map(|axis| axis.values.len().to_string()).collect();
                Err(ConfigError::new(format!(
                    "sweep: {} are more than {MAX_POINTS} points",
                    factors.join(" x ")
                ))
                .help("shorten the lists, or split the experiment")
                .at_key(table))
            }
        }
    }

    /// Tables inside `sweep` are dotted keys written without quotes.
    fn collect(&mut self, above: &[String], table: &Entry) -> Result<(), ConfigError> {
        for (key, entry) in table.children() {
            let mut path = above.to_vec();
            path.extend(crate::config::split_path(key));
            if path.len() > MAX_DEPTH {
                return Err(too_deep(path.len()).at_key(entry));
            }
            match &entry.node {
                ConfigValue::List(values) => self.add(path, values.to_vec(), entry)?,
                ConfigValue::Table(_) => self.collect(&path, entry)?,
                _ => {
                    let error = ConfigError::new(format!("sweep.{}: a list is expected", path.join(".")));
                    return Err(error
                        .help("every swept key has a list of values, such as `seed = [1, 2, 3]`")
                        .at_value(entry));
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, path: Vec<String>, values: Vec<Entry>, entry: &Entry) -> Result<(), ConfigError> {
        let error = |message: String| ConfigError::new(format!("sweep.{}: {message}", path.join("."))).at_key(entry);
        if values.is_empty() {
            return Err(error("the list is empty, so that there is no point".into())
                .help("list at least one value, or take the key out"));
        }
        if let ["name" | "extends" | "sweep" | "output", ..] = path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            return Err(error(format!("`{}` cannot be swept", path[0]))
                .help("it is about all points; sweep what describes a point"));
        }
        if self.axes.iter().any(|axis| axis.path == path) {
            return Err(error("the key is swept twice".into()));
        }
        self.axes.push(Axis { path, values });
        Ok(())
    }

    /// Number of points.
    pub fn points(&self) -> usize {
        self.axes.iter().map(|axis| axis.values.len()).product()
    }

    /// The swept keys.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The value of every swept key at a point; the last key varies fastest.
    pub fn values(&self, point: usize) -> Vec<(&Axis, &Entry)> {
        self.indices(point)
            .map(|(axis, index)| (axis, &axis.values[index]))
            .collect()
    }

    /// The same as places in the lists.
    pub fn indices(&self, point: usize) -> impl Iterator<Item = (&Axis, usize)> {
        let (mut left, mut step) = (point, self.points());
        self.axes.iter().map(move |axis| {
            step /= axis.values.len();
            let index = left / step;
            left %= step;
            (axis, index)
        })
    }

    /// A line for every swept key that lists a value twice.
    pub(super) fn repetitions(&self) -> Vec<String> {
        let repeated = |axis: &Axis| {
            let mut known = HashSet::new();
            let again: Vec<_> = axis
                .values
                .iter()
                .filter(|value| !known.insert(value.to_string()))
                .collect();
            let first = again.first()?;
            let more = match again.len() {
                1 => String::new(),
                n => format!(", and {} more repeat others", n - 1),
            };
            Some(format!(
                "sweep.{}: `{first}` is listed more than once{more}; equal points are run once",
                axis.key()
            ))
        };
        self.axes.iter().filter_map(repeated).collect()
    }
}
