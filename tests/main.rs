//! The integration tests, one binary.

mod bad_input;
mod bounds;
mod cli;
mod config_reference;
mod connections;
mod house;
mod htsim;
mod imports;
mod packet;
mod placement;
mod recipes;
mod runs;
mod spreading;
mod validation;
