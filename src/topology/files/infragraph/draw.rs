//! A fabric from the nodes and edges of a file.

use std::collections::{BTreeMap, HashMap};

use petgraph::graph::NodeIndex;
use petgraph::unionfind::UnionFind;

use super::expand::{Expanded, Wrong, expand};
use super::model::{Infrastructure, Link, OURS};
use crate::topology::blueprint::{Blueprint, LinkSpec, Node, Routing};
use crate::topology::loss::Loss;
use crate::units::{Bytes, PS_PER_SECOND, Rate, Time};

/// Draws hosts, then switches, each in the order of the file.
pub(super) fn draw(file: &Infrastructure) -> Result<Blueprint, Wrong> {
    let all = expand(file)?;
    let links = links(file)?;
    let link_of = |device: &Option<String>, name: &String| {
        let key = (device.clone().unwrap_or_default(), name.clone());
        links.get(&key).or_else(|| links.get(&(String::new(), name.clone())))
    };
    // Parts that a link without a bandwidth joins are one node.
    let mut joined = UnionFind::new(all.nodes.len());
    let mut cables = Vec::new();
    for (a, b, device, name) in &all.edges {
        match link_of(device, name) {
            None => {
                let message = format!("there is no link `{name}`");
                return Err((message, "an edge's `link` names one of `links`".to_owned()));
            }
            Some(None) => _ = joined.union(*a, *b),
            Some(Some(spec)) => cables.push((*a, *b, spec)),
        }
    }
    let (mut drawing, drawn) = draw_nodes(file, &all, &joined, &cables)?;
    let mut of_pair: HashMap<(NodeIndex, NodeIndex), u32> = HashMap::new();
    for (a, b, spec) in cables {
        let ends = [drawn[joined.find(a)], drawn[joined.find(b)]];
        let [Some(a), Some(b)] = ends else { continue };
        if a == b {
            continue;
        }
        let mut spec = spec.clone();
        let earlier = of_pair.entry((a.min(b), a.max(b))).or_default();
        if spec.cable.is_empty() {
            spec.cable = format!("{}-{}", drawing.graph[a].name, drawing.graph[b].name);
            if *earlier > 0 {
                spec.cable += &format!("#{earlier}");
            }
        }
        *earlier += 1;
        drawing.connect_by(a, b, spec);
    }
    Ok(drawing)
}

type Links = BTreeMap<(String, String), Option<LinkSpec>>;

/// Links by device (none for those between boxes) and name; none for those without a bandwidth.
fn links(file: &Infrastructure) -> Result<Links, Wrong> {
    let of_devices = file
        .devices
        .iter()
        .flat_map(|device| device.links.iter().map(move |link| (device.name.clone(), link)));
    let between = file.links.iter().map(|link| (String::new(), link));
    let mut links = Links::new();
    for (device, link) in of_devices.chain(between) {
        links.insert((device, link.name.clone()), spec(link)?);
    }
    Ok(links)
}

fn spec(link: &Link) -> Result<Option<LinkSpec>, Wrong> {
    let Some(bandwidth) = link.physical.as_ref().and_then(|physical| physical.bandwidth.as_ref()) else {
        return Ok(None);
    };
    let gigabits = match (bandwidth.gigabits_per_second, bandwidth.gigabytes_per_second) {
        (Some(rate), _) => rate,
        (None, Some(rate)) => rate * 8.0,
        (None, None) => {
            let message = format!("the bandwidth of the link `{}` is not in bits or bytes", link.name);
            return Err((
                message,
                "write `gigabits_per_second` or `gigabytes_per_second`".to_owned(),
            ));
        }
    };
    let rate = Rate((gigabits * 1e9).round() as u64);
    if !gigabits.is_finite() || rate.is_zero() {
        let message = format!("the bandwidth of the link `{}` is {gigabits}", link.name);
        return Err((message, "it must be above 0".to_owned()));
    }
    let latency = link.physical.as_ref().and_then(|physical| physical.latency.as_ref());
    let in_ps = latency.map_or(0.0, |latency| {
        latency.ns.map_or(0.0, |ns| ns * 1e3)
            + latency.us.map_or(0.0, |us| us * 1e6)
            + latency.ms.map_or(0.0, |ms| ms * 1e9)
    });
    if !(0.0..=PS_PER_SECOND as f64 * 1e6).contains(&in_ps) {
        let message = format!("the latency of the link `{}` is {in_ps} ps", link.name);
        return Err((message, "it is from 0 to some seconds".to_owned()));
    }
    let mut spec = LinkSpec {
        cable: String::new(),
        rate,
        delay: Time(in_ps.round() as u64),
        queue: None,
        loss: Loss::NONE,
        cost: 1,
    };
    for (key, value) in ours(link.description.as_deref()) {
        match key {
            "cable" => value.clone_into(&mut spec.cable),
            "cost" => spec.cost = value.parse().unwrap_or(1),
            "queue" => spec.queue = value.parse().ok().map(Bytes),
            "loss" => {
                spec.loss = value
                    .parse()
                    .ok()
                    .and_then(|share| Loss::new(share).ok())
                    .unwrap_or(Loss::NONE)
            }
            _ => {}
        }
    }
    Ok(Some(spec))
}

