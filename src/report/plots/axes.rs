//! Axes: from values to positions, with ticks at round values.

use super::drawing::{AXIS, Anchor, At, Drawing, Frame, GRID, MUTED, Stroke, TEXT};
use super::glyphs::text_room;
use super::style::SMALL;
use crate::units::Bytes;

/// Size of the text of a title.
pub(super) const LARGE: f64 = 17.0;

/// How values are spaced along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spacing {
    Linear,
    Log,
}

/// One axis: what it measures, from where to where, and where it is marked.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    title: String,
    spacing: Spacing,
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
    /// Room that its labels have at least.
    least_width: f64,
}

impl Axis {
    /// From zero to beyond the largest value.
    pub(super) fn from_zero(title: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let high = values.into_iter().fold(0.0, f64::max);
        let high = if high > 0.0 { high * 1.04 } else { 1.0 };
        Self::linear(title, 0.0, high)
    }

    /// A linear axis over a range.
    pub(super) fn linear(title: impl Into<String>, low: f64, high: f64) -> Self {
        Self {
            title: title.into(),
            spacing: Spacing::Linear,
            low,
            high,
            ticks: linear_ticks(low, high),
            least_width: 0.0,
        }
    }

    /// A logarithmic axis around the values, which are positive.
    pub(super) fn log(title: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = range(values.into_iter().filter(|v| *v > 0.0));
        let room = (high / low).powf(0.05).max(1.05);
        let (low, high) = (low / room, high * room);
        Self {
            title: title.into(),
            spacing: Spacing::Log,
            low,
            high,
            ticks: log_ticks(low, high),
            least_width: 0.0,
        }
    }

    /// A logarithmic axis marked at powers of two.
    pub(super) fn doubling(title: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let axis = Self::log(title, values);
        let powers = (0..64).map(|p| 2_f64.powi(p));
        let inside = powers.filter(|v| (axis.low..=axis.high).contains(v));
        let ticks = inside.map(|v| (v, v.to_string())).collect();
        axis.marked(ticks)
    }

    /// A linear axis around the values, from zero where they are not all far from it.
    pub(super) fn around(title: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = range(values.into_iter());
        if low < high * 0.4 {
            return Self::from_zero(title, [high]);
        }
        let room = ((high - low) * 0.05).max(high * 0.01);
        Self::linear(title, low - room, high + room)
    }

    /// A logarithmic axis of sizes, marked at the sizes there are.
    pub(super) fn sizes(title: impl Into<String>, sizes: &[u64]) -> Self {
        let mut axis = Self::log(title, sizes.iter().map(|&s| s as f64));
        axis.ticks = sizes.iter().map(|&s| (s as f64, Bytes(s).to_string())).collect();
        axis
    }

    /// The same with other marks.
    pub(super) fn marked(mut self, ticks: Vec<(f64, String)>) -> Self {
        self.ticks = ticks;
        self
    }

    /// The same with room for labels of that width, so that planes below each other are in line.
    pub(super) fn at_least(mut self, width: f64) -> Self {
        self.least_width = width;
        self
    }

    /// Its marks: values and labels.
    pub(super) fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }

    /// Where a value lies between the ends of the axis.
    fn share(&self, value: f64) -> f64 {
        match self.spacing {
            Spacing::Linear => (value - self.low) / (self.high - self.low),
            Spacing::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        }
    }

    /// Room for its labels.
    pub(super) fn label_width(&self) -> f64 {
        let widths = self.ticks.iter().map(|(_, label)| text_room(label, SMALL));
        widths.fold(self.least_width, f64::max)
    }
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), v| {
        (low.min(v), high.max(v))
    });
    if low <= high { (low, high) } else { (1.0, 10.0) }
}

/// Four to eight multiples of 1, 2 or 5 times a power of ten.
fn linear_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let rough = (high - low) / 6.0;
    let power = 10_f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|f| f * power >= rough * 0.999);
    let step = factor.unwrap_or(10.0) * power;
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last)
        .map(|k| (k as f64 * step, format!("{:.decimals$}", k as f64 * step)))
        .collect()
}

/// Powers of ten, with their doubles and halves where there are few.
fn log_ticks(low: f64, high: f64) -> Vec<(f64, String)> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let decades = (high / low).log10();
    let factors: &[f64] = match decades {
        d if d < 0.5 => return linear_ticks(low, high),
        d if d < 1.2 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
        d if d < 3.5 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let stride = if decades > 8.0 { 2 } else { 1 };
    let powers = (first..=last).filter(|p| p % stride == 0);
    powers
        .flat_map(|p| factors.iter().map(move |f| (f * 10_f64.powi(p), p)))
        .filter(|(value, _)| (low..=high).contains(value))
        .map(|(value, power)| {
            let decimals = (1 - power).clamp(0, 9) as usize;
            let label = format!("{value:.decimals$}");
            let label = match label.contains('.') {
                true => label.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => label,
            };
            (value, label)
        })
        .collect()
}

/// A unit in which the largest of some times is a short number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimeUnit {
    pub name: &'static str,
    /// Microseconds in one.
    pub us: f64,
}

