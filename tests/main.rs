//! The integration tests, one binary.

mod bad_input;
mod cli;
mod config_reference;
mod house;
mod htsim;
mod packet;
mod placement;
mod recipes;
mod runs;
mod transports;
mod validation;
