//! Switches and links, and what a packet meets between two hosts.

use smallvec::SmallVec;

use super::coalescing::Reports;
use super::events::Events;
use super::flow_control::FlowControl;
use super::forwarding::{CellId, Forwarding, Next};
use super::gray_links::GrayLinks;
use super::ids::PortId;
use super::links::Links;
use super::options::Recovery;
use super::packet::{Keys, Kind, PRIORITY, Packet, Stamps};
use super::port::Port;
use super::queue::EventQueue;
use super::queue_pairs::{QueuePair, queue_pairs};
use super::setup::{Setup, TRANSFERS_COMPARED, has_equal_links};
use super::skipped::Skipped;
use super::telemetry::Telemetry;
use super::unloaded;
use crate::ids::{HostId, Id, IdVec, LinkId, NodeId, PathIndex, SubflowId};
use crate::path_selection::{Hop, InSwitch, Policy, SelectLink, Switches};
use crate::rng::mix;
use crate::topology::Fabric;
use crate::workload::Transfer;

/// Time stamps tell apart the unloaded round trips of paths of 16 links, were they a thousand times longer.
const STAMPED_HOPS: u64 = 1_000 * 16;

/// What holds for all of a run.
#[derive(Debug)]
pub(super) struct Terms {
    /// Receivers answer, and senders wait for that.
    pub acknowledged: bool,
    /// Shortest retransmission timeout of any queue pair; none where nothing can be lost, or nothing is sent again.
    pub rto: Option<u64>,
    pub stamps: Stamps,
    /// Payload bytes after which receivers acknowledge; 0: every packet.
    pub ack_every: u64,
    /// Wire bytes of a full data packet.
    pub full: u64,
    /// Of packets without room the header travels on.
    pub trimming: bool,
    /// Packets can be lost without a word: losses are found by order.
    pub drops: bool,
    /// All paths of a pair are equally fast, for good.
    pub equal_paths: bool,
    /// Flags of control packets: PRIORITY or none.
    pub control_flags: u8,
    /// The longest unloaded round trip among the first transfers, in ps: what network-wide defaults scale with.
    pub rtt: u64,
}

/// All switches and links with their state, the packets that are under way, and the queue pairs that these belong to.
#[derive(Debug)]
pub(super) struct Network<'a, Q> {
    pub setup: &'a Setup<'a>,
    pub terms: Terms,
    pub events: Events<Q>,
    pub pairs: IdVec<SubflowId, QueuePair>,
    pub forwarding: Forwarding,
    pub links: Links,
    pub in_switch: InSwitch,
    /// The lists of all ports in the two-event mode; empty where departures are known in advance.
    pub ports: IdVec<LinkId, Port>,
    pub flow_control: Option<FlowControl>,
    /// Links that lose packets.
    gray: GrayLinks,
    /// What hops write into packets, where the transport asks for it.
    pub telemetry: Option<Box<Telemetry>>,
    /// By link the port of the card that sends by it; NONE where that is a switch.
    cards: IdVec<LinkId, PortId>,
    /// The fabric as routing knows it, where that is no longer the first one.
    pub rerouted: Option<Box<Fabric>>,
    /// Where the packets of the coming events go next, by position, as far as looking ahead has found them out.
    pub next_hops: Vec<Next>,
    /// A queue pair has been given another path, with its packets on the way.
    pub repinned: bool,
    /// What acknowledgements under way tell of.
    pub reports: Reports,
    pub packet_hops: u64,
    /// Weights of paths that rehearsals have taught.
    pub policy: Policy,
    /// What was done in times that were skipped.
    pub skipped: Skipped,
}

