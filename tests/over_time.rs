//! Shifts of jobs, plans over outages, fleets and learned weights, as a user finds them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::cli::{folder, run, stdout, text};

/// Two jobs that send for 45 % of the time over the same cable.
const TWO_JOBS: &str = r#"
name = "two"
load_balancing = "ecmp"

[topology.leaf-spine]
leaves = 2
spines = 1
hosts_per_leaf = 2
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }

[[jobs]]
name = "a"
hosts = [0, 2]
[jobs.workload.program]
repeat = 8
ops = [
  { name = "compute", compute = "550us" },
  { name = "send", all-to-all = { message = "5600KB" }, after = ["compute"] },
]

[[jobs]]
name = "b"
hosts = [1, 3]
[jobs.workload.program]
repeat = 8
ops = [
  { name = "compute", compute = "550us" },
  { name = "send", all-to-all = { message = "5600KB" }, after = ["compute"] },
]
"#;

type Row = HashMap<String, String>;

/// The rows of a printed table.
fn rows(table: &str) -> Vec<Row> {
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut lines = table.lines();
    let names = cells(lines.next().unwrap());
    lines
        .map(|line| names.iter().cloned().zip(cells(line)).collect())
        .collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap()
}

fn csv(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
fn jobs_that_share_a_cable_reach_their_times_alone() {
    let dir = folder(&[("two.toml", TWO_JOBS)]);
    let printed = stdout(
        dir.path(),
        &["place", "two.toml", "--over-time", "--out", "shifted.toml"],
    );
    for row in rows(&printed) {
        let (alone, shifted) = (number(&row, "alone_us"), number(&row, "shifted_us"));
        assert!((alone - 8.0 * 1_000.0).abs() < 8.0 * 4.0, "{printed}");
        assert!((shifted - alone).abs() < 1e-3 * alone, "{printed}");
        assert_eq!(row["predicted_us"], row["alone_us"], "{printed}");
        // Side by side each has half the cable in every round.
        assert!(number(&row, "written_us") > 1.4 * alone, "{printed}");
    }
    // What was written runs as it was said.
    stdout(
        dir.path(),
        &["run", "shifted.toml", "--set", "output.alone=true", "--out", "r"],
    );
    let points: Vec<_> = fs::read_dir(dir.path().join("r/points"))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let jobs = csv(&points[0].path().join("jobs.csv"));
    assert_eq!((points.len(), jobs.len()), (1, 2));
    assert!(jobs.iter().all(|job| number(job, "slowdown") < 1.001), "{jobs:?}");
    let again = stdout(dir.path(), &["place", "two.toml", "--over-time"]);
    assert_eq!(again, printed);
}

#[test]
fn nothing_is_planned_over_time_without_jobs_or_outages() {
    let plain = "load_balancing = \"spray\"\nworkload = { all-to-all = { message = \"1KB\" } }
topology = { leaf-spine = { leaves = 2, spines = 2, hosts_per_leaf = 2, host_link = { rate = \"100Gbps\" }, fabric_link = { rate = \"100Gbps\" } } }\n";
    let dir = folder(&[("p.toml", plain)]);
    let refused = run(dir.path(), &["place", "p.toml", "--over-time"]);
    assert_eq!(refused.status.code(), Some(2));
    let message = text(&refused.stderr);
    assert!(
        message.contains("there are no jobs whose starts could be moved apart"),
        "{message}"
    );
    let ring = [
        "place",
        "p.toml",
        "--over-time",
        "--set",
        "workload={ all-reduce = { size = \"1MB\" } }",
    ];
    let refused = run(
        dir.path(),
        &[
            &ring[..],
            &[
                "--set",
                "faults=[{ link = \"leaf0-spine0\", down = true, from = \"1us\", until = \"9us\" }]",
            ],
        ]
        .concat(),
    );
    let message = text(&refused.stderr);
    assert!(message.contains("is not all there at the beginning"), "{message}");
}

/// Both cables of a leaf are down for a while: all waits that can.
#[test]
fn a_plan_over_an_outage_waits_for_its_end() {
    let outage = r#"
load_balancing = "spray"
faults = [
  { link = "leaf0-spine0", down = true, from = "10us", until = "50us" },
  { link = "leaf0-spine1", down = true, from = "10us", until = "50us" },
]

[topology.leaf-spine]
leaves = 2
spines = 2
hosts_per_leaf = 2
host_link = { rate = "100Gbps", delay = "0ns" }
fabric_link = { rate = "100Gbps", delay = "0ns" }

[workload.shift]
offset = 2
message = "250KB"
"#;
    let dir = folder(&[("o.toml", outage)]);
    let printed = stdout(dir.path(), &["place", "o.toml", "--over-time", "--out", "plan.json"]);
    // Half of each 250 KB in the first 10 us, the other half in the 10 us after the outage.
    let plan: serde_json::Value = serde_json::from_slice(&fs::read(dir.path().join("plan.json")).unwrap()).unwrap();
    for key in ["end_us", "bound_us", "fluid_end_us"] {
        assert!((plan[key].as_f64().unwrap() - 60.0).abs() < 1e-3, "{key}: {plan}");
    }
    let spans = rows(&printed);
    let bytes: Vec<f64> = spans.iter().map(|span| plan_bytes(&plan, span)).collect();
    assert_eq!(bytes, [500_000.0, 0.0, 500_000.0], "{printed}");
}

fn plan_bytes(plan: &serde_json::Value, span: &Row) -> f64 {
    let from = number(span, "from_us");
    let spans = plan["spans"].as_array().unwrap();
    let of = spans
        .iter()
        .find(|span| span["from_us"].as_f64().unwrap() == from)
        .unwrap();
    let flows = of["flows"].as_array().unwrap();
    flows.iter().map(|flow| flow["bytes"].as_f64().unwrap()).sum()
}

const FLEET: &str = r#"
name = "f"
load_balancing = "spray"

[topology.leaf-spine]
leaves = 2
spines = 1
hosts_per_leaf = 4
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }

[workload.program]
ops = [
  { name = "compute", compute = "100us" },
  { name = "send", shift = { offset = 1, message = "1MB" }, after = ["compute"] },
]

[fleet]
jobs = { file = "jobs.csv" }
policies = ["packed", "spread"]
"#;

/// Jobs that fill a leaf each disturb nobody; those on both leaves share the only up-link; and who finds no hosts
/// waits for those that have them.
#[test]
fn jobs_of_a_fleet_wait_and_share() {
    let jobs = "name,arrival,hosts,rounds\na,0us,4,50\nb,0us,4,50\nc,1us,8,10\n";
    let dir = folder(&[("f.toml", FLEET), ("jobs.csv", jobs)]);
    stdout(dir.path(), &["fleet", "f.toml", "--out", "r"]);
    let all = csv(&dir.path().join("r/fleet.csv"));
    let of = |policy: &str, job: &str| {
        let found = all.iter().find(|row| row["policy"] == policy && row["job"] == job);
        found.unwrap().clone()
    };
    for job in ["a", "b"] {
        assert!((number(&of("packed", job), "stretch") - 1.0).abs() < 1e-6, "{all:?}");
        // Two hosts of each leaf send to the other one: four flows on a cable instead of none.
        assert!(number(&of("spread", job), "stretch") > 1.3, "{all:?}");
    }
    for policy in ["packed", "spread"] {
        let last = ["a", "b"].map(|job| number(&of(policy, job), "end_us"));
        let start = number(&of(policy, "c"), "start_us");
        assert!((start - last[0].max(last[1])).abs() < 1e-5, "{all:?}");
        let slowdown = number(&of(policy, "c"), "slowdown");
        assert!((slowdown - 1.0).abs() < 1e-6 || policy == "spread", "{all:?}");
    }
    let wrong = folder(&[
        ("f.toml", FLEET),
        ("jobs.csv", "name,arrival,hosts,rounds\na,0us,9,50\n"),
    ]);
    let message = text(&run(wrong.path(), &["fleet", "f.toml"]).stderr);
    assert!(
        message.contains("the job `a` needs 9 hosts, and the fabric has 8"),
        "{message}"
    );
}

/// While the only up-link is at half its rate, so is what crosses it.
#[test]
fn an_outage_slows_a_fleet_down_while_it_lasts() {
    let with = format!("{FLEET}outages = {{ file = \"outages.csv\" }}\n");
    let jobs = "name,arrival,hosts,rounds\na,0us,8,100\n";
    let run = |outages: &str| {
        let dir = folder(&[("f.toml", &with), ("jobs.csv", jobs), ("outages.csv", outages)]);
        stdout(dir.path(), &["fleet", "f.toml", "--out", "r"]);
        number(&csv(&dir.path().join("r/fleet.csv"))[0], "end_us")
    };
    let healthy = run("link,from,until\nleaf0-spine0,900s,901s\n");
    let slow = run("link,from,until,rate\nleaf0-spine0,0us,900s,50Gbps\n");
    // A round computes for 100 us; one flow crosses each way.
    assert!(slow > 1.2 * healthy, "{healthy} {slow}");
    let half = healthy / 2.0;
    let between = run(&format!("link,from,until,rate\nleaf0-spine0,{half}us,900s,50Gbps\n"));
    assert!(
        (between - (healthy + slow) / 2.0).abs() < 0.02 * healthy,
        "{healthy} {between} {slow}"
    );
}

/// A slow link that nobody is told of: what iterations before have seen of marks keeps bytes off it. On a healthy fabric there is
/// nothing to learn.
#[test]
fn learned_weights_avoid_a_slow_link() {
    let experiment = r#"
engine = "packet"
transport = "dctcp"

[topology.leaf-spine]
leaves = 4
spines = 4
hosts_per_leaf = 4
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }

[workload.all-to-all]
message = "128KB"

[sweep]
load_balancing = ["spray", { learned = { iterations = 15 } }]
seed = [1, 2]
"#;
    let slow = "\n[[faults]]\nlink = \"leaf0-spine0\"\nrate = \"25Gbps\"\nfrom = \"1ns\"\n";
    let dir = folder(&[
        ("healthy.toml", experiment),
        ("slow.toml", &format!("{experiment}{slow}")),
    ]);
    let over_bound = |file: &str, scheme: &str| {
        let folder = format!("{file}-{scheme}");
        stdout(dir.path(), &["run", &format!("{file}.toml"), "--out", &folder]);
        let rows = csv(&dir.path().join(folder).join("results.csv"));
        let of = rows.iter().filter(|row| row["load_balancing"].starts_with(scheme));
        of.map(|row| number(row, "cct_over_bound")).sum::<f64>() / 2.0
    };
    let (sprayed, learned) = (over_bound("slow", "spray"), over_bound("slow", "learned"));
    assert!(sprayed > 2.0 && learned < 1.4, "{sprayed} {learned}");
    let (sprayed, learned) = (over_bound("healthy", "spray"), over_bound("healthy", "learned"));
    assert!(learned < 1.01 * sprayed, "{sprayed} {learned}");
}

/// What is written beside a plan over outages runs, and ends when the plan says, within 2 %: links go down and slow down, one is down at the beginning,
/// packets have headers, and nothing that is under way when a link goes down waits for it.
#[test]
fn a_plan_over_outages_runs_as_planned() {
    let outages = r#"
name = "o"
load_balancing = "spray"
transport = "dctcp"
faults = [
  { link = "leaf0-spine0", down = true, from = "200us", until = "600us" },
  { link = "leaf2-spine1", down = true, until = "300us" },
  { link = "leaf1-spine1", rate = "25Gbps", from = "100us", until = "500us" },
]

[topology.leaf-spine]
leaves = 4
spines = 2
hosts_per_leaf = 2
host_link = { rate = "100Gbps" }
fabric_link = { rate = "100Gbps" }

[workload.all-to-all]
message = "1MB"
"#;
    let dir = folder(&[("o.toml", outages)]);
    let refused = run(dir.path(), &["place", "o.toml", "--over-time", "--out", "plan.csv"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("write `--out plan.json`"));
    let placed = run(dir.path(), &["place", "o.toml", "--over-time", "--out", "plan.json"]);
    let told = text(&placed.stderr);
    let said = told.split("all there after ").nth(1).unwrap();
    let end: f64 = said.split_whitespace().next().unwrap().parse().unwrap();
    let plan: serde_json::Value = serde_json::from_slice(&fs::read(dir.path().join("plan.json")).unwrap()).unwrap();
    let least = plan["bound_us"].as_f64().unwrap();
    stdout(dir.path(), &["run", "plan.toml", "--out", "r"]);
    let row = &csv(&dir.path().join("r/results.csv"))[0];
    let taken = number(row, "cct_us");
    // Senders share links fairly, where the plan has it otherwise: the last bytes come a little later.
    assert!(
        least < taken && taken < 1.02 * end && end < 1.05 * least,
        "{least} {end} {taken}"
    );
}
