//! The integration tests, one binary.

mod bad_input;
mod cli;
mod config_reference;
mod connections;
mod house;
mod htsim;
mod packet;
mod placement;
mod receivers;
mod recipes;
mod runs;
mod spreading;
mod validation;
