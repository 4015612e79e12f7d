//! The search for a front, and what runs of its designs say.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, io};

use rayon::prelude::*;
use serde_json::json;
use toml::{Table, Value};

use super::catalogue::{Bill, Design, Genes, Genome, designs};
use super::front::{EvaluatedDesign, front};
use super::genetic::evolve;
use super::least_time::Load;
use super::spec::{DesignFile, DesignSpec};
use crate::config::{ConfigError, FileStore};
use crate::experiment::{Memory, Plan, Preparer};
use crate::input::{Files, InputError};
use crate::results::{DesignRow, Number, replace};
use crate::runner;

/// What came of a search.
#[derive(Debug, Default)]
pub struct DesignReport {
    /// Designs that can be built within the budget; where there are too many to list, none.
    pub designs: Option<usize>,
    /// Those whose least time was computed.
    pub evaluations: usize,
    /// Whether the front is that of all designs.
    pub exact: bool,
    /// By rising price.
    pub front: Vec<EvaluatedDesign>,
}

/// What a run of a design said.
#[derive(Debug, Clone, PartialEq)]
pub struct Confirmed {
    /// Place in the front.
    pub place: usize,
    /// Sum over the workloads of weight times completion time, in microseconds.
    pub time_us: Option<f64>,
    /// Why there is none.
    pub note: Option<String>,
}

/// Searches the front of a design file; nothing more is begun once `stop` is true.
///
/// # Errors
/// Workloads that do not fit the hosts.
pub fn report(file: &DesignFile, files: &dyn Files, seed: u64, stop: &AtomicBool) -> Result<DesignReport, InputError> {
    let spec = &file.spec;
    let load = Load::new(spec, files, seed)?;
    let mut found = DesignReport::default();
    let listed = designs(spec);
    found.designs = listed.as_ref().map(Vec::len);
    let mut judged = Vec::new();
    let complete = listed.is_some_and(|listed| {
        by_rising_price(
            &load,
            &listed,
            spec.evaluations,
            stop,
            &mut found.evaluations,
            &mut judged,
        )
    });
    if !complete {
        judged.clear();
        found.evaluations = 0;
        genetic(spec, &load, seed, stop, &mut found.evaluations, &mut judged);
    }
    found.exact = complete;
    found.front = front(judged);
    Ok(found)
}

/// Designs that are judged at a time: how many is no matter of processors, so that the same ones are.
const BATCH: usize = 16;

/// Judges all that a glance does not show to be beaten by a cheaper one; `false` if those are more than `most`.
fn by_rising_price(
    load: &Load<'_>,
    listed: &[(Design, Bill)],
    most: usize,
    stop: &AtomicBool,
    evaluations: &mut usize,
    judged: &mut Vec<EvaluatedDesign>,
) -> bool {
    let mut fastest = f64::INFINITY;
    let mut open = listed.iter();
    loop {
        let worth = open
            .by_ref()
            .filter(|(design, _)| load.glance(design) < fastest * (1.0 - 1e-9));
        let batch: Vec<&(Design, Bill)> = worth.take(BATCH).collect();
        if batch.is_empty() {
            return true;
        }
        if *evaluations + batch.len() > most || stop.load(Ordering::Relaxed) {
            return false;
        }
        *evaluations += batch.len();
        let found: Vec<_> = batch
            .into_par_iter()
            .map(|(design, bill)| load.evaluate(design, bill))
            .collect();
        for one in found.into_iter().flatten() {
            fastest = fastest.min(one.time_us);
            judged.push(one);
        }
    }
}

pub(super) fn genetic(
    spec: &DesignSpec,
    load: &Load<'_>,
    seed: u64,
    stop: &AtomicBool,
    evaluations: &mut usize,
    judged: &mut Vec<EvaluatedDesign>,
) {
    let genes = Genes::new(spec);
    let can_be_built = |genome: &Genome| genes.design(genome).bill(spec).is_some();
    let mut evaluate = |genomes: &[Genome]| -> Vec<Option<[f64; 2]>> {
        let one = |genome: &Genome| {
            let design = genes.design(genome);
            let bill = design.bill(spec).filter(|_| !stop.load(Ordering::Relaxed))?;
            load.evaluate(&design, &bill)
        };
        let found: Vec<_> = genomes.par_iter().map(one).collect();
        *evaluations += found.len();
        let costs = found
            .iter()
            .map(|one| one.as_ref().map(|one| [one.bill.price, one.time_us]))
            .collect();
        judged.extend(found.into_iter().flatten());
        costs
    };
    evolve(&genes, spec.evaluations, seed, &mut evaluate, &can_be_built);
}

