//! What collectives are for, whatever their algorithm.

/// A collective by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CollectiveName {
    /// Every rank ends with the sum over all ranks.
    AllReduce,
    /// Every rank ends with its part of the sum.
    ReduceScatter,
    /// Every rank ends with the parts of all ranks.
    AllGather,
    /// Every rank ends with a message of every other rank.
    AllToAll,
    /// Every rank ends with the buffer of one.
    Broadcast,
    /// One rank ends with the sum.
    Reduce,
    /// One rank ends with the parts of all ranks.
    Gather,
    /// Every rank ends with its part of the buffer of one.
    Scatter,
    /// An all-reduce of a few bytes.
    Barrier,
}

impl CollectiveName {
    /// As experiment files have it.
    pub fn text(self) -> &'static str {
        match self {
            Self::AllReduce => "all-reduce",
            Self::ReduceScatter => "reduce-scatter",
            Self::AllGather => "all-gather",
            Self::AllToAll => "all-to-all",
            Self::Broadcast => "broadcast",
            Self::Reduce => "reduce",
            Self::Gather => "gather",
            Self::Scatter => "scatter",
            Self::Barrier => "barrier",
        }
    }

    /// The collective that a file calls by some spelling of its name, such as `ALL_REDUCE` or `AllReduce`.
    pub fn of(text: &str) -> Option<Self> {
        let plain: String = text.chars().filter(char::is_ascii_alphabetic).collect();
        Some(match plain.to_ascii_lowercase().as_str() {
            "allreduce" => Self::AllReduce,
            "reducescatter" => Self::ReduceScatter,
            "allgather" => Self::AllGather,
            "alltoall" => Self::AllToAll,
            "broadcast" => Self::Broadcast,
            "reduce" => Self::Reduce,
            "gather" => Self::Gather,
            "scatter" => Self::Scatter,
            "barrier" => Self::Barrier,
            _ => return None,
        })
    }
}

/// What a workload of one collective must bring about: where its ranks live, and what they have and get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collective {
    /// Which collective it is.
    pub name: CollectiveName,
    /// The whole buffer of a rank, as nccl-tests counts it.
    pub bytes: u64,
    /// The host of each rank; rank 0 is the root.
    pub hosts: Vec<u32>,
    /// Switches add, and send copies of what has been added.
    pub in_network: bool,
}

impl Collective {
    /// Bytes that must leave and enter some of the ranks, however they are sent: `inside` of them, perhaps the root.
    pub fn crossing(&self, inside: usize, root: bool) -> (f64, f64) {
        let (n, bytes) = (self.hosts.len() as f64, self.bytes as f64);
        let inside = inside as f64;
        let (own, others) = (bytes * inside / n, bytes * (n - inside) / n);
        match self.name {
            // A sum of what is inside, and one of what is outside.
            CollectiveName::AllReduce | CollectiveName::Barrier => (bytes, bytes),
            CollectiveName::ReduceScatter => (others, own),
            CollectiveName::AllGather => (own, others),
            CollectiveName::AllToAll => (others * inside, others * inside),
            CollectiveName::Broadcast => {
                if root {
                    (bytes, 0.0)
                } else {
                    (0.0, bytes)
                }
            }
            CollectiveName::Reduce => {
                if root {
                    (0.0, bytes)
                } else {
                    (bytes, 0.0)
                }
            }
            CollectiveName::Gather => {
                if root {
                    (0.0, others)
                } else {
                    (own, 0.0)
                }
            }
            CollectiveName::Scatter => {
                if root {
                    (others, 0.0)
                } else {
                    (0.0, own)
                }
            }
        }
    }

    /// Bytes that all ranks together must send.
    pub fn total(&self) -> f64 {
        let (n, bytes) = (self.hosts.len() as f64, self.bytes as f64);
        match self.name {
            CollectiveName::AllReduce | CollectiveName::Barrier if self.in_network => n * bytes,
            // Each byte is added up on the way to one rank and copied on the way to the others.
            CollectiveName::AllReduce | CollectiveName::Barrier => 2.0 * (n - 1.0) * bytes,
            CollectiveName::ReduceScatter
            | CollectiveName::AllGather
            | CollectiveName::AllToAll
            | CollectiveName::Broadcast
            | CollectiveName::Reduce => (n - 1.0) * bytes,
            CollectiveName::Gather | CollectiveName::Scatter => (n - 1.0) / n * bytes,
        }
    }
}
