//! The details of a point: links, flows, operations and series, as far as a page has room.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::fabric::{Fabric, rows_of};
use super::series::Series;
use crate::report::ReportError;
use crate::report::folder::{Folder, Point};
use crate::report::step::Step;
use crate::results::{FlowRow, JobRow, LinkRow, Number, OpRow, PathRow, SeriesRow, TimelineRow};

/// Bytes of all details, and of one point, so that the page stays below 2 MB.
const MOST_BYTES: usize = 1_250_000;
/// Flows and intervals of operations of one point.
const MOST_FLOWS: usize = 2_500;
const MOST_INTERVALS: usize = 4_000;
/// Points that do not fit before no further ones are tried.
const MOST_MISSES: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Details {
    pub fabrics: Vec<Fabric>,
    pub points: BTreeMap<u32, Detail>,
    /// Points that have details, whether there was room or not.
    pub seen: usize,
    bytes: usize,
    misses: usize,
}

/// What is known of a point besides its row.
#[derive(Debug, Default, Serialize)]
pub(super) struct Detail {
    /// Number of its fabric.
    fabric: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    links: Option<Links>,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<Series>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flows: Option<Flows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeline: Option<Timeline>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jobs: Option<Vec<JobRow>>,
}

/// What links carried, by number.
#[derive(Debug, Serialize)]
struct Links {
    utilisation: Vec<Number>,
    bytes: Vec<Number>,
    max_queue: Vec<Option<u64>>,
    /// The name of the one that was used most, on the page or not.
    pub busiest: String,
    busiest_utilisation: Number,
}

#[derive(Debug, Default, Serialize)]
struct Flows {
    id: Vec<u32>,
    src: Vec<u32>,
    dst: Vec<u32>,
    bytes: Vec<u64>,
    start: Vec<Number>,
    fct: Vec<Number>,
    ideal: Vec<Option<Number>>,
    after: Vec<Option<u32>>,
    /// Names of links, and for each flow their places in it.
    names: Vec<String>,
    path: Vec<Vec<u32>>,
    blamed: Vec<Option<u32>>,
    left_out: usize,
}

/// When hosts, or groups where no host is known, were at operations.
#[derive(Debug, Default, Serialize)]
struct Timeline {
    rows: Vec<String>,
    ops: Vec<String>,
    purposes: Vec<String>,
    /// Row, operation, purpose.
    what: Vec<(u32, u32, u32)>,
    start: Vec<Number>,
    end: Vec<Number>,
    left_out: usize,
}

impl Details {
    /// Adds a point, if it has details and there is room.
    pub(super) fn add(&mut self, folder: &Folder, point: &Point) -> Result<(), ReportError> {
        if self.misses >= MOST_MISSES {
            return Ok(());
        }
        let known = self.fabrics.len();
        let (fabric, links) = self.fabric(folder, point)?;
        let mut detail = Detail {
            fabric,
            ..Detail::default()
        };
        if let Some(fabric) = fabric {
            let fabric = &self.fabrics[fabric];
            detail.links = links.as_ref().and_then(|links| Links::of(links, fabric));
            let series = folder.detail::<SeriesRow>(point, "series.csv")?;
            detail.series = series.and_then(|rows| Series::of(&rows, fabric));
        }
        let flows = folder.detail::<FlowRow>(point, "flows.csv")?;
        let paths = folder.detail::<PathRow>(point, "paths.csv")?;
        detail.flows = flows.map(|flows| Flows::of(&flows, &paths.unwrap_or_default()));
        let ops = folder.detail::<OpRow>(point, "ops.csv")?.unwrap_or_default();
        let timeline = folder.detail::<TimelineRow>(point, "timeline.csv")?.unwrap_or_default();
        detail.step = Step::of(&point.row, &ops, &timeline);
        detail.timeline = Timeline::of(&timeline, &ops);
        detail.jobs = folder.detail::<JobRow>(point, "jobs.csv")?;
        self.keep(point.row.point, detail, known);
        Ok(())
    }

    fn keep(&mut self, point: u32, detail: Detail, known: usize) {
        let new: usize = self.fabrics[known..].iter().map(size).sum();
        let bytes = size(&detail) + new;
        self.seen += usize::from(detail.has_something());
        if self.bytes + bytes > MOST_BYTES && !self.points.is_empty() {
            self.misses += 1;
            self.fabrics.truncate(known);
            return;
        }
        if detail.has_something() || detail.fabric.is_some() {
            self.bytes += bytes;
            self.points.insert(point, detail);
        }
    }

    /// The number of a point's fabric, and its links.csv.
    fn fabric(&mut self, folder: &Folder, point: &Point) -> Result<(Option<usize>, Option<Vec<LinkRow>>), ReportError> {
        let links = folder.detail::<LinkRow>(point, "links.csv")?;
        let file = folder.fabric_name(point);
        if let Some(file) = &file
            && let Some(known) = self.fabrics.iter().position(|fabric| fabric.file == *file)
        {
            return Ok((Some(known), links));
        }
        let rows = folder.fabric(point)?;
        let Some(rows) = rows.or_else(|| links.as_ref().map(|links| rows_of(links))) else {
            return Ok((None, None));
        };
        let mut fabric = Fabric::of(&rows);
        fabric.file = file.unwrap_or_default();
        self.fabrics.push(fabric);
        Ok((Some(self.fabrics.len() - 1), links))
    }
}

/// How long something is as JSON.
fn size(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |text| text.len())
}

