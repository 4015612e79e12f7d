//! A flow among those that are placed together.

use crate::ids::TaskId;

/// A flow of a step.
#[derive(Debug, Clone, Copy)]
pub(in crate::placement) struct Flow {
    pub task: TaskId,
    /// Its demand in the table; `None` where source and destination share a switch.
    pub pair: Option<u32>,
    pub bytes: u64,
}
