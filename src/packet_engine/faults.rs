//! Links that change while packets travel, and how routing and hosts come to know.
//!
//! A link that goes down loses what is on it and what waits for it, and all that is sent to it until
//! routing has converged: then forwarding tables hold live links only, pinned sub-flows whose path is
//! gone move to another by hash, and spraying hosts draw from the new paths. A link whose rate changes
//! sends what it holds at the new rate.
//!
//! Before that, a host whose sub-flow times out on a path that its placement pinned takes another one
//! by itself and avoids the old one for a while (the path timeout of arXiv 2407.00550v2).

use std::collections::BTreeMap;

use super::engine::Engine;
use super::forwarding::Forwarding;
use super::packet::{Event, Keys, Kind};
use super::queue::EventQueue;
use super::queue_pairs::{COMPLETE, NONE};
use crate::ids::NodeId;
use crate::placement::LoadBalancing;
use crate::rng::{index_below, mix};
use crate::topology::{Fabric, LinkChange};

/// What has changed so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Link events that have happened, and those that routing knows of.
    happened: usize,
    known: usize,
    /// Those by the last of which links went down or came up.
    rerouted: usize,
    /// The fabric as routing knows it, where that is no longer the first one.
    pub fabric: Option<Box<Fabric>>,
    /// Paths that a host avoids (source, destination edge, path), and until when.
    avoided: BTreeMap<(u32, u32, u32), u64>,
}

