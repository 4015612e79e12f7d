//! Completion time against size, one line per series, with the bounds that none can beat: of the schedule, and of the
//! collective by any schedule.

use super::axes::{Axis, HEAD, Plane, TimeUnit, draw_head};
use super::drawing::{Drawing, Frame, Stroke};
use super::figure::{Figure, NoFigure, missing};
use super::series::{Series, Spread, cell, note, series, sizes, told_apart};
use super::style::{Legend, Look};
use crate::report::folder::{Folder, Subject};
use crate::results::{Number, ResultRow};

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let sizes: Vec<u64> = sizes(&subject.points)
        .into_iter()
        .flatten()
        .filter(|&s| s > 0)
        .collect();
    if sizes.len() < 2 {
        return missing("the points have only one size");
    }
    let all = series(folder, &subject.points);
    let lines: Vec<Line> = all
        .iter()
        .map(|series| Line::of(series, &sizes))
        .filter(|line| !line.spreads.is_empty())
        .collect();
    if lines.is_empty() {
        return missing("no point has a completion time");
    }
    told_apart(lines.len())?;
    let mut bounds = bounds_of("bound of this schedule", &all, &sizes, 0, |row| row.bound_us);
    let next = bounds.len();
    bounds.extend(bounds_of("bound of the collective", &all, &sizes, next, |row| {
        row.collective_bound_us
    }));
    Ok(Figure {
        drawing: drawing(subject, &sizes, &lines, &bounds),
        headings: &["series", "size_bytes", "cct_us", "lowest_us", "highest_us", "points"],
        rows: rows(&lines, &bounds),
    })
}

/// A bound, and whose it is: series on fabrics with other failed links or rates have others.
struct Bound {
    label: String,
    look: Look,
    /// Size and µs.
    at: Vec<(u64, f64)>,
}

/// A bound in us, by size in bytes.
type BoundAt = Vec<(u64, f64)>;

/// The bounds of one kind that differ, each once, with the looks from number `first` on.
fn bounds_of(
    name: &str,
    all: &[Series<'_>],
    sizes: &[u64],
    first: usize,
    of: fn(&ResultRow) -> Option<Number>,
) -> Vec<Bound> {
    let mut found: Vec<(BoundAt, Vec<&Series<'_>>)> = Vec::new();
    for series in all {
        let bound = |&size: &u64| Some((size, series.spread(Some(size), of)?.low));
        let at: Vec<_> = sizes.iter().filter_map(bound).filter(|(_, us)| *us > 0.0).collect();
        if at.is_empty() {
            continue;
        }
        match found.iter_mut().find(|(known, _)| alike(known, &at)) {
            Some((known, owners)) => {
                if at.len() > known.len() {
                    *known = at;
                }
                owners.push(series);
            }
            None => found.push((at, vec![series])),
        }
    }
    let one = found.len() == 1;
    let named = found.into_iter().enumerate().map(|(n, (at, owners))| Bound {
        label: match one {
            true => name.to_owned(),
            false => format!("{name}, {}", owner(&owners)),
        },
        look: Look::bound(first + n),
        at,
    });
    named.collect()
}

/// What the series have in common besides their load balancing, or the first of them and how many there are.
fn owner(series: &[&Series<'_>]) -> String {
    let common = |series: &&Series<'_>| {
        let scheme = series
            .points
            .first()
            .map_or("", |point| point.row.load_balancing.as_str());
        series
            .label
            .strip_prefix(scheme)
            .unwrap_or_default()
            .trim_start_matches(", ")
            .to_owned()
    };
    let first = common(&series[0]);
    match series {
        [only] => only.label.clone(),
        _ if !first.is_empty() && series.iter().all(|other| common(other) == first) => first,
        [first, others @ ..] => format!("{} and {} more", first.label, others.len()),
        [] => String::new(),
    }
}

/// Whether two bounds are the same at the sizes that both have.
fn alike(a: &[(u64, f64)], b: &[(u64, f64)]) -> bool {
    let mut pairs = a.iter().filter_map(|(size, us)| {
        let other = b.iter().find(|(other, _)| other == size)?;
        Some((us, other.1))
    });
    pairs.all(|(a, b)| (a - b).abs() <= 1e-6 * a.max(b))
}

struct Line {
    label: String,
    look: Look,
    spreads: Vec<(u64, Spread)>,
}

impl Line {
    fn of(series: &Series<'_>, sizes: &[u64]) -> Self {
        let spread = |&size: &u64| {
            let times = series.spread(Some(size), |row| row.cct_us);
            times.filter(|times| times.low > 0.0).map(|times| (size, times))
        };
        Self {
            label: series.label.clone(),
            look: series.look,
            spreads: sizes.iter().filter_map(spread).collect(),
        }
    }
}

fn drawing(subject: &Subject<'_>, sizes: &[u64], lines: &[Line], bounds: &[Bound]) -> Drawing {
    let mut entries: Vec<(&str, Look)> = lines.iter().map(|line| (line.label.as_str(), line.look)).collect();
    entries.extend(bounds.iter().map(|bound| (bound.label.as_str(), bound.look)));
    let legend = Legend { entries };
    let (width, height) = (620.0 + legend.width(), 450.0_f64.max(HEAD + 30.0 + legend.height()));
    let mut drawing = Drawing::new(width, height);
    draw_head(
        &mut drawing,
        &format!("Completion time of {}", subject.title()),
        &note(&subject.points),
    );
    let times = || {
        let measured = lines
            .iter()
            .flat_map(|l| l.spreads.iter().flat_map(|(_, s)| [s.low, s.high]));
        measured.chain(bounds.iter().flat_map(|bound| &bound.at).map(|&(_, us)| us))
    };
    let unit = TimeUnit::for_us(times().fold(0.0, f64::max));
    let outer = Frame {
        left: 10.0,
        top: HEAD,
        right: width - legend.width() - 30.0,
        bottom: height - 10.0,
    };
    let plane = Plane::draw(
        &mut drawing,
        outer,
        Axis::sizes("Size of a message or buffer", sizes),
        Axis::log(format!("Completion time ({})", unit.name), times().map(|t| t / unit.us)),
    );
    let at = |size: u64, us: f64| plane.at((size as f64, us / unit.us));
    for bound in bounds {
        let line = bound.at.iter().map(|&(size, us)| at(size, us));
        drawing.line(line.collect(), bound.look.stroke());
    }
    for line in lines {
        drawing.line(
            line.spreads.iter().map(|(size, s)| at(*size, s.mean)).collect(),
            line.look.stroke(),
        );
    }
    for line in lines {
        for (size, spread) in &line.spreads {
            let stroke = Stroke::solid(line.look.ink, 1.2);
            drawing.segment(at(*size, spread.low), at(*size, spread.high), stroke);
            line.look.point(&mut drawing, at(*size, spread.mean));
        }
    }
    legend.draw(&mut drawing, (outer.right + 20.0, plane.frame.top));
    drawing
}

fn rows(lines: &[Line], bounds: &[Bound]) -> Vec<Vec<String>> {
    let measured = lines.iter().flat_map(|line| {
        line.spreads.iter().map(|(size, spread)| {
            let mut row = vec![line.label.clone(), size.to_string()];
            row.extend(spread.cells());
            row
        })
    });
    let bounds = bounds.iter().flat_map(|bound| {
        bound.at.iter().map(|&(size, us)| {
            let mut row = vec![bound.label.clone(), size.to_string(), cell(us)];
            row.resize(6, String::new());
            row
        })
    });
    measured.chain(bounds).collect()
}
