//! Which paths a flow's bytes take, decided before they are sent.
//!
//! Every scheme looks at the schedule step by step, with the knowledge it may have (one source, or
//! all of them), and yields one [`Placement`]: the same for the analytic side and for both engines.

mod ecmp;
mod ethereal;
mod spray;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use ethereal::{Ethereal, Group};

use crate::ids::{NodeId, TaskId};
use crate::input::InputError;
use crate::topology::Fabric;
use crate::workload::Schedule;

/// How the bytes of a piece find their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// All along one path, an index below [`Fabric::path_count`].
    Pinned(u32),
    /// Evenly over all paths of the pair.
    Even,
    /// Over all paths of the pair in proportion to their [`path_weights`].
    Weighted,
    /// As the network or the transport decides while the packets travel.
    Dynamic,
}

/// A sub-flow: bytes that are sent as a flow of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub route: Route,
    pub bytes: u64,
}

/// The pieces of every transfer of a schedule. Their bytes add up to the transfer's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placement {
    /// Pieces of task `t`: `pieces[offsets[t]..offsets[t + 1]]`; none for tasks that are no transfers.
    offsets: Vec<u32>,
    pieces: Vec<Piece>,
}

impl Placement {
    /// A placement from the pieces of each task, by task id.
    pub fn from_pieces<I: IntoIterator<Item = Piece>>(tasks: impl IntoIterator<Item = I>) -> Self {
        let mut placement = Self {
            offsets: vec![0],
            pieces: Vec::new(),
        };
        for task in tasks {
            placement.pieces.extend(task);
            placement
                .offsets
                .push(u32::try_from(placement.pieces.len()).expect("at most 2^32 sub-flows"));
        }
        placement
    }

    /// One piece per transfer, on the route that `route` gives it.
    pub fn whole(schedule: &Schedule, mut route: impl FnMut(TaskId, NodeId, NodeId) -> Route) -> Self {
        let mut pieces = vec![None; schedule.tasks().len()];
        for (task, src, dst, bytes) in schedule.transfers() {
            let route = route(task, NodeId(src), NodeId(dst));
            pieces[task.index()] = Some(Piece { route, bytes });
        }
        Self::from_pieces(pieces)
    }

    /// The pieces of a transfer.
    pub fn of(&self, task: TaskId) -> &[Piece] {
        &self.pieces[self.offsets[task.index()] as usize..self.offsets[task.index() + 1] as usize]
    }

    /// Position of a transfer's first piece among all pieces.
    pub fn first(&self, task: TaskId) -> usize {
        self.offsets[task.index()] as usize
    }

    /// All pieces, by task.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

/// Weights of the paths of a pair in weighted spraying, in order of their index: the smallest rate
/// of each between the two edges, in bits per second. Where source or destination has no fabric links between (one
/// leaf), every path weighs the same.
pub fn path_weights(fabric: &Fabric, src: NodeId, dst: NodeId) -> Vec<u64> {
    fabric
        .paths(src, dst)
        .map(|path| {
            let inner = path.iter().filter(|&&id| fabric.is_fabric_link(id));
            inner.map(|&id| fabric.link(id).rate.0).min().unwrap_or(1)
        })
        .collect()
}

/// A load balancing as an experiment file describes it: a name, or a table named after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoadBalancing {
    /// One path per flow, by a salted hash in every switch.
    Ecmp {},
    /// Every packet on another path.
    Spray {},
    /// The paper's splitting rule.
    Ethereal(Ethereal),
}

impl LoadBalancing {
    /// Names and one-line descriptions, in the order of `fabricsim list`.
    pub const ALL: &[(&str, &str)] = &[
        ("ecmp", "one path per flow, by a salted hash in every switch"),
        ("spray", "every packet on another path"),
        (
            "ethereal",
            "whole flows round robin, left-over flows split evenly (the paper's rule)",
        ),
    ];

    /// The name of this scheme, as in the experiment file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ecmp {} => "ecmp",
            Self::Spray {} => "spray",
            Self::Ethereal(_) => "ethereal",
        }
    }

    /// The name with its non-default options, as in results: `ecmp-split(ways=4)`.
    pub fn label(&self) -> String {
        self.name().to_owned()
    }

    /// Places every transfer of a schedule between hosts that the fabric joins by at least one
    /// path. Keys in errors are relative to the scheme's own table.
    pub fn place(&self, fabric: &Fabric, schedule: &Schedule, seed: u64) -> Result<Placement, InputError> {
        match self {
            Self::Ecmp {} => Ok(ecmp::place(fabric, schedule, seed)),
            Self::Spray {} => Ok(spray::place(schedule)),
            Self::Ethereal(spec) => Ok(spec.place(fabric, schedule, seed)),
        }
    }
}
