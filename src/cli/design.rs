//! `fabricsim design`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::Args;

use super::arguments::warn;
use super::failure::Failure;
use super::signals::stop_on_interrupt;
use super::tell::tell;
use crate::config::{ConfigError, FileStore, Setting};
use crate::report::plots::plot_front;
use crate::report::table::Table;
use crate::results::{DesignRow, Number, Store};
use crate::search::design::{DesignFile, DesignReport, confirm, report, rows, write_experiments};

/// Arguments of `fabricsim design`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example: with this in design.toml
  [design]
  hosts = 256
  budget = { money = 2e6 }
  switches = [{ name = \"s64\", ports = 64, rate = \"400Gbps\", price = 30000, power = 1500 }]
  cables = [{ rate = \"400Gbps\", price = 1200, power = 20 }]
  [[design.workloads]]
  workload = { all-reduce = { size = \"1GB\" } }
this prints the designs that none other beats, and writes an experiment file of each:
  fabricsim design design.toml
  fabricsim run results/design-design/8x32xs64.toml")]
pub(super) struct Design {
    /// Design file: a table [design], and keys of an experiment without fabric and workload
    #[arg(value_name = "DESIGN.toml", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Set a key of the file: a value of TOML, or a bare text
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    settings: Vec<String>,
    /// Folder for front.csv, the experiment files and the plot [default: results/NAME-design]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
    /// Simulate none of the designs
    #[arg(long)]
    no_confirm: bool,
}

impl Design {
    /// Finds the front, prints it, and writes the folder.
    pub(super) fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let dir = self.file.parent().unwrap_or(&self.file);
        let settings: Result<Vec<_>, _> = self.settings.iter().map(|text| Setting::parse(text, dir)).collect();
        let files = FileStore::default();
        let file = DesignFile::read(&self.file, &settings?, &files)?;
        let stop = stop_on_interrupt()?;
        let seed = seed(&file)?;
        let found =
            report(&file, &files, seed, stop).map_err(|error| ConfigError::from_input(error, &file.rest, &files))?;
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        if found.front.is_empty() {
            return Err(ConfigError::new("design: no design can be built from the catalogue within the budget")
                .help("raise a limit of `design.budget`, add a switch with more ports, or ask for fewer failures to survive")
                .into());
        }
        let folder = self
            .out
            .clone()
            .unwrap_or_else(|| PathBuf::from("results").join(format!("{}-design", file.name)));
        let paths = write_experiments(&file, &found.front, &folder)?;
        let confirmed = if self.no_confirm {
            Vec::new()
        } else {
            confirm(&file, &found.front, &paths, stop)?
        };
        for one in &confirmed {
            if let Some(note) = &one.note {
                warn(&format!(
                    "{} could not be simulated: {note}",
                    paths[one.place].display()
                ));
            }
        }
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        let rows = rows(&file.spec, &found.front, &confirmed);
        Store::at(&folder).write_rows("front.csv", &rows)?;
        plot_front(&folder, &rows)?;
        table(&rows).write_text(out)?;
        out.flush()?;
        tell(summary(&found, &folder.display().to_string()));
        Ok(())
    }
}

fn seed(file: &DesignFile) -> Result<u64, ConfigError> {
    match file.rest.child("seed") {
        None => Ok(1),
        Some(entry) => entry.to_string().parse().map_err(|_| {
            ConfigError::new("seed: a whole number is expected")
                .help("such as `seed = 1`")
                .at_value(entry)
        }),
    }
}

fn table(rows: &[DesignRow]) -> Table {
    let simulated = rows.iter().any(|row| row.simulated_us.is_some());
    let failed = rows.iter().any(|row| row.failed_us.is_some());
    let mut headings = vec!["design", "price", "per_host", "power_w", "least_time_us"];
    headings.extend(failed.then_some("failed_us"));
    headings.extend(simulated.then_some("simulated_us"));
    headings.extend(["switches", "host_cables", "fabric_cables"]);
    let text = |number: Option<Number>| number.map_or(String::new(), |number| number.to_string());
    let cells = rows.iter().map(|row| {
        let mut cells = vec![
            row.design.clone(),
            row.price.to_string(),
            row.price_per_host.to_string(),
            row.power_w.to_string(),
            row.least_time_us.to_string(),
        ];
        cells.extend(failed.then(|| text(row.failed_us)));
        cells.extend(simulated.then(|| text(row.simulated_us)));
        cells.extend([
            row.switches.clone(),
            row.host_cables.to_string(),
            row.fabric_cables.to_string(),
        ]);
        cells
    });
    Table::new(&headings, cells.collect())
}

fn summary(found: &DesignReport, folder: &str) -> String {
    let all = found
        .designs
        .map_or("very many".to_owned(), |designs| designs.to_string());
    let exact = if found.exact {
        "none of the others is on the front"
    } else {
        "a genetic search chose them"
    };
    format!(
        "\n{all} designs can be built; the least time of {} was computed: {exact}\nan experiment file of each in {folder}, the front in front.csv, the plot in plots",
        found.evaluations
    )
}
