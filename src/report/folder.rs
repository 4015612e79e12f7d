//! A results folder, read back.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ReportError;
use crate::experiment::is_whole;
use crate::experiment::record::{ResultRow, read_csv};
use crate::input::open_file;

/// One point of the plan with its row of results.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub row: ResultRow,
    /// Its folder under `points/`.
    hash: Option<String>,
    /// The swept keys with more than one value, and this point's.
    swept: Vec<(String, String)>,
    /// Name of the workload, with the options in which a swept one differs from others of its kind.
    workload: String,
}

/// The points of a results folder in the plan's order.
#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    pub points: Vec<Point>,
}

/// Points about the same thing: one topology, one workload. A figure shows one of them.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub topology: &'a str,
    pub hosts: u32,
    pub workload: &'a str,
    pub points: Vec<&'a Point>,
}

impl Folder {
    /// Reads `results.csv` and `points.csv`.
    pub fn open(dir: &Path) -> Result<Self, ReportError> {
        let path = dir.join("results.csv");
        let text = read_lines(&path).map_err(|error| ReportError::file(&path, error))?;
        let rows: Vec<ResultRow> = read_csv(text.as_bytes()).map_err(|error| ReportError::content(&path, error))?;
        if rows.is_empty() {
            return Err(ReportError::content(&path, "there are no rows: no point has been run"));
        }
        let counts = Counts::read(dir)?;
        counts.check(&path, rows.len(), |counts| counts.points_done)?;
        let mut known = read_points(&dir.join("points.csv"), &counts)?;
        let first = known
            .values()
            .next()
            .map(|(_, swept)| swept.clone())
            .unwrap_or_default();
        let varies: Vec<bool> = (0..first.len())
            .map(|k| known.values().any(|(_, swept)| swept[k] != first[k]))
            .collect();
        let points = rows.into_iter().map(|row| {
            let (hash, swept) = known.remove(&row.point).unzip();
            let swept: Vec<_> = swept.unwrap_or_default();
            let swept = swept.into_iter().zip(&varies).filter(|(_, varies)| **varies);
            Point {
                workload: row.workload.clone(),
                row,
                hash,
                swept: swept.map(|(key_value, _)| key_value).collect(),
            }
        });
        let mut points: Vec<Point> = points.collect();
        tell_workloads_apart(&mut points);
        Ok(Self {
            dir: dir.to_owned(),
            points,
        })
    }

    /// The rows of a file of a point, such as `flows.csv`; `None` where it was not asked for.
    pub fn detail<R: for<'de> Deserialize<'de>>(
        &self,
        point: &Point,
        name: &str,
    ) -> Result<Option<Vec<R>>, ReportError> {
        let Some(hash) = &point.hash else {
            return Ok(None);
        };
        let path = self.dir.join("points").join(hash).join(name);
        if is_whole(&path) == Some(false) {
            let why = "it is not as `run` wrote it: run the experiment again";
            return Err(ReportError::content(&path, why));
        }
        match open_file(&path) {
            Ok(file) => read_csv(file)
                .map(Some)
                .map_err(|error| ReportError::content(&path, error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ReportError::file(&path, error)),
        }
    }

    /// The points by topology and workload, in order of appearance.
    pub fn subjects(&self) -> Vec<Subject<'_>> {
        let mut subjects: Vec<Subject<'_>> = Vec::new();
        for point in &self.points {
            let row = &point.row;
            let same = |s: &&mut Subject<'_>| {
                (s.topology, s.hosts, s.workload) == (row.topology.as_str(), row.hosts, point.workload.as_str())
            };
            match subjects.iter_mut().find(same) {
                Some(subject) => subject.points.push(point),
                None => subjects.push(Subject {
                    topology: &row.topology,
                    hosts: row.hosts,
                    workload: &point.workload,
                    points: vec![point],
                }),
            }
        }
        subjects
    }

    /// What tells the series of a figure apart: load balancing, and what else is swept but sizes,
    /// seeds and what makes a subject.
    pub fn label(&self, point: &Point) -> String {
        self.label_but_for(point, "")
    }

    /// The same without the value of one key.
    pub fn label_but_for(&self, point: &Point, left_out: &str) -> String {
        let mut label = point.row.load_balancing.clone();
        let telling = |(key, _): &&(String, String)| tells_series(key) && key != left_out;
        for (key, value) in point.swept.iter().filter(telling) {
            let name = key.rsplit('.').next().unwrap_or(key);
            match name {
                "engine" | "transport" => label += &format!(", {value}"),
                "faults" => label += &format!(", faults={}", shown_faults(value)),
                _ => label += &format!(", {name}={value}"),
            }
        }
        label
    }
}

