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
//! | `coalescing` | acknowledgements for several packets |
//! | `limits` | when a run ends before its flows do |
//! | `nic`, `lanes`, `hosts`, `queue_pairs` | network cards, flows and their two ends |
//! | `path_selection/`, `transport/`, `recovery/` | one file per way to spread, to control, to recover |

mod coalescing;
mod credits;
mod deadlock;
mod engine;
mod fabric_watch;
mod faults;
mod flow_control;
mod forwarding;
mod gray_links;
mod hosts;
mod lanes;
mod limits;
mod links;
mod lookahead;
mod nic;
mod options;
mod pacing;
mod packet;
mod path_selection;
mod port_failover;
mod ports;
mod prefetch;
mod queue;
mod queue_pairs;
mod recovery;
mod report;
mod room;
mod senders;
mod series;
mod telemetry;
#[cfg(test)]
mod tests;
mod transport;
mod unloaded;

pub use options::{Ecn, PacketOptions, Recovery, SwitchOptions};
pub use port_failover::PortFailover;
pub use transport::{Dcqcn, Dctcp, Eqds, EqdsMode, Hpcc, Ideal, Nscc, Signal, Swift, Transport, Udp};
pub use unloaded::completion;

use crate::ids::NodeId;
use crate::input::InputError;
use crate::outcome::{Observe, Outcome, Stuck};
use crate::placement::{LoadBalancing, Placement};
use crate::routes::Route;
use crate::topology::{Fabric, LinkEvent};
use crate::units::{Rate, Time};
use crate::workload::{Schedule, Transfer};

/// Of a pair with many paths, at most so many are compared to find the fastest.
const PATHS_LOOKED_AT: u32 = 64;

/// Everything a run depends on.
#[derive(Debug, Clone)]
pub struct Setup<'a> {
    /// As it is at the start.
    pub fabric: &'a Fabric,
    /// Links that fail, recover or change their rate, in order of time.
    pub link_events: &'a [LinkEvent],
    /// Between hosts.
    pub schedule: &'a Schedule,
    /// Of the schedule on the fabric.
    pub placement: &'a Placement,
    /// How packets that the placement does not pin find their way.
    pub load_balancing: &'a LoadBalancing,
    /// The congestion control of every queue pair.
    pub transport: &'a Transport,
    /// Packets and hosts.
    pub packet: &'a PacketOptions,
    /// Queues and marking.
    pub switch: &'a SwitchOptions,
    /// What to record beside the times.
    pub observe: Observe,
    /// The seed of all that is drawn at random.
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
    /// Data packets of all transfers.
    pub packets: u64,
    /// When the run stops, whatever is left.
    pub stop: Option<Time>,
}

impl Status {
    /// How much of the data has been sent, or of the time has passed, from 0 to 1.
    pub fn share(&self) -> f64 {
        let sent = self.sent as f64 / self.packets.max(1) as f64;
        let passed = self.stop.map_or(0.0, |stop| self.now.0 as f64 / stop.0 as f64);
        sent.max(passed).min(1.0)
    }
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continue {
    /// It goes on.
    Yes,
    /// It ends, with [`Stuck`].
    No,
}

/// Packets of one queue pair that can be told apart.
const MOST_PACKETS: u64 = 1 << 31;

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
        for Transfer { src, dst, .. } in self.schedule.transfers().take(engine::RTTS_LOOKED_AT) {
            let (src, dst) = (src.node(), dst.node());
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
        self.switch.trims(self.transport)
    }

    /// Whether control packets overtake data.
    fn control_first(&self) -> bool {
        self.packet.control_first(self.transport, self.switch)
    }

