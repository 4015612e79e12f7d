//! Completion time over the bound, a bar per series, with the spread over seeds; absolute times where series have
//! different bounds, as with failed links.

use super::axes::{Axis, HEAD, Plane, TimeUnit, draw_head};
use super::drawing::{Anchor, BLACK, Drawing, Frame, MUTED, Stroke, TEXT};
use super::figure::{Figure, NoFigure, missing};
use super::glyphs::text_room;
use super::series::{Series, Spread, cell, note, series, sizes};
use super::style::{Look, Marker, SMALL};
use crate::report::folder::{Folder, Subject};
use crate::results::{Number, ResultRow};
use crate::units::Bytes;

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let series = series(folder, &subject.points);
    let shown = sizes_shown(sizes(&subject.points), series.len());
    let groups: Vec<Group> = shown
        .iter()
        .map(|&size| Group {
            size,
            bars: series.iter().filter_map(|s| Bar::of(s, size)).collect(),
        })
        .filter(|group| !group.bars.is_empty())
        .collect();
    let Some(largest) = groups.last() else {
        return missing("no point has a bound");
    };
    if groups.iter().map(|group| group.bars.len()).sum::<usize>() == 1 {
        return missing("there is one bar only: nothing to compare");
    }
    let drawing = match groups.iter().all(Group::has_one_bound) {
        true => ratios(subject, &groups),
        // A series whose bound is worse would look as good as the others.
        false => times(subject, largest),
    };
    Ok(Figure {
        drawing,
        headings: &[
            "series",
            "size_bytes",
            "cct_over_bound",
            "lowest",
            "highest",
            "points",
            "cct_us",
            "bound_us",
            "collective_bound_us",
        ],
        rows: groups.iter().flat_map(Group::rows).collect(),
    })
}

/// One series at one size.
struct Bar {
    label: String,
    look: Look,
    ratio: Spread,
    /// In µs.
    cct: Spread,
    /// Of its schedule.
    bound: Spread,
    /// Of the collective by any schedule, where there is one.
    collective: Option<Spread>,
}

impl Bar {
    fn of(series: &Series<'_>, size: Option<u64>) -> Option<Self> {
        let spread = |number: fn(&ResultRow) -> Option<Number>| series.spread(size, number);
        Some(Self {
            label: series.label.clone(),
            look: series.look,
            ratio: spread(|row| row.cct_over_bound)?,
            cct: spread(|row| row.cct_us)?,
            bound: spread(|row| row.bound_us)?,
            collective: spread(|row| row.collective_bound_us).filter(|bound| bound.low > 0.0),
        })
    }
}

/// The bars of one size.
struct Group {
    size: Option<u64>,
    bars: Vec<Bar>,
}

impl Group {
    /// Whether the same bound holds for all bars. It differs where links have failed, or fabrics differ.
    fn has_one_bound(&self) -> bool {
        let first = self.bars[0].bound;
        let alike = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.max(b);
        let mut others = self.bars.iter().map(|bar| bar.bound);
        others.all(|other| alike(other.low, first.low) && alike(other.high, first.high))
    }

    /// The bound of the collective over that of the schedule, where one holds for all bars.
    fn collective(&self) -> Option<f64> {
        let over = |bar: &Bar| Some(bar.collective?.mean / bar.bound.mean);
        let first = over(&self.bars[0])?;
        let alike = |bar: &Bar| over(bar).is_some_and(|other| (other - first).abs() <= 1e-6 * first);
        self.bars.iter().all(alike).then_some(first)
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |bar: &Bar| {
            let size = self.size.map_or(String::new(), |s| s.to_string());
            let mut row = vec![bar.label.clone(), size];
            row.extend(bar.ratio.cells());
            let collective = bar.collective.map_or(String::new(), |bound| cell(bound.mean));
            row.extend([cell(bar.cct.mean), cell(bar.bound.mean), collective]);
            row
        };
        self.bars.iter().map(row).collect()
    }
}

/// Most bars that a figure holds before it keeps to the smallest, middle and largest size.
const MOST_BARS: usize = 40;

fn sizes_shown(sizes: Vec<Option<u64>>, series: usize) -> Vec<Option<u64>> {
    if sizes.len() <= 3 || sizes.len() * series <= MOST_BARS {
        return sizes;
    }
    vec![sizes[0], sizes[sizes.len() / 2], sizes[sizes.len() - 1]]
}

