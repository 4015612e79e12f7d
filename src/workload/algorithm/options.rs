//! How a collective is carried out: what the user may choose.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Extent;
use crate::input::InputError;
use crate::units::Bytes;

/// The algorithm of an all-reduce, reduce-scatter or all-gather over N ranks and M bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// Every rank sends to the next one, in N - 1 steps of M/N bytes for each half of an all-reduce.
    #[default]
    Ring,
    /// Pairs of ranks exchange halves: log2 N steps of M/2, M/4, ... bytes to scatter, and the same
    /// backwards to gather. N must be a power of two.
    HalvingDoubling,
    /// Pairs of ranks exchange all that they have: log2 N steps, of M bytes in an all-reduce. N must
    /// be a power of two.
    RecursiveDoubling,
    /// Every rank sends to every other at once: one step for each half of an all-reduce.
    Direct,
    /// All-reduce only: two binary trees carry one half of the data each, up and then down; a rank
    /// with children in one tree is a leaf of the other (Sanders, Speck and Träff, 2009).
    DoubleBinaryTree,
    /// Rings inside each server and, for the ranks in the same place of all servers, rings over the servers:
    /// in an all-reduce (g - 1) steps of M/g bytes inside, 2 (S - 1) steps of M/N across and (g - 1) inside, for S
    /// servers of g ranks.
    Hierarchical,
    /// All-gather and reduce-scatter: a binomial tree for every share, all of them at once; ceil(log2 N) steps, in
    /// which far ranks exchange little and near ones much (NCCL's PAT, without its limit of a step's buffer).
    Pat,
    /// All-reduce only: switches add, and every rank sends M bytes up once and gets M bytes down once (SHARP). Transfers from
    /// each host to the next stand for it, with the same bytes on the same links.
    InNetwork,
    /// All-gather only: ceil(log2 N) steps at distances 1, 2, 4, ... for any N (Bruck et al., 1997).
    Bruck,
}

/// The algorithm of an all-to-all over N ranks and m bytes for each pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AllToAllAlgorithm {
    /// Every message goes straight to its receiver.
    #[default]
    Direct,
    /// First inside the servers, to the rank in the receiver's place, S messages at once; then between the ranks in the
    /// same place of all servers, g messages at once: for S servers of g ranks.
    TwoStep,
    /// ceil(log2 N) steps at distances 1, 2, 4, ..., in each of which a rank sends about half of its data: for small
    /// messages (Bruck et al., 1997).
    Bruck,
}

/// The algorithm of a reduce over N ranks and M bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReduceAlgorithm {
    /// A binomial tree: the broadcast backwards.
    #[default]
    Binomial,
    /// A chain: each rank adds its own data and passes the sum on; chunks follow one another.
    Ring,
}

/// The algorithm of a broadcast over N ranks and M bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BroadcastAlgorithm {
    /// In each of ceil(log2 N) steps, every rank that has the data sends it to one that has not.
    #[default]
    Binomial,
    /// Each rank passes the data on to the next; chunks follow one another.
    Ring,
    /// The source feeds two binary trees over the other ranks with one half of the data each.
    DoubleBinaryTree,
}

/// Which distance the algorithms that exchange between pairs of ranks begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Ranks 1 apart, then 2, 4, ...
    #[default]
    NearFirst,
    /// Ranks N/2 apart, then N/4, ...
    FarFirst,
}

impl Order {
    /// Distances of the exchanges among `ranks` ranks, a power of two.
    pub fn distances(self, ranks: u32) -> Vec<u32> {
        let mut distances: Vec<u32> = (0..ranks.ilog2()).map(|bit| 1 << bit).collect();
        if self == Self::FarFirst {
            distances.reverse();
        }
        distances
    }
}

/// What an all-reduce, reduce-scatter or all-gather is asked for.
#[derive(Debug, Clone, Copy)]
pub(in crate::workload) struct Options {
    pub algorithm: Algorithm,
    pub order: Order,
    pub pipelined: bool,
    pub local: Option<u32>,
}

