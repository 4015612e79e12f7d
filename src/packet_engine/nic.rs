//! Network cards: the ports of hosts, and which queue pair sends next.
//!
//! A port takes one data packet at a time from the queue pairs that may send, round robin, when the
//! last one has left. Acknowledgements go straight to the port's queue: they wait for one data
//! packet at most.

use std::collections::VecDeque;

use super::engine::Engine;
use super::packet::{ASKING, Kind, Packet, RESENT};
use super::queue::EventQueue;
use super::queue_pairs::NONE;
use super::transport::CongestionControl;
use crate::ids::{LinkId, TaskId};
use crate::topology::Fabric;
use crate::workload::Milestone;

/// The port's last data packet is in its list: the list says when it has left.
const LISTED: u64 = u64::MAX;

/// One port of a host.
#[derive(Debug, Clone)]
pub(super) struct Port {
    pub link: u32,
    /// Senders with a packet that may be sent.
    ready: VecDeque<u32>,
    /// The last data packet has left by then.
    free_at: u64,
    /// An alarm for `free_at` is pending.
    pending: bool,
    /// The task of which that packet is the last of a sub-flow, if others wait until it has been sent.
    leaving: Option<u32>,
}

/// Queue pairs of one host.
#[derive(Debug, Clone, Default)]
struct Served {
    active: u32,
    /// Queue pairs that have started and wait to be served.
    waiting: VecDeque<u32>,
}

/// The network cards of all hosts.
#[derive(Debug)]
pub(super) struct Nics {
    pub ports: Vec<Port>,
    /// Port of each link out of a host.
    port_of: Vec<u32>,
    served: Vec<Served>,
    most_active: u32,
}

impl Nics {
    pub fn new(fabric: &Fabric, most_active: Option<u32>) -> Self {
        let mut nics = Self {
            ports: Vec::new(),
            port_of: vec![NONE; fabric.links().len()],
            served: vec![Served::default(); fabric.hosts() as usize],
            most_active: most_active.unwrap_or(u32::MAX),
        };
        for host in (0..fabric.hosts()).map(crate::ids::NodeId) {
            for link in fabric.out_links(host) {
                nics.port_of[link.index()] = nics.ports.len() as u32;
                nics.ports.push(Port {
                    link: link.0,
                    ready: VecDeque::new(),
                    free_at: 0,
                    pending: false,
                    leaving: None,
                });
            }
        }
        nics
    }

    #[inline]
    pub fn port_of(&self, link: u32) -> u32 {
        self.port_of[link as usize]
    }

    /// The link of a port, and the sender that will be asked next.
    #[inline]
    pub fn next(&self, port: u32) -> (u32, Option<u32>) {
        let port = &self.ports[port as usize];
        (port.link, port.ready.front().copied())
    }

    /// The link of a port.
    pub fn link(&self, port: u32) -> u32 {
        self.ports[port as usize].link
    }

    /// A sender waits at a port.
    pub fn list(&mut self, port: u32, slot: u32) {
        self.ports[port as usize].ready.push_back(slot);
    }

    /// A sender that is done, but was about to send again what only came late, leaves the lists of its ports.
    pub fn delist(&mut self, links: &[LinkId], slot: u32) {
        for link in links {
            let port = self.port_of[link.index()];
            self.ports[port as usize].ready.retain(|&other| other != slot);
        }
    }

    /// Whether the host serves one more queue pair; else `qp` waits.
    pub fn admit(&mut self, host: u32, qp: u32) -> bool {
        let served = &mut self.served[host as usize];
        if served.active < self.most_active {
            served.active += 1;
            return true;
        }
        served.waiting.push_back(qp);
        false
    }

    /// A queue pair is done; the next one that may be served instead.
    pub fn leave(&mut self, host: u32) -> Option<u32> {
        let served = &mut self.served[host as usize];
        let next = served.waiting.pop_front();
        if next.is_none() {
            served.active -= 1;
        }
        next
    }
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// A port may take its next data packet.
    pub fn nic_free(&mut self, port: u32) {
        self.nics.ports[port as usize].pending = false;
        self.note_sent(port);
        self.poll_tx(port);
    }

