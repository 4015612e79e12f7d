//! Which path the next packet takes, where that is not settled before the flow is sent.
//!
//! Hosts choose through a [`PathSelector`], one for each queue pair, which names the packet's path; switches
//! choose through one [`InSwitch`] for the whole fabric, hop by hop. One file holds the options of a load balancing and what it
//! does with them: the options are [`Dynamic`], and their state is a row of the table in `selector` (of hosts) or `in_switch`. Nothing
//! here knows an engine.

mod adaptive;
#[cfg(test)]
mod alternating;
mod bitmap;
mod draws;
mod dynamic;
mod experience;
mod flowlet;
mod in_switch;
mod learned;
mod learner;
mod mrc;
mod permuted;
mod plb;
mod random;
mod reps;
mod round_robin;
mod rounds;
mod select;
mod select_link;
mod selector;
mod spray;
mod weighted;

pub use adaptive::Adaptive;
#[cfg(test)]
pub(crate) use alternating::Alternating;
pub use bitmap::Bitmap;
pub(crate) use dynamic::{Dynamic, QueuePairPaths, Switches};
pub(crate) use experience::{Experience, PathGroup};
pub use flowlet::Flowlet;
pub(crate) use in_switch::InSwitch;
pub use learned::Learned;
pub use learner::Method;
pub(crate) use learner::Policy;
pub use mrc::Mrc;
pub use plb::Plb;
pub(crate) use random::Random;
pub use reps::{Reps, RepsVariant};
pub(crate) use select::{AckInfo, Select};
pub(crate) use select_link::{Hop, SelectLink};
pub(crate) use selector::PathSelector;
pub use spray::{Choose, Spray};
pub(crate) use weighted::Weighted;

/// A load balancing that chooses packet by packet, with the tables that hold its choices.
pub(crate) type DynamicScheme = dyn Dynamic<PathSelector, InSwitch>;
