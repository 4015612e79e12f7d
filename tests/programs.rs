//! Programs, streams and several jobs as a user runs them: closed forms on an idle fabric, and what jobs do to each other.

use std::fs;
use std::path::Path;

use crate::cli::{folder, stdout};

const FABRIC: &str = r#"
[topology.leaf-spine]
leaves = 4
spines = 2
hosts_per_leaf = 4
host_link = { rate = "100Gbps", delay = "1us" }
fabric_link = { rate = "100Gbps", delay = "1us" }
"#;

/// Picoseconds of a byte at 100 Gb/s.
const BYTE: u64 = 80;
/// One way between two hosts of a leaf: two links.
const NEAR: u64 = 2_000_000;

/// A table as rows of cells by column.
struct Table(Vec<Vec<(String, String)>>);

impl Table {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let row = |line: &str| {
            let cells = names.iter().zip(line.split(','));
            cells
                .map(|(name, cell)| ((*name).to_owned(), cell.to_owned()))
                .collect()
        };
        Self(lines.map(row).collect())
    }

    fn cell(&self, row: usize, name: &str) -> &str {
        let cells = &self.0[row];
        &cells
            .iter()
            .find(|(column, _)| column == name)
            .unwrap_or_else(|| panic!("no {name}"))
            .1
    }

    fn number(&self, row: usize, name: &str) -> f64 {
        let cell = self.cell(row, name);
        cell.parse().unwrap_or_else(|_| panic!("{name} is `{cell}`"))
    }
}

/// The results of an experiment of one point, and the folder of that point.
fn run(experiment: &str) -> (Table, tempfile::TempDir) {
    let dir = folder(&[("x.toml", experiment)]);
    stdout(dir.path(), &["run", "x.toml", "--out", "out", "--quiet"]);
    (Table::read(&dir.path().join("out/results.csv")), dir)
}

fn detail(dir: &tempfile::TempDir, file: &str) -> Table {
    let mut points = fs::read_dir(dir.path().join("out/points")).unwrap();
    Table::read(&points.next().unwrap().unwrap().path().join(file))
}

fn picoseconds(us: f64) -> u64 {
    (us * 1e6).round() as u64
}

fn cct(workload: &str, engine: &str) -> u64 {
    cct_on(FABRIC, workload, engine)
}

fn cct_on(fabric: &str, workload: &str, engine: &str) -> u64 {
    let engine = match engine {
        // Without acknowledgements, which would share the links with what is passed on.
        "packet" => "engine = \"packet\"\ntransport = \"udp\"\n",
        "ideal" => "engine = \"packet\"\ntransport = \"ideal\"\n",
        _ => "",
    };
    picoseconds(run(&format!("{engine}{fabric}{workload}")).0.number(0, "cct_us"))
}

#[test]
fn a_program_that_only_computes_takes_exactly_its_time() {
    let program = r#"
        [workload.program]
        repeat = 4
        ops = [{ name = "a", compute = "1.5us" }, { name = "b", compute = "250ns", groups = [[3]], after = ["a"] }]
    "#;
    for engine in ["flow", "packet"] {
        assert_eq!(cct(program, engine), 4 * 1_750_000, "{engine}");
    }
    let (results, _) = run(&format!("{FABRIC}{program}"));
    // Of 16 ranks one computes a little longer.
    assert_eq!(results.number(0, "compute_us"), 4.0 * (1.5 + 0.25 / 16.0));
    assert_eq!(results.number(0, "exposed_us"), 0.0);
    assert_eq!(results.number(0, "cct_over_bound"), 1.0);
    assert_eq!(results.cell(0, "mfu"), "");
}

#[test]
fn computation_hides_communication() {
    // A shift of 100 kB over two spines, twice as much as they carry, takes 16 us and a way of 4 links.
    let program = |compute: &str| {
        format!(
            r#"
            [output]
            ops = true
            [workload.program]
            ops = [
                {{ name = "data", shift = {{ message = "100KB", offset = 4 }} }},
                {{ name = "work", compute = "{compute}" }},
                {{ name = "rest", compute = "1us", after = ["data", "work"] }},
            ]
            "#
        )
    };
    for (compute, cct, exposed) in [("5us", 21.0, 15.0), ("30us", 31.0, 0.0)] {
        let (results, dir) = run(&format!("load_balancing = \"ethereal\"\n{FABRIC}{}", program(compute)));
        assert_eq!(results.number(0, "cct_us"), cct);
        assert_eq!(results.number(0, "exposed_us"), exposed);
        let ops = detail(&dir, "ops.csv");
        let names = [
            "op",
            "job",
            "group",
            "ranks",
            "bytes",
            "start_us",
            "end_us",
            "busy_us",
            "exposed_us",
        ];
        assert_eq!(
            ops.0[0].iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            names
        );
        assert_eq!(
            (ops.cell(0, "op"), ops.number(0, "bytes"), ops.number(0, "exposed_us")),
            ("data", 1.6e6, exposed)
        );
        assert_eq!(
            (ops.cell(2, "op"), ops.number(2, "start_us"), ops.number(2, "end_us")),
            ("rest", cct - 1.0, cct)
        );
    }
}

