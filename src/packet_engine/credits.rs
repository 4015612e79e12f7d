//! Receivers that grant: every host paces the credits of all its queue pairs, round robin, at the rate
//! at which it can receive.
//!
//! Pull numbers count the credits of a queue pair, beyond those that it began with. A receiver pulls up to the highest target
//! that its sender has stated; a trimmed packet whose sender asked for all it needed entitles it to one more.

use std::collections::VecDeque;

use super::engine::Engine;
use super::fabric_watch::{FabricWatch, oversubscription};
use super::packet::{BOUNDED, CUT_EARLY, Kind, MARKED, Packet, TRIMMED};
use super::queue::EventQueue;
use super::queue_pairs::{COMPLETE, NONE};
use super::transport::{CongestionControl, PullTarget, Transport};
use super::{Setup, unloaded};
use crate::ids::NodeId;
use crate::units::Rate;
use crate::workload::Transfer;

/// Packets state pull targets in 16 bits, of which a window takes so many at most.
const MOST_QUANTA: u32 = 1 << 12;

/// Receivers that watch the fabric credit a little less than their line, so that a queue at the last hop empties.
const PACE: f64 = 0.99;

/// Transfers looked at to find the largest window.
const WINDOWS_LOOKED_AT: usize = 4_096;

/// The credits of one host.
#[derive(Debug, Clone, Default)]
pub(super) struct HostCredits {
    /// Queue pairs with credits to send.
    turns: VecDeque<u32>,
    /// The next credit is not sent before.
    next_at: u64,
    /// An alarm for it is pending.
    pending: bool,
    /// What arrives, where the rate of credits depends on it.
    watch: Option<FabricWatch>,
}

/// The credits of all hosts.
#[derive(Debug)]
pub(super) struct Credits {
    hosts: Vec<HostCredits>,
    /// Packets that one unit of a stated target stands for.
    quantum: u32,
    /// Share of the line rate that is credited.
    pace: f64,
}

impl Credits {
    /// None where senders need no credits. `rtt`: the longest unloaded round trip.
    pub fn new(setup: &Setup<'_>, rtt: u64) -> Option<Self> {
        let hosts = 0..u64::from(setup.fabric.hosts());
        let watches = setup.transport.watches_fabric();
        let ratio = if watches { oversubscription(setup.fabric) } else { 1.0 };
        let grants = |host| HostCredits {
            watch: (ratio > 1.0).then(|| FabricWatch::new(rtt, ratio, setup.seed, host)),
            ..HostCredits::default()
        };
        setup.transport.grants().then(|| Self {
            hosts: hosts.map(grants).collect(),
            quantum: largest_window(setup).div_ceil(MOST_QUANTA).max(1),
            pace: if setup.transport.paces_credits() { PACE } else { 1.0 },
        })
    }

    /// A target as a packet states it, and its flag.
    pub fn state(&self, target: PullTarget) -> (u16, u8) {
        let units = target.number.div_ceil(self.quantum);
        (units as u16, if target.bounded { BOUNDED } else { 0 })
    }

    /// The pull number that a packet states, `known` where it is no higher.
    fn stated(&self, units: u16, known: u32) -> u32 {
        let before = known / self.quantum;
        let ahead = units.wrapping_sub(before as u16).cast_signed();
        match u32::try_from(ahead) {
            Ok(ahead) => known.max((before + ahead).saturating_mul(self.quantum)),
            Err(_) => known,
        }
    }
}

