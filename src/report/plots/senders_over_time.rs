//! What senders knew over time: windows, rates and the like of some sub-flows, a panel for each.

use std::collections::BTreeMap;

use super::axes::{Axis, HEAD, Plane, TimeUnit, draw_head};
use super::drawing::{Anchor, Drawing, Frame, TEXT};
use super::figure::{Figure, NoFigure, missing};
use super::queue_over_time::byte_unit;
use super::series::{cell, note_on_one, of_largest_size, series};
use super::style::{Legend, Look, SMALL};
use crate::report::folder::{Folder, Subject};
use crate::results::{Number, SenderRow};

/// One thing that a sender knows.
struct Quantity {
    title: &'static str,
    /// The unit in which it is drawn where that does not depend on its size, and what it is called.
    unit: Option<&'static str>,
    of: fn(&SenderRow) -> Option<f64>,
}

const QUANTITIES: [Quantity; 6] = [
    Quantity {
        title: "Window",
        unit: None,
        of: |row| row.window_bytes.map(|bytes| bytes as f64),
    },
    Quantity {
        title: "In flight",
        unit: None,
        of: |row| Some(row.in_flight_bytes as f64),
    },
    Quantity {
        title: "Rate",
        unit: Some("Gb/s"),
        of: |row| row.rate_gbps.map(Number::value),
    },
    Quantity {
        title: "Alpha",
        unit: Some("no unit"),
        of: |row| row.alpha.map(Number::value),
    },
    Quantity {
        title: "Round trip",
        unit: Some("µs"),
        of: |row| row.rtt_us.map(Number::value),
    },
    Quantity {
        title: "Credits",
        unit: Some("packets"),
        of: |row| row.credits.map(f64::from),
    },
];

/// Sub-flows that a figure shows at most, of all series together.
const CURVES: usize = 12;
/// Moments that a curve shows at most; of those between, the highest and the lowest.
const MOMENTS: usize = 600;

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let points = of_largest_size(&subject.points);
    let mut all = Vec::new();
    for series in series(folder, &points) {
        let Some(first) = series.points.first() else { continue };
        match folder.detail::<SenderRow>(first, "senders.csv")? {
            Some(rows) if !rows.is_empty() => all.push((series.label, rows)),
            _ => {}
        }
    }
    if all.is_empty() {
        return missing("it needs senders.csv: write `senders = \"1us\"` under [output] (packet engine)");
    }
    let share = (CURVES / all.len()).max(1);
    let alone = all.len() == 1;
    let mut curves = Vec::new();
    let mut subflows = 0;
    for (which, (label, rows)) in all.into_iter().take(CURVES).enumerate() {
        let chosen = chosen(rows, share, &mut subflows);
        for (n, ((flow, subflow), samples)) in chosen.into_iter().enumerate() {
            let name = match subflow {
                0 => format!("flow {flow}"),
                subflow => format!("flow {flow}, sub-flow {subflow}"),
            };
            curves.push(Curve {
                series: label.clone(),
                label: if alone { name } else { format!("{label}: {name}") },
                // Colors tell series apart, or flows where there is one series.
                look: Look::of(if alone { n } else { which }, n).line_only(),
                samples,
            });
        }
    }
    let subtitle = format!("{}; {} of {subflows} sub-flows", note_on_one(&points), curves.len());
    Ok(Figure {
        drawing: drawing(subject, &subtitle, &curves),
        headings: &[
            "series",
            "flow",
            "subflow",
            "time_us",
            "in_flight_bytes",
            "window_bytes",
            "rate_gbps",
            "alpha",
            "rtt_us",
            "credits",
        ],
        rows: curves.iter().flat_map(Curve::rows).collect(),
    })
}

/// At most `most` of the sub-flows in these samples, evenly among all by number; `count` grows by how many there are.
fn chosen(rows: Vec<SenderRow>, most: usize, count: &mut usize) -> Vec<((u32, u32), Vec<SenderRow>)> {
    let mut by_subflow: BTreeMap<(u32, u32), Vec<SenderRow>> = BTreeMap::new();
    for row in rows {
        by_subflow.entry((row.flow, row.subflow)).or_default().push(row);
    }
    let there = by_subflow.len();
    *count += there;
    let most = most.min(there);
    let kept: Vec<usize> = (0..most).map(|k| k * there / most).collect();
    let picked = by_subflow.into_iter().enumerate().filter(|(n, _)| kept.contains(n));
    picked.map(|(_, entry)| entry).collect()
}