/// One transfer for every neighbor: the chain takes the way of a first packet at every hop, and the data once.
#[test]
fn streams_take_their_closed_forms() {
    let (header, payload) = (64, 4_096);
    let packet = (header + payload) * BYTE;
    let bytes = 100 * payload;
    let alone = |bytes: u64| 100 * packet * bytes / (100 * payload) + packet + NEAR;
    for name in ["broadcast", "reduce"] {
        let chain = format!("[workload.{name}]\nsize = {bytes}\nalgorithm = \"ring\"\npipelined = true\nranks = 4");
        assert_eq!(cct(&chain, "flow"), 3 * NEAR + bytes * BYTE, "{name}");
        assert_eq!(cct(&chain, "packet"), 2 * (2 * packet + NEAR) + alone(bytes), "{name}");
    }
    for (name, phases) in [("all-gather", 1), ("reduce-scatter", 1), ("all-reduce", 2)] {
        let ring = format!("[workload.{name}]\nsize = {bytes}\npipelined = true\nranks = 4");
        let each = phases * bytes * 3 / 4;
        assert_eq!(cct(&ring, "flow"), NEAR + each * BYTE, "{name}");
        assert_eq!(cct(&ring, "packet"), alone(each), "{name}");
    }
}

/// 16 hosts of one switch, and 4 servers of 4 on rails.
const ONE_SWITCH: &str = r#"
    [topology.leaf-spine]
    leaves = 1
    spines = 1
    hosts_per_leaf = 16
    host_link = { rate = "100Gbps", delay = "1us" }
    fabric_link = { rate = "100Gbps", delay = "1us" }
"#;
const SERVERS: &str = r#"
    [topology.rail]
    servers = 4
    gpus = 4
    host_link = { rate = "100Gbps", delay = "1us" }
    server_link = { rate = "400Gbps", delay = "500ns" }
"#;

/// Wire time of a full packet at 100 Gb/s, and of an acknowledgement at the fastest links.
const PACKET: u64 = (4_096 + 64) * BYTE;
const FASTEST_ACK: u64 = 64 * BYTE / 4;

/// A message of so many full packets over two links: all of them cross the first, and the last one the second.
fn message(packets: u64, packet: u64, way: u64) -> u64 {
    (packets + 1) * packet + way
}

/// Packet by packet on an idle fabric: to the picosecond without acknowledgements; with them (`ideal`), a packet now and then stands behind
/// acknowledgements that go the same way, and nothing else is different.
#[test]
fn packets_take_the_closed_forms_of_collectives() {
    const SHARE: u64 = 10;
    let all = 16 * SHARE * 4_096;
    let rounds = |packets: &[u64]| packets.iter().map(|&n| message(n, PACKET, NEAR)).sum::<u64>();
    let inside = 3 * message(4 * SHARE, PACKET / 4, NEAR / 2);
    let across = 3 * message(SHARE, PACKET, NEAR);
    let doubling = rounds(&[SHARE, 2 * SHARE, 4 * SHARE, 8 * SHARE]);
    let alike = |name: &str, algorithm: &str| format!("[workload.{name}]\nsize = {all}\nalgorithm = \"{algorithm}\"");
    let to_all = |algorithm: &str| {
        format!(
            "[workload.all-to-all]\nmessage = {}\nalgorithm = \"{algorithm}\"",
            SHARE * 4_096
        )
    };
    for (fabric, workload, expected) in [
        (ONE_SWITCH, alike("all-reduce", "ring"), rounds(&[SHARE; 30])),
        (ONE_SWITCH, alike("all-gather", "pat"), doubling),
        (ONE_SWITCH, alike("reduce-scatter", "pat"), doubling),
        (ONE_SWITCH, alike("all-gather", "bruck"), doubling),
        (ONE_SWITCH, to_all("bruck"), rounds(&[8 * SHARE; 4])),
        // The first of 16 chunks over 15 hops, and the others behind it.
        (
            ONE_SWITCH,
            format!("{}\nchunks = 16", alike("broadcast", "ring")),
            15 * message(SHARE, PACKET, NEAR) + 15 * SHARE * PACKET,
        ),
        (SERVERS, alike("reduce-scatter", "hierarchical"), inside + across),
        (SERVERS, alike("all-gather", "hierarchical"), inside + across),
        (SERVERS, alike("all-reduce", "hierarchical"), 2 * (inside + across)),
        // To three ranks of the server what is for their rails, then to three servers.
        (
            SERVERS,
            to_all("two-step"),
            message(3 * 4 * SHARE, PACKET / 4, NEAR / 2) + message(3 * 4 * SHARE, PACKET, NEAR),
        ),
    ] {
        assert_eq!(cct_on(fabric, &workload, "packet"), expected, "{workload}");
        let later = cct_on(fabric, &workload, "ideal") - expected;
        assert_eq!(later % FASTEST_ACK, 0, "{workload}: {later}");
        assert!(later * 50 < expected, "{workload}: {later} of {expected}");
    }
}

