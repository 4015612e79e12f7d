//! Ports that a placement leaves idle.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::{LoadBalancing, Placement};
use crate::ids::LinkId;
use crate::routes::Route;
use crate::topology::Fabric;
use crate::workload::{Schedule, Transfer};

/// How many ports a host has, and those in use.
type Ports = (usize, SmallVec<[LinkId; 8]>);

impl LoadBalancing {
    /// A warning where hosts of several ports send by fewer of them in a step than their flows could use: that caps them
    /// below the rate of their ports, whatever the fabric does.
    pub fn idle_ports(&self, fabric: &Fabric, schedule: &Schedule, placement: &Placement) -> Option<String> {
        let has_ports = (0..fabric.hosts())
            .map(crate::ids::NodeId)
            .any(|host| fabric.attachment(host).is_none());
        let pinned = |route| matches!(route, Route::Pinned(_));
        if !has_ports || !placement.subflows().iter().all(|subflow| pinned(subflow.route)) {
            return None;
        }
        // By host and step: how many ports there are, and those in use.
        let mut ports: BTreeMap<(u32, u32), Ports> = BTreeMap::new();
        for Transfer { task, src, dst, .. } in schedule.transfers() {
            let (src, dst) = (src.node(), dst.node());
            if fabric.attachment(src).is_some() {
                continue;
            }
            let (all, used) = ports.entry((src.0, schedule.task(task).step)).or_default();
            *all = (*all).max(fabric.next_hops(src, dst).len());
            for subflow in placement.of(task) {
                let Route::Pinned(path) = subflow.route else { continue };
                if used.len() == *all {
                    break;
                }
                let port = fabric.path(src, dst, path)[0];
                if !used.contains(&port) {
                    used.push(port);
                }
            }
        }
        let capped = ports.values().filter(|(all, used)| used.len() < *all).count();
        (capped > 0).then(|| {
            format!(
                "`{}` leaves ports idle: in {capped} of {} steps of hosts, flows leave by fewer ports than there are",
                self.name(),
                ports.len()
            )
        })
    }
}
