//! From kinds and counts to nodes and edges, one by one.

use std::collections::HashMap;

use super::model::{Edge, Endpoint, Infrastructure};
use crate::topology::sizes::MAX_SIZE;

/// A part of a box: its name (`nic.0`, or `card.1.port.0` in a device within the device) and what it is.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub name: String,
    pub kind: String,
}

/// All parts of a kind of box, and the edges among them: positions, and the link's name.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    pub parts: Vec<Part>,
    pub edges: Vec<(usize, usize, String)>,
    position: HashMap<String, usize>,
}

/// All nodes by number, in order of instances, and all edges.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    /// Instance, number among its boxes, and the part.
    pub nodes: Vec<(usize, u32, Part)>,
    /// Ends, and the device within which the edge lies (none: between boxes), with its link's name.
    pub edges: Vec<(usize, usize, Option<String>, String)>,
}

/// What is wrong, and the remedy.
pub(super) type Wrong = (String, String);

fn wrong<T>(message: String, help: &str) -> Result<T, Wrong> {
    Err((message, help.to_owned()))
}

/// Expands a file.
pub(super) fn expand(file: &Infrastructure) -> Result<Expanded, Wrong> {
    let devices = devices(file)?;
    let mut all = Expanded::default();
    let mut firsts = Vec::new();
    for (i, instance) in file.instances.iter().enumerate() {
        let Some(parts) = devices.get(&instance.device) else {
            return wrong(
                format!(
                    "the instance `{}` is of the device `{}`, which is not described",
                    instance.name, instance.device
                ),
                "`device` names one of `devices`",
            );
        };
        let nodes = all.nodes.len() as u64 + parts.parts.len() as u64 * u64::from(instance.count);
        check_size("nodes", nodes)?;
        check_size(
            "edges",
            all.edges.len() as u64 + parts.edges.len() as u64 * u64::from(instance.count),
        )?;
        firsts.push(all.nodes.len());
        for number in 0..instance.count {
            let first = all.nodes.len();
            all.nodes
                .extend(parts.parts.iter().map(|part| (i, number, part.clone())));
            let device = Some(instance.device.clone());
            all.edges.extend(
                parts
                    .edges
                    .iter()
                    .map(|(a, b, link)| (first + a, first + b, device.clone(), link.clone())),
            );
        }
    }
    for edge in &file.edges {
        let ends = [&edge.ep1, &edge.ep2].map(|end| between_boxes(file, &devices, &firsts, end));
        let [a, b] = ends;
        join(edge, &a?, &b?, &mut |a, b| {
            all.edges.push((a, b, None, edge.link.clone()))
        })?;
        check_size("edges", all.edges.len() as u64)?;
    }
    Ok(all)
}

fn check_size(what: &str, count: u64) -> Result<(), Wrong> {
    match count > MAX_SIZE {
        true => wrong(
            format!("there are {count} {what}"),
            &format!("at most {MAX_SIZE} can be simulated"),
        ),
        false => Ok(()),
    }
}

/// The parts of every device. A device may have others inside, which are expanded first.
fn devices(file: &Infrastructure) -> Result<HashMap<String, Parts>, Wrong> {
    let mut done: HashMap<String, Parts> = HashMap::new();
    let mut left: Vec<_> = file.devices.iter().collect();
    while !left.is_empty() {
        let before = left.len();
        let mut waiting = Vec::new();
        for device in left {
            let nested = device.components.iter().filter(|part| part.choice == "device");
            if nested.clone().any(|part| !done.contains_key(&part.name)) {
                waiting.push(device);
                continue;
            }
            let mut parts = Parts::default();
            for component in &device.components {
                let inner = (component.choice == "device").then(|| &done[&component.name]);
                for index in 0..component.count {
                    parts.add(&component.name, index, &component.choice, inner);
                    check_size("parts of a device", parts.parts.len() as u64)?;
                }
            }
            for edge in &device.edges {
                let ends = [&edge.ep1, &edge.ep2].map(|end| {
                    let path = end
                        .device
                        .iter()
                        .chain([&end.component])
                        .cloned()
                        .collect::<Vec<_>>()
                        .join(".");
                    parts.select(&path, &device.name)
                });
                let [a, b] = ends;
                let mut found = Vec::new();
                join(edge, &a?, &b?, &mut |a, b| found.push((a, b, edge.link.clone())))?;
                parts.edges.extend(found);
            }
            done.insert(device.name.clone(), parts);
        }
        if waiting.len() == before {
            let names: Vec<_> = waiting.iter().map(|device| format!("`{}`", device.name)).collect();
            return wrong(
                format!(
                    "the devices {} have devices inside that are not described, or each other",
                    names.join(", ")
                ),
                "a component of choice `device` has the name of a device, which does not contain this one",
            );
        }
        left = waiting;
    }
    Ok(done)
}

impl Parts {
    fn add(&mut self, name: &str, index: u32, kind: &str, inner: Option<&Parts>) {
        let first = self.parts.len();
        let mut one = |name: String, kind: &str| {
            self.position.insert(name.clone(), self.parts.len());
            let kind = kind.to_owned();
            self.parts.push(Part { name, kind });
        };
        match inner {
            None => one(format!("{name}.{index}"), kind),
            Some(inner) => {
                let parts = inner.parts.iter();
                parts.for_each(|part| one(format!("{name}.{index}.{}", part.name), &part.kind));
                let edges = inner
                    .edges
                    .iter()
                    .map(|(a, b, link)| (first + a, first + b, link.clone()));
                self.edges.extend(edges);
            }
        }
    }

