//! Which paths packets take that leave a host with several ports.

use super::forwarding::Next;
use super::ids::{PortId, SenderId};
use super::lanes::Lanes;
use super::network::Network;
use super::packet::{Kind, Packet};
use super::queue::EventQueue;
use super::sending::Sending;
use crate::ids::{Id, LinkId, PathIndex, SubflowId};
use crate::path_selection::{PathSelector, Select, SelectLink};

/// Paths named in a row to find one that begins at a port.
const NAMED: u32 = 64;

impl Sending {
    /// The ports of a queue pair that chooses its paths by `spread`; none where its host has only one.
    pub(super) fn lanes<Q: EventQueue>(
        &self,
        net: &Network<'_, Q>,
        qp: SubflowId,
        spread: &PathSelector,
    ) -> Option<Box<Lanes>> {
        let ends = net.pairs[qp].ends;
        if net.forwarding.only_uplink(ends.src).is_some() {
            return None;
        }
        let sprays = spread.sprays() || (ends.base == PathIndex::NONE && net.in_switch.sprays());
        let next_hops = net.fabric().next_hops(ends.src.node(), ends.dst.node());
        let links = if sprays && next_hops.len() > 1 {
            &*next_hops
        } else {
            &[]
        };
        let ports = links.iter().map(|&link| net.card_of(link).unwrap_or(PortId::NONE));
        Some(Box::new(Lanes::new(ports)))
    }

    /// The path of the next packet, from a port, of a sender whose host has several; none where no path leads there.
    pub(super) fn path_from<Q: EventQueue>(
        &mut self,
        net: &mut Network<'_, Q>,
        slot: SenderId,
        port: PortId,
    ) -> Option<u16> {
        let now = net.events.now;
        let sender = self.senders.at(slot);
        let lanes = sender.lanes.as_mut()?;
        if lanes.count() == 0 {
            let chosen = lanes.chosen.take();
            return Some(chosen.unwrap_or_else(|| sender.spread.choose(now)));
        }
        lanes.took(port);
        let kept = lanes.kept_for(port);
        let qp = sender.qp;
        match net.pairs[qp].ends.base {
            PathIndex::NONE => self.step_from(net, qp, port),
            _ => kept.or_else(|| self.named_from(net, slot, port)),
        }
    }

    /// How far leaving by a port moves the number of a packet's path, where switches choose.
    fn step_from<Q: EventQueue>(&self, net: &Network<'_, Q>, qp: SubflowId, port: PortId) -> Option<u16> {
        let (link, ends) = (self.nics.link(port), net.pairs[qp].ends);
        if net.in_switch.sees_queues() && net.links.rate(link).is_zero() {
            return None;
        }
        match net.forwarding.next(ends.src.node(), ends.src, ends.dst) {
            Next::Only(only) => (only == link).then_some(0),
            Next::OneOf(cell) => {
                let cell = net.forwarding.cell(cell);
                let position = net
                    .forwarding
                    .hops(cell, ends.src.node())
                    .iter()
                    .position(|&hop| hop == link)?;
                Some(
                    net.forwarding
                        .step(cell, ends.src.node(), position as u32, || (ends.src, ends.dst))
                        as u16,
                )
            }
            Next::Arrived | Next::Lost => None,
        }
    }

    /// The next path of a host's choice that begins at a port.
    fn named_from<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, slot: SenderId, port: PortId) -> Option<u16> {
        let now = net.events.now;
        for _ in 0..NAMED {
            let sender = self.senders.at(slot);
            let mut packet = Packet::of(Kind::Data, sender.qp);
            packet.path = sender.spread.choose(now);
            let (link, path) = net.first_link(&packet);
            if link == LinkId::NONE {
                return None;
            }
            let other = net.card_of(link)?;
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
