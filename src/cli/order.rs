//! `fabricsim order`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::arguments::{ExperimentArgs, one_point_only, onto_an_input, warn, write_whole};
use super::failure::Failure;
use super::tell::tell;
use crate::experiment::{Memory, Preparer};
use crate::report::table::Table;
use crate::results::Number;
use crate::search::order::{self, OrderOptions, OrderReport};

/// Arguments of `fabricsim order`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fabricsim order exp.toml --set workload.all-reduce.rank_map=random --out rank-map.json
  fabricsim run exp.toml --set 'workload.all-reduce.rank_map={ file = \"rank-map.json\" }'")]
pub(super) struct Order {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Write the best map to this file, for `rank_map = { file = \"...\" }`
    #[arg(long, value_name = "rank-map.json", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// The job whose ranks move, where the experiment has several
    #[arg(long, value_name = "NAME")]
    job: Option<String>,
    /// What the map is judged by [default: bytes of programs and training, else congestion]
    #[arg(long, value_enum)]
    objective: Option<Objective>,
    /// Simulate the map as written and the new one, by the experiment's engine
    #[arg(long)]
    verify: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Objective {
    /// The most loaded link of any step, then the second most loaded, then latency
    Congestion,
    /// Bytes times the links that they cross
    Bytes,
}

impl Order {
    /// Finds the best map, prints what it comes to beside others, and writes it down.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let plan = self.experiment.plan()?;
        let &[point] = plan.points() else {
            return Err(one_point_only(&plan, "order").into());
        };
        if let Some(input) = self.out.as_deref().and_then(|out| plan.files().holds(out)) {
            return Err(onto_an_input(&input, "order").into());
        }
        let preparer = Preparer::new(&plan, Memory::free());
        let options = OrderOptions {
            job: self.job.clone(),
            objective: self.objective.map(|objective| match objective {
                Objective::Congestion => order::Objective::Congestion,
                Objective::Bytes => order::Objective::Bytes,
            }),
            verify: self.verify,
        };
        let report = order::report(&preparer, point, &options)?;
        preparer.warnings().iter().for_each(|warning| warn(warning));
        table(&report).write_text(out)?;
        out.flush()?;
        match &self.out {
            Some(path) => write_map(path, &report),
            None => Ok(()),
        }
    }
}

fn write_map(path: &Path, report: &OrderReport) -> Result<(), Failure> {
    let text = serde_json::to_string(&report.file).map_err(std::io::Error::from)?;
    write_whole(path, &(text + "\n"))?;
    let optimal = if report.file.optimal { "; no map is better" } else { "" };
    tell(format_args!("the ordered map is in {}{optimal}", path.display()));
    Ok(())
}

fn table(report: &OrderReport) -> Table {
    let simulated = report.maps.iter().any(|map| map.cct_us.is_some());
    let mut headings = vec!["map", "worst_link_us", "second_us", "worst_link", "crossing_bytes"];
    if simulated {
        headings.extend(["cct_us", "cct_over_bound"]);
    }
    let text = |number: Option<Number>| number.map_or(String::new(), |number| number.to_string());
    let rows = report.maps.iter().map(|map| {
        let mut row = vec![
            map.name.to_owned(),
            map.worst_us.to_string(),
            map.second_us.to_string(),
            map.link.clone(),
            map.crossing_bytes.to_string(),
        ];
        if simulated {
            row.extend([text(map.cct_us), text(map.cct_over_bound)]);
        }
        row
    });
    Table::new(&headings, rows.collect())
}
