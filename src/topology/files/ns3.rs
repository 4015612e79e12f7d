//! Topology files of HPCC's ns-3 and of what came of it (SimAI, astra-ns3, ConWeave): a header, the ids of the switches, and a
//! link a line.
//!
//! ```text
//! 6 2 5                        nodes switches links
//! 4 5                          ids of the switches
//! 0 4 100Gbps 0.001ms 0        source destination rate delay error_rate
//! ...
//! ```
//!
//! SimAI's header is `nodes gpus_per_server nv_switches switches links gpu_type`: of the ids on the second line the first are the
//! switches inside servers.

use std::collections::BTreeMap;

use petgraph::graph::NodeIndex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::{Files, InputError};
use crate::topology::blueprint::{Blueprint, LinkSpec, Node, NodeKind, Routing};
use crate::topology::kind::Kind;
use crate::topology::loss::Loss;
use crate::topology::sizes::MAX_SIZE;
use crate::units::{Rate, Time};

/// A fabric from a `topology.txt` of HPCC's ns-3. Hosts and switches are called by their numbers there: `host3`, `switch17`.
/// Packets take the fewest hops. Error rates become the loss of their links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hpcc {
    /// Path of the file.
    pub file: String,
}

/// A fabric from a topology file of SimAI. GPUs are hosts, called by their numbers there: `host3`; switches inside servers are
/// called `server0`, `server1`, ..., the others `switch40`, ... Packets take the fewest hops. Error rates become the loss
/// of their links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Simai {
    /// Path of the file.
    pub file: String,
}

impl Kind for Hpcc {
    fn draw(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        self.blueprint(files)
    }
}

impl Hpcc {
    /// Draws the fabric.
    pub fn blueprint(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        draw(&self.file, &files.read(&self.file)?, false)
    }
}

impl Kind for Simai {
    fn draw(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        self.blueprint(files)
    }
}

impl Simai {
    /// Draws the fabric.
    pub fn blueprint(&self, files: &dyn Files) -> Result<Blueprint, InputError> {
        draw(&self.file, &files.read(&self.file)?, true)
    }
}

/// What the first line says.
struct Header {
    nodes: u32,
    in_servers: u32,
    switches: u32,
    links: u32,
}

fn header(file: &str, line: (usize, &str), simai: bool) -> Result<Header, InputError> {
    let names: &[&str] = match simai {
        true => &[
            "nodes",
            "gpus_per_server",
            "nv_switches",
            "switches",
            "links",
            "gpu_type",
        ],
        false => &["nodes", "switches", "links"],
    };
    let fields: Vec<&str> = line.1.split_whitespace().collect();
    let needed = names.len() - usize::from(simai);
    if !(needed..=names.len()).contains(&fields.len()) {
        let message = format!("the first line has {} fields", fields.len());
        let help = format!("it says `{}`", names.join(" "));
        return Err(InputError::line(file, line.0, message).help(help));
    }
    let number = |name: &str| {
        let place = names.iter().position(|other| *other == name).unwrap_or(0);
        fields[place].parse::<u32>().map_err(|_| {
            let message = format!("`{name}` is `{}`", fields[place]);
            InputError::line(file, line.0, message).help("it must be a whole number")
        })
    };
    let header = Header {
        nodes: number("nodes")?,
        in_servers: if simai { number("nv_switches")? } else { 0 },
        switches: number("switches")?,
        links: number("links")?,
    };
    for (name, count) in [("nodes", header.nodes), ("links", header.links)] {
        if u64::from(count) > MAX_SIZE {
            let error = InputError::line(file, line.0, format!("the fabric would have {count} {name}"));
            return Err(error.help(format!("at most {MAX_SIZE} can be simulated")));
        }
    }
    Ok(header)
}

fn draw(file: &str, text: &str, simai: bool) -> Result<Blueprint, InputError> {
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let first = lines.next().ok_or_else(|| InputError::file(file, "it is empty"))?;
    let header = header(file, first, simai)?;
    let switches = header.switches.saturating_add(header.in_servers);
    let second = match switches {
        0 => (first.0, ""),
        _ => lines.next().unwrap_or((first.0, "")),
    };
    let tiers = switch_ids(file, second, &header, switches)?;
    let (mut drawing, nodes) = draw_nodes(file, first.0, &header, &tiers)?;
    let mut of_pair: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    let mut count = 0;
    for (number, line) in lines {
        let (ends, mut spec) = link(file, number, line, header.nodes)?;
        let [a, b] = ends.map(|end| nodes[end as usize]);
        let earlier = of_pair.entry((ends[0].min(ends[1]), ends[0].max(ends[1]))).or_default();
        spec.cable = format!("{}-{}", drawing.graph[a].name, drawing.graph[b].name);
        if *earlier > 0 {
            spec.cable += &format!("#{earlier}");
        }
        *earlier += 1;
        count += 1;
        drawing.connect_by(a, b, spec);
    }
    if count != header.links {
        let message = format!("the first line says {} links, and there are {count}", header.links);
        return Err(InputError::file(file, message).help("correct the count, or look for lines that are missing"));
    }
    let lonely = nodes.iter().take(header.nodes as usize).find(|&&node| {
        let host = drawing.graph[node].kind == NodeKind::Host;
        host && drawing.graph.neighbors(node).next().is_none()
    });
    match lonely {
        Some(&host) => {
            let message = format!("`{}` has no link", drawing.graph[host].name);
            Err(InputError::file(file, message).help("add one, or name it among the switches"))
        }
        None => Ok(drawing),
    }
}

