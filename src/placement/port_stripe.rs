//! Every flow over all ports of its host, a queue pair for each.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hash::Hash;
use super::scheme::{Problem, Scheme};
use super::subflows::{Placement, Subflow};
use crate::ids::PathIndex;
use crate::input::InputError;
use crate::routes::Route;
use crate::workload::Transfer;

/// How bytes divide over ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stripe {
    /// As many on every port: a host of a 400G and a 100G port sends 200G, as its slow port is done last.
    #[default]
    Equal,
    /// In proportion to what the ports at both ends carry.
    Weighted,
}

/// Options of `port-stripe`. A flow is one queue pair per port of its host that leads to the destination; behind the port, switches
/// hash it onto a path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PortStripe {
    /// How bytes divide over ports. Default `equal`.
    pub mode: Stripe,
    /// What keeps its paths: every connection (default), or every transfer for itself.
    pub hash: Hash,
}

impl Scheme for PortStripe {
    fn hashes(&self) -> Option<Hash> {
        Some(self.hash)
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let fabric = problem.fabric;
        let split = |Transfer { task, src, dst, bytes }: Transfer, subflows: &mut Vec<Subflow>| {
            let (src, dst) = (src.node(), dst.node());
            let ports = fabric.next_hops(src, dst).len();
            let first = self.hash.queue_pair(problem.schedule, task);
            let stripes: Vec<(PathIndex, u64)> = (0..ports)
                .map(|port| {
                    let label = u64::from(first.0) << 32 | port as u64;
                    let path = problem.hashed_path_by_port(label, src, dst, port);
                    let weight = match self.mode {
                        Stripe::Equal => 1,
                        Stripe::Weighted => {
                            let links = fabric.path(src, dst, path);
                            let rate = |link: Option<&_>| link.map_or(0, |&id| fabric.link(id).rate.0);
                            rate(links.first()).min(rate(links.last())).max(1)
                        }
                    };
                    (path, weight)
                })
                .collect();
            let whole: u128 = stripes.iter().map(|&(_, weight)| u128::from(weight)).sum();
            let (mut upto, mut given) = (0_u128, 0_u64);
            for (path, weight) in stripes {
                upto += u128::from(weight);
                let end = (u128::from(bytes) * upto / whole) as u64;
                let bytes = end - std::mem::replace(&mut given, end);
                if bytes > 0 {
                    let route = Route::Pinned(path);
                    subflows.push(Subflow { route, bytes });
                }
            }
        };
        Ok(Placement::split(problem.schedule, split))
    }
}
