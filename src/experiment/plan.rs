//! The plan: every point of the sweep, validated before anything runs.

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::config::{ConfigError, Draft, Entry, FileStore, Setting};
use super::shelf::Shelf;
use super::spec::{Engine, Experiment};
use super::sweep::Sweep;
use crate::ids::NodeId;
use crate::input::InputError;
use crate::topology::{Fabric, LinkEvent, resolve_faults};
use crate::workload::Schedule;

/// Part of every point's name: results of another model are not taken for this one's. It changes
/// whenever a change of the code changes a result.
pub const MODEL: &str = concat!(env!("CARGO_PKG_VERSION"), "+1");

/// Links and transfers that are kept for further points.
const FABRIC_ROOM: u64 = 4_000_000;
const SCHEDULE_ROOM: u64 = 8_000_000;

/// Points that are validated between two looks at whether one is wrong.
const BATCH: usize = 4_096;

/// A fabric as it is at the start, and what changes later.
#[derive(Debug)]
pub struct Network {
    pub fabric: Fabric,
    pub events: Vec<LinkEvent>,
}

/// One point of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    pub index: u32,
    hash: [u8; 16],
}

impl Point {
    /// Hash of the resolved configuration, the contents of the files it names, and the model.
    pub fn hash(&self) -> String {
        self.hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A validated experiment. Only [`Plan::load`] makes one.
#[derive(Debug)]
pub struct Plan {
    name: String,
    draft: Draft,
    sweep: Sweep,
    files: FileStore,
    points: Vec<Point>,
    networks: Shelf<Network, InputError>,
    schedules: Shelf<Schedule, InputError>,
    /// Pairs of fabric and schedule in which every transfer has a path.
    connected: Shelf<(), InputError>,
}

impl Plan {
    /// Reads an experiment file with what it refers to, and validates all its points.
    pub fn load(path: &Path, settings: &[Setting]) -> Result<Self, ConfigError> {
        let files = FileStore::default();
        let mut draft = Draft::load(path, settings, &files)?;
        let sweep = Sweep::read(draft.remove("sweep").as_ref())?;
        let mut plan = Self {
            name: String::new(),
            draft,
            sweep,
            files,
            points: Vec::new(),
            networks: Shelf::new(FABRIC_ROOM),
            schedules: Shelf::new(SCHEDULE_ROOM),
            connected: Shelf::new(u64::MAX),
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
        Ok(plan)
    }

    /// Name of the experiment: a folder.
    pub fn name(&self) -> &str {
        &self.name
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

    /// The experiment at a point, every default filled in.
    pub fn experiment(&self, point: Point) -> Result<Experiment, ConfigError> {
        self.tree(point.index as usize)?.read()
    }

    /// The fabric of an experiment.
    pub fn network(&self, experiment: &Experiment) -> Result<Arc<Network>, InputError> {
        self.networks.get(
            &key_of(&(&experiment.topology, &experiment.faults)),
            |network| network.fabric.links().len() as u64,
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
            &key_of(&(&experiment.workload, hosts, experiment.seed)),
            |schedule| schedule.tasks().len() as u64,
            || {
                experiment
                    .workload
                    .schedule(hosts, &self.files, experiment.seed)
                    .map_err(|error| error.under(&format!("workload.{}", experiment.workload.name())))
            },
        )
    }

    fn tree(&self, index: usize) -> Result<Entry, ConfigError> {
        let mut draft = self.draft.clone();
        for (axis, value) in self.sweep.values(index) {
            draft.set(&axis.path, value.clone(), &self.files)?;
        }
        draft.finish(&self.files)
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
        let tree = self.tree(index)?;
        let experiment: Experiment = tree.read()?;
        self.check(&experiment)
            .map_err(|error| ConfigError::from_input(error, &tree, &self.files))?;
        Ok(Point {
            index: index as u32,
            hash: self.hash_of(&experiment),
        })
    }

    /// All that one point needs: it can be built, and its parts fit together.
    fn check(&self, experiment: &Experiment) -> Result<(), InputError> {
        let network = self.network(experiment)?;
        let schedule = self.schedule(experiment, network.fabric.hosts())?;
        self.check_paths(experiment, &network, &schedule)
    }

    fn check_paths(&self, experiment: &Experiment, network: &Network, schedule: &Schedule) -> Result<(), InputError> {
        let hosts = network.fabric.hosts();
        let key = key_of(&(
            &experiment.topology,
            &experiment.faults,
            &experiment.workload,
            hosts,
            experiment.seed,
        ));
        let check = || {
            let fabric = &network.fabric;
            let cut_off = schedule
                .transfers()
                .find(|&(_, src, dst, _)| fabric.path_count(NodeId(src), NodeId(dst)) == 0);
            let Some((_, src, dst, _)) = cut_off else {
                return Ok(());
            };
            let (from, to) = (&fabric.node(NodeId(src)).name, &fabric.node(NodeId(dst)).name);
            let place = if experiment.faults.is_empty() {
                "topology"
            } else {
                "faults"
            };
            Err(InputError::key(
                place,
                format!("{from} cannot reach {to}, but the workload sends from one to the other"),
            )
            .help("no path of the fabric joins them: keep a link up, or leave them out of the workload"))
        };
        self.connected.get(&key, |()| 0, check).map(|_| ())
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

fn key_of(spec: &impl Serialize) -> String {
    serde_json::to_string(spec).expect("specs are plain data")
}
