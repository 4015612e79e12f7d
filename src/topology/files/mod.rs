//! Fabrics from the files of other tools.

mod ns3;

pub use ns3::{Hpcc, Simai};
