//! Validation passes what is right and catches what is wrong on purpose.

use std::fs;
use std::path::Path;

use fabricsim::congestion::Assessment;
use fabricsim::experiment::{Memory, Plan, Preparer};
use fabricsim::flow_engine::{self, FlowOptions};
use fabricsim::outcome::{Observe, Outcome, Stuck};
use fabricsim::packet_engine::{self, Setup};
use fabricsim::placement::{Placement, Subflow};
use fabricsim::routes::Route;
use fabricsim::topology::{Fabric, LinkChange};
use fabricsim::units::Rate;
use fabricsim::validation::{House, SystemUnderTest, Verdict, validate};
use fabricsim::workload::Schedule;

const EXPERIMENT: &str = r#"
engine = "packet"
load_balancing = "ethereal"
[topology.leaf-spine]
leaves = 3
spines = 2
hosts_per_leaf = 2
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }
[workload.all-to-all]
message = "256KiB"
"#;

/// The checks that fail for a subject.
fn failures(subject: &dyn SystemUnderTest) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("experiment.toml");
    fs::write(&file, EXPERIMENT).unwrap();
    let plan = Plan::parse(&file, &[]).unwrap();
    let findings = validate(&Preparer::new(&plan, Memory::free()), subject).unwrap();
    assert!(
        findings
            .iter()
            .filter(|finding| finding.verdict != Verdict::Skip)
            .count()
            > 8
    );
    let failed = findings.into_iter().filter(|finding| finding.verdict == Verdict::Fail);
    failed.map(|finding| finding.check).collect()
}

#[test]
fn the_house_passes() {
    assert_eq!(failures(&House), [""; 0]);
}

/// Uses one path where there are two.
struct OnePathTooFew;

impl SystemUnderTest for OnePathTooFew {
    fn place(&self, _: &Fabric, schedule: &Schedule, placement: &Placement) -> Placement {
        let on_first = |subflow: &Subflow| Subflow {
            route: Route::pinned(0),
            ..*subflow
        };
        let tasks = 0..schedule.tasks().len();
        Placement::from_subflows(tasks.map(|task| placement.of(task.into()).iter().map(on_first).collect::<Vec<_>>()))
    }
}

#[test]
fn a_placement_that_misses_a_path_is_caught() {
    assert_eq!(failures(&OnePathTooFew), ["ethereal congestion = spraying's"]);
}

/// Counts the bytes of one link twice.
struct CountsTwice;

impl SystemUnderTest for CountsTwice {
    fn assess(&self, fabric: &Fabric, schedule: &Schedule, placement: &Placement) -> Assessment {
        let mut assessment = House.assess(fabric, schedule, placement);
        if let Some(assigned) = &mut assessment.assigned {
            assigned.loads[0] *= 2.0;
        }
        assessment
    }
}

#[test]
fn a_load_counted_twice_is_caught() {
    let failed = failures(&CountsTwice);
    assert!(
        failed.contains(&"assigned link bytes = path by path".to_owned()),
        "{failed:?}"
    );
    assert!(failed.contains(&"flow link bytes = assigned".to_owned()), "{failed:?}");
    assert!(
        failed.contains(&"packet link bytes = assigned".to_owned()),
        "{failed:?}"
    );
}

/// Simulates host links that are twice as fast as stated.
struct FasterThanStated;

fn faster(fabric: &Fabric) -> Fabric {
    let changes: Vec<_> = fabric
        .link_ids()
        .map(|link| LinkChange {
            link,
            rate: Rate(fabric.link(link).rate.0 * 2),
        })
        .collect();
    fabric.with(&changes)
}

impl SystemUnderTest for FasterThanStated {
    fn flow(
        &self,
        fabric: &Fabric,
        schedule: &Schedule,
        placement: &Placement,
        options: &FlowOptions,
        observe: &Observe,
    ) -> Result<Outcome, Stuck> {
        flow_engine::simulate(&faster(fabric), schedule, placement, options, observe)
    }

    fn packet(&self, setup: &Setup<'_>) -> Result<Outcome, Stuck> {
        let fabric = faster(setup.fabric);
        let mut setup = setup.clone();
        setup.fabric = &fabric;
        packet_engine::simulate(&setup)
    }
}

#[test]
fn an_engine_with_faster_links_is_caught() {
    let failed = failures(&FasterThanStated);
    for check in ["flow CCT >= bound", "packet CCT >= bound"] {
        assert!(failed.contains(&check.to_owned()), "{failed:?}");
    }
}

/// The part of the validation suite that takes seconds; `experiments/validate` holds more.
#[test]
fn the_quick_experiments_validate() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/validate");
    for name in ["fat-tree", "faults", "oversubscribed", "patterns"] {
        let plan = Plan::parse(&folder.join(format!("{name}.toml")), &[]).unwrap();
        for finding in validate(&Preparer::new(&plan, Memory::free()), &House).unwrap() {
            assert!(finding.verdict != Verdict::Fail, "{name}: {finding:?}");
        }
    }
}
