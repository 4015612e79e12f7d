//! Where bytes can go: the edges of a fabric, its equal-cost paths in the forms that others ask for, and the
//! weights of paths.
//!
//! Where a host is attached is the fabric's to say ([`Fabric::attachment`](crate::topology::Fabric::attachment)); all
//! else that follows from it is here, once, for placements, loads, bounds and engines alike.

mod edge_classes;
mod edge_switches;
mod path_dag;
mod path_ends;
mod path_table;
mod route;
mod weights;

pub(crate) use edge_classes::{EdgeClasses, PairKey};
pub(crate) use edge_switches::{EdgeId, EdgeSwitches};
pub(crate) use path_dag::{PathDag, PathDagBuilder, Position};
pub(crate) use path_ends::PathEnds;
pub(crate) use path_table::{Choice, PathTable};
pub use route::Route;
pub use weights::path_weights;
pub(crate) use weights::{WeightCache, gcd};
