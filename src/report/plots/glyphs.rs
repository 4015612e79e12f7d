//! Text in bitmaps, and how much room text needs.
//!
//! Drawn here and not by plotters, which leaves out the bearings between letters.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};

use super::drawing::{Anchor, Ink, Shape};

/// The built-in font.
fn font() -> &'static FontRef<'static> {
    static FONT: OnceLock<FontRef<'static>> = OnceLock::new();
    FONT.get_or_init(|| {
        FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT).expect("the built-in font is a font")
    })
}

/// The scale at which an em is `size`.
fn scale(size: f64) -> PxScale {
    let font = font();
    let em = font.units_per_em().unwrap_or(1_000.0);
    PxScale::from(size as f32 * font.height_unscaled() / em)
}

/// The glyphs of a text from position 0 on, and its width.
fn glyphs(text: &str, size: f64) -> (Vec<Glyph>, f32) {
    let scale = scale(size);
    let scaled = font().as_scaled(scale);
    let (mut at, mut before) = (0.0, None);
    let mut glyphs = Vec::new();
    for letter in text.chars() {
        let id = scaled.glyph_id(letter);
        at += before.map_or(0.0, |before| scaled.kern(before, id));
        glyphs.push(id.with_scale_and_position(scale, point(at, 0.0)));
        at += scaled.h_advance(id);
        before = Some(id);
    }
    (glyphs, at)
}

/// Room for a text. In an SVG it appears in a font of the viewer's choice, which may be wider than
/// the built-in one.
pub(super) fn text_room(text: &str, size: f64) -> f64 {
    const WIDER: f64 = 1.17;
    f64::from(glyphs(text, size).1) * WIDER
}

/// Pixels to draw on, three bytes each.
pub(super) struct Canvas<'a> {
    pub pixels: &'a mut [u8],
    /// Pixels in a row.
    pub width: usize,
    /// Pixels in a point of the drawing.
    pub scale: f64,
}

impl Canvas<'_> {
    /// Draws a shape if it is a text.
    pub(super) fn text(&mut self, shape: &Shape) {
        let Shape::Text {
            at,
            text,
            size,
            anchor,
            turned,
            ink,
        } = shape
        else {
            return;
        };
        let size = size * self.scale;
        let (glyphs, width) = glyphs(text, size);
        let start = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        };
        // Half the height of capitals and figures, somewhat less for the sake of small letters.
        let baseline = size as f32 * 0.33;
        let (x, y) = (at.0 * self.scale, at.1 * self.scale);
        for mut glyph in glyphs {
            glyph.position.x += start;
            glyph.position.y += baseline;
            let Some(outline) = font().outline_glyph(glyph) else {
                continue;
            };
            let corner = outline.px_bounds().min;
            outline.draw(|right, down, cover| {
                let (right, down) = (
                    f64::from(corner.x) + f64::from(right),
                    f64::from(corner.y) + f64::from(down),
                );
                let (px, py) = if *turned {
                    (x + down, y - right)
                } else {
                    (x + right, y + down)
                };
                self.blend(px.round(), py.round(), *ink, cover);
            });
        }
    }

    /// Covers a pixel in part.
    fn blend(&mut self, x: f64, y: f64, (red, green, blue): Ink, cover: f32) {
        if x < 0.0 || y < 0.0 || x as usize >= self.width {
            return;
        }
        let first = (y as usize * self.width + x as usize) * 3;
        let Some(pixel) = self.pixels.get_mut(first..first + 3) else {
            return;
        };
        for (old, new) in pixel.iter_mut().zip([red, green, blue]) {
            let mixed = f32::from(*old) + (f32::from(new) - f32::from(*old)) * cover.clamp(0.0, 1.0);
            *old = mixed.round() as u8;
        }
    }
}
