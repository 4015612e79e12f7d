//! What an export yields.

/// How an exported schedule is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// One Chakra execution trace for each host.
    Chakra,
    /// A GOAL program as text.
    Goal,
    /// A connection matrix of htsim, with triggers.
    Cm,
    /// A table of flows that do not wait for each other.
    Flows,
}

/// Files by name, and what they leave out.
#[derive(Debug, Default)]
pub struct Exported {
    /// Name and content of each.
    pub files: Vec<(String, Vec<u8>)>,
    /// What they leave out: a line each.
    pub warnings: Vec<String>,
}

/// A schedule between hosts that a format cannot express: why, and what would be possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inexpressible {
    /// Why it cannot be written so.
    pub why: String,
    /// What would be possible.
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
