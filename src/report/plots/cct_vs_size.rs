//! Completion time against size, one line per series, with the bound that none can beat.

use super::axes::{Axis, HEAD, Plane, TimeUnit, draw_head};
use super::scene::{Frame, Scene, Stroke};
use super::series::{Series, Spread, cell, note, series, sizes};
use super::style::{Legend, Look};
use super::{Figure, NoFigure, missing};
use crate::experiment::record::Number;
use crate::report::folder::{Folder, Subject};

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let sizes: Vec<u64> = sizes(&subject.points)
        .into_iter()
        .flatten()
        .filter(|&s| s > 0)
        .collect();
    if sizes.len() < 2 {
        return missing("the points have only one size");
    }
    let lines: Vec<Line> = series(folder, &subject.points)
        .iter()
        .map(|series| Line::of(series, &sizes))
        .filter(|line| !line.spreads.is_empty())
        .collect();
    if lines.is_empty() {
        return missing("no point has a completion time");
    }
    let bound: Vec<(u64, f64)> = sizes
        .iter()
        .filter_map(|&size| {
            let of_size = subject.points.iter().filter(|p| p.row.size_bytes == Some(size));
            Spread::of(of_size.filter_map(|p| p.row.bound_us.map(Number::value))).map(|s| (size, s.low))
        })
        .filter(|(_, bound)| *bound > 0.0)
        .collect();
    Ok(Figure {
        scene: scene(subject, &sizes, &lines, &bound),
        headings: &["series", "size_bytes", "cct_us", "lowest_us", "highest_us", "points"],
        rows: rows(&lines, &bound),
    })
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

fn scene(subject: &Subject<'_>, sizes: &[u64], lines: &[Line], bound: &[(u64, f64)]) -> Scene {
    let mut entries: Vec<(&str, Look)> = lines.iter().map(|line| (line.label.as_str(), line.look)).collect();
    if !bound.is_empty() {
        entries.push(("bound", Look::BOUND));
    }
    let legend = Legend { entries };
    let (width, height) = (620.0 + legend.width(), 450.0_f64.max(HEAD + 30.0 + legend.height()));
    let mut scene = Scene::new(width, height);
    draw_head(
        &mut scene,
        &format!("Completion time of {}", subject.title()),
        &note(&subject.points),
    );
    let times = || {
        let measured = lines
            .iter()
            .flat_map(|l| l.spreads.iter().flat_map(|(_, s)| [s.low, s.high]));
        measured.chain(bound.iter().map(|&(_, b)| b))
    };
    let unit = TimeUnit::for_us(times().fold(0.0, f64::max));
    let outer = Frame {
        left: 10.0,
        top: HEAD,
        right: width - legend.width() - 30.0,
        bottom: height - 10.0,
    };
    let plane = Plane::draw(
        &mut scene,
        outer,
        Axis::sizes("Size of a message or buffer", sizes),
        Axis::log(format!("Completion time ({})", unit.name), times().map(|t| t / unit.us)),
    );
    let at = |size: u64, us: f64| plane.at((size as f64, us / unit.us));
    scene.line(
        bound.iter().map(|&(size, us)| at(size, us)).collect(),
        Look::BOUND.stroke(),
    );
    for line in lines {
        scene.line(
            line.spreads.iter().map(|(size, s)| at(*size, s.mean)).collect(),
            line.look.stroke(),
        );
    }
    for line in lines {
        for (size, spread) in &line.spreads {
            let stroke = Stroke::solid(line.look.ink, 1.2);
            scene.segment(at(*size, spread.low), at(*size, spread.high), stroke);
            line.look.point(&mut scene, at(*size, spread.mean));
        }
    }
    legend.draw(&mut scene, (outer.right + 20.0, plane.frame.top));
    scene
}

fn rows(lines: &[Line], bound: &[(u64, f64)]) -> Vec<Vec<String>> {
    let measured = lines.iter().flat_map(|line| {
        line.spreads.iter().map(|(size, spread)| {
            let mut row = vec![line.label.clone(), size.to_string()];
            row.extend(spread.cells());
            row
        })
    });
    let bounds = bound.iter().map(|&(size, us)| {
        let mut row = vec!["bound".to_owned(), size.to_string(), cell(us)];
        row.resize(6, String::new());
        row
    });
    measured.chain(bounds).collect()
}
