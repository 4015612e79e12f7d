//! A configuration that cannot be used, and the characters it is about.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::Source;

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
    /// The text.
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
