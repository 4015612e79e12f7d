//! What a plot is: a drawing with the numbers in it, or why there is none.

use std::path::{Path, PathBuf};

use super::drawing::Drawing;
use super::render;
use crate::report::ReportError;
use crate::results::ReadError;

/// A drawing and the numbers in it.
pub(super) struct Figure {
    pub drawing: Drawing,
    pub headings: &'static [&'static str],
    pub rows: Vec<Vec<String>>,
}

/// Why a plot was not drawn.
pub(super) enum NoFigure {
    /// What it needs and the records do not have.
    Missing(String),
    Failed(ReportError),
}

impl From<ReadError> for NoFigure {
    fn from(error: ReadError) -> Self {
        Self::Failed(error.into())
    }
}

pub(super) fn missing<T>(what: impl Into<String>) -> Result<T, NoFigure> {
    Err(NoFigure::Missing(what.into()))
}

impl Figure {
    /// Writes SVG, PNG and CSV of this name into a folder.
    pub(super) fn write(&self, dir: &Path, name: &str) -> Result<[PathBuf; 3], ReportError> {
        let [svg, png, csv] = ["svg", "png", "csv"].map(|kind| dir.join(format!("{name}.{kind}")));
        render::write_svg(&self.drawing, &svg)?;
        render::write_png(&self.drawing, &png)?;
        let mut writer = csv::Writer::from_path(&csv).map_err(|error| ReportError::file(&csv, error.into()))?;
        writer
            .write_record(self.headings)
            .map_err(|error| ReportError::file(&csv, error.into()))?;
        for row in &self.rows {
            writer
                .write_record(row)
                .map_err(|error| ReportError::file(&csv, error.into()))?;
        }
        writer.flush().map_err(|error| ReportError::file(&csv, error))?;
        Ok([svg, png, csv])
    }
}