    fn check_together(&self) -> Result<(), InputError> {
        if self.observe.series.is_some_and(Time::is_zero) {
            return Err(InputError::key("output.series", "the sampling interval is zero"));
        }
        room::check(self)?;
        let sprayed = |subflow: &crate::placement::Subflow| !matches!(subflow.route, Route::Pinned(_));
        if self.packet.recovery == Recovery::GoBackN && self.placement.subflows().iter().any(sprayed) {
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
        self.check_rto()?;
        self.check_sizes()?;
        senders::check(self)
    }

    /// A timeout that runs out before any answer can be there would send everything twice.
    fn check_rto(&self) -> Result<(), InputError> {
        let Some(rto) = self.packet.rto.filter(|_| self.transport.acknowledged()) else {
            return Ok(());
        };
        for Transfer { task, src, dst, .. } in self.schedule.transfers() {
            let (src, dst) = (src.node(), dst.node());
            let mut rtts = self.placement.of(task).iter().map(|subflow| match subflow.route {
                Route::Pinned(path) => unloaded::rtt(self.fabric, &self.fabric.path(src, dst, path), self.packet),
                _ => unloaded::longest_rtt(self.fabric, src, dst, self.packet),
            });
            if let Some(rtt) = rtts.find(|&rtt| rto.0 <= rtt) {
                let name = |host: NodeId| &self.fabric.node(host).name;
                let rtt = Time(rtt);
                let message = format!(
                    "it is {rto}, and no packet from {} to {} can be answered before {rtt}",
                    name(src),
                    name(dst)
                );
                return Err(InputError::key("packet.rto", message)
                    .help("raise it to a few such round trips, or remove it: it then follows the round trip"));
            }
        }
        Ok(())
    }

    /// More full packets than a host can send by `stop`.
    fn most_packets(&self, src: u32, stop: Time) -> u64 {
        let full = self.packet.full();
        let links = self.fabric.out_links(NodeId(src)).iter();
        let of_port = links.map(|&id| {
            let changes = self.link_events.iter().map(|event| event.change);
            let rates = changes.filter(|change| change.link == id).map(|change| change.rate);
            let rate = rates.fold(self.fabric.link(id).rate, Rate::max);
            stop.0 / rate.transmission_time(full).0.max(1) + 1
        });
        of_port.fold(1, u64::saturating_add)
    }

    fn check_sizes(&self) -> Result<(), InputError> {
        let payload = self.packet.payload.0;
        for Transfer { task, src, bytes, .. } in self.schedule.transfers() {
            let largest = self.placement.of(task).iter().map(|subflow| subflow.bytes).max();
            let packets = largest.unwrap_or(0).div_ceil(payload);
            if bytes < Schedule::ENDLESS {
                if packets > MOST_PACKETS {
                    return Err(InputError::key(
                        "packet.payload",
                        format!("a flow of {bytes} bytes would have more than 2^31 packets"),
                    ));
                }
                continue;
            }
            let Some(stop) = self.packet.stop else {
                return Err(InputError::key(
                    "packet.stop",
                    "a transfer of size 0 is endless, and so would be the run",
                )
                .help("write `stop = \"2ms\"` under [packet]"));
            };
            let most = self.most_packets(src.0, stop);
            if most > MOST_PACKETS {
                let message =
                    format!("by {stop} an endless flow could send {most} packets, and 2^31 can be told apart");
                return Err(InputError::key("packet.stop", message).help("stop earlier, or raise packet.payload"));
            }
        }
        let (links, hosts) = (self.fabric.links().len(), self.fabric.hosts() as usize);
        let (subflows, tasks) = (self.placement.subflows().len(), self.schedule.tasks().len());
        match packet::Keys::new(links, hosts, subflows, tasks) {
            Some(_) => Ok(()),
            None => Err(InputError::key(
                "workload",
                format!("{subflows} sub-flows are more than the packet engine can tell apart"),
            )),
        }
    }
}

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
    report::outcome(engine::Engine::<queue::Wheel>::new(setup).run(monitor))
}

/// [`simulate`] with a plain binary heap for its pending events: the same outcome, slower. It is
/// there to be held against.
pub fn simulate_by_heap(setup: &Setup<'_>) -> Result<Outcome, Stuck> {
    report::outcome(engine::Engine::<queue::Heap>::new(setup).run(&mut |_| Continue::Yes))
}
