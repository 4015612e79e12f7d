//! Simulates a schedule packet by packet.
//!
//! Store and forward with output queues, on a clock of integer picoseconds. Events are processed in
//! order of (time, entity), which never depends on when they were inserted, so that the same setup
//! gives the same outcome to the bit. A packet costs one event per hop: an output queue that is
//! first in, first out knows when a packet will leave as soon as it is accepted.
//!
//! | file | holds |
//! |---|---|
//! | `engine` | the loop; what happens at each event |
//! | `queue/` | pending events: a timing wheel, and a binary heap to hold it against |
//! | `links` | queues in front of links, marking, buffers |
//! | `forwarding` | where a packet goes next |
//! | `lookahead`, `prefetch` | asking memory for what the coming events need |
//! | `nic`, `hosts`, `queue_pairs` | network cards, flows and their two ends |
//! | `path_selection/`, `transport/`, `recovery/` | one file per way to spread, to control, to recover |

mod credits;
mod engine;
mod faults;
mod flow_control;
mod forwarding;
mod hosts;
mod links;
mod lookahead;
mod nic;
mod options;
mod pacing;
mod packet;
mod path_selection;
mod ports;
mod prefetch;
mod queue;
mod queue_pairs;
mod recovery;
mod report;
mod series;
#[cfg(test)]
mod tests;
mod transport;
mod unloaded;

pub use options::{Ecn, PacketOptions, Recovery, SwitchOptions};
pub use transport::{Dcqcn, Dctcp, Eqds, Ideal, Nscc, Signal, Swift, Transport, Udp};
pub use unloaded::completion;

use crate::ids::NodeId;
use crate::input::InputError;
use crate::outcome::{Observe, Outcome, Stuck};
use crate::placement::{LoadBalancing, Placement};
use crate::topology::{Fabric, LinkEvent};
use crate::units::Time;
use crate::workload::Schedule;

/// Of a pair with many paths, at most so many are compared to find the fastest.
const PATHS_LOOKED_AT: u32 = 64;

/// Everything a run depends on.
#[derive(Debug, Clone)]
pub struct Setup<'a> {
    pub fabric: &'a Fabric,
    /// Links that fail, recover or change their rate, in order of time.
    pub link_events: &'a [LinkEvent],
    /// Between hosts.
    pub schedule: &'a Schedule,
    pub placement: &'a Placement,
    /// How packets that the placement does not pin find their way.
    pub load_balancing: &'a LoadBalancing,
    pub transport: &'a Transport,
    pub packet: &'a PacketOptions,
    pub switch: &'a SwitchOptions,
    pub observe: Observe,
    pub seed: u64,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Simulated time.
    pub now: Time,
    /// Events processed.
    pub events: u64,
    /// Transfers without their last acknowledgement.
    pub unfinished: usize,
    /// Data packets sent at least once, and those of all transfers.
    pub sent: u64,
    pub packets: u64,
}

impl Status {
    /// How much of the data has been sent, from 0 to 1.
    pub fn share(&self) -> f64 {
        self.sent as f64 / self.packets.max(1) as f64
    }
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continue {
    Yes,
    No,
}

impl Setup<'_> {
    /// Refuses options that are impossible, alone or together. Keys are those of an experiment
    /// file: `packet.payload`, `switch.queue`, `transport.dctcp.gain`.
    pub fn check(&self) -> Result<(), InputError> {
        let name = self.transport.name();
        self.transport
            .check()
            .map_err(|error| error.under(&format!("transport.{name}")))?;
        self.packet.check().map_err(|error| error.under("packet"))?;
        self.switch.check().map_err(|error| error.under("switch"))?;
        self.check_paths()
            .map_err(|error| error.under(&format!("transport.{name}")))?;
        self.check_together()
    }

