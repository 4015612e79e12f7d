//! Speed and memory of the packet engine: packet-hops per CPU second, and per hold operation of a
//! `BinaryHeap` calibrated right before and after; the peak of the whole process, one for each case, and its share
//! of each flow. Of a short run, the time is the median of several.
//!
//! `cargo bench --bench packet_engine` runs the table; words after `--` choose rows by name.

#[path = "calibration/mod.rs"]
mod calibration;

use std::process::Command;

use calibration::{hold_ns, peak_kib, repeated};
use fabricsim::input::NoFiles;
use fabricsim::outcome::{Observe, Outcome};
use fabricsim::packet_engine::{PacketOptions, Setup, SwitchOptions, Transport, simulate};
use fabricsim::placement::LoadBalancing;
use fabricsim::topology::{Fabric, Topology};
use fabricsim::workload::{Schedule, ScheduleBuilder};

/// Names the one case that a process runs, so that its peak of memory is its own.
const ONLY: &str = "FABRICSIM_BENCH_CASE";

/// One row: what is simulated.
struct Case {
    name: &'static str,
    leaves: u32,
    hosts_per_leaf: u32,
    spines: u32,
    traffic: Traffic,
    load_balancing: &'static str,
    transport: &'static str,
    switch: &'static str,
    packet: &'static str,
}

enum Traffic {
    /// Every host to the host with its number one leaf further.
    Shift(u64),
    AllToAll(u64),
}

const DCTCP: &str = r#"{"dctcp": {}}"#;
const PERMUTED: &str = r#"{"spray": {"choose": "permuted"}}"#;
const SMALL: Case = Case {
    name: "permutation-128",
    leaves: 8,
    hosts_per_leaf: 16,
    spines: 16,
    traffic: Traffic::Shift(2_000_000),
    load_balancing: PERMUTED,
    transport: DCTCP,
    switch: "{}",
    packet: r#"{"payload": 4086}"#,
};
const LARGE: Case = Case {
    name: "permutation-1024",
    leaves: 32,
    hosts_per_leaf: 32,
    spines: 32,
    ..SMALL
};

const CASES: &[Case] = &[
    SMALL,
    LARGE,
    // What size alone costs: the same hosts in lockstep, more of them.
    Case {
        name: "permutation-4096",
        leaves: 64,
        hosts_per_leaf: 64,
        spines: 64,
        ..SMALL
    },
    Case {
        name: "permutation-16384",
        leaves: 128,
        hosts_per_leaf: 128,
        spines: 128,
        traffic: Traffic::Shift(500_000),
        ..SMALL
    },
    Case {
        name: "permutation-65536",
        leaves: 256,
        hosts_per_leaf: 256,
        spines: 256,
        traffic: Traffic::Shift(100_000),
        ..SMALL
    },
    Case {
        name: "round-robin-ideal-128",
        load_balancing: r#"{"spray": {"choose": "round-robin"}}"#,
        transport: r#"{"ideal": {}}"#,
        ..SMALL
    },
    // Data only, one way.
    Case {
        name: "round-robin-udp-128",
        load_balancing: r#"{"spray": {"choose": "round-robin"}}"#,
        transport: r#"{"udp": {}}"#,
        ..SMALL
    },
    Case {
        name: "round-robin-udp-1024",
        load_balancing: r#"{"spray": {"choose": "round-robin"}}"#,
        transport: r#"{"udp": {}}"#,
        ..LARGE
    },
    Case {
        name: "pinned-ideal-1024",
        load_balancing: r#"{"ethereal": {}}"#,
        transport: r#"{"ideal": {}}"#,
        ..LARGE
    },
    Case {
        name: "trimming-128",
        switch: r#"{"trimming": true}"#,
        ..SMALL
    },
    Case {
        name: "pfc-128",
        switch: r#"{"pfc": true}"#,
        ..SMALL
    },
    Case {
        name: "all-to-all-128",
        traffic: Traffic::AllToAll(65_536),
        ..SMALL
    },
    Case {
        name: "all-to-all-1024",
        traffic: Traffic::AllToAll(16_384),
        ..LARGE
    },
    // Nearly all flows wait: what a flow costs that has not started.
    Case {
        name: "all-to-all-1024-waiting",
        traffic: Traffic::AllToAll(16_384),
        packet: r#"{"payload": 4086, "active_queue_pairs": 8}"#,
        ..LARGE
    },
];

