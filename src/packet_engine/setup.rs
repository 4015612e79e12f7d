//! Everything that a run depends on.

use super::options::{PacketOptions, SwitchOptions};
use super::transport::Transport;
use crate::ids::HostId;
use crate::outcome::Observe;
use crate::placement::{LoadBalancing, Placement};
use crate::topology::{Fabric, LinkEvent};
use crate::units::{Rate, Time};
use crate::workload::Schedule;

/// Of a pair with many paths, at most so many are compared to find the fastest.
pub(super) const PATHS_COMPARED: u32 = 64;

/// Transfers looked at for what holds for a whole network, such as the longest round trip.
pub(super) const TRANSFERS_COMPARED: usize = 4_096;

/// Packets of one queue pair that can be told apart.
pub(super) const MOST_PACKETS: u64 = 1 << 31;

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

impl Setup<'_> {
    /// Whether switches trim packets that find no room.
    pub(super) fn trimming(&self) -> bool {
        self.switch.trims(self.transport)
    }

    /// Whether control packets overtake data.
    pub(super) fn control_first(&self) -> bool {
        self.packet.control_first(self.transport, self.switch)
    }

    /// More full packets than a host can send by `stop`.
    pub(super) fn most_packets(&self, src: HostId, stop: Time) -> u64 {
        let full = self.packet.full();
        let links = self.fabric.out_links(src.node()).iter();
        let of_port = links.map(|&id| {
            let changes = self.link_events.iter().map(|event| event.change);
            let rates = changes.filter(|change| change.link == id).map(|change| change.rate);
            let rate = rates.fold(self.fabric.link(id).rate, Rate::max);
            stop.0 / rate.transmission_time(full).0.max(1) + 1
        });
        of_port.fold(1, u64::saturating_add)
    }
}

/// Whether all links have the same rate and delay and no path is a detour, so that all paths of a pair are equally fast.
pub(super) fn has_equal_links(fabric: &Fabric) -> bool {
    if fabric.stages().is_some() {
        return false;
    }
    let mut kinds = fabric.links().iter().map(|link| (link.rate, link.delay));
    let first = kinds.next();
    kinds.all(|kind| Some(kind) == first)
}