    /// Positions of the parts that a path such as `card[0:2].port[0]` selects.
    fn select(&self, path: &str, device: &str) -> Result<Vec<usize>, Wrong> {
        let mut names = vec![String::new()];
        for step in path.split('.') {
            let (name, slice) = split(step)?;
            let mut longer = Vec::new();
            for before in &names {
                let prefix = match before.as_str() {
                    "" => name.to_owned(),
                    before => format!("{before}.{name}"),
                };
                let count = (0..).take_while(|index| self.has(&format!("{prefix}.{index}"))).count();
                let indices = indices(slice, count, step)?;
                longer.extend(indices.into_iter().map(|index| format!("{prefix}.{index}")));
            }
            names = longer;
        }
        let found: Option<Vec<usize>> = names.iter().map(|name| self.position.get(name).copied()).collect();
        match found.filter(|found| !found.is_empty()) {
            Some(found) => Ok(found),
            None => wrong(
                format!("the device `{device}` has no `{path}`"),
                "an endpoint names components of the device, such as `nic[0]`",
            ),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.position.contains_key(name) || {
            let prefix = format!("{name}.");
            self.parts.iter().any(|part| part.name.starts_with(&prefix))
        }
    }
}

/// Numbers of the nodes at an end of an edge between boxes.
fn between_boxes(
    file: &Infrastructure,
    devices: &HashMap<String, Parts>,
    firsts: &[usize],
    end: &Endpoint,
) -> Result<Vec<usize>, Wrong> {
    let text = end.instance.as_deref().unwrap_or_default();
    let (name, slice) = split(text)?;
    let Some(i) = file.instances.iter().position(|instance| instance.name == name) else {
        return wrong(
            format!("there is no instance `{name}`"),
            "`ep1` and `ep2` name instances, such as `host[0]`",
        );
    };
    let instance = &file.instances[i];
    let parts = &devices[&instance.device];
    let selected = parts.select(&end.component, &instance.device)?;
    let boxes = indices(slice, instance.count as usize, text)?;
    let first = |number: usize| firsts[i] + number * parts.parts.len();
    Ok(boxes
        .into_iter()
        .flat_map(|number| selected.iter().map(move |&part| first(number) + part))
        .collect())
}

/// Pairs of nodes of two sets, as the edge says.
fn join(edge: &Edge, a: &[usize], b: &[usize], add: &mut dyn FnMut(usize, usize)) -> Result<(), Wrong> {
    match edge.scheme.as_str() {
        "many2many" => {
            check_size("edges", a.len() as u64 * b.len() as u64)?;
            let pairs = a.iter().flat_map(|&a| b.iter().map(move |&b| (a, b)));
            pairs.filter(|(a, b)| a != b).for_each(|(a, b)| add(a, b));
        }
        "one2one" | "" => {
            let pairs = a.iter().copied().zip(b.iter().copied());
            pairs.filter(|(a, b)| a != b).for_each(|(a, b)| add(a, b));
        }
        other => {
            return wrong(
                format!("edges of the scheme `{other}` are not read"),
                "schemes are `one2one` and `many2many`",
            );
        }
    }
    Ok(())
}

/// A name, and what stands in brackets behind it.
fn split(text: &str) -> Result<(&str, &str), Wrong> {
    match text.split_once('[') {
        None => Ok((text, "")),
        Some((name, rest)) => match rest.strip_suffix(']') {
            Some(slice) => Ok((name, slice)),
            None => wrong(format!("`{text}` has no end"), "write `name`, `name[2]` or `name[0:4]`"),
        },
    }
}

/// The indices of a slice as Python has them: `2`, `-1`, `0:4`, `1:`, `::2`; all for nothing.
fn indices(slice: &str, count: usize, text: &str) -> Result<Vec<usize>, Wrong> {
    let help = format!("there are {count}: write `name[2]`, `name[0:4]` or `name[::2]`");
    let numbers: Option<Vec<Option<i64>>> = slice
        .split(':')
        .map(|part| match part.trim() {
            "" => Some(None),
            number => number.parse().ok().map(Some),
        })
        .collect();
    let count = count as i64;
    let whole = |n: i64| if n < 0 { n + count } else { n };
    let bound = |n: Option<i64>, none: i64| n.map_or(none, |n| whole(n).clamp(0, count));
    match numbers.as_deref() {
        Some([None]) => Ok((0..count as usize).collect()),
        Some(&[Some(index)]) if (0..count).contains(&whole(index)) => Ok(vec![whole(index) as usize]),
        Some(&[start, stop, ref step @ ..]) if step.len() <= 1 => match step.first().copied().flatten().unwrap_or(1) {
            step if step > 0 => {
                let (start, stop) = (bound(start, 0), bound(stop, count));
                Ok((start..stop)
                    .step_by(step as usize)
                    .map(|index| index as usize)
                    .collect())
            }
            _ => wrong(format!("`{text}` goes backwards"), &help),
        },
        _ => wrong(format!("`{text}` selects nothing"), &help),
    }
}
