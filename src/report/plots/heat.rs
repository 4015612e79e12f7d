//! Heat maps: a grid of panels with one scale of shades.

use super::axes::{Axis, HEAD, draw_head};
use super::drawing::{AXIS, Anchor, Drawing, Frame, Stroke, TEXT};
use super::glyphs::text_room;
use super::style::{SMALL, crossed_out, shade};

/// One panel: a matrix of values, by rows; crossed out where there is none.
pub(super) struct Panel {
    pub title: String,
    pub rows: usize,
    pub columns: usize,
    pub values: Vec<Option<f64>>,
    pub y_title: String,
    /// Labels beside the rows: where, from 0 (top) to 1, and what.
    pub y_ticks: Vec<(f64, String)>,
    pub x_title: String,
    /// Labels below the columns: where, from 0 to 1, and what.
    pub x_ticks: Vec<(f64, String)>,
}

impl Panel {
    fn value(&self, row: usize, column: usize) -> Option<f64> {
        self.values[row * self.columns + column]
    }

    /// Positions and numbers of a few of `count` things in a row.
    pub(super) fn numbered(count: usize) -> Vec<(f64, String)> {
        let step = (0..32).map(|p| 1 << p).find(|step| count / step <= 8).unwrap_or(count);
        let at = |k: usize| ((k as f64 + 0.5) / count as f64, k.to_string());
        (0..count).step_by(step.max(1)).map(at).collect()
    }
}

/// A whole figure of panels.
pub(super) struct Maps<'a> {
    pub title: &'a str,
    pub subtitle: &'a str,
    /// Rows of panels, each with a name.
    pub rows: Vec<(String, Vec<Panel>)>,
    /// What the shades mean, with its unit.
    pub scale: &'a str,
    /// Width and height of the inside of a panel.
    pub size: (f64, f64),
}

/// Room around the inside of a panel.
const LEFT: f64 = 62.0;
const ABOVE: f64 = 30.0;
const BELOW: f64 = 44.0;
/// Room for the name of a row.
const NAME: f64 = 20.0;
const GAP: f64 = 22.0;
const BAR: f64 = 16.0;

impl Maps<'_> {
    pub(super) fn draw(&self) -> Drawing {
        let columns = self.rows.iter().map(|(_, panels)| panels.len()).max().unwrap_or(0) as f64;
        let (width, height) = self.size;
        let inside = columns * (LEFT + width + GAP);
        let scale = self.scale_axis();
        let scene_width = (inside + 150.0).max(text_room(self.title, super::axes::LARGE) + 40.0);
        let full_title = |name: &str, panel: &Panel| match name {
            "" => panel.title.clone(),
            name => format!("{name}: {}", panel.title),
        };
        // Names that do not fit above each panel stand once above their row.
        let names = self
            .rows
            .iter()
            .flat_map(|(name, panels)| panels.iter().map(move |panel| full_title(name, panel)));
        let apart = names.map(|name| text_room(&name, SMALL)).fold(0.0, f64::max) > LEFT + width;
        let above = if apart { ABOVE + NAME } else { ABOVE };
        let row_height = above + height + BELOW;
        let row_names = self.rows.iter().map(|(name, _)| text_room(name, SMALL) + 32.0);
        let scene_width = if apart {
            row_names.fold(scene_width, f64::max)
        } else {
            scene_width
        };
        let mut drawing = Drawing::new(scene_width, HEAD + self.rows.len() as f64 * row_height + 14.0);
        draw_head(&mut drawing, self.title, self.subtitle);
        for (r, (name, panels)) in self.rows.iter().enumerate() {
            let top = HEAD + r as f64 * row_height + above;
            if apart {
                drawing.text((16.0, top - 14.0 - NAME), name, SMALL, Anchor::Start, TEXT);
            }
            for (c, panel) in panels.iter().enumerate() {
                let left = LEFT + c as f64 * (LEFT + width + GAP);
                let frame = Frame {
                    left,
                    top,
                    right: left + width,
                    bottom: top + height,
                };
                let title = full_title(if apart { "" } else { name }, panel);
                draw_panel(&mut drawing, panel, frame, &title, &scale);
            }
        }
        let bar = Frame {
            left: inside + 24.0,
            top: HEAD + above,
            right: inside + 24.0 + BAR,
            bottom: HEAD + above + height.max(150.0),
        };
        draw_scale(&mut drawing, bar, &scale, self.scale);
        drawing
    }

    /// From zero, so that shades mean what they mean in other figures.
    fn scale_axis(&self) -> Scale {
        let values = || {
            let panels = self.rows.iter().flat_map(|(_, panels)| panels);
            panels.flat_map(|panel| panel.values.iter().flatten().copied())
        };
        let high = values().fold(0.0, f64::max);
        Scale {
            low: 0.0,
            high: if high > 0.0 { high } else { 1.0 },
        }
    }
}

