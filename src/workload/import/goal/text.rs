//! The text of a GOAL program:
//!
//! ```text
//! num_ranks N
//! rank R {
//!   [label:] send <bytes>b to <rank>   [tag T] [cpu C] [nic K]
//!   [label:] recv <bytes>b from <rank> [tag T] [cpu C] [nic K]    rank and tag may be -1: any
//!   [label:] calc <time> [cpu C]
//!   l1 requires l2                     l1 starts after l2 has finished
//!   l1 irequires l2                    l1 starts after l2 has started
//! }
//! ```
//!
//! `//` and `/* */` enclose comments. A label is a letter, then letters, digits and underscores; labels belong to their
//! rank and are defined before they are used. Ranks come in order.

use super::super::hint::{GOAL_MARK, Hint};
use super::super::trace::{ANY, Node, OpId, Places, Trace, What};
use super::labels::Labels;
use super::words::{Words, decimal, show};
use crate::input::InputError;
use crate::units::Time;

/// Picoseconds of a nanosecond.
const NANOSECOND: u64 = 1_000;

/// The program of all ranks.
pub(super) fn read(file: &str, text: &[u8]) -> Result<Trace, InputError> {
    let own = text.starts_with(GOAL_MARK.as_bytes());
    let mut parser = Parser {
        words: Words::new(file, text),
        trace: Trace::new(file, Places::Lines),
        own,
        labels: Labels::default(),
    };
    parser.words.keyword(b"num_ranks")?;
    let line = parser.words.line();
    let ranks = parser.words.number(u64::from(u32::MAX) - 1, "a number of ranks")?;
    if ranks == 0 {
        return Err(InputError::line(file, line, "there are 0 ranks").help("there must be at least 2"));
    }
    while !parser.words.at_end()? {
        parser.rank(ranks)?;
    }
    let there = u64::from(parser.trace.ranks());
    if there < ranks {
        let message = format!("{ranks} ranks are announced, and there are {there}");
        return Err(InputError::file(file, message).help("every rank has its block, such as `rank 0 { ... }`"));
    }
    Ok(parser.trace)
}

struct Parser<'t> {
    words: Words<'t>,
    trace: Trace,
    /// This program wrote the file.
    own: bool,
    /// The nodes of the rank by their labels.
    labels: Labels<'t>,
}

impl<'t> Parser<'t> {
    /// One block.
    fn rank(&mut self, ranks: u64) -> Result<(), InputError> {
        self.words.keyword(b"rank")?;
        let expected = u64::from(self.trace.ranks());
        let rank = self.words.number(u64::from(u32::MAX), "the number of the rank")?;
        if rank != expected || rank >= ranks {
            let message = format!("rank {rank} comes here, and there should be rank {expected} of {ranks}");
            return Err(self.words.wrong(message).help("ranks come in order, each once, from 0"));
        }
        self.words.keyword(b"{")?;
        self.labels.clear();
        loop {
            let Some(word) = self.words.next()? else {
                return Err(self.words.wrong(format!("rank {rank} has no end")).help("write `}`"));
            };
            match word {
                b"}" => break,
                b"send" | b"recv" | b"calc" => self.operation(word, None)?,
                label if self.words.take(b":")? => {
                    let Some(word) = self.words.next()? else {
                        return Err(self.words.wrong("nothing follows the label").help("write an operation"));
                    };
                    self.operation(word, Some(label))?;
                }
                label => self.dependency(label)?,
            }
        }
        self.trace.end_rank();
        Ok(())
    }

