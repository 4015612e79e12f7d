//! Three tiers: pods of top-of-rack and aggregation switches, joined by core switches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blueprint::{Blueprint, Cable, Routing};
use super::kind::Kind;
use super::sizes::{check_count, check_size};
use crate::input::{Files, InputError};

/// A fat-tree fabric. Host `h` hangs on ToR `h / hosts_per_tor`, ToR `t` belongs to pod
/// `t / tors_per_pod` and is linked to every aggregation switch of its pod. The cores come in
/// `aggs_per_pod` groups of equal size: the aggregation switch at position `p` of each pod is linked
/// to all cores of group `p`. Cables are called `tor1-host17`, `tor1-agg0`, `agg0-core3`, further
/// parallel ones `tor1-agg0#1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FatTree {
    /// Number of pods.
    pub pods: u32,
    /// Top-of-rack switches in each pod.
    pub tors_per_pod: u32,
    /// Aggregation switches in each pod.
    pub aggs_per_pod: u32,
    /// Number of core switches, a multiple of `aggs_per_pod`.
    pub cores: u32,
    /// Hosts under each top-of-rack switch.
    pub hosts_per_tor: u32,
    /// Links between hosts and top-of-rack switches.
    pub host_link: Cable,
    /// Links between top-of-rack and aggregation switches.
    pub tor_link: Cable,
    /// Links between aggregation and core switches.
    pub core_link: Cable,
    /// Parallel links of each pair of a top-of-rack and an aggregation switch.
    #[serde(default = "crate::input::one")]
    pub tor_parallel: u32,
    /// Parallel links of each pair of an aggregation and a core switch.
    #[serde(default = "crate::input::one")]
    pub core_parallel: u32,
}

impl Kind for FatTree {
    fn draw(&self, _: &dyn Files) -> Result<Blueprint, InputError> {
        self.blueprint()
    }
}

impl FatTree {
    /// Draws the fabric: nodes are hosts, then ToRs, aggregation switches and cores.
    pub fn blueprint(&self) -> Result<Blueprint, InputError> {
        self.check()?;
        let mut drawing = Blueprint::new(Routing::UpDown);
        let hosts = drawing.add_hosts(self.pods * self.tors_per_pod * self.hosts_per_tor);
        let tors = drawing.add_switches("tor", self.pods * self.tors_per_pod, 1);
        let aggs = drawing.add_switches("agg", self.pods * self.aggs_per_pod, 2);
        let cores = drawing.add_switches("core", self.cores, 3);
        for (h, host) in hosts.iter().enumerate() {
            drawing.connect(tors[h / self.hosts_per_tor as usize], *host, self.host_link);
        }
        let group = (self.cores / self.aggs_per_pod) as usize;
        let pods = tors
            .chunks(self.tors_per_pod as usize)
            .zip(aggs.chunks(self.aggs_per_pod as usize));
        for (tors, aggs) in pods {
            for tor in tors {
                for agg in aggs {
                    drawing.connect_parallel(*tor, *agg, self.tor_link, self.tor_parallel);
                }
            }
            for (agg, cores) in aggs.iter().zip(cores.chunks(group)) {
                for core in cores {
                    drawing.connect_parallel(*agg, *core, self.core_link, self.core_parallel);
                }
            }
        }
        Ok(drawing)
    }

    fn check(&self) -> Result<(), InputError> {
        for (key, count) in [
            ("pods", self.pods),
            ("tors_per_pod", self.tors_per_pod),
            ("aggs_per_pod", self.aggs_per_pod),
            ("cores", self.cores),
            ("hosts_per_tor", self.hosts_per_tor),
            ("tor_parallel", self.tor_parallel),
            ("core_parallel", self.core_parallel),
        ] {
            check_count(key, count)?;
        }
        if !self.cores.is_multiple_of(self.aggs_per_pod) {
            let (cores, aggs) = (self.cores, self.aggs_per_pod);
            let message = format!("{cores} cores cannot be shared evenly by {aggs} aggregation switches per pod");
            let help = match cores / aggs * aggs {
                0 => format!("write a multiple of `aggs_per_pod`, such as {aggs}"),
                below => match below.checked_add(aggs) {
                    Some(above) => format!("write a multiple of `aggs_per_pod`, such as {below} or {above}"),
                    None => format!("write a multiple of `aggs_per_pod`, such as {below}"),
                },
            };
            return Err(InputError::key("cores", message).help(help));
        }
        let tors = [self.pods, self.tors_per_pod];
        check_size("hosts", &[tors[0], tors[1], self.hosts_per_tor])?;
        check_size("ToR links", &[tors[0], tors[1], self.aggs_per_pod, self.tor_parallel])?;
        check_size("core links", &[self.pods, self.cores, self.core_parallel])?;
        self.host_link.check("host_link")?;
        self.tor_link.check("tor_link")?;
        self.core_link.check("core_link")
    }
}
