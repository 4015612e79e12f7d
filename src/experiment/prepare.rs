//! What is expensive: the fabric, the schedule and the placement of a point, built when its turn comes and shared by
//! all points that have the same.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cpu_time::ThreadTime;
use serde::Serialize;

use super::equal_steps;
use super::instance::{Instance, Network};
use super::limits;
use super::lru_cache::LruCache;
use super::memory::Memory;
use super::plan::{Plan, Point, Resolved};
use super::spec::{Engine, Experiment};
use crate::allocation;
use crate::config::ConfigError;
use crate::congestion::{self, Bounds};
use crate::input::InputError;
use crate::placement::Placement;
use crate::topology::{Fabric, resolve_faults};
use crate::workload::{Hosts, MAX_TASKS, Schedule, Transfer};

/// Bytes of what is kept for further points; of schedules and placements more where memory allows.
const FABRIC_CAPACITY: u64 = 400_000_000;
const SCHEDULE_CAPACITY: u64 = 400_000_000;
const PLACEMENT_CAPACITY: u64 = 160_000_000;
/// Part of the memory that schedules, or placements, may take while nobody uses them, and how many times as much as least at most.
const KEPT_PART: u64 = 16;
const MOST_TIMES: u64 = 10;
/// What the key of a value takes: without it, a million small ones would fit.
const KEY_WEIGHT: u64 = 2_000;
/// What a link takes with its share of names and tables.
const LINK_BYTES: u64 = 100;
/// Bounds that are kept.
const BOUNDS_CAPACITY: u64 = 10_000;

/// Prepares the points of a plan.
#[derive(Debug)]
pub struct Preparer<'a> {
    plan: &'a Plan,
    memory: Memory,
    networks: LruCache<Network, InputError>,
    schedules: LruCache<Schedule, InputError>,
    placements: LruCache<(Arc<Placement>, Duration), InputError>,
    bounds: LruCache<Bounds, InputError>,
    warnings: Mutex<Warnings>,
}

/// What schedules have to say, each once.
#[derive(Debug, Default)]
struct Warnings {
    known: BTreeSet<String>,
    new: BTreeSet<String>,
}

/// A point that can be simulated: everything that can be wrong with it has been looked at.
#[derive(Debug)]
pub struct Prepared {
    /// What the point resolves to.
    pub resolved: Resolved,
    /// What it is simulated on.
    pub instance: Instance,
    /// The same for each job alone, where that is asked for.
    pub alone: Vec<Instance>,
    /// Bytes of memory that its simulation takes, about.
    pub memory: u64,
}

impl Prepared {
    /// Bytes of its schedule and its placement, which are kept for further points.
    pub fn kept(&self) -> u64 {
        let (schedule, placement) = (&self.instance.schedule, &self.instance.placement);
        schedule_bytes(schedule) + placement_bytes(schedule, placement)
    }
}

impl Point {
    /// Builds what this point of a plan is simulated on.
    ///
    /// # Errors
    /// What only building it shows: pairs that cannot reach each other, a workload that does not fit the fabric, options
    /// that need another fabric, and more time, samples or memory than there are.
    pub fn prepare(self, preparer: &Preparer<'_>) -> Result<Prepared, ConfigError> {
        allocation::begin(self.index);
        preparer.prepare(preparer.plan.resolve(self)?)
    }
}

impl Point {
    /// The same for a run: a ring of very many equal steps need not be written down for it, where its steps are known to take
    /// what the first tells.
    ///
    /// # Errors
    /// As [`Point::prepare`].
    pub fn prepare_run(self, preparer: &Preparer<'_>) -> Result<Prepared, ConfigError> {
        allocation::begin(self.index);
        let resolved = preparer.plan.resolve(self)?;
        match preparer.stream(&resolved.experiment) {
            Ok(Ok((instance, memory))) => Ok(Prepared {
                resolved,
                instance,
                alone: Vec::new(),
                memory,
            }),
            Ok(Err(remedy)) => preparer.prepare_or(resolved, remedy),
            Err(error) => Err(preparer.plan.locate(&resolved, error)),
        }
    }
}