impl Case {
    fn fabric(&self) -> Fabric {
        let cable = r#"{"rate": "400Gbps", "delay": "500ns"}"#;
        let json = format!(
            r#"{{"leaf-spine": {{"leaves": {}, "spines": {}, "hosts_per_leaf": {}, "host_link": {cable}, "fabric_link": {cable}}}}}"#,
            self.leaves, self.spines, self.hosts_per_leaf
        );
        let topology: Topology = parse(&json);
        Fabric::compile(&topology.blueprint(&NoFiles).expect("the table's fabrics are valid"))
    }

    fn schedule(&self) -> Schedule {
        let hosts = self.leaves * self.hosts_per_leaf;
        let mut builder = ScheduleBuilder::default();
        for src in 0..hosts {
            match self.traffic {
                Traffic::Shift(bytes) => {
                    builder.transfer(src, (src + self.hosts_per_leaf) % hosts, bytes, 0);
                }
                Traffic::AllToAll(bytes) => {
                    for offset in 1..hosts {
                        builder.transfer(src, (src + offset) % hosts, bytes, 0);
                    }
                }
            }
        }
        builder.build()
    }

    fn run(&self) -> (f64, Outcome) {
        let (fabric, schedule) = (self.fabric(), self.schedule());
        let load_balancing: LoadBalancing = parse(self.load_balancing);
        let transport: Transport = parse(self.transport);
        let packet: PacketOptions = parse(self.packet);
        let switch: SwitchOptions = parse(self.switch);
        let placement = load_balancing
            .place(&fabric, &schedule, &NoFiles, 1)
            .expect("the table's schemes fit its fabrics");
        let setup = Setup {
            fabric: &fabric,
            link_events: &[],
            schedule: &schedule,
            placement: &placement,
            load_balancing: &load_balancing,
            transport: &transport,
            packet: &packet,
            switch: &switch,
            observe: Observe::default(),
            seed: 1,
        };
        setup.check().expect("the table's options are possible");
        let (seconds, outcome) = repeated(|| simulate(&setup));
        (seconds, outcome.expect("every flow finishes"))
    }

    fn report(&self) {
        let before = hold_ns();
        let (seconds, outcome) = self.run();
        let peak = peak_kib();
        let hold = (before + hold_ns()) / 2.0;
        let hops = outcome.counters.packet_hops as f64;
        println!(
            "{:<24} {:>8.3} {:>8.2} {:>8.2} {:>9.1} {:>9.3} {:>10.2} {:>9.1} {:>9.2}",
            self.name,
            seconds,
            hops / 1e6,
            hops / seconds / 1e6,
            hold,
            hops / seconds * hold / 1e9,
            outcome.cct.as_us(),
            peak / 1024.0,
            peak / self.flows() as f64
        );
    }

    fn flows(&self) -> u32 {
        let hosts = self.leaves * self.hosts_per_leaf;
        match self.traffic {
            Traffic::Shift(_) => hosts,
            Traffic::AllToAll(_) => hosts * (hosts - 1),
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).expect("the table is written correctly")
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if let Ok(name) = std::env::var(ONLY) {
        let case = CASES.iter().find(|case| case.name == name);
        return case.expect("the parent names a case of the table").report();
    }
    println!(
        "{:<24} {:>8} {:>8} {:>8} {:>9} {:>9} {:>10} {:>9} {:>9}",
        "case", "CPU s", "M hops", "M hops/s", "hold ns", "hops/hold", "CCT us", "peak MiB", "KiB/flow"
    );
    let wanted = |case: &&Case| words.is_empty() || words.iter().any(|word| case.name.contains(word.as_str()));
    let program = std::env::current_exe().expect("a running program has a file");
    for case in CASES.iter().filter(wanted) {
        let status = Command::new(&program).env(ONLY, case.name).status();
        assert!(status.is_ok_and(|status| status.success()), "{} failed", case.name);
    }
}
