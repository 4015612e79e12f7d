//! The engines side by side: completion times by packets and by flows, over the bound.

use super::axes::{Axis, HEAD, Plane, draw_head};
use super::drawing::{Anchor, BLACK, Drawing, Frame, GRID, Stroke, TEXT};
use super::figure::{Figure, NoFigure, missing};
use super::glyphs::text_room;
use super::series::{Spread, note, sizes};
use super::style::{Legend, Look, SMALL};
use crate::report::folder::{Folder, Subject};
use crate::results::Number;
use crate::units::Bytes;

const ENGINES: [&str; 2] = ["flow", "packet"];

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let lines = lines(folder, subject);
    if !ENGINES
        .iter()
        .enumerate()
        .all(|(e, _)| lines.iter().any(|line| line.engines[e].is_some()))
    {
        return missing("it needs points of both engines: sweep `engine` over \"flow\" and \"packet\"");
    }
    Ok(Figure {
        drawing: drawing(subject, &lines),
        headings: &[
            "series",
            "size_bytes",
            "engine",
            "cct_over_bound",
            "lowest",
            "highest",
            "points",
        ],
        rows: lines.iter().flat_map(Line::rows).collect(),
    })
}

/// One load balancing at one size.
struct Line {
    label: String,
    size: Option<u64>,
    engines: [Option<Spread>; ENGINES.len()],
}

impl Line {
    fn rows(&self) -> Vec<Vec<String>> {
        let row = |(engine, spread): (&&str, &Option<Spread>)| {
            let size = self.size.map_or(String::new(), |s| s.to_string());
            let mut row = vec![self.label.clone(), size, (*engine).to_owned()];
            row.extend((*spread)?.cells());
            Some(row)
        };
        ENGINES.iter().zip(&self.engines).filter_map(row).collect()
    }
}

fn lines(folder: &Folder, subject: &Subject<'_>) -> Vec<Line> {
    let mut labels: Vec<String> = Vec::new();
    for point in &subject.points {
        let label = folder.label_but_for(point, "engine");
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let mut lines = Vec::new();
    for size in sizes(&subject.points) {
        for label in &labels {
            let of = |engine: &str| {
                let same = subject.points.iter().filter(|p| {
                    p.row.engine == engine && p.row.size_bytes == size && folder.label_but_for(p, "engine") == *label
                });
                Spread::of(same.filter_map(|p| p.row.cct_over_bound.map(Number::value)))
            };
            let engines = ENGINES.map(of);
            if engines.iter().any(Option::is_some) {
                lines.push(Line {
                    label: label.clone(),
                    size,
                    engines,
                });
            }
        }
    }
    lines
}

const LINE: f64 = 28.0;
/// How far above the line of a name the first engine is drawn, and the second below.
const APART: f64 = 5.0;

fn drawing(subject: &Subject<'_>, lines: &[Line]) -> Drawing {
    let several_sizes = lines.iter().any(|line| line.size != lines[0].size);
    let name = |line: &Line| match line.size {
        Some(size) if several_sizes => format!("{}, {}", line.label, Bytes(size)),
        _ => line.label.clone(),
    };
    let labels = lines.iter().map(|l| text_room(&name(l), SMALL)).fold(60.0, f64::max);
    let legend = Legend {
        entries: ENGINES.iter().enumerate().map(|(e, name)| (*name, look(e))).collect(),
    };
    let (width, height) = (labels + 560.0 + legend.width(), HEAD + lines.len() as f64 * LINE + 80.0);
    let mut drawing = Drawing::new(width, height);
    let subtitle = format!(
        "{}; 1 is the bound that no load balancing can beat",
        note(&subject.points)
    );
    draw_head(
        &mut drawing,
        &format!("Packets and flows: {}", subject.title()),
        &subtitle,
    );
    let outer = Frame {
        left: 10.0 + labels - 20.0,
        top: HEAD,
        right: width - legend.width() - 30.0,
        bottom: height - 10.0,
    };
    let spreads = || lines.iter().flat_map(|l| l.engines.iter().flatten());
    let high = spreads().map(|s| s.high).fold(1.0, f64::max);
    let low = spreads().map(|s| s.low).fold(1.0, f64::min);
    let room = ((high - low) * 0.06).max(0.01);
    let plane = Plane::draw(
        &mut drawing,
        outer,
        Axis::linear("Completion time / bound (no unit)", low - room, high + room),
        Axis::linear("", 0.0, 1.0).marked(Vec::new()),
    );
    let one = plane.x_at(1.0);
    for (i, line) in lines.iter().enumerate() {
        let y = plane.frame.top + (i as f64 + 0.7) * LINE;
        drawing.segment((plane.frame.left, y), (plane.frame.right, y), Stroke::solid(GRID, 1.0));
        drawing.text((plane.frame.left - 10.0, y), name(line), SMALL, Anchor::End, TEXT);
    }
    drawing.segment(
        (one, plane.frame.top),
        (one, plane.frame.bottom),
        Stroke::solid(BLACK, 1.0),
    );
    for (i, line) in lines.iter().enumerate() {
        let middle = plane.frame.top + (i as f64 + 0.7) * LINE;
        for (e, spread) in line.engines.iter().enumerate() {
            let Some(spread) = spread else { continue };
            let y = middle + if e == 0 { -APART } else { APART };
            let range = ((plane.x_at(spread.low), y), (plane.x_at(spread.high), y));
            drawing.segment(range.0, range.1, Stroke::solid(look(e).ink, 1.4));
            look(e).point(&mut drawing, (plane.x_at(spread.mean), y));
        }
    }
    legend.draw(&mut drawing, (outer.right + 20.0, plane.frame.top));
    drawing
}

fn look(engine: usize) -> Look {
    Look::of(engine, engine).point_only()
}
