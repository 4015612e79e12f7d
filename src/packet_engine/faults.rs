//! Links that change while packets travel, and how routing and hosts come to know.
//!
//! A link that goes down loses what is on it and what waits for it, and all that is sent to it until
//! routing has converged: then forwarding tables hold live links only, pinned sub-flows whose path is
//! gone move to another by hash, and spraying hosts draw from the new paths. A link whose rate changes
//! sends what it holds at the new rate.
//!
//! Before that, hosts may leave paths by themselves: see [`paths`](super::paths).

use super::forwarding::Forwarding;
use super::ids::{PortId, ReceiverId, SenderId};
use super::network::Network;
use super::packet::{Event, Keys, Kind};
use super::queue::EventQueue;
use crate::ids::{Id, PathIndex};
use crate::path_selection::SelectLink;
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
}

impl Faults {
    /// How often links have changed, or routing has noticed.
    pub(super) fn changes(&self) -> usize {
        self.happened + self.known
    }

    /// Whether links are yet to change, or routing is yet to notice that they have.
    pub(super) fn awaits_changes<Q>(&self, net: &Network<'_, Q>) -> bool {
        self.happened < net.setup.link_events.len() || self.known < self.rerouted
    }

    /// Sets the alarm for the next link event.
    pub(super) fn await_link_event<Q: EventQueue>(&self, net: &mut Network<'_, Q>) {
        if let Some(event) = net.setup.link_events.get(self.happened) {
            let time = event.at.0.max(net.events.clock());
            net.events.alarm_at(time, Keys::LINK_CHANGE, Kind::LinkChange, 0);
        }
    }

    /// One link changes, if one does now. Says which card has to send anew, if any.
    pub(super) fn change_next<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>) -> Option<Option<PortId>> {
        let event = net.setup.link_events.get(self.happened)?;
        if event.at.0 > net.events.clock() {
            return None;
        }
        self.happened += 1;
        let was_down = net.links.rate(event.change.link).is_zero();
        if was_down != event.change.rate.is_zero() {
            self.rerouted = self.happened;
        }
        Some(change_link(net, event.change))
    }

    /// All links that change now have changed, since so many changes were rerouted.
    pub(super) fn changed<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, rerouted_before: usize) {
        if self.rerouted > rerouted_before {
            self.rerouted = self.happened;
            let time = net.events.now.saturating_add(net.setup.packet.convergence.0);
            net.events
                .alarm(time, Keys::CONVERGED, Kind::Converged, self.happened as u32);
        }
        self.await_link_event(net);
    }

    /// How many link events have happened up to the last by which a link went down or came up.
    pub(super) fn rerouted(&self) -> usize {
        self.rerouted
    }

    /// Routing has noticed the first `known` link events. False where it knew already.
    pub(super) fn converge<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, known: u32) -> bool {
        let known = known as usize;
        if known <= self.known {
            return false;
        }
        self.known = known;
        let changes: Vec<_> = net.setup.link_events[..known]
            .iter()
            .map(|event| event.change)
            .collect();
        let new = Box::new(net.setup.fabric.with(&changes));
        let old = net.rerouted.take();
        net.forwarding = Forwarding::new(&new);
        net.in_switch.restart(net.forwarding.hop_count());
        net.next_hops.clear();
        repin(net, old.as_deref().unwrap_or(net.setup.fabric), &new);
        net.rerouted = Some(new);
        true
    }
}

/// What `remaining` of a time of `old` is of a time of `whole`, rounded up.
fn scaled(whole: u64, remaining: u64, old: u64) -> u64 {
    let time = (u128::from(whole) * u128::from(remaining)).div_ceil(u128::from(old.max(1)));
    u64::try_from(time).unwrap_or(u64::MAX)
}

/// Sets the rate of a link, with what is on it and in front of it.
/// Says which card has to send anew, if the link is that of a host and down.
fn change_link<Q: EventQueue>(net: &mut Network<'_, Q>, change: LinkChange) -> Option<PortId> {
    let link = change.link;
    let (arrival, port_free) = (Keys::ARRIVAL + link.0, net.events.keys.port_free + link.0);
    let on_link = net.events.queue.extract(|event| event.key == arrival);
    let alarms = net.events.queue.extract(|event| event.key == port_free);
    let delay = net.links.delay(link);
    let (left, held): (Vec<_>, Vec<_>) = on_link
        .into_iter()
        .partition(|event| event.time - delay <= net.events.now);
    let old_times: Vec<_> = held
        .iter()
        .map(|event| net.links.on_wire(link, u64::from(event.packet.size)))
        .collect();
    let was_down = net.links.rate(link).is_zero();
    net.links.change_rate(link, change.rate, net.events.now);
    if change.rate.is_zero() {
        for event in left.iter().chain(&held) {
            net.links.lose_accepted(link, &event.packet);
        }
        net.frames_cut(link);
        return net.empty_port(link);
    }
    if was_down {
        net.frames_again(link);
    }
    for event in left {
        net.events.queue.push(event);
    }
    // The first was being sent: what is left of it takes its share of the new time.
    let mut done = net.events.now;
    for (position, (event, old)) in held.into_iter().zip(old_times).enumerate() {
        let whole = net.links.on_wire(link, u64::from(event.packet.size));
        let remaining = event.time - delay - net.events.now;
        done = done.saturating_add(match position {
            0 => scaled(whole, remaining, old),
            _ => whole,
        });
        net.events.queue.push(Event {
            time: done.saturating_add(delay),
            ..event
        });
    }
    net.links.set_busy_until(link, done);
    net.retime_port(link);
    for alarm in alarms {
        net.events.queue.push(Event { time: done, ..alarm });
    }
    None
}

/// Gives pinned queue pairs the number of their path in the new fabric, or another path where it
/// is gone.
fn repin<Q>(net: &mut Network<'_, Q>, old: &Fabric, new: &Fabric) {
    for (qp, pair) in net.pairs.iter_mut().enumerate() {
        if !pair.pinned || pair.receiver == ReceiverId::COMPLETE && pair.sender == SenderId::NONE {
            continue;
        }
        let ends = &mut pair.ends;
        let (src, dst) = (ends.src.node(), ends.dst.node());
        let kept = (ends.base.0 < old.path_count(src, dst))
            .then(|| new.path_index(src, dst, &old.path(src, dst, ends.base)))
            .flatten();
        let hash = mix(mix(net.setup.seed ^ 0x4e91) ^ qp as u64);
        ends.base = kept.unwrap_or_else(|| PathIndex(index_below(hash, new.path_count(src, dst).max(1))));
    }
}
