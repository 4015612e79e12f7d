//! A fabric as a builder draws it.

use petgraph::graph::{DiGraph, NodeIndex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::loss::Loss;
use crate::input::InputError;
use crate::units::{Bytes, Rate, Time};

/// A fabric as a directed graph: every cable is two links.
pub type Graph = DiGraph<Node, LinkSpec>;

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// Sends and receives; one rank can live on it.
    Host,
    /// Forwards.
    Switch,
}

/// A host or a switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Unique, such as `host17`, `leaf3`, `spine0`.
    pub name: String,
    /// Host or switch.
    pub kind: NodeKind,
    /// 0 for hosts, 1 for the switches above them, and so on.
    pub tier: u8,
    /// Time a packet spends inside before it is queued at an output.
    pub latency: Time,
    /// A switch inside a server, which joins its GPUs: hosts prefer it to their network cards.
    pub in_server: bool,
}

impl Node {
    /// A host.
    pub fn host(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind: NodeKind::Host,
            tier: 0,
            latency: Time::ZERO,
            in_server: false,
        }
    }

    /// A switch without latency of its own.
    pub fn switch(name: impl Into<String>, tier: u8) -> Self {
        Self {
            name: name.into(),
            kind: NodeKind::Switch,
            tier,
            latency: Time::ZERO,
            in_server: false,
        }
    }
}

/// One direction of a cable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkSpec {
    /// Name of the cable, the same in both directions, such as `leaf0-spine3`.
    pub cable: String,
    /// Rate of this direction.
    pub rate: Rate,
    /// Propagation delay.
    pub delay: Time,
    /// Limit of the output queue in front of the link, where the topology sets one.
    pub queue: Option<Bytes>,
    /// Share of packets that it loses.
    pub loss: Loss,
    /// What it adds to the length of a path; 1 unless it is to be avoided. Up-down routing counts links.
    pub cost: u8,
}

/// Rate and propagation delay of a kind of cable, as written in an experiment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cable {
    /// Rate of each direction.
    pub rate: Rate,
    /// Propagation delay of each direction.
    #[serde(default = "Cable::default_delay")]
    pub delay: Time,
}

impl Cable {
    /// A cable of this rate and propagation delay in each direction.
    pub const fn new(rate: Rate, delay: Time) -> Self {
        Self { rate, delay }
    }

    pub(super) fn default_delay() -> Time {
        Time::from_ns(500)
    }

    /// Refuses a rate at which nothing would ever arrive.
    pub fn check(&self, key: &str) -> Result<(), InputError> {
        if self.rate.is_zero() {
            let error = InputError::key(format!("{key}.rate"), "the rate is zero");
            return Err(error.help("a link that is down is written under [[faults]]"));
        }
        Ok(())
    }
}

/// How packets find their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routing {
    /// Up to a common ancestor, then down, by the nodes' tiers: what Clos fabrics do. A detour that
    /// goes down and up again is no path, as it could deadlock under flow control.
    UpDown,
    /// Fewest hops, whatever the tiers; only switches forward.
    Shortest,
    /// Fewest hops, and hosts with several ports forward as well.
    ShortestThroughHosts,
}

/// Paths that are not the shortest: through a group of switches that is on the way of none (Valiant). A packet between two groups
/// goes by at most one link inside its source's group, then by a link into any other group, and from there the shortest way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detours {
    /// The group of every node; `None` for hosts.
    pub groups: Vec<Option<u32>>,
    /// What a link between groups adds to the length of a path, more than all links inside groups on any shortest path together. No
    /// detour leads into a group from which more links between groups are left than from its source's: it could lead back.
    pub crossing: u32,
    /// Whether packets may go straight into the group of their destination, too.
    pub straight: bool,
}

/// A graph and the rule by which packets cross it.
#[derive(Debug, Clone)]
pub struct Blueprint {
    /// Nodes and directed links.
    pub graph: Graph,
    /// How packets find their way.
    pub routing: Routing,
    /// Further ways, under [`Routing::Shortest`]; hosts then have one cable each.
    pub detours: Option<Detours>,
}

impl Blueprint {
    /// An empty drawing.
    pub fn new(routing: Routing) -> Self {
        Self {
            graph: Graph::new(),
            routing,
            detours: None,
        }
    }

    /// Adds a host or a switch. All hosts must be added before the first switch.
    pub fn add(&mut self, node: Node) -> NodeIndex {
        self.graph.add_node(node)
    }

    /// Adds `host0`, `host1`, ...
    pub fn add_hosts(&mut self, count: u32) -> Vec<NodeIndex> {
        (0..count).map(|h| self.add(Node::host(format!("host{h}")))).collect()
    }

    /// Adds switches of one tier, called `kind` with their number: `leaf0`, `leaf1`, ...
    pub fn add_switches(&mut self, kind: &str, count: u32, tier: u8) -> Vec<NodeIndex> {
        (0..count)
            .map(|s| self.add(Node::switch(format!("{kind}{s}"), tier)))
            .collect()
    }

    /// Adds the switches inside servers: `server0`, `server1`, ...
    pub fn add_servers(&mut self, count: u32) -> Vec<NodeIndex> {
        let servers = self.add_switches("server", count, 1);
        for &server in &servers {
            self.graph[server].in_server = true;
        }
        servers
    }

    /// Links `a` and `b` in both directions by a cable called `a-b`.
    pub fn connect(&mut self, a: NodeIndex, b: NodeIndex, cable: Cable) {
        let name = format!("{}-{}", self.graph[a].name, self.graph[b].name);
        self.connect_as(name, a, b, cable, None);
    }

    /// Links `a` and `b` in both directions by a cable with a name of its own.
    pub fn connect_as(&mut self, name: String, a: NodeIndex, b: NodeIndex, cable: Cable, queue: Option<Bytes>) {
        let spec = LinkSpec {
            cable: name,
            rate: cable.rate,
            delay: cable.delay,
            queue,
            loss: Loss::NONE,
            cost: 1,
        };
        self.connect_by(a, b, spec);
    }

    /// Links `a` and `b` by the same link in both directions.
    pub fn connect_by(&mut self, a: NodeIndex, b: NodeIndex, spec: LinkSpec) {
        self.graph.add_edge(a, b, spec.clone());
        self.graph.add_edge(b, a, spec);
    }

    /// Links `a` and `b` by a cable that makes paths longer by `cost`; several of the same pair are called `a-b`, `a-b#1`, ...
    pub fn connect_at_cost(&mut self, a: NodeIndex, b: NodeIndex, cable: Cable, cost: u8) {
        let name = match self.graph.edges_connecting(a, b).count() {
            0 => format!("{}-{}", self.graph[a].name, self.graph[b].name),
            k => format!("{}-{}#{k}", self.graph[a].name, self.graph[b].name),
        };
        let spec = LinkSpec {
            cable: name,
            rate: cable.rate,
            delay: cable.delay,
            queue: None,
            loss: Loss::NONE,
            cost,
        };
        self.connect_by(a, b, spec);
    }

    /// Links `a` and `b` by `count` cables `a-b`, `a-b#1`, `a-b#2`, ...
    pub fn connect_parallel(&mut self, a: NodeIndex, b: NodeIndex, cable: Cable, count: u32) {
        self.connect(a, b, cable);
        for k in 1..count {
            let name = format!("{}-{}#{k}", self.graph[a].name, self.graph[b].name);
            self.connect_as(name, a, b, cable, None);
        }
    }
}
