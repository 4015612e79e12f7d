//! Any fabric: its nodes and links one by one.

use std::collections::{BTreeSet, HashMap};

use petgraph::graph::NodeIndex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blueprint::{Blueprint, Cable, Node, NodeKind, Routing};
use super::kind::Kind;
use crate::input::{Files, InputError};
use crate::units::{Rate, Time};

/// A fabric given by its nodes and links. Hosts are numbered in the order in which they appear
/// among the nodes.
///
/// ```toml
/// [graph]
/// nodes = [
///     { name = "a", kind = "host" },
///     { name = "b", kind = "host" },
///     { name = "s", kind = "switch" },
/// ]
/// links = [
///     { a = "a", b = "s", rate = "100Gbps", delay = "500ns" },
///     { a = "b", b = "s", rate = "25Gbps", name = "slow" },
/// ]
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphSpec {
    /// Hosts and switches.
    pub nodes: Vec<NodeSpec>,
    /// Cables, each a link in both directions.
    pub links: Vec<CableSpec>,
    /// How packets find their way.
    #[serde(default)]
    pub routing: GraphRouting,
}

/// A host or a switch of a graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// Unique: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// What the node does.
    pub kind: NodeKind,
    /// Tier of a switch, from 1; needed for up-down routing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<u8>,
    /// Time a packet spends inside after it arrived.
    #[serde(default)]
    pub latency: Time,
}

/// A cable of a graph. Without a name of its own it is called `a-b` after its ends, a second one of
/// the same pair `a-b#1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CableSpec {
    /// Name of the node at one end.
    pub a: String,
    /// Name of the node at the other end.
    pub b: String,
    /// Rate of each direction.
    pub rate: Rate,
    /// Propagation delay of each direction.
    #[serde(default = "Cable::default_delay")]
    pub delay: Time,
    /// A name of its own: letters, digits, `-`, `_` and `.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// How packets find their way through a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GraphRouting {
    /// Fewest hops; only switches forward.
    #[default]
    Shortest,
    /// Up to a common ancestor, then down, by the tiers of the switches: what Clos fabrics do.
    UpDown,
    /// Fewest hops; hosts with several links forward as well.
    ThroughHosts,
}

impl Kind for GraphSpec {
    fn draw(&self, _: &dyn Files) -> Result<Blueprint, InputError> {
        self.blueprint()
    }
}

impl GraphSpec {
    /// Draws the fabric: nodes are hosts, then switches, each in the order of the file.
    pub fn blueprint(&self) -> Result<Blueprint, InputError> {
        self.check_nodes()?;
        let mut drawing = Blueprint::new(match self.routing {
            GraphRouting::Shortest => Routing::Shortest,
            GraphRouting::UpDown => Routing::UpDown,
            GraphRouting::ThroughHosts => Routing::ShortestThroughHosts,
        });
        let mut nodes = HashMap::new();
        for kind in [NodeKind::Host, NodeKind::Switch] {
            for node in self.nodes.iter().filter(|n| n.kind == kind) {
                let tier = match kind {
                    NodeKind::Host => 0,
                    NodeKind::Switch => node.tier.unwrap_or(1),
                };
                let drawn = drawing.add(Node {
                    name: node.name.clone(),
                    kind,
                    tier,
                    latency: node.latency,
                    in_server: false,
                });
                nodes.insert(node.name.as_str(), drawn);
            }
        }
        self.connect(&mut drawing, &nodes)?;
        self.check_connected(&drawing)?;
        Ok(drawing)
    }

