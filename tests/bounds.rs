//! The bound holds and is tight: known cases, closed forms on rails, random fabrics in both engines.

use std::fs;
use std::path::Path;

use fabricsim::congestion::{Framing, bounds};
use fabricsim::flow_engine::{self, FlowOptions};
use fabricsim::ids::TaskId;
use fabricsim::input::NoFiles;
use fabricsim::outcome::Observe;
use fabricsim::packet_engine::{self, Ideal, PacketOptions, Setup, SwitchOptions, Transport};
use fabricsim::placement::{Ecmp, LoadBalancing, Placement, Spray};
use fabricsim::results::{Details, ResultRow, Store};
use fabricsim::rng::{index_below, mix};
use fabricsim::runner::beats_the_bound;
use fabricsim::topology::{Blueprint, Cable, Fabric, Rail, Routing};
use fabricsim::units::{Bytes, Rate, Time};
use fabricsim::workload::{Action, AllToAll, Milestone, Schedule, ScheduleBuilder, Workload};
use proptest::prelude::*;

use crate::cli::{folder, run, stdout, text};

/// Rows of a CSV file as the values of some columns.
fn columns(file: &Path, names: &[&str]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let header = reader.headers().unwrap().clone();
    let at: Vec<_> = names
        .iter()
        .map(|name| header.iter().position(|h| h == *name).unwrap())
        .collect();
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| at.iter().map(|&i| row[i].to_owned()).collect())
        .collect()
}

/// Runs a case and returns completion time and bound of every point.
fn case(name: &str, more: &[&str]) -> Vec<[f64; 2]> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/cases")
        .join(name);
    let out = tempfile::tempdir().unwrap();
    let results = out.path().to_str().unwrap();
    let output = run(&folder, &[&["run", "experiment.toml", "--out", results], more].concat());
    assert!(output.status.success(), "{name}: {}", text(&output.stderr));
    let rows = columns(&out.path().join("results.csv"), &["cct_us", "bound_us"]);
    rows.iter()
        .map(|row| [row[0].parse().unwrap(), row[1].parse().unwrap()])
        .collect()
}

/// 200 MB leave each server, over two cables of 400 Gb/s, and arrive a microsecond later.
#[test]
fn two_cables_carry_what_leaves_a_server() {
    let [[cct, bound]] = case("two-cables-bound", &["--set", "load_balancing=optimal-transport"])[..] else {
        panic!("one point");
    };
    assert_eq!(bound, 4_001.0);
    assert!((bound..=4_001.1).contains(&cct), "{cct}");
}

/// Far bytes are on the receiver's link from 100.1 to 190.1 us, near ones can be from 90.2 us on: 180 us of work
/// from then. In packets there are headers and hops besides.
#[test]
fn delay_counts_before_links_fill() {
    let [[fluid, bound], [packets, wire]] = case("flowbound", &[])[..] else {
        panic!("two points");
    };
    assert!((fluid - 270.2).abs() < 1e-6, "{fluid}");
    assert!((bound - 270.2).abs() < 1e-6, "{bound}");
    assert!(wire <= packets && (packets / 273.3 - 1.0).abs() < 1e-3);
}

/// 1 MB and headers over the 1 + 100 Gb/s of a host's cables, whichever of them routing uses.
#[test]
fn a_bound_allows_routes_that_faults_open() {
    let [[cct, bound]] = case("faultbound", &[])[..] else {
        panic!("one point");
    };
    assert!(bound <= cct && bound >= 1_015_625.0 * 8.0 / 101e3, "{bound} {cct}");
}

/// 1 KB is fastest on 10 Gb/s with little delay: 0.8 us, and 1.1 us of delays.
#[test]
fn the_ideal_is_on_the_fastest_path_for_the_size() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases/ideal");
    let out = tempfile::tempdir().unwrap();
    let results = out.path().to_str().unwrap();
    let output = run(&folder, &["run", "experiment.toml", "--out", results]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut fluid = 0;
    for hash in points(out.path()) {
        let file = out.path().join("points").join(hash).join("flows.csv");
        for row in columns(&file, &["fct_us", "ideal_fct_us", "slowdown"]) {
            let [fct, ideal, slowdown] = [0, 1, 2].map(|i| row[i].parse::<f64>().unwrap());
            assert!(slowdown >= 1.0 && fct >= ideal, "{row:?}");
            fluid += u32::from(ideal == 1.9);
        }
    }
    assert!(fluid >= 4, "{fluid}");
}