impl<'a> Preparer<'a> {
    /// Prepares the points of a plan, but none that takes more than this memory.
    pub fn new(plan: &'a Plan, memory: Memory) -> Self {
        Self {
            plan,
            memory,
            networks: LruCache::new(FABRIC_CAPACITY),
            schedules: LruCache::new(capacity(SCHEDULE_CAPACITY, memory)),
            placements: LruCache::new(capacity(PLACEMENT_CAPACITY, memory)),
            bounds: LruCache::new(BOUNDS_CAPACITY),
            warnings: Mutex::default(),
        }
    }

    /// The plan.
    pub fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// Bytes of the fabrics, schedules and placements that are kept for further points.
    pub fn kept(&self) -> u64 {
        self.networks.weight() + self.schedules.weight() + self.placements.weight()
    }

    /// What schedules that were built since this was last asked have to say and none before had: a line each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let new = std::mem::take(&mut warnings.new);
        warnings.known.extend(new.iter().cloned());
        new.into_iter().collect()
    }

    /// [`Point::prepare`] for what a point resolves to, which may have been changed.
    ///
    /// # Errors
    /// As [`Point::prepare`].
    pub fn prepare(&self, resolved: Resolved) -> Result<Prepared, ConfigError> {
        self.prepare_or(resolved, None)
    }

    /// The same; what cannot be is told with a remedy, where there is one.
    fn prepare_or(&self, resolved: Resolved, remedy: Option<&str>) -> Result<Prepared, ConfigError> {
        let experiment = &resolved.experiment;
        let built = self.build(experiment).and_then(|(instance, memory)| {
            let alone = self.alone(experiment, &instance)?;
            Ok((instance, alone, memory))
        });
        match built {
            Ok((instance, alone, memory)) => Ok(Prepared {
                resolved,
                instance,
                alone,
                memory,
            }),
            Err(mut error) => {
                if let Some(remedy) = remedy {
                    error.help = format!("{}; {remedy}", error.help);
                }
                Err(self.plan.locate(&resolved, error))
            }
        }
    }

    /// The first step of a ring of very many equal ones, which stands for all of them, and the memory that its run takes; where it
    /// does not, what would let it, if the ring is too large otherwise.
    fn stream(&self, experiment: &Experiment) -> Result<Result<(Instance, u64), Option<&'static str>>, InputError> {
        if experiment.engine != Engine::Flow {
            return Ok(Err(None));
        }
        experiment.check()?;
        let network = self.network(experiment)?;
        let (hosts, few) = (hosts_of(&network), equal_steps::FEW);
        let demand = experiment.demand();
        let Some(steps) = demand.equal_steps(hosts, self.plan.files(), experiment.seed, few)? else {
            return Ok(Err(self.uneven(experiment, hosts)));
        };
        let too_many = steps.transfers() > MAX_TASKS;
        if let Some(remedy) = equal_steps::needs_all(experiment) {
            return Ok(Err(Some(remedy).filter(|_| too_many)));
        }
        let place = |first: &Schedule| self.place_and_time(experiment, &network, first);
        let built = equal_steps::build(experiment, Arc::clone(&network), steps, place, self.memory)?;
        let Some((instance, memory)) = built else {
            return Ok(Err(Some(equal_steps::HELD_UP).filter(|_| too_many)));
        };
        let (scheme, placement) = (&experiment.load_balancing, &instance.placement);
        let idle = scheme.idle_ports(&network.fabric, &instance.schedule, placement);
        self.warn(idle.as_slice());
        Ok(Ok((instance, memory)))
    }

    /// What would help a ring that is too large because its pieces differ.
    fn uneven(&self, experiment: &Experiment, hosts: Hosts) -> Option<&'static str> {
        let workload = experiment.workload.as_ref()?;
        let ranks = workload.ranks(hosts.count, self.plan.files()).ok()?;
        let (_, steps) = (ranks >= 2).then(|| workload.ring(ranks))??;
        let uneven = !workload.size()?.0.is_multiple_of(u64::from(ranks));
        let too_many = u64::from(ranks) * u64::from(steps) > MAX_TASKS;
        (uneven && too_many).then_some(equal_steps::UNEVEN)
    }

    /// What an experiment is simulated on, and the memory that takes.
    ///
    /// # Errors
    /// As [`Point::prepare`], before it is known where in the file they are.
    pub fn build(&self, experiment: &Experiment) -> Result<(Instance, u64), InputError> {
        experiment.check()?;
        let network = self.network(experiment)?;
        let schedule = self.schedule(experiment, &network)?;
        let placed = self.placement(experiment, &network, &schedule)?;
        let instance = Instance {
            network,
            schedule,
            equal_steps: None,
            placement: Arc::clone(&placed.0),
            placed_in: placed.1,
        };
        instance.check(experiment)?;
        let memory = limits::check(experiment, &instance, self.memory, || {
            self.bounds(experiment, &instance)
        })?;
        Ok((instance, memory))
    }

    /// Each job alone: placed as if there were no other.
    fn alone(&self, experiment: &Experiment, instance: &Instance) -> Result<Vec<Instance>, InputError> {
        let jobs = if experiment.output.alone {
            experiment.jobs.len()
        } else {
            0
        };
        let instance = |job: usize| {
            let schedule = Arc::new(instance.schedule.only(job));
            let (placement, placed_in) = self.place_and_time(experiment, &instance.network, &schedule)?;
            Ok(Instance {
                network: Arc::clone(&instance.network),
                placement,
                placed_in,
                schedule,
                equal_steps: None,
            })
        };
        (0..jobs).map(instance).collect()
    }

    /// The placement of another schedule than the experiment's on its fabric.
    ///
    /// # Errors
    /// As [`LoadBalancing::place`](crate::placement::LoadBalancing::place).
    pub fn place(
        &self,
        experiment: &Experiment,
        network: &Network,
        schedule: &Schedule,
    ) -> Result<Placement, InputError> {
        let (scheme, fabric) = (&experiment.load_balancing, &network.fabric);
        scheme
            .place(fabric, schedule, self.plan.files(), experiment.seed)
            .map_err(|error| error.under(&format!("load_balancing.{}", scheme.name())))
    }

    /// A placement, and the time of this thread's processor that it takes.
    fn place_and_time(
        &self,
        experiment: &Experiment,
        network: &Network,
        schedule: &Schedule,
    ) -> Result<(Arc<Placement>, Duration), InputError> {
        let begun = ThreadTime::now();
        let placement = self.place(experiment, network, schedule)?;
        Ok((Arc::new(placement), begun.elapsed()))
    }

    /// What no load balancing can beat on the fabric and for the schedule of an experiment.
    pub fn bounds(&self, experiment: &Experiment, instance: &Instance) -> Arc<Bounds> {
        if let Some(run) = &instance.equal_steps {
            return Arc::clone(&run.bounds);
        }
        let framing = experiment.framing();
        let key = format!(
            "{framing:?}{}",
            key_of(&(fabric_key(experiment), workload_key(experiment)))
        );
        let network = &instance.network;
        let make = || {
            let (best, routes) = (network.at_best(), network.routes());
            Ok(congestion::bounds_over(&best, routes, &instance.schedule, framing))
        };
        self.bounds.get(&key, |_| 1, make).expect("bounds do not fail")
    }

    /// The fabric of an experiment.
    ///
    /// # Errors
    /// A topology that cannot be built, or faults of links that are not there.
    pub fn network(&self, experiment: &Experiment) -> Result<Arc<Network>, InputError> {
        self.networks.get(
            &key_of(&fabric_key(experiment)),
            |network| network.fabric.links().len() as u64 * LINK_BYTES + KEY_WEIGHT,
            || {
                let drawing = experiment
                    .topology
                    .blueprint(self.plan.files())
                    .map_err(|error| error.under(&format!("topology.{}", experiment.topology.name())))?;
                let fabric = Fabric::compile(&drawing);
                let plan = resolve_faults(&fabric, &experiment.faults).map_err(|error| error.under("faults"))?;
                let mut fabric = fabric;
                if !plan.changes.is_empty() {
                    fabric = fabric.with(&plan.changes);
                }
                if !plan.losses.is_empty() {
                    fabric = fabric.with_losses(&plan.losses);
                }
                let events = plan.events;
                Ok(Network { fabric, events })
            },
        )
    }

    /// The schedule of an experiment on its fabric.
    ///
    /// # Errors
    /// A workload that does not fit the fabric or the memory.
    pub fn schedule(&self, experiment: &Experiment, network: &Network) -> Result<Arc<Schedule>, InputError> {
        let hosts = hosts_of(network);
        self.schedules.get(
            &key_of(&(workload_key(experiment), hosts.count, hosts.per_server)),
            |schedule| schedule_bytes(schedule) + KEY_WEIGHT,
            || {
                let room = self.memory.room(experiment.engine);
                let schedule = experiment
                    .demand()
                    .schedule_within(hosts, self.plan.files(), experiment.seed, room)?;
                self.warn(schedule.warnings());
                Ok(schedule)
            },
        )
    }

    fn warn(&self, texts: &[String]) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for text in texts {
            if !warnings.known.contains(text) {
                warnings.new.insert(text.clone());
            }
        }
    }

    fn placement(
        &self,
        experiment: &Experiment,
        network: &Network,
        schedule: &Schedule,
    ) -> Result<Arc<(Arc<Placement>, Duration)>, InputError> {
        let scheme = &experiment.load_balancing;
        let key = key_of(&(fabric_key(experiment), experiment.demand(), experiment.seed, scheme));
        self.placements.get(
            &key,
            |placed| placement_bytes(schedule, &placed.0) + KEY_WEIGHT,
            || {
                let fabric = &network.fabric;
                // No scheme places what no path joins; which links are missing is told where the fabric is known.
                let told = |error| {
                    let pairs = schedule
                        .transfers()
                        .map(|Transfer { src, dst, .. }| (src.node(), dst.node()));
                    fabric.check_reachable(pairs).err().unwrap_or(error)
                };
                let placed = self.place_and_time(experiment, network, schedule).map_err(told)?;
                self.warn(scheme.idle_ports(fabric, schedule, &placed.0).as_slice());
                Ok(placed)
            },
        )
    }
}