    fn check_nodes(&self) -> Result<(), InputError> {
        let mut names = BTreeSet::new();
        for (i, node) in self.nodes.iter().enumerate() {
            let error = |key: &str, message: String| InputError::key(format!("nodes.{i}.{key}"), message);
            check_name(&node.name).map_err(|message| error("name", message).help(NAMES))?;
            if !names.insert(node.name.as_str()) {
                return Err(error("name", format!("there are two nodes called `{}`", node.name))
                    .help("every node needs a name of its own"));
            }
            match (node.kind, node.tier) {
                (NodeKind::Host, Some(_)) => {
                    return Err(error("tier", format!("the host `{}` has a tier", node.name))
                        .help("only switches have one; hosts lie below tier 1"));
                }
                (NodeKind::Switch, Some(0)) => {
                    return Err(error("tier", format!("the switch `{}` is in tier 0", node.name))
                        .help("tiers of switches begin at 1"));
                }
                (NodeKind::Switch, None) if self.routing == GraphRouting::UpDown => {
                    return Err(error("name", format!("the switch `{}` has no tier", node.name))
                        .help("up-down routing needs the tier of every switch, such as `tier = 1`"));
                }
                _ => {}
            }
        }
        if !self.nodes.iter().any(|n| n.kind == NodeKind::Host) {
            return Err(InputError::key("nodes", "the graph has no host")
                .help("write at least one node with `kind = \"host\"`"));
        }
        Ok(())
    }

    fn connect(&self, drawing: &mut Blueprint, nodes: &HashMap<&str, NodeIndex>) -> Result<(), InputError> {
        let mut of_pair: HashMap<(NodeIndex, NodeIndex), u32> = HashMap::new();
        let mut taken = BTreeSet::new();
        for (i, link) in self.links.iter().enumerate() {
            let error = |key: &str, message: String| InputError::key(format!("links.{i}.{key}"), message);
            let end = |key: &str, name: &str| {
                nodes.get(name).copied().ok_or_else(|| {
                    error(key, format!("there is no node called `{name}`")).help("`a` and `b` name two of `nodes`")
                })
            };
            let (a, b) = (end("a", &link.a)?, end("b", &link.b)?);
            if a == b {
                return Err(error("b", format!("the link joins `{}` to itself", link.a))
                    .help("`a` and `b` must be two different nodes"));
            }
            let cable = Cable {
                rate: link.rate,
                delay: link.delay,
            };
            cable.check(&format!("links.{i}"))?;
            if self.routing == GraphRouting::UpDown && drawing.graph[a].tier == drawing.graph[b].tier {
                return Err(
                    error("b", format!("`{}` and `{}` are in the same tier", link.a, link.b))
                        .help("no up-down path takes such a link; move one of them, or use `routing = \"shortest\"`"),
                );
            }
            let (name, answers) = match &link.name {
                Some(own) => {
                    check_name(own).map_err(|message| error("name", message).help(NAMES))?;
                    (own.clone(), vec![own.clone()])
                }
                None => {
                    let earlier = of_pair.entry((a.min(b), a.max(b))).or_default();
                    let suffix = if *earlier == 0 {
                        String::new()
                    } else {
                        format!("#{earlier}")
                    };
                    *earlier += 1;
                    let joined = |a: &str, b: &str| format!("{a}-{b}{suffix}");
                    let name = joined(&link.a, &link.b);
                    (name.clone(), vec![name, joined(&link.b, &link.a)])
                }
            };
            for name in answers {
                if let Some(twice) = taken.replace(name) {
                    let key = if link.name.is_some() { "name" } else { "a" };
                    return Err(
                        error(key, format!("two links are called `{twice}`")).help("give one of them another `name`")
                    );
                }
            }
            drawing.connect_as(name, a, b, cable, None);
        }
        Ok(())
    }

    fn check_connected(&self, drawing: &Blueprint) -> Result<(), InputError> {
        let graph = &drawing.graph;
        let lonely = |i: &NodeIndex| graph[*i].kind == NodeKind::Host && graph.neighbors(*i).next().is_none();
        let Some(host) = graph.node_indices().find(lonely) else {
            return Ok(());
        };
        let name = &graph[host].name;
        let position = self.nodes.iter().position(|n| n.name == *name).unwrap_or(0);
        let message = format!("the host `{name}` has no link");
        Err(InputError::key(format!("nodes.{position}.name"), message).help("add one to `links`"))
    }
}

const NAMES: &str = "names are made of letters, digits, `-`, `_` and `.`";

fn check_name(name: &str) -> Result<(), String> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(fine) {
        return Err(format!("`{}` cannot be a name", name.escape_debug()));
    }
    Ok(())
}
