//! The best map of an experiment's workload, beside those that it could have had.

use rand::seq::SliceRandom;
use serde::Serialize;

use super::key::{Key, Objective};
use super::search::{Ordered, evaluate_maps, order};
use super::traffic::Traffic;
use crate::config::ConfigError;
use crate::experiment::{Experiment, Network, Point, Preparer, Resolved};
use crate::input::InputError;
use crate::results::{Number, ResultRow};
use crate::rng::stream;
use crate::runner;
use crate::topology::Fabric;
use crate::workload::{Demand, RankMap, Seats, Workload};

/// What to order, and how.
#[derive(Debug, Clone, Default)]
pub struct OrderOptions {
    /// The job whose ranks move, where there are several.
    pub job: Option<String>,
    /// By default congestion, and of programs bytes.
    pub objective: Option<Objective>,
    /// Simulate the map as written and the new one.
    pub verify: bool,
}

/// One map.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderedMap {
    /// What it is called.
    pub name: &'static str,
    /// Time on the most loaded link, in the step in which it is most loaded, in microseconds.
    pub worst_us: Number,
    /// The same on the most loaded of those links that do not always share its load.
    pub second_us: Number,
    /// The most loaded link.
    pub link: String,
    /// Bytes between switches, each counted once for every link that it crosses.
    pub crossing_bytes: Number,
    /// Completion time, where it was simulated.
    pub cct_us: Option<Number>,
    /// The same over the bound.
    pub cct_over_bound: Option<Number>,
}

/// What came of it.
#[derive(Debug)]
pub struct OrderReport {
    /// As written, in order, drawn, and the new one.
    pub maps: Vec<OrderedMap>,
    /// The file of the new map.
    pub file: RankMapFile,
}

/// The file of a rank map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RankMapFile {
    /// Counted as the workload's `rank_map` counts them.
    pub hosts: Vec<u32>,
    /// What was made small.
    pub objective: Objective,
    /// Whether no map is better.
    pub optimal: bool,
    /// The largest load of a link in any step, as the time that it takes, in microseconds.
    pub worst_link_us: Number,
    /// Bytes that leave their edge, times the hops that they take.
    pub crossing_bytes: Number,
}

/// Orders the ranks of a point.
///
/// # Errors
/// A point that cannot be built, a job that is not there, or hosts that cannot reach each other.
pub fn report(preparer: &Preparer<'_>, point: Point, options: &OrderOptions) -> Result<OrderReport, ConfigError> {
    let plan = preparer.plan();
    let resolved = plan.resolve(point)?;
    let locate = |error| plan.locate(&resolved, error);
    let subject = Subject::of(preparer, &resolved.experiment, options).map_err(locate)?;
    let fabric = &subject.network.fabric;
    let found = order(
        fabric,
        &subject.traffic,
        &subject.seats.ranks,
        subject.objective,
        resolved.experiment.seed,
    );
    subject.check(&found).map_err(locate)?;
    let mut sorted = subject.seats.ranks.clone();
    sorted.sort_unstable();
    let mut drawn = sorted.clone();
    drawn.shuffle(&mut stream(resolved.experiment.seed, "order", 1));
    let named = [
        ("as written", &subject.seats.ranks),
        ("in order", &sorted),
        ("random", &drawn),
        ("ordered", &found.hosts),
    ];
    let mut maps = subject.maps(&named);
    if options.verify {
        for index in [0, 3] {
            let row = simulate(preparer, point, &resolved, &subject, named[index].1)?;
            maps[index].cct_us = row.cct_us;
            maps[index].cct_over_bound = row.cct_over_bound;
        }
    }
    let file = RankMapFile {
        hosts: subject.local(&found.hosts),
        objective: subject.objective,
        optimal: found.optimal,
        worst_link_us: maps[3].worst_us,
        crossing_bytes: maps[3].crossing_bytes,
    };
    Ok(OrderReport { maps, file })
}

/// Whose ranks move, where, and what they send.
struct Subject {
    network: std::sync::Arc<Network>,
    /// The job, where there are several.
    job: Option<usize>,
    seats: Seats,
    traffic: Traffic,
    objective: Objective,
}

