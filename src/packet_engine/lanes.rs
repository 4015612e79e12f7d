//! The ports that one queue pair sends from, where its host has several.
//!
//! A sprayed queue pair waits at all of them: whichever is free takes its next packet, by a path that begins there, so
//! that no port idles while there is something to send. Among the paths of one port the load balancing decides: it names path
//! after path, and those of busy ports are kept for them, a few for each. A queue pair that stays on a path for long
//! waits at the port of that path alone.

use smallvec::SmallVec;

use super::ids::{PortId, SenderId};
use super::nic::Nics;

/// Paths kept for a port that is busy.
const KEPT: usize = 8;
/// Ports that need no memory of their own: those of the fabrics with the most planes.
const PORTS: usize = 8;

/// How the packets of a queue pair leave a host with several ports.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    /// One for each port, where the queue pair is sprayed over them; else empty.
    lanes: SmallVec<[Lane; PORTS]>,
    /// Position of the port that is asked first.
    turn: usize,
    /// The path of the next packet where the queue pair is not sprayed, once it is chosen.
    pub chosen: Option<u16>,
}

/// What a queue pair has to do with one port.
#[derive(Debug, Clone)]
struct Lane {
    port: PortId,
    /// The queue pair waits in the port's list.
    listed: bool,
    /// Paths kept for it, the oldest first.
    kept: SmallVec<[u16; KEPT]>,
}

impl Lanes {
    /// In no list yet; `ports` are those that take its packets in any order.
    pub(super) fn new(ports: impl Iterator<Item = PortId>) -> Self {
        let lane = |port| Lane {
            port,
            listed: false,
            kept: SmallVec::new(),
        };
        Self {
            lanes: ports.map(lane).collect(),
            turn: 0,
            chosen: None,
        }
    }

    /// The ports that take packets in any order, beginning with the one that is asked first.
    pub(super) fn in_turn(&self) -> SmallVec<[PortId; PORTS]> {
        let (before, after) = self.lanes.split_at(self.turn);
        after.iter().chain(before).map(|lane| lane.port).collect()
    }

    /// Ports that take packets of the queue pair in any order.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.lanes.len()
    }

    /// The queue pair has left the list of a port.
    pub(super) fn delisted(&mut self, port: PortId) {
        if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.port == port) {
            lane.listed = false;
        }
    }

    /// Puts the queue pair in the lists of all ports.
    pub(super) fn list(&mut self, slot: SenderId, nics: &mut Nics) {
        for lane in self.lanes.iter_mut().filter(|lane| !lane.listed) {
            lane.listed = true;
            nics.list(lane.port, slot);
        }
    }

    /// The next port is asked first from now on.
    pub(super) fn took(&mut self, port: PortId) {
        if let Some(position) = self.lanes.iter().position(|lane| lane.port == port) {
            self.turn = (position + 1) % self.lanes.len();
        }
    }

    /// The path that has waited longest for a port.
    pub(super) fn kept_for(&mut self, port: PortId) -> Option<u16> {
        let lane = self.lanes.iter_mut().find(|lane| lane.port == port)?;
        (!lane.kept.is_empty()).then(|| lane.kept.remove(0))
    }

    /// Keeps a path for its port; false where there is no room.
    pub(super) fn keep(&mut self, port: PortId, path: u16) -> bool {
        let lane = self.lanes.iter_mut().find(|lane| lane.port == port);
        let Some(lane) = lane.filter(|lane| lane.kept.len() < KEPT) else {
            return false;
        };
        lane.kept.push(path);
        true
    }
}