struct Curve {
    series: String,
    label: String,
    look: Look,
    samples: Vec<SenderRow>,
}

impl Curve {
    fn rows(&self) -> Vec<Vec<String>> {
        let number = |value: Option<f64>| value.map_or(String::new(), cell);
        let row = |sample: &SenderRow| {
            vec![
                self.series.clone(),
                sample.flow.to_string(),
                sample.subflow.to_string(),
                cell(sample.time_us.value()),
                sample.in_flight_bytes.to_string(),
                number(sample.window_bytes.map(|bytes| bytes as f64)),
                number(sample.rate_gbps.map(Number::value)),
                number(sample.alpha.map(Number::value)),
                number(sample.rtt_us.map(Number::value)),
                number(sample.credits.map(f64::from)),
            ]
        };
        self.samples.iter().map(row).collect()
    }

    /// Times in µs and values of a quantity.
    fn values(&self, quantity: &Quantity) -> Vec<(f64, f64)> {
        let samples = self.samples.iter();
        let all: Vec<(f64, f64)> = samples
            .filter_map(|row| Some((row.time_us.value(), (quantity.of)(row)?)))
            .collect();
        let group = (2 * all.len()).div_ceil(MOMENTS).max(1);
        if group <= 2 {
            return all;
        }
        // The ends of what lies between, in the order in which they came.
        let ends = |group: &[(f64, f64)]| {
            let low = group.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
            let high = group.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
            let mut ends: Vec<_> = low.into_iter().chain(high).collect();
            ends.sort_by(|a, b| a.0.total_cmp(&b.0));
            ends
        };
        all.chunks(group).flat_map(ends).collect()
    }
}

const PANEL: f64 = 200.0;

fn drawing(subject: &Subject<'_>, subtitle: &str, curves: &[Curve]) -> Drawing {
    let legend = Legend {
        entries: curves.iter().map(|c| (c.label.as_str(), c.look)).collect(),
    };
    let panels: Vec<Panel> = QUANTITIES.iter().filter_map(|q| Panel::of(q, curves)).collect();
    let width = 640.0 + legend.width();
    let height = (HEAD + panels.len() as f64 * PANEL + 10.0).max(HEAD + 40.0 + legend.height());
    let mut drawing = Drawing::new(width, height);
    draw_head(&mut drawing, &format!("Senders: {}", subject.title()), subtitle);
    let times = curves.iter().flat_map(|c| &c.samples).map(|row| row.time_us.value());
    let end = times.fold(0.0, f64::max);
    let unit = TimeUnit::for_us(end);
    let label_width = panels.iter().map(|panel| panel.axis.label_width()).fold(0.0, f64::max);
    for (i, panel) in panels.into_iter().enumerate() {
        let top = HEAD + i as f64 * PANEL;
        let outer = Frame {
            left: 10.0,
            top: top + 14.0,
            right: width - legend.width() - 30.0,
            bottom: top + PANEL - 8.0,
        };
        let time = Axis::from_zero(format!("Time ({})", unit.name), [end / unit.us]);
        let plane = Plane::draw(&mut drawing, outer, time, panel.axis.at_least(label_width));
        drawing.text((plane.frame.left, top + 8.0), panel.title, SMALL, Anchor::Start, TEXT);
        for (curve, values) in curves.iter().zip(panel.values) {
            let at = |&(us, value): &(f64, f64)| plane.at((us / unit.us, value / panel.scale));
            drawing.line(values.iter().map(at).collect(), curve.look.stroke());
        }
    }
    legend.draw(&mut drawing, (width - legend.width() - 10.0, HEAD + 22.0));
    drawing
}

/// A quantity that some sender has.
struct Panel {
    title: &'static str,
    axis: Axis,
    scale: f64,
    /// By curve.
    values: Vec<Vec<(f64, f64)>>,
}

impl Panel {
    fn of(quantity: &Quantity, curves: &[Curve]) -> Option<Self> {
        let values: Vec<_> = curves.iter().map(|curve| curve.values(quantity)).collect();
        let all = || values.iter().flatten().map(|&(_, value)| value);
        all().next()?;
        let high = all().fold(0.0, f64::max);
        let (unit, scale) = quantity.unit.map_or_else(|| byte_unit(high), |unit| (unit, 1.0));
        Some(Self {
            title: quantity.title,
            axis: Axis::from_zero(format!("{} ({unit})", quantity.title), [high / scale]),
            scale,
            values,
        })
    }
}
