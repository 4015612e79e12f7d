//! What `fuzz/` and the property test on mutated files call: each function takes the bytes of a file as someone might
//! have it, and goes as far with it as a run would. None panics, runs for long or takes much memory, whatever the
//! bytes are.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use crate::config::{ConfigDraft, FileStore};
use crate::experiment::{Engine, Experiment, Instance, Memory, Plan, Preparer, Sweep};
use crate::flow_engine::{self, FlowOptions};
use crate::input::{Files, InputError};
use crate::outcome::Observe;
use crate::packet_engine::{self, Continue};
use crate::placement::{LoadBalancing, PlanFile};
use crate::topology::{Cable, Fabric, LeafSpine, Topology};
use crate::units::{Rate, Time};
use crate::workload::{Room, Schedule, Transfer, Workload};

/// Longer inputs only repeat what shorter ones say.
const MOST_BYTES: usize = 1 << 16;
/// What is larger is validated, but not simulated.
const MOST_POINTS: usize = 8;
const MOST_LINKS: u64 = 2_000;
const MOST_TASKS: usize = 1_000;
const MOST_PACKETS: u64 = 4_000;
const MEMORY: u64 = 4_000_000;

/// An input under the only name that there is.
struct Input<'a>(&'a str);

impl Files for Input<'_> {
    fn read(&self, name: &str) -> Result<String, InputError> {
        match name {
            "input" => Ok(self.0.to_owned()),
            _ => Err(InputError::file(name, "there is no such file")),
        }
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    let short = Some(bytes).filter(|bytes| bytes.len() <= MOST_BYTES)?;
    std::str::from_utf8(short).ok()
}

/// A `.cm` file.
pub fn connection_matrix(bytes: &[u8]) {
    traffic("connection-matrix", bytes);
}

/// A CSV file of flows.
pub fn flows(bytes: &[u8]) {
    traffic("flows", bytes);
}

/// A trace of another tool, read as each of them in turn.
pub fn trace(bytes: &[u8]) {
    if bytes.len() > MOST_BYTES {
        return;
    }
    for table in [
        serde_json::json!({ "goal": { "file": "input" } }),
        serde_json::json!({ "chakra": { "prefix": "input" } }),
        serde_json::json!({ "msccl": { "file": "input", "size": "64KiB" } }),
        serde_json::json!({ "simai": { "file": "input" } }),
        serde_json::json!({ "inspector": { "file": "input" } }),
    ] {
        simulate_workload(table, &Bytes(bytes));
    }
}

/// An input that need be no text, under every name that a trace may have.
struct Bytes<'a>(&'a [u8]);

impl Files for Bytes<'_> {
    fn read(&self, name: &str) -> Result<String, InputError> {
        let text = std::str::from_utf8(self.0).map_err(|_| InputError::file(name, "it is not UTF-8 text"))?;
        Ok(text.to_owned())
    }

    fn open(&self, name: &str) -> Result<Box<dyn Read>, InputError> {
        match name {
            "input" | "input.0.et" | "input.1.et" => Ok(Box::new(Cursor::new(self.0.to_vec()))),
            _ => Err(InputError::file(name, "there is no such file")),
        }
    }
}

fn traffic(kind: &str, bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    simulate_workload(serde_json::json!({ kind: { "file": "input" } }), &Input(text));
}

fn simulate_workload(table: serde_json::Value, files: &dyn Files) {
    let Ok(workload) = serde_json::from_value::<Workload>(table) else {
        return;
    };
    let fabric = small_fabric();
    let room = Room {
        free: MEMORY,
        task: 300,
        dependency: 30,
        active: 0,
    };
    let Ok(schedule) = workload.schedule_within(fabric.hosts(), files, 1, room) else {
        return;
    };
    schedule.never_start();
    drain(&fabric, &schedule, files);
}

/// Simulates a schedule as fluid, as far as it is small.
fn drain(fabric: &Fabric, schedule: &Schedule, files: &dyn Files) {
    let Ok(scheme) = serde_json::from_value::<LoadBalancing>(serde_json::json!({ "ecmp": {} })) else {
        return;
    };
    if schedule.tasks().len() > MOST_TASKS {
        return;
    }
    if let Ok(placement) = scheme.place(fabric, schedule, files, 1) {
        let observe = Observe::default();
        // Flows that do not finish are told of, not a fault.
        let _ = flow_engine::simulate(fabric, schedule, &placement, &FlowOptions::default(), &observe);
    }
}

/// Four leaves of eight hosts, two spines.
fn small_fabric() -> Fabric {
    let link = Cable {
        rate: Rate::from_gbps(100),
        delay: Time::from_ns(500),
    };
    let drawing = LeafSpine::uniform(4, 2, 8, link).blueprint();
    Fabric::compile(&drawing.expect("it has hosts and links"))
}

/// A `.topo` file.
pub fn topo(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let topology = serde_json::from_value(serde_json::json!({ "htsim": { "file": "input" } }));
    let Ok(topology): Result<Topology, _> = topology else {
        return;
    };
    if let Ok(drawing) = topology.blueprint(&Input(text))
        && drawing.graph.edge_count() as u64 <= MOST_LINKS
    {
        Fabric::compile(&drawing);
    }
}

