//! Which paths a flow's bytes take, decided before they are sent.
//!
//! A scheme looks at the schedule batch by batch (the transfers of one step), with the knowledge it
//! may have: one source, all hosts under one leaf, or the whole step. It yields one [`Placement`],
//! the same for the analytic side and for both engines. Schemes that decide while packets travel
//! place everything on [`Route::Dynamic`](crate::routes::Route::Dynamic) and only describe themselves here; the packet engine acts
//! by their options.

mod adaptive;
mod bipartite;
mod bitmap;
mod cut_line;
mod ecmp;
mod ecmp_split;
mod edge_coloring;
mod entropic_weights;
mod ethereal;
mod evaluation;
mod flowlet;
mod greedy;
mod groups;
mod hash;
mod hashed_path;
mod hop_names;
mod idle_ports;
mod label;
mod least_bytes;
mod link_loads;
mod mrc;
mod optimal_transport;
mod plan;
mod plan_file;
mod plb;
mod port_stripe;
mod qp_stripe;
mod reps;
mod scheme;
mod spray;
mod subflows;
mod table;
#[cfg(test)]
mod tests;
mod weighted_spray;

pub use adaptive::Adaptive;
pub use bitmap::Bitmap;
pub use cut_line::CutLine;
pub use ecmp::Ecmp;
pub use ecmp_split::EcmpSplit;
pub use edge_coloring::EdgeColoring;
pub use entropic_weights::PathWeights;
pub use ethereal::Ethereal;
pub use evaluation::{Evaluation, StepJudgement, judge};
pub use flowlet::Flowlet;
pub use greedy::Greedy;
pub use groups::Group;
pub use hash::Hash;
pub use least_bytes::LeastBytes;
pub use mrc::Mrc;
pub use optimal_transport::{OptimalTransport, Prefer, Scope, Solver};
pub use plan::PlannedPaths;
pub use plan_file::{PlanFile, PlannedFlow, PlannedPath, PlannedSubflow, Spread};
pub use plb::Plb;
pub use port_stripe::{PortStripe, Stripe};
pub use qp_stripe::{QpStripe, StripeMode};
pub use reps::{Reps, RepsVariant};
pub use spray::{Choose, Spray};
pub use subflows::{Placement, Subflow};
pub use table::LoadBalancing;
pub use weighted_spray::{WeightedSpray, Weights};

use scheme::{Problem, Scheme};
