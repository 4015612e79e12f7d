//! The integration tests, one binary.

mod bad_input;
mod cli;
mod config_reference;
mod connections;
mod fuzz;
mod house;
mod htsim;
mod limits;
mod packet;
mod placement;
mod recipes;
mod runs;
mod spreading;
mod validation;
