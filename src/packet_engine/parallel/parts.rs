//! How a run is divided, and whether it can be.

use super::division::divide;
use super::homes::homes;
use super::ids::PartId;
use crate::ids::{HostId, IdVec, LinkId, NodeId, TaskId};
use crate::packet_engine::flow_control::PAUSE_FRAME;
use crate::packet_engine::setup::Setup;

/// Windows are at least so long, in ps, or threads would wait for each other more than they work.
const LEAST_LOOKAHEAD: u64 = 50_000;

/// The parts at the two ends of a link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Border {
    pub from: PartId,
    pub to: PartId,
}

/// The parts of a run.
#[derive(Debug)]
pub(super) struct Parts {
    pub count: u32,
    of_node: IdVec<NodeId, PartId>,
    pub borders: IdVec<LinkId, Border>,
    /// Where each task begins; a transfer also ends there.
    pub homes: IdVec<TaskId, PartId>,
    /// What crosses any link takes at least so long, in ps.
    pub lookahead: u64,
}

impl Parts {
    /// At most `threads` parts. None where one thread has to do it all:
    /// - what one part does would have an effect on another within no time: a transfer starts when others, that neither begin nor end at its
    ///   source, are done; links change; receivers and senders share what acknowledgements tell of (`ack_every`) or what
    ///   switches have written into packets (HPCC);
    /// - all parts are looked at in the middle of the run: for samples, to skip steady states, or to end after so many events;
    /// - the end cannot be foreseen, as nothing is acknowledged; or links lose packets at random, which they take back from who sent them;
    /// - the fabric is too small or too fast to be divided.
    pub(super) fn new(setup: &Setup<'_>, threads: u32) -> Option<Self> {
        if threads < 2 || !is_divisible(setup) {
            return None;
        }
        let fabric = setup.fabric;
        let lookahead = lookahead(setup)?;
        let (of_node, count) = divide(fabric, threads)?;
        let homes = homes(setup.schedule, |host| of_node[host.node()])?;
        let borders = fabric.links().iter().map(|link| Border {
            from: of_node[link.from],
            to: of_node[link.to],
        });
        Some(Self {
            count,
            borders: borders.collect(),
            of_node,
            homes,
            lookahead,
        })
    }

    /// All parts.
    pub(super) fn ids(&self) -> impl Iterator<Item = PartId> + use<> {
        (0..self.count).map(PartId)
    }

    /// The part of a host.
    pub(super) fn of_host(&self, host: HostId) -> PartId {
        self.of_node[host.node()]
    }
}

/// Whether the options of a setup let parts go their own ways for a while.
fn is_divisible(setup: &Setup<'_>) -> bool {
    let (packet, observe) = (setup.packet, setup.observe);
    let shared = packet.ack_every.is_some() || setup.transport.reads_hops();
    let looked_at = observe.series.is_some()
        || observe.senders.is_some()
        || packet.fast_forward.is_some()
        || packet.max_events.is_some();
    let changes = !setup.link_events.is_empty() || !setup.fabric.losses().is_empty();
    setup.transport.acknowledged() && !(shared || looked_at || changes)
}

/// The least time for which a packet is on any link, in ps; none where that is too short.
fn lookahead(setup: &Setup<'_>) -> Option<u64> {
    let packet = setup.packet;
    // Frames of flow control are smaller than other packets may be.
    let smallest = packet.ack.min(packet.header).0.min(PAUSE_FRAME);
    let links = setup.fabric.links().iter().filter(|link| !link.rate.is_zero());
    let least = links
        .map(|link| link.delay.saturating_add(link.rate.transmission_time(smallest)).0)
        .min()?;
    (least >= LEAST_LOOKAHEAD).then_some(least)
}