const BAR: f64 = 22.0;
const GAP: f64 = 12.0;

/// Every bar over the one bound of its size, and beside it when it is done.
fn ratios(subject: &Subject<'_>, groups: &[Group]) -> Drawing {
    let bars = || groups.iter().flat_map(|group| &group.bars);
    let headings = if groups.len() > 1 { groups.len() as f64 } else { 0.0 };
    let mut drawing = Drawing::new(width(bars()) + TIMES, height(bars(), headings));
    let subtitle = format!(
        "{}; 1 is the bound of this schedule, which no load balancing can beat{}",
        note(&subject.points),
        match groups.iter().any(|group| group.collective().is_some()) {
            true => "; dashed: the bound of the collective, which no algorithm can",
            false => "",
        }
    );
    let title = format!("Completion time over the bound: {}", subject.title());
    draw_head(&mut drawing, &title, &subtitle);
    let highest = bars().map(|bar| bar.ratio.high).chain([1.0]);
    let axis = Axis::from_zero("Completion time / bound (no unit)", highest);
    let right = drawing.width - TIMES - VALUE;
    let plane = plane(&mut drawing, bars(), axis, right);
    let (times, unit) = times_plane(&mut drawing, bars(), right + VALUE);
    let mut top = plane.frame.top + GAP / 2.0;
    for group in groups {
        if groups.len() > 1 {
            let at = (plane.frame.left - 10.0, top + BAR / 2.0);
            drawing.text(at, name_of(group.size), SMALL, Anchor::End, MUTED);
            top += BAR;
        }
        for bar in &group.bars {
            let value = format!("{:.3} ({})", bar.ratio.mean, time(bar.cct.mean));
            draw_bar(&mut drawing, &plane, top, bar, &bar.ratio, &value);
            draw_time(&mut drawing, &times, top, bar, unit);
            top += BAR;
        }
        if let Some(over) = group.collective() {
            let (x, first) = (plane.x_at(over), top - BAR * group.bars.len() as f64);
            let dashed = Stroke {
                dash: &[4.0, 3.0],
                ..Stroke::solid(BLACK, 1.0)
            };
            drawing.segment((x, first), (x, top), dashed);
        }
        top += GAP;
    }
    let one = plane.x_at(1.0);
    let stroke = Stroke::solid(BLACK, 1.0);
    drawing.segment((one, plane.frame.top), (one, plane.frame.bottom), stroke);
    drawing
}

/// Room for the absolute times.
const TIMES: f64 = 300.0;

/// An axis of absolute times, from zero where they are not orders of magnitude apart.
fn times_plane<'a>(drawing: &mut Drawing, bars: impl Iterator<Item = &'a Bar>, left: f64) -> (Plane, TimeUnit) {
    let times: Vec<f64> = bars
        .flat_map(|bar| [bar.cct.low, bar.cct.high, bar.bound.low])
        .filter(|us| *us > 0.0)
        .collect();
    let (low, high) = times
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(low, high), &us| (low.min(us), high.max(us)));
    let unit = TimeUnit::for_us(high);
    let title = format!("Completion time ({}); line: bound", unit.name);
    let scaled = times.iter().map(|us| us / unit.us);
    let axis = match high > low * 20.0 {
        true => Axis::log(title, scaled),
        false => Axis::from_zero(title, scaled),
    };
    let outer = Frame {
        left,
        top: HEAD,
        right: drawing.width - 16.0,
        bottom: drawing.height - 10.0,
    };
    let nothing = Axis::linear("", 0.0, 1.0).marked(Vec::new());
    (Plane::draw(drawing, outer, axis, nothing), unit)
}

/// The absolute time of a bar, from its lowest to its highest, and its bound.
fn draw_time(drawing: &mut Drawing, plane: &Plane, top: f64, bar: &Bar, unit: TimeUnit) {
    let middle = top + BAR / 2.0;
    let at = |us: f64| plane.x_at(us / unit.us);
    let bound = at(bar.bound.mean);
    drawing.segment((bound, top + 3.0), (bound, top + BAR - 3.0), Stroke::solid(BLACK, 1.5));
    drawing.segment(
        (at(bar.cct.low), middle),
        (at(bar.cct.high), middle),
        Stroke::solid(bar.look.ink, 1.5),
    );
    let look = Look {
        marker: Some(Marker::Disc),
        ..bar.look
    };
    look.point(drawing, (at(bar.cct.mean), middle));
}

