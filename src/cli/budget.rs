//! `fabricsim run --budget`: how much of a simulation fits into a given time.
//!
//! From the experiment as it is written to a fluid that is not quite exact, each choice leaves out more and is faster. The first
//! that is done in time is taken, and what it leaves out is said before anything runs.

use std::str::FromStr;
use std::time::{Duration, Instant};

use super::arguments::{ExperimentArgs, warn};
use super::failure::Failure;
use super::tell::{seconds, tell};
use crate::config::ConfigError;
use crate::experiment::{Memory, Plan, Preparer};
use crate::runner::{Estimate, estimate, survey};

/// A time by which a run is to be done, such as `60s`, `10min` or `2h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BudgetArg(Duration);

impl FromStr for BudgetArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
        let unit = match unit {
            "s" => 1.0,
            "min" => 60.0,
            "h" => 3_600.0,
            _ => return Err("write a number and `s`, `min` or `h`, as in `60s`".into()),
        };
        let seconds = number.trim().parse::<f64>().map_err(|error| error.to_string())? * unit;
        match Duration::try_from_secs_f64(seconds) {
            Ok(time) if !time.is_zero() => Ok(Self(time)),
            _ => Err("it must be above zero".into()),
        }
    }
}

/// A way to run an experiment.
struct Choice {
    name: &'static str,
    /// What it changes in the experiment.
    settings: &'static [&'static str],
    /// What is known of the error that this brings.
    error: &'static str,
    /// It is none for an experiment that has no packets.
    of_packets: bool,
}

/// What a choice takes.
struct Cost {
    plan: Plan,
    /// In seconds.
    needed: f64,
    has_packets: bool,
}

/// From exact and dear to cheap.
const CHOICES: [Choice; 4] = [
    Choice {
        name: "as it is written",
        settings: &[],
        error: "nothing is left out",
        of_packets: false,
    },
    Choice {
        name: "packets, skipping steady states",
        settings: &["packet.fast_forward={error=0.01}"],
        error: "completion times within 1 % by an estimate that is no bound; `record.json` of each point says what was skipped",
        of_packets: true,
    },
    Choice {
        name: "the fluid, exact",
        settings: &["engine=flow"],
        error: "without headers, queues and congestion control, so that times come out lower; how far the two agree is in docs/validation.md",
        of_packets: true,
    },
    Choice {
        name: "the fluid with a tolerance of 0.001",
        settings: &["engine=flow", "flow.tolerance=0.001"],
        error: "within 0.4 % of the exact fluid",
        of_packets: false,
    },
];

impl BudgetArg {
    /// The experiment by the choice that leaves out least of those that end in time with `jobs` points at a time (0: as many as there are
    /// processors). Which it is, is told.
    ///
    /// # Errors
    /// The error of the experiment as it is written, or that no choice is fast enough.
    pub(super) fn choose(self, experiment: &ExperimentArgs, jobs: usize, memory: Memory) -> Result<Plan, Failure> {
        let begun = Instant::now();
        let (mut tried, mut packets): (Vec<String>, _) = (Vec::new(), true);
        for choice in &CHOICES {
            if choice.of_packets && !packets {
                continue;
            }
            let Cost {
                plan,
                needed,
                has_packets,
            } = match choice.cost(experiment, jobs, memory) {
                Ok(cost) => cost,
                // What is wrong with the experiment itself is not a matter of choice.
                Err(error) if choice.settings.is_empty() => return Err(error),
                Err(_) => continue,
            };
            let left = self.0.saturating_sub(begun.elapsed()).as_secs_f64();
            if needed <= left {
                tell(choice.told(needed));
                return Ok(plan);
            }
            packets &= has_packets || !choice.settings.is_empty();
            tried.push(format!("{}, {}", choice.name, seconds(needed)));
        }
        let message = format!("--budget: nothing is done in {}", seconds(self.0.as_secs_f64()));
        let help = format!(
            "allow more, or sweep less; the choices take about: {}",
            tried.join("; ")
        );
        Err(ConfigError::new(message).help(help).into())
    }
}

impl Choice {
    /// An error where the experiment cannot be run in this way.
    fn cost(&self, experiment: &ExperimentArgs, jobs: usize, memory: Memory) -> Result<Cost, Failure> {
        let settings: Vec<String> = self.settings.iter().map(|&setting| setting.to_owned()).collect();
        // Keys of the engine that is not taken stay in the file, and no harm is done.
        let plan = match self.settings {
            [] => experiment.plan()?,
            _ => experiment.plan_for_both_engines(&settings)?,
        };
        let preparer = Preparer::new(&plan, memory);
        let sizes = survey(&preparer, None, &|warning| warn(warning))?;
        let cost = estimate(&preparer, &sizes)?;
        Ok(Cost {
            needed: side_by_side(&cost, jobs),
            has_packets: cost.packets.is_some(),
            plan,
        })
    }

    fn told(&self, needed: f64) -> String {
        let same = match self.settings {
            [] => String::new(),
            settings => format!(" (--set '{}')", settings.join("' --set '")),
        };
        let (name, error) = (self.name, self.error);
        format!("--budget: {name}{same}, about {}: {error}", seconds(needed))
    }
}

/// Seconds until all points are done, some at a time.
fn side_by_side(cost: &Estimate, jobs: usize) -> f64 {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let at_a_time = match jobs {
        0 => processors,
        jobs => jobs.min(processors),
    };
    let at_a_time = at_a_time.min(cost.points).max(1);
    cost.longest_s.max(cost.all_s / at_a_time as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit() {
        let parsed = |text: &str| text.parse::<BudgetArg>().map(|budget| budget.0.as_secs_f64());
        assert_eq!(parsed("60s"), Ok(60.0));
        assert_eq!(parsed("1.5min"), Ok(90.0));
        assert_eq!(parsed("2 h"), Ok(7_200.0));
        for wrong in ["", "60", "0s", "-1s", "s", "1 day", "infs", "NaNs", "1e300h"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn points_run_side_by_side_but_none_in_parts() {
        let cost = |points, longest_s, all_s| Estimate {
            points,
            longest_s,
            all_s,
            ..Estimate::default()
        };
        assert_eq!(side_by_side(&cost(4, 1.0, 4.0), 1), 4.0);
        assert_eq!(side_by_side(&cost(1, 3.0, 3.0), 0), 3.0);
        assert!(side_by_side(&cost(4, 3.0, 4.0), 0) >= 3.0);
    }
}
