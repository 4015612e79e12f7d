//! Rails: the GPUs of the same number in all servers, or in those of a unit, share a leaf.

use petgraph::graph::NodeIndex;
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
///
/// Large fabrics are made of units: some servers with a leaf for every rail, called `unit2.rail1`. Spines join the leaves of all
/// units and rails, or those of one rail, called `rail1.spine3`, and then cores join the spines.
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
    /// Servers of a scalable unit, which has leaves of its own; without it, all servers are one unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub servers_per_unit: Option<u32>,
    /// What spines join: the leaves of all rails (default), or each rail's own leaves, by `spines` switches for each rail.
    #[serde(default)]
    pub spines_join: SpinesJoin,
    /// Number of core switches above all spines.
    #[serde(default)]
    pub cores: u32,
    /// Links between spines and cores, where there are cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub core_link: Option<Cable>,
}

/// Which leaves a spine of a rail fabric joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SpinesJoin {
    /// Those of all rails and units.
    #[default]
    All,
    /// Those of one rail in all units.
    Rail,
}

impl Kind for Rail {
    fn draw(&self, _: &dyn Files) -> Result<Blueprint, InputError> {
        self.blueprint()
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
        if let Some(per_unit) = self.servers_per_unit {
            check_count("servers_per_unit", per_unit)?;
        }
        let per_unit = self.servers_per_unit.unwrap_or(self.servers).min(self.servers);
        let units = self.servers.div_ceil(per_unit);
        check_size("hosts", &[self.servers, self.gpus])?;
        check_size("rail-spine links", &[units, self.gpus, self.spines, self.parallel])?;
        check_size("spine-core links", &[self.all_spines(), self.cores])?;
        self.host_link.check("host_link")?;
        self.server_link.check("server_link")?;
        let fabric_link = self.spine_link()?;
        let core_link = self.core_link()?;

        let joined = match self.spines_join {
            SpinesJoin::All => self.spines > 0,
            SpinesJoin::Rail => self.cores > 0,
        };
        let mut drawing = Blueprint::new(match joined {
            true => Routing::UpDown,
            false => Routing::ShortestThroughHosts,
        });
        let hosts = drawing.add_hosts(self.servers * self.gpus);
        let servers = drawing.add_servers(self.servers);
        let rails = self.add_rails(&mut drawing, units);
        let gpus = self.gpus as usize;
        for (h, host) in hosts.iter().enumerate() {
            let unit = h / gpus / per_unit as usize;
            drawing.connect(servers[h / gpus], *host, self.server_link);
            drawing.connect(rails[unit * gpus + h % gpus], *host, self.host_link);
        }
        if let Some(cable) = fabric_link {
            self.add_spines(&mut drawing, &rails, cable, core_link);
        }
        Ok(drawing)
    }

    fn all_spines(&self) -> u32 {
        match self.spines_join {
            SpinesJoin::All => self.spines,
            SpinesJoin::Rail => self.spines.saturating_mul(self.gpus),
        }
    }

    /// The leaves, unit by unit.
    fn add_rails(&self, drawing: &mut Blueprint, units: u32) -> Vec<NodeIndex> {
        if self.servers_per_unit.is_none() {
            return drawing.add_switches("rail", self.gpus, 1);
        }
        let of_unit = (0..units).map(|unit| drawing.add_switches(&format!("unit{unit}.rail"), self.gpus, 1));
        of_unit.collect::<Vec<_>>().concat()
    }

    fn add_spines(&self, drawing: &mut Blueprint, rails: &[NodeIndex], cable: Cable, core: Option<Cable>) {
        let mut all = Vec::new();
        match self.spines_join {
            SpinesJoin::All => {
                all = drawing.add_switches("spine", self.spines, 2);
                for rail in rails {
                    for spine in &all {
                        drawing.connect_parallel(*rail, *spine, cable, self.parallel);
                    }
                }
            }
            SpinesJoin::Rail => {
                for rail in 0..self.gpus as usize {
                    let spines = drawing.add_switches(&format!("rail{rail}.spine"), self.spines, 2);
                    for leaf in rails.iter().skip(rail).step_by(self.gpus as usize) {
                        for spine in &spines {
                            drawing.connect_parallel(*leaf, *spine, cable, self.parallel);
                        }
                    }
                    all.extend(spines);
                }
            }
        }
        let Some(core_link) = core else { return };
        for core in drawing.add_switches("core", self.cores, 3) {
            for spine in &all {
                drawing.connect(*spine, core, core_link);
            }
        }
    }

    /// The spines' links to the cores; `None` without cores.
    fn core_link(&self) -> Result<Option<Cable>, InputError> {
        match (self.core_link, self.cores) {
            (None, 0) => Ok(None),
            (Some(_) | None, 1..) if self.spines == 0 => {
                Err(InputError::key("cores", "there are no spines to link the cores to").help("write `spines`"))
            }
            (Some(cable), 1..) => cable.check("core_link").map(|()| Some(cable)),
            (None, cores) => {
                let message = format!("the links between the spines and the {cores} cores are not described");
                Err(InputError::key("core_link", message)
                    .help("write `core_link = { rate = \"400Gbps\" }`, or leave `cores` out"))
            }
            (Some(_), 0) => Err(InputError::key("core_link", "there are no cores to link the spines to")
                .help("write `cores`, or leave `core_link` out")),
        }
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
