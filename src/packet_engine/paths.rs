//! Which path a queue pair is on, and what that means for it.
//!
//! A host whose sub-flow times out on a path that its placement pinned takes another one by itself and avoids the old one
//! for a while (the path timeout of arXiv 2407.00550v2).

use super::conditions::on_path;
use super::ids::SenderId;
use super::network::Network;
use super::queue::EventQueue;
use super::recovery::Timeout;
use super::sending::Sending;
use super::transport::PathProperties;
use crate::ids::{HostId, Id, NodeId, PathIndex, SubflowId};
use crate::path_selection::{PathGroup, PathSelector, QueuePairPaths, Random, Weighted};
use crate::placement::LoadBalancing;
use crate::rng::{index_below, mix};
use crate::routes::{Route, path_weights};
use crate::topology::Fabric;

/// A retransmission timeout is not below so many unloaded round trips.
const LEAST_ROUND_TRIPS: u64 = 3;

/// What a queue pair's timeout draws after `tries` timeouts in a row.
pub(super) fn chance<Q>(net: &Network<'_, Q>, qp: SubflowId, tries: u32) -> u64 {
    mix(mix(net.setup.seed ^ 0x7140_11e5) ^ mix(net.events.now) ^ (u64::from(tries) << 32 | u64::from(qp.0)))
}

/// Paths that a host can tell apart: they are named by 16 bits in a packet.
pub(super) fn named_paths(fabric: &Fabric, src: NodeId, dst: NodeId) -> u32 {
    fabric.path_count(src, dst).min(1 << 16)
}

/// The queue pairs whose paths are those from one host to another.
pub(super) fn group(fabric: &Fabric, src: NodeId, dst: NodeId, paths: u32) -> PathGroup {
    PathGroup {
        from: fabric.edge(src),
        to: fabric.edge(dst),
        paths,
    }
}

impl Sending {
    /// How a queue pair chooses its paths. Where switches decide it does not.
    pub(super) fn spread<Q: EventQueue>(
        net: &Network<'_, Q>,
        qp: SubflowId,
        conditions: &PathProperties,
    ) -> PathSelector {
        let ends = net.pairs[qp].ends;
        if ends.base == PathIndex::NONE {
            return PathSelector::Fixed;
        }
        let route = net.setup.placement.subflows()[qp.index()].route;
        let (src, dst) = (ends.src.node(), ends.dst.node());
        let paths = named_paths(net.fabric(), src, dst);
        let salt = mix(mix(net.setup.seed ^ 0x5917_ead0) ^ u64::from(qp.0));
        if paths <= 1 || matches!(route, Route::Pinned(_)) {
            return PathSelector::Fixed;
        }
        if route == Route::Weighted {
            let weights = path_weights(net.fabric(), src, dst);
            return PathSelector::Weighted(Weighted::new(&weights[..paths as usize], salt));
        }
        let queue_pair = QueuePairPaths {
            paths,
            window: (conditions.bdp / conditions.full) as u32,
            salt,
            weights: net.policy.of(group(net.fabric(), src, dst, paths)),
        };
        let chosen = net
            .setup
            .load_balancing
            .dynamic()
            .and_then(|scheme| scheme.selector(&queue_pair));
        chosen.unwrap_or_else(|| PathSelector::Random(Random::new(paths, salt)))
    }

    /// What a queue pair finds on its path, or on the fastest where it has several.
    pub(super) fn conditions<Q: EventQueue>(&self, net: &Network<'_, Q>, qp: SubflowId) -> PathProperties {
        PathProperties {
            pace: self.rates.get(qp).copied(),
            ..on_path(net, qp)
        }
    }

    /// The retransmission timeout of a queue pair under what it finds.
    pub(super) fn timeout_on<Q: EventQueue>(
        net: &Network<'_, Q>,
        qp: SubflowId,
        conditions: &PathProperties,
    ) -> Timeout {
        let rtt = conditions.longest_rtt;
        let least = match net.setup.packet.rto {
            Some(rto) => rto.0,
            None => net.terms.rto.unwrap_or(0).max(LEAST_ROUND_TRIPS.saturating_mul(rtt)),
        };
        Timeout::new(least, rtt, chance(net, qp, 0))
    }