    fn operation(&mut self, word: &'t [u8], label: Option<&'t [u8]>) -> Result<(), InputError> {
        let line = self.words.line();
        let mut unit = 0;
        let what = match word {
            b"send" => {
                let bytes = self.words.size()?;
                self.words.keyword(b"to")?;
                let to = self.words.number(u64::from(u32::MAX) - 1, "a rank")? as u32;
                let tag = self.options(&mut unit)?;
                What::Send {
                    to,
                    tag: if tag == ANY { 0 } else { tag },
                    bytes,
                }
            }
            b"recv" => {
                let bytes = self.words.size()?;
                self.words.keyword(b"from")?;
                let from = self.words.number_or_any("a rank, or -1 for any")?;
                let tag = self.options(&mut unit)?;
                What::Receive { from, tag, bytes }
            }
            b"calc" => {
                let scale = if self.own { 1 } else { NANOSECOND };
                let time = self.words.number(i64::MAX as u64 / scale, "a time")?;
                self.options(&mut unit)?;
                What::Compute {
                    time: Time(time * scale),
                    unit,
                }
            }
            other => {
                let message = format!("there is no operation `{}`", show(other));
                return Err(self.words.wrong(message).help("operations are send, recv and calc"));
            }
        };
        let order = match self.own {
            true => {
                let (order, hint) = own_label(label);
                self.trace.hints.push(hint);
                order.unwrap_or(u64::from(u32::MAX))
            }
            // In the order of the file, rank by rank side by side.
            false => u64::from(self.trace.of_this_rank()),
        };
        let node = self.trace.add(Node {
            what,
            order,
            place: u32::try_from(line).unwrap_or(u32::MAX),
            name: u32::MAX,
        })?;
        if let Some(label) = label {
            self.name(label, node)?;
        }
        Ok(())
    }

    fn name(&mut self, label: &'t [u8], node: OpId) -> Result<(), InputError> {
        let letters = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        if !label[0].is_ascii_alphabetic() || !label.iter().all(letters) {
            let message = format!("`{}` is no label", show(label));
            return Err(self
                .words
                .wrong(message)
                .help("a label is a letter, then letters, digits and underscores"));
        }
        match self.labels.insert(label, node) {
            Ok(()) => Ok(()),
            Err(first) => {
                let line = self.trace.nodes()[first].place;
                let message = format!("the label `{}` stands in line {line} already", show(label));
                Err(self.words.wrong(message).help("a rank has a label once"))
            }
        }
    }

    /// What may stand behind an operation; the tag, or [`ANY`] where it says -1.
    fn options(&mut self, unit: &mut u8) -> Result<u32, InputError> {
        let mut tag = 0;
        loop {
            if self.words.take(b"tag")? {
                tag = self.words.number_or_any("a tag, or -1 for any")?;
            } else if self.words.take(b"cpu")? {
                *unit = self.words.number(255, "the number of a processor")? as u8;
            } else if self.words.take(b"nic")? {
                if self.words.number(255, "the number of a network card")? != 0 {
                    let what = "operations name a network card, which has no effect";
                    self.trace.notes.count(what);
                }
            } else {
                return Ok(tag);
            }
        }
    }

    fn dependency(&mut self, label: &'t [u8]) -> Result<(), InputError> {
        let after = self.labelled(label)?;
        let start = match self.words.next()? {
            Some(b"requires") => false,
            Some(b"irequires") => true,
            other => {
                let what = other.map_or("the end of the file".into(), |word| format!("`{}`", show(word)));
                let message = format!("{what} cannot stand behind `{}`", show(label));
                return Err(self
                    .words
                    .wrong(message)
                    .help("write `l1: send ...`, `l1 requires l2` or `l1 irequires l2`"));
            }
        };
        let Some(other) = self.words.next()? else {
            return Err(self.words.wrong("nothing follows `requires`").help("write a label"));
        };
        let before = self.labelled(other)?;
        self.trace.dependencies.push((before, after, start));
        Ok(())
    }

    fn labelled(&self, label: &[u8]) -> Result<OpId, InputError> {
        self.labels.get(label).ok_or_else(|| {
            let rank = self.trace.ranks();
            let message = format!("rank {rank} has no label `{}` above", show(label));
            self.words
                .wrong(message)
                .help("labels belong to their rank and are defined before they are used")
        })
    }
}

/// What the labels of this program's own files say.
fn own_label(label: Option<&[u8]>) -> (Option<u64>, Hint) {
    let label = label.and_then(|label| label.get(1..)).unwrap_or_default();
    let mut numbers = label.split(|&byte| byte == b'_').map(decimal);
    let order = numbers.next().flatten();
    let step = numbers.next().flatten();
    let hint = Hint {
        step: step.and_then(|step| u32::try_from(step).ok()).unwrap_or(0),
        connection: numbers.next().flatten().unwrap_or(u64::MAX),
    };
    (order, hint)
}
