//! The plan: every point of the sweep, validated before anything runs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::limits;
use super::memory::Memory;
use super::shelf::Shelf;
use super::spec::{Engine, Experiment};
use super::sweep::Sweep;
use super::usage::Usage;
use crate::config::{ConfigError, Draft, Entry, FileStore, Opened, Setting};
use crate::congestion::{self, Bounds, RouteSet};
use crate::ids::{LinkId, NodeId};
use crate::input::InputError;
use crate::placement::Placement;
use crate::topology::{Fabric, LinkChange, LinkEvent, resolve_faults};
use crate::workload::Schedule;

/// Part of every point's name: results of another model are not taken for this one's. It changes
/// whenever a change of the code changes a result.
pub const MODEL: &str = concat!(env!("CARGO_PKG_VERSION"), "+5");

/// Links, transfers and sub-flows that are kept for further points.
const FABRIC_ROOM: u64 = 4_000_000;
const SCHEDULE_ROOM: u64 = 8_000_000;
const PLACEMENT_ROOM: u64 = 8_000_000;
/// What the key of a thing takes, in the same units: without it, a million small ones would have room.
const KEY_ROOM: u64 = 100;
/// Bounds that are kept.
const BOUNDS_ROOM: u64 = 10_000;

/// Points that are validated between two looks at whether one is wrong.
const BATCH: usize = 4_096;

/// A fabric as it is at the start, and what changes later.
#[derive(Debug)]
pub struct Network {
    pub fabric: Fabric,
    pub events: Vec<LinkEvent>,
}

impl Network {
    /// The fabric with every link at the highest rate it ever has: what bounds must allow.
    pub fn at_best(&self) -> Cow<'_, Fabric> {
        let mut best: BTreeMap<LinkId, LinkChange> = BTreeMap::new();
        for LinkEvent { change, .. } in &self.events {
            if change.rate > self.fabric.link(change.link).rate {
                let highest = best.entry(change.link).or_insert(*change);
                highest.rate = highest.rate.max(change.rate);
            }
        }
        if best.is_empty() {
            return Cow::Borrowed(&self.fabric);
        }
        Cow::Owned(self.fabric.with(&best.into_values().collect::<Vec<_>>()))
    }

    /// Which routes bounds on that fabric must allow: any, if a fault opens one that it does not have.
    pub fn routes(&self) -> RouteSet {
        let best = self.at_best();
        let (mut now, mut states) = (self.fabric.clone(), vec![]);
        for LinkEvent { change, .. } in &self.events {
            let was_down = now.link(change.link).rate.is_zero();
            now = now.with(std::slice::from_ref(change));
            if was_down != change.rate.is_zero() {
                states.push(now.clone());
            }
        }
        if states.is_empty()
            || states
                .iter()
                .chain([&self.fabric])
                .all(|state| has_routes_of(&best, state))
        {
            RouteSet::EqualCost
        } else {
            RouteSet::Any
        }
    }
}

/// Whether every next link in one state of a fabric is one in another state too.
fn has_routes_of(all: &Fabric, some: &Fabric) -> bool {
    let nodes = || (0..some.nodes().len()).map(NodeId::from);
    let mut known = BTreeSet::new();
    for dst in (0..some.hosts()).map(NodeId) {
        if known.contains(&some.edge(dst)) {
            continue;
        }
        let hops = |node| (some.next_hops(node, dst), all.next_hops(node, dst));
        if nodes().any(|node| !hops(node).0.iter().all(|hop| hops(node).1.contains(hop))) {
            return false;
        }
        // One that can be reached stands for all behind its edge.
        if nodes().any(|node| !hops(node).0.is_empty()) {
            known.insert(some.edge(dst));
        }
    }
    true
}

/// What a point is simulated on.
#[derive(Debug, Clone)]
pub struct Scene {
    pub network: Arc<Network>,
    pub schedule: Arc<Schedule>,
    pub placement: Arc<Placement>,
}

/// One point of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    pub index: u32,
    pub seed: u64,
    /// Bytes of memory that it takes, about.
    pub memory: u64,
    hash: [u8; 16],
}

impl Point {
    /// Hash of the resolved configuration, the contents of the files it names, and the model.
    pub fn hash(&self) -> String {
        hexadecimal(&self.hash)
    }
}