    /// Whether the sub-flows of a load balancing leave a path that times out: those that a placement
    /// has pinned do, those pinned by hashing do not know their path.
    pub(super) fn moves_on_timeout(load_balancing: &LoadBalancing) -> bool {
        !matches!(load_balancing, LoadBalancing::Ecmp(_) | LoadBalancing::EcmpSplit(_))
    }

    /// After a timeout, moves a pinned sub-flow to another path at random and starts afresh there.
    pub(super) fn leave_path<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, qp: SubflowId, slot: SenderId) {
        if let Some(failover) = net.setup.packet.port_failover {
            let timeouts = self.senders.at(slot).timeouts;
            if net.pairs[qp].pinned
                && let Some(path) = self.port_watch.fail_over(net, qp, failover, timeouts)
            {
                self.restart_on(net, qp, slot, path);
            }
            return;
        }
        let penalty = net.setup.packet.path_penalty.0;
        if penalty == 0 || !net.pairs[qp].pinned || !Self::moves_on_timeout(net.setup.load_balancing) {
            return;
        }
        let ends = net.pairs[qp].ends;
        let edge = net.fabric().edge(ends.dst.node());
        let until = net.events.now.saturating_add(penalty);
        self.avoided.insert((ends.src, edge, ends.base), until);
        if let Some(path) = self.other_path(net, qp) {
            self.restart_on(net, qp, slot, path);
        }
    }

    /// Gives a queue pair that has timed out another path, on which it starts afresh.
    fn restart_on<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, qp: SubflowId, slot: SenderId, path: PathIndex) {
        Self::move_to(net, qp, path);
        let conditions = self.conditions(net, qp);
        let control = net.setup.transport.control(&conditions);
        let timeout = Self::timeout_on(net, qp, &conditions);
        let sender = self.senders.at(slot);
        // Credits are the connection's, not the path's.
        if self.quanta.is_none() {
            sender.control = control;
        }
        sender.timeout = timeout;
        sender.sent.go_back();
        sender.sent.forget_order();
    }

    /// Gives a queue pair another path; its packets on the way change over at their next hop.
    fn move_to<Q>(net: &mut Network<'_, Q>, qp: SubflowId, path: PathIndex) {
        net.pairs[qp].ends.base = path;
        net.next_hops.clear();
        net.repinned = true;
    }

    /// A queue pair that starts takes another path if its host avoids the planned one.
    pub(super) fn avoid_bad_path<Q: EventQueue>(&mut self, net: &mut Network<'_, Q>, qp: SubflowId) {
        if net.setup.packet.port_failover.is_some() && net.pairs[qp].pinned {
            if let Some(path) = self.port_watch.avoid_bad_port(net, qp) {
                Self::move_to(net, qp, path);
            }
            return;
        }
        if self.avoided.is_empty() || !net.pairs[qp].pinned {
            return;
        }
        let ends = net.pairs[qp].ends;
        let edge = net.fabric().edge(ends.dst.node());
        if self.avoids(net, ends.src, edge, ends.base)
            && let Some(path) = self.other_path(net, qp)
        {
            Self::move_to(net, qp, path);
        }
    }

    fn avoids<Q>(&self, net: &Network<'_, Q>, src: HostId, edge: NodeId, path: PathIndex) -> bool {
        let until = self.avoided.get(&(src, edge, path));
        until.is_some_and(|&until| until > net.events.now)
    }

    /// A random path that the host does not avoid; any other one where it avoids all.
    fn other_path<Q: EventQueue>(&self, net: &Network<'_, Q>, qp: SubflowId) -> Option<PathIndex> {
        let ends = net.pairs[qp].ends;
        let count = net.forwarding.path_count(ends.src, ends.dst);
        let edge = net.fabric().edge(ends.dst.node());
        let others = || (0..count).map(PathIndex).filter(|&path| path != ends.base);
        let good = || others().filter(|&path| !self.avoids(net, ends.src, edge, path));
        let draw = |n: usize| {
            index_below(
                mix(mix(net.setup.seed ^ 0x0a7e) ^ mix(net.events.now) ^ u64::from(qp.0)),
                n as u32,
            )
        };
        match (good().count(), others().count()) {
            (0, 0) => None,
            (0, n) => others().nth(draw(n) as usize),
            (n, _) => good().nth(draw(n) as usize),
        }
    }
}