/// What `remaining` of a time of `old` is of a time of `whole`, rounded up.
fn share(whole: u64, remaining: u64, old: u64) -> u64 {
    let time = (u128::from(whole) * u128::from(remaining)).div_ceil(u128::from(old.max(1)));
    u64::try_from(time).unwrap_or(u64::MAX)
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// Whether links are yet to change, or routing is yet to notice that they have.
    pub fn awaits_changes(&self) -> bool {
        self.faults.happened < self.setup.link_events.len() || self.faults.known < self.faults.rerouted
    }

    /// Sets the alarm for the next link event.
    pub fn await_link_event(&mut self) {
        if let Some(event) = self.setup.link_events.get(self.faults.happened) {
            let time = event.at.0.max(self.now);
            self.alarm(time, Keys::LINK_CHANGE, Kind::LinkChange, 0);
        }
    }

    /// Links change now.
    pub fn links_change(&mut self) {
        let mut rerouted = false;
        while let Some(event) = self.setup.link_events.get(self.faults.happened)
            && event.at.0 <= self.now
        {
            self.faults.happened += 1;
            let was_down = self.links.rate(event.change.link.0).is_zero();
            rerouted |= was_down != event.change.rate.is_zero();
            self.change_link(event.change);
        }
        if rerouted {
            self.faults.rerouted = self.faults.happened;
            let time = self.now.saturating_add(self.setup.packet.convergence.0);
            self.alarm(time, Keys::CONVERGED, Kind::Converged, self.faults.happened as u32);
        }
        self.await_link_event();
    }

    /// Sets the rate of a link, with what is on it and in front of it.
    fn change_link(&mut self, change: LinkChange) {
        let link = change.link.0;
        let (arrival, port_free) = (Keys::ARRIVAL + link, self.keys.port_free + link);
        let on_link = self.queue.extract(|event| event.key == arrival);
        let alarms = self.queue.extract(|event| event.key == port_free);
        let delay = self.links.delay(link);
        let (left, held): (Vec<_>, Vec<_>) = on_link.into_iter().partition(|event| event.time - delay <= self.now);
        let old_times: Vec<_> = held
            .iter()
            .map(|event| self.links.on_wire(link, u64::from(event.packet.size)))
            .collect();
        let was_down = self.links.rate(link).is_zero();
        self.links.change_rate(link, change.rate, self.now);
        if change.rate.is_zero() {
            for event in left.iter().chain(&held) {
                self.links.lose_accepted(link, &event.packet);
            }
            self.frames_cut(link);
            return self.empty_port(link);
        }
        if was_down {
            self.frames_again(link);
        }
        for event in left {
            self.queue.push(event);
        }
        // The first was being sent: what is left of it takes its share of the new time.
        let mut done = self.now;
        for (position, (event, old)) in held.into_iter().zip(old_times).enumerate() {
            let whole = self.links.on_wire(link, u64::from(event.packet.size));
            let remaining = event.time - delay - self.now;
            done = done.saturating_add(match position {
                0 => share(whole, remaining, old),
                _ => whole,
            });
            self.queue.push(Event {
                time: done.saturating_add(delay),
                ..event
            });
        }
        self.links.set_busy_until(link, done);
        self.retime_port(link);
        for alarm in alarms {
            self.queue.push(Event { time: done, ..alarm });
        }
    }

    /// Routing has noticed the first `known` link events.
    pub fn converge(&mut self, known: u32) {
        let known = known as usize;
        if known <= self.faults.known {
            return;
        }
        self.faults.known = known;
        let changes: Vec<_> = self.setup.link_events[..known]
            .iter()
            .map(|event| event.change)
            .collect();
        let new = Box::new(self.setup.fabric.with(&changes));
        let old = self.faults.fabric.take();
        self.forwarding = Forwarding::new(&new);
        self.in_switch.reselect_path(&self.forwarding);
        self.next_hops.clear();
        self.repin(old.as_deref().unwrap_or(self.setup.fabric), &new);
        self.faults.fabric = Some(new);
        self.faults.avoided.clear();
        for qp in 0..self.queue_pairs.len() as u32 {
            let slot = self.queue_pairs[qp as usize].sender;
            if slot != NONE {
                self.reselect_path(qp, slot);
            }
        }
    }

    /// Gives pinned queue pairs the number of their path in the new fabric, or another path where it
    /// is gone.
    fn repin(&mut self, old: &Fabric, new: &Fabric) {
        for (qp, pair) in self.queue_pairs.iter_mut().enumerate() {
            if !pair.pinned || pair.receiver == COMPLETE && pair.sender == NONE {
                continue;
            }
            let ends = &mut pair.ends;
            let (src, dst) = (NodeId(ends.src), NodeId(ends.dst));
            let kept = (ends.base < old.path_count(src, dst))
                .then(|| new.path_index(src, dst, &old.path(src, dst, ends.base)))
                .flatten();
            let hash = mix(mix(self.setup.seed ^ 0x4e91) ^ qp as u64);
            ends.base = kept.unwrap_or_else(|| index_below(hash, new.path_count(src, dst).max(1)));
        }
    }

    /// A sender learns that paths have changed.
    fn reselect_path(&mut self, qp: u32, slot: u32) {
        let conditions = self.conditions(qp);
        let spread = self.spread(qp, &conditions);
        let timeout = self.timeout_on(qp, &conditions);
        let pair = self.queue_pairs[qp as usize];
        let pinned = pair.pinned;
        let lanes = self.lanes(qp, &spread);
        let sender = self.senders.at(slot);
        if sender.lanes.is_some() {
            let links = self.setup.fabric.out_links(NodeId(pair.ends.src));
            self.nics.delist(links, slot);
            sender.ready = false;
            sender.lanes = lanes;
        }
        sender.timeout = timeout;
        if pinned {
            sender.sent.forget_order();
        }
        if !(sender.spread.is_fixed() && spread.is_fixed()) {
            sender.spread = spread;
        }
        self.mark_ready(slot);
    }

    /// Whether the sub-flows of a load balancing leave a path that times out: those that a placement
    /// has pinned do, those pinned by hashing do not know their path.
    pub fn moves_on_timeout(load_balancing: &LoadBalancing) -> bool {
        !matches!(load_balancing, LoadBalancing::Ecmp(_) | LoadBalancing::EcmpSplit(_))
    }

    /// After a timeout, moves a pinned sub-flow to another path at random and starts afresh there.
    pub fn leave_path(&mut self, qp: u32, slot: u32) {
        if let Some(failover) = self.setup.packet.port_failover {
            let timeouts = self.senders.at(slot).timeouts;
            let pinned = self.queue_pairs[qp as usize].pinned;
            if let Some(path) = pinned.then(|| self.fail_over(qp, failover, timeouts)).flatten() {
                self.restart_on(qp, slot, path);
            }
            return;
        }
        let penalty = self.setup.packet.path_penalty.0;
        if penalty == 0 || !self.queue_pairs[qp as usize].pinned || !Self::moves_on_timeout(self.setup.load_balancing) {
            return;
        }
        let ends = self.queue_pairs[qp as usize].ends;
        let edge = self.fabric().edge(NodeId(ends.dst)).0;
        let until = self.now.saturating_add(penalty);
        self.faults.avoided.insert((ends.src, edge, ends.base), until);
        let Some(path) = self.other_path(qp) else { return };
        self.restart_on(qp, slot, path);
    }

    /// Gives a queue pair that has timed out another path, on which it starts afresh.
    fn restart_on(&mut self, qp: u32, slot: u32, path: u32) {
        self.move_to(qp, path);
        let conditions = self.conditions(qp);
        let control = self.setup.transport.control(&conditions);
        let timeout = self.timeout_on(qp, &conditions);
        let sender = self.senders.at(slot);
        // Credits are the connection's, not the path's.
        if self.credits.is_none() {
            sender.control = control;
        }
        sender.timeout = timeout;
        sender.sent.go_back();
        sender.sent.forget_order();
    }

    /// Gives a queue pair another path; its packets on the way change over at their next hop.
    fn move_to(&mut self, qp: u32, path: u32) {
        self.queue_pairs[qp as usize].ends.base = path;
        self.next_hops.clear();
    }

    /// A queue pair that starts takes another path if its host avoids the planned one.
    pub fn avoid_bad_path(&mut self, qp: u32) {
        if self.setup.packet.port_failover.is_some() && self.queue_pairs[qp as usize].pinned {
            if let Some(path) = self.avoid_bad_port(qp) {
                self.move_to(qp, path);
            }
            return;
        }
        if self.faults.avoided.is_empty() || !self.queue_pairs[qp as usize].pinned {
            return;
        }
        let ends = self.queue_pairs[qp as usize].ends;
        let edge = self.fabric().edge(NodeId(ends.dst)).0;
        if self.avoids(ends.src, edge, ends.base)
            && let Some(path) = self.other_path(qp)
        {
            self.move_to(qp, path);
        }
    }

    fn avoids(&self, src: u32, edge: u32, path: u32) -> bool {
        let until = self.faults.avoided.get(&(src, edge, path));
        until.is_some_and(|&until| until > self.now)
    }

    /// A random path that the host does not avoid; any other one where it avoids all.
    fn other_path(&self, qp: u32) -> Option<u32> {
        let ends = self.queue_pairs[qp as usize].ends;
        let count = self.forwarding.path_count(ends.src, ends.dst);
        let edge = self.fabric().edge(NodeId(ends.dst)).0;
        let others = || (0..count).filter(|&path| path != ends.base);
        let good = || others().filter(|&path| !self.avoids(ends.src, edge, path));
        let draw = |n: usize| {
            index_below(
                mix(mix(self.setup.seed ^ 0x0a7e) ^ mix(self.now) ^ u64::from(qp)),
                n as u32,
            )
        };
        match (good().count(), others().count()) {
            (0, 0) => None,
            (0, n) => others().nth(draw(n) as usize),
            (n, _) => good().nth(draw(n) as usize),
        }
    }

    /// Whether the paths of a flow are all gone, as far as routing knows.
    pub fn is_cut_off(&self, src: u32, dst: u32) -> bool {
        self.fabric().path_count(NodeId(src), NodeId(dst)) == 0
    }
}
