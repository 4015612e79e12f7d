//! fabricsim: how the bytes of collectives travel through training fabrics.

pub mod cli;
pub mod congestion;
pub mod experiment;
pub mod flow_engine;
pub mod ids;
pub mod input;
pub mod optimal_transport;
pub mod outcome;
pub mod packet_engine;
pub mod placement;
pub mod report;
pub mod rng;
pub mod topology;
pub mod units;
pub mod validation;
pub mod workload;
