//! A drawing as a list of shapes, in points of which a figure is some hundreds wide. Plots make
//! drawings; `render` turns one drawing into SVG and PNG alike.

/// A color: red, green, blue.
pub(super) type Ink = (u8, u8, u8);

pub(super) const BLACK: Ink = (0, 0, 0);
pub(super) const TEXT: Ink = (34, 34, 34);
pub(super) const MUTED: Ink = (96, 96, 96);
pub(super) const AXIS: Ink = (110, 110, 110);
pub(super) const GRID: Ink = (226, 226, 226);
pub(super) const WHITE: Ink = (255, 255, 255);

/// A position: rightwards and downwards.
pub(super) type At = (f64, f64);

/// An upright rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Frame {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

/// How a line is drawn: lengths of ink and gap in turn; nothing for a solid line.
pub(super) type Dash = &'static [f64];

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stroke {
    pub ink: Ink,
    pub width: f64,
    pub dash: Dash,
}

impl Stroke {
    pub(super) const fn solid(ink: Ink, width: f64) -> Self {
        Self { ink, width, dash: &[] }
    }
}

/// Which part of a text lies at its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Line {
        points: Vec<At>,
        stroke: Stroke,
    },
    Polygon {
        points: Vec<At>,
        ink: Ink,
    },
    Rect {
        frame: Frame,
        ink: Ink,
    },
    /// Vertically centered on its position; upwards if it is turned.
    Text {
        at: At,
        text: String,
        size: f64,
        anchor: Anchor,
        turned: bool,
        ink: Ink,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Drawing {
    pub width: f64,
    pub height: f64,
    pub shapes: Vec<Shape>,
}

impl Drawing {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            shapes: Vec::new(),
        }
    }

    /// A line, cut into dashes where it has them.
    pub(super) fn line(&mut self, points: Vec<At>, stroke: Stroke) {
        let subflows = match stroke.dash {
            [] => vec![points],
            dash => dashes(&points, dash),
        };
        let solid = Stroke { dash: &[], ..stroke };
        let long_enough = subflows
            .into_iter()
            .flat_map(|points| blunt(&points))
            .filter(|points| points.len() > 1);
        self.shapes
            .extend(long_enough.map(|points| Shape::Line { points, stroke: solid }));
    }

    pub(super) fn segment(&mut self, from: At, to: At, stroke: Stroke) {
        self.line(vec![from, to], stroke);
    }

    pub(super) fn polygon(&mut self, points: Vec<At>, ink: Ink) {
        self.shapes.push(Shape::Polygon { points, ink });
    }

    pub(super) fn rect(&mut self, frame: Frame, ink: Ink) {
        self.shapes.push(Shape::Rect { frame, ink });
    }

    pub(super) fn text(&mut self, at: At, text: impl Into<String>, size: f64, anchor: Anchor, ink: Ink) {
        self.shapes.push(Shape::Text {
            at,
            text: text.into(),
            size,
            anchor,
            turned: false,
            ink,
        });
    }

    /// A text that runs upwards, centered on its position.
    pub(super) fn turned_text(&mut self, at: At, text: impl Into<String>, size: f64, ink: Ink) {
        self.shapes.push(Shape::Text {
            at,
            text: text.into(),
            size,
            anchor: Anchor::Middle,
            turned: true,
            ink,
        });
    }
}

/// Cuts a line where it turns back: the point of a sharp corner would be drawn far beyond it.
fn blunt(points: &[At]) -> Vec<Vec<At>> {
    let mut subflows = vec![Vec::new()];
    for (n, &at) in points.iter().enumerate() {
        let sharp = n > 1 && {
            let (from, corner) = (points[n - 2], points[n - 1]);
            let (before, after) = (
                (corner.0 - from.0, corner.1 - from.1),
                (at.0 - corner.0, at.1 - corner.1),
            );
            before.0 * after.0 + before.1 * after.1 < 0.0
        };
        if sharp {
            subflows.push(vec![points[n - 1]]);
        }
        subflows.last_mut().into_iter().for_each(|subflow| subflow.push(at));
    }
    subflows
}

/// Cuts a line into its inked parts.
fn dashes(points: &[At], dash: Dash) -> Vec<Vec<At>> {
    let mut subflows = Vec::new();
    let (mut part, mut left) = (0, dash[0]);
    let mut subflow: Vec<At> = points.first().copied().into_iter().collect();
    for ends in points.windows(2) {
        let (from, to) = (ends[0], ends[1]);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let share = done / length;
            let cut = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
            if part % 2 == 0 {
                subflow.push(cut);
                subflows.push(std::mem::take(&mut subflow));
            } else {
                subflow = vec![cut];
            }
            part = (part + 1) % dash.len();
            left = dash[part];
        }
        left -= length - done;
        if part % 2 == 0 {
            subflow.push(to);
        }
    }
    if part % 2 == 0 {
        subflows.push(subflow);
    }
    subflows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_follow_the_corner() {
        let subflows = dashes(&[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)], &[4.0, 2.0]);
        assert_eq!(subflows, [vec![(0.0, 0.0), (4.0, 0.0)], vec![(5.0, 1.0), (5.0, 5.0)],]);
    }

    #[test]
    fn sharp_corners_are_cut() {
        let [a, b, c, d] = [(0.0, 0.0), (5.0, 0.0), (5.0, 5.0), (4.9, 0.0)];
        assert_eq!(blunt(&[a, b, c, d]), [vec![a, b, c], vec![c, d]]);
    }
}