    /// The last data packet of a port has left its list.
    pub fn data_left(&mut self, port: u32) {
        self.nics.ports[port as usize].free_at = 0;
        self.note_sent(port);
        self.poll_tx(port);
    }

    /// The packet that has left a port may have been the last of its transfer.
    #[inline(always)]
    fn note_sent(&mut self, port: u32) {
        if let Some(task) = self.nics.ports[port as usize].leaving.take() {
            self.subflow_sent(task);
        }
    }

    #[inline(never)]
    fn subflow_sent(&mut self, task: u32) {
        let flow = &mut self.flows[task as usize];
        flow.unsent -= 1;
        if flow.unsent == 0 {
            self.happened(task, Milestone::Sent);
        }
    }

    /// Lets a port take a packet from the next queue pair, or wakes it when it can.
    pub fn poll_tx(&mut self, index: u32) {
        let port = &self.nics.ports[index as usize];
        if port.pending {
            return;
        }
        if port.free_at <= self.now {
            while let Some(&slot) = self.nics.ports[index as usize].ready.front() {
                if self.senders.at(slot).may_send(self.now, self.full)
                    && let Some(path) = self.next_path(slot, index)
                {
                    self.send(slot, index, path);
                    break;
                }
                self.delist_first(slot, index);
            }
        }
        let port = &mut self.nics.ports[index as usize];
        let awaited = !port.ready.is_empty() || port.leaving.is_some();
        if awaited && !port.pending && port.free_at != LISTED {
            port.pending = true;
            let (time, link) = (port.free_at, port.link);
            self.alarm(time, self.keys.nic_free + link, Kind::NicFree, index);
        }
    }

    /// Takes the first sender off the list of a port.
    fn delist_first(&mut self, slot: u32, port: u32) {
        self.nics.ports[port as usize].ready.pop_front();
        let sender = self.senders.at(slot);
        sender.ready = false;
        if let Some(lanes) = &mut sender.lanes {
            lanes.delisted(port);
        }
    }

    /// Lists a sender at its port if it may send; sets an alarm if it only has to wait for its pace.
    pub fn mark_ready(&mut self, slot: u32) {
        if let Some(port) = self.list(slot) {
            self.poll_tx(port);
        }
    }

    /// [`Engine::mark_ready`] without asking the port, which it tells if the sender is new there.
    #[inline(always)]
    fn list(&mut self, slot: u32) -> Option<u32> {
        let sender = self.senders.at(slot);
        if sender.ready {
            return None;
        }
        if !sender.may_send(self.now, self.full) {
            self.set_pace(slot);
            return None;
        }
        let port = match &sender.lanes {
            None => sender.port,
            Some(_) => self.port_of_next(slot),
        };
        if port == NONE {
            return None;
        }
        self.senders.at(slot).ready = true;
        self.nics.list(port, slot);
        Some(port)
    }

    fn set_pace(&mut self, slot: u32) {
        let now = self.now;
        let sender = self.senders.at(slot);
        if sender.next_at > now && !sender.pacing && sender.sent.has_more() {
            sender.pacing = true;
            let (time, qp) = (sender.next_at, sender.qp);
            self.alarm(time, self.keys.pace + qp, Kind::Pace, qp);
        }
    }

    /// A paced queue pair may send again.
    pub fn pace(&mut self, qp: u32) {
        let slot = self.queue_pairs[qp as usize].sender;
        if slot != NONE {
            self.senders.at(slot).pacing = false;
            self.mark_ready(slot);
        }
    }

    /// The path of a sender's next packet, which leaves by this port; none where no path leads there.
    #[inline(always)]
    fn next_path(&mut self, slot: u32, port: u32) -> Option<u16> {
        let sender = self.senders.at(slot);
        match &sender.lanes {
            None => Some(sender.spread.choose(self.now)),
            Some(_) => self.path_from(slot, port),
        }
    }

