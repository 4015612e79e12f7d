//! Who was at what and when: a row for each host that stands for others, such as the first of a pipeline stage, and
//! colors for what is done; where nothing is drawn, it waits.

use super::axes::{Axis, HEAD, Plane, TimeUnit, draw_head};
use super::drawing::{Anchor, Drawing, Frame, MUTED, TEXT};
use super::figure::{Figure, NoFigure, missing};
use super::glyphs::text_room;
use super::series::{cell, note_on_one, of_largest_size, series};
use super::style::{SMALL, purpose_ink};
use crate::report::folder::{Folder, Subject};
use crate::report::step::PURPOSES;
use crate::results::TimelineRow;

/// Panels, and rows of one, that a figure holds.
const MOST_PANELS: usize = 12;
const MOST_ROWS: usize = 24;

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let points = of_largest_size(&subject.points);
    let mut panels = Vec::new();
    for series in series(folder, &points) {
        let Some(first) = series.points.first() else { continue };
        if let Some(rows) = folder.detail::<TimelineRow>(first, "timeline.csv")?
            && !rows.is_empty()
        {
            panels.push((series.label, rows));
        }
    }
    if panels.is_empty() {
        return missing("it needs timeline.csv: write `ops = true` under [output] (programs and training)");
    }
    let left_out = panels.len().saturating_sub(MOST_PANELS);
    panels.truncate(MOST_PANELS);
    let mut subtitle = note_on_one(&points);
    if left_out > 0 {
        subtitle += &format!("; {left_out} more are in ops.csv");
    }
    let row = |label: &String, row: &TimelineRow| {
        vec![
            label.clone(),
            row.host.to_string(),
            row.op.clone(),
            row.purpose.clone(),
            cell(row.start_us.value()),
            cell(row.end_us.value()),
        ]
    };
    Ok(Figure {
        drawing: drawing(subject, &subtitle, &panels),
        headings: &["series", "host", "op", "purpose", "start_us", "end_us"],
        rows: panels
            .iter()
            .flat_map(|(label, rows)| rows.iter().map(move |one| row(label, one)))
            .collect(),
    })
}

const ROW: f64 = 16.0;
/// Room around the rows of a panel: its name, and the axis.
const AROUND: f64 = 74.0;
const WIDTH: f64 = 1_000.0;

fn drawing(subject: &Subject<'_>, subtitle: &str, panels: &[(String, Vec<TimelineRow>)]) -> Drawing {
    let hosts: Vec<Vec<u32>> = panels.iter().map(|(_, rows)| hosts(rows)).collect();
    let height: f64 = hosts.iter().map(|hosts| hosts.len() as f64 * ROW + AROUND).sum();
    let mut drawing = Drawing::new(WIDTH, HEAD + 24.0 + height);
    draw_head(&mut drawing, &format!("Timeline: {}", subject.title()), subtitle);
    let all = || panels.iter().flat_map(|(_, rows)| rows);
    let end = all().map(|row| row.end_us.value()).fold(0.0, f64::max);
    let unit = TimeUnit::for_us(end);
    draw_key(&mut drawing, HEAD + 4.0, all());
    let mut top = HEAD + 24.0;
    for ((label, rows), hosts) in panels.iter().zip(&hosts) {
        let bottom = top + hosts.len() as f64 * ROW + AROUND;
        let outer = Frame {
            left: 10.0,
            top: top + 14.0,
            right: WIDTH - 10.0,
            bottom: bottom - 6.0,
        };
        let names = hosts.iter().enumerate().map(|(n, host)| {
            let at = 1.0 - (n as f64 + 0.5) / hosts.len() as f64;
            (at, format!("host {host}"))
        });
        let time = Axis::linear(format!("Time ({})", unit.name), 0.0, end / unit.us);
        let plane = Plane::draw(
            &mut drawing,
            outer,
            time,
            Axis::linear("", 0.0, 1.0).marked(names.collect()).at_least(70.0),
        );
        drawing.text((plane.frame.left, top + 8.0), label, SMALL, Anchor::Start, TEXT);
        draw_rows(&mut drawing, &plane, rows, hosts, unit);
        top = bottom;
    }
    drawing
}

fn hosts(rows: &[TimelineRow]) -> Vec<u32> {
    let mut hosts: Vec<u32> = rows.iter().map(|row| row.host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.truncate(MOST_ROWS);
    hosts
}

/// Computing is drawn over what it hides.
fn draw_rows(drawing: &mut Drawing, plane: &Plane, rows: &[TimelineRow], hosts: &[u32], unit: TimeUnit) {
    let height = plane.frame.height() / hosts.len() as f64;
    let (computes, others): (Vec<&TimelineRow>, Vec<&TimelineRow>) =
        rows.iter().partition(|row| row.purpose == "compute");
    for row in others.into_iter().chain(computes) {
        let Ok(at) = hosts.binary_search(&row.host) else {
            continue;
        };
        let top = plane.frame.top + at as f64 * height;
        let (left, right) = (
            plane.x_at(row.start_us.value() / unit.us),
            plane.x_at(row.end_us.value() / unit.us),
        );
        let bar = Frame {
            left,
            top: top + 2.0,
            right: right.max(left + 0.4),
            bottom: top + height - 2.0,
        };
        drawing.rect(bar, purpose_ink(&row.purpose));
    }
}

/// What the colors mean, of those that are there.
fn draw_key<'a>(drawing: &mut Drawing, top: f64, rows: impl Iterator<Item = &'a TimelineRow>) {
    let mut there: Vec<&str> = rows.map(|row| row.purpose.as_str()).collect();
    there.sort_unstable();
    there.dedup();
    let shown: Vec<&str> = PURPOSES.into_iter().filter(|purpose| there.contains(purpose)).collect();
    draw_purposes(drawing, (16.0, top), &shown);
}

/// Names of purposes in a row, each beside its color.
pub(super) fn draw_purposes(drawing: &mut Drawing, (mut left, top): (f64, f64), purposes: &[&str]) {
    for purpose in purposes {
        let sample = Frame {
            left,
            top,
            right: left + 12.0,
            bottom: top + 12.0,
        };
        drawing.rect(sample, purpose_ink(purpose));
        drawing.text((left + 18.0, top + 6.0), *purpose, SMALL, Anchor::Start, MUTED);
        left += 18.0 + text_room(purpose, SMALL) + 18.0;
    }
}
