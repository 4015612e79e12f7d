//! What a queue pair finds on its way before anything else is sent.

use std::borrow::Cow;

use super::network::Network;
use super::queue::EventQueue;
use super::setup::PATHS_COMPARED;
use super::transport::PathProperties;
use super::unloaded;
use crate::ids::{LinkId, SubflowId};
use crate::topology::Fabric;
use crate::units::Rate;

/// What the ports of a host send together.
pub(super) fn line_rate(fabric: &Fabric, ports: &[LinkId]) -> Rate {
    let rates = ports.iter().map(|&port| fabric.link(port).rate);
    rates.fold(Rate::ZERO, Rate::saturating_add)
}

/// What a queue pair finds on its path, or on the fastest where it has several.
pub(super) fn on_path<Q: EventQueue>(net: &Network<'_, Q>, qp: SubflowId) -> PathProperties {
    let ends = net.pairs[qp].ends;
    let (src, dst) = (ends.src.node(), ends.dst.node());
    // A pair that is cut off remembers the paths it once had.
    let fabric = match net.fabric().path_count(src, dst) {
        0 => net.setup.fabric,
        _ => net.fabric(),
    };
    let paths = fabric.path_count(src, dst);
    let base = if ends.base.0 < paths { ends.base.0 } else { 0 };
    let (options, trimming) = (net.setup.packet, net.terms.trimming);
    let path = fabric.path(src, dst, base);
    let pinned = net.pairs[qp].pinned;
    let ports = match path.first().filter(|_| pinned) {
        Some(port) => Cow::Borrowed(std::slice::from_ref(port)),
        None => fabric.next_hops(src, dst),
    };
    let rate = line_rate(fabric, &ports);
    let of = |path: &[LinkId]| unloaded::conditions(fabric, path, rate, options, trimming);
    let own = of(&path);
    if pinned || net.terms.equal_paths {
        return own;
    }
    let others = (0..paths.min(PATHS_COMPARED)).map(|index| of(&fabric.path(src, dst, index)));
    let best = others.fold(own, |best, other| PathProperties {
        longest_rtt: best.longest_rtt.max(other.longest_rtt),
        ..if other.rtt < best.rtt { other } else { best }
    });
    match ports.len() {
        0 | 1 => best,
        // What the slowest port sends must fit the window, too.
        _ => PathProperties {
            bdp: unloaded::bdp(rate, best.longest_rtt, best.full),
            ..best
        },
    }
}
