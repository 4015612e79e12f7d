//! How series are told apart: by color, by the shape of their points, and by the dashes of their
//! lines, so that a plot reads in color, for color-blind readers, and in black and white.

use super::drawing::{Anchor, At, BLACK, Dash, Drawing, Frame, Ink, Stroke, TEXT, WHITE};
use super::glyphs::text_room;

/// Series that are told apart in one figure.
pub(super) const MOST_SERIES: usize = 12;

/// The palette of Okabe and Ito, dark ones first, without the yellow that is lost on white; then six more.
const INKS: [Ink; MOST_SERIES] = [
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (120, 60, 30),
    (90, 60, 160),
    (110, 110, 0),
    (200, 30, 60),
    (110, 110, 110),
    (0, 70, 60),
];

const DASHES: [Dash; 5] = [&[], &[7.0, 3.0], &[2.0, 2.5], &[9.0, 3.0, 2.0, 3.0], &[4.0, 2.0]];

/// The shape of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Disc,
    Square,
    Triangle,
    Diamond,
    Wedge,
    Cross,
    Plus,
    Pentagon,
    Hexagon,
    Star,
    Lying,
    Standing,
}

const MARKERS: [Marker; MOST_SERIES] = [
    Marker::Disc,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::Wedge,
    Marker::Cross,
    Marker::Plus,
    Marker::Pentagon,
    Marker::Hexagon,
    Marker::Star,
    Marker::Lying,
    Marker::Standing,
];

/// The looks of one series: as many points as there are series in a figure, and fewer dashes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    pub ink: Ink,
    pub marker: Option<Marker>,
    pub dash: Dash,
    pub width: f64,
}

impl Look {
    /// The looks of series `n`, which has the color of kind `kind`.
    pub(super) fn of(kind: usize, n: usize) -> Self {
        Self {
            ink: INKS[kind % INKS.len()],
            marker: Some(MARKERS[n % MARKERS.len()]),
            dash: DASHES[n % DASHES.len()],
            width: 1.8,
        }
    }

    /// The looks of a bound: a thin black line without points.
    pub(super) const BOUND: Self = Self {
        ink: BLACK,
        marker: None,
        dash: &[],
        width: 1.0,
    };

    pub(super) fn stroke(&self) -> Stroke {
        Stroke {
            ink: self.ink,
            width: self.width,
            dash: self.dash,
        }
    }

    /// The looks of bound `n` of several: black as any, thin, with dashes of its own.
    pub(super) fn bound(n: usize) -> Self {
        Self {
            dash: DASHES[n % DASHES.len()],
            ..Self::BOUND
        }
    }

    /// The same without points.
    pub(super) fn line_only(self) -> Self {
        Self { marker: None, ..self }
    }

    /// The same without a line.
    pub(super) fn point_only(self) -> Self {
        Self { width: 0.0, ..self }
    }

    /// Draws a point.
    pub(super) fn point(&self, drawing: &mut Drawing, (x, y): At) {
        const R: f64 = 3.6;
        let Some(marker) = self.marker else { return };
        let ring = |corners: usize, turn: f64, r: f64| {
            let angle = move |i: usize| std::f64::consts::TAU * (i as f64 / corners as f64 + turn);
            (0..corners)
                .map(|i| (x + r * angle(i).sin(), y - r * angle(i).cos()))
                .collect::<Vec<_>>()
        };
        let corners = match marker {
            Marker::Disc => (24, 0.0, 1.0),
            Marker::Square => (4, 0.125, 1.25),
            Marker::Triangle => (3, 0.0, 1.35),
            Marker::Diamond => (4, 0.0, 1.35),
            Marker::Wedge => (3, 0.5, 1.35),
            Marker::Pentagon => (5, 0.0, 1.25),
            Marker::Hexagon => (6, 0.0, 1.2),
            Marker::Star => {
                drawing.polygon(star((x, y), R * 1.7 + 1.2), WHITE);
                drawing.polygon(star((x, y), R * 1.7), self.ink);
                return;
            }
            Marker::Lying | Marker::Standing => {
                let (wide, high) = if marker == Marker::Lying {
                    (1.5, 0.6)
                } else {
                    (0.6, 1.5)
                };
                let around = |rim: f64| Frame {
                    left: x - R * wide - rim,
                    top: y - R * high - rim,
                    right: x + R * wide + rim,
                    bottom: y + R * high + rim,
                };
                drawing.rect(around(1.2), WHITE);
                drawing.rect(around(0.0), self.ink);
                return;
            }
            Marker::Cross | Marker::Plus => {
                let turn = if marker == Marker::Cross { 0.125 } else { 0.0 };
                for arms in [ring(4, turn, R * 1.3)] {
                    for (halo, ink, width) in [(1.3, WHITE, 3.4), (1.0, self.ink, 1.9)] {
                        for (from, to) in [(arms[0], arms[2]), (arms[1], arms[3])] {
                            let stretch = |(a, b): At| (x + (a - x) * halo, y + (b - y) * halo);
                            drawing.segment(stretch(from), stretch(to), Stroke::solid(ink, width));
                        }
                    }
                }
                return;
            }
        };
        // A white rim keeps points apart that lie close together.
        drawing.polygon(ring(corners.0, corners.1, R * corners.2 + 1.2), WHITE);
        drawing.polygon(ring(corners.0, corners.1, R * corners.2), self.ink);
    }
}