/// A plan.json for a small all-to-all.
pub fn plan_file(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let Ok(plan) = PlanFile::parse("input", text) else {
        return;
    };
    let workload = serde_json::json!({ "all-to-all": { "message": "64KB", "ranks": 4 } });
    let Ok(workload): Result<Workload, _> = serde_json::from_value(workload) else {
        return;
    };
    let fabric = small_fabric();
    if let Ok(schedule) = workload.schedule(fabric.hosts(), &Input(text), 1)
        && let Ok(placement) = plan.placement("input", &fabric, &schedule)
    {
        let observe = Observe::default();
        let _ = flow_engine::simulate(&fabric, &schedule, &placement, &FlowOptions::default(), &observe);
    }
}

/// An experiment file that names no others.
pub fn experiment(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let path = Path::new("/input/experiment.toml");
    let files = || FileStore::of_texts([(PathBuf::from(path), text.to_owned())]);
    if !is_small(path, &files()) {
        return;
    }
    let Ok(plan) = Plan::parse_among(path, &[], files()) else {
        return;
    };
    let preparer = Preparer::new(&plan, Memory(MEMORY));
    for point in plan.points() {
        if let Ok(prepared) = point.prepare(&preparer) {
            simulate(&prepared.resolved.experiment, &prepared.instance);
        }
    }
}

/// Whether all points of an experiment can be validated in no time.
fn is_small(path: &Path, files: &FileStore) -> bool {
    let Ok(mut draft) = ConfigDraft::load(path, &[], files) else {
        return false;
    };
    let Ok(sweep) = Sweep::read(draft.remove("sweep").as_ref()) else {
        return false;
    };
    sweep.points() <= MOST_POINTS
        && (0..sweep.points()).all(|index| {
            let mut draft = draft.clone();
            let set = sweep
                .values(index)
                .into_iter()
                .try_for_each(|(axis, value)| draft.set(&axis.path, value.clone(), files));
            let read = set.and_then(|()| draft.finish(files)).and_then(|(tree, _)| tree.read());
            read.is_ok_and(|experiment: Experiment| links(&experiment.topology) <= MOST_LINKS)
        })
}

/// Links of a fabric, about; those with files have none.
fn links(topology: &Topology) -> u64 {
    let product = |counts: &[u32]| counts.iter().fold(1_u64, |all, &n| all.saturating_mul(n.into()));
    let sum = |parts: &[u64]| parts.iter().fold(0_u64, |all, &n| all.saturating_add(n));
    match topology {
        Topology::LeafSpine(spec) => sum(&[
            product(&[spec.leaves, spec.hosts_per_leaf]),
            product(&[spec.leaves, spec.spines, spec.parallel]),
        ]),
        Topology::FatTree(spec) => sum(&[
            product(&[spec.pods, spec.tors_per_pod, spec.hosts_per_tor]),
            product(&[spec.pods, spec.tors_per_pod, spec.aggs_per_pod, spec.tor_parallel]),
            product(&[spec.pods, spec.cores, spec.core_parallel]),
        ]),
        Topology::Rail(spec) => sum(&[
            product(&[spec.servers, spec.gpus, 2]),
            product(&[spec.servers, spec.gpus, spec.spines, spec.parallel]),
            product(&[spec.gpus, spec.spines, spec.cores]),
        ]),
        Topology::Dragonfly(spec) => sum(&[
            product(&[spec.groups, spec.routers_per_group, spec.hosts_per_router]),
            product(&[
                spec.groups,
                spec.routers_per_group,
                spec.routers_per_group,
                spec.parallel,
            ]),
            product(&[spec.groups, spec.routers_per_group, spec.global_links]),
        ]),
        Topology::MultiPlane(spec) => match &*spec.plane {
            Topology::MultiPlane(_) => 0,
            plane => links(plane).saturating_mul(spec.planes.into()),
        },
        Topology::Graph(spec) => spec.links.len() as u64,
        _ => 0,
    }
}

fn simulate(experiment: &Experiment, instance: &Instance) {
    let tasks = instance.schedule.tasks().len();
    let payload = experiment.packet.payload.0.max(1);
    let packets = instance
        .schedule
        .transfers()
        .map(|Transfer { bytes, .. }| bytes.div_ceil(payload));
    let packets = packets.fold(0, u64::saturating_add);
    if tasks > MOST_TASKS || packets > MOST_PACKETS {
        return;
    }
    match experiment.engine {
        Engine::Flow => {
            let fabric = &instance.network.fabric;
            let observe = experiment.output.observe();
            let _ = flow_engine::simulate(
                fabric,
                &instance.schedule,
                &instance.placement,
                &experiment.flow,
                &observe,
            );
        }
        Engine::Packet => {
            let _ = packet_engine::simulate_watched(&instance.packet_setup(experiment), &mut |_| Continue::No);
        }
    }
}
