//! Receivers that send credits: every host paces the credits of all its queue pairs, round robin, at the rate
//! at which it can receive.
//!
//! Credits of a queue pair are counted beyond those that it began with. A receiver sends them up to the highest target that
//! its sender has stated, and one more for a trimmed packet whose sender had asked for all it needed.

use std::collections::VecDeque;

use super::fabric_watch::{FabricWatch, oversubscription};
use super::ids::ReceiverId;
use super::network::Network;
use super::packet::{BOUNDED, CUT_EARLY, Kind, MARKED, Packet, TRIMMED};
use super::queue::EventQueue;
use super::receiver::Receiver;
use super::setup::{Setup, TRANSFERS_COMPARED};
use super::slab::Slab;
use super::transport::{CreditTarget, Transport};
use super::unloaded;
use crate::ids::{HostId, Id, IdVec, SubflowId};
use crate::units::Rate;
use crate::workload::Transfer;

/// Packets state targets of credits in 16 bits, of which a window takes so many at most.
const MOST_QUANTA: u32 = 1 << 12;

/// Receivers that watch the fabric credit a little less than their line, so that a queue at the last hop empties.
const PACE: f64 = 0.99;

/// How packets state how many credits their senders want: in 16 bits, by so many packets at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quanta {
    packets: u32,
}

impl Quanta {
    /// None where senders need no credits.
    pub(super) fn new(setup: &Setup<'_>) -> Option<Self> {
        setup.transport.needs_credits().then(|| Self {
            packets: largest_window(setup).div_ceil(MOST_QUANTA).max(1),
        })
    }

    /// A target as a packet states it, and its flag.
    pub(super) fn state(&self, target: CreditTarget) -> (u16, u8) {
        let units = target.number.div_ceil(self.packets);
        (units as u16, if target.bounded { BOUNDED } else { 0 })
    }

    /// The credits that a packet states, `known` where it is no higher.
    pub(super) fn stated(&self, units: u16, known: u32) -> u32 {
        let before = known / self.packets;
        let ahead = units.wrapping_sub(before as u16).cast_signed();
        match u32::try_from(ahead) {
            Ok(ahead) => known.max((before + ahead).saturating_mul(self.packets)),
            Err(_) => known,
        }
    }
}

/// The credits of one host.
#[derive(Debug, Clone, Default)]
pub(super) struct HostCredits {
    /// Queue pairs with credits to send.
    turns: VecDeque<SubflowId>,
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
    hosts: IdVec<HostId, HostCredits>,
    quanta: Quanta,
    /// Fraction of the line rate that is credited.
    pace: f64,
}

impl Credits {
    /// `rtt`: the longest unloaded round trip.
    pub(super) fn new(setup: &Setup<'_>, rtt: u64, quanta: Quanta) -> Self {
        let hosts = 0..u64::from(setup.fabric.hosts());
        let watches = setup.transport.watches_fabric();
        let ratio = if watches { oversubscription(setup.fabric) } else { 1.0 };
        let of_host = |host| HostCredits {
            watch: (ratio > 1.0).then(|| FabricWatch::new(rtt, ratio, setup.seed, host)),
            ..HostCredits::default()
        };
        Self {
            hosts: hosts.map(of_host).collect(),
            quanta,
            pace: if setup.transport.paces_credits() { PACE } else { 1.0 },
        }
    }

    /// A packet, whole or trimmed, or a request states how many credits its sender wants.
    pub(super) fn note_target<Q: EventQueue>(
        &mut self,
        net: &mut Network<'_, Q>,
        receiver: &mut Receiver,
        packet: &Packet,
    ) {
        let host = net.pairs[packet.qp].ends.dst;
        if let Some(watch) = &mut self.hosts[host].watch
            && packet.kind == Kind::Data
        {
            let (marked, early) = (packet.has(MARKED), packet.has(CUT_EARLY));
            watch.arrived(net.events.now, marked, packet.has(TRIMMED), early);
        }
        receiver.path = packet.path;
        receiver.target = self.quanta.stated(packet.behind, receiver.target);
        receiver.target += u32::from(packet.has(TRIMMED) && !packet.has(BOUNDED));
        // A request without need of more asks for a credit that was lost.
        let lacks = receiver.credited < receiver.target || packet.kind == Kind::Request;
        if lacks && !receiver.in_turn {
            receiver.in_turn = true;
            self.hosts[host].turns.push_back(packet.qp);
            self.await_credit(net, host);
        }
    }

    fn await_credit<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, host: HostId) {
        let credits = &mut self.hosts[host];
        if !credits.pending && !credits.turns.is_empty() {
            credits.pending = true;
            let time = credits.next_at.max(net.events.now);
            net.events
                .alarm(time, net.events.keys.credit_pacer + host.0, Kind::CreditPacer, host.0);
        }
    }

    /// A host may send its next credit.
    pub(super) fn send<Q: EventQueue>(
        &mut self,
        net: &mut Network<'_, Q>,
        receivers: &mut Slab<ReceiverId, Receiver>,
        host: HostId,
    ) {
        let turn = self.turn_of_credits(net, host);
        let credits = &mut self.hosts[host];
        credits.pending = false;
        while let Some(qp) = credits.turns.pop_front() {
            let slot = net.pairs[qp].receiver;
            if slot == ReceiverId::COMPLETE || slot == ReceiverId::NONE {
                continue;
            }
            let receiver = receivers.at(slot);
            receiver.credited = receiver.target.min(receiver.credited + 1);
            receiver.in_turn = receiver.credited < receiver.target;
            if receiver.in_turn {
                credits.turns.push_back(qp);
            }
            credits.next_at = net.events.now.saturating_add(turn);
            let packet = Packet {
                seq: receiver.credited,
                path: receiver.path,
                ..net.control_packet(Kind::Credit, qp)
            };
            net.send_control(packet);
            break;
        }
        self.await_credit(net, host);
    }

    /// The time that a host's ports take together to receive a full packet, in ps; more where the fabric brings less.
    fn turn_of_credits<Q: EventQueue>(&mut self, net: &Network<'_, Q>, host: HostId) -> u64 {
        let links = net.setup.fabric.out_links(host.node()).iter();
        let rates = links.map(|&id| net.links.rate(net.setup.fabric.link(id).reverse));
        let rate = rates.fold(Rate::ZERO, Rate::saturating_add);
        let line = rate.transmission_time(net.terms.full).0;
        // Nothing arrives while all links are down.
        let line = if rate.is_zero() { 1 } else { line };
        let now = net.events.now;
        let watch = self.hosts[host].watch.as_mut();
        (line as f64 / (self.pace * watch.map_or(1.0, |watch| watch.rate(now)))) as u64
    }
}

/// The most credits that one of the first transfers begins with.
fn largest_window(setup: &Setup<'_>) -> u32 {
    let pairs = setup.schedule.transfers().take(TRANSFERS_COMPARED);
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
