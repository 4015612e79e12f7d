//! Where the time of a step goes: a bar for every series, from computing over what communication is not hidden to waiting.

use super::axes::{Axis, HEAD, Plane, TimeUnit, draw_head};
use super::drawing::{Anchor, Drawing, Frame, TEXT};
use super::figure::{Figure, NoFigure, missing};
use super::glyphs::text_room;
use super::series::{cell, note_on_one, of_largest_size, series};
use super::style::{SMALL, purpose_ink};
use super::timeline::draw_purposes;
use crate::report::folder::{Folder, Subject};
use crate::report::step::{PURPOSES, Step};
use crate::results::{OpRow, TimelineRow};

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let points = of_largest_size(&subject.points);
    let mut bars = Vec::new();
    for series in series(folder, &points) {
        let Some(first) = series.points.first() else { continue };
        let Some(ops) = folder.detail::<OpRow>(first, "ops.csv")? else {
            continue;
        };
        let timeline = folder.detail::<TimelineRow>(first, "timeline.csv")?.unwrap_or_default();
        if let Some(step) = Step::of(&first.row, &ops, &timeline) {
            bars.push((series.label, step));
        }
    }
    if bars.is_empty() {
        return missing("it needs ops.csv of a program that was done: write `ops = true` under [output]");
    }
    let rows = bars.iter().flat_map(|(label, step)| {
        let row = move |(part, us): &(String, f64)| vec![label.clone(), part.clone(), cell(*us)];
        step.parts.iter().map(row)
    });
    Ok(Figure {
        drawing: drawing(subject, &note_on_one(&points), &bars),
        headings: &["series", "part", "mean_us"],
        rows: rows.collect(),
    })
}

const BAR: f64 = 26.0;

fn drawing(subject: &Subject<'_>, subtitle: &str, bars: &[(String, Step)]) -> Drawing {
    let labels = bars
        .iter()
        .map(|(label, _)| text_room(label, SMALL))
        .fold(60.0, f64::max);
    let mut drawing = Drawing::new(labels + 760.0, HEAD + 24.0 + bars.len() as f64 * BAR + 80.0);
    let subtitle = format!("{subtitle}; means over the ranks; bubble: a rank does nothing");
    draw_head(
        &mut drawing,
        &format!("Where the time goes: {}", subject.title()),
        &subtitle,
    );
    let total = |step: &Step| step.parts.iter().map(|(_, us)| us).sum::<f64>();
    let longest = bars.iter().map(|(_, step)| total(step)).fold(0.0, f64::max);
    let unit = TimeUnit::for_us(longest);
    let outer = Frame {
        left: labels - 20.0,
        top: HEAD + 24.0,
        right: drawing.width - 90.0,
        bottom: drawing.height - 10.0,
    };
    let time = Axis::from_zero(format!("Time ({})", unit.name), [longest / unit.us]);
    let plane = Plane::draw(&mut drawing, outer, time, Axis::linear("", 0.0, 1.0).marked(Vec::new()));
    for (n, (label, step)) in bars.iter().enumerate() {
        let top = plane.frame.top + n as f64 * BAR + 4.0;
        let middle = top + BAR / 2.0;
        drawing.text((plane.frame.left - 10.0, middle), label, SMALL, Anchor::End, TEXT);
        let mut at = 0.0;
        for (part, us) in &step.parts {
            let body = Frame {
                left: plane.x_at(at / unit.us),
                top: top + 3.0,
                right: plane.x_at((at + us) / unit.us),
                bottom: top + BAR - 3.0,
            };
            drawing.rect(body, purpose_ink(part));
            at += us;
        }
        let hidden = step
            .parts
            .iter()
            .find(|(part, _)| part == "compute")
            .map_or(0.0, |(_, us)| us / at);
        let told = format!("{:.1} % compute", hidden * 1e2);
        drawing.text(
            (plane.x_at(at / unit.us) + 7.0, middle),
            told,
            SMALL,
            Anchor::Start,
            TEXT,
        );
    }
    let there = |purpose: &&str| {
        bars.iter()
            .any(|(_, step)| step.parts.iter().any(|(part, _)| part == purpose))
    };
    let shown: Vec<&str> = PURPOSES.into_iter().filter(there).collect();
    draw_purposes(&mut drawing, (16.0, HEAD + 4.0), &shown);
    drawing
}
