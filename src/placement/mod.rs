//! Which paths a flow's bytes take, decided before they are sent.
//!
//! A scheme looks at the schedule batch by batch (the transfers of one step), with the knowledge it
//! may have: one source, all hosts under one leaf, or the whole step. It yields one [`Placement`],
//! the same for the analytic side and for both engines. Schemes that decide while packets travel
//! are in `path_selection`, with what they do; here they place every flow as a whole.

mod bipartite;
mod cut_line;
mod ecmp;
mod ecmp_split;
mod edge_coloring;
mod entropic_weights;
mod ethereal;
mod evaluation;
mod greedy;
mod groups;
mod hash;
mod hashed_path;
mod hop_names;
mod idle_ports;
mod label;
#[cfg(test)]
mod last_path;
mod least_bytes;
mod link_loads;
mod optimal_transport;
mod plan;
mod plan_file;
mod port_stripe;
mod qp_stripe;
mod scheme;
mod subflows;
mod table;
#[cfg(test)]
mod tests;
mod weighted_spray;

pub use crate::path_selection::{
    Adaptive, Bitmap, Choose, Flowlet, Learned, Method, Mrc, Plb, Reps, RepsVariant, Spray,
};
pub use cut_line::CutLine;
pub use ecmp::Ecmp;
pub use ecmp_split::EcmpSplit;
pub use edge_coloring::EdgeColoring;
pub use entropic_weights::PathWeights;
pub use ethereal::Ethereal;
pub use evaluation::{Evaluation, StepEvaluation, evaluate};
pub use greedy::Greedy;
pub use groups::Group;
pub use hash::Hash;
pub use least_bytes::LeastBytes;
pub use optimal_transport::{OptimalTransport, Prefer, Scope, Solver};
pub use plan::PlannedPaths;
pub use plan_file::{PlanFile, PlannedFlow, PlannedPath, PlannedSubflow, Spread};
pub use port_stripe::{PortStripe, Stripe};
pub use qp_stripe::{QpStripe, StripeMode};
pub use subflows::{Placement, Subflow};
pub use table::LoadBalancing;
pub use weighted_spray::{WeightedSpray, Weights};

use scheme::{Problem, Scheme};
