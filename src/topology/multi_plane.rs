//! Planes: one fabric several times over, with a port of every host in each.

use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blueprint::{Blueprint, Cable, Node, NodeKind};
use super::kind::{Kind, Plane};
use super::sizes::{check_count, check_size};
use crate::input::{Files, InputError};
use crate::units::Rate;

/// A fabric of several planes. Every plane is a copy of one topology, and every host has the ports of that topology in
/// each of them. Switches are called `plane3.leaf0`, cables `plane3.leaf0-host17`. No link joins two planes: the paths of a
/// pair of hosts are those of all planes, and which plane bytes take is the load balancing's choice.
///
/// ```toml
/// [multi-plane]
/// planes = 8
/// [multi-plane.plane.leaf-spine]
/// leaves = 4
/// spines = 4
/// hosts_per_leaf = 4
/// host_link = { rate = "100Gbps" }
/// fabric_link = { rate = "100Gbps" }
/// ```
///
/// Switches inside servers (those of a `rail` fabric, or of `gpus` and `server_link`) are there once, not in every plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MultiPlane")]
pub struct MultiPlane<P> {
    /// Number of planes.
    pub planes: u32,
    /// What one plane is: a topology of any other kind, in a table named after it.
    pub plane: Box<P>,
    /// Rates of a host's ports by plane, where they differ; without it, as in the plane's topology.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_rates: Option<Vec<Rate>>,
    /// Hosts (GPUs) of each server, numbered one after the other, where servers join them by a switch of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus: Option<u32>,
    /// Links between GPUs and the switch inside their server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_link: Option<Cable>,
}

/// More planes than any network card has ports.
const MOST_PLANES: u32 = 256;

impl<P: Plane> Kind for MultiPlane<P> {
    fn draw(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        self.blueprint(files)
    }
}

impl<P: Plane> MultiPlane<P> {
    /// Draws the fabric: nodes are hosts, then the servers' switches, then the switches of one plane after the other.
    ///
    /// # Errors
    /// Options that make no fabric, by their keys.
    pub fn blueprint(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        check_count("planes", self.planes)?;
        if self.planes > MOST_PLANES {
            let message = format!("a host cannot have ports in {} planes", self.planes);
            return Err(InputError::key("planes", message).help(format!("`planes` is from 1 to {MOST_PLANES}")));
        }
        self.check_rates()?;
        if self.plane.has_planes() {
            let error = InputError::key(
                "plane.multi-plane",
                "the planes of a fabric have no planes of their own",
            );
            return Err(error.help("write the number of all planes as `planes`"));
        }
        let key = format!("plane.{}", self.plane.name());
        let plane = self.plane.draw(files).map_err(|error| error.under(&key))?;
        if plane.detours.is_some() {
            let error = InputError::key(format!("{key}.paths"), "planes have minimal paths only");
            return Err(error.help("leave `paths` out"));
        }
        let cables = plane.graph.edge_count() as u32 / 2;
        check_size("cables", &[cables, self.planes])?;
        let mut drawing = Blueprint::new(plane.routing);
        let shared = self.add_shared(&plane, &mut drawing)?;
        for p in 0..self.planes {
            self.add_plane(p, &plane, &shared, &mut drawing);
        }
        Ok(drawing)
    }

    fn check_rates(&self) -> Result<(), InputError> {
        let Some(rates) = &self.port_rates else { return Ok(()) };
        if rates.len() != self.planes as usize {
            let message = format!("there are {} rates for {} planes", rates.len(), self.planes);
            return Err(InputError::key("port_rates", message).help("write one rate for each plane"));
        }
        match rates.iter().position(|rate| rate.is_zero()) {
            Some(p) => Err(InputError::key(format!("port_rates.{p}"), "the rate is zero")
                .help("a port that is down is written under [[faults]]")),
            None => Ok(()),
        }
    }