/// Swept faults in short: `[{ link = leaf0-spine0, down = true }]` as `leaf0-spine0 down`.
fn shown_faults(value: &str) -> String {
    if value == "[]" {
        return "none".to_owned();
    }
    let text = value.replace("{ link = ", "").replace(", down = true", " down");
    text.replace(" }", "").replace(['[', ']'], "")
}

/// Adds to the names of swept workloads the options in which those of one kind differ, but their sizes.
fn tell_workloads_apart(points: &mut [Point]) {
    let options: Vec<Vec<String>> = points.iter().map(swept_options).collect();
    let names: Vec<String> = points.iter().map(|point| point.row.workload.clone()).collect();
    for (point, own) in points.iter_mut().zip(&options) {
        let others = || {
            options
                .iter()
                .zip(&names)
                .filter(|(_, name)| **name == point.row.workload)
        };
        let differs = |option: &&String| !others().all(|(options, _)| options.contains(option));
        let telling: Vec<&str> = own.iter().filter(differs).map(String::as_str).collect();
        if !telling.is_empty() {
            point.workload = format!("{} ({})", point.row.workload, telling.join(", "));
        }
    }
}

/// The values of the options of a swept workload, such as `{ all-reduce = { size = 1MB, algorithm = ring } }`, but
/// for sizes, which a figure shows along an axis; files without their folders.
fn swept_options(point: &Point) -> Vec<String> {
    let value = point
        .swept
        .iter()
        .find(|(key, _)| key == "workload")
        .map(|(_, value)| value.as_str());
    let Some((_, options)) = value.and_then(|value| value.trim_end_matches(['}', ' ']).rsplit_once("{ ")) else {
        return Vec::new();
    };
    let options = options.split(", ").filter_map(|option| option.split_once(" = "));
    let telling = options.filter(|(key, _)| !matches!(*key, "size" | "message"));
    telling
        .map(|(_, value)| value.rsplit('/').next().unwrap_or(value).to_owned())
        .collect()
}

fn tells_series(key: &str) -> bool {
    let size = key.starts_with("workload.") && (key.ends_with(".message") || key.ends_with(".size"));
    !size && !matches!(key, "seed" | "load_balancing" | "topology" | "workload")
}

impl Subject<'_> {
    /// `all-to-all on leaf-spine, 256 hosts`.
    pub fn title(&self) -> String {
        format!("{} on {}, {} hosts", self.workload, self.topology, self.hosts)
    }

    /// The same as part of a file's name.
    pub fn slug(&self) -> String {
        let text = format!("{}-{}-{}", self.workload, self.topology, self.hosts);
        let words = text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join("-")
    }
}

type Known = BTreeMap<u32, (String, Vec<(String, String)>)>;

/// Hash and swept values of each point; nothing where there is no such file.
fn read_points(path: &Path, counts: &Counts) -> Result<Known, ReportError> {
    let text = match read_lines(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Known::new()),
        Err(error) => return Err(ReportError::file(path, error)),
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let keys = reader
        .headers()
        .map_err(|error| ReportError::content(path, error))?
        .clone();
    let mut known = Known::new();
    for record in reader.records() {
        let record = record.map_err(|error| ReportError::content(path, error))?;
        let point = record.get(0).and_then(|cell| cell.parse().ok());
        let (Some(point), Some(hash)) = (point, record.get(1)) else {
            return Err(ReportError::content(path, "a row begins with a point and its hash"));
        };
        let values = keys.iter().zip(&record).skip(2);
        let swept = values.map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()));
        known.insert(point, (hash.to_owned(), swept.collect()));
    }
    counts.check(path, known.len(), |counts| counts.points)?;
    Ok(known)
}

/// How many rows there are to be, by `manifest.json`; nothing where there is no such file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counts {
    points: usize,
    points_done: usize,
}

impl Counts {
    fn read(dir: &Path) -> Result<Self, ReportError> {
        let path = dir.join("manifest.json");
        match open_file(&path).and_then(io::read_to_string) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| ReportError::content(&path, error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(ReportError::file(&path, error)),
        }
    }

    /// Refuses a file that has lost rows.
    fn check(&self, path: &Path, rows: usize, expected: impl Fn(&Self) -> usize) -> Result<(), ReportError> {
        let expected = expected(self);
        if rows < expected {
            let why =
                format!("it is cut off: {rows} rows where manifest.json has {expected}; run the experiment again");
            return Err(ReportError::content(path, why));
        }
        Ok(())
    }
}

/// A text of whole lines.
fn read_lines(path: &Path) -> io::Result<String> {
    let text = io::read_to_string(open_file(path)?)?;
    if text.is_empty() {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is empty"));
    }
    if !text.ends_with('\n') {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "it is cut off: its last line has no end; run the experiment again",
        ));
    }
    Ok(text)
}
