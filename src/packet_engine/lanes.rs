//! The ports that one queue pair sends from, where its host has several.
//!
//! A sprayed queue pair waits at all of them: whichever is free takes its next packet, by a path that begins there, so
//! that no port idles while there is something to send. Among the paths of one port the load balancing decides: it names path
//! after path, and those of busy ports are kept for them, a few for each. A queue pair that stays on a path for long
//! waits at the port of that path alone.

use smallvec::SmallVec;

use super::engine::Engine;
use super::forwarding::Next;
use super::nic::Nics;
use super::packet::{Kind, Packet};
use super::path_selection::PathSelector;
use super::queue::EventQueue;
use super::queue_pairs::NONE;
use crate::ids::NodeId;

/// Paths kept for a port that is busy.
const KEPT: usize = 8;

/// Paths named in a row to find one that begins at a port.
const NAMED: u32 = 64;

/// How the packets of a queue pair leave a host with several ports.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    /// One for each port, where the queue pair is sprayed over them; else empty.
    lanes: SmallVec<[Lane; 2]>,
    /// Position of the port that is asked first.
    turn: usize,
    /// The path of the next packet where the queue pair is not sprayed, once it is chosen.
    pub chosen: Option<u16>,
}

/// What a queue pair has to do with one port.
#[derive(Debug, Clone)]
struct Lane {
    port: u32,
    /// The queue pair waits in the port's list.
    listed: bool,
    /// Paths kept for it, the oldest first.
    kept: SmallVec<[u16; KEPT]>,
}

impl Lanes {
    /// Ports that take packets of the queue pair in any order.
    #[inline]
    pub fn count(&self) -> usize {
        self.lanes.len()
    }

