//! Plots of a results folder: SVG, PNG, and the CSV of what is drawn.
//!
//! Every plot is one function from the folder to its figures; it says why there is none where the
//! records it needs were not kept. Figures are drawings (`drawing`) of axes (`axes`) and series in one
//! style (`style`), written by `render`.

mod axes;
mod cct_over_bound;
mod cct_vs_size;
mod cct_vs_swept;
mod congestion_vs_subflows;
mod drawing;
mod engines;
mod fct_cdf;
mod figure;
mod front;
mod glyphs;
mod heat;
mod link_load;
mod queue_over_time;
mod render;
mod senders_over_time;
mod series;
mod step;
mod style;
#[cfg(test)]
mod tests;
mod timeline;
mod trials;
mod utilisation_over_time;

use std::fs;
use std::path::{Path, PathBuf};

use super::ReportError;
use super::folder::{Folder, Subject};
use crate::results::remove_plots;
use figure::{Figure, NoFigure};
pub use front::plot_front;
pub use trials::plot_trials;

type Draw = fn(&Folder, &Subject<'_>) -> Result<Figure, NoFigure>;

/// All plots: name and function, in the order in which they are made.
const ALL: &[(&str, Draw)] = &[
    ("cct-vs-size", cct_vs_size::draw),
    ("cct-vs-swept", cct_vs_swept::draw),
    ("cct-over-bound", cct_over_bound::draw),
    ("fct-cdf", fct_cdf::draw),
    ("link-load", link_load::draw),
    ("congestion-vs-subflows", congestion_vs_subflows::draw),
    ("engines", engines::draw),
    ("queue-over-time", queue_over_time::draw),
    ("utilisation-over-time", utilisation_over_time::draw),
    ("senders-over-time", senders_over_time::draw),
    ("timeline", timeline::draw),
    ("step", step::draw),
];

/// A plot that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlotMade {
    /// Such as `cct-vs-size`.
    pub name: String,
    /// What it shows, such as `all-to-all on leaf-spine, 256 hosts`.
    pub subject: String,
    /// SVG, PNG and CSV.
    pub files: [PathBuf; 3],
}

/// A plot that was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlotSkipped {
    /// Such as `fct-cdf`.
    pub name: String,
    /// What it shows, such as `all-to-all on leaf-spine, 256 hosts`.
    pub subject: String,
    /// Which records it needs.
    pub reason: String,
}

/// What came of plotting a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plots {
    /// Files that were written.
    pub made: Vec<PlotMade>,
    /// Plots that the results have no data for.
    pub skipped: Vec<PlotSkipped>,
}

/// Makes all plots of a results folder for which there are records, in its folder `plots`: one of
/// each kind for every pair of a topology and a workload. Those that were there before are removed.
pub fn plot_folder(dir: &Path) -> Result<Plots, ReportError> {
    let folder = Folder::open(dir)?;
    let target = dir.join("plots");
    remove_plots(dir).map_err(|error| ReportError::file(&target, error))?;
    fs::create_dir_all(&target).map_err(|error| ReportError::file(&target, error))?;
    let subjects = folder.subjects();
    let mut plots = Plots::default();
    for subject in &subjects {
        for (name, draw) in ALL {
            let (name, title) = ((*name).to_owned(), subject.title());
            match draw(&folder, subject) {
                Ok(figure) => {
                    let file = match subjects.len() {
                        1 => name.clone(),
                        _ => format!("{name}-{}", subject.slug()),
                    };
                    plots.made.push(PlotMade {
                        name,
                        subject: title,
                        files: figure.write(&target, &file)?,
                    });
                }
                Err(NoFigure::Missing(reason)) => plots.skipped.push(PlotSkipped {
                    name,
                    subject: title,
                    reason,
                }),
                Err(NoFigure::Failed(error)) => return Err(error),
            }
        }
    }
    Ok(plots)
}
