//! The integration tests, one binary.

mod bad_input;
mod bounds;
mod cli;
mod config_reference;
mod house;
mod htsim;
mod packet;
mod placement;
mod recipes;
mod runs;
mod validation;