struct Scale {
    low: f64,
    high: f64,
}

/// Shades that are told apart.
const SHADES: f64 = 48.0;

impl Scale {
    /// From 0 to 1, in steps.
    fn share(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        (share * SHADES).round() / SHADES
    }
}

fn draw_panel(drawing: &mut Drawing, panel: &Panel, frame: Frame, title: &str, scale: &Scale) {
    let middle = (frame.left + frame.right) / 2.0;
    drawing.text((middle, frame.top - 14.0), title, SMALL, Anchor::Middle, TEXT);
    let (dx, dy) = (frame.width() / panel.columns as f64, frame.height() / panel.rows as f64);
    for row in 0..panel.rows {
        let share = |column: usize| panel.value(row, column).map(|value| scale.share(value));
        let mut column = 0;
        // Neighbors of one shade are one rectangle.
        while column < panel.columns {
            let first = column;
            column += 1;
            while column < panel.columns && share(column) == share(first) && share(first).is_some() {
                column += 1;
            }
            // Cells reach a little below the next ones, or viewers would show gaps.
            let cell = Frame {
                left: frame.left + first as f64 * dx,
                top: frame.top + row as f64 * dy,
                right: (frame.left + column as f64 * dx + 0.5).min(frame.right),
                bottom: (frame.top + (row + 1) as f64 * dy + 0.5).min(frame.bottom),
            };
            match share(first) {
                Some(share) => drawing.rect(cell, shade(share)),
                None => crossed_out(drawing, cell),
            }
        }
    }
    border(drawing, frame);
    for (y, label) in &panel.y_ticks {
        let at = (frame.left - 6.0, frame.top + y * frame.height());
        drawing.text(at, label, SMALL - 2.0, Anchor::End, TEXT);
    }
    for (x, label) in &panel.x_ticks {
        let at = (frame.left + x * frame.width(), frame.bottom + 11.0);
        drawing.text(at, label, SMALL - 2.0, Anchor::Middle, TEXT);
    }
    drawing.text(
        (middle, frame.bottom + 29.0),
        &panel.x_title,
        SMALL,
        Anchor::Middle,
        TEXT,
    );
    let side = (frame.left - 44.0, (frame.top + frame.bottom) / 2.0);
    drawing.turned_text(side, &panel.y_title, SMALL, TEXT);
}

fn draw_scale(drawing: &mut Drawing, frame: Frame, scale: &Scale, title: &str) {
    let steps = SHADES as usize;
    let step = frame.height() / steps as f64;
    for i in 0..steps {
        let bottom = frame.bottom - i as f64 * step;
        let cell = Frame { bottom, ..frame };
        drawing.rect(cell, shade((i as f64 + 0.5) / SHADES));
    }
    border(drawing, frame);
    let mut widest = 0.0_f64;
    for (value, label) in Axis::linear("", scale.low, scale.high).ticks() {
        let y = frame.bottom - (value - scale.low) / (scale.high - scale.low) * frame.height();
        drawing.segment((frame.right, y), (frame.right + 4.0, y), Stroke::solid(AXIS, 1.0));
        drawing.text((frame.right + 8.0, y), label, SMALL - 2.0, Anchor::Start, TEXT);
        widest = widest.max(text_room(label, SMALL - 2.0));
    }
    let at = (frame.right + 8.0 + widest + 10.0, (frame.top + frame.bottom) / 2.0);
    drawing.turned_text(at, title, SMALL, TEXT);
}

fn border(drawing: &mut Drawing, frame: Frame) {
    let Frame {
        left,
        top,
        right,
        bottom,
    } = frame;
    let corners = vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    drawing.line(corners, Stroke::solid(AXIS, 1.0));
}
