//! One run by several threads: the network in parts, in windows of time.
//!
//! Every part has the state of its hosts and switches and its own pending events. What crosses from part to part takes at
//! least the time that the fastest link takes (the lookahead), so all parts may go on at once from the earliest
//! pending event to a lookahead later: nothing that one of them does within such a window reaches another before its end
//! (conservative synchronization by windows; Nicol, J. ACM 40(2), 1993). Within a part events keep their order, and those of
//! different parts within one window know nothing of each other: the results are those of one thread, to the bit.
//!
//! Counting has to end with the event that ends the last flow. As long as a transfer has not been delivered, its last
//! acknowledgement is more than a window away; after that, one thread takes the earliest event of all parts, one by one.
//!
//! Some runs are not divided: those in which a part would have to know at once what another does ([`Parts::new`] says
//! when). A divided run in which that turns out later (a flow changes its path, nothing new arrives any more) starts
//! over with one thread.

mod division;
mod homes;
mod ids;
mod merge;
mod parted;
mod parts;
mod rendezvous;
mod windows;

use super::engine::Engine;
use super::limits::Ended;
use super::queue::Wheel;
use super::setup::Setup;
use super::status::{Continue, Status};
use crate::path_selection::Policy;
use parted::Parted;
use parts::Parts;

/// A run of a setup, after so many rehearsals that have taught weights of paths, by as many threads as its options ask for. None where one
/// thread has to do it all, be it to find out why flows are left.
pub(super) fn run<'a>(
    rehearsed: u32,
    policy: &Policy,
    setup: &'a Setup<'a>,
    monitor: &mut dyn FnMut(&Status) -> Continue,
) -> Option<Engine<'a, Parted<Wheel>>> {
    let parts = Parts::new(setup, setup.packet.threads)?;
    let engines = windows::run(&parts, (rehearsed, policy), setup, monitor)?;
    let engine = merge::merge(&parts, engines);
    let is_explained = matches!(engine.ended, Some(Ended::Stopped | Ended::Told));
    (engine.flows.unfinished == 0 || is_explained).then_some(engine)
}
