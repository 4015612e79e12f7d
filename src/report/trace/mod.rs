//! A point as a trace that Perfetto opens: for every host its operations and flows, for links their queues and use.
//!
//! Times are rounded to nanoseconds, which is all that the format has.

mod messages;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::path::Path;

use super::ReportError;
use super::folder::{Folder, Point};
use super::math::Intervals;
use crate::results::{FlowRow, LinkRow, OpRow, PathRow, SeriesRow, TimelineRow};
use writer::{Slice, Told, Track, Writer};

/// What a trace has.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Traced {
    /// How many intervals there are on the tracks of ranks.
    pub operations: usize,
    /// How many flows.
    pub flows: usize,
    /// How many values of counters.
    pub samples: usize,
}

/// Everything about a point that has a time.
#[derive(Debug, Default)]
struct Timed {
    flows: Vec<FlowRow>,
    paths: Vec<PathRow>,
    timeline: Vec<TimelineRow>,
    ops: Vec<OpRow>,
    series: Vec<SeriesRow>,
    links: Vec<LinkRow>,
}

/// Writes the trace of a point of a results folder.
///
/// # Errors
/// A folder that cannot be read, a point that is not there or of which nothing with a time was kept, a file that cannot
/// be written.
pub fn trace(dir: &Path, point: u32, path: &Path) -> Result<Traced, ReportError> {
    let folder = Folder::open(dir)?;
    let timed = Timed::read(&folder, find(&folder, point)?)?;
    if timed.flows.is_empty() && timed.ops.is_empty() && timed.series.is_empty() {
        return Err(ReportError::Nothing(format!(
            "point {point}: nothing with a time was kept of it; write `flows = true`, `ops = true` or `series = \"10us\"` under [output], and run the experiment again"
        )));
    }
    let draft = path.with_extension(format!("{}.part", std::process::id()));
    let written = std::fs::File::create(&draft)
        .map(io::BufWriter::new)
        .and_then(|mut out| {
            timed.write(&mut Writer::new(&mut out))?;
            out.flush()?;
            std::fs::rename(&draft, path)
        });
    written.map_err(|error| {
        let _ = std::fs::remove_file(&draft);
        ReportError::file(path, error)
    })?;
    Ok(Traced {
        operations: timed.operations(),
        flows: timed.flows.len(),
        samples: timed.series.len(),
    })
}

fn find(folder: &Folder, point: u32) -> Result<&Point, ReportError> {
    folder
        .points
        .iter()
        .find(|known| known.row.point == point)
        .ok_or_else(|| {
            let last = folder.points.iter().map(|point| point.row.point).max().unwrap_or(0);
            ReportError::Nothing(format!(
                "--point {point}: there is no such point; they are numbered from 0 to {last}"
            ))
        })
}

impl Timed {
    fn read(folder: &Folder, point: &Point) -> Result<Self, ReportError> {
        Ok(Self {
            flows: folder.detail(point, "flows.csv")?.unwrap_or_default(),
            paths: folder.detail(point, "paths.csv")?.unwrap_or_default(),
            timeline: folder.detail(point, "timeline.csv")?.unwrap_or_default(),
            ops: folder.detail(point, "ops.csv")?.unwrap_or_default(),
            series: folder.detail(point, "series.csv")?.unwrap_or_default(),
            links: folder.detail(point, "links.csv")?.unwrap_or_default(),
        })
    }

    /// Operations of hosts, or of groups where no hosts are known.
    fn operations(&self) -> usize {
        match self.timeline.len() {
            0 => self.ops.len(),
            hosts => hosts,
        }
    }

    fn write<W: Write>(&self, out: &mut Writer<W>) -> io::Result<()> {
        let flows = self.flow_slices();
        let mut hosts: BTreeMap<u32, (Vec<Slice>, Vec<Slice>)> = BTreeMap::new();
        for row in &self.timeline {
            hosts.entry(row.host).or_default().0.push(operation(row));
        }
        for (host, slice) in flows {
            hosts.entry(host).or_default().1.push(slice);
        }
        for (host, (operations, flows)) in hosts {
            let process = out.process(&format!("host {host}"))?;
            let (computes, others) = operations
                .into_iter()
                .partition(|slice: &Slice| slice.category == "compute");
            write_lanes(out, process, "compute", computes)?;
            write_lanes(out, process, "communication", others)?;
            write_lanes(out, process, "flows", flows)?;
        }
        if self.timeline.is_empty() && !self.ops.is_empty() {
            let process = out.process("groups of ranks")?;
            let slices = self.ops.iter().map(|op| Slice {
                name: format!("{}, group {}", op.op, op.group),
                category: "operation",
                start: op.start_us.value(),
                end: op.end_us.value(),
                told: vec![("bytes", Told::Number(op.bytes as f64))],
                ..Slice::default()
            });
            write_lanes(out, process, "operations", slices.collect())?;
        }
        self.write_series(out)
    }