    /// Adds what the planes share, hosts and servers. Says by node of the plane where it is drawn, if it is shared.
    fn add_shared(&self, plane: &Blueprint, drawing: &mut Blueprint) -> Result<Vec<Option<NodeIndex>>, InputError> {
        let nodes = plane.graph.node_weights();
        let shared: Vec<_> = nodes
            .map(|node| (node.kind == NodeKind::Host || node.in_server).then(|| drawing.add(node.clone())))
            .collect();
        for edge in plane.graph.edge_references().step_by(2) {
            let ends = (shared[edge.source().index()], shared[edge.target().index()]);
            if let (Some(a), Some(b)) = ends {
                drawing.connect_by(a, b, edge.weight().clone());
            }
        }
        let hosts = shared
            .iter()
            .flatten()
            .filter(|&&n| drawing.graph[n].kind == NodeKind::Host);
        let hosts: Vec<NodeIndex> = hosts.copied().collect();
        let has_servers = hosts.len() < shared.iter().flatten().count();
        let (gpus, cable) = match (self.gpus, self.server_link) {
            (None, None) => return Ok(shared),
            (Some(gpus), Some(cable)) => (gpus, cable),
            (Some(_), None) => {
                return Err(
                    InputError::key("server_link", "the links inside the servers are not described")
                        .help("write `server_link = { rate = \"3600Gbps\" }`, or leave `gpus` out"),
                );
            }
            (None, Some(_)) => {
                return Err(InputError::key("server_link", "there are no servers")
                    .help("write `gpus`, the GPUs of each server, or leave `server_link` out"));
            }
        };
        check_count("gpus", gpus)?;
        cable.check("server_link")?;
        if has_servers {
            let message = format!("`{}` has servers already", self.plane.name());
            return Err(InputError::key("gpus", message).help("leave `gpus` and `server_link` out"));
        }
        if !hosts.len().is_multiple_of(gpus as usize) {
            let message = format!("{} hosts do not fill servers of {gpus}", hosts.len());
            return Err(InputError::key("gpus", message).help("`gpus` must divide the number of hosts"));
        }
        let servers = drawing.add_servers((hosts.len() / gpus as usize) as u32);
        for (h, host) in hosts.iter().enumerate() {
            drawing.connect(servers[h / gpus as usize], *host, cable);
        }
        Ok(shared)
    }

    /// Adds the switches of plane `p`, and the cables that end at one of them.
    fn add_plane(&self, p: u32, plane: &Blueprint, shared: &[Option<NodeIndex>], drawing: &mut Blueprint) {
        let drawn: Vec<NodeIndex> = shared
            .iter()
            .zip(plane.graph.node_weights())
            .map(|(shared, node)| {
                shared.unwrap_or_else(|| {
                    drawing.add(Node {
                        name: format!("plane{p}.{}", node.name),
                        ..node.clone()
                    })
                })
            })
            .collect();
        let own_rate = self.port_rates.as_ref().map(|rates| rates[p as usize]);
        for edge in plane.graph.edge_references().step_by(2) {
            let ends = [edge.source().index(), edge.target().index()];
            if ends.iter().all(|&end| shared[end].is_some()) {
                continue;
            }
            let names = ends.map(|end| &plane.graph.raw_nodes()[end].weight.name);
            let [a, b] = ends.map(|end| drawn[end]);
            let mut spec = edge.weight().clone();
            spec.cable = match spec.cable.strip_prefix(&format!("{}-{}", names[0], names[1])) {
                Some(parallel) => format!("{}-{}{parallel}", drawing.graph[a].name, drawing.graph[b].name),
                None => format!("plane{p}.{}", spec.cable),
            };
            let is_port = ends
                .iter()
                .any(|&end| plane.graph.raw_nodes()[end].weight.kind == NodeKind::Host);
            spec.rate = own_rate.filter(|_| is_port).unwrap_or(spec.rate);
            drawing.connect_by(a, b, spec);
        }
    }
}
