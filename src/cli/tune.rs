//! `fabricsim tune`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::Args;
use toml::{Table as Toml, Value};

use super::arguments::{ExperimentArgs, one_point_only, warn};
use super::failure::Failure;
use super::signals::stop_on_interrupt;
use super::tell::tell;
use crate::config::{ConfigError, absolute};
use crate::experiment::{Memory, Plan, Preparer};
use crate::report::plots::plot_trials;
use crate::report::table::Table;
use crate::results::{Number, Store};
use crate::search::tune::{Config, TuneReport, Tuner, report};

/// Arguments of `fabricsim tune`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example: with these lines in exp.toml
  [tune]
  budget = 30
  [tune.space]
  transport = [\"dctcp\", \"swift\"]
  \"switch.alpha\" = { from = 0.1, to = 8.0, log = true }
this finds the best, and writes it as a file that can be run:
  fabricsim tune exp.toml
  fabricsim run results/exp-tune/best.toml")]
pub(super) struct Tune {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Folder for best.toml, trials.csv, the plot, and what was simulated, from which the same command goes on
    /// [default: results/NAME-tune]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Simulations at a time; what is found does not depend on it [default: as many as there are processors]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    jobs: usize,
}

impl Tune {
    /// Searches, prints the best of each family and what matters, and writes the folder.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let plan = self.experiment.plan_for_both_engines(&[])?;
        if plan.points().len() > 1 {
            return Err(one_point_only(&plan, "tune").into());
        }
        let tuning = plan.tuning()?;
        let folder = self
            .out
            .clone()
            .unwrap_or_else(|| PathBuf::from("results").join(format!("{}-tune", plan.name())));
        let stop = stop_on_interrupt()?;
        let preparer = Preparer::new(&plan, Memory::free());
        let tuner = Tuner::new(&preparer, &tuning, Store::at(&folder), self.jobs, stop)?;
        tuner.check()?;
        let seed = tuning.options.seed.unwrap_or(plan.points()[0].seed);
        let found = report(&tuner, &tuning, seed);
        preparer.warnings().iter().for_each(|warning| warn(warning));
        if let Some(error) = tuner.failure() {
            return Err(std::io::Error::other(error).into());
        }
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        let Some(best) = &found.best else {
            return Err(nothing(tuner.tally().impossible()).into());
        };
        let store = tuner.store();
        store.write_rows("trials.csv", &found.trials)?;
        let text = best_file(&plan, &tuner, best)?;
        store.write("best.toml", |out| out.write_all(text.as_bytes()))?;
        plot_trials(&folder, &found.trials, found.floor_us)?;
        families(&found).write_text(out)?;
        writeln!(out)?;
        sensitivities(&found).write_text(out)?;
        out.flush()?;
        tell(summary(&tuner, &found, &folder.display().to_string()));
        Ok(())
    }
}

fn nothing(why: Option<&str>) -> ConfigError {
    let error = ConfigError::new("tune: no candidate could be simulated to its end");
    match why {
        Some(why) => error.help(format!("the first of the reasons: {why}")),
        None => error.help("raise `tune.budget`"),
    }
}

/// An experiment file with the values of the best.
fn best_file(plan: &Plan, tuner: &Tuner<'_>, best: &Config) -> Result<String, ConfigError> {
    let mut root = Toml::new();
    root.insert("extends".into(), Value::String(absolute(plan.file())));
    for (axis, value) in tuner.space().settings(best) {
        insert(&mut root, &axis.path, value.to_toml(false));
    }
    toml::to_string(&root).map_err(|error| ConfigError::new(format!("the best cannot be written as TOML: {error}")))
}

/// Sets a key path, which is at most as deep as keys of experiments are.
fn insert(table: &mut Toml, path: &[String], value: Value) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        table.insert(key.clone(), value);
        return;
    }
    let inner = table.entry(key.clone()).or_insert_with(|| Value::Table(Toml::new()));
    if let Some(name) = inner.as_str() {
        // The name of a choice, whose options follow.
        let name = name.to_owned();
        *inner = Value::Table([(name, Value::Table(Toml::new()))].into_iter().collect());
    }
    if let Value::Table(inner) = inner {
        insert(inner, rest, value);
    }
}

fn families(found: &TuneReport) -> Table {
    let best = found.best_us.unwrap_or(1.0);
    let rows = found.families.iter().map(|family| {
        let value = |scale: f64| {
            family
                .best_us
                .map_or(String::new(), |us| Number::new(us / scale).to_string())
        };
        let settings = family.settings.iter().filter(|(key, _)| key.contains('.'));
        vec![
            family.name.clone(),
            family.candidates.to_string(),
            family.full.to_string(),
            value(1.0),
            value(best),
            settings
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
                .join(" "),
        ]
    });
    Table::new(
        &["family", "candidates", "in_full", "best_us", "over_best", "values"],
        rows.collect(),
    )
}

fn sensitivities(found: &TuneReport) -> Table {
    let rows = found.sensitivities.iter().map(|key| {
        vec![
            key.key.clone(),
            Number::new((key.explains * 1e3).round() / 10.0).to_string(),
            key.best.clone(),
        ]
    });
    Table::new(&["key", "explains_percent", "best_value"], rows.collect())
}

fn summary(tuner: &Tuner<'_>, found: &TuneReport, folder: &str) -> String {
    let (runs, reused, work) = tuner.tally().sums();
    let best = found.best_us.unwrap_or_default();
    let floor = found.floor_us.map_or(String::new(), |floor| {
        format!(", {:.2} % above what no candidate is below", (best / floor - 1.0) * 1e2)
    });
    let again = if reused > 0 {
        format!(" ({reused} of them were there already)")
    } else {
        String::new()
    };
    let impossible = match (found.impossible, tuner.tally().impossible()) {
        (0, _) => String::new(),
        (n, why) => format!(
            "\n{n} candidates could not be run; the first: {}",
            why.unwrap_or("flows did not finish")
        ),
    };
    format!(
        "\nbest {} us{floor}; {runs} simulations{again} with {work} packet hops; bounds ruled out {}, and the clock {}{impossible}\nthe best is in {folder}/best.toml, all trials in trials.csv, the plot in plots",
        Number::new(best),
        found.bounded,
        found.timed_out,
    )
}
