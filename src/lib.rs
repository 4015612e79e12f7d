//! fabricsim: how the bytes of collectives travel through training fabrics.
//!
//! One question is answered three times, and the answers are held against each other: *on this
//! fabric, for these collectives, does it matter how bytes are spread over paths, and how far is each
//! scheme from the provable best?*
//!
//! # In a program of your own
//!
//! ```
//! use fabricsim::prelude::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cable = Cable::new(Rate::from_gbps(100), Time::from_ns(500));
//! let fabric = Fabric::compile(&LeafSpine::uniform(4, 4, 4, cable).blueprint()?);
//! let schedule = Workload::from(Shift::by(4, Bytes::from_mib(1))).schedule(fabric.hosts(), &NoFiles, 1)?;
//!
//! let hashed = Simulation::on(&fabric).load_balancing(Ecmp::default()).run(&schedule)?;
//! let split = Simulation::on(&fabric).load_balancing(Ethereal::default()).run(&schedule)?;
//! assert!(split.cct_over_bound() < hashed.cct_over_bound());
//!
//! // The same in packets.
//! let packets = Simulation::on(&fabric)
//!     .load_balancing(Ethereal::default())
//!     .transport(Dctcp::default())
//!     .run(&schedule)?;
//! assert!(packets.outcome.cct >= packets.bounds.cct);
//! # Ok(())
//! # }
//! ```
//!
//! [`prelude`] has what such programs use, [`simulation`] the builder; the programs in `examples/` compare schemes, draw a
//! fabric, place flows by a rule of their own, certify a placement and read the results of an experiment.
//!
//! # The modules
//!
//! The base is what all others use: [`units`] has time in whole picoseconds, bytes and rates; [`ids`] has the dense numbers
//! of nodes, links and tasks; [`rng`] turns one seed into named streams; [`math`] has functions that give the same digits on
//! every machine; [`input`] is how a module says what is wrong with its part of a file.
//!
//! [`topology`] says what the network is: a fabric of hosts, switches and directed links, drawn as a graph, compiled to
//! dense tables, with its faults and its equal-cost paths. [`workload`] says what must move and in which order: a collective
//! becomes a schedule of transfers that wait for each other. Neither knows the other; a rank map joins them.
//!
//! [`optimal_transport`] is mathematics on matrices and knows no network. [`routes`] and [`loads`] say once where hosts are
//! attached and what links carry. [`placement`] decides, before anything is sent, which paths a flow's bytes take: by
//! hashing, by the splitting rule of the paper (arXiv 2407.00550), by coloring, by optimal transport.
//!
//! Three modules answer the question and never use each other. [`congestion`] proves: bounds that no scheme beats, certified
//! minima. [`flow_engine`] simulates fluid that shares links max-min fairly. [`packet_engine`] simulates every packet through
//! every queue. All take the same fabric, schedule and placement; the engines give the same [`outcome`].
//!
//! [`config`] reads text into a tree whose values know where they were written. [`experiment`] makes a plan of it, which
//! is cheap, and prepares the points of the plan, which is not. [`runner`] runs them, bounds them and places them;
//! [`results`] is what it writes: the schema of every file, with its writer and its reader. [`validation`] holds the
//! three answers against each other. [`report`] draws tables and plots from results alone. [`cli`] is the command line,
//! one file per command.
//!
//! Engines are pure: no file, clock, thread or environment; the same input gives the same output, bit
//! for bit, on any machine and with any number of threads.

#![deny(unsafe_code)]

pub mod allocation;
pub mod cli;
pub mod config;
pub mod congestion;
pub mod experiment;
pub mod flow_engine;
#[doc(hidden)]
pub mod fuzzing;
pub mod ids;
pub mod input;
mod kinds;
pub mod loads;
pub mod math;
pub mod optimal_transport;
pub mod outcome;
pub mod packet_engine;
mod path_selection;
pub mod placement;
pub mod prelude;
mod quick_map;
pub mod report;
pub mod results;
pub mod rng;
pub mod routes;
pub mod runner;
pub mod search;
#[cfg(feature = "server")]
pub mod server;
pub mod simulation;
pub mod topology;
pub mod units;
pub mod validation;
mod wide;
pub mod workload;
