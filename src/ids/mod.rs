//! Dense identifiers: indices into the arrays of a fabric or a schedule.
//!
//! Modules declare others of their own by the same macro, `id`; what there is for each is an `IdVec`, and lists for
//! each are `IdLists`, which nothing else indexes.

mod id;
mod id_lists;
mod id_vec;

use std::fmt;

pub(crate) use id::{Id, id};
pub(crate) use id_lists::IdLists;
pub(crate) use id_vec::IdVec;

id! {
    /// A host or a switch of a fabric. Hosts come first: host `h` is node `h`.
    pub NodeId;
    /// A host of a fabric: what sends and receives. Host `h` is node `h`.
    pub HostId;
    /// A directed link of a fabric.
    pub LinkId;
    /// A task of a schedule: a transfer, a delay or a join. A transfer's id is its flow's id.
    pub TaskId;
    /// A rank of a workload: one of the processes that take part in its collectives. It lives on a host.
    pub RankId;
    /// A sub-flow of a placement: a part of a flow that takes its own way. A queue pair in the packet engine.
    pub SubflowId;
    /// One of the equal-cost paths of a pair, below [`Fabric::path_count`](crate::topology::Fabric::path_count).
    pub PathIndex;
}

/// What can be asked of them outside the crate, too.
macro_rules! public {
    ($($name:ident)*) => {$(
        impl $name {
            /// As an array index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

public!(NodeId HostId LinkId TaskId RankId SubflowId PathIndex);

/// What an array's indices become.
macro_rules! from_index {
    ($($name:ident)*) => {
        $(impl From<usize> for $name {
                fn from(index: usize) -> Self {
                    Id::from_index(index)
                }
            })*
    };
}

from_index!(NodeId LinkId TaskId SubflowId);

/// What numbers are, where a range has been checked: only of one type, so that literals can be written.
macro_rules! from_number {
    ($($name:ident)*) => {
        $(impl From<u32> for $name {
            fn from(number: u32) -> Self {
                Self(number)
            }
        }

        impl From<$name> for u32 {
            fn from(id: $name) -> Self {
                id.0
            }
        })*
    };
}

from_number!(RankId HostId PathIndex);

impl HostId {
    /// The host as a node.
    pub const fn node(self) -> NodeId {
        NodeId(self.0)
    }
}

impl From<HostId> for NodeId {
    fn from(host: HostId) -> Self {
        host.node()
    }
}

/// What transfers of a schedule go between: ranks as a collective is written, hosts once its ranks have been placed.
pub trait Endpoint: Copy + Eq + Ord + std::hash::Hash + fmt::Debug + fmt::Display + From<u32> + Into<u32> {}

impl Endpoint for RankId {}
impl Endpoint for HostId {}