/// The most credits that one of the first transfers begins with.
fn largest_window(setup: &Setup<'_>) -> u32 {
    let pairs = setup.schedule.transfers().take(WINDOWS_LOOKED_AT);
    let windows = pairs.filter_map(|Transfer { src, dst, .. }| {
        let (src, dst) = (src.node(), dst.node());
        (setup.fabric.path_count(src, dst) > 0).then_some(())?;
        let path = setup.fabric.path(src, dst, 0);
        let ports = setup.fabric.out_links(src).iter();
        let rate = ports.map(|&id| setup.fabric.link(id).rate);
        let rate = rate.fold(Rate::ZERO, Rate::saturating_add);
        let conditions = unloaded::conditions(setup.fabric, &path, rate, setup.packet, false);
        Transport::credits(setup.transport, &conditions)
    });
    windows.max().unwrap_or(1)
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// A packet, whole or trimmed, or a request states how many credits its sender wants.
    pub fn note_target(&mut self, qp: u32, slot: u32, packet: &Packet) {
        let Some(credits) = &mut self.credits else { return };
        let host = self.queue_pairs[qp as usize].ends.dst;
        if let Some(watch) = &mut credits.hosts[host as usize].watch
            && packet.kind == Kind::Data
        {
            let (marked, early) = (packet.has(MARKED), packet.has(CUT_EARLY));
            watch.arrived(self.now, marked, packet.has(TRIMMED), early);
        }
        let receiver = self.receivers.at(slot);
        receiver.path = packet.path;
        receiver.target = credits.stated(packet.behind, receiver.target);
        receiver.target += u32::from(packet.has(TRIMMED) && !packet.has(BOUNDED));
        // A request without need of more asks for a pull that was lost.
        let owed = receiver.pulled < receiver.target || packet.kind == Kind::Request;
        if owed && !receiver.in_turn {
            receiver.in_turn = true;
            credits.hosts[host as usize].turns.push_back(qp);
            self.await_credit(host);
        }
    }

    fn await_credit(&mut self, host: u32) {
        let Some(credits) = &mut self.credits else { return };
        let grants = &mut credits.hosts[host as usize];
        if !grants.pending && !grants.turns.is_empty() {
            grants.pending = true;
            let time = grants.next_at.max(self.now);
            self.alarm(time, self.keys.pull_pacer + host, Kind::PullPacer, host);
        }
    }

    /// A host may send its next credit.
    pub fn send_credit(&mut self, host: u32) {
        let turn = self.turn_of_credits(host);
        let Some(credits) = &mut self.credits else { return };
        let grants = &mut credits.hosts[host as usize];
        grants.pending = false;
        while let Some(qp) = grants.turns.pop_front() {
            let slot = self.queue_pairs[qp as usize].receiver;
            if slot == COMPLETE || slot == NONE {
                continue;
            }
            let receiver = self.receivers.at(slot);
            receiver.pulled = receiver.target.min(receiver.pulled + 1);
            receiver.in_turn = receiver.pulled < receiver.target;
            if receiver.in_turn {
                grants.turns.push_back(qp);
            }
            grants.next_at = self.now.saturating_add(turn);
            let packet = Packet {
                seq: receiver.pulled,
                path: receiver.path,
                ..self.control_packet(Kind::Pull, qp)
            };
            self.send_control(packet);
            break;
        }
        self.await_credit(host);
    }

    /// The time that a host's ports take together to receive a full packet, in ps; more where the fabric brings less.
    fn turn_of_credits(&mut self, host: u32) -> u64 {
        let links = self.setup.fabric.out_links(NodeId(host)).iter();
        let rates = links.map(|&id| self.links.rate(self.setup.fabric.link(id).reverse.0));
        let rate = rates.fold(Rate::ZERO, Rate::saturating_add);
        let line = rate.transmission_time(self.full).0;
        // Nothing arrives while all links are down.
        let line = if rate.is_zero() { 1 } else { line };
        let now = self.now;
        let Some(credits) = &mut self.credits else { return line };
        let watch = credits.hosts[host as usize].watch.as_mut();
        (line as f64 / (credits.pace * watch.map_or(1.0, |watch| watch.rate(now)))) as u64
    }

    /// An empty control packet of a queue pair.
    pub fn control_packet(&self, kind: Kind, qp: u32) -> Packet {
        Packet {
            size: self.setup.packet.ack.0 as u16,
            flags: self.control_flags,
            stamp: self.stamps.of(self.now),
            ..Packet::alarm(kind, qp)
        }
    }

    /// A credit reaches the sender.
    pub fn credit_arrived(&mut self, packet: Packet) {
        let slot = self.queue_pairs[packet.qp as usize].sender;
        if slot != NONE {
            self.senders.at(slot).control.on_pull(packet.seq);
            self.mark_ready(slot);
        }
    }

    /// Whether a sender has packets to send, but no credits.
    pub fn waits_for_credit(&mut self, slot: u32) -> bool {
        let sender = self.senders.at(slot);
        self.credits.is_some() && sender.sent.has_more() && sender.control.lacks_credit()
    }

    /// A sender that has heard of losses asks for credits, where neither a pull that it expects nor a packet that it may still send
    /// would make its need known.
    pub fn request_replacement(&mut self, slot: u32) {
        if self.waits_for_credit(slot) && !self.senders.at(slot).control.expects_credit() {
            self.request_credit(slot);
        }
    }

    /// Asks for the credits that a sender lacks: it has heard nothing for a timeout, or of losses.
    pub fn request_credit(&mut self, slot: u32) {
        if !self.waits_for_credit(slot) {
            return;
        }
        let now = self.now;
        let sender = self.senders.at(slot);
        let (qp, path) = (sender.qp, sender.spread.choose(now));
        let target = sender.control.pull_target(sender.sent.backlog());
        let Some(credits) = &self.credits else { return };
        let (behind, _) = credits.state(target);
        let packet = Packet {
            behind,
            path,
            ..self.control_packet(Kind::Request, qp)
        };
        self.send_control(packet);
    }

    /// A sender asks for credits, unaware of pulls or acknowledgements that were lost.
    pub fn credit_requested(&mut self, packet: Packet) {
        let pair = self.queue_pairs[packet.qp as usize];
        match pair.receiver {
            COMPLETE => self.answer(packet, Kind::Ack, pair.packets),
            NONE => {
                let slot = self.open_receiver(packet.qp);
                self.note_target(packet.qp, slot, &packet);
            }
            slot => self.note_target(packet.qp, slot, &packet),
        }
    }
}
