//! What an export yields, and why there is none.

/// Files by name, and what they leave out.
#[derive(Debug, Default)]
pub struct Exported {
    pub files: Vec<(String, Vec<u8>)>,
    pub warnings: Vec<String>,
}

/// A schedule between hosts that a format cannot express: why, and what would be possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inexpressible {
    pub why: String,
    pub help: String,
}

impl Inexpressible {
    pub(super) fn new(why: impl Into<String>, help: &str) -> Self {
        Self {
            why: why.into(),
            help: help.to_owned(),
        }
    }
}
