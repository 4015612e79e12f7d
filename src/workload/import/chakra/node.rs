//! The nodes of the files of all ranks, as those of a trace.

use std::collections::HashMap;

use super::super::collective::Collective;
use super::super::hint::{CHAKRA_MARK, Hint};
use super::super::trace::{self, Communicator, CommunicatorId, OpId, Trace, What};
use super::messages::{GlobalMetadata, Node, Value, kind};
use super::{groups, read::Messages};
use crate::ids::Id;
use crate::input::{Files, InputError};
use crate::units::Time;
use crate::workload::{CollectiveName, Flops, MAX_BYTES};

/// What collectives are called by their numbers.
const COLLECTIVES: [CollectiveName; 10] = [
    CollectiveName::AllReduce,
    CollectiveName::Reduce,
    CollectiveName::AllGather,
    CollectiveName::Gather,
    CollectiveName::Scatter,
    CollectiveName::Broadcast,
    CollectiveName::AllToAll,
    CollectiveName::ReduceScatter,
    CollectiveName::ReduceScatter,
    CollectiveName::Barrier,
];

/// Reads the files of one rank after the other.
pub(super) struct Reader {
    trace: Trace,
    peak: Option<Flops>,
    names: HashMap<String, u32>,
    /// Communicators by name; the last one has all ranks.
    by_name: HashMap<String, CommunicatorId>,
    /// Dependencies of the file that is being read: of a node, on an id.
    waits: Vec<(OpId, u64)>,
    ids: HashMap<u64, OpId>,
}

impl Reader {
    pub(super) fn new(mut trace: Trace, named: Vec<Communicator>, peak: Option<Flops>) -> Self {
        trace.sizes_match = true;
        let by_name = named
            .iter()
            .zip((0..).map(CommunicatorId))
            .map(|(group, number)| (group.name.clone(), number))
            .collect();
        trace.communicators = named.into();
        Self {
            trace,
            peak,
            names: HashMap::new(),
            by_name,
            waits: Vec::new(),
            ids: HashMap::new(),
        }
    }

    /// Reads the next rank.
    pub(super) fn file(&mut self, file: &str, files: &dyn Files) -> Result<(), InputError> {
        let mut messages = Messages::open(file, files)?;
        let Some(metadata) = messages.next::<GlobalMetadata>()? else {
            return Err(InputError::file(file, "it is empty").help("a trace begins with its metadata"));
        };
        let own = metadata.attr.iter().any(|attr| attr.name == CHAKRA_MARK);
        self.waits.clear();
        self.ids.clear();
        while let Some(node) = messages.next::<Node>()? {
            self.node(file, &node, own)?;
        }
        let mut missing = 0;
        for &(node, id) in &self.waits {
            match self.ids.get(&id) {
                Some(&before) => self.trace.dependencies.push((before, node, false)),
                None => missing += 1,
            }
        }
        let note = "dependencies on nodes that are not there are left out";
        self.trace.notes.count_many(note, missing);
        self.trace.end_rank();
        Ok(())
    }

    /// The trace of all ranks.
    pub(super) fn finish(mut self, groups_file: Option<&str>) -> Result<Trace, InputError> {
        let ranks = self.trace.ranks();
        if let Some(file) = groups_file {
            groups::check(file, &self.trace.communicators, ranks)?;
        }
        self.trace.communicators.push(Communicator {
            name: "of all ranks".to_owned(),
            ranks: (0..ranks).collect(),
        });
        self.all_gathers();
        if self.trace.hints.len() != self.trace.nodes().len() {
            self.trace.hints.clear();
        }
        Ok(self.trace)
    }

    /// All-gathers are written with the input of one rank.
    fn all_gathers(&mut self) {
        for node in self.trace.nodes().ids() {
            if let What::Collective {
                collective,
                communicator,
            } = self.trace.nodes()[node].what
                && collective.name == CollectiveName::AllGather
            {
                let members = self.trace.communicators[communicator].ranks.len() as u64;
                let bytes = collective.bytes.saturating_mul(members).min(MAX_BYTES);
                let collective = Collective { bytes, ..collective };
                self.trace.node_mut(node).what = What::Collective {
                    collective,
                    communicator,
                };
            }
        }
    }

    fn node(&mut self, file: &str, node: &Node, own: bool) -> Result<(), InputError> {
        let what = self.what(file, node)?;
        let keeps_name = matches!(what, What::Compute { .. } | What::Collective { .. });
        let name = if keeps_name { self.name(&node.name) } else { u32::MAX };
        let number = self.trace.add(trace::Node {
            what,
            order: node.id,
            place: node.id as u32,
            name,
        })?;
        if self.ids.insert(node.id, number).is_some() {
            let message = format!("node {}: there is a node with this id already", node.id);
            return Err(InputError::file(file, message).help("ids are unique in a file"));
        }
        self.waits
            .extend(node.data_deps.iter().chain(&node.ctrl_deps).map(|&id| (number, id)));
        if own {
            let number = |name: &str| node.value(name).and_then(Value::integer).unwrap_or(0);
            self.trace.hints.push(Hint {
                step: u32::try_from(number("step")).unwrap_or(0),
                connection: u64::try_from(number("connection")).unwrap_or(u64::MAX),
            });
        }
        Ok(())
    }

    fn name(&mut self, name: &str) -> u32 {
        if let Some(&known) = self.names.get(name) {
            return known;
        }
        let number = self.trace.names.len() as u32;
        self.trace.names.push(name.to_owned());
        self.names.insert(name.to_owned(), number);
        number
    }

