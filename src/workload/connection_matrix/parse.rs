//! The grammar of `.cm` files, line by line:
//!
//! ```text
//! Nodes N
//! Connections C
//! Triggers T                  if there are any
//! Failures F                  if there are any
//! SRC->DST [id ID] (start TIME | trigger TID) size BYTES [msg [M]] [prio P]
//!          [send_done_trigger TID] [recv_done_trigger TID]
//! trigger id TID (oneshot | multishot | barrier count N)
//! failure switch_type (TOR | AGG | CORE) switch_id S link_id L
//! ```
//!
//! Blank lines are skipped, and what follows a `#`. A TIME is a decimal number (`0.5`, `1e6`) of picoseconds in some
//! programs, of microseconds in others. `size 0` is a flow without an end. A `msg` without a number is one more message
//! of the connection.

use std::collections::{BTreeMap, HashSet};
use std::iter::Peekable;
use std::ops::RangeInclusive;
use std::str::SplitWhitespace;

use crate::input::InputError;
use crate::units::Time;
use crate::workload::connection_matrix::TimeUnit;
use crate::workload::{MAX_BYTES, MAX_TASKS, Schedule, parse_time};

/// A connection matrix as its file has it.
pub(super) struct Matrix {
    pub nodes: u32,
    pub nodes_line: usize,
    pub flows: Vec<Flow>,
    /// By id.
    pub triggers: BTreeMap<u32, Trigger>,
}

/// One connection.
pub(super) struct Flow {
    pub line: usize,
    pub src: u32,
    pub dst: u32,
    /// [`Schedule::ENDLESS`] for a flow without an end.
    pub bytes: u64,
    pub start: Start,
    /// What messages of one connection have in common.
    pub id: Option<u32>,
    /// The trigger that it pulls when its last acknowledgement has arrived.
    pub send_done: Option<u32>,
    /// The trigger that it pulls when its last byte has been delivered.
    pub recv_done: Option<u32>,
}

/// When a connection starts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    At(Time),
    Trigger(u32),
}

/// A trigger as it is declared.
pub(super) struct Trigger {
    pub line: usize,
    pub kind: TriggerKind,
}

/// What a trigger does with its flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TriggerKind {
    /// Starts all of them when it is pulled, which happens once.
    Oneshot,
    /// Starts the next of them, in the order of the file, each time that it is pulled.
    Multishot,
    /// Starts all of them when it has been pulled that many times.
    Barrier(u32),
}

/// Numbers that the header announces, with their lines.
#[derive(Default)]
struct Header {
    nodes: Option<(u32, usize)>,
    connections: Option<(u32, usize)>,
    triggers: Option<(u32, usize)>,
    failures: Option<(u32, usize)>,
}

/// Reads a whole file called `file`, whose times are in `unit`.
pub(super) fn parse(file: &str, text: &str, unit: TimeUnit) -> Result<Matrix, InputError> {
    let mut header = Header::default();
    let mut matrix = Matrix {
        nodes: 0,
        nodes_line: 0,
        flows: Vec::new(),
        triggers: BTreeMap::new(),
    };
    let (mut names, mut total) = (HashSet::new(), 0);
    for (number, text) in (1..).zip(text.lines()) {
        let mut words = text.split('#').next().unwrap_or_default().split_whitespace();
        let Some(first) = words.next() else {
            continue;
        };
        let words = words.peekable();
        let mut line = Line {
            file,
            number,
            unit,
            words,
        };
        match first {
            "Nodes" => line.announce(first, &mut header.nodes)?,
            "Connections" => line.announce(first, &mut header.connections)?,
            "Triggers" => line.announce(first, &mut header.triggers)?,
            "Failures" => line.announce(first, &mut header.failures)?,
            "trigger" => {
                let (id, trigger) = line.trigger()?;
                if let Some(earlier) = matrix.triggers.insert(id, trigger) {
                    return Err(line.error(format!("trigger {id} is declared in line {} already", earlier.line)));
                }
            }
            "failure" => return Err(line.failure()?),
            pair if pair.contains("->") => {
                let Some((nodes, _)) = header.nodes else {
                    return Err(line.error("`Nodes` must come before the first connection"));
                };
                let (flow, name) = line.flow(pair, nodes)?;
                total += flow.bytes;
                if total > MAX_BYTES {
                    let error = line.error("all connections up to here together exceed 2^62 bytes");
                    return Err(match flow.bytes {
                        Schedule::ENDLESS => error.help("a flow of size 0 counts as 2^50: at most 4096 can be there"),
                        _ => error,
                    });
                }
                if name.is_some_and(|name| !names.insert(name)) {
                    return Err(line
                        .error("another connection has the same id")
                        .help("ids must differ, or their `msg` numbers where they are messages of one connection"));
                }
                matrix.flows.push(flow);
            }
            other => {
                return Err(line
                    .error(format!("no line begins with `{other}`"))
                    .help("lines begin with Nodes, Connections, Triggers, Failures, SRC->DST, trigger or failure"));
            }
        }
        line.end()?;
    }
    header.check(file, &mut matrix)?;
    Ok(matrix)
}