impl TimeUnit {
    pub(super) fn for_us(largest: f64) -> Self {
        let (name, us) = match largest {
            t if t < 1.0 => ("ns", 1e-3),
            t if t < 20_000.0 => ("µs", 1.0),
            t if t < 20_000_000.0 => ("ms", 1e3),
            _ => ("s", 1e6),
        };
        Self { name, us }
    }
}

/// The inside of a pair of axes.
pub(super) struct Plane {
    pub frame: Frame,
    x: Axis,
    y: Axis,
}

/// Room for the labels and titles of axes.
const TICK: f64 = 5.0;
const TITLE_HEIGHT: f64 = 22.0;

impl Plane {
    /// Draws two axes with their grid within a frame.
    pub(super) fn draw(drawing: &mut Drawing, outer: Frame, x: Axis, y: Axis) -> Self {
        let half_label = x.ticks.last().map_or(0.0, |(_, label)| text_room(label, SMALL) / 2.0);
        let frame = Frame {
            left: outer.left + TITLE_HEIGHT + y.label_width() + TICK + 6.0,
            top: outer.top + 8.0,
            right: outer.right - half_label.max(6.0),
            bottom: outer.bottom - TITLE_HEIGHT - SMALL - TICK - 6.0,
        };
        let plane = Self { frame, x, y };
        plane.draw_y(drawing, outer.left);
        plane.draw_x(drawing, outer.bottom);
        plane
    }

    fn draw_y(&self, drawing: &mut Drawing, left: f64) {
        let frame = self.frame;
        for (value, label) in &self.y.ticks {
            let y = self.y_at(*value);
            drawing.segment((frame.left, y), (frame.right, y), Stroke::solid(GRID, 1.0));
            drawing.text((frame.left - TICK - 3.0, y), label, SMALL, Anchor::End, TEXT);
        }
        let middle = (frame.top + frame.bottom) / 2.0;
        drawing.turned_text((left + SMALL / 2.0 + 2.0, middle), &self.y.title, SMALL, TEXT);
        drawing.segment(
            (frame.left, frame.top),
            (frame.left, frame.bottom),
            Stroke::solid(AXIS, 1.0),
        );
    }

    fn draw_x(&self, drawing: &mut Drawing, bottom: f64) {
        let frame = self.frame;
        let axis = Stroke::solid(AXIS, 1.0);
        drawing.segment((frame.left, frame.bottom), (frame.right, frame.bottom), axis);
        // Labels that would touch the one before are left out; their ticks stay.
        let mut free_from = f64::NEG_INFINITY;
        for (value, label) in &self.x.ticks {
            let x = self.x_at(*value);
            drawing.segment((x, frame.bottom), (x, frame.bottom + TICK), axis);
            let half = text_room(label, SMALL) / 2.0;
            if x - half >= free_from {
                drawing.text(
                    (x, frame.bottom + TICK + SMALL / 2.0 + 4.0),
                    label,
                    SMALL,
                    Anchor::Middle,
                    TEXT,
                );
                free_from = x + half + 8.0;
            }
        }
        let middle = (frame.left + frame.right) / 2.0;
        drawing.text(
            (middle, bottom - SMALL / 2.0 - 2.0),
            &self.x.title,
            SMALL,
            Anchor::Middle,
            TEXT,
        );
    }

    pub(super) fn x_at(&self, value: f64) -> f64 {
        self.frame.left + self.x.share(value) * self.frame.width()
    }

    pub(super) fn y_at(&self, value: f64) -> f64 {
        self.frame.bottom - self.y.share(value) * self.frame.height()
    }

    pub(super) fn at(&self, (x, y): At) -> At {
        (self.x_at(x), self.y_at(y))
    }
}

/// Room for a title and a line below it.
pub(super) const HEAD: f64 = 58.0;

/// Draws the title of a figure and a line below it, on a drawing that is made wide enough for both.
pub(super) fn draw_head(drawing: &mut Drawing, title: &str, subtitle: &str) {
    let room = text_room(title, LARGE).max(text_room(subtitle, SMALL));
    drawing.width = drawing.width.max(room + 32.0);
    drawing.text((16.0, 20.0), title, LARGE, Anchor::Start, TEXT);
    drawing.text((16.0, 42.0), subtitle, SMALL, Anchor::Start, MUTED);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: Vec<(f64, String)>) -> String {
        ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(linear_ticks(0.0, 4.56)), "0 1 2 3 4");
        assert_eq!(labels(linear_ticks(0.0, 1.04)), "0.0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels(linear_ticks(0.0, 0.013)), "0.000 0.005 0.010");
        assert_eq!(labels(log_ticks(7.0, 900.0)), "10 20 50 100 200 500");
        assert_eq!(labels(log_ticks(0.5, 200_000.0)), "1 10 100 1000 10000 100000");
        assert_eq!(labels(log_ticks(0.4, 2.4)), "0.4 0.5 0.6 0.8 1 1.5 2");
        assert_eq!(labels(log_ticks(100.0, 120.0)), "100 105 110 115 120");
    }
}
