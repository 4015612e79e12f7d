//! The fullest queue over time, of up-links, down-links and links to hosts.

use std::collections::BTreeMap;

use super::axes::{Axis, HEAD, Plane, TimeUnit, draw_head};
use super::drawing::{Anchor, Drawing, Frame, TEXT};
use super::figure::{Figure, NoFigure, missing};
use super::series::{cell, note_on_one, of_largest_size, series, told_apart};
use super::style::{Legend, Look, SMALL};
use crate::report::folder::{Folder, Subject};
use crate::results::{Direction, SeriesRow};

/// Kinds of queues, each in a panel of its own.
const CLASSES: [(&str, Direction); 4] = [
    ("up-links between switches", Direction::Up),
    ("links between switches of a tier", Direction::Level),
    ("down-links between switches", Direction::Down),
    ("links to hosts", Direction::ToHost),
];

/// Moments that a curve shows at most; of those between, the fullest.
const MOMENTS: usize = 600;

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let points = of_largest_size(&subject.points);
    let mut curves = Vec::new();
    for series in series(folder, &points) {
        let Some(first) = series.points.first() else { continue };
        if let Some(samples) = folder.detail::<SeriesRow>(first, "series.csv")? {
            curves.extend(CLASSES.iter().enumerate().map(|(class, (_, direction))| Curve {
                label: series.label.clone(),
                look: series.look.line_only(),
                class,
                fullest: fullest(&samples, *direction),
            }));
        }
    }
    told_apart(curves.len() / CLASSES.len())?;
    if curves.is_empty() {
        return missing("it needs series.csv: write `series = \"1us\"` under [output] (packet engine)");
    }
    let classes: Vec<usize> = (0..CLASSES.len())
        .filter(|&class| curves.iter().any(|c| c.class == class && !c.fullest.is_empty()))
        .collect();
    if classes.is_empty() {
        return missing("series.csv has no tiers: an earlier version wrote it; run the experiment again");
    }
    Ok(Figure {
        drawing: drawing(subject, &note_on_one(&points), &classes, &curves),
        headings: &["series", "links", "time_us", "fullest_queue_bytes"],
        rows: curves.iter().flat_map(Curve::rows).collect(),
    })
}

struct Curve {
    label: String,
    look: Look,
    class: usize,
    /// Time in µs and bytes.
    fullest: Vec<(f64, f64)>,
}

impl Curve {
    fn rows(&self) -> Vec<Vec<String>> {
        let class = CLASSES[self.class].0;
        let row = |&(us, bytes): &(f64, f64)| vec![self.label.clone(), class.to_owned(), cell(us), cell(bytes)];
        self.fullest.iter().map(row).collect()
    }
}

/// The fullest queue at each moment. Queues that are empty and idle have no sample.
fn fullest(samples: &[SeriesRow], direction: Direction) -> Vec<(f64, f64)> {
    let mut at: BTreeMap<u64, u64> = BTreeMap::new();
    let mut any = false;
    // All moments, so that a curve falls to zero where its queues are empty.
    for sample in samples {
        let fill = at.entry(ns(sample)).or_default();
        if sample.direction() == Some(direction) {
            *fill = (*fill).max(sample.queue_bytes);
            any = true;
        }
    }
    if !any {
        return Vec::new();
    }
    let moments: Vec<(u64, u64)> = at.into_iter().collect();
    let group = moments.len().div_ceil(MOMENTS).max(1);
    let peak = |group: &[(u64, u64)]| {
        let bytes = group.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0);
        (group[group.len() / 2].0 as f64 / 1e3, bytes as f64)
    };
    moments.chunks(group).map(peak).collect()
}

/// Time of a sample in whole nanoseconds, which can be sorted.
fn ns(sample: &SeriesRow) -> u64 {
    (sample.at_us.value() * 1e3).round().max(0.0) as u64
}

const PANEL: f64 = 240.0;

fn drawing(subject: &Subject<'_>, subtitle: &str, classes: &[usize], curves: &[Curve]) -> Drawing {
    let first = curves.iter().filter(|curve| curve.class == 0);
    let legend = Legend {
        entries: first.map(|c| (c.label.as_str(), c.look)).collect(),
    };
    let width = 640.0 + legend.width();
    let height = (HEAD + classes.len() as f64 * PANEL + 10.0).max(HEAD + 40.0 + legend.height());
    let mut drawing = Drawing::new(width, height);
    draw_head(&mut drawing, &format!("Fullest queue: {}", subject.title()), subtitle);
    let end = curves
        .iter()
        .flat_map(|c| &c.fullest)
        .map(|&(us, _)| us)
        .fold(0.0, f64::max);
    let unit = TimeUnit::for_us(end);
    let shown = |class: usize| curves.iter().filter(move |curve| curve.class == class);
    let queues: Vec<_> = classes
        .iter()
        .map(|&class| {
            let fills = shown(class).flat_map(|c| &c.fullest).map(|&(_, bytes)| bytes);
            let high = fills.fold(0.0, f64::max);
            let (name, bytes) = byte_unit(high);
            (bytes, Axis::from_zero(format!("Queue ({name})"), [high / bytes]))
        })
        .collect();
    let label_width = queues.iter().map(|(_, axis)| axis.label_width()).fold(0.0, f64::max);
    for (i, (&class, (bytes, axis))) in classes.iter().zip(queues).enumerate() {
        let top = HEAD + i as f64 * PANEL;
        let outer = Frame {
            left: 10.0,
            top: top + 14.0,
            right: width - legend.width() - 30.0,
            bottom: top + PANEL - 8.0,
        };
        let plane = Plane::draw(
            &mut drawing,
            outer,
            Axis::from_zero(format!("Time ({})", unit.name), [end / unit.us]),
            axis.at_least(label_width),
        );
        let title_at = (plane.frame.left, top + 8.0);
        drawing.text(title_at, CLASSES[class].0, SMALL, Anchor::Start, TEXT);
        for curve in shown(class) {
            let at = |&(us, fill): &(f64, f64)| plane.at((us / unit.us, fill / bytes));
            drawing.line(curve.fullest.iter().map(at).collect(), curve.look.stroke());
        }
    }
    legend.draw(&mut drawing, (width - legend.width() - 10.0, HEAD + 22.0));
    drawing
}

/// A unit in which a number of bytes is short, and its size.
pub(super) fn byte_unit(largest: f64) -> (&'static str, f64) {
    match largest {
        b if b < 10_000.0 => ("B", 1.0),
        b if b < 10_000_000.0 => ("KB", 1e3),
        _ => ("MB", 1e6),
    }
}
