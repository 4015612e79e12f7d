//! A fabric as an InfraGraph file: one box with a single component for every node, one edge for every cable.

use std::collections::{BTreeMap, HashMap};

use super::model::{
    Bandwidth, Component, Device, Edge, Endpoint, Infrastructure, Instance, Latency, Link, OURS, Physical,
};
use crate::topology::blueprint::{Blueprint, LinkSpec, Node, NodeKind, Routing};
use crate::topology::loss::Loss;

impl Blueprint {
    /// The drawing as the JSON text of an InfraGraph file. What the format has no word for (tiers, limits of queues, names of
    /// cables) stands in descriptions, from which we read it again.
    pub fn to_infragraph(&self, name: &str) -> String {
        let (instances, places) = self.instances();
        let mut links: BTreeMap<String, Link> = BTreeMap::new();
        let mut of_pair: HashMap<(usize, usize), u32> = HashMap::new();
        let cables = self.graph.raw_edges().iter().step_by(2);
        let edges = cables.map(|edge| {
            let ends = [edge.source().index(), edge.target().index()];
            let earlier = of_pair.entry((ends[0].min(ends[1]), ends[0].max(ends[1]))).or_default();
            let [a, b] = ends.map(|end| &self.graph.raw_nodes()[end].weight.name);
            let usual = match *earlier {
                0 => format!("{a}-{b}"),
                k => format!("{a}-{b}#{k}"),
            };
            *earlier += 1;
            let link = link(&edge.weight, &usual);
            let [ep1, ep2] = ends.map(|end| Endpoint {
                instance: Some(format!("{}[{}]", instances[places[end].0].name, places[end].1)),
                device: None,
                component: component(self.graph.raw_nodes()[end].weight.kind).to_owned(),
            });
            let name = link.name.clone();
            links.entry(name.clone()).or_insert(link);
            Edge {
                ep1,
                ep2,
                scheme: "one2one".to_owned(),
                link: name,
            }
        });
        let edges = edges.collect();
        let routing = match self.routing {
            Routing::UpDown => "up-down",
            Routing::Shortest => "shortest",
            Routing::ShortestThroughHosts => "through-hosts",
        };
        let file = Infrastructure {
            name: plain(name),
            description: Some(format!("{OURS} routing={routing}")),
            devices: [NodeKind::Host, NodeKind::Switch].map(device).to_vec(),
            links: links.into_values().collect(),
            instances,
            edges,
        };
        serde_json::to_string_pretty(&file).expect("plain data can be written") + "\n"
    }

    /// Runs of nodes of one kind with numbers in a row, and the run and the place in it of every node.
    fn instances(&self) -> (Vec<Instance>, Vec<(usize, u32)>) {
        let mut instances: Vec<Instance> = Vec::new();
        let mut places = Vec::new();
        let mut last: Option<(Node, u64)> = None;
        for node in self.graph.node_weights() {
            let (prefix, number) = numbered(&node.name);
            let goes_on = last.as_ref().is_some_and(|(before, at)| {
                let same = (before.kind, before.tier, before.latency, before.in_server)
                    == (node.kind, node.tier, node.latency, node.in_server);
                same && before.name == prefix && number == Some(at + 1)
            });
            if !goes_on {
                instances.push(instance(node, prefix, number, instances.len()));
            }
            let place = instances.len() - 1;
            places.push((place, instances[place].count));
            instances[place].count += 1;
            let name = prefix.to_owned();
            last = number.map(|number| (Node { name, ..node.clone() }, number));
        }
        (instances, places)
    }
}

fn instance(node: &Node, prefix: &str, number: Option<u64>, position: usize) -> Instance {
    let mut words = vec![match number {
        Some(first) => format!("name={prefix} first={first}"),
        None => format!("node={}", node.name),
    }];
    if node.kind == NodeKind::Switch {
        words.push(format!("tier={}", node.tier));
    }
    if !node.latency.is_zero() {
        words.push(format!("latency={}", node.latency.0));
    }
    if node.in_server {
        words.push("server=yes".to_owned());
    }
    Instance {
        name: format!("{}-{position}", plain(prefix)),
        description: Some(format!("{OURS} {}", words.join(" "))),
        device: kind(node.kind).to_owned(),
        count: 0,
    }
}

/// A name without the number at its end, and that number, if it is written as numbers are.
fn numbered(name: &str) -> (&str, Option<u64>) {
    let prefix = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &name[prefix.len()..];
    let number = digits.parse().ok().filter(|number: &u64| number.to_string() == digits);
    match number {
        Some(number) => (prefix, Some(number)),
        None => (name, None),
    }
}

/// Letters, digits and dashes: other characters have meanings in InfraGraph.
fn plain(name: &str) -> String {
    let fine = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    name.chars().map(fine).collect()
}

fn kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Host => "host",
        NodeKind::Switch => "switch",
    }
}

fn component(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Host => "xpu",
        NodeKind::Switch => "asic",
    }
}

fn device(of: NodeKind) -> Device {
    let choice = match of {
        NodeKind::Host => "xpu",
        NodeKind::Switch => "switch",
    };
    Device {
        name: kind(of).to_owned(),
        components: vec![Component {
            name: component(of).to_owned(),
            count: 1,
            choice: choice.to_owned(),
        }],
        links: Vec::new(),
        edges: Vec::new(),
    }
}

fn link(spec: &LinkSpec, usual: &str) -> Link {
    let mut words = Vec::new();
    if spec.cable != usual {
        words.push(format!("cable={}", spec.cable));
    }
    if spec.cost != 1 {
        words.push(format!("cost={}", spec.cost));
    }
    if let Some(queue) = spec.queue {
        words.push(format!("queue={}", queue.0));
    }
    if spec.loss != Loss::NONE {
        words.push(format!("loss={}", spec.loss.share()));
    }
    let (gigabits, ns) = (spec.rate.0 as f64 / 1e9, spec.delay.0 as f64 / 1e3);
    let mut name = format!("{gigabits}Gbps {ns}ns");
    if !words.is_empty() {
        name += &format!(" {}", words.join(" "));
    }
    Link {
        name: plain(&name),
        description: (!words.is_empty()).then(|| format!("{OURS} {}", words.join(" "))),
        physical: Some(Physical {
            bandwidth: Some(Bandwidth {
                choice: "gigabits_per_second".to_owned(),
                gigabits_per_second: Some(gigabits),
                ..Bandwidth::default()
            }),
            latency: Some(Latency {
                choice: "ns".to_owned(),
                ns: Some(ns),
                ..Latency::default()
            }),
        }),
    }
}
