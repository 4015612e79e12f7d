//! Operations on groups of ranks: any collective or pattern, and computation, with dependencies rank by
//! rank.

mod assemble;
mod communicators;
mod draw;
mod groups;
mod order;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use assemble::{Operation, Work, assemble};
pub(super) use communicators::Communicators;
pub use groups::Groups;

use super::{
    AllGather, AllReduce, AllToAll, AllToAllv, Broadcast, Gather, Incast, Kind, Permutation, Reduce, ReduceScatter,
    Scatter, SendRecv, Shift,
};
use crate::units::Time;

super::ranks::ranked! {
    /// Operations on groups of ranks. An operation starts on a rank when the operations that it comes after are done on
    /// that rank: all that the rank sends has been sent, and all that it receives is there.
    pub struct Program {
        /// How often all of it is done. A rank begins the next round when it has done its part of the one before.
        #[serde(default = "crate::input::one")]
        pub repeat: u32,
        /// The operations. Each names one of the communications or `compute`.
        pub ops: Vec<Op>,
    }
}

/// Declares an operation with one key for each kind of communication.
macro_rules! communications {
    ($($field:ident: $kind:ident = $name:literal, $about:literal;)*) => {
        /// One operation of a program: `compute`, or one communication.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Op {
            /// What others call it under `after`; no two have the same name.
            pub name: String,
            /// Every rank of the groups is busy so long. A rank computes one operation at a time, in the order of the
            /// file as far as dependencies leave it open.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub compute: Option<Time>,
            $(
                #[doc = $about]
                #[serde(default, rename = $name, skip_serializing_if = "Option::is_none")]
                pub $field: Option<Box<$kind>>,
            )*
            /// Who takes part: groups of one size, or a list of lists of ranks; by default one group of all.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub groups: Option<Groups>,
            /// The operations that must be done on a rank before this one starts there.
            #[serde(default)]
            pub after: Vec<String>,
        }

        impl Op {
            /// The keys of all communications.
            const COMMUNICATIONS: &[&str] = &[$($name),*];

            /// What is written of them, by key.
            fn communications(&self) -> Vec<(&'static str, &dyn Kind)> {
                let mut written: Vec<(&'static str, &dyn Kind)> = Vec::new();
                $(written.extend(self.$field.as_deref().map(|kind| ($name, kind as &dyn Kind)));)*
                written
            }
        }
    };
}

communications! {
    all_to_all: AllToAll = "all-to-all", "Every rank sends a message to every other rank.";
    all_reduce: AllReduce = "all-reduce", "Every rank ends with the sum over all ranks.";
    reduce_scatter: ReduceScatter = "reduce-scatter", "Every rank ends with its share of the sum over all ranks.";
    all_gather: AllGather = "all-gather", "Every rank ends with the shares of all ranks.";
    broadcast: Broadcast = "broadcast", "Every rank ends with the buffer of rank 0 of its group.";
    reduce: Reduce = "reduce", "Rank 0 of its group ends with the sum over all ranks.";
    gather: Gather = "gather", "Rank 0 of its group ends with the shares of all ranks.";
    scatter: Scatter = "scatter", "Every rank ends with its share of the buffer of rank 0 of its group.";
    all_to_allv: AllToAllv = "all-to-allv", "Every rank sends every other rank a message of its own size.";
    send_recv: SendRecv = "send-recv", "Every rank sends to the next one, or one rank of the group to another.";
    permutation: Permutation = "permutation", "Every rank sends to one other, drawn at random.";
    shift: Shift = "shift", "Every rank sends to the one a fixed distance further on.";
    incast: Incast = "incast", "Many ranks send to one.";
}