fn rails(servers: u32, gpus: u32) -> Fabric {
    let cable = |gbps, ns| Cable {
        rate: Rate::from_gbps(gbps),
        delay: Time::from_ns(ns),
    };
    let rail = Rail {
        servers,
        gpus,
        spines: 0,
        host_link: cable(400, 500),
        server_link: cable(3_600, 25),
        fabric_link: None,
        parallel: 1,
        servers_per_unit: None,
        spines_join: fabricsim::topology::SpinesJoin::All,
        cores: 0,
        core_link: None,
    };
    Fabric::compile(&rail.blueprint().unwrap())
}

fn place(scheme: &LoadBalancing, fabric: &Fabric, schedule: &Schedule) -> Placement {
    scheme.place(fabric, schedule, &NoFiles, 1).unwrap()
}

fn fluid_cct(fabric: &Fabric, schedule: &Schedule, placement: &Placement) -> Time {
    let options = FlowOptions::default();
    flow_engine::simulate(fabric, schedule, placement, &options, &Observe::default())
        .unwrap()
        .cct
}

/// All that leaves a server crosses its rails' cables: with sprayed paths that takes no longer.
#[test]
fn the_bound_of_an_all_to_all_on_rails_is_what_spraying_takes() {
    for (servers, gpus) in [(2, 2), (2, 8), (4, 4), (8, 2)] {
        let fabric = rails(servers, gpus);
        let schedule = Workload::AllToAll(AllToAll::new(Bytes(1_000_000)))
            .schedule(servers * gpus, &NoFiles, 1)
            .unwrap();
        let known = bounds(&fabric, &schedule, Framing::Fluid);
        // 50 bytes a nanosecond, and at least the microsecond between servers.
        let leaving = u64::from(gpus * (servers - 1)) * 1_000_000 * 20 + 1_000_000;
        assert!(known.cct.0 >= leaving, "{servers} x {gpus}: {known:?}");
        let sprayed = fluid_cct(
            &fabric,
            &schedule,
            &place(&LoadBalancing::Spray(Spray::default()), &fabric, &schedule),
        );
        assert!(known.cct <= sprayed, "{servers} x {gpus}: {known:?} {sprayed}");
        assert!(
            sprayed.0 as f64 <= known.cct.0 as f64 * 1.02,
            "{servers} x {gpus}: {known:?} {sprayed}"
        );
    }
}

/// Same-rail traffic alone: what one GPU sends to all others of its rail crosses its own cable.
#[test]
fn a_rail_of_its_own_is_a_bound() {
    let fabric = rails(4, 2);
    let mut builder = ScheduleBuilder::default();
    for peer in 1..4 {
        builder.transfer(0, 2 * peer, 1_000_000, 0);
        // So that the server's link is in use as well.
        builder.transfer(0, 2 * peer + 1, 1_000, 0);
    }
    let known = bounds(&fabric, &builder.build(), Framing::Fluid);
    assert!(known.cct.0 >= 3 * 1_000_000 * 20, "{known:?}");
}

/// Two all-to-alls over three servers, one after the other with a computation between: every GPU reaches the others' servers
/// by its own card, and its link inside the server, nine times as fast, is no way out.
#[test]
fn operations_in_a_row_each_take_what_their_cards_need() {
    let cable = |gbps, ns| Cable {
        rate: Rate::from_gbps(gbps),
        delay: Time::from_ns(ns),
    };
    let rail = Rail {
        servers: 3,
        gpus: 4,
        spines: 4,
        host_link: cable(400, 500),
        server_link: cable(3_600, 250),
        fabric_link: Some(cable(400, 500)),
        parallel: 4,
        servers_per_unit: None,
        spines_join: fabricsim::topology::SpinesJoin::All,
        cores: 0,
        core_link: None,
    };
    let fabric = Fabric::compile(&rail.blueprint().unwrap());
    let program = "[program]\nranks = 12\n\
        [[program.ops]]\nname = \"a\"\nall-to-all = { message = 1000000 }\n\
        [[program.ops]]\nname = \"c\"\ncompute = \"1ms\"\nafter = [\"a\"]\n\
        [[program.ops]]\nname = \"b\"\nall-to-all = { message = 2000000 }\nafter = [\"c\"]\n";
    let workload: Workload = toml::from_str(program).unwrap();
    let schedule = workload.schedule(12, &NoFiles, 1).unwrap();
    let known = bounds(&fabric, &schedule, Framing::Fluid);
    // 8 messages to other servers at 20 ps a byte, twice, the second of twice the size; four links of 500 ns each time at most.
    let cards = (8 * 1_000_000 + 8 * 2_000_000) * 20 + 1_000_000_000;
    assert!(known.cct.0 >= cards, "{known:?}");
    let sprayed = fluid_cct(
        &fabric,
        &schedule,
        &place(&LoadBalancing::Spray(Spray::default()), &fabric, &schedule),
    );
    assert!(
        known.cct <= sprayed && sprayed.0 <= cards + 2 * 2_000_000,
        "{known:?} {sprayed}"
    );
}

