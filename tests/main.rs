//! The integration tests, one binary.

mod bad_input;
mod bounds;
mod cli;
mod config_reference;
mod connections;
mod folders;
mod fuzz;
mod house;
mod htsim;
mod imports;
mod limits;
mod optimal_transport;
mod packet;
mod pages;
mod placement;
mod programs;
mod receivers;
mod recipes;
mod recovery;
mod reports;
mod runs;
mod shards;
mod spreading;
mod tools;
mod transports;
mod validation;
