//! The result of placing: sub-flows with their routes.

use crate::ids::TaskId;
use crate::routes::Route;
use crate::workload::{Schedule, Transfer};

/// A sub-flow: bytes that are sent as a flow of their own, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
            placement.offsets.push(offset(placement.pieces.len()));
        }
        placement
    }

    /// A placement of `tasks` tasks from pieces in any order; those of one task keep theirs.
    pub fn from_scattered(tasks: usize, scattered: &[(TaskId, Piece)]) -> Self {
        let mut offsets = vec![0; tasks + 1];
        for (task, _) in scattered {
            offsets[task.index() + 1] += 1;
        }
        for t in 0..tasks {
            offsets[t + 1] += offsets[t];
        }
        offset(scattered.len());
        let mut next = offsets.clone();
        let unset = Piece {
            route: Route::Dynamic,
            bytes: 0,
        };
        let mut pieces = vec![unset; scattered.len()];
        for &(task, piece) in scattered {
            let slot = &mut next[task.index()];
            pieces[*slot as usize] = piece;
            *slot += 1;
        }
        Self { offsets, pieces }
    }

    /// One piece per transfer, on the route that `route` gives it.
    pub fn whole(schedule: &Schedule, mut route: impl FnMut(Transfer) -> Route) -> Self {
        Self::split(schedule, |transfer, pieces| {
            pieces.push(Piece {
                route: route(transfer),
                bytes: transfer.bytes,
            });
        })
    }

    /// The pieces that `split` appends for every transfer.
    pub fn split(schedule: &Schedule, mut split: impl FnMut(Transfer, &mut Vec<Piece>)) -> Self {
        let tasks = schedule.tasks().len();
        let mut placement = Self {
            offsets: Vec::with_capacity(tasks + 1),
            pieces: Vec::with_capacity(tasks),
        };
        for transfer in schedule.transfers() {
            placement
                .offsets
                .resize(transfer.task.index() + 1, offset(placement.pieces.len()));
            split(transfer, &mut placement.pieces);
        }
        placement.offsets.resize(tasks + 1, offset(placement.pieces.len()));
        placement
    }

    /// The same pieces on the same routes, of other sizes.
    #[must_use]
    pub fn resized(mut self, size: impl Fn(u64) -> u64) -> Self {
        for piece in &mut self.pieces {
            piece.bytes = size(piece.bytes);
        }
        self
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

fn offset(pieces: usize) -> u32 {
    u32::try_from(pieces).expect("at most 2^32 sub-flows fit in memory")
}

/// `bytes` in `count` parts of equal size, of which the last takes the remainder. Parts may be
/// empty where there are fewer bytes than parts.
pub(super) fn equal_parts(bytes: u64, count: u32) -> impl Iterator<Item = u64> {
    let part = bytes / u64::from(count);
    let last = bytes - part * u64::from(count - 1);
    (1..=count).map(move |k| if k == count { last } else { part })
}
