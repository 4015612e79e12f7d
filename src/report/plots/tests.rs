//! Plots of a small invented folder: what is made, what is not and why, and what the figures hold.

use std::fs;

use serde_json::{Value, json};

use super::*;
use crate::results::{FlowRow, LinkRow, ResultRow, SenderRow, SeriesRow};
use crate::rng::mix;

const SCHEMES: [(&str, f64, u64); 4] = [
    ("ecmp", 1.9, 1),
    ("ecmp-split(ways=4)", 1.3, 4),
    ("spray(choose=\"random\")", 1.02, 1),
    ("ethereal", 1.0, 2),
];
const SIZES: [u64; 4] = [8_192, 65_536, 262_144, 1_048_576];

/// A number between 0 and 1.
fn noise(of: u64) -> f64 {
    (mix(of) >> 40) as f64 / (1_u64 << 24) as f64
}

/// One point of each engine, size, scheme and seed.
fn result(point: u64, engine: &str, size: u64, scheme: usize, seed: u64) -> ResultRow {
    let (name, factor, ways) = SCHEMES[scheme];
    let bound = 255.0 * size as f64 * 8.0 / 100e3 + 2.3;
    let wobble = if scheme == 3 { 0.0 } else { 0.12 * noise(point) };
    let packets = if engine == "packet" { 1.04 } else { 1.0 };
    let ratio = (factor + wobble) * packets;
    row(json!({
        "point": point, "engine": engine, "topology": "leaf-spine", "hosts": 256, "workload": "all-to-all",
        "size_bytes": size, "load_balancing": name, "seed": seed,
        "cct_us": bound * ratio, "bound_us": bound, "cct_over_bound": ratio, "collective_bound_us": 0.75 * bound,
        "congestion_ratio": factor + wobble, "flows": 65_280, "subflows": 65_280 * ways,
    }))
}

fn row<R: for<'de> serde::Deserialize<'de>>(value: Value) -> R {
    serde_json::from_value(value).unwrap()
}

fn write<R: serde::Serialize>(path: &Path, rows: &[R]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = csv::Writer::from_path(path).unwrap();
    rows.iter().for_each(|row| writer.serialize(row).unwrap());
    writer.flush().unwrap();
}

/// The folder of a sweep over engines, sizes, schemes and three seeds.
fn invent(dir: &Path, engines: &[&str], details: bool) {
    let (mut rows, mut points) = (
        Vec::new(),
        "point,hash,engine,load_balancing,workload.all-to-all.message,seed\n".to_owned(),
    );
    for engine in engines {
        for size in SIZES {
            for scheme in 0..SCHEMES.len() {
                for seed in 1..=3 {
                    let point = rows.len() as u64;
                    rows.push(result(point, engine, size, scheme, seed));
                    points += &format!("{point},h{point},\"\"\"{engine}\"\"\",x,{size},{seed}\n");
                    if details {
                        invent_details(&dir.join(format!("points/h{point}")), size, scheme, point);
                    }
                }
            }
        }
    }
    write(&dir.join("results.csv"), &rows);
    fs::write(dir.join("points.csv"), points).unwrap();
}

/// The tier of a node of that folder.
fn tier(name: &str) -> u32 {
    let kinds = ["host", "leaf", "spine"];
    kinds.iter().position(|kind| name.starts_with(kind)).unwrap() as u32
}

