//! What splitting buys: fabric congestion over its optimum against the number of sub-flows.

use super::axes::{Axis, HEAD, Plane, draw_head};
use super::drawing::{At, BLACK, Drawing, Frame, Stroke};
use super::figure::{Figure, NoFigure, missing};
use super::series::{Series, Spread, note, of_largest_size, series, told_apart};
use super::style::{Legend, Look};
use crate::report::folder::{Folder, Point, Subject};
use crate::results::Number;

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let points = of_largest_size(&subject.points);
    let marks: Vec<Mark> = series(folder, &points).iter().filter_map(Mark::of).collect();
    if marks.is_empty() {
        return missing("no point has a congestion ratio and sub-flows");
    }
    if marks.iter().all(|mark| mark.ways.mean == marks[0].ways.mean) {
        return missing("all points have as many sub-flows");
    }
    told_apart(marks.len())?;
    Ok(Figure {
        drawing: drawing(subject, &points, &marks),
        headings: &[
            "series",
            "subflows_per_flow",
            "congestion_ratio",
            "lowest",
            "highest",
            "points",
        ],
        rows: marks.iter().map(Mark::row).collect(),
    })
}

struct Mark {
    label: String,
    look: Look,
    /// Sub-flows per flow.
    ways: Spread,
    ratio: Spread,
}

impl Mark {
    fn of(series: &Series<'_>) -> Option<Self> {
        let ways = |point: &&Point| match point.row.flows {
            0 => None,
            flows => Some(point.row.subflows as f64 / flows as f64),
        };
        let ratio = |point: &&Point| point.row.congestion_ratio.map(Number::value);
        Some(Self {
            label: series.label.clone(),
            look: series.look,
            ways: Spread::of(series.points.iter().filter_map(ways)).filter(|ways| ways.low > 0.0)?,
            ratio: Spread::of(series.points.iter().filter_map(ratio))?,
        })
    }

    /// The scheme without its options.
    fn scheme(&self) -> &str {
        self.label.split('(').next().unwrap_or(&self.label)
    }

    fn row(&self) -> Vec<String> {
        let mut row = vec![self.label.clone(), super::series::cell(self.ways.mean)];
        row.extend(self.ratio.cells());
        row
    }
}

fn drawing(subject: &Subject<'_>, points: &[&Point], marks: &[Mark]) -> Drawing {
    let legend = Legend {
        entries: marks.iter().map(|m| (m.label.as_str(), m.look.point_only())).collect(),
    };
    let (width, height) = (620.0 + legend.width(), 430.0_f64.max(HEAD + 30.0 + legend.height()));
    let mut drawing = Drawing::new(width, height);
    let subtitle = format!("{}; 1 is the least over all fractional routings", note(points));
    draw_head(
        &mut drawing,
        &format!("Fabric congestion: {}", subject.title()),
        &subtitle,
    );
    let outer = Frame {
        left: 10.0,
        top: HEAD,
        right: width - legend.width() - 30.0,
        bottom: height - 10.0,
    };
    let ways = marks.iter().map(|m| m.ways.mean);
    let plane = Plane::draw(
        &mut drawing,
        outer,
        Axis::doubling("Sub-flows per flow", ways.chain([1.0, 2.0])),
        Axis::from_zero(
            "Fabric congestion / optimum (no unit)",
            marks.iter().map(|m| m.ratio.high).chain([1.0]),
        ),
    );
    let one = plane.y_at(1.0);
    drawing.segment(
        (plane.frame.left, one),
        (plane.frame.right, one),
        Stroke::solid(BLACK, 1.0),
    );
    for (from, to) in neighbors(marks) {
        let at = |m: &Mark| plane.at((m.ways.mean, m.ratio.mean));
        drawing.segment(at(from), at(to), Stroke::solid((150, 150, 150), 1.0));
    }
    let mut taken: Vec<At> = Vec::new();
    for mark in marks {
        let (x, y) = beside(&taken, plane.at((mark.ways.mean, mark.ratio.mean)), &plane.frame);
        let range = [mark.ratio.low, mark.ratio.high].map(|ratio| (x, plane.y_at(ratio)));
        drawing.segment(range[0], range[1], Stroke::solid(mark.look.ink, 1.2));
        mark.look.point(&mut drawing, (x, y));
        taken.push((x, y));
    }
    legend.draw(&mut drawing, (outer.right + 20.0, plane.frame.top));
    drawing
}

/// Width of a point, with room to the next.
const POINT: f64 = 11.0;

/// A place for a point, moved to the side by as little as shows those that it would hide; inside the frame.
fn beside(taken: &[At], (x, y): At, frame: &Frame) -> At {
    let near = |a: f64, b: f64| (a - b).abs() < POINT - 1.0;
    let free = |x: &f64| !taken.iter().any(|other| near(other.0, *x) && near(other.1, y));
    let inside = |x: &f64| (frame.left + POINT / 2.0..=frame.right - POINT / 2.0).contains(x);
    let steps = (0..taken.len() as i32 + 1).flat_map(|step| [step, -step]);
    let places = steps.map(|step| x + f64::from(step) * POINT).filter(inside);
    (places.into_iter().find(free).unwrap_or(x), y)
}

/// Marks of one scheme with other options, by rising number of sub-flows.
fn neighbors(marks: &[Mark]) -> Vec<(&Mark, &Mark)> {
    let mut sorted: Vec<&Mark> = marks.iter().collect();
    sorted.sort_by(|a, b| a.scheme().cmp(b.scheme()).then(a.ways.mean.total_cmp(&b.ways.mean)));
    let pairs = sorted.windows(2).map(|pair| (pair[0], pair[1]));
    pairs.filter(|(a, b)| a.scheme() == b.scheme()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_at_one_place_lie_beside_each_other_inside_the_frame() {
        let frame = Frame {
            left: 0.0,
            top: 0.0,
            right: 200.0,
            bottom: 100.0,
        };
        let mut taken: Vec<At> = Vec::new();
        for _ in 0..12 {
            let place = beside(&taken, (190.0, 50.0), &frame);
            assert!((0.0..=200.0).contains(&place.0), "{place:?}");
            assert!(taken.iter().all(|other| (other.0 - place.0).abs() >= POINT - 1.0));
            taken.push(place);
        }
    }
}
