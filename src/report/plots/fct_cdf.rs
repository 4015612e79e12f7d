//! The distribution of flow completion times: the share of flows that are done within a time.

use super::axes::{Axis, HEAD, Plane, TimeUnit, draw_head};
use super::drawing::{At, Drawing, Frame};
use super::figure::{Figure, NoFigure, missing};
use super::series::{cell, of_largest_size, series};
use super::style::{Legend, Look};
use crate::report::folder::{Folder, Subject};
use crate::results::{FlowRow, Number};
use crate::units::Bytes;

/// Steps of a curve that are drawn at most.
const STEPS: usize = 1_000;

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let points = of_largest_size(&subject.points);
    let mut curves = Vec::new();
    for series in series(folder, &points) {
        let mut times = Vec::new();
        for point in &series.points {
            let flows: Option<Vec<FlowRow>> = folder.detail(point, "flows.csv")?;
            let done = flows.into_iter().flatten().filter_map(|flow| flow.fct_us);
            times.extend(done.map(Number::value));
        }
        if !times.is_empty() {
            curves.push(Curve::of(series.label, series.look, times));
        }
    }
    if curves.is_empty() {
        return missing("it needs flows.csv: write `flows = true` under [output]");
    }
    let size = points[0].row.size_bytes;
    Ok(Figure {
        drawing: drawing(subject, size, &curves),
        headings: &["series", "fct_us", "share_of_flows"],
        rows: curves.iter().flat_map(Curve::rows).collect(),
    })
}

struct Curve {
    label: String,
    look: Look,
    flows: usize,
    /// Time and share of the flows done by then, both rising.
    steps: Vec<(f64, f64)>,
}

impl Curve {
    fn of(label: String, look: Look, mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        let flows = times.len();
        let share = |i: usize| (i + 1) as f64 / flows as f64;
        let distinct: Vec<usize> = (0..flows).filter(|&i| times.get(i + 1) != Some(&times[i])).collect();
        // Every so many, and the last.
        let stride = distinct.len().div_ceil(STEPS);
        let kept = distinct.iter().rev().step_by(stride).rev();
        Self {
            label,
            look,
            flows,
            steps: kept.map(|&i| (times[i], share(i))).collect(),
        }
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |&(time, share): &(f64, f64)| vec![self.label.clone(), cell(time), cell(share)];
        self.steps.iter().map(row).collect()
    }
}

fn drawing(subject: &Subject<'_>, size: Option<u64>, curves: &[Curve]) -> Drawing {
    let legend = Legend {
        entries: curves.iter().map(|c| (c.label.as_str(), c.look.line_only())).collect(),
    };
    let (width, height) = (620.0 + legend.width(), 430.0_f64.max(HEAD + 30.0 + legend.height()));
    let mut drawing = Drawing::new(width, height);
    let flows = curves.iter().map(|c| c.flows).max().unwrap_or(0);
    let of_size = size.map_or(String::new(), |size| format!(" of {}", Bytes(size)));
    draw_head(
        &mut drawing,
        &format!("Flow completion times: {}", subject.title()),
        &format!("{flows} flows{of_size} per curve, all seeds together"),
    );
    let times = || curves.iter().flat_map(|c| c.steps.iter().map(|&(time, _)| time));
    let (low, high) = times().fold((f64::INFINITY, 0.0_f64), |(l, h), t| (l.min(t), h.max(t)));
    let unit = TimeUnit::for_us(high);
    let title = format!("Flow completion time ({})", unit.name);
    let x = match low > 0.0 && high / low > 20.0 {
        true => Axis::log(title, times().map(|t| t / unit.us)),
        false => Axis::around(title, times().map(|t| t / unit.us)),
    };
    let outer = Frame {
        left: 10.0,
        top: HEAD,
        right: width - legend.width() - 30.0,
        bottom: height - 10.0,
    };
    let plane = Plane::draw(&mut drawing, outer, x, Axis::linear("Share of flows done", 0.0, 1.0));
    for curve in curves {
        let stairs = stairs(&curve.steps).into_iter();
        let points: Vec<At> = stairs.map(|(time, share)| plane.at((time / unit.us, share))).collect();
        drawing.line(points, curve.look.stroke());
    }
    legend.draw(&mut drawing, (outer.right + 20.0, plane.frame.top));
    drawing
}

/// The corners of a curve that keeps its value until the next step.
fn stairs(steps: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut corners = Vec::with_capacity(steps.len() * 2);
    let mut share = 0.0;
    for &(time, next) in steps {
        corners.extend([(time, share), (time, next)]);
        share = next;
    }
    corners
}
