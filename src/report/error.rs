//! Why a report could not be made.

use std::path::{Path, PathBuf};

use crate::results::ReadError;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A results folder that cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file that cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A folder without what is asked for.
    #[error("{0}")]
    Nothing(String),
    /// A plot that cannot be drawn.
    #[error("{}: cannot draw: {message}", path.display())]
    Draw {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        message: String,
    },
}

impl ReportError {
    pub(super) fn file(path: &Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        Self::File { path, source }
    }

    pub(super) fn draw(path: &Path, message: impl ToString) -> Self {
        let (path, message) = (path.to_owned(), message.to_string());
        Self::Draw { path, message }
    }
}