fn invent_details(dir: &Path, size: u64, scheme: usize, point: u64) {
    let (_, factor, _) = SCHEMES[scheme];
    let flow = |id: u64| {
        let fct = size as f64 * 8.0 / 100e3 * 200.0 * (1.0 + (factor - 0.99) * noise(mix(point) + id).powi(2));
        row::<FlowRow>(json!({
            "flow": id, "src": 0, "dst": 1, "bytes": size, "start_us": 0, "fct_us": fct, "ack_fct_us": fct,
            "ideal_fct_us": 10, "slowdown": fct / 10.0, "subflows": 1, "paths": 1,
        }))
    };
    write(&dir.join("flows.csv"), &(0..400).map(flow).collect::<Vec<_>>());
    let names = || {
        let pairs = (0..16).flat_map(|leaf| (0..8).map(move |spine| (format!("leaf{leaf}"), format!("spine{spine}"))));
        let hosts = (0..32).map(|host| (format!("leaf{}", host / 2), format!("host{host}")));
        pairs.chain(hosts).flat_map(|(a, b)| [(a.clone(), b.clone()), (b, a)])
    };
    let link = |(i, (from, to)): (usize, (String, String))| {
        let bytes = size as f64 * 240.0 * (1.0 + (factor - 1.0) * (noise(point * 1_000 + i as u64) - 0.5));
        let rate = if from == "leaf3" && to == "spine2" { 0 } else { 100 };
        row::<LinkRow>(json!({
            "link": format!("{from}->{to}"), "from": from, "to": to, "rate_gbps": rate, "bytes": bytes, "utilisation": 0.5,
            "from_tier": tier(&from), "to_tier": tier(&to),
        }))
    };
    write(
        &dir.join("links.csv"),
        &names().enumerate().map(link).collect::<Vec<_>>(),
    );
    let sample = |at: f64| {
        names().enumerate().map(move |(i, (from, to))| {
            let swell = (at / 40.0).sin().max(0.0) * (factor - 0.9);
            let draw = noise(point * 100_000 + at as u64 * 400 + i as u64);
            row::<SeriesRow>(json!({
                "at_us": at, "link": format!("{from}->{to}"), "queue_bytes": (swell * draw * 400e3) as u64,
                "sent_bytes": (12_500.0 * (0.9 - 0.3 * (factor - 1.0) * draw)) as u64,
                "from_tier": tier(&from), "to_tier": tier(&to),
            }))
        })
    };
    // One a microsecond, and a last one at the end of the run.
    let moments = (1..=119).map(f64::from).chain([119.3]);
    write(&dir.join("series.csv"), &moments.flat_map(sample).collect::<Vec<_>>());
}

fn names(plots: &[PlotMade]) -> Vec<&str> {
    plots.iter().map(|plot| plot.name.as_str()).collect()
}

/// Width and height from the header of a PNG.
fn png_size(path: &Path) -> (u32, u32) {
    let bytes = fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n", "{}", path.display());
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (word(16), word(20))
}