impl Detail {
    fn has_something(&self) -> bool {
        self.links.is_some() || self.flows.is_some() || self.timeline.is_some() || self.series.is_some()
    }

    /// The link that was used most, and which share of the time.
    pub(super) fn busiest(&self) -> Option<(&str, f64)> {
        let links = self.links.as_ref()?;
        Some((&links.busiest, links.busiest_utilisation.value()))
    }
}

impl Links {
    fn of(rows: &[LinkRow], fabric: &Fabric) -> Option<Self> {
        let count = fabric.links();
        let busiest = rows
            .iter()
            .reduce(|a, b| if b.utilisation > a.utilisation { b } else { a })?;
        let mut links = Self {
            utilisation: vec![Number::default(); count],
            bytes: vec![Number::default(); count],
            max_queue: vec![None; count],
            busiest: busiest.link.clone(),
            busiest_utilisation: busiest.utilisation,
        };
        for row in rows {
            if let Some(number) = fabric.number(&row.link) {
                let number = number as usize;
                links.utilisation[number] = row.utilisation;
                links.bytes[number] = row.bytes;
                links.max_queue[number] = row.max_queue_bytes;
            }
        }
        Some(links)
    }
}

impl Flows {
    fn of(rows: &[FlowRow], paths: &[PathRow]) -> Self {
        let by_flow: HashMap<u32, &PathRow> = paths.iter().map(|path| (path.flow, path)).collect();
        let chosen = chosen(rows, &by_flow);
        let mut flows = Self {
            left_out: rows.len() - chosen.len(),
            ..Self::default()
        };
        let mut names: HashMap<String, u32> = HashMap::new();
        for row in rows.iter().filter(|row| chosen.contains(&row.flow)) {
            let (Some(start), Some(fct)) = (row.start_us, row.fct_us) else {
                continue;
            };
            let path = by_flow.get(&row.flow);
            let mut number = |name: &str| {
                *names.entry(name.to_owned()).or_insert_with(|| {
                    flows.names.push(name.to_owned());
                    flows.names.len() as u32 - 1
                })
            };
            let links = path.iter().flat_map(|path| path.links.split_whitespace());
            flows.path.push(links.map(&mut number).collect());
            flows
                .blamed
                .push(path.and_then(|path| path.busiest_link.as_deref()).map(&mut number));
            flows.after.push(path.and_then(|path| path.after));
            flows.id.push(row.flow);
            flows.src.push(row.src);
            flows.dst.push(row.dst);
            flows.bytes.push(row.bytes);
            flows.start.push(start);
            flows.fct.push(fct);
            flows.ideal.push(row.ideal_fct_us);
        }
        flows
    }
}

/// The flows for which there is room: those that the last one waited for, one after the other, then those of the senders in
/// these, then others.
fn chosen(rows: &[FlowRow], paths: &HashMap<u32, &PathRow>) -> BTreeSet<u32> {
    if rows.len() <= MOST_FLOWS {
        return rows.iter().map(|row| row.flow).collect();
    }
    let end = |row: &&FlowRow| Some(row.start_us?.value() + row.fct_us?.value());
    let ended = rows.iter().filter(|row| end(row).is_some());
    let last = ended.reduce(|a, b| if end(&b) > end(&a) { b } else { a });
    let mut chosen = BTreeSet::new();
    let mut at = last.map(|row| row.flow);
    while let Some(flow) = at.filter(|_| chosen.len() < MOST_FLOWS) {
        if !chosen.insert(flow) {
            break;
        }
        at = paths.get(&flow).and_then(|path| path.after);
    }
    let senders: BTreeSet<u32> = rows
        .iter()
        .filter(|row| chosen.contains(&row.flow))
        .map(|row| row.src)
        .collect();
    let (near, far): (Vec<&FlowRow>, Vec<&FlowRow>) = rows.iter().partition(|row| senders.contains(&row.src));
    for row in near.into_iter().chain(far) {
        if chosen.len() == MOST_FLOWS {
            break;
        }
        chosen.insert(row.flow);
    }
    chosen
}

impl Timeline {
    /// Of hosts; of groups of ranks where there is no timeline.csv.
    fn of(timeline: &[TimelineRow], ops: &[OpRow]) -> Option<Self> {
        let mut all = Self::default();
        if timeline.is_empty() {
            for op in ops {
                let row = match op.job.as_str() {
                    "" => format!("group {}", op.group),
                    job => format!("{job}, group {}", op.group),
                };
                all.add(row, &op.op, "communication", op.start_us, op.end_us);
            }
        }
        for row in timeline {
            let host = match row.job.as_str() {
                "" => format!("host {}", row.host),
                job => format!("host {} ({job})", row.host),
            };
            all.add(host, &row.op, &row.purpose, row.start_us, row.end_us);
        }
        (!all.what.is_empty()).then_some(all)
    }

    fn add(&mut self, row: String, op: &str, purpose: &str, start: Number, end: Number) {
        if self.what.len() == MOST_INTERVALS {
            self.left_out += 1;
            return;
        }
        let what = (
            place(&mut self.rows, &row),
            place(&mut self.ops, op),
            place(&mut self.purposes, purpose),
        );
        self.what.push(what);
        self.start.push(start);
        self.end.push(end);
    }
}

/// The place of a text in a list, in which it is from then on.
fn place(list: &mut Vec<String>, text: &str) -> u32 {
    // What was met last comes again soonest.
    let known = list.iter().rposition(|known| known == text);
    known.unwrap_or_else(|| {
        list.push(text.to_owned());
        list.len() - 1
    }) as u32
}
