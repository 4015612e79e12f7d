//! Policies and tables of fleets, held against what follows from their definitions.

use std::collections::HashMap;

use super::jobs::{Kinds, Table, jobs};
use super::policy::hosts_for;
use crate::experiment::{FleetJobs, FleetOptions, FleetPolicy};
use crate::input::{Files, InputError};
use crate::topology::{Cable, Fabric, LeafSpine};
use crate::units::{Rate, Time};
use crate::workload::Program;

/// Four leaves of four hosts.
fn fabric() -> Fabric {
    let cable = Cable::new(Rate::from_gbps(100), Time::ZERO);
    Fabric::compile(&LeafSpine::uniform(4, 2, 4, cable).blueprint().unwrap())
}

/// Hosts 0, 1, 5, 6, 7 and all from 8 to 12 are free: 2, 3, 4 and 1 of each leaf.
const FREE: [u32; 10] = [0, 1, 5, 6, 7, 8, 9, 10, 11, 12];

fn chosen(policy: FleetPolicy, count: usize) -> Option<Vec<u32>> {
    hosts_for(policy, &fabric(), &FREE, count, (1, 0))
}

#[test]
fn policies_give_out_the_hosts_that_they_say() {
    assert_eq!(chosen(FleetPolicy::Packed, 3).unwrap(), [0, 1, 5]);
    assert_eq!(chosen(FleetPolicy::Spread, 6).unwrap(), [0, 5, 8, 12, 1, 6]);
    // The leaf with the fewest that are enough.
    assert_eq!(chosen(FleetPolicy::ByLeaf, 2).unwrap(), [0, 1]);
    assert_eq!(chosen(FleetPolicy::ByLeaf, 3).unwrap(), [5, 6, 7]);
    // The emptiest leaf, then the smallest that holds the rest.
    assert_eq!(chosen(FleetPolicy::ByLeaf, 6).unwrap(), [8, 9, 10, 11, 0, 1]);
    assert_eq!(chosen(FleetPolicy::Packed, 11), None);
    for policy in [FleetPolicy::Random, FleetPolicy::Spread, FleetPolicy::ByLeaf] {
        let mut all = chosen(policy, FREE.len()).unwrap();
        all.sort_unstable();
        assert_eq!(all, FREE, "{policy:?}");
    }
    assert_eq!(chosen(FleetPolicy::Random, 4), chosen(FleetPolicy::Ordered, 4));
}

struct Texts(HashMap<&'static str, &'static str>);

impl Files for Texts {
    fn read(&self, name: &str) -> Result<String, InputError> {
        self.0
            .get(name)
            .map(|&text| text.to_owned())
            .ok_or_else(|| InputError::file(name, "there is no such file"))
    }
}

fn options(jobs: FleetJobs) -> FleetOptions {
    FleetOptions {
        jobs,
        kinds: Default::default(),
        policies: vec![FleetPolicy::Packed],
        shifts: vec![false],
        outages: None,
    }
}

fn kinds() -> Kinds {
    let program: Program = serde_json::from_value(serde_json::json!({ "ops": [] })).unwrap();
    Kinds {
        names: vec!["a".into(), "b".into()],
        programs: vec![program.clone(), program],
    }
}

fn read(text: &'static str) -> Result<Vec<super::jobs::FleetJob>, InputError> {
    let files = Texts(HashMap::from([("j.csv", text)]));
    let spec = FleetJobs {
        file: "j.csv".into(),
        ..FleetJobs::default()
    };
    jobs(&options(spec), &kinds(), &files, 1)
}

#[test]
fn jobs_come_from_a_table_in_order_of_arrival() {
    let found = read("kind,name,arrival,hosts,rounds\nb,late,2ms,8,3 # a comment\na,early,0us,4,7\n").unwrap();
    let told = found
        .iter()
        .map(|job| (job.name.as_str(), job.arrival, job.hosts, job.rounds, job.kind));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [("early", Time::ZERO, 4, 7, 0), ("late", Time::from_us(2_000), 8, 3, 1)]
    );
}

#[test]
fn what_is_wrong_with_a_table_is_said_with_its_line() {
    let tables = [
        "",
        "name,arrival,hosts\n",
        "name,arrival,hosts,rounds,color\n",
        "name,arrival,hosts,rounds,kind\nx,0us,4\n",
        "name,arrival,hosts,rounds,kind\nx,soon,4,5,a\n",
        "name,arrival,hosts,rounds,kind\nx,0us,1,5,a\n",
        "name,arrival,hosts,rounds,kind\nx,0us,4,5,c\n",
        "name,arrival,hosts,rounds,kind\nx,0us,4,5,a\nx,0us,4,5,a\n",
        "name,arrival,hosts,rounds\n",
    ];
    let wrong = tables.map(|text| read(text).unwrap_err().to_string());
    insta::assert_snapshot!(wrong.join("\n"));
    assert!(Table::of("f", "a\n1\n", &["a"], &[]).is_ok());
}

/// Gaps have the mean that is asked for, and hosts and rounds are as likely as each other.
#[test]
fn drawn_jobs_are_as_they_are_told() {
    let spec = FleetJobs {
        file: String::new(),
        count: Some(20_000),
        every: Some(Time::from_us(10)),
        hosts: vec![4, 8],
        rounds: vec![1, 2, 3, 4],
    };
    let found = jobs(&options(spec), &kinds(), &Texts(HashMap::new()), 1).unwrap();
    let last = found.last().unwrap().arrival.as_us();
    assert!((last / 20_000.0 - 10.0).abs() < 0.3, "{last}");
    let share = |is: &dyn Fn(&super::jobs::FleetJob) -> bool| found.iter().filter(|job| is(job)).count();
    assert!(share(&|job| job.hosts == 4).abs_diff(10_000) < 300);
    assert!(share(&|job| job.rounds == 3).abs_diff(5_000) < 300);
    assert!(share(&|job| job.kind == 1).abs_diff(10_000) < 300);
    // Beyond three means: e^-3 of all.
    let gaps = found
        .windows(2)
        .filter(|pair| pair[1].arrival.0 - pair[0].arrival.0 > 30_000_000)
        .count();
    assert!(gaps.abs_diff(996) < 100, "{gaps}");
}
