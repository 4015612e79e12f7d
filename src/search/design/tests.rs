//! The search against looking at everything.

use std::sync::atomic::AtomicBool;

use super::front::front;
use super::least_time::Load;
use super::*;
use crate::config::{FileStore, Source};
use crate::input::NoFiles;

/// About 5 000 designs for 96 hosts, from three switches of two rates.
const CATALOGUE: &str = r#"
[design]
hosts = 96
parallel = [1, 2, 3]
switches = [
    { name = "small", ports = 32, rate = "200Gbps", price = 9000, power = 500 },
    { name = "large", ports = 64, rate = "200Gbps", price = 22000, power = 900 },
    { name = "fast", ports = 64, rate = "400Gbps", price = 38000, power = 1500 },
]
cables = [{ rate = "200Gbps", price = 500 }, { rate = "400Gbps", price = 1100 }]

[[design.workloads]]
workload = { all-to-all = { message = "1MB" } }

[[design.workloads]]
weight = 3
workload = { all-reduce = { size = "64MB" } }
"#;

fn read(text: &str) -> DesignFile {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("d.toml");
    std::fs::write(&path, text).unwrap();
    DesignFile::read(&path, &[], &FileStore::default()).unwrap()
}

fn search(file: &DesignFile, seed: u64) -> DesignReport {
    report(file, &NoFiles, seed, &AtomicBool::new(false)).unwrap()
}

fn everything(file: &DesignFile) -> (usize, Vec<EvaluatedDesign>) {
    let load = Load::new(&file.spec, &NoFiles, 1).unwrap();
    let all = designs(&file.spec).unwrap();
    let judged = all
        .iter()
        .filter_map(|(design, bill)| load.evaluate(design, bill))
        .collect();
    (all.len(), front(judged))
}

#[test]
fn the_exact_front_takes_a_tenth_of_the_evaluations() {
    let file = read(CATALOGUE);
    let (count, all) = everything(&file);
    assert!(count > 1_000, "{count}");
    let found = search(&file, 1);
    assert!(found.exact);
    assert_eq!(found.front, all);
    assert!(found.evaluations * 10 <= count, "{} of {count}", found.evaluations);
    assert!(all.len() > 4);
}

#[test]
fn the_genetic_search_comes_close_with_a_tenth_of_the_evaluations() {
    let mut file = read(CATALOGUE);
    let (count, all) = everything(&file);
    let corner = (all[all.len() - 1].bill.price * 1.1, all[0].time_us * 1.1);
    let area = hypervolume(&all, corner.0, corner.1);
    let best = |front: &[EvaluatedDesign]| front.iter().map(|one| one.time_us).fold(f64::INFINITY, f64::min);
    let mut good = 0;
    for seed in 1..=10 {
        file.spec.evaluations = count / 10;
        let front = genetic_front(&file, seed);
        good +=
            usize::from(hypervolume(&front, corner.0, corner.1) >= 0.97 * area && best(&front) <= best(&all) * 1.001);
    }
    assert!(good >= 9, "{good} of 10");
}

fn genetic_front(file: &DesignFile, seed: u64) -> Vec<EvaluatedDesign> {
    let load = Load::new(&file.spec, &NoFiles, seed).unwrap();
    let (mut evaluations, mut judged) = (0, Vec::new());
    super::report::genetic(
        &file.spec,
        &load,
        seed,
        &AtomicBool::new(false),
        &mut evaluations,
        &mut judged,
    );
    assert!(evaluations <= file.spec.evaluations);
    front(judged)
}

/// What a glance says is never more than the least time: no design is left out wrongly.
#[test]
fn a_glance_is_a_bound() {
    let file = read(CATALOGUE);
    let load = Load::new(&file.spec, &NoFiles, 1).unwrap();
    for (design, bill) in designs(&file.spec).unwrap().iter().step_by(37) {
        let time = load.evaluate(design, bill).unwrap().time_us;
        assert!(load.glance(design) <= time * (1.0 + 1e-9), "{design:?}");
    }
}

#[test]
fn failures_must_be_survived() {
    let lame = CATALOGUE.replace("[design]\n", "[design]\nsurvive = [{ cables = 1, slowdown = 1.2 }]\n");
    let file = read(&lame);
    let found = search(&file, 1);
    assert!(!found.front.is_empty());
    for one in &found.front {
        let failed = one.failed_us.unwrap();
        assert!(failed <= one.time_us * 1.2 && failed >= one.time_us, "{one:?}");
    }
    let harsh = read(&CATALOGUE.replace("[design]\n", "[design]\nspines = [1]\nsurvive = [{ switches = 1 }]\n"));
    assert!(search(&harsh, 1).front.is_empty());
}

#[test]
fn mistakes_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("d.toml");
    let error = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let error = DesignFile::read(&path, &[], &FileStore::default()).unwrap_err();
        let line = error
            .at
            .as_ref()
            .map(|at| Source::line_and_column(&at.source, at.span.start).0);
        format!("{line:?} {} ({})", error.message, error.help)
    };
    insta::assert_snapshot!(error("engine = \"flow\""), @"None design: the file says nowhere what is wanted (add [design] with `hosts`, [[design.switches]], [[design.cables]] and [[design.workloads]]; docs/deciding.md has an example)");
    insta::assert_snapshot!(error(&CATALOGUE.replace("hosts = 96", "hosts = 1")), @"Some(3) design.hosts: there are 1 hosts (there must be at least 2)");
    insta::assert_snapshot!(error(&CATALOGUE.replace("ports = 32", "ports = 1")), @"Some(6) design.switches.0: `small` connects nothing (a switch has at least 2 ports, and a rate)");
    insta::assert_snapshot!(error(&CATALOGUE.replace("parallel", "paralel")), @"Some(4) design: the key `paralel` is not known (did you mean `parallel`?)");
    insta::assert_snapshot!(error(&CATALOGUE.replace("weight = 3", "weight = -3")), @"Some(16) design.workloads.1.weight: it is not above 0 (take the workload out, or raise it)");
    insta::assert_snapshot!(error(&format!("topology = \"x.toml\"\n{CATALOGUE}")), @"Some(1) topology: a design file has none of its own ([design] says what fabrics there are, and [[design.workloads]] what is sent)");
}
