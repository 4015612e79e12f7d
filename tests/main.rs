//! The integration tests, one binary.

mod bad_input;
mod cli;
mod config_reference;
mod house;
mod htsim;
mod packet;
mod recipes;
mod placement;
mod runs;
mod validation;
