//! Two tiers: every leaf is linked to every spine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blueprint::{Blueprint, Cable, Routing};
use super::kind::Kind;
use super::sizes::{check_count, check_size};
use crate::input::{Files, InputError};

/// A leaf-spine fabric. Host `h` hangs on leaf `h / hosts_per_leaf`; cables are called
/// `leaf3-spine1` and `leaf1-host17`, further parallel ones `leaf3-spine1#1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeafSpine {
    /// Number of leaf switches.
    pub leaves: u32,
    /// Number of spine switches.
    pub spines: u32,
    /// Hosts under each leaf.
    pub hosts_per_leaf: u32,
    /// Links between hosts and leaves.
    pub host_link: Cable,
    /// Links between leaves and spines.
    pub fabric_link: Cable,
    /// Parallel links of each leaf-spine pair.
    #[serde(default = "crate::input::one")]
    pub parallel: u32,
}

impl Kind for LeafSpine {
    fn draw(&self, _: &dyn Files) -> Result<Blueprint, InputError> {
        self.blueprint()
    }
}

impl LeafSpine {
    /// One link between each leaf and each spine, all links alike.
    pub const fn uniform(leaves: u32, spines: u32, hosts_per_leaf: u32, link: Cable) -> Self {
        Self {
            leaves,
            spines,
            hosts_per_leaf,
            host_link: link,
            fabric_link: link,
            parallel: 1,
        }
    }

    /// Draws the fabric: nodes are hosts, then leaves, then spines.
    pub fn blueprint(&self) -> Result<Blueprint, InputError> {
        for (key, count) in [
            ("leaves", self.leaves),
            ("spines", self.spines),
            ("hosts_per_leaf", self.hosts_per_leaf),
            ("parallel", self.parallel),
        ] {
            check_count(key, count)?;
        }
        check_size("hosts", &[self.leaves, self.hosts_per_leaf])?;
        check_size("leaf-spine links", &[self.leaves, self.spines, self.parallel])?;
        self.host_link.check("host_link")?;
        self.fabric_link.check("fabric_link")?;

        let mut drawing = Blueprint::new(Routing::UpDown);
        let hosts = drawing.add_hosts(self.leaves * self.hosts_per_leaf);
        let leaves = drawing.add_switches("leaf", self.leaves, 1);
        let spines = drawing.add_switches("spine", self.spines, 2);
        for (h, host) in hosts.iter().enumerate() {
            drawing.connect(leaves[h / self.hosts_per_leaf as usize], *host, self.host_link);
        }
        for leaf in &leaves {
            for spine in &spines {
                drawing.connect_parallel(*leaf, *spine, self.fabric_link, self.parallel);
            }
        }
        Ok(drawing)
    }
}
