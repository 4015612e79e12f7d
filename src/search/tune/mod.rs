//! The best values of an experiment's keys, by as few packets as possible.
//!
//! ```text
//! space       keys and their values as numbers          process     what a candidate may come to
//! hyperband   which candidates next, at which fidelity  candidate   what a fidelity says of one
//! report      the best, by family, and sensitivities
//! ```
//!
//! The next candidate is the one that promises the greatest improvement, given all results (Bayesian optimization). What a bound
//! or a clock has shown not to be better is left at once; no better candidate is lost that way. Where runs in full are few,
//! little can be spent on each of many candidates, a third of which goes on at three times the fidelity (Hyperband).

mod candidate;
mod hyperband;
mod process;
mod report;
mod space;

pub use candidate::Tuner;
pub use hyperband::{Budget, Evaluator, Fidelity, Trial, Verdict, search};
pub use report::{Family, Sensitivity, TuneReport, report};
pub use space::{Config, Dimension, Space};
