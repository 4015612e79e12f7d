//! What a placement assigns to the links.

use super::Placement;
use crate::loads::LinkLoads;
use crate::topology::Fabric;
use crate::workload::{Schedule, Transfer};

impl Placement {
    /// Payload bytes that the placement assigns to each directed link, by link id, over the whole
    /// schedule; `None` where some sub-flow is routed dynamically, so that nothing is assigned.
    pub fn link_loads(&self, fabric: &Fabric, schedule: &Schedule) -> Option<Vec<f64>> {
        let mut loads = LinkLoads::new(fabric);
        for transfer in schedule.transfers() {
            self.load(&mut loads, transfer, &|bytes| bytes as f64)?;
        }
        loads.finish();
        Some(loads.into_bytes())
    }

    /// Adds all sub-flows of a transfer to loads, each counted as `size` of its bytes. `None` for a dynamic route.
    pub(crate) fn load(&self, loads: &mut LinkLoads<'_>, transfer: Transfer, size: &dyn Fn(u64) -> f64) -> Option<()> {
        let mut subflows = self.of(transfer.task).iter();
        subflows.try_for_each(|subflow| loads.add(transfer.src, transfer.dst, subflow.route, size(subflow.bytes)))
    }
}
