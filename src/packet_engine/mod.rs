//! Simulates a schedule packet by packet.
//!
//! Store and forward with output queues, on a clock of integer picoseconds. Events are processed in
//! order of (time, entity), which never depends on when they were inserted, so that the same setup
//! gives the same outcome to the bit. A packet costs one event per hop: an output queue that is
//! first in, first out knows when a packet will leave as soon as it is accepted.
//!
//! State belongs to who changes it. The `engine` takes the earliest event and hands it to its owner; owners change
//! their own state, put packets on links, and tell by effects what the others have to know of. Each uses only
//! what stands above it in this table:
//!
//! | file | holds |
//! |---|---|
//! | `ids`, `packet`, `queue/` | identities; packets and alarms; pending events: a timing wheel, and a binary heap to hold it against |
//! | `options`, `setup`, `refusal`, `unloaded` | what a run depends on, and why it cannot be run; what idle paths take |
//! | `transport/`, `path_selection/`, `recovery/` | one file per way to control, to spread, to recover |
//! | `events` | the clock, pending events and effects |
//! | `network`, `switching`, `links`, `port`, `flow_control`, `forwarding`, `gray_links`, `telemetry` | switches and links: where a packet goes next, queues, marking, buffers, pauses, losses |
//! | `sending`, `sender`, `nic`, `lanes`, `acknowledging`, `opening` | hosts as senders: cards, queue pairs, recovery |
//! | `receiving`, `receiver`, `credits`, `coalescing` | hosts as receivers: arrivals, answers, credits |
//! | `flows`, `faults`, `limits`, `series`, `sender_samples` | transfers, changes of links, the end, what is observed |
//! | `skipped`, `fast_forward/` | what was skipped, and skipping it |
//! | `engine`, `lookahead` | the loop, and asking memory for what the coming events need |
//! | `parallel/` | one run by several threads |
//! | `check`, `room`, `report`, `rehearsal` | before a run, and after it; runs to learn from |

mod acknowledging;
mod cards;
mod check;
mod coalescing;
mod conditions;
mod credits;
mod deadlock;
mod ecn;
mod engine;
mod events;
mod fabric_watch;
mod fast_forward;
mod faults;
mod flow_control;
mod flows;
mod forwarding;
mod gray_links;
mod ids;
mod lanes;
mod limits;
mod links;
mod lookahead;
mod network;
mod nic;
mod opening;
mod options;
mod pacing;
mod packet;
mod parallel;
mod paths;
mod port;
mod port_failover;
mod port_watch;
mod prefetch;
mod queue;
mod queue_pairs;
mod receiver;
mod receiving;
mod recovery;
mod refusal;
mod rehearsal;
mod report;
mod room;
mod sender;
mod sender_samples;
mod sending;
mod series;
mod setup;
mod skipped;
mod slab;
mod spraying;
mod status;
mod switching;
mod telemetry;
#[cfg(test)]
mod tests;
mod transport;
mod unloaded;

pub use ecn::Ecn;
pub use fast_forward::FastForward;
pub use options::{PacketOptions, Recovery, SwitchOptions};
pub use port_failover::PortFailover;
pub use refusal::{Part, Refusal};
pub use setup::Setup;
pub use status::{Continue, Status};
pub use transport::{Dcqcn, Dctcp, Eqds, EqdsMode, Hpcc, Ideal, Nscc, Signal, Swift, Transport, Udp};
pub use unloaded::completion;

use crate::outcome::{Outcome, Stuck};

/// Runs a schedule to its end.
///
/// # Errors
/// [`Stuck`] where flows are left that nothing can finish, at the simulated time at which nothing was left to do,
/// nothing new had been delivered for long, or a limit was reached, with the reason for each. A run that is to stop at a
/// time (`packet.stop`) has an outcome then.
pub fn simulate(setup: &Setup<'_>) -> Result<Outcome, Stuck> {
    simulate_watched(setup, &mut |_| Continue::Yes)
}

/// [`simulate`], asking `monitor` about every million events whether to go on. What it answers never
/// changes what happens, only whether the run ends early, with [`Stuck`].
pub fn simulate_watched(setup: &Setup<'_>, monitor: &mut dyn FnMut(&Status) -> Continue) -> Result<Outcome, Stuck> {
    let policy = rehearsal::rehearse::<queue::Wheel>(setup, monitor)?;
    let rehearsed = setup.load_balancing.rehearsals();
    match parallel::run(rehearsed, &policy, setup, monitor) {
        Some(engine) => report::outcome(engine),
        None => report::outcome(engine::Engine::<queue::Wheel>::after(rehearsed, policy, setup).run(monitor)),
    }
}

/// [`simulate`] with a plain binary heap for its pending events: the same outcome, slower. It is
/// there to be held against.
pub fn simulate_by_heap(setup: &Setup<'_>) -> Result<Outcome, Stuck> {
    let mut monitor = |_: &Status| Continue::Yes;
    let policy = rehearsal::rehearse::<queue::Heap>(setup, &mut monitor)?;
    let rehearsed = setup.load_balancing.rehearsals();
    report::outcome(engine::Engine::<queue::Heap>::after(rehearsed, policy, setup).run(&mut monitor))
}
