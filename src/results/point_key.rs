//! What names a point in the rows of `run`, `bound` and `place`.

use serde::Serialize;

use super::{BoundRow, PlaceRow, PriceRow, ResultRow};

/// The cells that name a point: which ones a row has, it says itself.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct PointKey {
    /// Index in the plan.
    pub point: u32,
    /// `flow` or `packet`.
    pub engine: String,
    /// Kind of the topology, the name of the file that describes it, or the table that the sweep sets.
    pub topology: String,
    /// The same of the workload.
    pub workload: String,
    /// Size or message of the workload, where it has one.
    pub size_bytes: Option<u64>,
    /// Name with its non-default options.
    pub load_balancing: String,
    /// None in the flow engine.
    pub transport: Option<String>,
    /// The seed.
    pub seed: u64,
}

/// A row about a point of a plan.
pub trait PointRow: Serialize + Default {
    /// The point's index.
    fn point(&self) -> u32;
}

macro_rules! named {
    ($row:ty: $($cell:ident)+) => {
        impl $row {
            /// Fills in the cells that name the point.
            pub fn identify(&mut self, key: &PointKey) {
                $(self.$cell.clone_from(&key.$cell);)+
            }
        }

        impl PointRow for $row {
            fn point(&self) -> u32 {
                self.point
            }
        }
    };
}

named!(ResultRow: point engine topology workload size_bytes load_balancing transport seed);
named!(BoundRow: point topology workload size_bytes load_balancing seed);
named!(PlaceRow: point topology workload size_bytes load_balancing seed);
named!(PriceRow: point topology workload size_bytes seed);
