//! Designs that none other beats: time against price.

use std::fs;
use std::path::{Path, PathBuf};

use super::axes::{Axis, HEAD, Plane, draw_head};
use super::drawing::{Anchor, BLACK, Drawing, Frame, Stroke};
use super::figure::Figure;
use super::style::{Legend, Look};
use crate::report::ReportError;
use crate::results::DesignRow;

/// Draws a front, by rising price, into the folder `plots` of a folder.
///
/// # Errors
/// A file that cannot be written.
pub fn plot_front(dir: &Path, front: &[DesignRow]) -> Result<[PathBuf; 3], ReportError> {
    let target = dir.join("plots");
    fs::create_dir_all(&target).map_err(|error| ReportError::file(&target, error))?;
    let row = |one: &DesignRow| {
        let simulated = one.simulated_us.map_or(String::new(), |time| time.to_string());
        vec![
            one.design.clone(),
            one.price.to_string(),
            one.least_time_us.to_string(),
            simulated,
        ]
    };
    let figure = Figure {
        drawing: drawing(front),
        headings: &["design", "price", "least_time_us", "simulated_us"],
        rows: front.iter().map(row).collect(),
    };
    figure.write(&target, "front")
}

fn drawing(front: &[DesignRow]) -> Drawing {
    let (least, simulated) = (Look::of(0, 0), Look::of(1, 0));
    let mut entries = vec![("least time", least)];
    if front.iter().any(|one| one.simulated_us.is_some()) {
        entries.push(("simulated", simulated.point_only()));
    }
    let legend = Legend { entries };
    let (width, height) = (680.0 + legend.width(), 430.0);
    let mut drawing = Drawing::new(width, height);
    draw_head(
        &mut drawing,
        "Designs that none other beats",
        "weighted sum of the workloads' times against price",
    );
    let outer = Frame {
        left: 10.0,
        top: HEAD,
        right: width - legend.width() - 30.0,
        bottom: height - 10.0,
    };
    let times = front
        .iter()
        .flat_map(|one| [Some(one.least_time_us), one.simulated_us])
        .flatten();
    let plane = Plane::draw(
        &mut drawing,
        outer,
        Axis::from_zero(
            "Price (as in the catalogue)",
            front.iter().map(|one| one.price.value()).chain([1.0]),
        ),
        Axis::from_zero("Time (us)", times.map(|time| time.value()).chain([1.0])),
    );
    let at = |one: &DesignRow| plane.at((one.price.value(), one.least_time_us.value()));
    drawing.line(front.iter().map(at).collect(), least.stroke());
    for one in front {
        let (x, y) = at(one);
        least.point(&mut drawing, (x, y));
        if let Some(time) = one.simulated_us {
            let there = plane.at((one.price.value(), time.value()));
            drawing.segment((x, y), there, Stroke::solid((150, 150, 150), 1.0));
            simulated.point(&mut drawing, there);
        }
        drawing.text((x + 6.0, y - 6.0), one.design.as_str(), 9.0, Anchor::Start, BLACK);
    }
    legend.draw(&mut drawing, (outer.right + 20.0, plane.frame.top));
    drawing
}