/// Small random numbers, one after the other.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = mix(self.0);
        index_below(self.0, sides)
    }
}

/// Hosts with one or two cables of any rate and delay on a connected handful of switches.
fn fabric(dice: &mut Dice) -> Fabric {
    let through_hosts = dice.roll(3) == 0;
    let mut drawing = Blueprint::new(match through_hosts {
        true => Routing::ShortestThroughHosts,
        false => Routing::Shortest,
    });
    let hosts = drawing.add_hosts(3 + dice.roll(5));
    let switches = drawing.add_switches("s", 1 + dice.roll(4), 1);
    let cable = |dice: &mut Dice| Cable {
        rate: Rate::from_gbps([1, 10, 25, 100, 400][dice.roll(5) as usize]),
        delay: Time::from_ns([0, 20, 500, 5_000, 100_000][dice.roll(5) as usize]),
    };
    for (i, pair) in switches.windows(2).enumerate() {
        let cable_now = cable(dice);
        drawing.connect(pair[0], pair[1], cable_now);
        if dice.roll(3) == 0 {
            let cable_now = cable(dice);
            drawing.connect_parallel(switches[i], *switches.last().unwrap(), cable_now, 1 + dice.roll(2));
        }
    }
    for &host in &hosts {
        for _ in 0..1 + dice.roll(2) {
            let switch = switches[dice.roll(switches.len() as u32) as usize];
            let cable_now = cable(dice);
            drawing.connect(switch, host, cable_now);
        }
    }
    Fabric::compile(&drawing)
}

fn schedule(dice: &mut Dice, hosts: u32) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    let style = dice.roll(3);
    for t in 0..2 + dice.roll(20) {
        let src = dice.roll(hosts);
        let dst = (src + 1 + dice.roll(hosts - 1)) % hosts;
        let bytes = [1, 1_000, 50_000, 1_000_000][dice.roll(4) as usize];
        let earliest = Time::from_us([0, u64::from(dice.roll(200))][usize::from(style > 0)]);
        let action = Action::transfer(src, dst, bytes);
        let task = builder.add(action, earliest, 0);
        if style == 2 && t > 1 && dice.roll(2) == 0 {
            let milestone = [Milestone::Delivered, Milestone::Acked, Milestone::Sent][dice.roll(3) as usize];
            builder.depend(TaskId(dice.roll(t)), milestone, task);
        }
    }
    builder.build()
}

fn scheme(dice: &mut Dice) -> LoadBalancing {
    match dice.roll(2) {
        0 => LoadBalancing::Ecmp(Ecmp::default()),
        _ => LoadBalancing::Spray(Spray::default()),
    }
}

fn check_fluid(seed: u64) -> Result<(), String> {
    let dice = &mut Dice(seed);
    let fabric = fabric(dice);
    let schedule = schedule(dice, fabric.hosts());
    let placement = place(&scheme(dice), &fabric, &schedule);
    let known = bounds(&fabric, &schedule, Framing::Fluid);
    let cct = fluid_cct(&fabric, &schedule, &placement);
    match cct.0 + 1 >= known.cct.0 {
        true => Ok(()),
        false => Err(format!("{cct} {known:?}")),
    }
}

fn check_packets(seed: u64) -> Result<(), String> {
    let dice = &mut Dice(seed);
    let fabric = fabric(dice);
    let schedule = schedule(dice, fabric.hosts());
    let scheme = scheme(dice);
    let placement = place(&scheme, &fabric, &schedule);
    let (transport, switch) = (Transport::Ideal(Ideal::default()), SwitchOptions::default());
    let packet = PacketOptions::default();
    let setup = Setup {
        fabric: &fabric,
        link_events: &[],
        schedule: &schedule,
        placement: &placement,
        load_balancing: &scheme,
        transport: &transport,
        packet: &packet,
        switch: &switch,
        observe: Observe::default(),
        seed: 1,
    };
    let framing = Framing::Packets {
        payload: packet.payload.0,
        header: packet.header.0,
    };
    let known = bounds(&fabric, &schedule, framing);
    let cct = packet_engine::simulate(&setup).unwrap().cct;
    match cct.0 + 1 >= known.cct.0 {
        true => Ok(()),
        false => Err(format!("{cct} {known:?}")),
    }
}

/// By a port of 1 Gb/s and one of 10 the last packet leaves before others: what waits until all is sent waits for those.
#[test]
fn what_several_ports_send_is_sent_when_the_slowest_is_done() {
    check_packets(12_280_117_012_436_293_095).unwrap();
}

