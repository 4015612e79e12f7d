//! What the workloads deliver, and what they refuse.

mod bookkeeping;
mod collectives;
mod imports;
mod patterns;
mod program;
mod replay;
mod training;

use super::Workload;

/// A workload from its table in an experiment file.
fn workload(text: &str) -> Workload {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}