/// Words `key=value` of a description that we wrote.
fn ours(description: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    let words = description.and_then(|text| text.strip_prefix(OURS)).unwrap_or_default();
    words.split_whitespace().filter_map(|word| word.split_once('='))
}

type Cables<'a> = [(usize, usize, &'a LinkSpec)];

/// Draws every node that is a host or on a cable; says by representative part where.
fn draw_nodes(
    file: &Infrastructure,
    all: &Expanded,
    joined: &UnionFind<usize>,
    cables: &Cables<'_>,
) -> Result<(Blueprint, Vec<Option<NodeIndex>>), Wrong> {
    let routing = ours(file.description.as_deref()).find(|word| word.0 == "routing");
    let mut drawing = Blueprint::new(match routing {
        Some((_, "up-down")) => Routing::UpDown,
        Some((_, "through-hosts")) => Routing::ShortestThroughHosts,
        _ => Routing::Shortest,
    });
    let mut xpus: Vec<Option<usize>> = vec![None; all.nodes.len()];
    let mut on_cable = vec![false; all.nodes.len()];
    for &(a, b, _) in cables {
        (on_cable[joined.find(a)], on_cable[joined.find(b)]) = (true, true);
    }
    for (id, (_, _, part)) in all.nodes.iter().enumerate().filter(|(_, node)| node.2.kind == "xpu") {
        if let Some(other) = xpus[joined.find(id)].replace(id) {
            let names = [id, other].map(|id| full_name(file, all, id));
            return Err((
                format!(
                    "`{}` and `{}` are joined by links without a bandwidth",
                    names[1], names[0]
                ),
                format!(
                    "give the link between `{}` and the others of its device a `physical.bandwidth`",
                    part.name
                ),
            ));
        }
    }
    let mut drawn = vec![None; all.nodes.len()];
    for hosts in [true, false] {
        for (id, node) in all.nodes.iter().enumerate() {
            let set = joined.find(id);
            let is_host = xpus[set].is_some();
            let stands_for_set = if is_host { xpus[set] == Some(id) } else { set == id };
            if is_host != hosts || !stands_for_set || !(is_host || on_cable[set]) {
                continue;
            }
            drawn[set] = Some(drawing.add(node_of(file, all, id, node, is_host)));
        }
        if hosts && drawing.graph.node_count() == 0 {
            return Err((
                "there is no XPU".to_owned(),
                "components of choice `xpu` are hosts".to_owned(),
            ));
        }
    }
    Ok((drawing, drawn))
}

fn node_of(
    file: &Infrastructure,
    all: &Expanded,
    id: usize,
    (instance, number, _): &(usize, u32, super::expand::Part),
    is_host: bool,
) -> Node {
    let mut node = match is_host {
        true => Node::host(full_name(file, all, id)),
        false => Node::switch(full_name(file, all, id), 1),
    };
    for (key, value) in ours(file.instances[*instance].description.as_deref()) {
        match key {
            "name" => node.name = format!("{value}{}", u64::from(*number) + first_number(file, *instance)),
            "node" => value.clone_into(&mut node.name),
            "tier" if !is_host => node.tier = value.parse().unwrap_or(1),
            "latency" => node.latency = value.parse().map_or(Time::ZERO, Time),
            "server" => node.in_server = true,
            _ => {}
        }
    }
    node
}

fn first_number(file: &Infrastructure, instance: usize) -> u64 {
    let mut words = ours(file.instances[instance].description.as_deref());
    let first = words.find(|word| word.0 == "first");
    first.and_then(|word| word.1.parse().ok()).unwrap_or(0)
}

/// The name of a node in the expanded graph, such as `host.0.xpu.1`.
fn full_name(file: &Infrastructure, all: &Expanded, id: usize) -> String {
    let (instance, number, part) = &all.nodes[id];
    format!("{}.{number}.{}", file.instances[*instance].name, part.name)
}
