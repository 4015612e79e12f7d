//! A lower bound of what any algorithm of a collective takes: what each host, all hosts together and each set of nodes must
//! send and receive, at the rates of their links.

use std::collections::BTreeMap;

use super::bounds::whole;
use super::cuts::{SetId, divisions};
use super::framing::Framing;
use crate::ids::{HostId, NodeId};
use crate::routes::EdgeSwitches;
use crate::topology::Fabric;
use crate::units::Time;
use crate::workload::Collective;

/// No algorithm, load balancing and transport brings it about earlier. Latencies are left out.
pub fn collective_bound(fabric: &Fabric, collective: &Collective, framing: Framing) -> Time {
    let least = of_hosts(fabric, collective).max(of_cuts(fabric, collective));
    whole(least * framing.overhead())
}

/// Picoseconds in which bytes pass at a rate in bytes per picosecond; none where there is no way.
fn time(bytes: f64, rate: f64) -> f64 {
    if bytes > 0.0 && rate > 0.0 { bytes / rate } else { 0.0 }
}

/// What every host must send and receive, and all of them together.
fn of_hosts(fabric: &Fabric, collective: &Collective) -> f64 {
    let (mut least, mut all_out, mut all_in) = (0.0_f64, 0.0, 0.0);
    for (rank, &host) in collective.hosts.iter().enumerate() {
        let (mut out, mut into) = (0.0, 0.0);
        for &id in fabric.out_links(NodeId(host)) {
            let link = fabric.link(id);
            out += link.rate.bytes_per_ps();
            into += fabric.link(link.reverse).rate.bytes_per_ps();
        }
        let (leaves, enters) = collective.crossing(1, rank == 0);
        least = least.max(time(leaves, out)).max(time(enters, into));
        all_out += out;
        all_in += into;
    }
    let total = collective.total();
    least.max(time(total, all_out)).max(time(total, all_in))
}

/// What must leave and enter the sets of every division of the fabric.
fn of_cuts(fabric: &Fabric, collective: &Collective) -> f64 {
    let edges = EdgeSwitches::new(fabric);
    let mut least = 0.0_f64;
    for division in divisions(fabric, &edges) {
        let set = |node: NodeId| match node.0 < fabric.hosts() {
            true => division.of(edges.node(edges.of(HostId(node.0)))),
            false => division.of(node),
        };
        // Ranks inside, whether the root is, and what the links out and in carry.
        let mut sets: BTreeMap<SetId, (usize, bool, f64, f64)> = BTreeMap::new();
        for (rank, &host) in collective.hosts.iter().enumerate() {
            let entry = sets.entry(set(NodeId(host))).or_default();
            entry.0 += 1;
            entry.1 |= rank == 0;
        }
        for id in fabric.link_ids() {
            let link = fabric.link(id);
            let (from, to, rate) = (set(link.from), set(link.to), link.rate.bytes_per_ps());
            if from != to {
                if let Some(entry) = sets.get_mut(&from) {
                    entry.2 += rate;
                }
                if let Some(entry) = sets.get_mut(&to) {
                    entry.3 += rate;
                }
            }
        }
        let parts = sets.values().filter(|&&(inside, ..)| inside < collective.hosts.len());
        for &(inside, root, out, into) in parts {
            let (leaves, enters) = collective.crossing(inside, root);
            least = least.max(time(leaves, out)).max(time(enters, into));
        }
    }
    least
}
