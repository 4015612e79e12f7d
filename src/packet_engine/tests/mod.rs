//! Whole runs of the engine, held against closed forms and laws.

mod closed_forms;

use super::*;
use crate::input::NoFiles;
use crate::topology::Topology;
use crate::units::Bytes;
use crate::workload::ScheduleBuilder;

/// A run by its parts, with short ways to set them.
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

fn balancing(json: &str) -> LoadBalancing {
    serde_json::from_str(json).unwrap()
}

fn transport(json: &str) -> Transport {
    serde_json::from_str(json).unwrap()
}

impl Case {
    fn new(fabric: Fabric, schedule: Schedule) -> Self {
        Self {
            fabric,
            schedule,
            load_balancing: balancing(r#"{"spray": {}}"#),
            transport: transport(r#"{"ideal": {}}"#),
            packet: PacketOptions {
                payload: Bytes(4_086),
                ..PacketOptions::default()
            },
            switch: SwitchOptions::default(),
            link_events: Vec::new(),
            seed: 1,
        }
    }

    fn run(&self) -> Result<Outcome, Stuck> {
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
            observe: Observe {
                flows: true,
                links: true,
                series: None,
            },
            seed: self.seed,
        };
        setup.check().unwrap();
        let wheel = report::outcome(engine::Engine::<queue::Wheel>::new(&setup).run(&mut |_| Continue::Yes));
        let heap = report::outcome(engine::Engine::<queue::Heap>::new(&setup).run(&mut |_| Continue::Yes));
        assert_eq!(wheel, heap, "wheel and heap differ");
        wheel
    }
}
