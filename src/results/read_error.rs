//! Why a results folder cannot be read.

use std::io;
use std::path::{Path, PathBuf};

/// A file of a results folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// It holds something else than it should.
    #[error("{}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

impl ReadError {
    pub(super) fn file(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        Self::File { path, source }
    }

    pub(super) fn content(path: &Path, message: impl ToString) -> Self {
        let (path, message) = (path.to_owned(), message.to_string());
        Self::Content { path, message }
    }
}