impl Subject {
    fn of(preparer: &Preparer<'_>, experiment: &Experiment, options: &OrderOptions) -> Result<Self, InputError> {
        experiment.check()?;
        let network = preparer.network(experiment)?;
        let job = job_of(experiment, options.job.as_deref())?;
        let files = preparer.plan().files();
        let mut all = experiment
            .demand()
            .seats(network.fabric.hosts(), files, experiment.seed)?;
        let seats = all.swap_remove(job.unwrap_or(0));
        let workload = workload_of(experiment, job)?;
        let overlaps = matches!(workload, Workload::Program(_) | Workload::Training(_));
        let objective = options.objective.unwrap_or(if overlaps {
            Objective::Bytes
        } else {
            Objective::Congestion
        });
        let ranks = seats.ranks.len() as u32;
        let traffic = match workload.ring(ranks) {
            Some((bytes, _)) => Traffic::ring(ranks, bytes.0 as f64),
            None => {
                let schedule = preparer.schedule(experiment, &network)?;
                let of = if overlaps { Traffic::of_all } else { Traffic::of_steps };
                of(&schedule, &seats.ranks)
            }
        };
        Ok(Self {
            network,
            job,
            seats,
            traffic,
            objective,
        })
    }

    /// Refuses hosts between which there is no path in any order.
    fn check(&self, found: &Ordered) -> Result<(), InputError> {
        if found.key.0.iter().all(|figure| figure.is_finite() && *figure < NO_WAY) {
            return Ok(());
        }
        Err(InputError::key(
            "faults",
            "whatever the order, ranks that send to each other live on hosts without a path between",
        )
        .help("take out a fault, or the hosts that it cuts off"))
    }

    fn maps(&self, named: &[(&'static str, &Vec<u32>)]) -> Vec<OrderedMap> {
        let fabric: &Fabric = &self.network.fabric;
        let hosts: Vec<&[u32]> = named.iter().map(|(_, hosts)| hosts.as_slice()).collect();
        let evaluated = evaluate_maps(fabric, &self.traffic, &hosts);
        let map = |(&(name, _), (loads, bytes)): (&(&'static str, &Vec<u32>), (Ordered, f64))| {
            let Key([worst, second, _]) = loads.key;
            OrderedMap {
                name,
                worst_us: Number::new(worst / 1e6),
                second_us: Number::new(second / 1e6),
                link: loads
                    .worst
                    .filter(|_| worst > 0.0)
                    .map_or(String::new(), |link| fabric.link_name(link)),
                crossing_bytes: Number::new(bytes),
                cct_us: None,
                cct_over_bound: None,
            }
        };
        named.iter().zip(evaluated).map(map).collect()
    }

    /// Hosts as the workload's rank map counts them.
    fn local(&self, hosts: &[u32]) -> Vec<u32> {
        let place = |host: &u32| self.seats.hosts.iter().position(|own| own == host).unwrap_or_default();
        if self.seats.hosts.iter().zip(0..).all(|(&host, place)| host == place) {
            return hosts.to_vec();
        }
        hosts.iter().map(|host| place(host) as u32).collect()
    }
}

/// Beyond all loads and distances with a path.
const NO_WAY: f64 = 1e24;

fn job_of(experiment: &Experiment, name: Option<&str>) -> Result<Option<usize>, InputError> {
    let names = || {
        let quoted = experiment.jobs.iter().map(|job| format!("`{}`", job.name));
        quoted.collect::<Vec<_>>().join(", ")
    };
    match (experiment.demand(), name) {
        (Demand::Whole(_), None) => Ok(None),
        (Demand::Whole(_), Some(_)) => {
            Err(InputError::key("workload", "--job: there is one workload, and no jobs").help("leave out --job"))
        }
        (Demand::Jobs(jobs), Some(name)) => match jobs.iter().position(|job| job.name == name) {
            Some(index) => Ok(Some(index)),
            None => Err(InputError::key("jobs", format!("--job: there is no job `{name}`"))
                .help(format!("there are {}", names()))),
        },
        (Demand::Jobs(_), None) => Err(InputError::key(
            "jobs",
            "there are several jobs, and the ranks of one are ordered at a time",
        )
        .help(format!("write --job with one of {}", names()))),
    }
}

fn workload_of(experiment: &Experiment, job: Option<usize>) -> Result<&Workload, InputError> {
    let workload = match job {
        Some(job) => Some(&experiment.jobs[job].workload),
        None => experiment.workload.as_ref(),
    };
    workload.ok_or_else(|| InputError::key("workload", "there is no workload").help("add one"))
}

/// The row of the experiment with another map.
fn simulate(
    preparer: &Preparer<'_>,
    point: Point,
    resolved: &Resolved,
    subject: &Subject,
    hosts: &[u32],
) -> Result<ResultRow, ConfigError> {
    let mut changed = resolved.clone();
    let map = RankMap::Hosts(subject.local(hosts));
    let experiment = &mut changed.experiment;
    let workload = match subject.job {
        Some(job) => Some(&mut experiment.jobs[job].workload),
        None => experiment.workload.as_mut(),
    };
    if let Some(workload) = workload {
        workload.set_rank_map(map);
    }
    let prepared = preparer.prepare(changed)?;
    Ok(runner::evaluate(preparer, point, prepared).simulate().row)
}
