//! The best values of an experiment's keys, by as few packets as possible.
//!
//! ```text
//! space       keys and their values as numbers      densities   where good values lie (TPE)
//! hyperband   how many candidates at which fidelity  candidate   what a fidelity says of one
//! report      the best, by family, and sensitivities
//! ```
//!
//! The search (Falkner, Klein and Hutter 2018: BOHB) spends little on each of many candidates and goes on with a third of
//! them at three times the fidelity, down to one in full. What a bound or a clock has shown not to be better is left
//! at once; no better candidate is lost that way.

mod candidate;
mod densities;
mod hyperband;
mod report;
mod space;

pub use candidate::Tuner;
pub use hyperband::{Budget, Evaluator, Fidelity, Trial, Verdict, search};
pub use report::{Family, Sensitivity, TuneReport, report};
pub use space::{Config, Dimension, Space};