/// The same as a fluid.
#[test]
fn rounds_take_their_closed_forms() {
    let all = 1_600_000;
    let round = |bytes: u64| NEAR + bytes * BYTE;
    let doubling: u64 = [1, 2, 4, 8].map(|shares| round(all / 16 * shares)).iter().sum();
    for (workload, expected) in [
        (
            format!("[workload.all-gather]\nsize = {all}\nalgorithm = \"pat\""),
            doubling,
        ),
        (
            format!("[workload.reduce-scatter]\nsize = {all}\nalgorithm = \"pat\""),
            doubling,
        ),
        (
            format!("[workload.all-gather]\nsize = {all}\nalgorithm = \"bruck\""),
            doubling,
        ),
        (
            "[workload.all-to-all]\nmessage = 10000\nalgorithm = \"bruck\"".to_owned(),
            4 * round(80_000),
        ),
        (
            format!("[workload.broadcast]\nsize = {all}\nalgorithm = \"ring\"\nchunks = 16"),
            15 * round(all / 16) + 15 * all / 16 * BYTE,
        ),
    ] {
        let cct = cct_on(ONE_SWITCH, &workload, "flow");
        assert!(
            cct.abs_diff(expected) <= expected / 1_000_000_000,
            "{workload}: {cct} {expected}"
        );
    }
}

/// On an idle fabric of servers.
#[test]
fn hierarchies_take_their_closed_forms() {
    let time = |workload: &str| cct_on(SERVERS, workload, "flow");
    let size = 1_600_000;
    let inside = 3 * (1_000_000 + size / 4 * BYTE / 4);
    let across = 3 * (2_000_000 + size / 16 * BYTE);
    for (name, phases) in [("reduce-scatter", 1), ("all-gather", 1), ("all-reduce", 2)] {
        let workload = format!("[workload.{name}]\nsize = {size}\nalgorithm = \"hierarchical\"");
        assert_eq!(time(&workload), phases * (inside + across), "{name}");
    }
    let message = 10_000;
    let workload = format!("[workload.all-to-all]\nmessage = {message}\nalgorithm = \"two-step\"");
    let near = 1_000_000 + 3 * 4 * message * BYTE / 4;
    let far = 2_000_000 + 3 * 4 * message * BYTE;
    assert_eq!(time(&workload), near + far);
    // Four rings that leave a server by four network cards carry four times as much as one over one card.
    let ring = |channels: u32| {
        time(&format!(
            "[workload.all-reduce]\nsize = \"64MB\"\nchannels = {channels}"
        ))
    };
    assert!(ring(1) > 3 * ring(4), "{} {}", ring(1), ring(4));
}

const JOBS: &str = r#"
[[jobs]]
name = "a"
hosts = HOSTS_A
[jobs.workload.all-reduce]
size = "1MB"

[[jobs]]
name = "b"
hosts = HOSTS_B
start = "5us"
[jobs.workload.all-reduce]
size = "2MB"
chunks = 2
"#;

fn jobs(a: &str, b: &str, more: &str) -> (Table, Table) {
    let jobs = JOBS.replace("HOSTS_A", a).replace("HOSTS_B", b);
    let (results, dir) = run(&format!("{more}{FABRIC}{jobs}\n[output]\nalone = true"));
    (results, detail(&dir, "jobs.csv"))
}

