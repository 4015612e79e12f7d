//! The points of a results folder, by what they are about and by what tells them apart.

use std::path::Path;

use serde::Deserialize;

use super::ReportError;
use crate::results::{self, FabricRow, FolderPoint, ReadError, ResultRow};

/// One point of the plan with its row of results.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub row: ResultRow,
    known: FolderPoint,
    /// Names of topology and workload, with the options in which swept tables differ from others of their kind.
    topology: String,
    workload: String,
}

/// The points of a results folder in the plan's order.
#[derive(Debug)]
pub(super) struct Folder {
    read: results::Folder,
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
    /// Reads a results folder.
    pub(super) fn open(dir: &Path) -> Result<Self, ReportError> {
        let read = results::Folder::open(dir)?;
        let topologies = told_apart(&read.points, "topology", |row| &row.topology);
        let workloads = told_apart(&read.points, "workload", |row| &row.workload);
        let names = topologies.into_iter().zip(workloads);
        let points = read
            .points
            .iter()
            .zip(names)
            .map(|(known, (topology, workload))| Point {
                row: known.row.clone(),
                known: known.clone(),
                topology,
                workload,
            });
        Ok(Self {
            points: points.collect(),
            read,
        })
    }

    /// The rows of a file of a point, such as `flows.csv`; `None` where it was not asked for.
    pub(super) fn detail<R: for<'de> Deserialize<'de>>(
        &self,
        point: &Point,
        name: &str,
    ) -> Result<Option<Vec<R>>, ReadError> {
        self.read.detail(&point.known, name)
    }

    /// What a point differs in from others: the last part of every swept key, and its value in short.
    pub(super) fn setting(&self, point: &Point) -> Vec<(String, String)> {
        let short = |(key, value): &(String, String)| {
            let value = match key.as_str() {
                "faults" => shown_faults(&point.known),
                "topology" => point.topology.clone(),
                "workload" => point.workload.clone(),
                "load_balancing" => point.row.load_balancing.clone(),
                "transport" => point.row.transport.clone().unwrap_or_default(),
                _ => short(&point.known, key, value),
            };
            (key.clone(), value)
        };
        point.known.swept.iter().map(short).collect()
    }

    /// The folder itself.
    pub(super) fn dir(&self) -> &Path {
        self.read.dir()
    }

    /// The links of the fabric of a point; `None` where they were not kept.
    pub(super) fn fabric(&self, point: &Point) -> Result<Option<Vec<FabricRow>>, ReadError> {
        self.read.fabric(&point.known)
    }

    /// What the file of that fabric is called.
    pub(super) fn fabric_name(&self, point: &Point) -> Option<String> {
        self.read.fabric_name(&point.known)
    }

