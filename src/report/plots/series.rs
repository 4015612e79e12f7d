//! Points as series: grouped by what tells them apart, with the spread over their seeds.

use super::figure::{NoFigure, missing};
use super::style::{Look, MOST_SERIES};
use crate::report::folder::{Folder, Point};
use crate::results::{Number, ResultRow};
use crate::units::Bytes;

/// Points with the same label, in the plan's order.
pub(super) struct Series<'a> {
    pub label: String,
    pub look: Look,
    pub points: Vec<&'a Point>,
}

/// The series among some points. A label looks the same in all plots of the folder, and all series of one load
/// balancing have its color, where there are several of them.
pub(super) fn series<'a>(folder: &Folder, points: &[&'a Point]) -> Vec<Series<'a>> {
    let mut schemes: Vec<&str> = Vec::new();
    let mut all: Vec<Series<'a>> = Vec::new();
    let first = folder.points.first().map(|point| &point.row.load_balancing);
    let one_scheme = folder
        .points
        .iter()
        .all(|point| Some(&point.row.load_balancing) == first);
    for point in &folder.points {
        let label = folder.label(point);
        if all.iter().any(|series| series.label == label) {
            continue;
        }
        let scheme = point.row.load_balancing.as_str();
        let kind = schemes.iter().position(|known| *known == scheme).unwrap_or_else(|| {
            schemes.push(scheme);
            schemes.len() - 1
        });
        all.push(Series {
            label,
            look: Look::of(if one_scheme { all.len() } else { kind }, all.len()),
            points: Vec::new(),
        });
    }
    for &point in points {
        let label = folder.label(point);
        if let Some(series) = all.iter_mut().find(|s| s.label == label) {
            series.points.push(point);
        }
    }
    all.retain(|series| !series.points.is_empty());
    all
}

impl Series<'_> {
    /// The spread over seeds of some number of the points of one size.
    pub(super) fn spread(&self, size: Option<u64>, number: impl Fn(&ResultRow) -> Option<Number>) -> Option<Spread> {
        let of_size = self.points.iter().filter(|point| point.row.size_bytes == size);
        Spread::of(of_size.filter_map(|point| number(&point.row).map(Number::value)))
    }
}

/// Refuses more series than can be told apart by their colors and points.
pub(super) fn told_apart(count: usize) -> Result<(), NoFigure> {
    match count {
        0..=MOST_SERIES => Ok(()),
        count => missing(format!(
            "there are {count} series, and {MOST_SERIES} have colors and points of their own: sweep fewer at a time"
        )),
    }
}

/// The sizes among some points, rising; `None` for points without one.
pub(super) fn sizes(points: &[&Point]) -> Vec<Option<u64>> {
    let mut sizes: Vec<_> = points.iter().map(|point| point.row.size_bytes).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// The points of the largest size.
pub(super) fn of_largest_size<'a>(points: &[&'a Point]) -> Vec<&'a Point> {
    let largest = points.iter().map(|point| point.row.size_bytes).max().flatten();
    let of_size = points.iter().filter(|point| point.row.size_bytes == largest);
    of_size.copied().collect()
}

/// Mean and ends of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
    pub count: usize,
}

impl Spread {
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.collect();
        let count = values.len();
        (count > 0).then(|| Self {
            mean: values.iter().sum::<f64>() / count as f64,
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            count,
        })
    }

    /// The same in another unit.
    pub(super) fn times(self, factor: f64) -> Self {
        Self {
            mean: self.mean * factor,
            low: self.low * factor,
            high: self.high * factor,
            ..self
        }
    }

    /// Mean, ends and number as cells.
    pub(super) fn cells(&self) -> [String; 4] {
        [cell(self.mean), cell(self.low), cell(self.high), self.count.to_string()]
    }
}

/// Engine, size and seed, for the subtitle of what shows the first of the points of each series.
pub(super) fn note_on_one(points: &[&Point]) -> String {
    let first = &points[..1];
    let size = first[0]
        .row
        .size_bytes
        .map_or(String::new(), |size| format!("{}; ", Bytes(size)));
    format!("{}; {size}{}", engine(points), seeds(first))
}

/// Engine and seeds of some points, for a subtitle.
pub(super) fn note(points: &[&Point]) -> String {
    format!("{}; {}", engine(points), seeds(points))
}

fn engine(points: &[&Point]) -> String {
    let first = &points[0].row;
    let one_engine = points.iter().all(|p| p.row.engine == first.engine);
    let one_transport = points.iter().all(|p| p.row.transport == first.transport);
    let mut note = match one_engine {
        true => format!("{} engine", first.engine),
        false => "both engines".to_owned(),
    };
    if let Some(transport) = first.transport.as_ref().filter(|_| one_engine && one_transport) {
        note += &format!(", {transport}");
    }
    note
}

fn seeds(points: &[&Point]) -> String {
    let mut seeds: Vec<u64> = points.iter().map(|point| point.row.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    match seeds.as_slice() {
        [seed] => format!("seed {seed}"),
        seeds => format!("mean and range of {} seeds", seeds.len()),
    }
}

/// A number as results hold it.
pub(super) fn cell(value: f64) -> String {
    Number::new(value).to_string()
}