impl Header {
    /// What is announced must be there.
    fn check(&self, file: &str, matrix: &mut Matrix) -> Result<(), InputError> {
        let missing = |what| InputError::file(file, format!("there is no line `{what} ...`"));
        (matrix.nodes, matrix.nodes_line) = self.nodes.ok_or_else(|| missing("Nodes"))?;
        let connections = self.connections.ok_or_else(|| missing("Connections"))?;
        let counts = [
            ("Connections", connections, matrix.flows.len()),
            ("Triggers", self.triggers.unwrap_or((0, 1)), matrix.triggers.len()),
            ("Failures", self.failures.unwrap_or((0, 1)), 0),
        ];
        for (what, (announced, line), found) in counts {
            if announced as usize != found {
                let message = format!("`{what}` says {announced}, and the file has {found}");
                return Err(InputError::line(file, line, message));
            }
        }
        if matrix.flows.is_empty() {
            return Err(
                InputError::file(file, "it has no connection").help("add a line such as `0->1 start 0 size 1000`")
            );
        }
        Ok(())
    }
}

/// The words of a line that are still to be read.
struct Line<'a> {
    file: &'a str,
    number: usize,
    unit: TimeUnit,
    words: Peekable<SplitWhitespace<'a>>,
}

/// What a connection is told apart by: its id, and the number of the message on it. Messages without a number are
/// told apart by their lines.
type Name = (u32, Option<u64>);

impl<'a> Line<'a> {
    fn error(&self, message: impl Into<String>) -> InputError {
        InputError::line(self.file, self.number, message)
    }

    fn end(&mut self) -> Result<(), InputError> {
        match self.words.next() {
            Some(word) => Err(self.error(format!("`{word}` has no place at the end of this line"))),
            None => Ok(()),
        }
    }