#[test]
fn a_sweep_without_details_has_the_plots_of_its_results() {
    let dir = tempfile::tempdir().unwrap();
    invent(dir.path(), &["flow", "packet"], false);
    let plots = plot_folder(dir.path()).unwrap();
    assert_eq!(
        names(&plots.made),
        ["cct-vs-size", "cct-over-bound", "congestion-vs-subflows", "engines"]
    );
    let reasons: Vec<_> = plots
        .skipped
        .iter()
        .map(|s| format!("{}: {}", s.name, s.reason))
        .collect();
    insta::assert_snapshot!(reasons.join("\n"), @r#"
    cct-vs-swept: no number is swept besides sizes and seeds
    fct-cdf: it needs flows.csv: write `flows = true` under [output]
    link-load: it needs links.csv: write `links = true` under [output]
    queue-over-time: it needs series.csv: write `series = "1us"` under [output] (packet engine)
    utilisation-over-time: it needs series.csv and links.csv: write `series = "1us"` and `links = true` under [output] (packet engine)
    senders-over-time: it needs senders.csv: write `senders = "1us"` under [output] (packet engine)
    timeline: it needs timeline.csv: write `ops = true` under [output] (programs and training)
    step: it needs ops.csv of a program that was done: write `ops = true` under [output]
    "#);
    for plot in &plots.made {
        let [svg, png, csv] = &plot.files;
        let text = fs::read_to_string(svg).unwrap();
        assert!(text.contains("all-to-all on leaf-spine, 256 hosts") && text.ends_with("</svg>\n"));
        let (width, height) = png_size(png);
        assert!(text.contains(&format!("width=\"{}\" height=\"{}\"", width / 2, height / 2)));
        assert!(fs::read_to_string(csv).unwrap().lines().count() > 3);
    }
}

#[test]
fn the_csv_behind_a_plot_holds_mean_and_range_over_seeds() {
    let dir = tempfile::tempdir().unwrap();
    invent(dir.path(), &["packet"], false);
    let folder = Folder::open(dir.path()).unwrap();
    let Ok(figure) = cct_over_bound::draw(&folder, &folder.subjects()[0]) else {
        panic!("there are bounds");
    };
    // The second scheme's three seeds are points 3, 4 and 5.
    let ratio = |point| result(point, "packet", 8_192, 1, 1).cct_over_bound.unwrap().value();
    let ratios = [3, 4, 5].map(ratio);
    let ends = (
        ratios.iter().copied().fold(9.0, f64::min),
        ratios.iter().copied().fold(0.0, f64::max),
    );
    let expected = [ratios.iter().sum::<f64>() / 3.0, ends.0, ends.1].map(series::cell);
    assert_eq!(
        figure.rows[1][..2],
        ["ecmp-split(ways=4)".to_owned(), "8192".to_owned()]
    );
    assert_eq!(figure.rows[1][2..5], expected);
}

#[test]
fn details_are_plotted_where_they_were_kept() {
    let dir = tempfile::tempdir().unwrap();
    invent(dir.path(), &["packet"], true);
    let folder = Folder::open(dir.path()).unwrap();
    let subjects = folder.subjects();
    let figure = |draw: Draw| match draw(&folder, &subjects[0]) {
        Ok(figure) => figure,
        Err(NoFigure::Missing(reason)) => panic!("{reason}"),
        Err(NoFigure::Failed(error)) => panic!("{error}"),
    };
    // Flows: every curve ends with all of them, and has 3 seeds of 400.
    let cdf = figure(fct_cdf::draw);
    let last = cdf.rows.iter().rfind(|row| row[0] == "ethereal").unwrap();
    assert_eq!(last[2], "1");
    assert!(cdf.rows.iter().filter(|row| row[0] == "ethereal").count() <= 1_200);
    // Links: both directions of 16 x 8 cables, one of them down.
    let load = figure(link_load::draw);
    let ecmp = || load.rows.iter().filter(|row| row[0] == "ecmp");
    assert_eq!(ecmp().count(), 2 * 16 * 8);
    let dead: Vec<_> = ecmp()
        .filter(|row| row[2].is_empty())
        .map(|row| row[1].as_str())
        .collect();
    assert_eq!(dead, ["leaf3->spine2"]);
    // Samples: three classes of links at 120 moments; full intervals are at most wholly used.
    let queue = figure(queue_over_time::draw);
    assert_eq!(
        queue
            .rows
            .iter()
            .filter(|row| row[0] == "spray(choose=\"random\")")
            .count(),
        3 * 120
    );
    let busy = figure(utilisation_over_time::draw);
    let value = |row: &Vec<String>| row[4].parse::<f64>().ok();
    assert!(
        busy.rows
            .iter()
            .filter(|row| row[1] == "down")
            .filter_map(value)
            .all(|v| (0.0..=1.0).contains(&v))
    );
}

#[test]
fn swept_workloads_of_one_kind_are_subjects_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let workloads = [
        "\"{ all-reduce = { size = 1MB, algorithm = ring } }\",1MB,ring,,",
        "\"{ all-reduce = { size = 4MB, algorithm = ring } }\",4MB,ring,,",
        "\"{ all-reduce = { size = 1MB, algorithm = halving-doubling, order = far-first } }\",1MB,halving-doubling,far-first,",
        "\"{ flows = { file = sizes/1.csv } }\",,,,sizes/1.csv",
    ];
    let options = ["size", "algorithm", "order"].map(|option| format!("workload.all-reduce.{option}"));
    let mut points = format!("point,hash,workload,{},workload.flows.file\n", options.join(","));
    let mut rows = Vec::new();
    for (at, workload) in workloads.iter().enumerate() {
        let mut row = result(at as u64, "flow", 1_000_000 * (1 + at as u64), 0, 1);
        row.workload = workload.split('"').nth(1).unwrap().to_owned();
        rows.push(row);
        points += &format!("{at},h{at},{workload}\n");
    }
    write(&dir.path().join("results.csv"), &rows);
    fs::write(dir.path().join("points.csv"), points).unwrap();
    let folder = Folder::open(dir.path()).unwrap();
    let subjects = folder.subjects();
    let told: Vec<_> = subjects.iter().map(|s| (s.workload, s.points.len())).collect();
    assert_eq!(
        told,
        [
            ("all-reduce (ring)", 2),
            ("all-reduce (halving-doubling, far-first)", 1),
            ("flows", 1),
        ]
    );
    assert_eq!(subjects[0].slug(), "all-reduce-ring-leaf-spine-256");
}