#[test]
fn jobs_on_leaves_of_their_own_have_their_results_alone() {
    for more in [
        "load_balancing = \"ecmp\"\n",
        "load_balancing = \"ethereal\"\n",
        "load_balancing = \"optimal-transport\"\n",
        "engine = \"packet\"\n",
        "engine = \"packet\"\nload_balancing = \"ethereal\"\n",
    ] {
        let (results, jobs) = jobs("\"0-7\"", "{ packed = 8 }", more);
        assert_eq!(results.cell(0, "workload"), "jobs");
        for job in 0..2 {
            assert_eq!(jobs.cell(job, "cct_us"), jobs.cell(job, "alone_us"), "{more}");
            assert_eq!(
                (jobs.cell(job, "ranks"), jobs.cell(job, "slowdown")),
                ("8", "1"),
                "{more}"
            );
        }
        let end = |job| jobs.number(job, "start_us") + jobs.number(job, "cct_us");
        assert!(
            (results.number(0, "cct_us") - f64::max(end(0), end(1))).abs() < 1e-5,
            "{more}"
        );
        // The same as a workload of its own on those hosts.
        let fabric = FABRIC.replace("\"100Gbps\", delay = \"1us\" }\n\"", "");
        let (alone, _) = run(&format!(
            "{more}{fabric}[workload.all-reduce]\nsize = \"1MB\"\nranks = 8"
        ));
        assert_eq!(alone.cell(0, "cct_us"), jobs.cell(0, "cct_us"), "{more}");
    }
}

#[test]
fn jobs_on_one_leaf_take_between_their_time_alone_and_the_sum() {
    // Every ring crosses from leaf 0 to leaf 1, whose two links they share.
    for engine in ["", "engine = \"packet\"\n"] {
        let (results, jobs) = jobs("[0, 4, 1, 5]", "[2, 6, 3, 7]", engine);
        let sum = jobs.number(0, "alone_us") + jobs.number(1, "alone_us");
        for job in 0..2 {
            let (cct, alone) = (jobs.number(job, "cct_us"), jobs.number(job, "alone_us"));
            assert!(alone * 0.999_999 <= cct && cct <= sum, "{engine}: {alone} {cct} {sum}");
        }
        assert!(
            jobs.number(0, "slowdown") + jobs.number(1, "slowdown") > 2.05,
            "{engine}"
        );
        assert!(results.number(0, "cct_over_bound") >= 1.0);
    }
}

/// What both send over a link is what each of them sends over it.
#[test]
fn bytes_of_jobs_on_one_leaf_add_up() {
    let [first, second] = [(0, "[0, 4, 1, 5]"), (1, "[2, 6, 3, 7]")].map(|(number, hosts)| {
        let (_, jobs) = JOBS.split_once("[[jobs]]").unwrap();
        let job = jobs.split("[[jobs]]").nth(number).unwrap();
        format!("[[jobs]]{}", job.replace("HOSTS_A", hosts).replace("HOSTS_B", hosts))
    });
    let bytes = |more: &str, jobs: &str| -> Vec<u64> {
        let (_, dir) = run(&format!("{more}{FABRIC}{jobs}\n[output]\nlinks = true"));
        let links = detail(&dir, "links.csv");
        (0..links.0.len())
            .map(|row| links.number(row, "bytes") as u64)
            .collect()
    };
    for more in [
        "load_balancing = \"ethereal\"\n",
        "load_balancing = \"spray\"\n",
        "engine = \"packet\"\ntransport = \"udp\"\nload_balancing = \"ethereal\"\n",
    ] {
        let (a, b) = (bytes(more, &first), bytes(more, &second));
        let both = bytes(more, &format!("{first}{second}"));
        assert!(both.iter().sum::<u64>() > 0);
        for (link, (&both, alone)) in both.iter().zip(a.iter().zip(&b)).enumerate() {
            assert_eq!(both, alone.0 + alone.1, "{more}: {link}");
        }
    }
}

/// The bound of a program is its critical path, with each communication at its own bound.
#[test]
fn the_bound_of_a_program_adds_up_what_depends_on_each_other() {
    let program = r#"
        [workload.program]
        ops = [
            { name = "before", compute = "10us" },
            { name = "in", gather = { size = "1600KB" }, after = ["before"] },
            { name = "between", compute = "30us", groups = [[0]], after = ["in"] },
            { name = "out", scatter = { size = "1600KB" }, after = ["between"] },
            { name = "after", compute = "20us", after = ["out"] },
        ]
    "#;
    let (results, _) = run(&format!("load_balancing = \"spray\"\n{FABRIC}{program}"));
    // 1.5 MB into the root and out of it.
    let least = 10.0 + 2.0 * 120.0 + 30.0 + 20.0;
    assert!(
        results.number(0, "bound_us") >= least,
        "{}",
        results.number(0, "bound_us")
    );
    assert!(results.number(0, "cct_over_bound") < 1.03);
    assert_eq!(results.cell(0, "collective_bound_us"), "");
}
