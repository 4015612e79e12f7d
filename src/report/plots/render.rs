//! Scenes as SVG and PNG. The one place that knows plotters.

use std::path::Path;

use plotters::backend::DrawingBackend;
use plotters::prelude::{BitMapBackend, IntoDrawingArea, PathElement, Polygon, Rectangle, SVGBackend, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle};

use super::drawing::{Anchor, Drawing, Ink, Shape};
use super::glyphs::Canvas;
use crate::report::ReportError;

/// Pixels of a PNG for each point of the drawing.
const PIXELS: u32 = 2;
/// Drawn pixels for each pixel of a PNG, in both directions: their mean smooths all edges.
const SAMPLES: u32 = 2;
/// plotters rounds to whole units; both formats are drawn this many times larger.
const SCALE: u32 = PIXELS * SAMPLES;

/// Writes a drawing as SVG.
pub(super) fn write_svg(drawing: &Drawing, path: &Path) -> Result<(), ReportError> {
    let (width, height) = size(drawing);
    let mut text = String::new();
    let texts = drawing
        .shapes
        .iter()
        .filter(|shape| matches!(shape, Shape::Text { .. }));
    let shapes = drawing
        .shapes
        .iter()
        .filter(|shape| !matches!(shape, Shape::Text { .. }));
    draw(shapes.chain(texts), SVGBackend::with_string(&mut text, (width, height)))
        .map_err(|e| ReportError::draw(path, e))?;
    // Drawn large, shown at its own size: the view box scales.
    let large = format!("width=\"{width}\" height=\"{height}\"");
    let own = format!("width=\"{}\" height=\"{}\"", width / SCALE, height / SCALE);
    let text = text.replacen(&large, &own, 1);
    std::fs::write(path, text).map_err(|error| ReportError::file(path, error))
}

/// Writes a drawing as PNG.
pub(super) fn write_png(drawing: &Drawing, path: &Path) -> Result<(), ReportError> {
    let failed = |error: &dyn std::fmt::Display| ReportError::draw(path, error);
    let (width, height) = size(drawing);
    let mut large = vec![255_u8; (width * height * 3) as usize];
    let shapes = drawing
        .shapes
        .iter()
        .filter(|shape| !matches!(shape, Shape::Text { .. }));
    draw(shapes, BitMapBackend::with_buffer(&mut large, (width, height))).map_err(|e| failed(&e))?;
    let mut canvas = Canvas {
        pixels: &mut large,
        width: width as usize,
        scale: f64::from(SCALE),
    };
    drawing.shapes.iter().for_each(|shape| canvas.text(shape));
    let (width, height) = (width / SAMPLES, height / SAMPLES);
    let pixels = shrink(&large, width as usize, height as usize);
    let encoded = encode(width, height, &pixels).map_err(|e| failed(&e))?;
    std::fs::write(path, encoded).map_err(|error| ReportError::file(path, error))
}

/// Red, green and blue of every pixel, row by row, as a PNG.
fn encode(width: u32, height: u32, pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut encoded = Vec::new();
    let mut encoder = png::Encoder::new(&mut encoded, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(encoded)
}

/// The mean of each square of samples.
fn shrink(large: &[u8], width: usize, height: usize) -> Vec<u8> {
    let samples = SAMPLES as usize;
    let row = width * samples * 3;
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let corner = y * samples * row + x * samples * 3 + channel;
                let square = (0..samples * samples).map(|i| corner + i / samples * row + i % samples * 3);
                let sum: usize = square.map(|at| usize::from(large[at])).sum();
                pixels.push((sum / (samples * samples)) as u8);
            }
        }
    }
    pixels
}

fn size(drawing: &Drawing) -> (u32, u32) {
    let scaled = |length: f64| length.ceil().max(1.0) as u32 * SCALE;
    (scaled(drawing.width), scaled(drawing.height))
}

fn draw<'a, B: DrawingBackend>(shapes: impl Iterator<Item = &'a Shape>, backend: B) -> Result<(), String> {
    let area = backend.into_drawing_area();
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    area.fill(&RGBColor(255, 255, 255)).map_err(|e| failed(&e))?;
    for shape in shapes {
        match shape {
            Shape::Line { points, stroke } => {
                let width = (stroke.width * f64::from(SCALE)).round().max(1.0) as u32;
                let style = ShapeStyle::from(&color(stroke.ink)).stroke_width(width);
                let points: Vec<_> = points.iter().map(|&at| scaled(at)).collect();
                area.draw(&PathElement::new(points, style))
            }
            Shape::Polygon { points, ink } => {
                let points: Vec<_> = points.iter().map(|&at| scaled(at)).collect();
                area.draw(&Polygon::new(points, ShapeStyle::from(&color(*ink)).filled()))
            }
            Shape::Rect { frame, ink } => {
                let corners = [scaled((frame.left, frame.top)), scaled((frame.right, frame.bottom))];
                area.draw(&Rectangle::new(corners, ShapeStyle::from(&color(*ink)).filled()))
            }
            Shape::Text {
                at,
                text,
                size,
                anchor,
                turned,
                ink,
            } => {
                let across = match anchor {
                    Anchor::Start => HPos::Left,
                    Anchor::Middle => HPos::Center,
                    Anchor::End => HPos::Right,
                };
                let turn = if *turned {
                    FontTransform::Rotate270
                } else {
                    FontTransform::None
                };
                let style = font(size * f64::from(SCALE)).transform(turn).color(&color(*ink));
                // A viewer centers on small letters; capitals and figures reach higher.
                let drop = size * 0.09;
                let at = if *turned {
                    (at.0 + drop, at.1)
                } else {
                    (at.0, at.1 + drop)
                };
                let style = style.pos(Pos::new(across, VPos::Center));
                area.draw(&Text::new(text.clone(), scaled(at), style))
            }
        }
        .map_err(|e| failed(&e))?;
    }
    area.present().map_err(|e| failed(&e))
}

fn scaled((x, y): (f64, f64)) -> (i32, i32) {
    let scale = f64::from(SCALE);
    ((x * scale).round() as i32, (y * scale).round() as i32)
}

fn color((red, green, blue): Ink) -> RGBColor {
    RGBColor(red, green, blue)
}

/// A font of the viewer's own choice with an em of `size`.
fn font(size: f64) -> FontDesc<'static> {
    // plotters writes a font size divided by this factor.
    const PLOTTERS: f64 = 1.24;
    FontDesc::new(FontFamily::SansSerif, size * PLOTTERS, FontStyle::Normal)
}
