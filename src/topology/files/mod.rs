//! Fabrics from the files of other tools.

mod astra;
mod infragraph;
mod ns3;

pub use astra::AstraSim;
pub use infragraph::Infragraph;
pub use ns3::{Hpcc, Simai};