/// Absolute times at one size, each with the bound of its own fabric.
fn times(subject: &Subject<'_>, group: &Group) -> Drawing {
    let bars = || group.bars.iter();
    let mut drawing = Drawing::new(width(bars()), height(bars(), 0.0));
    let subtitle = format!(
        "{}; {}; black: the bound of each, which is not the same (failed links, rates, engines)",
        note(&subject.points),
        name_of(group.size)
    );
    let title = format!("Completion time and bound: {}", subject.title());
    draw_head(&mut drawing, &title, &subtitle);
    let highest = bars().flat_map(|bar| [bar.cct.high, bar.bound.high]);
    let unit = TimeUnit::for_us(highest.clone().fold(0.0, f64::max));
    let axis = Axis::from_zero(
        format!("Completion time ({})", unit.name),
        highest.map(|us| us / unit.us),
    );
    let right = drawing.width - VALUE;
    let plane = plane(&mut drawing, bars(), axis, right);
    let mut top = plane.frame.top + GAP / 2.0;
    for bar in bars() {
        let value = format!("{} ({:.3} of its bound)", time(bar.cct.mean), bar.ratio.mean);
        draw_bar(&mut drawing, &plane, top, bar, &bar.cct.times(1.0 / unit.us), &value);
        let bound = plane.x_at(bar.bound.mean / unit.us);
        drawing.segment((bound, top + 1.0), (bound, top + BAR - 1.0), Stroke::solid(BLACK, 2.0));
        top += BAR;
    }
    drawing
}

fn name_of(size: Option<u64>) -> String {
    size.map_or("no size".to_owned(), |size| Bytes(size).to_string())
}

/// A time in µs with its unit, in four digits or so.
fn time(us: f64) -> String {
    let unit = TimeUnit::for_us(us);
    let value = us / unit.us;
    let decimals = (3.0 - value.max(1.0).log10().floor()).max(0.0) as usize;
    format!("{value:.decimals$} {}", unit.name)
}

fn label_width<'a>(bars: impl Iterator<Item = &'a Bar>) -> f64 {
    bars.map(|bar| text_room(&bar.label, SMALL)).fold(60.0, f64::max)
}

/// Room for what is written behind the longest bar.
const VALUE: f64 = 210.0;

fn width<'a>(bars: impl Iterator<Item = &'a Bar>) -> f64 {
    (label_width(bars) + 460.0 + VALUE).max(700.0)
}

fn height<'a>(bars: impl Iterator<Item = &'a Bar>, headings: f64) -> f64 {
    HEAD + bars.count() as f64 * BAR + headings * (BAR + GAP) + GAP + 70.0
}

fn plane<'a>(drawing: &mut Drawing, bars: impl Iterator<Item = &'a Bar>, axis: Axis, right: f64) -> Plane {
    let outer = Frame {
        left: 10.0 + label_width(bars) - 20.0,
        top: HEAD,
        right,
        bottom: drawing.height - 10.0,
    };
    Plane::draw(drawing, outer, axis, Axis::linear("", 0.0, 1.0).marked(Vec::new()))
}

fn draw_bar(drawing: &mut Drawing, plane: &Plane, top: f64, bar: &Bar, spread: &Spread, value: &str) {
    let (left, middle) = (plane.frame.left, top + BAR / 2.0);
    let end = plane.x_at(spread.mean);
    drawing.text((left - 10.0, middle), &bar.label, SMALL, Anchor::End, TEXT);
    let body = Frame {
        left,
        top: top + 3.0,
        right: end,
        bottom: top + BAR - 3.0,
    };
    drawing.rect(body, bar.look.ink);
    let mut label_from = end;
    if spread.high > spread.low {
        let (low, high) = (plane.x_at(spread.low), plane.x_at(spread.high));
        let whisker = Stroke::solid(BLACK, 1.3);
        drawing.segment((low, middle), (high, middle), whisker);
        for x in [low, high] {
            drawing.segment((x, middle - 4.0), (x, middle + 4.0), whisker);
        }
        label_from = high;
    }
    drawing.text((label_from + 7.0, middle), value, SMALL, Anchor::Start, TEXT);
}
