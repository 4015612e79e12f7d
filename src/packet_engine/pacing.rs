//! The rates at which all sub-flows of a step end together, when its most loaded link has carried all of its bytes.

use super::queue_pairs::QueuePair;
use super::setup::Setup;
use crate::ids::{IdVec, SubflowId};
use crate::loads::LinkLoads;
use crate::routes::Route;

/// By queue pair, wire bytes per picosecond. Where the network chooses paths, it is taken to spread evenly.
pub(super) fn rates(setup: &Setup<'_>, pairs: &IdVec<SubflowId, QueuePair>) -> IdVec<SubflowId, f64> {
    let mut loads = LinkLoads::new(setup.fabric);
    let mut rates = IdVec::filled(0.0, pairs.len());
    for tasks in setup.schedule.transfers_by_step() {
        loads.clear();
        let members = || tasks.iter().flat_map(|&task| setup.placement.ids(task));
        for qp in members() {
            let pair = &pairs[qp];
            let (src, dst) = (pair.ends.src, pair.ends.dst);
            let paths = setup.fabric.path_count(src.node(), dst.node());
            if paths == 0 {
                continue;
            }
            let route = match setup.placement.subflows()[qp.index()].route {
                Route::Pinned(path) if path.0 >= paths => Route::Even,
                Route::Dynamic => Route::Even,
                route => route,
            };
            loads.add(src, dst, route, wire_bytes(setup, pair));
        }
        loads.finish();
        // A link that is down carries nothing, however long one waits.
        let longest = loads.worst(|id| !setup.fabric.link(id).rate.is_zero());
        for qp in members() {
            rates[qp] = wire_bytes(setup, &pairs[qp]) / longest.map_or(0.0, |worst| worst.time_ps);
        }
    }
    rates
}

fn wire_bytes(setup: &Setup<'_>, pair: &QueuePair) -> f64 {
    (u64::from(pair.packets - 1) * setup.packet.full() + u64::from(pair.last)) as f64
}