fn hexadecimal(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The experiment at one point, every default filled in, as it was written and as it is meant.
#[derive(Debug)]
pub struct Resolved {
    pub tree: Entry,
    /// The files that its tables come from.
    pub opened: Opened,
    pub experiment: Experiment,
}

/// A validated experiment. Only [`Plan::load`] makes one.
#[derive(Debug)]
pub struct Plan {
    name: String,
    draft: Draft,
    sweep: Sweep,
    files: FileStore,
    points: Vec<Point>,
    usage: Usage,
    memory: Memory,
    networks: Shelf<Network, InputError>,
    schedules: Shelf<Schedule, InputError>,
    placements: Shelf<Placement, InputError>,
    bounds: Shelf<Bounds, InputError>,
    /// What schedules have to say, each once.
    doubts: Mutex<BTreeSet<String>>,
}

impl Plan {
    /// Reads an experiment file with what it refers to, and validates all its points.
    pub fn load(path: &Path, settings: &[Setting]) -> Result<Self, ConfigError> {
        Self::load_within(path, settings, FileStore::default(), Memory::free())
    }

    /// The same from these files, refused where a point takes more than this memory.
    pub fn load_within(
        path: &Path,
        settings: &[Setting],
        files: FileStore,
        memory: Memory,
    ) -> Result<Self, ConfigError> {
        let mut draft = Draft::load(path, settings, &files)?;
        let sweep = Sweep::read(draft.remove("sweep").as_ref())?;
        let mut plan = Self {
            name: String::new(),
            usage: Usage::of(&sweep),
            draft,
            sweep,
            files,
            points: Vec::new(),
            memory,
            networks: Shelf::new(FABRIC_ROOM),
            schedules: Shelf::new(SCHEDULE_ROOM),
            placements: Shelf::new(PLACEMENT_ROOM),
            bounds: Shelf::new(BOUNDS_ROOM),
            doubts: Mutex::default(),
        };
        plan.name = plan.checked_name()?;
        let total = plan.sweep.points();
        for start in (0..total).step_by(BATCH) {
            let batch: Vec<_> = (start..total.min(start + BATCH))
                .into_par_iter()
                .map(|index| plan.validate(index))
                .collect();
            for point in batch {
                plan.points.push(point?);
            }
        }
        plan.usage.check_sweep(&plan.sweep)?;
        Usage::check_names(&plan.draft, &plan.sweep)?;
        Ok(plan)
    }

    /// Refuses settings that the engine of no point looks at. `validate`, which runs both engines at every point, looks
    /// at all of them.
    ///
    /// # Errors
    /// A key of the experiment file, of the sweep or of `--set` without any effect.
    pub fn check_engine(&self) -> Result<(), ConfigError> {
        self.usage.check_engine(&self.draft, &self.sweep)
    }

    /// What is likely not meant, but can be run: a line each.
    pub fn warnings(&self) -> Vec<String> {
        let doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
        let repeated = self.sweep.repetitions();
        repeated.into_iter().chain(doubts.iter().cloned()).collect()
    }

    /// The keys that the engine of no point looks at.
    pub(super) fn ignored_keys(&self) -> &'static [&'static str] {
        self.usage.ignored().0
    }

    /// Name of the experiment: a folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The experiment file.
    pub fn file(&self) -> &Path {
        self.draft.file()
    }

    /// All points, in order.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The swept keys.
    pub fn sweep(&self) -> &Sweep {
        &self.sweep
    }

    /// The files that the experiment names.
    pub fn files(&self) -> &FileStore {
        &self.files
    }

    /// The experiment at a point.
    pub fn resolve(&self, point: Point) -> Result<Resolved, ConfigError> {
        self.resolve_index(point.index as usize)
    }

    /// An error of a lower room about a point's experiment.
    pub fn locate(&self, resolved: &Resolved, error: InputError) -> ConfigError {
        ConfigError::from_input(error, &resolved.tree, &self.files)
    }

    /// Refuses an experiment that cannot be simulated; else says how much memory it takes, about.
    pub(super) fn check(&self, experiment: &Experiment) -> Result<u64, InputError> {
        experiment
            .check()
            .and_then(|()| self.scene(experiment))
            .and_then(|scene| {
                experiment.check_scene(&scene)?;
                limits::check(self, experiment, &scene, self.memory)
            })
    }

    /// The hash that a point with this experiment has.
    pub(super) fn name_of(&self, experiment: &Experiment) -> String {
        hexadecimal(&self.hash_of(experiment))
    }

    /// What an experiment is simulated on.
    pub fn scene(&self, experiment: &Experiment) -> Result<Scene, InputError> {
        let network = self.network(experiment)?;
        let schedule = self.schedule(experiment, network.fabric.hosts())?;
        let placement = self.placement(experiment, &network, &schedule)?;
        Ok(Scene {
            network,
            schedule,
            placement,
        })
    }

    /// The fabric of an experiment.
    pub fn network(&self, experiment: &Experiment) -> Result<Arc<Network>, InputError> {
        self.networks.get(
            &key_of(&fabric_key(experiment)),
            |network| network.fabric.links().len() as u64 + KEY_ROOM,
            || {
                let drawing = experiment
                    .topology
                    .blueprint(&self.files)
                    .map_err(|error| error.under(&format!("topology.{}", experiment.topology.name())))?;
                let fabric = Fabric::compile(&drawing);
                let (changes, events) =
                    resolve_faults(&fabric, &experiment.faults).map_err(|error| error.under("faults"))?;
                let fabric = if changes.is_empty() {
                    fabric
                } else {
                    fabric.with(&changes)
                };
                Ok(Network { fabric, events })
            },
        )
    }

    /// The schedule of an experiment on a fabric with this many hosts.
    pub fn schedule(&self, experiment: &Experiment, hosts: u32) -> Result<Arc<Schedule>, InputError> {
        self.schedules.get(
            &key_of(&(workload_key(experiment), hosts)),
            |schedule| schedule.tasks().len() as u64 + KEY_ROOM,
            || {
                let schedule = experiment
                    .workload
                    .schedule_within(hosts, &self.files, experiment.seed, self.memory.room(experiment.engine))
                    .map_err(|error| error.under(&format!("workload.{}", experiment.workload.name())))?;
                let mut doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
                doubts.extend(schedule.warnings().iter().cloned());
                Ok(schedule)
            },
        )
    }

    fn placement(
        &self,
        experiment: &Experiment,
        network: &Network,
        schedule: &Schedule,
    ) -> Result<Arc<Placement>, InputError> {
        let scheme = &experiment.load_balancing;
        let key = key_of(&(fabric_key(experiment), workload_key(experiment), scheme));
        self.placements.get(
            &key,
            |placement| placement.pieces().len() as u64 + KEY_ROOM,
            || {
                let fabric = &network.fabric;
                let pairs = schedule.transfers().map(|(_, src, dst, _)| (NodeId(src), NodeId(dst)));
                fabric.check_reachable(pairs)?;
                scheme
                    .place(fabric, schedule, &self.files, experiment.seed)
                    .map_err(|error| error.under(&format!("load_balancing.{}", scheme.name())))
            },
        )
    }

    /// What no load balancing can beat on the fabric and for the schedule of an experiment.
    pub fn bounds(&self, experiment: &Experiment, scene: &Scene) -> Arc<Bounds> {
        let framing = experiment.framing();
        let key = format!(
            "{framing:?}{}",
            key_of(&(fabric_key(experiment), workload_key(experiment)))
        );
        let network = &scene.network;
        let make = || {
            let (best, routes) = (network.at_best(), network.routes());
            Ok(congestion::bounds_over(&best, routes, &scene.schedule, framing))
        };
        self.bounds.get(&key, |_| 1, make).expect("bounds do not fail")
    }

    fn resolve_index(&self, index: usize) -> Result<Resolved, ConfigError> {
        let mut draft = self.draft.clone();
        for (axis, value) in self.sweep.values(index) {
            draft.set(&axis.path, value.clone(), &self.files)?;
        }
        self.usage.note_values(&self.sweep, index, &draft, &self.files);
        let (tree, opened) = draft.finish(&self.files)?;
        let mut experiment: Experiment = tree.read()?;
        experiment.name.clone_from(&self.name);
        Ok(Resolved {
            tree,
            opened,
            experiment,
        })
    }

    fn checked_name(&self) -> Result<String, ConfigError> {
        let Some(entry) = self.draft.root().child("name") else {
            return Ok("experiment".into());
        };
        match entry.text() {
            Some(name) if !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']) => {
                Ok(name.to_owned())
            }
            _ => Err(ConfigError::new("name: it cannot be the name of a folder")
                .help("write a text in quotes without `/`, `\\` and a leading dot")
                .at_value(entry)),
        }
    }

    fn validate(&self, index: usize) -> Result<Point, ConfigError> {
        let resolved = self.resolve_index(index)?;
        let experiment = &resolved.experiment;
        self.usage.note_engine(experiment.engine);
        let memory = self.check(experiment).map_err(|error| self.locate(&resolved, error))?;
        Ok(Point {
            index: index as u32,
            seed: experiment.seed,
            memory,
            hash: self.hash_of(experiment),
        })
    }

    /// Whatever cannot change the result is left out: names, and the options of the other engine.
    fn hash_of(&self, experiment: &Experiment) -> [u8; 16] {
        let mut value = serde_json::to_value(experiment).unwrap_or_default();
        if let Some(table) = value.as_object_mut() {
            table.remove("name");
            let unused: &[&str] = match experiment.engine {
                Engine::Flow => &["transport", "packet", "switch"],
                Engine::Packet => &["flow"],
            };
            for key in unused {
                table.remove(*key);
            }
        }
        self.replace_files(&mut value);
        let text = format!("{MODEL}\n{value}");
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
        hash
    }

    /// Puts the hash of its content in the place of every file's name.
    fn replace_files(&self, value: &mut Value) {
        match value {
            Value::Object(table) => {
                for (key, inner) in table {
                    match inner {
                        Value::String(name) if key == "file" => {
                            if let Ok(source) = self.files.read(Path::new(name)) {
                                *inner = blake3::hash(source.text.as_bytes()).to_hex().as_str().into();
                            }
                        }
                        inner => self.replace_files(inner),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|inner| self.replace_files(inner)),
            _ => {}
        }
    }
}

fn fabric_key(experiment: &Experiment) -> impl Serialize {
    (&experiment.topology, &experiment.faults)
}

fn workload_key(experiment: &Experiment) -> impl Serialize {
    (&experiment.workload, experiment.seed)
}

fn key_of(spec: &impl Serialize) -> String {
    serde_json::to_string(spec).expect("specs are plain data")
}
