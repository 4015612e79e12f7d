//! Fabrics from the files of other tools.

mod infragraph;
mod ns3;

pub use infragraph::Infragraph;
pub use ns3::{Hpcc, Simai};