/// Writes the experiment file of every design of a front into a folder.
///
/// # Errors
/// A file that cannot be written.
pub fn write_experiments(file: &DesignFile, front: &[EvaluatedDesign], dir: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(dir)?;
    let write = |one: &EvaluatedDesign| {
        let name = one.design.name(&file.spec);
        let path = dir.join(format!("{name}.toml"));
        let text = experiment(file, one, &name).map_err(io::Error::other)?;
        replace(&path, |out| io::Write::write_all(out, text.as_bytes()))?;
        Ok(path)
    };
    front.iter().map(write).collect()
}

/// The keys of the design file, with a fabric and the workloads; `engine = "packet"` where the file names none.
fn experiment(file: &DesignFile, one: &EvaluatedDesign, name: &str) -> Result<String, toml::ser::Error> {
    let mut root = match file.rest.to_toml(false) {
        Value::Table(root) => root,
        _ => Table::new(),
    };
    root.insert("name".into(), Value::String(format!("{}-{name}", file.name)));
    root.entry("engine").or_insert_with(|| Value::String("packet".into()));
    root.insert("topology".into(), Value::try_from(one.design.table(&file.spec))?);
    let workloads = file
        .spec
        .workloads
        .iter()
        .map(|one| Value::try_from(json!(one.workload)));
    let mut workloads = workloads.collect::<Result<Vec<_>, _>>()?;
    if workloads.len() == 1 {
        root.insert("workload".into(), workloads.remove(0));
    } else {
        let sweep: Table = [("workload".to_owned(), Value::Array(workloads))].into_iter().collect();
        root.insert("sweep".into(), Value::Table(sweep));
    }
    toml::to_string(&root)
}

/// Runs designs of a front, the best products of price and time first, as their files say.
///
/// # Errors
/// A file that cannot be read back.
pub fn confirm(
    file: &DesignFile,
    front: &[EvaluatedDesign],
    paths: &[PathBuf],
    stop: &AtomicBool,
) -> Result<Vec<Confirmed>, ConfigError> {
    let mut order: Vec<usize> = (0..front.len()).collect();
    let product = |place: usize| front[place].bill.price * front[place].time_us;
    order.sort_by(|&a, &b| product(a).total_cmp(&product(b)));
    order.truncate(file.spec.confirm);
    order.sort_unstable();
    let run = |&place: &usize| {
        let mut confirmed = Confirmed {
            place,
            time_us: None,
            note: None,
        };
        if stop.load(Ordering::Relaxed) {
            return confirmed;
        }
        match time(file, &paths[place]) {
            Ok(time_us) => confirmed.time_us = time_us,
            Err(error) => confirmed.note = Some(error.to_string()),
        }
        confirmed
    };
    Ok(order.par_iter().map(run).collect())
}

/// Weighted completion times; `None` where flows do not finish.
fn time(file: &DesignFile, path: &Path) -> Result<Option<f64>, ConfigError> {
    let plan = Plan::parse_among(path, &[], FileStore::default())?;
    let preparer = Preparer::new(&plan, Memory::free());
    let mut sum = Some(0.0);
    for (&point, one) in plan.points().iter().zip(&file.spec.workloads) {
        let prepared = point.prepare(&preparer)?;
        let row = runner::evaluate(&preparer, point, prepared).simulate().row;
        sum = sum.zip(row.cct_us).map(|(sum, cct)| sum + one.weight * cct.value());
    }
    Ok(sum)
}

/// The front as rows.
pub fn rows(spec: &DesignSpec, front: &[EvaluatedDesign], confirmed: &[Confirmed]) -> Vec<DesignRow> {
    let row = |(place, one): (usize, &EvaluatedDesign)| {
        let run = confirmed.iter().find(|confirmed| confirmed.place == place);
        let switches = one.bill.switches.iter().map(|(name, count)| format!("{count} {name}"));
        DesignRow {
            design: one.design.name(spec),
            price: Number::new(one.bill.price),
            price_per_host: Number::new(one.bill.price / f64::from(spec.hosts)),
            power_w: Number::new(one.bill.power),
            least_time_us: Number::new(one.time_us),
            failed_us: one.failed_us.map(Number::new),
            simulated_us: run.and_then(|run| run.time_us).map(Number::new),
            switches: switches.collect::<Vec<_>>().join(" + "),
            host_cables: one.bill.host_cables,
            fabric_cables: one.bill.fabric_cables,
        }
    };
    front.iter().enumerate().map(row).collect()
}