    /// Sends the next packet of a sender that may send, on behalf of [`Engine::poll_tx`].
    fn send(&mut self, slot: u32, port: u32, path: u16) {
        let now = self.now;
        let sender = self.senders.at(slot);
        let qp = &self.queue_pairs[sender.qp as usize];
        let (seq, resent) = sender.sent.take();
        let is_last = seq + 1 == qp.packets;
        let size = if is_last { qp.last } else { self.full as u16 };
        let ends_subflow = (is_last && !resent).then_some(qp.task);
        let mut packet = Packet {
            qp: sender.qp,
            seq,
            stamp: self.stamps.of(now),
            path,
            behind: 0,
            size,
            kind: Kind::Data,
            flags: if resent { RESENT } else { 0 },
        };
        if let Some(rate) = sender.control.pace() {
            let since = match sender.control.catches_up() {
                true => sender.next_at,
                false => sender.next_at.max(now.saturating_sub(sender.lateness(rate, self.full))),
            };
            sender.next_at = since.saturating_add((f64::from(size) / rate) as u64);
        }
        sender.control.on_send();
        if let Some(credits) = &self.credits {
            let (behind, flag) = credits.state(sender.control.pull_target(sender.sent.backlog()));
            packet.behind = behind;
            packet.flags |= flag;
        }
        if sender.untold.is_some() && sender.asks(now, self.full) {
            packet.flags |= ASKING;
        }
        if let Some(order) = sender.order.as_mut().filter(|_| resent) {
            order.resend(now);
        }
        sender.retransmits += u32::from(resent);
        self.counters.packets += 1;
        self.counters.retransmits += u64::from(resent);
        self.set_timer(slot);
        let link = self.nics.ports[port as usize].link;
        let accepted = self.transmit(link, NONE, &packet, path);
        self.nics.ports[port as usize].free_at = match accepted {
            // A dead link takes packets in no time; the port still takes one after the other.
            false => now.saturating_add(self.on_dead_link(slot, link, size)),
            true if self.ports.is_empty() => self.links.busy_until(link),
            true => LISTED,
        };
        if let Some(task) = ends_subflow
            && self.setup.schedule.awaits(TaskId(task), Milestone::Sent)
        {
            self.nics.ports[port as usize].leaving = ends_subflow;
        }
        self.relist(slot, port);
    }

    /// How long a packet takes that is lost on a dead link, in ps: where the host has other ports, as long as it took
    /// before, or the dead one would swallow all.
    #[cold]
    fn on_dead_link(&mut self, slot: u32, link: u32, size: u16) -> u64 {
        let rate = self.setup.fabric.link(LinkId(link)).rate;
        match self.senders.at(slot).ports() {
            0 | 1 => 1,
            _ if rate.is_zero() => 1,
            _ => rate.transmission_time(u64::from(size)).0,
        }
    }

    /// Lets the first sender of a port's list, which may send more, go to the list's end, if it sends from there again.
    #[inline(always)]
    fn stays(&mut self, slot: u32, port: u32) -> bool {
        let several = self.senders.at(slot).lanes.is_some();
        if several && self.senders.at(slot).ports() == 0 {
            return false;
        }
        self.nics.ports[port as usize].ready.rotate_left(1);
        if several {
            self.list_at_all(slot);
        }
        true
    }

    /// The first sender of a port's list has sent a packet: it goes to the end of the list of its next one's port.
    fn relist(&mut self, slot: u32, port: u32) {
        let sender = self.senders.at(slot);
        if !self.acknowledged {
            sender.sent.let_go();
        }
        if sender.may_send(self.now, self.full) && self.stays(slot, port) {
            return;
        }
        let sender = self.senders.at(slot);
        let (qp, is_over) = (sender.qp, sender.sent.is_done());
        self.delist_first(slot, port);
        if is_over {
            self.remove_sender(qp, slot);
            self.serve_another(qp);
        } else if let Some(next) = self.list(slot).filter(|&next| next != port) {
            self.poll_tx(next);
        }
    }
}