/// The corners of a star with five points.
fn star((x, y): At, outer: f64) -> Vec<At> {
    let corner = |n: usize| {
        let (angle, r) = (
            std::f64::consts::TAU * n as f64 / 10.0,
            if n.is_multiple_of(2) { outer } else { outer * 0.42 },
        );
        (x + r * angle.sin(), y - r * angle.cos())
    };
    (0..10).map(corner).collect()
}

/// Size of the text of legends and axes.
pub(super) const SMALL: f64 = 12.5;

const SAMPLE: f64 = 34.0;
const LINE_HEIGHT: f64 = 20.0;

/// A column of samples and names.
pub(super) struct Legend<'a> {
    pub entries: Vec<(&'a str, Look)>,
}

impl Legend<'_> {
    /// Room that it needs.
    pub(super) fn width(&self) -> f64 {
        let widest = self.entries.iter().map(|(name, _)| text_room(name, SMALL));
        SAMPLE + 8.0 + widest.fold(0.0, f64::max)
    }

    pub(super) fn height(&self) -> f64 {
        self.entries.len() as f64 * LINE_HEIGHT
    }

    /// Draws it from its top left corner.
    pub(super) fn draw(&self, drawing: &mut Drawing, (left, top): At) {
        for (i, (name, look)) in self.entries.iter().enumerate() {
            let y = top + (i as f64 + 0.5) * LINE_HEIGHT;
            if look.width > 0.0 {
                drawing.segment((left, y), (left + SAMPLE, y), look.stroke());
            }
            look.point(drawing, (left + SAMPLE / 2.0, y));
            drawing.text((left + SAMPLE + 8.0, y), *name, SMALL, Anchor::Start, TEXT);
        }
    }
}

/// The color of what an operation of a program is for; `bubble` is nearly white.
pub(super) fn purpose_ink(purpose: &str) -> Ink {
    match purpose {
        "compute" => (122, 135, 148),
        "tensor" => INKS[0],
        "context" => INKS[5],
        "expert" => INKS[3],
        "pipeline" => INKS[4],
        "data" => INKS[1],
        "bubble" => (232, 232, 232),
        _ => INKS[2],
    }
}

/// Dark for much, light for little: the order holds in gray as well.
pub(super) fn shade(share: f64) -> Ink {
    const STOPS: [Ink; 5] = [
        (247, 251, 255),
        (198, 219, 239),
        (107, 174, 214),
        (33, 113, 181),
        (8, 38, 86),
    ];
    let at = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let low = (at.floor() as usize).min(STOPS.len() - 2);
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * (at - low as f64)).round() as u8;
    let (a, b) = (STOPS[low], STOPS[low + 1]);
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// A cell of a heat map that has no value: crossed out.
pub(super) fn crossed_out(drawing: &mut Drawing, cell: Frame) {
    drawing.rect(cell, (235, 235, 235));
    let stroke = Stroke::solid((150, 60, 0), 1.0);
    drawing.segment((cell.left, cell.top), (cell.right, cell.bottom), stroke);
    drawing.segment((cell.left, cell.bottom), (cell.right, cell.top), stroke);
}
