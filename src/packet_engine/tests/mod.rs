//! Whole runs of the engine, held against closed forms and laws.

mod closed_forms;
mod collectives;
mod dynamics;
mod fast_forward;
mod faults;
mod gray_links;
mod laws;
mod line_rate;
mod marking;
mod observed;
mod parallel;
mod pauses;
mod planes;
mod receivers;
mod recovery;
mod spreading;
mod unacknowledged;
mod watching;

use super::engine::Engine;
use super::queue::{EventQueue, Heap, Wheel};
use super::*;
use crate::ids::NodeId;
use crate::input::NoFiles;
use crate::outcome::Observe;
use crate::placement::LoadBalancing;
use crate::topology::{Fabric, LinkEvent, Topology};
use crate::units::{Bytes, Time};
use crate::workload::{Schedule, ScheduleBuilder, Transfer};

const UDP: &str = r#"{"udp": {}}"#;

/// Every transport, and some in two forms.
const TRANSPORTS: [&str; 12] = [
    r#"{"ideal": {}}"#,
    r#"{"ideal": {"window": 16, "paced": true}}"#,
    r#"{"dctcp": {}}"#,
    r#"{"dctcp": {"control": "rate"}}"#,
    r#"{"dcqcn": {}}"#,
    r#"{"swift": {"base_target": "5us"}}"#,
    r#"{"nscc": {}}"#,
    r#"{"eqds": {}}"#,
    UDP,
    r#"{"eqds": {"mode": "rccc"}}"#,
    r#"{"eqds": {"mode": "rccc", "initial_window": 1.5, "nscc": {}}}"#,
    r#"{"hpcc": {}}"#,
];

/// Every way to choose paths.
const SCHEMES: [&str; 15] = [
    r#"{"ecmp": {}}"#,
    r#"{"ecmp-split": {"ways": 3}}"#,
    r#"{"spray": {"choose": "random"}}"#,
    r#"{"spray": {"choose": "round-robin"}}"#,
    r#"{"spray": {"choose": "permuted"}}"#,
    r#"{"weighted-spray": {}}"#,
    r#"{"reps": {}}"#,
    r#"{"reps": {"variant": "artifact"}}"#,
    r#"{"mrc": {}}"#,
    r#"{"bitmap": {}}"#,
    r#"{"adaptive": {"quantise": ["20KB"]}}"#,
    r#"{"flowlet": {}}"#,
    r#"{"plb": {"rounds": 2}}"#,
    r#"{"learned": {"iterations": 3}}"#,
    r#"{"ethereal": {}}"#,
];

/// A run by its parts, with short ways to set them.
#[derive(Debug)]
struct Case {
    fabric: Fabric,
    schedule: Schedule,
    load_balancing: LoadBalancing,
    transport: Transport,
    packet: PacketOptions,
    switch: SwitchOptions,
    link_events: Vec<LinkEvent>,
    seed: u64,
}

/// A leaf-spine fabric whose links are all alike.
fn leaf_spine(leaves: u32, spines: u32, hosts_per_leaf: u32, rate: &str, delay: &str) -> Fabric {
    let cable = format!(r#"{{"rate": "{rate}", "delay": "{delay}"}}"#);
    let spec = format!(
        r#"{{"leaf-spine": {{"leaves": {leaves}, "spines": {spines}, "hosts_per_leaf": {hosts_per_leaf},
        "host_link": {cable}, "fabric_link": {cable}}}}}"#
    );
    let spec: Topology = serde_json::from_str(&spec).unwrap();
    Fabric::compile(&spec.blueprint(&NoFiles).unwrap())
}

/// Independent transfers (src, dst, bytes).
fn flows(transfers: impl IntoIterator<Item = (u32, u32, u64)>) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    for (src, dst, bytes) in transfers {
        builder.transfer(src, dst, bytes, 0);
    }
    builder.build()
}

fn parsed<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

impl Case {
    fn new(fabric: Fabric, schedule: Schedule) -> Self {
        Self {
            fabric,
            schedule,
            load_balancing: parsed(r#"{"spray": {}}"#),
            transport: parsed(r#"{"ideal": {}}"#),
            packet: PacketOptions {
                payload: Bytes(4_086),
                ..PacketOptions::default()
            },
            switch: SwitchOptions::default(),
            link_events: Vec::new(),
            seed: 1,
        }
    }

    fn with(mut self, load_balancing: &str, transport: &str) -> Self {
        self.load_balancing = parsed(load_balancing);
        self.transport = parsed(transport);
        self
    }

    /// Hands the setup of this case, which is possible, to `use_it`.
    fn setup<T>(&self, use_it: impl FnOnce(&Setup<'_>) -> T) -> T {
        self.unchecked(|setup| {
            setup.check().unwrap();
            use_it(setup)
        })
    }

    fn unchecked<T>(&self, use_it: impl FnOnce(&Setup<'_>) -> T) -> T {
        let observe = Observe {
            flows: true,
            links: true,
            series: Some(Time::from_us(5)),
            senders: Some(Time::from_us(3)),
            tasks: true,
        };
        self.observed(observe, use_it)
    }

    fn observed<T>(&self, observe: Observe, use_it: impl FnOnce(&Setup<'_>) -> T) -> T {
        let placement = self
            .load_balancing
            .place(&self.fabric, &self.schedule, &NoFiles, self.seed)
            .unwrap();
        let setup = Setup {
            fabric: &self.fabric,
            link_events: &self.link_events,
            schedule: &self.schedule,
            placement: &placement,
            load_balancing: &self.load_balancing,
            transport: &self.transport,
            packet: &self.packet,
            switch: &self.switch,
            observe,
            seed: self.seed,
        };
        use_it(&setup)
    }

    /// The outcome, the same by wheel and by heap.
    fn run(&self) -> Result<Outcome, Stuck> {
        self.setup(|setup| {
            let (wheel, heap) = (simulate(setup), simulate_by_heap(setup));
            assert_eq!(wheel, heap, "wheel and heap differ");
            wheel
        })
    }
}