    fn what(&mut self, file: &str, node: &Node) -> Result<What, InputError> {
        if node.value("comm_priority").and_then(Value::integer).unwrap_or(0) != 0 {
            self.trace.notes.count("priorities have no effect");
        }
        Ok(match node.kind {
            kind::COMPUTE => What::Compute {
                time: self.duration(file, node)?,
                unit: 0,
            },
            kind::SEND => What::Send {
                to: rank(file, node, "comm_dst")?,
                tag: tag(file, node)?,
                bytes: bytes(file, node)?,
            },
            kind::RECEIVE => What::Receive {
                from: rank(file, node, "comm_src")?,
                tag: tag(file, node)?,
                bytes: bytes(file, node)?,
            },
            kind::COLLECTIVE => self.collective(file, node)?,
            kind::MEMORY_LOAD | kind::MEMORY_STORE => {
                self.trace.notes.count("memory nodes take no time");
                What::Nothing
            }
            kind::METADATA | kind::INVALID => What::Nothing,
            other => return Err(wrong(file, node, &format!("there is no type {other}")).help("types are 0 to 7")),
        })
    }

    fn duration(&self, file: &str, node: &Node) -> Result<Time, InputError> {
        let too_long = || wrong(file, node, "it computes for too long").help("a time is at most 106 days");
        if let Some(exact) = node.value("duration_ps").and_then(Value::integer) {
            return u64::try_from(exact)
                .ok()
                .filter(|&ps| ps <= i64::MAX as u64)
                .map(Time)
                .ok_or_else(too_long);
        }
        let operations = match node.value("num_ops") {
            Some(Value::Double(count)) => *count,
            Some(Value::Float(count)) => f64::from(*count),
            Some(value) => value.integer().unwrap_or(0) as f64,
            None => 0.0,
        };
        if operations < 0.0 || operations.is_nan() {
            return Err(wrong(file, node, &format!("`num_ops` is {operations}")).help("it must be at least 0"));
        }
        let picoseconds = match (operations > 0.0, self.peak) {
            (true, Some(peak)) => operations / peak.per_second() * 1e12,
            (true, None) if node.duration_micros == 0 => {
                return Err(wrong(file, node, "it has `num_ops` and no duration")
                    .help("write `peak`, the floating-point operations of a rank per second, such as \"989TFLOPS\""));
            }
            _ => node.duration_micros as f64 * 1e6,
        };
        (picoseconds < i64::MAX as f64)
            .then(|| Time(picoseconds.round() as u64))
            .ok_or_else(too_long)
    }

    fn collective(&mut self, file: &str, node: &Node) -> Result<What, InputError> {
        let number = node.value("comm_type").and_then(Value::integer).unwrap_or(0);
        let found = usize::try_from(number).ok().and_then(|number| COLLECTIVES.get(number));
        let Some(&name) = found else {
            return Err(wrong(file, node, &format!("there is no collective {number}")).help("`comm_type` is 0 to 9"));
        };
        let bytes = if name == CollectiveName::Barrier {
            0
        } else {
            bytes(file, node)?
        };
        if let Some(Value::Bools(involved)) = node.value("involved_dim")
            && involved.values.contains(&false)
        {
            self.trace
                .notes
                .count("collectives of some dimensions only (involved_dim) take all ranks of their group");
        }
        let all = CommunicatorId::from_index(self.trace.communicators.len());
        let communicator = match node.value("pg_name") {
            Some(Value::Text(group)) if !group.is_empty() => match self.by_name.get(group) {
                Some(&known) => known,
                None if self.by_name.is_empty() => {
                    self.trace
                        .notes
                        .count("collectives of a group (pg_name) take all ranks: there is no `groups`");
                    all
                }
                None => {
                    let message = format!("there is no group {group}");
                    return Err(
                        wrong(file, node, &message).help("`pg_name` is one of the names in the file of `groups`")
                    );
                }
            },
            _ => all,
        };
        Ok(What::Collective {
            collective: Collective { name, bytes },
            communicator,
        })
    }
}

fn wrong(file: &str, node: &Node, message: &str) -> InputError {
    let name = if node.name.is_empty() {
        String::new()
    } else {
        format!(" `{}`", node.name)
    };
    InputError::file(file, format!("node {}{name}: {message}", node.id))
}

fn rank(file: &str, node: &Node, key: &str) -> Result<u32, InputError> {
    let Some(value) = node.value(key).and_then(Value::integer) else {
        return Err(wrong(file, node, &format!("it has no `{key}`")).help("it says which rank is at the other end"));
    };
    u32::try_from(value)
        .ok()
        .filter(|&rank| rank < u32::MAX)
        .ok_or_else(|| wrong(file, node, &format!("`{key}` is {value}")).help("ranks are numbered from 0"))
}

fn tag(file: &str, node: &Node) -> Result<u32, InputError> {
    let value = node.value("comm_tag").and_then(Value::integer).unwrap_or(0);
    u32::try_from(value)
        .ok()
        .filter(|&tag| tag < u32::MAX)
        .ok_or_else(|| wrong(file, node, &format!("`comm_tag` is {value}")).help("it must be at least 0"))
}

fn bytes(file: &str, node: &Node) -> Result<u64, InputError> {
    let Some(value) = node.value("comm_size").and_then(Value::integer) else {
        return Err(wrong(file, node, "it has no `comm_size`").help("it says how many bytes are sent"));
    };
    u64::try_from(value)
        .ok()
        .filter(|&bytes| bytes <= MAX_BYTES)
        .ok_or_else(|| {
            let help = format!("it must be a number of bytes from 0 to {MAX_BYTES}");
            wrong(file, node, &format!("`comm_size` is {value}")).help(help)
        })
}