    /// The points by topology and workload, in order of appearance.
    pub(super) fn subjects(&self) -> Vec<Subject<'_>> {
        let mut subjects: Vec<Subject<'_>> = Vec::new();
        for point in &self.points {
            let row = &point.row;
            let same = |s: &&mut Subject<'_>| {
                (s.topology, s.hosts, s.workload) == (point.topology.as_str(), row.hosts, point.workload.as_str())
            };
            match subjects.iter_mut().find(same) {
                Some(subject) => subject.points.push(point),
                None => subjects.push(Subject {
                    topology: &point.topology,
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
    pub(super) fn label(&self, point: &Point) -> String {
        self.label_but_for(point, "")
    }

    /// The same without the value of one key.
    pub(super) fn label_but_for(&self, point: &Point, left_out: &str) -> String {
        let mut label = point.row.load_balancing.clone();
        let telling = |(key, _): &&(String, String)| tells_series(key) && key != left_out;
        for (key, value) in point.known.swept.iter().filter(telling) {
            let name = key.rsplit('.').next().unwrap_or(key);
            match name {
                "engine" | "transport" => label += &format!(", {value}"),
                "faults" => label += &format!(", faults={}", shown_faults(&point.known)),
                _ => label += &format!(", {name}={}", short(&point.known, key, value)),
            }
        }
        label
    }
}

/// A swept value in short: of a table its options, such as `window 2 credits 8`, and of a file its name.
fn short(point: &FolderPoint, key: &str, value: &str) -> String {
    if !value.starts_with("{ ") && !value.starts_with("[{ ") {
        return value.rsplit('/').next().unwrap_or(value).to_owned();
    }
    let option = |(option, value): &(String, String)| {
        let inside = option.strip_prefix(key)?.strip_prefix('.')?;
        Some(format!("{} {value}", inside.rsplit('.').next().unwrap_or(inside)))
    };
    let options: Vec<String> = point.options.iter().filter_map(option).collect();
    match options.is_empty() {
        true => value.to_owned(),
        false => options.join(" "),
    }
}

/// A number, or one with a unit of bytes, time or rate, which all values of a key have; in bytes, microseconds, Gb/s.
pub(super) fn quantity(text: &str) -> Option<f64> {
    let split = text.find(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E');
    let (number, unit) = text.split_at(split.unwrap_or(text.len()));
    let factor = match unit.trim() {
        "" | "B" | "us" | "Gbps" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        "KB" | "kB" | "ms" | "Tbps" => 1e3,
        "MB" | "s" => 1e6,
        "GB" => 1e9,
        "ns" | "Mbps" => 1e-3,
        "ps" => 1e-6,
        _ => return None,
    };
    Some(number.trim().parse::<f64>().ok()? * factor)
}

/// Swept faults in short, such as `leaf0-spine0 down`.
fn shown_faults(point: &FolderPoint) -> String {
    let mut faults = String::new();
    let options = point.options.iter().filter_map(|(key, value)| {
        let (_, option) = key.strip_prefix("faults.")?.split_once('.')?;
        Some((option, value.as_str()))
    });
    for (option, value) in options {
        let before = if faults.is_empty() { "" } else { ", " };
        match (option, value) {
            ("link", link) => faults += &format!("{before}{link}"),
            ("down", "true") => faults += " down",
            _ => faults += &format!("{before}{option} = {value}"),
        }
    }
    match faults.is_empty() {
        true => "none".to_owned(),
        false => faults,
    }
}

/// The name of every point's topology or workload: its kind, with the options of a swept table in which those of one
/// kind differ.
fn told_apart(points: &[FolderPoint], key: &str, named: impl Fn(&ResultRow) -> &String) -> Vec<String> {
    let options: Vec<Vec<String>> = points.iter().map(|point| swept_options(point, key)).collect();
    let kinds: Vec<&str> = points
        .iter()
        .map(|point| swept_kind(point, key).unwrap_or_else(|| named(&point.row)))
        .collect();
    let name = |(own, kind): (&Vec<String>, &&str)| {
        let others = || options.iter().zip(&kinds).filter(|(_, other)| *other == kind);
        let differs = |option: &&String| !others().all(|(options, _)| options.contains(option));
        let telling: Vec<&str> = own.iter().filter(differs).map(String::as_str).collect();
        match telling.is_empty() {
            true => (*kind).to_owned(),
            false => format!("{kind} ({})", telling.join(", ")),
        }
    };
    options.iter().zip(&kinds).map(name).collect()
}

/// What kind a swept table is of: the part of its options' names behind the key.
fn swept_kind<'a>(point: &'a FolderPoint, key: &str) -> Option<&'a str> {
    let inside = |option: &'a str| option.strip_prefix(key)?.strip_prefix('.')?.split('.').next();
    point.options.iter().find_map(|(option, _)| inside(option))
}

/// The options of a swept table but for sizes, which a figure shows along an axis: names as they are, files without
/// their folders, numbers with what they count.
fn swept_options(point: &FolderPoint, key: &str) -> Vec<String> {
    let option = |(option, value): &(String, String)| {
        option.strip_prefix(key)?.strip_prefix('.')?;
        let name = option.rsplit('.').next()?;
        match name {
            "size" | "message" => None,
            _ if value.parse::<f64>().is_ok() => Some(format!("{name} {value}")),
            _ => Some(value.rsplit('/').next().unwrap_or(value).to_owned()),
        }
    };
    point.options.iter().filter_map(option).collect()
}

fn tells_series(key: &str) -> bool {
    let size = key.starts_with("workload.") && (key.ends_with(".message") || key.ends_with(".size"));
    !size && !matches!(key, "seed" | "load_balancing" | "topology" | "workload")
}

impl Subject<'_> {
    /// `all-to-all on leaf-spine, 256 hosts`.
    pub(super) fn title(&self) -> String {
        format!("{} on {}, {} hosts", self.workload, self.topology, self.hosts)
    }

    /// The same as part of a file's name.
    pub(super) fn slug(&self) -> String {
        let text = format!("{}-{}-{}", self.workload, self.topology, self.hosts);
        let words = text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_their_units() {
        for (text, number) in [
            ("1.5", 1.5),
            ("16KiB", 16_384.0),
            ("2 ms", 2_000.0),
            ("1e-3", 1e-3),
            ("25Gbps", 25.0),
        ] {
            assert_eq!(quantity(text), Some(number), "{text}");
        }
        for text in ["", "ring", "3 rings", "KiB"] {
            assert_eq!(quantity(text), None, "{text}");
        }
    }
}
