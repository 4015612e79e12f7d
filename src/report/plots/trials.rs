//! How a search went: what every simulation of `fabricsim tune` said, and the best so far.

use std::fs;
use std::path::{Path, PathBuf};

use super::axes::{Axis, HEAD, Plane, draw_head};
use super::drawing::{BLACK, Drawing, Frame, Stroke};
use super::figure::Figure;
use super::style::{Legend, Look};
use crate::report::ReportError;
use crate::results::{Number, TrialRow};

/// Draws the trials of a folder into its folder `plots`.
///
/// # Errors
/// A file that cannot be written.
pub fn plot_trials(dir: &Path, trials: &[TrialRow], floor_us: Option<f64>) -> Result<[PathBuf; 3], ReportError> {
    let target = dir.join("plots");
    fs::create_dir_all(&target).map_err(|error| ReportError::file(&target, error))?;
    let shown: Vec<&TrialRow> = trials
        .iter()
        .filter(|trial| trial.fidelity == "simulation" && trial.share.value() == 1.0 && trial.verdict == "score")
        .collect();
    let figure = Figure {
        drawing: drawing(&shown, floor_us),
        headings: &["spent", "family", "value_us", "best_us"],
        rows: shown.iter().map(|trial| row(trial)).collect(),
    };
    figure.write(&target, "trials")
}

fn row(trial: &TrialRow) -> Vec<String> {
    let text = |number: Option<Number>| number.map_or(String::new(), |number| number.to_string());
    vec![
        trial.spent.to_string(),
        trial.family.clone(),
        text(trial.value_us),
        text(trial.best_us),
    ]
}

fn value(number: Option<Number>) -> f64 {
    number.unwrap_or_default().value()
}

fn drawing(shown: &[&TrialRow], floor_us: Option<f64>) -> Drawing {
    let mut families: Vec<&str> = shown.iter().map(|trial| trial.family.as_str()).collect();
    families.sort_unstable();
    families.dedup();
    let look = |family: &str| {
        let kind = families.iter().position(|known| *known == family).unwrap_or(0);
        Look::of(kind, 0)
    };
    let legend = Legend {
        entries: families
            .iter()
            .map(|family| (*family, look(family).point_only()))
            .collect(),
    };
    let (width, height) = (620.0 + legend.width(), 430.0_f64.max(HEAD + 30.0 + legend.height()));
    let mut drawing = Drawing::new(width, height);
    draw_head(
        &mut drawing,
        "Simulations in full, and the best so far",
        "a run that the clock stopped is not shown: it was not better",
    );
    let outer = Frame {
        left: 10.0,
        top: HEAD,
        right: width - legend.width() - 30.0,
        bottom: height - 10.0,
    };
    let spent = shown.iter().map(|trial| trial.spent.value());
    let values = shown.iter().map(|trial| value(trial.value_us)).chain(floor_us);
    let plane = Plane::draw(
        &mut drawing,
        outer,
        Axis::from_zero("Budget spent (runs in full)", spent.chain([1.0])),
        Axis::from_zero("Objective (us)", values.chain([1.0])),
    );
    if let Some(floor) = floor_us {
        let at = plane.y_at(floor);
        drawing.segment(
            (plane.frame.left, at),
            (plane.frame.right, at),
            Stroke::solid((150, 150, 150), 1.0),
        );
    }
    let mut line = Vec::new();
    for trial in shown {
        let (x, best) = (plane.x_at(trial.spent.value()), plane.y_at(value(trial.best_us)));
        if let Some(&(_, before)) = line.last() {
            line.push((x, before));
        }
        line.push((x, best));
    }
    drawing.line(line, Stroke::solid(BLACK, 1.2));
    for trial in shown {
        let at = plane.at((trial.spent.value(), value(trial.value_us)));
        look(&trial.family).point(&mut drawing, at);
    }
    legend.draw(&mut drawing, (outer.right + 20.0, plane.frame.top));
    drawing
}
