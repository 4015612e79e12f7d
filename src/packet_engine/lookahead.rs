//! Fetches what the next events will need while the present one is worked on.
//!
//! The state of a large network does not fit the cache next to the processor, and an event that
//! waits for memory wastes more time than it works. The events of a bucket are known when it is reached, so
//! what they will touch is asked for then, all at once, and memory answers while events are worked on.
//! The next hops that it finds are kept for the events' turns; whatever changes one forgets them all.

use super::forwarding::Next;
use super::ids::PortId;
use super::network::Network;
use super::packet::{Event, Kind, Packet};
use super::prefetch::prefetch;
use super::queue::EventQueue;
use super::receiving::Receiving;
use super::sending::Sending;
use crate::ids::HostId;

/// State of links and queue pairs, in bytes, that stays in the cache by itself.
const CACHED: usize = 1 << 17;
const BYTES_PER_LINK: usize = 64;
const BYTES_PER_QUEUE_PAIR: usize = 256;

/// Whether a network of this size gains from looking ahead. Tests always look ahead, to be held against the heap,
/// which cannot.
pub(super) fn pays(links: usize, queue_pairs: usize) -> bool {
    cfg!(test) || links * BYTES_PER_LINK + queue_pairs * BYTES_PER_QUEUE_PAIR > CACHED
}

/// Who is asked for what is coming.
pub(super) struct LookAhead<'a, 'n, Q> {
    pub net: &'a Network<'n, Q>,
    pub sending: &'a Sending,
    pub receiving: &'a Receiving,
}

impl<Q: EventQueue> LookAhead<'_, '_, Q> {
    /// Asks for what the coming events need: for their queue pairs, then for what the numbers of those lead to, then for
    /// what that leads to. Each round finds what the one before has asked for. Finds the next hops of the coming events.
    pub(super) fn ask(&self, next_hops: &mut Vec<Next>) {
        let coming = self.net.events.queue.coming();
        for event in coming {
            if is_packet(event) {
                prefetch(&self.net.pairs[event.packet.qp]);
            } else if event.packet.kind == Kind::NicFree {
                prefetch(&self.sending.nics.ports[PortId(event.packet.about())]);
            }
        }
        for event in coming {
            // An alarm goes nowhere, and nobody asks for it.
            next_hops.push(if is_packet(event) {
                self.fetch(event)
            } else {
                Next::Lost
            });
            if event.packet.kind == Kind::NicFree {
                self.fetch_port(PortId(event.packet.about()));
            }
        }
        for (event, next) in coming.iter().zip(&*next_hops) {
            if *next == Next::Arrived {
                self.fetch_bits(&event.packet);
            }
        }
        if self.net.forwarding.has_ports() {
            let hosts = coming.iter().zip(&*next_hops);
            hosts.for_each(|(event, next)| self.fetch_lanes(event, *next));
        }
    }

    /// Asks for what a host with several ports needs to send by any of them.
    fn fetch_lanes(&self, event: &Event, next: Next) {
        let (slot, host) = match event.packet.kind {
            Kind::NicFree => {
                let port = PortId(event.packet.about());
                (self.sending.nics.next(port).1, self.sending.nics.ports[port].host)
            }
            _ if next == Next::Arrived => {
                let sender = self.net.pairs[event.packet.qp].sender;
                let of_sender = (event.packet.kind != Kind::Data).then_some(sender);
                (of_sender, HostId(self.net.forwarding.end_of(event.link()).0))
            }
            _ => return,
        };
        let sender = slot.and_then(|slot| self.sending.senders.get(slot));
        if let Some(lanes) = sender.and_then(|sender| sender.lanes.as_deref()) {
            prefetch(lanes);
        }
        for port in self.sending.nics.of_host(host) {
            self.net.links.fetch(port.link);
            port.ready.front().inspect(|first| prefetch(*first));
        }
    }

    /// Asks for the bits of a packet that reaches its end.
    #[inline]
    fn fetch_bits(&self, packet: &Packet) {
        let pair = &self.net.pairs[packet.qp];
        if packet.kind == Kind::Data {
            let receiver = self.receiving.receivers.get(pair.receiver);
            receiver.inspect(|receiver| receiver.received.fetch(packet.seq));
        } else if packet.kind == Kind::Ack {
            let sender = self.sending.senders.get(pair.sender);
            sender.inspect(|sender| sender.sent.fetch(packet.seq));
        }
    }

    /// Asks for what a network card needs to send its next packet.
    #[inline]
    fn fetch_port(&self, port: PortId) {
        let (link, sender) = self.sending.nics.next(port);
        self.net.links.fetch(link);
        if self.net.forwarding.has_ports() {
            let host = self.sending.nics.ports[port].host;
            self.sending.nics.of_host(host).iter().for_each(prefetch);
        }
        if let Some(slot) = sender {
            self.sending.senders.fetch(slot);
        }
    }

    /// Asks for the link that a packet will leave by, or the end of the queue pair that it reaches, and tells which.
    #[inline]
    fn fetch(&self, event: &Event) -> Next {
        let (packet, node) = (&event.packet, self.net.forwarding.end_of(event.link()));
        let next = self.net.next_hop(node, packet);
        if let Next::Only(link) = next {
            self.net.links.fetch(link);
        } else if next == Next::Arrived {
            let pair = &self.net.pairs[packet.qp];
            if packet.kind == Kind::Data {
                self.receiving.receivers.fetch(pair.receiver);
            } else {
                self.sending.senders.fetch(pair.sender);
            }
            // The answer, or what an acknowledgement lets go, leaves from here.
            match self.net.forwarding.only_uplink(HostId(node.0)) {
                Some(link) => self.net.links.fetch(link),
                None => self.sending.nics.of_host(HostId(node.0)).iter().for_each(prefetch),
            }
        }
        next
    }
}

fn is_packet(event: &Event) -> bool {
    event.packet.kind.is_packet()
}
