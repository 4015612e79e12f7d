//! A flow among those that are placed together.

use crate::ids::{TaskId, id};

id! {
    /// A flow of a step.
    pub(in crate::placement) FlowId;
    /// A pair of edges: a demand in the table of a step.
    pub(in crate::placement) PairId;
}

/// A flow of a step.
#[derive(Debug, Clone, Copy)]
pub(in crate::placement) struct Flow {
    pub task: TaskId,
    /// Its demand in the table; `None` where source and destination share a switch.
    pub pair: Option<PairId>,
    pub bytes: u64,
}
