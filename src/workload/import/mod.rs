//! Workloads that other tools have written down: traces of what every rank did, and algorithms.
//!
//! A reader makes a [`Trace`] of its file, or the operations of a program; what both have in common (who sends to whom,
//! which ranks communicate together, in which order) is found out and drawn in one place.

mod algorithms;
mod chakra;
mod collective;
mod draw;
mod goal;
mod hint;
mod inspector;
mod matching;
mod msccl;
mod notes;
mod simai;
mod trace;

pub use algorithms::Algorithms;
pub use chakra::Chakra;
pub use goal::Goal;
pub use inspector::Inspector;
pub use msccl::Msccl;
pub use simai::Simai;

pub(super) use chakra::messages;
pub(super) use hint::{CHAKRA_MARK, GOAL_MARK};
