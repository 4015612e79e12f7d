//! What this program's own exports say about a schedule beyond what their format has, so that it comes back as it was.

/// The first line of a GOAL file whose labels are `t<task>_<step>_<connection>` and whose times are picoseconds.
pub(crate) const GOAL_MARK: &str = "// fabricsim 1: labels are t<task>_<step>_<connection>, times are picoseconds";

/// The attribute of the metadata of a Chakra trace whose nodes are numbered as tasks are and have a `step`, a
/// `connection` and a `duration_ps`.
pub(crate) const CHAKRA_MARK: &str = "fabricsim";

/// Where a transfer stands in its schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hint {
    pub step: u32,
    /// The first transfer on its connection.
    pub connection: u64,
}