    /// The queue pair has left the list of a port.
    pub fn delisted(&mut self, port: u32) {
        if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.port == port) {
            lane.listed = false;
        }
    }

    /// Puts the queue pair in the lists of all ports.
    fn list(&mut self, slot: u32, nics: &mut Nics) {
        for lane in self.lanes.iter_mut().filter(|lane| !lane.listed) {
            lane.listed = true;
            nics.list(lane.port, slot);
        }
    }

    /// The next port is asked first from now on.
    fn took(&mut self, port: u32) {
        if let Some(position) = self.lanes.iter().position(|lane| lane.port == port) {
            self.turn = (position + 1) % self.lanes.len();
        }
    }

    /// The path that has waited longest for a port.
    fn kept_for(&mut self, port: u32) -> Option<u16> {
        let lane = self.lanes.iter_mut().find(|lane| lane.port == port)?;
        (!lane.kept.is_empty()).then(|| lane.kept.remove(0))
    }

    /// Keeps a path for its port; false where there is no room.
    fn keep(&mut self, port: u32, path: u16) -> bool {
        let lane = self.lanes.iter_mut().find(|lane| lane.port == port);
        let Some(lane) = lane.filter(|lane| lane.kept.len() < KEPT) else {
            return false;
        };
        lane.kept.push(path);
        true
    }
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// The ports of a queue pair that chooses its paths by `spread`; none where its host has only one.
    pub fn lanes(&self, qp: u32, spread: &PathSelector) -> Option<Box<Lanes>> {
        let ends = self.queue_pairs[qp as usize].ends;
        if self.forwarding.only_uplink(ends.src).is_some() {
            return None;
        }
        let sprays = spread.sprays() || (ends.base == NONE && self.in_switch.sprays());
        let ports = self.fabric().next_hops(NodeId(ends.src), NodeId(ends.dst));
        let links = if sprays && ports.len() > 1 { &*ports } else { &[] };
        let lane = |port| Lane {
            port,
            listed: false,
            kept: SmallVec::new(),
        };
        Some(Box::new(Lanes {
            lanes: links.iter().map(|link| lane(self.nics.port_of(link.0))).collect(),
            turn: 0,
            chosen: None,
        }))
    }

    /// Lists a sprayed sender, which may send, at all of its ports, and lets those that are free take its packets.
    pub fn list_at_all(&mut self, slot: u32) {
        let sender = self.senders.at(slot);
        let qp = sender.qp;
        let Some(lanes) = sender.lanes.as_mut().filter(|lanes| lanes.count() > 0) else {
            return;
        };
        lanes.list(slot, &mut self.nics);
        let (first, count) = (lanes.turn, lanes.lanes.len());
        for position in (first..first + count).map(|position| position % count) {
            // A sender that nobody answers is gone with its last packet.
            if self.queue_pairs[qp as usize].sender != slot {
                return;
            }
            let sender = self.senders.at(slot);
            if let Some(lanes) = sender.lanes.as_ref().filter(|_| sender.may_send(self.now, self.full)) {
                let port = lanes.lanes[position].port;
                self.poll_tx(port);
            }
        }
    }

    /// The port of the next packet of a sender whose host has several: the path is chosen now. NONE where it waits at all
    /// of them.
    pub fn port_of_next(&mut self, slot: u32) -> u32 {
        let now = self.now;
        let sender = self.senders.at(slot);
        let Some(lanes) = &sender.lanes else { return sender.port };
        if lanes.count() > 0 {
            self.list_at_all(slot);
            return NONE;
        }
        let mut packet = Packet::alarm(Kind::Data, sender.qp);
        packet.path = lanes.chosen.unwrap_or_else(|| sender.spread.choose(now));
        let (link, path) = self.first_link(&packet);
        if let Some(lanes) = &mut self.senders.at(slot).lanes {
            lanes.chosen = Some(path);
        }
        if link == NONE { NONE } else { self.nics.port_of(link) }
    }

    /// The path of the next packet, from a port, of a sender whose host has several; none where no path leads there.
    pub fn path_from(&mut self, slot: u32, port: u32) -> Option<u16> {
        let now = self.now;
        let sender = self.senders.at(slot);
        let lanes = sender.lanes.as_mut()?;
        if lanes.count() == 0 {
            let chosen = lanes.chosen.take();
            return Some(chosen.unwrap_or_else(|| sender.spread.choose(now)));
        }
        lanes.took(port);
        let kept = lanes.kept_for(port);
        let qp = sender.qp;
        match self.queue_pairs[qp as usize].ends.base {
            NONE => self.step_from(qp, port),
            _ => kept.or_else(|| self.named_from(slot, port)),
        }
    }

    /// How far leaving by a port moves the number of a packet's path, where switches choose.
    fn step_from(&self, qp: u32, port: u32) -> Option<u16> {
        let (link, ends) = (self.nics.link(port), self.queue_pairs[qp as usize].ends);
        if self.in_switch.sees_queues() && self.links.rate(link).is_zero() {
            return None;
        }
        match self.forwarding.next(ends.src, ends.dst) {
            Next::Only(only) => (only == link).then_some(0),
            Next::OneOf(cell) => {
                let cell = self.forwarding.cell(cell);
                let position = self.forwarding.hops(cell).iter().position(|&hop| hop == link)?;
                Some(self.forwarding.step(cell, position as u32, || ends.dst) as u16)
            }
            Next::Arrived | Next::Lost => None,
        }
    }

    /// The next path of a host's choice that begins at a port.
    fn named_from(&mut self, slot: u32, port: u32) -> Option<u16> {
        let now = self.now;
        for _ in 0..NAMED {
            let sender = self.senders.at(slot);
            let mut packet = Packet::alarm(Kind::Data, sender.qp);
            packet.path = sender.spread.choose(now);
            let (link, path) = self.first_link(&packet);
            if link == NONE {
                return None;
            }
            let other = self.nics.port_of(link);
            if other == port {
                return Some(path);
            }
            let sender = self.senders.at(slot);
            let kept = sender.lanes.as_mut().is_some_and(|lanes| lanes.keep(other, path));
            if !kept && sender.spread.learns() {
                sender.spread.give_back(path);
                return None;
            }
        }
        None
    }
}
