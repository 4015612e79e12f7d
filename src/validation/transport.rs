//! The experiment's own transport, with one transfer alone on the fabric: nothing else explains that
//! it is slower than its links, or that a queue is missing where the sender is faster than its path.

use std::collections::BTreeSet;

use super::evidence::{Alone, Evidence};
use super::finding::{Finding, bytes, us};
use crate::packet_engine::Transport;
use crate::topology::Fabric;
use crate::units::Time;

/// What a transport may leave of its links, for windows and rates that are not quite enough.
const SLACK: f64 = 0.1;
/// Round trips in which it may find its rate.
const ROUND_TRIPS: f64 = 4.0;
/// Part of the queue that a sender at line rate builds before it can hear of it.
const PART: f64 = 0.5;

pub(super) fn check(evidence: &Evidence, findings: &mut Vec<Finding>) {
    let name = evidence.experiment.transport.name();
    let (fills, queues) = (
        format!("{name} alone fills its ports"),
        format!("{name} alone queues before a slower link"),
    );
    let alone = match &evidence.alone {
        Ok(alone) => alone,
        Err(why) => {
            findings.push(Finding::skipped(fills, why));
            return;
        }
    };
    let fabric = &evidence.network.fabric;
    let ways = PathLimits::of(fabric, alone);
    if !ways.is_slower_than_ports() {
        findings.push(filled(fills, evidence, alone, &ways));
    } else if matches!(evidence.experiment.transport, Transport::Dcqcn(_)) {
        findings.push(queued(queues, alone, &ways));
    } else {
        findings.push(Finding::skipped(
            fills,
            "a slower link on the way marks or drops what the sender has too much",
        ));
    }
}

/// What the paths of a transfer offer.
struct PathLimits {
    /// Bytes per picosecond of the sender's ports, and of all links at the narrowest place.
    ports: f64,
    narrowest: f64,
    /// The longest round trip, without transmissions.
    round_trip: Time,
    /// Links of the longest path, and bytes per picosecond of the slowest of all.
    hops: usize,
    slowest: f64,
}

impl PathLimits {
    fn of(fabric: &Fabric, alone: &Alone) -> Self {
        let rate = |id| fabric.link(id).rate.bytes_per_ps();
        let hops = alone.paths.iter().map(|path| path.len()).max().unwrap_or(0);
        // Links at the same distance from the sender carry it together.
        let across = |hop: usize| {
            let links: BTreeSet<_> = alone.paths.iter().filter_map(|path| path.get(hop)).collect();
            links.into_iter().map(|&id| rate(id)).sum::<f64>()
        };
        let round_trip = alone.paths.iter().map(|path| {
            let back = path.iter().map(|&id| fabric.link(fabric.link(id).reverse).delay);
            fabric.path_delay(path) + back.sum()
        });
        let links = alone.paths.iter().flatten();
        Self {
            ports: across(0),
            narrowest: (1..hops).map(across).fold(f64::INFINITY, f64::min),
            round_trip: round_trip.max().unwrap_or(Time::ZERO),
            hops,
            slowest: links.map(|&id| rate(id)).fold(f64::INFINITY, f64::min),
        }
    }

    fn is_slower_than_ports(&self) -> bool {
        self.narrowest < self.ports * (1.0 - 1e-9)
    }
}

fn filled(check: String, evidence: &Evidence, alone: &Alone, ways: &PathLimits) -> Finding {
    let counters = &alone.packet.counters;
    if counters.drops + counters.trims > 0 {
        return Finding::skipped(check, "a queue was too short for the transfer");
    }
    let packet = &evidence.experiment.packet;
    let full = (packet.payload.0 + packet.header.0) as f64 / ways.slowest / 1e6;
    let stored = full * ways.hops as f64;
    // A jitter of the start is the experiment's own.
    let above = alone.fluid.as_us() * SLACK
        + ROUND_TRIPS * (ways.round_trip.as_us() + 2.0 * stored)
        + packet.start_jitter.as_us();
    let (found, expected) = (alone.packet.cct.as_us(), alone.fluid.as_us());
    Finding::new(check, found <= expected + above)
        .figures(us(found), format!("{} with headers", us(expected)))
        .within(format!("+{} (10 %, four round trips)", us(above)))
}

fn queued(check: String, alone: &Alone, ways: &PathLimits) -> Finding {
    // What a sender at line rate has sent when it can first hear of the queue, but for what has left it.
    let sent = (ways.ports * ways.round_trip.0 as f64).min(alone.wire as f64);
    let expected = sent * (1.0 - ways.narrowest / ways.ports) * PART;
    let found = alone.packet.links.iter().map(|link| link.max_queue).max().unwrap_or(0) as f64;
    Finding::new(check, found >= expected.floor())
        .figures(bytes(found), format!("at least {}", bytes(expected.floor())))
        .within("half of what is sent in one round trip and finds no room")
}