    /// The word after `key`.
    fn value(&mut self, key: &str) -> Result<&'a str, InputError> {
        self.words
            .next()
            .ok_or_else(|| self.error(format!("`{key}` has no value")))
    }

    /// The number after `key`.
    fn number(&mut self, key: &str, range: RangeInclusive<u64>) -> Result<u64, InputError> {
        let word = self.value(key)?;
        self.whole(key, word, range)
    }

    fn whole(&self, key: &str, word: &str, range: RangeInclusive<u64>) -> Result<u64, InputError> {
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            self.error(format!("`{key}` is `{word}`")).help(format!(
                "it must be a whole number from {} to {}",
                range.start(),
                range.end()
            ))
        })
    }

    /// The time after `key`, to the nearest picosecond.
    fn time(&mut self, key: &str) -> Result<Time, InputError> {
        let word = self.value(key)?;
        let unit = self.unit;
        parse_time(word, unit.name()).ok_or_else(|| {
            let most = i64::MAX as u64 / unit.time().0;
            self.error(format!("`{key}` is `{word}`"))
                .help(format!("it must be a number of {} from 0 to {most}", unit.name()))
        })
    }

    fn id(&mut self, key: &str) -> Result<u32, InputError> {
        Ok(self.number(key, 1..=u32::MAX.into())? as u32)
    }

    /// Keeps the first value of a key.
    fn once<T>(&self, key: &str, slot: &mut Option<T>, value: T) -> Result<(), InputError> {
        match slot.replace(value) {
            Some(_) => Err(self.error(format!("`{key}` is given twice"))),
            None => Ok(()),
        }
    }

    fn announce(&mut self, key: &str, slot: &mut Option<(u32, usize)>) -> Result<(), InputError> {
        let count = self.number(key, 0..=MAX_TASKS)? as u32;
        self.once(key, slot, (count, self.number))
    }

    fn flow(&mut self, pair: &str, nodes: u32) -> Result<(Flow, Option<Name>), InputError> {
        let (src, dst) = self.endpoints(pair, nodes)?;
        let (mut start, mut size, mut id, mut msg, mut prio) = (None, None, None, None, None);
        let (mut send_done, mut recv_done) = (None, None);
        while let Some(key) = self.words.next() {
            match key {
                "start" | "trigger" => {
                    let new = match key {
                        "start" => Start::At(self.time(key)?),
                        _ => Start::Trigger(self.id(key)?),
                    };
                    if start.replace(new).is_some() {
                        return Err(self
                            .error("this connection starts more than once")
                            .help("give it one `start` or one `trigger`"));
                    }
                }
                "size" => {
                    let new = match self.number(key, 0..=MAX_BYTES)? {
                        0 => Schedule::ENDLESS,
                        bytes => bytes,
                    };
                    self.once(key, &mut size, new)?;
                }
                "id" => {
                    let new = self.id(key)?;
                    self.once(key, &mut id, new)?;
                }
                "msg" => {
                    let new = self.words.next_if(|word| word.parse::<u64>().is_ok());
                    self.once(key, &mut msg, new.and_then(|word| word.parse().ok()))?;
                }
                "prio" => {
                    let new = self.number(key, 0..=u64::MAX)?;
                    self.once(key, &mut prio, new)?;
                }
                "send_done_trigger" => {
                    let new = self.id(key)?;
                    self.once(key, &mut send_done, new)?;
                }
                "recv_done_trigger" => {
                    let new = self.id(key)?;
                    self.once(key, &mut recv_done, new)?;
                }
                other => {
                    return Err(self.error(format!("`{other}` says nothing about a connection")).help(
                        "it can have id, start or trigger, size, msg, prio, send_done_trigger and recv_done_trigger",
                    ));
                }
            }
        }
        let missing = |what| self.error(format!("this connection has no `{what}`"));
        let flow = Flow {
            line: self.number,
            src,
            dst,
            bytes: size.ok_or_else(|| missing("size"))?,
            start: start.ok_or_else(|| missing("start").help("or let a `trigger` start it"))?,
            id,
            send_done,
            recv_done,
        };
        let one_more = msg == Some(None);
        Ok((flow, id.filter(|_| !one_more).map(|id| (id, msg.flatten()))))
    }

    fn endpoints(&self, pair: &str, nodes: u32) -> Result<(u32, u32), InputError> {
        let (src, dst) = pair.split_once("->").unwrap_or((pair, ""));
        let last = u64::from(nodes).saturating_sub(1);
        let src = self.whole("the source", src, 0..=last)? as u32;
        let dst = self.whole("the destination", dst, 0..=last)? as u32;
        if src == dst {
            return Err(self.error(format!("node {src} sends to itself")));
        }
        Ok((src, dst))
    }

    fn trigger(&mut self) -> Result<(u32, Trigger), InputError> {
        let (mut id, mut count, mut kind) = (None, None, None);
        while let Some(key) = self.words.next() {
            match key {
                "id" => {
                    let new = self.id(key)?;
                    self.once(key, &mut id, new)?;
                }
                "count" => {
                    let new = self.id(key)?;
                    self.once(key, &mut count, new)?;
                }
                "oneshot" | "multishot" | "barrier" => self.once("the kind of trigger", &mut kind, key)?,
                other => {
                    return Err(self
                        .error(format!("`{other}` says nothing about a trigger"))
                        .help("it can have id, count and one of oneshot, multishot and barrier"));
                }
            }
        }
        let id = id.ok_or_else(|| self.error("this trigger has no `id`"))?;
        let kind = match (kind, count) {
            (Some("oneshot"), _) => TriggerKind::Oneshot,
            (Some("multishot"), _) => TriggerKind::Multishot,
            (Some(_), Some(count)) => TriggerKind::Barrier(count),
            (Some(_), None) => return Err(self.error(format!("the barrier {id} has no `count`"))),
            (None, _) => {
                return Err(self
                    .error(format!("trigger {id} has no kind"))
                    .help("it is oneshot, multishot or barrier"));
            }
        };
        let line = self.number;
        Ok((id, Trigger { line, kind }))
    }

    /// Failures name links by the numbers of another simulator's switches: they are not guessed at.
    fn failure(&mut self) -> Result<InputError, InputError> {
        let (mut kind, mut switch, mut link) = (None, None, None);
        while let Some(key) = self.words.next() {
            match key {
                "switch_type" => {
                    let word = self.value(key)?;
                    if !["TOR", "AGG", "CORE"].contains(&word) {
                        return Err(self
                            .error(format!("`{word}` is no type of switch"))
                            .help("it is TOR, AGG or CORE"));
                    }
                    self.once(key, &mut kind, word)?;
                }
                "switch_id" => {
                    let new = self.number(key, 0..=u32::MAX.into())?;
                    self.once(key, &mut switch, new)?;
                }
                "link_id" => {
                    let new = self.number(key, 0..=u32::MAX.into())?;
                    self.once(key, &mut link, new)?;
                }
                other => return Err(self.error(format!("`{other}` says nothing about a failure"))),
            }
        }
        let (Some(kind), Some(switch), Some(link)) = (kind, switch, link) else {
            return Err(self.error("a failure needs switch_type, switch_id and link_id"));
        };
        Ok(self
            .error(format!("failed links, such as link {link} of {kind} switch {switch}, are not read from here"))
            .help("take the failures out of the file and name the link under [[faults]] in the experiment, with down = true"))
    }
}