/// What a cache may hold, in bytes.
fn capacity(least: u64, memory: Memory) -> u64 {
    (memory.0 / KEPT_PART).clamp(least, MOST_TIMES * least)
}

fn hosts_of(network: &Network) -> Hosts {
    Hosts {
        count: network.fabric.hosts(),
        per_server: network.fabric.hosts_per_server(),
    }
}

fn schedule_bytes(schedule: &Schedule) -> u64 {
    // What it does; its step and connection, where its list of successors begins, and the number of predecessors.
    let task = if schedule.dependencies() == 0 { 16 } else { 32 };
    schedule.tasks().len() as u64 * task + schedule.dependencies() as u64 * 8
}

fn placement_bytes(schedule: &Schedule, placement: &Placement) -> u64 {
    (size_of_val(placement.subflows()) + schedule.tasks().len() * size_of::<u32>()) as u64
}

fn fabric_key(experiment: &Experiment) -> impl Serialize {
    (&experiment.topology, &experiment.faults)
}

/// Seeds share a schedule that none of them draws.
fn workload_key(experiment: &Experiment) -> impl Serialize {
    let demand = experiment.demand();
    (demand, demand.is_drawn().then_some(experiment.seed))
}

fn key_of(spec: &impl Serialize) -> String {
    serde_json::to_string(spec).expect("specs are plain data")
}