impl<'a, Q: EventQueue> Network<'a, Q> {
    /// An empty network.
    pub(super) fn new(setup: &'a Setup<'a>, policy: Policy) -> Self {
        let fabric = setup.fabric;
        let rtt = network_rtt(setup);
        let salt = mix(setup.seed ^ 0x5317_c4e5);
        let trimming = setup.trimming();
        let flow_control = setup.switch.pfc.then(|| FlowControl::new(setup));
        let listed = setup.control_first() || trimming || flow_control.is_some();
        let (forwarding, links) = (Forwarding::new(fabric), Links::new(setup, rtt, listed));
        let in_switch = setup.load_balancing.dynamic().and_then(|scheme| {
            scheme.in_switch(&Switches {
                nodes: forwarding.nodes(),
                hops: forwarding.hop_count(),
                holds: &|| links.holds(rtt).collect(),
                rtt,
                salt,
            })
        });
        let in_switch = in_switch.unwrap_or(InSwitch::ByPath);
        let gray = GrayLinks::new(setup);
        let can_lose = links.can_drop() || !setup.link_events.is_empty() || gray.any();
        let acknowledged = setup.transport.acknowledged();
        let of_transport = || setup.transport.rto(rtt, links.longest_wait());
        let rto = setup.packet.rto.unwrap_or_else(of_transport).0;
        let pairs = queue_pairs(setup, in_switch.decides());
        let ack_every = setup.packet.ack_every.filter(|_| acknowledged);
        let keys = Keys::new(
            fabric.links().len(),
            fabric.hosts() as usize,
            pairs.len(),
            setup.schedule.tasks().len(),
        );
        Self {
            setup,
            terms: Terms {
                acknowledged,
                rto: (can_lose && acknowledged).then_some(rto),
                stamps: Stamps::new(unloaded::rtt_within(fabric, STAMPED_HOPS, setup.packet)),
                ack_every: ack_every.map_or(0, |bytes| bytes.0),
                full: setup.packet.full(),
                trimming,
                drops: can_lose && !trimming,
                equal_paths: has_equal_links(fabric) && setup.link_events.is_empty(),
                control_flags: if setup.control_first() { PRIORITY } else { 0 },
                rtt,
            },
            events: Events::new(keys.expect("Setup::check has counted the entities")),
            reports: Reports::new(ack_every.map_or(0, |_| pairs.len())),
            pairs,
            forwarding,
            links,
            in_switch,
            ports: IdVec::filled(Port::default(), if listed { fabric.links().len() } else { 0 }),
            flow_control,
            gray,
            telemetry: setup.transport.reads_hops().then(Box::default),
            cards: cards(fabric),
            rerouted: None,
            next_hops: Vec::new(),
            repinned: false,
            packet_hops: 0,
            policy,
            skipped: Skipped::default(),
        }
    }

    /// The fabric as routing knows it.
    pub(super) fn fabric(&self) -> &Fabric {
        self.rerouted.as_deref().unwrap_or(self.setup.fabric)
    }

    /// Whether any link ever loses packets at random.
    pub(super) fn is_gray(&self) -> bool {
        self.gray.any()
    }

    /// The port of the card that sends by a link; none where a switch does.
    #[inline]
    pub(super) fn card_of(&self, link: LinkId) -> Option<PortId> {
        Some(self.cards[link]).filter(|&port| port != PortId::NONE)
    }