    /// The flows by sender, with an arrow from the one that each waited for.
    fn flow_slices(&self) -> Vec<(u32, Slice)> {
        let paths: HashMap<u32, &PathRow> = self.paths.iter().map(|path| (path.flow, path)).collect();
        let mut leaving: HashMap<u32, Vec<u64>> = HashMap::new();
        for path in &self.paths {
            if let Some(after) = path.after {
                leaving.entry(after).or_default().push(arrow(path.flow));
            }
        }
        let slice = |row: &FlowRow| {
            let (start, fct) = (row.start_us?.value(), row.fct_us?.value());
            let path = paths.get(&row.flow);
            let mut told = vec![
                ("flow", Told::Number(f64::from(row.flow))),
                ("bytes", Told::Number(row.bytes as f64)),
            ];
            told.extend(
                row.slowdown
                    .map(|slowdown| ("slowdown", Told::Number(slowdown.value()))),
            );
            let links = path.filter(|path| !path.links.is_empty());
            told.extend(links.map(|path| ("path", Told::Text(path.links.clone()))));
            let blamed = path.and_then(|path| path.busiest_link.clone());
            told.extend(blamed.map(|link| ("busiest_link", Told::Text(link))));
            let slice = Slice {
                name: format!("to host {}", row.dst),
                category: "flow",
                start,
                end: start + fct,
                told,
                leaving: leaving.get(&row.flow).cloned().unwrap_or_default(),
                arriving: path
                    .and_then(|path| path.after)
                    .map(|_| arrow(row.flow))
                    .into_iter()
                    .collect(),
            };
            Some((row.src, slice))
        };
        self.flows.iter().filter_map(slice).collect()
    }

    fn write_series<W: Write>(&self, out: &mut Writer<W>) -> io::Result<()> {
        let rates: HashMap<&str, f64> = self
            .links
            .iter()
            .map(|link| (link.link.as_str(), link.rate_gbps.value()))
            .collect();
        let mut by_link: BTreeMap<&str, Vec<&SeriesRow>> = BTreeMap::new();
        self.series
            .iter()
            .for_each(|row| by_link.entry(&row.link).or_default().push(row));
        let Some(Intervals { us: interval, .. }) = Intervals::of(&self.series) else {
            return Ok(());
        };
        let process = out.process("links")?;
        for (link, rows) in by_link {
            let queue = out.counter(process, &format!("{link} queue"), "bytes")?;
            counts(out, queue, &rows, interval, |row| row.queue_bytes as f64)?;
            let rate = rates.get(link).copied().filter(|rate| *rate > 0.0);
            let (name, unit) = match rate {
                Some(_) => ("use", "percent"),
                None => ("sent", "Gb/s"),
            };
            // Gb/s are 125 bytes in a microsecond.
            let gbps = |row: &SeriesRow| row.sent_bytes as f64 / 125.0 / interval;
            let used = out.counter(process, &format!("{link} {name}"), unit)?;
            counts(out, used, &rows, interval, |row| match rate {
                Some(rate) => 100.0 * gbps(row) / rate,
                None => gbps(row),
            })?;
        }
        Ok(())
    }
}

/// The samples of a link; between two that are further apart than the interval there was nothing.
fn counts<W: Write>(
    out: &mut Writer<W>,
    track: Track,
    rows: &[&SeriesRow],
    interval: f64,
    value: impl Fn(&SeriesRow) -> f64,
) -> io::Result<()> {
    let mut until = 0.0;
    for row in rows {
        // A sample is about the interval that ends with it.
        let start = row.at_us.value() - interval;
        if start > until + interval / 2.0 {
            out.count(track, until, 0.0)?;
        }
        out.count(track, start.max(0.0), value(row))?;
        until = row.at_us.value();
    }
    out.count(track, until, 0.0)
}

fn arrow(flow: u32) -> u64 {
    u64::from(flow) + 1
}

fn operation(row: &TimelineRow) -> Slice {
    Slice {
        name: row.op.clone(),
        category: if row.purpose == "compute" {
            "compute"
        } else {
            "communication"
        },
        start: row.start_us.value(),
        end: row.end_us.value(),
        told: vec![
            ("purpose", Told::Text(row.purpose.clone())),
            ("group", Told::Number(f64::from(row.group))),
        ],
        ..Slice::default()
    }
}

/// Writes slices on as many tracks as there are at a time, as those of one track cannot overlap.
fn write_lanes<W: Write>(out: &mut Writer<W>, process: Track, name: &str, mut slices: Vec<Slice>) -> io::Result<()> {
    slices.sort_by(|a, b| a.start.total_cmp(&b.start));
    let mut lanes: Vec<(f64, Vec<Slice>)> = Vec::new();
    for slice in slices {
        match lanes.iter_mut().find(|(end, _)| *end <= slice.start) {
            Some((end, lane)) => {
                *end = slice.end;
                lane.push(slice);
            }
            None => lanes.push((slice.end, vec![slice])),
        }
    }
    for (number, (_, lane)) in lanes.into_iter().enumerate() {
        let name = match number {
            0 => name.to_owned(),
            number => format!("{name} {}", number + 1),
        };
        let track = out.track(process, &name)?;
        for slice in lane {
            out.slice(track, slice)?;
        }
    }
    Ok(())
}
