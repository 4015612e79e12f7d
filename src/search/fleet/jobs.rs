//! The jobs of a fleet: from a CSV file, or drawn.

use rand::Rng;

use crate::experiment::FleetOptions;
use crate::input::{Files, InputError};
use crate::math::ln;
use crate::rng::{Stream, index_below, stream};
use crate::units::Time;
use crate::workload::{Program, Workload};

/// Rounds and hosts that a job may have.
const MOST: u32 = 1 << 30;

/// One job.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FleetJob {
    pub name: String,
    pub arrival: Time,
    pub hosts: u32,
    pub rounds: u32,
    /// Its place among the kinds.
    pub kind: usize,
}

/// What jobs do in a round, by name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kinds {
    pub names: Vec<String>,
    pub programs: Vec<Program>,
}

impl Kinds {
    /// Those of the table, or the experiment's own workload.
    pub(super) fn of(options: &FleetOptions, own: Option<&Workload>) -> Result<Self, InputError> {
        let mut kinds = Self {
            names: Vec::new(),
            programs: Vec::new(),
        };
        let own = own.map(|workload| ("workload".to_owned(), workload));
        let listed = options.kinds.iter().map(|(name, workload)| (name.clone(), workload));
        let all: Vec<_> = match options.kinds.is_empty() {
            true => own.into_iter().collect(),
            false => listed.collect(),
        };
        for (name, workload) in all {
            let Workload::Program(program) = workload else {
                let message = format!("jobs of a fleet make rounds, and `{}` has none", workload.name());
                return Err(InputError::key("workload", message)
                    .help("write it as a `program` with one operation, or list [fleet.kinds]"));
            };
            kinds.names.push(name);
            kinds.programs.push(program.clone());
        }
        match kinds.names.is_empty() {
            true => Err(InputError::key("fleet.kinds", "there is nothing that jobs could do").help("add a kind")),
            false => Ok(kinds),
        }
    }
}

/// A time between two events that are exponentially distributed, with this mean.
pub(super) fn exponential(random: &mut Stream, mean: Time) -> Time {
    // From 2^-53 to 1.
    let uniform = ((random.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    Time((-ln(uniform) * mean.0 as f64) as u64)
}

/// The jobs in order of arrival.
pub(super) fn jobs(
    options: &FleetOptions,
    kinds: &Kinds,
    files: &dyn Files,
    seed: u64,
) -> Result<Vec<FleetJob>, InputError> {
    let mut jobs = match options.jobs.file.as_str() {
        "" => drawn(options, kinds, seed),
        file => read(file, kinds, files)?,
    };
    jobs.sort_by_key(|job| job.arrival);
    Ok(jobs)
}

fn drawn(options: &FleetOptions, kinds: &Kinds, seed: u64) -> Vec<FleetJob> {
    let spec = &options.jobs;
    let mut random = stream(seed, "fleet jobs", 0);
    let mut now = Time::ZERO;
    let job = |index: u32| {
        if index > 0 {
            now = Time(
                now.0
                    .saturating_add(exponential(&mut random, spec.every.unwrap_or(Time::ZERO)).0),
            );
        }
        let mut one_of = |count: usize| index_below(random.next_u64(), count as u32) as usize;
        FleetJob {
            name: format!("job{index}"),
            arrival: now,
            hosts: spec.hosts[one_of(spec.hosts.len())],
            rounds: spec.rounds[one_of(spec.rounds.len())],
            kind: one_of(kinds.names.len()),
        }
    };
    (0..spec.count.unwrap_or(0)).map(job).collect()
}

fn read(file: &str, kinds: &Kinds, files: &dyn Files) -> Result<Vec<FleetJob>, InputError> {
    let text = files.read(file)?;
    let mut jobs: Vec<FleetJob> = Vec::new();
    let table = Table::of(file, &text, &["name", "arrival", "hosts", "rounds"], &["kind"])?;
    for row in table.rows() {
        let count = |column: &'static str, least: u32| {
            let written = row.cell(column);
            let count = written.parse().ok().filter(|count| (least..=MOST).contains(count));
            count.ok_or_else(|| row.wrong(column, &format!("a whole number from {least} to {MOST} is expected")))
        };
        let kind = match row.cell("kind") {
            "" if kinds.names.len() == 1 => 0,
            name => kinds
                .names
                .iter()
                .position(|known| known == name)
                .ok_or_else(|| row.wrong("kind", &format!("the kinds are {}", kinds.names.join(", "))))?,
        };
        let job = FleetJob {
            name: row.cell("name").to_owned(),
            arrival: row.time("arrival")?,
            hosts: count("hosts", 2)?,
            rounds: count("rounds", 1)?,
            kind,
        };
        if job.name.is_empty() || jobs.iter().any(|known| known.name == job.name) {
            return Err(row.wrong("name", "every job has a name of its own"));
        }
        jobs.push(job);
    }
    match jobs.is_empty() {
        true => Err(InputError::file(file, "it has no job").help("add a line such as `a,0us,16,100`")),
        false => Ok(jobs),
    }
}

/// A CSV file with named columns, some of which may be missing.
pub(super) struct Table<'t> {
    file: &'t str,
    columns: Vec<&'t str>,
    rows: Vec<(usize, Vec<&'t str>)>,
}

/// One line of it.
pub(super) struct Row<'t> {
    table: &'t Table<'t>,
    line: usize,
    cells: &'t [&'t str],
}

