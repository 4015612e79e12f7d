//! Any fabric: its nodes and links one by one.

use std::collections::{BTreeSet, HashMap};

use petgraph::graph::NodeIndex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blueprint::{Blueprint, Cable, Node, NodeKind, Routing};
use super::groups::{Extent, GroupPaths, crossing_cost};
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
    /// Which paths there are between two groups, where every switch has a `group`. As in a dragonfly, a detour takes at most one link
    /// inside its source's group, a link into a third group, and goes on by a minimal path.
    #[serde(default, skip_serializing_if = "GroupPaths::are_minimal")]
    pub paths: GroupPaths,
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
    /// Group of a switch: paths cross from group to group as seldom as they can, and `paths` may lead through third groups. Either
    /// every switch has one or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
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
        self.keep_to_groups(&mut drawing)?;
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

    /// Makes links between groups so long that paths take as few of them as they can, and adds the detours.
    fn keep_to_groups(&self, drawing: &mut Blueprint) -> Result<(), InputError> {
        let Some(groups) = self.groups(drawing)? else {
            return match self.paths {
                GroupPaths::Minimal => Ok(()),
                _ => Err(
                    InputError::key("paths", "the switches have no groups to detour through")
                        .help("give every switch a `group`, such as `group = 0`"),
                ),
            };
        };
        let name = |node: NodeIndex| &drawing.graph[node].name;
        let extent = Extent::measure(drawing, &groups).map_err(|[from, to]| {
            let message = format!(
                "no way inside their group leads from `{}` to `{}`",
                name(from),
                name(to)
            );
            self.error_at(name(to), "group", message)
                .help("link the switches of a group to each other, or give them groups of their own")
        })?;
        let Ok(crossing) = u8::try_from(crossing_cost(extent.crossings, extent.inside)) else {
            let message = format!(
                "paths with {} links between groups and {} inside each are too long",
                extent.crossings, extent.inside
            );
            return Err(InputError::key("nodes", message).help(
                "`group` is for at most 254 links: one more crossing than there are, times those inside a group",
            ));
        };
        for edge in drawing.graph.edge_indices() {
            let ends = drawing.graph.edge_endpoints(edge);
            let of_ends = ends.map(|(a, b)| [a, b].map(|end| groups[end.index()]));
            if of_ends.is_some_and(|[a, b]| a.is_some() && b.is_some() && a != b) {
                drawing.graph[edge].cost = crossing;
            }
        }
        drawing.detours = self.paths.detours(groups, crossing);
        Ok(())
    }

    /// The group of each node of the drawing, none for hosts; nothing where no switch has one.
    fn groups(&self, drawing: &Blueprint) -> Result<Option<Vec<Option<u32>>>, InputError> {
        let of_name: HashMap<&str, Option<u32>> = self.nodes.iter().map(|n| (n.name.as_str(), n.group)).collect();
        if of_name.values().all(Option::is_none) {
            return Ok(None);
        }
        if self.routing != GraphRouting::Shortest {
            return Err(InputError::key(
                "routing",
                "groups are for shortest paths on which only switches forward",
            )
            .help("leave `routing` out, or leave out the `group`s"));
        }
        let graph = &drawing.graph;
        for node in graph.node_weights() {
            match (node.kind, of_name[node.name.as_str()]) {
                (NodeKind::Host, Some(_)) => {
                    let message = format!("the host `{}` has a group", node.name);
                    return Err(self
                        .error_at(&node.name, "group", message)
                        .help("only switches have one; a host is in its switch's"));
                }
                (NodeKind::Switch, None) => {
                    let message = format!("the switch `{}` has no group", node.name);
                    return Err(self
                        .error_at(&node.name, "name", message)
                        .help("give every switch a `group`, or none"));
                }
                _ => {}
            }
        }
        let on_one_switch = |host: NodeIndex| {
            let mut ends = graph.neighbors(host);
            ends.next().is_some_and(|end| graph[end].kind == NodeKind::Switch) && ends.next().is_none()
        };
        let mut hosts = graph.node_indices().filter(|i| graph[*i].kind == NodeKind::Host);
        if let Some(host) = hosts.find(|host| !on_one_switch(*host)) {
            let name = &graph[host].name;
            let message =
                format!("the host `{name}` is not on one switch alone, as hosts are where switches have groups");
            return Err(self
                .error_at(name, "name", message)
                .help("leave it one link, to a switch, or leave out the `group`s"));
        }
        let of_node = graph.node_weights().map(|node| of_name[node.name.as_str()]);
        Ok(Some(of_node.collect()))
    }

    /// An error about a node of the file.
    fn error_at(&self, name: &str, key: &str, message: String) -> InputError {
        let position = self.nodes.iter().position(|n| n.name == *name).unwrap_or(0);
        InputError::key(format!("nodes.{position}.{key}"), message)
    }

    fn check_connected(&self, drawing: &Blueprint) -> Result<(), InputError> {
        let graph = &drawing.graph;
        let lonely = |i: &NodeIndex| graph[*i].kind == NodeKind::Host && graph.neighbors(*i).next().is_none();
        let Some(host) = graph.node_indices().find(lonely) else {
            return Ok(());
        };
        let name = &graph[host].name;
        let message = format!("the host `{name}` has no link");
        Err(self.error_at(name, "name", message).help("add one to `links`"))
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