    /// The ports of the card of a host.
    pub(super) fn cards_of(&self, host: HostId) -> impl Iterator<Item = PortId> + use<'_, Q> {
        let links = self.setup.fabric.out_links(host.node()).iter();
        links.map(|&link| self.cards[link])
    }

    /// Whether the receiver of a queue pair takes packets in order only.
    pub(super) fn in_order_only(&self, pinned: bool) -> bool {
        pinned && self.setup.packet.recovery == Recovery::GoBackN
    }

    /// A packet has crossed a link and goes on, or is lost; false where it has reached its host. `known` is what looking ahead has found out
    /// about its next hop.
    #[inline(always)]
    pub(super) fn pass_on(&mut self, link: LinkId, packet: &Packet, known: Option<Next>) -> bool {
        self.packet_hops += 1;
        if self.gray.loses(link, self.events.now) {
            self.links.lose_accepted(link, packet);
            return true;
        }
        let next = match known {
            Some(next) => next,
            None => self.next_hop(self.forwarding.end_of(link), packet),
        };
        let (next, path) = match next {
            Next::Arrived => return false,
            Next::Only(next) => (next, packet.path),
            Next::OneOf(cell) => {
                let node = self.forwarding.end_of(link);
                let (next, step) = self.choose(node, cell, packet.qp, packet.kind);
                (next, packet.path.wrapping_add(step))
            }
            Next::Lost => {
                self.links.lose(link, packet.size);
                return true;
            }
        };
        self.transmit(next, link, packet, path);
        true
    }

    /// The hosts that a packet of a queue pair comes from and goes to.
    #[inline]
    pub(super) fn ends(&self, qp: SubflowId, kind: Kind) -> (HostId, HostId) {
        let ends = &self.pairs[qp].ends;
        match kind.is_forward() {
            true => (ends.src, ends.dst),
            false => (ends.dst, ends.src),
        }
    }

    /// Where a packet goes on from a node: by one of several links only where the switch has to choose.
    //
    // Inlined: a packet handed over by reference would have to be written to memory first.
    #[inline(always)]
    pub(super) fn next_hop(&self, node: NodeId, packet: &Packet) -> Next {
        let (src, dst) = self.ends(packet.qp, packet.kind);
        let base = self.pairs[packet.qp].ends.base;
        match self.forwarding.next(node, src, dst) {
            Next::OneOf(cell) if base != PathIndex::NONE => {
                let path = PathIndex(base.0.wrapping_add(u32::from(packet.path)));
                Next::Only(self.forwarding.along(self.forwarding.cell(cell), node, src, dst, path))
            }
            next => next,
        }
    }

    /// A node's own choice among links, and how far it moves the number of the packet's path.
    pub(super) fn choose(&mut self, node: NodeId, cell: CellId, qp: SubflowId, kind: Kind) -> (LinkId, u16) {
        let cell = self.forwarding.cell(cell);
        let lengths: SmallVec<[u32; 32]> = match cell.uneven {
            true => self.forwarding.lengths(cell, node, self.ends(qp, kind)).collect(),
            false => SmallVec::new(),
        };
        let (links, now) = (&self.links, self.events.now);
        let position = self.in_switch.choose(&Hop {
            node,
            at_switch: node.0 >= self.setup.fabric.hosts(),
            links: self.forwarding.hops(cell, node),
            lengths: &lengths,
            first: self.forwarding.first(cell, node),
            qp,
            control: kind != Kind::Data,
            now,
            queue: |link| (!links.rate(link).is_zero()).then(|| links.queue(link, now)),
        });
        let link = self.forwarding.hops(cell, node)[position as usize];
        let step = self.forwarding.step(cell, node, position, || self.ends(qp, kind));
        (link, step as u16)
    }

    /// Puts a packet that came by link `from` (NONE: made here) in the queue in front of a link, on path `path` from
    /// now on. False where it was lost.
    //
    // Inlined with all that it calls on the usual way, and the packet is copied but once, so that its fields stay in
    // registers from one bucket of the event queue to the other.
    #[inline(always)]
    pub(super) fn transmit(&mut self, link: LinkId, from: LinkId, packet: &Packet, path: u16) -> bool {
        if let Some(telemetry) = self.telemetry.as_mut().filter(|_| packet.kind == Kind::Data) {
            telemetry.note(packet, link, from == LinkId::NONE, &self.links, self.events.now);
        }
        if !self.ports.is_empty() {
            return self.enqueue(link, from, Packet { path, ..*packet });
        }
        match self.links.enqueue(link, self.events.now, packet) {
            Ok((time, flags)) => {
                self.events.arrival(time, link, Packet { path, flags, ..*packet });
                true
            }
            Err(_) => {
                self.links.lose(link, packet.size);
                false
            }
        }
    }

    /// The link by which a packet leaves a host with several ports, and the number of its path so far.
    pub(super) fn first_link(&mut self, packet: &Packet) -> (LinkId, u16) {
        let (host, _) = self.ends(packet.qp, packet.kind);
        match self.next_hop(host.node(), packet) {
            Next::Only(link) => (link, packet.path),
            Next::OneOf(cell) => self.choose(host.node(), cell, packet.qp, packet.kind),
            Next::Arrived | Next::Lost => (LinkId::NONE, packet.path),
        }
    }

    /// An empty control packet of a queue pair.
    pub(super) fn control_packet(&self, kind: Kind, qp: SubflowId) -> Packet {
        Packet {
            size: self.setup.packet.ack.0 as u16,
            flags: self.terms.control_flags,
            stamp: self.terms.stamps.of(self.events.now),
            ..Packet::of(kind, qp)
        }
    }

    /// Puts a control packet of either end on its way to the other.
    pub(super) fn send_control(&mut self, packet: Packet) {
        let (from, _) = self.ends(packet.qp, packet.kind);
        let (link, path) = match self.forwarding.only_uplink(from) {
            Some(link) => (link, packet.path),
            None => self.first_link(&packet),
        };
        if link != LinkId::NONE {
            self.transmit(link, LinkId::NONE, &packet, path);
        }
    }
}

/// Numbers the ports of all cards, host by host.
fn cards(fabric: &Fabric) -> IdVec<LinkId, PortId> {
    let mut cards = IdVec::filled(PortId::NONE, fabric.links().len());
    let hosts = (0..fabric.hosts()).map(NodeId);
    for (port, &link) in (0..).map(PortId).zip(hosts.flat_map(|host| fabric.out_links(host))) {
        cards[link] = port;
    }
    cards
}

/// The longest unloaded round trip among the first transfers, in ps: what network-wide defaults scale with.
fn network_rtt(setup: &Setup<'_>) -> u64 {
    let pairs = setup.schedule.transfers().take(TRANSFERS_COMPARED);
    let rtts = pairs.map(|Transfer { src, dst, .. }| {
        let (src, dst) = (src.node(), dst.node());
        match setup.fabric.path_count(src, dst) {
            0 => 0,
            _ => unloaded::rtt(setup.fabric, &setup.fabric.path(src, dst, 0), setup.packet),
        }
    });
    rtts.max().unwrap_or(0)
}