impl<'t> Table<'t> {
    pub(super) fn of(file: &'t str, text: &'t str, needed: &[&str], possible: &[&str]) -> Result<Self, InputError> {
        let lines = (1..).zip(text.trim_start_matches('\u{feff}').lines());
        let mut rows = lines
            .map(|(number, line)| (number, line.split('#').next().unwrap_or_default().trim()))
            .filter(|(_, line)| !line.is_empty())
            .map(|(number, line)| (number, line.split(',').map(str::trim).collect::<Vec<_>>()));
        let names = needed.join(",");
        let Some((line, columns)) = rows.next() else {
            return Err(InputError::file(file, "it is empty").help(format!("its first line is `{names}`")));
        };
        let missing = needed.iter().find(|name| !columns.contains(name));
        let unknown = columns
            .iter()
            .find(|name| !needed.contains(name) && !possible.contains(name));
        let wrong = missing
            .map(|name| format!("there is no column `{name}`"))
            .or_else(|| unknown.map(|name| format!("there is no use for the column `{name}`")));
        if let Some(message) = wrong {
            let more = if possible.is_empty() {
                String::new()
            } else {
                format!(", with {} behind where needed", possible.join(","))
            };
            return Err(InputError::line(file, line, message).help(format!("the first line is `{names}`{more}")));
        }
        let count = columns.len();
        let rows = rows.map(|(number, cells)| match cells.len() == count {
            true => Ok((number, cells)),
            false => Err(
                InputError::line(file, number, format!("there are {} cells", cells.len()))
                    .help(format!("there are {count} columns")),
            ),
        });
        Ok(Self {
            file,
            rows: rows.collect::<Result<_, _>>()?,
            columns,
        })
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(line, cells)| Row {
            table: self,
            line: *line,
            cells,
        })
    }
}

impl Row<'_> {
    /// What stands in a column; nothing where there is none.
    pub(super) fn cell(&self, column: &str) -> &str {
        let at = self.table.columns.iter().position(|name| *name == column);
        at.map_or("", |at| self.cells[at])
    }

    pub(super) fn time(&self, column: &'static str) -> Result<Time, InputError> {
        let time = self.cell(column).parse();
        time.map_err(|_| self.wrong(column, "a time with its unit is expected, such as `500us`"))
    }

    pub(super) fn wrong(&self, column: &str, help: &str) -> InputError {
        let message = format!("`{column}` is `{}`", self.cell(column));
        InputError::line(self.table.file, self.line, message).help(help.to_owned())
    }
}
