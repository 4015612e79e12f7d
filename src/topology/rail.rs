//! Rails: the GPUs of the same number in all servers share a leaf.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blueprint::{Blueprint, Cable, Routing};
use super::kind::Kind;
use super::sizes::{check_count, check_size};
use crate::input::{Files, InputError};

/// A rail-optimized fabric. A host is a GPU with a network card of its own: GPU `g` of server `s`
/// is host `s * gpus + g`. It hangs on the switch inside its server and on leaf `g`, its rail.
///
/// With spines, traffic between rails crosses them. Without, GPUs forward: data changes rails
/// inside a server, that of the sender (first path) or that of the receiver (second path). Cables
/// are called `server2-host17`, `rail1-host17`, `rail0-spine3`, further parallel ones `rail0-spine3#1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rail {
    /// Number of servers.
    pub servers: u32,
    /// GPUs, each with a network card, in every server; one leaf for each.
    pub gpus: u32,
    /// Number of spine switches above the rails; 0 for rails that are not joined.
    #[serde(default)]
    pub spines: u32,
    /// Links between network cards and rails.
    pub host_link: Cable,
    /// Links between GPUs and the switch inside their server.
    pub server_link: Cable,
    /// Links between rails and spines, where there are spines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fabric_link: Option<Cable>,
    /// Parallel links of each pair of a rail and a spine.
    #[serde(default = "crate::input::one")]
    pub parallel: u32,
}

impl Kind for Rail {
    fn draw(&self, _: &dyn Files) -> Result<Blueprint, InputError> {
        self.blueprint()
    }

    fn hosts_per_server(&self) -> Option<u32> {
        Some(self.gpus)
    }
}

impl Rail {
    /// Draws the fabric: nodes are hosts, then the servers' switches, rails and spines.
    pub fn blueprint(&self) -> Result<Blueprint, InputError> {
        for (key, count) in [
            ("servers", self.servers),
            ("gpus", self.gpus),
            ("parallel", self.parallel),
        ] {
            check_count(key, count)?;
        }
        check_size("hosts", &[self.servers, self.gpus])?;
        check_size("rail-spine links", &[self.gpus, self.spines, self.parallel])?;
        self.host_link.check("host_link")?;
        self.server_link.check("server_link")?;
        let fabric_link = self.spine_link()?;

        let mut drawing = Blueprint::new(match fabric_link {
            Some(_) => Routing::UpDown,
            None => Routing::ShortestThroughHosts,
        });
        let hosts = drawing.add_hosts(self.servers * self.gpus);
        let servers = drawing.add_switches("server", self.servers, 1);
        let rails = drawing.add_switches("rail", self.gpus, 1);
        let spines = drawing.add_switches("spine", self.spines, 2);
        for (h, host) in hosts.iter().enumerate() {
            let gpus = self.gpus as usize;
            drawing.connect(servers[h / gpus], *host, self.server_link);
            drawing.connect(rails[h % gpus], *host, self.host_link);
        }
        if let Some(cable) = fabric_link {
            for rail in &rails {
                for spine in &spines {
                    drawing.connect_parallel(*rail, *spine, cable, self.parallel);
                }
            }
        }
        Ok(drawing)
    }

    /// The rails' links to the spines; `None` without spines.
    fn spine_link(&self) -> Result<Option<Cable>, InputError> {
        match (self.fabric_link, self.spines) {
            (None, 0) => Ok(None),
            (Some(cable), 1..) => cable.check("fabric_link").map(|()| Some(cable)),
            (None, spines) => {
                let message = format!("the links between the rails and the {spines} spines are not described");
                Err(InputError::key("fabric_link", message)
                    .help("write `fabric_link = { rate = \"400Gbps\" }`, or leave `spines` out"))
            }
            (Some(_), 0) => Err(
                InputError::key("fabric_link", "there are no spines to link the rails to")
                    .help("write `spines`, or leave `fabric_link` out"),
            ),
        }
    }
}
