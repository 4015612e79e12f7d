//! `fabricsim place --over-time`.

use std::io::Write;
use std::path::Path;

use super::arguments::{ExperimentArgs, one_point_only, onto_an_input, warn, write_whole};
use super::failure::Failure;
use super::tell::tell;
use crate::config::ConfigError;
use crate::experiment::{Memory, Point, Preparer};
use crate::report::table::Table;
use crate::search::over_time::{OutageReport, ShiftReport, ShiftedJob, outages, runnable, shifted, shifted_experiment};

/// Finds a plan, prints what it comes to, and writes it down: of jobs the experiment that follows it, of outages the plan.
pub(super) fn run(experiment: &ExperimentArgs, file: Option<&Path>, out: &mut impl Write) -> Result<(), Failure> {
    let plan = experiment.plan_for_both_engines(&[])?;
    let &[point] = plan.points() else {
        return Err(one_point_only(&plan, "--over-time").into());
    };
    if let Some(input) = file.and_then(|file| plan.files().holds(file)) {
        return Err(onto_an_input(&input, "plan").into());
    }
    let preparer = Preparer::new(&plan, Memory::free());
    let experiment = plan.resolve(point)?.experiment;
    let comes_or_goes = experiment
        .faults
        .iter()
        .any(|fault| fault.from.is_some() || fault.until.is_some());
    match comes_or_goes && experiment.jobs.is_empty() {
        true => over_outages(&preparer, point, file, out),
        false => of_jobs(&preparer, point, file, out),
    }
}

fn of_jobs(preparer: &Preparer<'_>, point: Point, file: Option<&Path>, out: &mut impl Write) -> Result<(), Failure> {
    let report = shifted(preparer, point)?;
    preparer.warnings().iter().for_each(|warning| warn(warning));
    jobs(&report).write_text(out)?;
    out.flush()?;
    if let Some(path) = file {
        write_whole(path, &shifted_experiment(preparer, point, &report)?)?;
        tell(format_args!(
            "the experiment with these starts is in {}",
            path.display()
        ));
    }
    Ok(())
}

fn over_outages(
    preparer: &Preparer<'_>,
    point: Point,
    file: Option<&Path>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let report = outages(preparer, point)?;
    spans(&report).write_text(out)?;
    out.flush()?;
    tell(format_args!(
        "\nall is there after {} us, {} us by the fluid; no plan ends before {} us",
        report.end_us, report.fluid_end_us, report.bound_us
    ));
    if let Some(path) = file {
        let text = serde_json::to_string(&report).map_err(std::io::Error::from)?;
        write_plan(preparer, point, path, &(text + "\n"))?;
    }
    Ok(())
}

/// Writes the plan down, and beside it an experiment that carries it out, with its flows and their paths.
fn write_plan(preparer: &Preparer<'_>, point: Point, path: &Path, plan: &str) -> Result<(), Failure> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("over-time");
    let [flows, paths, experiment] = [".csv", "-paths.json", ".toml"].map(|end| format!("{stem}{end}"));
    let beside = [&flows, &paths, &experiment].map(|name| path.with_file_name(name));
    if beside.iter().any(|other| other == path) {
        let message = format!(
            "--out: {} is the name of what is written beside the plan",
            path.display()
        );
        return Err(ConfigError::new(message)
            .help(format!("write `--out {stem}.json`"))
            .into());
    }
    if let Some(input) = beside.iter().find_map(|file| preparer.plan().files().holds(file)) {
        return Err(onto_an_input(&input, "plan").into());
    }
    write_whole(path, plan)?;
    let runnable = match runnable(preparer, point, &flows, &paths) {
        Ok(runnable) => runnable,
        Err(error) => {
            warn(&format!("packets cannot carry the plan out: {error}"));
            tell(format_args!("the plan is in {}", path.display()));
            return Ok(());
        }
    };
    for (file, text) in beside
        .iter()
        .zip([&runnable.flows, &runnable.paths, &runnable.experiment])
    {
        write_whole(file, text)?;
    }
    tell(format_args!(
        "the plan is in {}; {} carries it out in packets, with all there after {} us",
        path.display(),
        beside[2].display(),
        runnable.end_us
    ));
    Ok(())
}

fn spans(report: &OutageReport) -> Table {
    let row = |span: &crate::search::over_time::PlannedSpan| {
        vec![
            span.from_us.to_string(),
            span.until_us.map_or(String::new(), |until| until.to_string()),
            span.flows.len().to_string(),
            span.bytes.to_string(),
            span.fluid_us.to_string(),
        ]
    };
    let headings = ["from_us", "until_us", "pieces", "bytes", "fluid_us"];
    Table::new(&headings, report.spans.iter().map(row).collect())
}

fn jobs(report: &ShiftReport) -> Table {
    const HEADINGS: [&str; 8] = [
        "job",
        "period_us",
        "shift_us",
        "start_us",
        "alone_us",
        "written_us",
        "predicted_us",
        "shifted_us",
    ];
    let row = |job: &ShiftedJob| {
        let numbers = [
            job.period_us,
            job.shift_us,
            job.start_us,
            job.alone_us,
            job.written_us,
            job.predicted_us,
            job.shifted_us,
        ];
        let cells = numbers.iter().map(ToString::to_string);
        std::iter::once(job.job.clone()).chain(cells).collect()
    };
    Table::new(&HEADINGS, report.jobs.iter().map(row).collect())
}
