//! Closed forms of one flow alone on an idle path, store and forward.

use super::options::PacketOptions;
use super::setup::PATHS_COMPARED;
use super::transport::PathProperties;
use crate::ids::{LinkId, NodeId};
use crate::topology::Fabric;
use crate::units::{PS_PER_SECOND, Rate, Time};

/// Completion of a flow of `bytes` alone on `path`, sent at line rate: when its last data byte reaches
/// the receiver, and when the last acknowledgement reaches the sender, both from its start.
///
/// With equal rates R and n packets of P wire bytes, the last of q, over h links of delay L in all:
/// `(n-1) P/R + (h-1) P/R + q/R + L`, and for the sender `h ack/R + L` more, the way back. With
/// unequal rates the packets before the last queue at the slowest link so far.
pub fn completion(fabric: &Fabric, path: &[LinkId], bytes: u64, options: &PacketOptions) -> (Time, Time) {
    let payload = options.payload.0;
    let packets = bytes.div_ceil(payload).max(1);
    let last = bytes - (packets - 1) * payload + options.header.0;
    let (mut first, mut slowest) = (Time::ZERO, Time::ZERO);
    // When the last packet leaves a link, and when the one before it does.
    let mut done = Time::ZERO;
    for &id in path {
        let link = fabric.link(id);
        let full = link.rate.transmission_time(options.full());
        slowest = slowest.max(full);
        let before = match packets {
            1 => Time::ZERO,
            _ => first + full + slowest * (packets - 2),
        };
        done = done.max(before) + link.rate.transmission_time(last) + link.delay;
        first = first + full + link.delay;
    }
    let back: Time = path.iter().map(|&id| back(fabric, id, options)).sum();
    (done, done + back)
}

/// One hop of an acknowledgement on its way back over a link.
fn back(fabric: &Fabric, id: LinkId, options: &PacketOptions) -> Time {
    let link = fabric.link(fabric.link(id).reverse);
    let rate = if link.rate.is_zero() {
        fabric.link(id).rate
    } else {
        link.rate
    };
    rate.transmission_time(options.ack.0) + link.delay
}

/// Unloaded round trip of a full packet and its acknowledgement on a path, in ps.
pub(super) fn rtt(fabric: &Fabric, path: &[LinkId], options: &PacketOptions) -> u64 {
    let hops = path.iter().map(|&id| {
        let link = fabric.link(id);
        link.rate.transmission_time(options.full()) + link.delay + back(fabric, id, options)
    });
    hops.sum::<Time>().0
}

/// What a queue pair whose ports send at `rate` finds on an idle path.
pub(super) fn conditions(
    fabric: &Fabric,
    path: &[LinkId],
    rate: Rate,
    options: &PacketOptions,
    trimming: bool,
) -> PathProperties {
    let full = options.full();
    let rtt = rtt(fabric, path, options);
    PathProperties {
        full,
        rate: rate.bytes_per_ps(),
        rtt,
        longest_rtt: rtt,
        bdp: bdp(rate, rtt, full),
        hops: path.len() as u32,
        trimming,
        pace: None,
    }
}

/// Bytes of packets of `full` bytes that are sent at `rate` in `rtt` ps, in whole packets.
pub(super) fn bdp(rate: Rate, rtt: u64, full: u64) -> u64 {
    let bits = u128::from(rtt) * u128::from(rate.0);
    let packets = bits.div_ceil(u128::from(full) * 8 * u128::from(PS_PER_SECOND)).max(1);
    u64::try_from(packets).unwrap_or(u64::MAX).saturating_mul(full)
}

/// Unloaded round trip of a full packet and its acknowledgement on the slowest of a pair's paths, in ps; of many paths
/// the first are looked at.
pub(super) fn longest_rtt(fabric: &Fabric, src: NodeId, dst: NodeId, options: &PacketOptions) -> u64 {
    let paths = 0..fabric.path_count(src, dst).min(PATHS_COMPARED);
    let rtts = paths.map(|index| rtt(fabric, &fabric.path(src, dst, index), options));
    rtts.max().unwrap_or(0)
}

/// At least any unloaded round trip over up to `hops` links, in ps.
pub(super) fn rtt_within(fabric: &Fabric, hops: u64, options: &PacketOptions) -> u64 {
    let hop = |id| rtt(fabric, &[id], options);
    let up = fabric.link_ids().filter(|&id| !fabric.link(id).rate.is_zero());
    up.map(hop).max().unwrap_or(0).saturating_mul(hops)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::NodeId;
    use crate::input::NoFiles;
    use crate::topology::Topology;
    use crate::units::Bytes;

    /// The worked examples of the paper's set-up with links of 1 us.
    #[test]
    fn worked_examples() {
        let options = PacketOptions {
            payload: Bytes(4_086),
            ..PacketOptions::default()
        };
        let sender_us = |rate: &str, dst: u32| {
            let cable = format!(r#"{{"rate": "{rate}", "delay": "1us"}}"#);
            let spec = format!(
                r#"{{"leaf-spine": {{"leaves": 2, "spines": 1, "hosts_per_leaf": 2,
                "host_link": {cable}, "fabric_link": {cable}}}}}"#
            );
            let spec: Topology = serde_json::from_str(&spec).unwrap();
            let fabric = Fabric::compile(&spec.blueprint(&NoFiles).unwrap());
            let path = fabric.path(NodeId(0), NodeId(dst), 0);
            completion(&fabric, &path, 2_000_000, &options).1
        };
        assert_eq!(sender_us("100Gbps", 2), Time(171_525_280));
        assert_eq!(sender_us("100Gbps", 1), Time(166_851_040));
        assert_eq!(sender_us("400Gbps", 2), Time(48_881_320));
    }
}