impl Options {
    /// Refuses a number of ranks or an order that the algorithm cannot have.
    fn check(self, ranks: u32) -> Result<(), InputError> {
        let exchanges = matches!(
            self.algorithm,
            Algorithm::HalvingDoubling | Algorithm::RecursiveDoubling
        );
        let name = self.algorithm.name();
        if !exchanges && self.order != Order::default() {
            let message = format!("\"{name}\" has no order of distances");
            return Err(InputError::key("order", message)
                .help("leave it out, or take \"halving-doubling\" or \"recursive-doubling\""));
        }
        let of_servers = self.algorithm == Algorithm::Hierarchical;
        if self.local.is_some() && !of_servers {
            let message = format!("\"{name}\" knows no servers");
            return Err(InputError::key("local", message).help("leave it out, or take \"hierarchical\""));
        }
        if self.pipelined && !of_servers && self.algorithm != Algorithm::Ring {
            let message = format!("\"{name}\" passes nothing on as it arrives");
            return Err(
                InputError::key("pipelined", message).help("leave it out, or take \"ring\" or \"hierarchical\"")
            );
        }
        if exchanges && !ranks.is_power_of_two() {
            let above = ranks.next_power_of_two();
            let message = format!("\"{name}\" needs a power of two of ranks, and there are {ranks}");
            return Err(InputError::key("algorithm", message)
                .help(format!("take {} or {above} ranks, or another algorithm", above / 2)));
        }
        Ok(())
    }

    /// The extent of one part, of a collective in `phases` phases (an all-reduce has two).
    ///
    /// # Errors
    /// A number of ranks or an order that the algorithm cannot have.
    pub(crate) fn extent(self, ranks: u32, size: Bytes, phases: u128) -> Result<Extent, InputError> {
        self.check(ranks)?;
        let (n, bytes) = (u128::from(ranks), u128::from(size.0));
        let rounds = u128::from(ranks.ilog2());
        let up = u128::from(u32::BITS - (ranks - 1).leading_zeros());
        let (transfers, joins, edges) = match self.algorithm {
            // One transfer each, and for each half of a hierarchy.
            Algorithm::Ring if self.pipelined => (n, 1, 2),
            Algorithm::Hierarchical if self.pipelined => (2 * phases * n, 2 * n, 3),
            Algorithm::Hierarchical => (phases * self.hierarchical_transfers(n), n, 3),
            Algorithm::Pat | Algorithm::Bruck => (n * up, n * up, 4),
            Algorithm::InNetwork => (n, 1, 2),
            Algorithm::Ring => (phases * n * (n - 1), 0, 2),
            Algorithm::Direct => (phases * n * (n - 1), n, 3),
            Algorithm::HalvingDoubling => (phases * n * rounds, phases * n * rounds, 4),
            Algorithm::RecursiveDoubling => (n * rounds, n * rounds, 4),
            Algorithm::DoubleBinaryTree => (2 * phases * (n - 1), 0, 3),
        };
        if self.algorithm == Algorithm::InNetwork {
            let bytes = bytes.saturating_mul(n);
            return Ok(Extent {
                transfers,
                joins,
                edges: transfers * edges,
                bytes,
            });
        }
        let whole_buffer = self.algorithm == Algorithm::RecursiveDoubling && phases == 2;
        Ok(Extent {
            transfers,
            joins,
            edges: transfers * edges,
            bytes: bytes.saturating_mul(if whole_buffer { n * rounds } else { phases * (n - 1) }),
        })
    }

    /// At most so many in each phase: each rank sends to its server's and to its rail's.
    fn hierarchical_transfers(self, n: u128) -> u128 {
        match self.local.map(u128::from).filter(|&local| local > 0) {
            Some(local) => n * (local - 1 + n / local),
            None => n * n,
        }
    }
}

impl BroadcastAlgorithm {
    /// As in the experiment file.
    pub(in crate::workload) fn name(self) -> &'static str {
        match self {
            Self::Binomial => "binomial",
            Self::Ring => "ring",
            Self::DoubleBinaryTree => "double-binary-tree",
        }
    }
}

impl Algorithm {
    /// As in the experiment file.
    pub(in crate::workload) fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::HalvingDoubling => "halving-doubling",
            Self::RecursiveDoubling => "recursive-doubling",
            Self::Direct => "direct",
            Self::DoubleBinaryTree => "double-binary-tree",
            Self::Hierarchical => "hierarchical",
            Self::Pat => "pat",
            Self::Bruck => "bruck",
            Self::InNetwork => "in-network",
        }
    }

    /// The error for a collective that this algorithm does not carry out.
    pub(in crate::workload) fn unfit(self, collective: &str, valid: &str) -> InputError {
        InputError::key("algorithm", format!("there is no \"{}\" {collective}", self.name()))
            .help(format!("valid are {valid}"))
    }
}

