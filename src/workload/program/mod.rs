//! Operations on groups of ranks: any collective or pattern, and computation, with dependencies rank by
//! rank.

mod assemble;
mod groups;
mod order;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use assemble::{Operation, Work, assemble};
pub use groups::Groups;
use order::in_order;

use super::schedule_writer::ScheduleWriter;
use super::{
    AllGather, AllReduce, AllToAll, AllToAllv, Broadcast, Gather, Incast, Kind, Permutation, Purpose, RankMap, Reduce,
    ReduceScatter, Scatter, SendRecv, Shift,
};
use crate::input::{Files, InputError};
use crate::units::Time;

super::ranks::ranked! {
    /// Operations on groups of ranks. An operation starts on a rank when the operations that it comes after are done on
    /// that rank: all that the rank sends has been sent, and all that it receives is there.
    pub struct Program {
        /// How often all of it is done. A rank begins the next round when it has done its part of the one before.
        #[serde(default = "super::one")]
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

impl Kind for Program {
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, seed: u64) -> Result<(), InputError> {
        if self.repeat == 0 {
            return Err(InputError::key("repeat", "`repeat` is 0").help("it must be at least 1"));
        }
        let operations = self.operations(draft.ranks())?;
        assemble(draft, &operations, self.repeat, files, seed)
    }
}

impl Program {
    /// The operations, each after those that it depends on, otherwise in the order of the file.
    fn operations(&self, ranks: u32) -> Result<Vec<Operation<'_>>, InputError> {
        if self.ops.is_empty() {
            return Err(
                InputError::key("ops", "there is no operation").help("add [[workload.program.ops]] with a `name`")
            );
        }
        let order = in_order(&self.ops)?;
        let mut place = vec![0; self.ops.len()];
        for (position, &(index, _)) in order.iter().enumerate() {
            place[index] = position;
        }
        let operation = |(index, after): (usize, Vec<usize>)| {
            let op = &self.ops[index];
            let (key, work) = op.work().map_err(|error| error.under(&format!("ops.{index}")))?;
            let least = if matches!(work, Work::Compute(_)) { 1 } else { 2 };
            let groups = op.groups.clone().unwrap_or_default();
            let groups = groups
                .of(ranks, least)
                .map_err(|error| error.under(&format!("ops.{index}")))?;
            Ok(Operation {
                name: op.name.as_str().into(),
                key: format!("ops.{index}.{key}"),
                purpose: match work {
                    Work::Compute(_) => Purpose::Compute,
                    Work::Communicate(_) => Purpose::Communication,
                },
                work,
                groups,
                after: after.into_iter().map(|before| place[before]).collect(),
            })
        };
        order.into_iter().map(operation).collect()
    }
}

impl Op {
    /// What it does, and under which key.
    fn work(&self) -> Result<(&'static str, Work<'_>), InputError> {
        let written = self.communications();
        let valid = || format!("write `compute` or one of {}", Self::COMMUNICATIONS.join(", "));
        match (self.compute, written.as_slice()) {
            (Some(time), []) => Ok(("compute", Work::Compute(time))),
            (None, &[(key, kind)]) => {
                if kind.ranks().is_some() {
                    let message = "the ranks of an operation are those of its groups";
                    return Err(
                        InputError::key(format!("{key}.ranks"), message).help("take it out, and write `groups`")
                    );
                }
                if *kind.rank_map() != RankMap::InOrder {
                    let message = "the ranks of an operation live where those of the program do";
                    let help = "take it out; [workload.program] takes a `rank_map`";
                    return Err(InputError::key(format!("{key}.rank_map"), message).help(help));
                }
                Ok((key, Work::Communicate(kind)))
            }
            (None, []) => Err(InputError::key("", format!("the operation `{}` does nothing", self.name)).help(valid())),
            (compute, written) => {
                let first = if compute.is_some() { "compute" } else { written[0].0 };
                let (second, _) = written[usize::from(compute.is_none())];
                let message = format!("there is `{first}` already: `{second}` cannot stand beside it");
                Err(InputError::key(second, message).help("an operation does one thing: make it two"))
            }
        }
    }
}