/// By id: none for a host, whether it lies inside a server for a switch.
fn switch_ids(file: &str, line: (usize, &str), header: &Header, count: u32) -> Result<Vec<Option<bool>>, InputError> {
    let mut kinds = vec![None; header.nodes as usize];
    let fields: Vec<&str> = line.1.split_whitespace().collect();
    if fields.len() != count as usize {
        let message = format!(
            "there are {} ids of switches, and the first line says {count}",
            fields.len()
        );
        return Err(InputError::line(file, line.0, message).help("the second line names every switch"));
    }
    for (position, field) in fields.into_iter().enumerate() {
        let id = field.parse::<u32>().ok().filter(|&id| id < header.nodes);
        let slot = id.map(|id| &mut kinds[id as usize]).filter(|slot| slot.is_none());
        let Some(slot) = slot else {
            let message = format!("`{field}` is no id of a switch");
            let help = format!("ids are whole numbers below {}, each once", header.nodes);
            return Err(InputError::line(file, line.0, message).help(help));
        };
        *slot = Some(position < header.in_servers as usize);
    }
    Ok(kinds)
}

/// Draws hosts, then switches, each by rising id; says where each id is drawn.
fn draw_nodes(
    file: &str,
    line: usize,
    header: &Header,
    kinds: &[Option<bool>],
) -> Result<(Blueprint, Vec<NodeIndex>), InputError> {
    let mut drawing = Blueprint::new(Routing::Shortest);
    let mut nodes = vec![NodeIndex::end(); header.nodes as usize];
    let ids = || (0_usize..).zip(kinds);
    for (id, _) in ids().filter(|(_, kind)| kind.is_none()) {
        nodes[id] = drawing.add(Node::host(format!("host{id}")));
    }
    if drawing.graph.node_count() == 0 {
        let error = InputError::line(file, line, "all nodes are switches");
        return Err(error.help("nodes that the second line does not name are hosts"));
    }
    let inside = ids().filter(|(_, kind)| **kind == Some(true)).map(|(id, _)| id);
    for (server, id) in inside.enumerate() {
        nodes[id] = drawing.add(Node {
            in_server: true,
            ..Node::switch(format!("server{server}"), 1)
        });
    }
    for (id, _) in ids().filter(|(_, kind)| **kind == Some(false)) {
        nodes[id] = drawing.add(Node::switch(format!("switch{id}"), 1));
    }
    Ok((drawing, nodes))
}

/// The ends of a link and what it is like.
fn link(file: &str, number: usize, line: &str, nodes: u32) -> Result<([u32; 2], LinkSpec), InputError> {
    let error = |message: String, help: &str| InputError::line(file, number, message).help(help);
    let fields: Vec<&str> = line.split_whitespace().collect();
    let &[a, b, rate, delay, ref rest @ ..] = fields.as_slice() else {
        let message = format!("this line has {} fields", fields.len());
        return Err(error(
            message,
            "a link is `source destination rate delay error_rate`, such as `0 4 100Gbps 0.001ms 0`",
        ));
    };
    let end = |text: &str| {
        let id = text.parse::<u32>().ok().filter(|&id| id < nodes);
        id.ok_or_else(|| {
            error(
                format!("there is no node `{text}`"),
                &format!("nodes are 0 to {}", nodes - 1),
            )
        })
    };
    let ends = [end(a)?, end(b)?];
    if ends[0] == ends[1] {
        return Err(error(
            format!("the link joins node {a} to itself"),
            "the ends of a link must differ",
        ));
    }
    let rate = rate.parse::<Rate>().ok().filter(|rate| !rate.is_zero());
    let rate = rate.ok_or_else(|| {
        error(
            format!("the rate is `{}`", fields[2]),
            "it must be above 0, such as 100Gbps",
        )
    })?;
    let delay = delay.parse::<Time>();
    let delay = delay.map_err(|_| {
        error(
            format!("the delay is `{}`", fields[3]),
            "it must be a time, such as 0.001ms",
        )
    })?;
    let loss = match rest {
        [] => Some(Loss::NONE),
        [share] => share.parse().ok().and_then(|share| Loss::new(share).ok()),
        _ => {
            return Err(error(
                format!("this line has {} fields", fields.len()),
                "a link has five",
            ));
        }
    };
    let loss = loss.ok_or_else(|| error(format!("the error rate is `{}`", fields[4]), "it is from 0 to 1"))?;
    let cable = String::new();
    let queue = None;
    Ok((
        ends,
        LinkSpec {
            cable,
            rate,
            delay,
            queue,
            loss,
            cost: 1,
        },
    ))
}