/// Declares an all-reduce, a reduce-scatter or an all-gather.
macro_rules! collective {
    ($(#[$meta:meta])* $name:ident, $(#[$size_meta:meta])* size) => {
        $crate::workload::ranks::ranked! {
            $(#[$meta])*
            pub struct $name {
                $(#[$size_meta])*
                pub size: $crate::units::Bytes,
                /// How it is carried out.
                #[serde(default)]
                pub algorithm: $crate::workload::Algorithm,
                /// Parallel copies of the algorithm, each over its share of the data and over
                /// connections of its own.
                #[serde(default = "crate::input::one")]
                pub channels: u32,
                /// Pieces that the data of a channel is cut into, which follow one another in a pipeline.
                #[serde(default = "crate::input::one")]
                pub chunks: u32,
                /// Distances of "halving-doubling" and "recursive-doubling": "near-first" begins with
                /// ranks 1 apart, "far-first" with ranks half of all apart. (An all-reduce by
                /// halving-doubling goes back the way it came, so that its largest messages travel
                /// nearest with "near-first" and farthest with "far-first".)
                #[serde(default)]
                pub order: $crate::workload::Order,
                /// Every connection of a "ring" or "hierarchical" carries one transfer: what arrives is passed on at once.
                #[serde(default)]
                pub pipelined: bool,
                /// Ranks of a server, for "hierarchical": so many in a row. By default as the fabric has them.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub local: Option<u32>,
            }
        }

        impl $name {
            /// With this algorithm over all hosts, the rest as when it is not written.
            pub fn new(size: $crate::units::Bytes, algorithm: $crate::workload::Algorithm) -> Self {
                Self {
                    size,
                    algorithm,
                    channels: 1,
                    chunks: 1,
                    order: $crate::workload::Order::default(),
                    pipelined: false,
                    local: None,
                    ranks: None,
                    rank_map: $crate::workload::RankMap::default(),
                }
            }

            /// The same, passed on as it arrives if `pipelined`.
            pub(in crate::workload) fn with(
                size: $crate::units::Bytes,
                algorithm: $crate::workload::Algorithm,
                pipelined: bool,
            ) -> Self {
                Self {
                    pipelined,
                    ..Self::new(size, algorithm)
                }
            }

            /// Around a ring of all hosts.
            pub fn ring(size: $crate::units::Bytes) -> Self {
                Self::new(size, $crate::workload::Algorithm::Ring)
            }

            /// By exchanges of halves between pairs; near ranks first.
            pub fn halving_doubling(size: $crate::units::Bytes) -> Self {
                Self::new(size, $crate::workload::Algorithm::HalvingDoubling)
            }

            /// Its steps in `phases` trips around a ring, where they are equal.
            fn steps(&self, ranks: u32, phases: u32) -> Option<$crate::workload::equal_steps::Steps> {
                let plain = self.algorithm == $crate::workload::Algorithm::Ring && self.channels == 1;
                let ordered = self.order != $crate::workload::Order::default() || self.local.is_some();
                if !plain || self.pipelined || ordered {
                    return None;
                }
                let rounds = phases.checked_mul(ranks - 1)?;
                $crate::workload::equal_steps::Steps::around(ranks, self.size, rounds, self.chunks)
            }

            /// The collective to be drawn up, in `phases` phases.
            fn job<'d, 'w>(
                &self,
                ranks: u32,
                draft: &'d mut $crate::workload::schedule_writer::ScheduleWriter<'w>,
                phases: u128,
            ) -> Result<$crate::workload::algorithm::Job<'d, 'w>, $crate::input::InputError> {
                let options = $crate::workload::algorithm::Options {
                    algorithm: self.algorithm,
                    order: self.order,
                    pipelined: self.pipelined,
                    local: self.local,
                };
                let extent = options.extent(ranks, self.size, phases)?;
                let pipeline = [self.channels, self.chunks];
                $crate::workload::algorithm::Job::new(draft, ranks, self.size, pipeline, &extent)?.pipelined(self.pipelined)
            }
        }
    };
}
pub(in crate::workload) use collective;
