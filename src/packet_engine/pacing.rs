//! The rates at which all sub-flows of a step end together, when its most loaded link has carried all of its bytes.

use std::collections::BTreeMap;

use super::Setup;
use super::queue_pairs::QueuePair;
use crate::ids::NodeId;
use crate::placement::{Route, path_weights};

/// By queue pair, wire bytes per picosecond. Where the network chooses paths, it is taken to spread evenly.
pub(super) fn rates(setup: &Setup<'_>, pairs: &[QueuePair]) -> Vec<f64> {
    let step = |pair: &QueuePair| setup.schedule.tasks()[pair.task as usize].step;
    let mut steps: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (qp, pair) in pairs.iter().enumerate() {
        steps.entry(step(pair)).or_default().push(qp);
    }
    let mut loads = vec![0.0; setup.fabric.links().len()];
    let mut rates = vec![0.0; pairs.len()];
    for members in steps.values() {
        loads.fill(0.0);
        for &qp in members {
            add(setup, &pairs[qp], setup.placement.pieces()[qp].route, &mut loads);
        }
        // A link that is down carries nothing, however long one waits.
        let links = setup.fabric.links().iter().zip(&loads);
        let loaded = links.filter(|(link, load)| **load > 0.0 && !link.rate.is_zero());
        let longest = loaded
            .map(|(link, load)| load / link.rate.bytes_per_ps())
            .fold(0.0, f64::max);
        for &qp in members {
            rates[qp] = wire_bytes(setup, &pairs[qp]) / longest;
        }
    }
    rates
}

fn wire_bytes(setup: &Setup<'_>, pair: &QueuePair) -> f64 {
    (u64::from(pair.packets - 1) * setup.packet.full() + u64::from(pair.last)) as f64
}

/// Adds what a queue pair sends to the links of its paths.
fn add(setup: &Setup<'_>, pair: &QueuePair, route: Route, loads: &mut [f64]) {
    let (fabric, bytes) = (setup.fabric, wire_bytes(setup, pair));
    let (src, dst) = (NodeId(pair.ends.src), NodeId(pair.ends.dst));
    let mut over = |path: u32, bytes: f64| {
        for link in fabric.path(src, dst, path) {
            loads[link.index()] += bytes;
        }
    };
    let count = fabric.path_count(src, dst);
    match route {
        Route::Pinned(path) if path < count => over(path, bytes),
        Route::Weighted => {
            let weights = path_weights(fabric, src, dst);
            let all: u64 = weights.iter().sum();
            (0..)
                .zip(weights)
                .for_each(|(path, weight)| over(path, bytes * weight as f64 / all as f64));
        }
        _ => (0..count).for_each(|path| over(path, bytes / f64::from(count))),
    }
}