#[test]
fn a_folder_without_results_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let error = plot_folder(dir.path()).unwrap_err().to_string();
    assert!(error.contains("results.csv: "), "{error}");
    fs::write(dir.path().join("results.csv"), "point,engine\n0,flow\n").unwrap();
    let error = plot_folder(dir.path()).unwrap_err().to_string();
    assert!(error.contains("missing field"), "{error}");
}

/// All text of a figure.
fn words(figure: &Figure) -> Vec<&str> {
    let text = figure.drawing.shapes.iter().filter_map(|shape| match shape {
        drawing::Shape::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    text.collect()
}

fn drawn(folder: &Folder, draw: Draw) -> Figure {
    match draw(folder, &folder.subjects()[0]) {
        Ok(figure) => figure,
        Err(NoFigure::Missing(reason)) => panic!("{reason}"),
        Err(NoFigure::Failed(error)) => panic!("{error}"),
    }
}

/// A sweep over faults: scheme 0 on the whole fabric and on one with a bound twice as long, where it takes no longer.
fn invent_faults(dir: &Path, sizes: &[u64]) {
    let (mut rows, mut points) = (Vec::new(), "point,hash,faults,faults.0.link,faults.0.down\n".to_owned());
    for &size in sizes {
        for (faults, factor) in [
            ("[],,", 1.0),
            ("\"[{ link = leaf0-spine0, down = true }]\",leaf0-spine0,true", 2.0),
        ] {
            let at = rows.len() as u64;
            let whole = result(0, "flow", size, 0, 1);
            let bound = whole.bound_us.unwrap().value() * factor;
            let cct = whole.cct_us.unwrap().value();
            let mut row = result(at, "flow", size, 0, 1);
            (row.cct_us, row.bound_us) = (Some(cct.into()), Some(bound.into()));
            row.cct_over_bound = Some((cct / bound).into());
            rows.push(row);
            points += &format!("{at},h{at},{faults}\n");
        }
    }
    write(&dir.join("results.csv"), &rows);
    fs::write(dir.join("points.csv"), points).unwrap();
}

/// Over its own bound the broken fabric would look twice as good as the whole one: times are shown, and whose bound is whose.
#[test]
fn bounds_that_differ_have_owners_and_times_are_absolute() {
    let dir = tempfile::tempdir().unwrap();
    invent_faults(dir.path(), &SIZES);
    let folder = Folder::open(dir.path()).unwrap();
    let bars = drawn(&folder, cct_over_bound::draw);
    let text = words(&bars);
    assert!(text[0].starts_with("Completion time and bound: "), "{text:?}");
    let cct: f64 = bars.rows[6][6].parse().unwrap();
    assert_eq!(bars.rows[6][6], bars.rows[7][6]);
    let shown = format!("{:.2} ms (", cct / 1e3);
    assert_eq!(
        text.iter().filter(|word| word.starts_with(&shown)).count(),
        2,
        "{text:?}"
    );
    let lines = drawn(&folder, cct_vs_size::draw);
    let bounds: Vec<_> = words(&lines)
        .into_iter()
        .filter(|word| word.starts_with("bound"))
        .collect();
    assert_eq!(
        bounds,
        [
            "bound of this schedule, ecmp, faults=none",
            "bound of this schedule, ecmp, faults=leaf0-spine0 down",
            // The same of both: no algorithm has anything to do with that link.
            "bound of the collective"
        ]
    );
    // One fabric: one bound, and bars over it, with times beside them.
    let dir = tempfile::tempdir().unwrap();
    invent(dir.path(), &["packet"], false);
    let folder = Folder::open(dir.path()).unwrap();
    let (bars, lines) = (drawn(&folder, cct_over_bound::draw), drawn(&folder, cct_vs_size::draw));
    assert!(words(&bars)[0].starts_with("Completion time over the bound: "));
    assert!(
        words(&bars).iter().any(|word| word.ends_with(" ms)")),
        "{:?}",
        words(&bars)
    );
    assert!(words(&lines).contains(&"bound of this schedule"));
    assert!(words(&lines).contains(&"bound of the collective"));
    assert!(words(&bars)[1].contains("dashed: the bound of the collective"));
    let (schedule, collective): (f64, f64) = (bars.rows[0][7].parse().unwrap(), bars.rows[0][8].parse().unwrap());
    assert!(
        (collective - 0.75 * schedule).abs() < 1e-6 * schedule,
        "{:?}",
        bars.rows[0]
    );
    // Dashes of a line for each size, all at one place: 0.75 of the bound of the schedule.
    let dashes = bars.drawing.shapes.iter().filter_map(|shape| match shape {
        drawing::Shape::Line { points, .. } => match points.as_slice() {
            &[(x, top), (other, bottom)] if x == other && (bottom - top - 4.0).abs() < 1e-9 => Some(x.to_bits()),
            _ => None,
        },
        _ => None,
    });
    let mut by_place = std::collections::BTreeMap::new();
    dashes.for_each(|x| *by_place.entry(x).or_insert(0) += 1);
    assert!(by_place.values().any(|&dashes| dashes >= SIZES.len()), "{by_place:?}");
}

/// 30 flows, of which every fifth has two sub-flows; windows and alpha, no rates and no credits.
#[test]
fn a_dozen_senders_are_drawn_with_what_they_have() {
    let dir = tempfile::tempdir().unwrap();
    invent(dir.path(), &["packet"], false);
    let sample = |at: u64| {
        (0..30_u64).flat_map(move |flow| {
            (0..1 + u64::from(flow % 5 == 0)).map(move |subflow| {
                row::<SenderRow>(json!({
                    "time_us": at, "flow": flow, "subflow": subflow, "src": flow, "dst": 40, "in_flight_bytes": 4_150 * (at % 7),
                    "window_bytes": 50_000 + 100 * ((at + flow) % 97), "alpha": 0.1, "rtt_us": 8.5,
                }))
            })
        })
    };
    write(
        &dir.path().join("points/h36/senders.csv"),
        &(1..2_000).flat_map(sample).collect::<Vec<_>>(),
    );
    let folder = Folder::open(dir.path()).unwrap();
    let figure = drawn(&folder, senders_over_time::draw);
    let text = words(&figure);
    assert!(text[1].ends_with("12 of 36 sub-flows"), "{text:?}");
    let names: Vec<_> = text.iter().filter(|word| word.starts_with("flow ")).collect();
    assert_eq!(names.len(), 12);
    assert_eq!(*names[1], "flow 2");
    for (title, there) in [
        ("Window", true),
        ("In flight", true),
        ("Alpha", true),
        ("Round trip", true),
        ("Rate", false),
        ("Credits", false),
    ] {
        assert_eq!(text.contains(&title), there, "{title}");
    }
    assert_eq!(figure.rows.len(), 12 * 1_999);
    assert_eq!(
        figure.rows[0][1..],
        ["0", "0", "1", "4150", "50100", "", "0.1", "8.5", ""]
    );
    // Curves keep their ends however many samples there are.
    let lines = figure.drawing.shapes.iter().filter_map(|shape| match shape {
        drawing::Shape::Line { points, .. } => Some(points.len()),
        _ => None,
    });
    assert!(lines.max().unwrap() <= 600);
}