    /// Refuses a target delay that is too short for the distances of the first transfers.
    fn check_paths(&self) -> Result<(), InputError> {
        let Transport::Swift(swift) = self.transport else {
            return Ok(());
        };
        let fabric = self.fabric;
        let most = if engine::equal_links(fabric) {
            1
        } else {
            PATHS_LOOKED_AT
        };
        for (_, src, dst, _) in self.schedule.transfers().take(engine::RTTS_LOOKED_AT) {
            let (src, dst) = (NodeId(src), NodeId(dst));
            for index in 0..fabric.path_count(src, dst).min(most) {
                let path = fabric.path(src, dst, index);
                let rate = fabric.link(path[0]).rate;
                let conditions = unloaded::conditions(fabric, &path, rate, self.packet, self.trimming());
                swift.check_path(&conditions)?;
            }
        }
        Ok(())
    }

    /// Whether switches trim packets that find no room.
    fn trimming(&self) -> bool {
        let default = self.transport.trimming() && !self.switch.pfc;
        self.switch.trimming.unwrap_or(default)
    }

    fn check_together(&self) -> Result<(), InputError> {
        if self.observe.series.is_some_and(Time::is_zero) {
            return Err(InputError::key("output.series", "the sampling interval is zero"));
        }
        let full = self.packet.full();
        for (key, room) in [
            ("switch.queue", self.switch.queue),
            ("switch.buffer", self.switch.buffer),
        ] {
            if room.is_some_and(|room| room.0 < full) {
                return Err(InputError::key(key, format!("a packet of {full} bytes never fits in"))
                    .help("raise it, or lower packet.payload"));
            }
        }
        if self.switch.pfc {
            flow_control::check(self)?;
        }
        let sprayed = |piece: &crate::placement::Piece| !matches!(piece.route, crate::placement::Route::Pinned(_));
        if self.packet.recovery == Recovery::GoBackN && self.placement.pieces().iter().any(sprayed) {
            return Err(InputError::key(
                "packet.recovery",
                format!(
                    "go-back-n takes packets in order only, but `{}` spreads a flow over paths",
                    self.load_balancing.name()
                ),
            )
            .help("use selective-repeat"));
        }
        if self.load_balancing.needs_acknowledgements() && !self.transport.acknowledged() {
            let (scheme, transport) = (self.load_balancing.name(), self.transport.name());
            let message = format!("`{scheme}` learns from acknowledgements, and with `{transport}` there are none");
            return Err(InputError::key("load_balancing", message).help("choose another of the two"));
        }
        self.check_sizes()
    }

    fn check_sizes(&self) -> Result<(), InputError> {
        let payload = self.packet.payload.0;
        let largest = self
            .placement
            .pieces()
            .iter()
            .map(|piece| piece.bytes)
            .max()
            .unwrap_or(0);
        if largest.div_ceil(payload) > 1 << 31 {
            return Err(InputError::key(
                "packet.payload",
                format!("a flow of {largest} bytes would have more than 2^31 packets"),
            ));
        }
        let (links, hosts) = (self.fabric.links().len(), self.fabric.hosts() as usize);
        let (pieces, tasks) = (self.placement.pieces().len(), self.schedule.tasks().len());
        match packet::Keys::new(links, hosts, pieces, tasks) {
            Some(_) => Ok(()),
            None => Err(InputError::key(
                "workload",
                format!("{pieces} sub-flows are more than the packet engine can tell apart"),
            )),
        }
    }
}

/// Runs a schedule to its end.
///
/// # Errors
/// [`Stuck`] where flows are left that nothing can finish, at the simulated time at which nothing was
/// left to do, with the reason for each.
pub fn simulate(setup: &Setup<'_>) -> Result<Outcome, Stuck> {
    simulate_watched(setup, &mut |_| Continue::Yes)
}

/// [`simulate`], asking `monitor` about every million events whether to go on. What it answers never
/// changes what happens, only whether the run ends early, with [`Stuck`].
pub fn simulate_watched(setup: &Setup<'_>, monitor: &mut dyn FnMut(&Status) -> Continue) -> Result<Outcome, Stuck> {
    report::outcome(engine::Engine::<queue::Wheel>::new(setup).run(monitor))
}

/// [`simulate`] with a plain binary heap for its pending events: the same outcome, slower. It is
/// there to be held against.
pub fn simulate_by_heap(setup: &Setup<'_>) -> Result<Outcome, Stuck> {
    report::outcome(engine::Engine::<queue::Heap>::new(setup).run(&mut |_| Continue::Yes))
}
