//! Hosts as senders: their cards, and the sending ends of queue pairs.

use std::collections::BTreeMap;

use super::credits::Quanta;
use super::ids::SenderId;
use super::network::Network;
use super::nic::Nics;
use super::pacing;
use super::port_watch::PortWatch;
use super::queue::EventQueue;
use super::sender::Sender;
use super::slab::Slab;
use crate::ids::{HostId, IdVec, NodeId, PathIndex, SubflowId};
use crate::path_selection::Experience;

/// The sending side of all hosts.
#[derive(Debug)]
pub(super) struct Sending {
    pub nics: Nics,
    pub senders: Slab<SenderId, Sender>,
    /// Wire bytes per picosecond by queue pair, where the transport paces them; else empty.
    pub rates: IdVec<SubflowId, f64>,
    /// How targets of credits are stated, where senders need credits.
    pub quanta: Option<Quanta>,
    /// Paths that a host avoids (source, destination edge, path), and until when.
    pub avoided: BTreeMap<(HostId, NodeId, PathIndex), u64>,
    pub port_watch: PortWatch,
    /// Data packets sent, and those of them that had been sent before.
    pub packets: u64,
    pub retransmits: u64,
    /// What is seen of paths, for who learns from it.
    pub experience: Option<Experience>,
}

impl Sending {
    pub(super) fn new<Q: EventQueue>(net: &Network<'_, Q>) -> Self {
        let setup = net.setup;
        Self {
            nics: Nics::new(setup.fabric, setup.packet.active_queue_pairs),
            senders: Slab::default(),
            rates: match setup.transport.paced() {
                true => pacing::rates(setup, &net.pairs),
                false => IdVec::new(),
            },
            quanta: Quanta::new(setup),
            avoided: BTreeMap::new(),
            port_watch: PortWatch::default(),
            packets: 0,
            retransmits: 0,
            experience: (setup.load_balancing.rehearsals() > 0).then(Experience::default),
        }
    }
}