/// A near flow passes the sender's link while the bytes of a far one are taken to be on their way, and what waits for the
/// near one takes as long as the far one's way.
#[test]
fn the_fluid_may_pass_a_near_flow_before_a_far_one() {
    check_fluid(2_292_640_209_582_682_599).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_fluid_beats_the_bound(seed in any::<u64>()) {
        prop_assert_eq!(check_fluid(seed), Ok(()));
    }

    #[test]
    fn no_packets_beat_the_bound(seed in any::<u64>()) {
        prop_assert_eq!(check_packets(seed), Ok(()));
    }
}

/// Names of the points in a results folder.
fn points(out: &Path) -> Vec<String> {
    let entries = fs::read_dir(out.join("points")).unwrap().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    folders.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn a_row_below_its_bound_is_told_from_one_at_it() {
    let row = |cct: f64| ResultRow {
        cct_us: Some(cct.into()),
        bound_us: Some(10.0.into()),
        ..ResultRow::default()
    };
    assert!(beats_the_bound(&row(9.999_99)));
    assert!(!beats_the_bound(&row(9.999_999)));
    assert!(!beats_the_bound(&row(10.0)));
}

/// Every row is held to its bound, a kept one too: one that was made to contradict it ends the run with 1.
#[test]
fn a_kept_row_below_its_bound_fails_the_run() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases/two-cables-bound");
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let again = |out: &Path| run(&folder, &["run", "experiment.toml", "--out", out.to_str().unwrap()]);
    assert!(again(first.path()).status.success());
    let hash = &points(first.path())[0];
    let mut record = Store::open(first.path()).unwrap().load(hash).unwrap();
    record.row.cct_us = Some(1.0.into());
    let forged = Store::open(second.path()).unwrap();
    forged.save(hash, &record, Details::default()).unwrap();
    let output = again(second.path());
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("point 0: the completion time of 1 us is below the bound of 4001 us"),
        "{told}"
    );
}

/// What no algorithm beats is no more than what the schedule of any algorithm takes at least, and on hosts of equal rate
/// below one switch it is the bus bandwidth at the rate of the card.
#[test]
fn the_bound_of_the_collective_is_below_that_of_every_schedule() {
    let three = |name: &str, algorithms: &[&str]| {
        let one = |algorithm: &&str| format!("{{ {name} = {{ size = \"1MB\", algorithm = \"{algorithm}\" }} }}");
        algorithms.iter().map(one).collect::<Vec<_>>()
    };
    let mut workloads = three(
        "all-reduce",
        &[
            "ring",
            "direct",
            "halving-doubling",
            "recursive-doubling",
            "double-binary-tree",
            "in-network",
        ],
    );
    workloads.extend(three("reduce-scatter", &["ring", "direct", "halving-doubling", "pat"]));
    workloads.extend(three("all-gather", &["ring", "direct", "bruck", "pat"]));
    workloads.extend(three("broadcast", &["binomial", "ring", "double-binary-tree"]));
    workloads.extend(three("reduce", &["binomial", "ring"]));
    for other in [
        "gather = { size = \"1MB\" }",
        "scatter = { size = \"1MB\" }",
        "all-to-all = { message = \"64KB\" }",
    ] {
        workloads.push(format!("{{ {other} }}"));
    }
    let fabric = |spines: u32, leaves: u32, per_leaf: u32| {
        format!(
            "[topology.leaf-spine]\nleaves = {leaves}\nspines = {spines}\nhosts_per_leaf = {per_leaf}\n\
             host_link = {{ rate = \"100Gbps\", delay = \"1ns\" }}\nfabric_link = {{ rate = \"100Gbps\", delay = \"1ns\" }}\n"
        )
    };
    for (head, topology) in [
        ("", fabric(1, 4, 4)),
        ("", fabric(4, 4, 4)),
        ("engine = \"packet\"", fabric(1, 4, 4)),
        ("", fabric(1, 1, 16)),
    ] {
        let experiment = format!("{head}\n{topology}\n[sweep]\nworkload = [{}]\n", workloads.join(", "));
        let dir = folder(&[("x.toml", &experiment)]);
        let out = stdout(dir.path(), &["run", "x.toml", "--out", "out", "--format", "json"]);
        let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
        for row in rows["results"].as_array().unwrap() {
            let number = |column: &str| row[column].as_f64().unwrap_or_else(|| panic!("{column}: {row}"));
            let (collective, schedule) = (number("collective_bound_us"), number("bound_us"));
            assert!(
                collective > 0.0 && collective <= schedule + 1e-6,
                "{}: {collective} and {schedule}",
                row["workload"]
            );
            if topology.contains("leaves = 1") {
                let busbw = number("busbw_GBps") * number("cct_us") / collective;
                let adds = row["workload"].as_str().unwrap().contains("in-network");
                assert!(adds || (busbw - 12.5).abs() < 1e-3, "{}: {busbw}", row["workload"]);
            }
        }
    }
}
