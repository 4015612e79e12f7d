//! Completion time and time over bound against a number that is swept, other than the size: lines.

use std::collections::BTreeMap;

use super::axes::{Axis, HEAD, Plane, TimeUnit, draw_head};
use super::drawing::{BLACK, Drawing, Frame, Stroke};
use super::figure::{Figure, NoFigure, missing};
use super::series::{Spread, cell, note, of_largest_size, told_apart};
use super::style::{Legend, Look};
use crate::report::folder::{Folder, Point, Subject, quantity};
use crate::results::Number;

/// The values of a key as numbers, rising, with what the file says.
type Marks = BTreeMap<u64, (f64, String)>;

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let points = of_largest_size(&subject.points);
    let Some((key, marks)) = numeric_key(folder, &points) else {
        return missing("no number is swept besides sizes and seeds");
    };
    let lines = lines(folder, &points, &key);
    if lines.is_empty() {
        return missing("no point has a completion time over its bound");
    }
    told_apart(lines.len())?;
    Ok(Figure {
        drawing: drawing(subject, &points, &key, &marks, &lines),
        headings: &[
            "series",
            "value",
            "cct_us",
            "cct_over_bound",
            "lowest",
            "highest",
            "points",
        ],
        rows: lines.iter().flat_map(Line::rows).collect(),
    })
}

struct Line {
    label: String,
    look: Look,
    /// By value: the completion time in microseconds, and over the bound.
    spreads: Vec<(f64, Spread, Spread)>,
}

impl Line {
    fn rows(&self) -> Vec<Vec<String>> {
        let row = |(value, cct, ratio): &(f64, Spread, Spread)| {
            let mut row = vec![self.label.clone(), cell(*value), cell(cct.mean)];
            row.extend(ratio.cells());
            row
        };
        self.spreads.iter().map(row).collect()
    }
}

/// A number that orders as the values do.
fn ordered(value: f64) -> u64 {
    // Swept numbers are not negative; those that are come first.
    value.max(0.0).to_bits()
}

/// The swept key with the most values that are all numbers.
fn numeric_key(folder: &Folder, points: &[&Point]) -> Option<(String, Marks)> {
    let settings: Vec<Vec<(String, String)>> = points.iter().map(|point| folder.setting(point)).collect();
    let keys = settings.first()?.iter().enumerate();
    let numbers = keys.filter_map(|(at, (key, _))| {
        let is_size = key.ends_with(".size") || key.ends_with(".message");
        if key == "seed" || is_size {
            return None;
        }
        let mut marks = Marks::new();
        for setting in &settings {
            let text = &setting[at].1;
            let value = quantity(text)?;
            marks.insert(ordered(value), (value, text.clone()));
        }
        (marks.len() > 1).then(|| (key.clone(), marks))
    });
    // The first of several.
    numbers.reduce(|a, b| if b.1.len() > a.1.len() { b } else { a })
}

fn lines(folder: &Folder, points: &[&Point], key: &str) -> Vec<Line> {
    let mut groups: Vec<(String, BTreeMap<u64, Vec<&Point>>)> = Vec::new();
    for &point in points {
        let label = folder.label_but_for(point, key);
        let setting = folder.setting(point);
        let value = setting.iter().find(|(name, _)| name == key);
        let Some(value) = value.and_then(|(_, text)| quantity(text)) else {
            continue;
        };
        let at = groups.iter().position(|(known, _)| *known == label).unwrap_or_else(|| {
            groups.push((label, BTreeMap::new()));
            groups.len() - 1
        });
        groups[at].1.entry(ordered(value)).or_default().push(point);
    }
    let line = |(n, (label, groups)): (usize, (String, BTreeMap<u64, Vec<&Point>>))| {
        let spread = |(value, points): (u64, Vec<&Point>)| {
            let of = |number: fn(&Point) -> Option<Number>| {
                Spread::of(points.iter().filter_map(|point| number(point).map(Number::value)))
            };
            let (cct, ratio) = (of(|point| point.row.cct_us)?, of(|point| point.row.cct_over_bound)?);
            Some((f64::from_bits(value), cct, ratio))
        };
        Line {
            label,
            look: Look::of(n, n),
            spreads: groups.into_iter().filter_map(spread).collect(),
        }
    };
    let lines = groups.into_iter().enumerate().map(line);
    lines.filter(|line| !line.spreads.is_empty()).collect()
}

/// Width of each of the two planes.
const PLANE: f64 = 480.0;

fn drawing(subject: &Subject<'_>, points: &[&Point], key: &str, marks: &Marks, lines: &[Line]) -> Drawing {
    let legend = Legend {
        entries: lines.iter().map(|line| (line.label.as_str(), line.look)).collect(),
    };
    let height = 420.0_f64.max(HEAD + 30.0 + legend.height());
    let mut drawing = Drawing::new(2.0 * PLANE + legend.width() + 40.0, height);
    let name = key.rsplit('.').next().unwrap_or(key);
    let title = format!("Completion time against {name}: {}", subject.title());
    draw_head(&mut drawing, &title, &note(points));
    let spreads = || lines.iter().flat_map(|line| &line.spreads);
    let unit = TimeUnit::for_us(spreads().map(|(_, cct, _)| cct.high).fold(0.0, f64::max));
    let times = Axis::from_zero(
        format!("Completion time ({})", unit.name),
        spreads().map(|(_, cct, _)| cct.high / unit.us),
    );
    let ratios = Axis::around(
        "Completion time / bound (no unit)",
        spreads().flat_map(|(_, _, ratio)| [ratio.low, ratio.high]).chain([1.0]),
    );
    let mut left = 10.0;
    let mut right_top = HEAD;
    for (axis, is_ratio) in [(times, false), (ratios, true)] {
        let outer = Frame {
            left,
            top: HEAD,
            right: left + PLANE,
            bottom: height - 10.0,
        };
        let plane = Plane::draw(&mut drawing, outer, values_axis(name, marks), axis);
        if is_ratio {
            let one = plane.y_at(1.0);
            drawing.segment(
                (plane.frame.left, one),
                (plane.frame.right, one),
                Stroke::solid(BLACK, 1.0),
            );
        }
        for line in lines {
            let of = |(value, cct, ratio): &(f64, Spread, Spread)| match is_ratio {
                true => (*value, *ratio),
                false => (*value, cct.times(1.0 / unit.us)),
            };
            let mean = |at: &(f64, Spread)| plane.at((at.0, at.1.mean));
            let at: Vec<(f64, Spread)> = line.spreads.iter().map(of).collect();
            drawing.line(at.iter().map(mean).collect(), line.look.stroke());
            for (value, spread) in &at {
                let ends = [spread.low, spread.high].map(|y| plane.at((*value, y)));
                drawing.segment(ends[0], ends[1], Stroke::solid(line.look.ink, 1.2));
                line.look.point(&mut drawing, plane.at((*value, spread.mean)));
            }
        }
        left += PLANE + 10.0;
        right_top = plane.frame.top;
    }
    legend.draw(&mut drawing, (left + 10.0, right_top));
    drawing
}

/// Logarithmic where the values are orders of magnitude apart.
fn values_axis(name: &str, marks: &Marks) -> Axis {
    let values: Vec<f64> = marks.values().map(|(value, _)| *value).collect();
    let (low, high) = (values[0], values[values.len() - 1]);
    let axis = match low > 0.0 && high >= low * 16.0 {
        true => Axis::log(name, values),
        false => {
            let room = (high - low) * 0.05;
            Axis::linear(name, low - room, high + room)
        }
    };
    axis.marked(marks.values().map(|(value, text)| (*value, text.clone())).collect())
}
