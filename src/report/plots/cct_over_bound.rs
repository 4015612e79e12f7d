//! Completion time over the bound, a bar per series, with the spread over seeds.

use super::axes::{Axis, HEAD, Plane, draw_head};
use super::glyphs::text_room;
use super::scene::{Anchor, BLACK, Frame, MUTED, Scene, Stroke, TEXT};
use super::series::{Spread, note, series, sizes};
use super::style::{Look, SMALL};
use super::{Figure, NoFigure, missing};
use crate::report::folder::{Folder, Subject};
use crate::units::Bytes;

pub(super) fn draw(folder: &Folder, subject: &Subject<'_>) -> Result<Figure, NoFigure> {
    let series = series(folder, &subject.points);
    let shown = sizes_shown(sizes(&subject.points), series.len());
    let groups: Vec<Group> = shown
        .iter()
        .map(|&size| Group {
            size,
            bars: series
                .iter()
                .filter_map(|s| Some((s.label.clone(), s.look, s.spread(size, |row| row.cct_over_bound)?)))
                .collect(),
        })
        .filter(|group| !group.bars.is_empty())
        .collect();
    if groups.is_empty() {
        return missing("no point has a bound");
    }
    Ok(Figure {
        scene: scene(subject, &groups),
        headings: &["series", "size_bytes", "cct_over_bound", "lowest", "highest", "points"],
        rows: groups.iter().flat_map(Group::rows).collect(),
    })
}

/// The bars of one size.
struct Group {
    size: Option<u64>,
    bars: Vec<(String, Look, Spread)>,
}

impl Group {
    fn rows(&self) -> Vec<Vec<String>> {
        let row = |(label, _, spread): &(String, Look, Spread)| {
            let size = self.size.map_or(String::new(), |s| s.to_string());
            let mut row = vec![label.clone(), size];
            row.extend(spread.cells());
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

fn scene(subject: &Subject<'_>, groups: &[Group]) -> Scene {
    let bars = || groups.iter().flat_map(|group| &group.bars);
    let count = bars().count() as f64;
    let headings = if groups.len() > 1 { groups.len() as f64 } else { 0.0 };
    let labels = bars().map(|(label, ..)| text_room(label, SMALL)).fold(60.0, f64::max);
    let inside = count * BAR + headings * (BAR + GAP) + GAP;
    let (width, height) = ((labels + 560.0).max(700.0), HEAD + inside + 70.0);
    let mut scene = Scene::new(width, height);
    let subtitle = format!(
        "{}; 1 is the bound that no load balancing can beat",
        note(&subject.points)
    );
    draw_head(
        &mut scene,
        &format!("Completion time over the bound: {}", subject.title()),
        &subtitle,
    );
    let outer = Frame {
        left: 10.0 + labels - 20.0,
        top: HEAD,
        right: width - 90.0,
        bottom: height - 10.0,
    };
    let highest = bars().map(|(.., s)| s.high).chain([1.0]);
    let plane = Plane::draw(
        &mut scene,
        outer,
        Axis::from_zero("Completion time / bound (no unit)", highest),
        Axis::linear("", 0.0, 1.0).marked(Vec::new()),
    );
    let mut top = plane.frame.top + GAP / 2.0;
    for group in groups {
        if groups.len() > 1 {
            let heading = group.size.map_or("no size".to_owned(), |size| Bytes(size).to_string());
            scene.text(
                (plane.frame.left - 10.0, top + BAR / 2.0),
                heading,
                SMALL,
                Anchor::End,
                MUTED,
            );
            top += BAR;
        }
        for (label, look, spread) in &group.bars {
            draw_bar(&mut scene, &plane, top, label, look, spread);
            top += BAR;
        }
        top += GAP;
    }
    let one = plane.x_at(1.0);
    scene.segment(
        (one, plane.frame.top),
        (one, plane.frame.bottom),
        Stroke::solid(BLACK, 1.0),
    );
    scene
}

fn draw_bar(scene: &mut Scene, plane: &Plane, top: f64, label: &str, look: &Look, spread: &Spread) {
    let (left, middle) = (plane.frame.left, top + BAR / 2.0);
    let end = plane.x_at(spread.mean);
    scene.text((left - 10.0, middle), label, SMALL, Anchor::End, TEXT);
    let bar = Frame {
        left,
        top: top + 3.0,
        right: end,
        bottom: top + BAR - 3.0,
    };
    scene.rect(bar, look.ink);
    let mut label_from = end;
    if spread.high > spread.low {
        let (low, high) = (plane.x_at(spread.low), plane.x_at(spread.high));
        let whisker = Stroke::solid(BLACK, 1.3);
        scene.segment((low, middle), (high, middle), whisker);
        for x in [low, high] {
            scene.segment((x, middle - 4.0), (x, middle + 4.0), whisker);
        }
        label_from = high;
    }
    scene.text(
        (label_from + 7.0, middle),
        format!("{:.3}", spread.mean),
        SMALL,
        Anchor::Start,
        TEXT,
    );
}
