//! Text to values: experiment files with what they inherit, override and refer to, as one tree in
//! which every value knows the file and the characters it came from.
//!
//! ```text
//! source   a text and its name            tree   values with their origin
//! draft    extends, --set, file names     de     tree to structs, with located errors
//! ```

mod de;
mod draft;
mod source;
mod suggest;
mod tree;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub(super) use draft::too_deep;
pub use draft::{Draft, Layer, Opened, Setting, split_path};
pub use source::{FileStore, Source, absolute, open_file};
pub use suggest::closest;
pub use tree::{Entry, MAX_DEPTH, Node, Origin};

use crate::input::{InputError, Place};

/// A configuration that cannot be used: what is wrong, where, and the remedy.
#[derive(Debug, Clone)]
pub struct ConfigError {
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// What would be valid; empty where the message says it all.
    pub help: String,
    /// The characters it is about.
    pub at: Option<Location>,
}

/// Some characters of a source.
#[derive(Debug, Clone)]
pub struct Location {
    pub source: Arc<Source>,
    /// Byte range in the source's text.
    pub span: Range<usize>,
}

impl ConfigError {
    /// An error that no characters of an input can be shown for.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: String::new(),
            at: None,
        }
    }

    /// The same error with its remedy.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The same error at some characters of a source.
    #[must_use]
    pub fn at(mut self, source: &Arc<Source>, span: Range<usize>) -> Self {
        self.at = Some(Location {
            source: Arc::clone(source),
            span,
        });
        self
    }

    /// The same error at a value.
    #[must_use]
    pub fn at_value(self, entry: &Entry) -> Self {
        self.at(&entry.origin.source, entry.origin.value.clone())
    }

    /// The same error at a value's key.
    #[must_use]
    pub fn at_key(self, entry: &Entry) -> Self {
        self.at(&entry.origin.source, entry.origin.key.clone())
    }

    /// An error of a lower room about the tree `root`.
    pub fn from_input(error: InputError, root: &Entry, files: &FileStore) -> Self {
        match &error.place {
            Place::Key(key) => {
                let found = root.deepest(key);
                Self::new(format!("{key}: {}", error.message)).at_value(found)
            }
            Place::Line { file, line } => match files.known(file) {
                Some(source) => Self::new(&error.message).at(&source, source.line(*line)),
                None => Self::new(format!("{file}:{line}: {}", error.message)),
            },
            Place::File(file) => {
                let named = Self::new(format!("{file}: {}", error.message));
                match root.find_file(file) {
                    Some(entry) => named.at_value(entry),
                    None => named,
                }
            }
        }
        .help(error.help)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            let (line, column) = at.source.line_and_column(at.span.start);
            write!(f, "{}:{line}:{column}: ", at.source.name)?;
        }
        write!(f, "{}", self.message)?;
        if !self.help.is_empty() {
            write!(f, " ({})", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
