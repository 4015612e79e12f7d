//! Dense identifiers: indices into the arrays of a fabric or a schedule.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

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
    };
}

/// What an array's indices become.
macro_rules! from_index {
    ($($name:ident)*) => {
        $(impl From<usize> for $name {
                fn from(index: usize) -> Self {
                    Self(u32::try_from(index).expect("more than 2^32 of one kind"))
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

id! {
    /// A host or a switch of a fabric. Hosts come first: host `h` is node `h`.
    NodeId
}
id! {
    /// A host of a fabric: what sends and receives. Host `h` is node `h`.
    HostId
}

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

id! {
    /// A directed link of a fabric.
    LinkId
}
id! {
    /// A task of a schedule: a transfer, a delay or a join. A transfer's id is its flow's id.
    TaskId
}
id! {
    /// A rank of a workload: one of the processes that take part in its collectives. It lives on a host.
    RankId
}
id! {
    /// A sub-flow of a placement: a part of a flow that takes its own way. A queue pair in the packet engine.
    SubflowId
}
id! {
    /// One of the equal-cost paths of a pair, below [`Fabric::path_count`](crate::topology::Fabric::path_count).
    PathIndex
}

/// What transfers of a schedule go between: ranks as a collective is written, hosts once its ranks have been placed.
pub trait Endpoint: Copy + Eq + Ord + std::hash::Hash + fmt::Debug + fmt::Display + From<u32> + Into<u32> {}

impl Endpoint for RankId {}
impl Endpoint for HostId {}
