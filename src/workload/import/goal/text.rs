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
use crate::input::InputError;
use crate::quick_map::QuickMap;
use crate::units::Time;
use crate::workload::MAX_BYTES;

/// Picoseconds of a nanosecond.
const NANOSECOND: u64 = 1_000;

/// The program of all ranks.
pub(super) fn read(file: &str, text: &[u8]) -> Result<Trace, InputError> {
    let own = text.starts_with(GOAL_MARK.as_bytes());
    let mut parser = Parser {
        words: Words {
            file,
            rest: text,
            line: 1,
            ahead: None,
        },
        trace: Trace::new(file, Places::Lines),
        own,
        labels: QuickMap::default(),
    };
    parser.words.keyword("num_ranks")?;
    let line = parser.words.line;
    let ranks = parser.words.number(u64::from(u32::MAX) - 1, "a number of ranks")?;
    if ranks == 0 {
        return Err(InputError::line(file, line, "there are 0 ranks").help("there must be at least 2"));
    }
    while parser.words.peek()?.is_some() {
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
    labels: QuickMap<&'t [u8], OpId>,
}

impl<'t> Parser<'t> {
    /// One block.
    fn rank(&mut self, ranks: u64) -> Result<(), InputError> {
        self.words.keyword("rank")?;
        let expected = u64::from(self.trace.ranks());
        let rank = self.words.number(u64::from(u32::MAX), "the number of the rank")?;
        if rank != expected || rank >= ranks {
            let message = format!("rank {rank} comes here, and there should be rank {expected} of {ranks}");
            return Err(self.words.wrong(message).help("ranks come in order, each once, from 0"));
        }
        self.words.keyword("{")?;
        self.labels.clear();
        loop {
            let Some(word) = self.words.next()? else {
                return Err(self.words.wrong(format!("rank {rank} has no end")).help("write `}`"));
            };
            match word {
                b"}" => break,
                b"send" | b"recv" | b"calc" => self.operation(word, None)?,
                label if self.words.peek()? == Some(b":") => {
                    self.words.next()?;
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
        let line = self.words.line;
        let mut unit = 0;
        let what = match word {
            b"send" => {
                let bytes = self.words.size()?;
                self.words.keyword("to")?;
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
                self.words.keyword("from")?;
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
        let (order, hint) = self.own_label(label);
        let node = self.trace.add(Node {
            what,
            order: order.unwrap_or(u64::from(u32::MAX)),
            place: u32::try_from(line).unwrap_or(u32::MAX),
            name: u32::MAX,
        })?;
        if self.own {
            self.trace.hints.push(hint);
        } else {
            // In the order of the file, rank by rank side by side.
            self.trace.node_mut(node).order = u64::from(node.0 - self.trace.rank_start().0);
        }
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
            None => Ok(()),
            Some(first) => {
                let line = self.trace.nodes()[first].place;
                let message = format!("the label `{}` stands in line {line} already", show(label));
                Err(self.words.wrong(message).help("a rank has a label once"))
            }
        }
    }

    /// What the labels of this program's own files say.
    fn own_label(&self, label: Option<&[u8]>) -> (Option<u64>, Hint) {
        let none = Hint {
            step: 0,
            connection: u64::MAX,
        };
        let text = label
            .filter(|_| self.own)
            .and_then(|label| std::str::from_utf8(label).ok());
        let Some(text) = text else { return (None, none) };
        let mut numbers = text
            .get(1..)
            .unwrap_or_default()
            .split('_')
            .map(|part| part.parse::<u64>().ok());
        let order = numbers.next().flatten();
        let hint = Hint {
            step: numbers
                .next()
                .flatten()
                .and_then(|step| u32::try_from(step).ok())
                .unwrap_or(0),
            connection: numbers.next().flatten().unwrap_or(u64::MAX),
        };
        (order, hint)
    }

    /// What may stand behind an operation; the tag, or [`ANY`] where it says -1 and where there is none.
    fn options(&mut self, unit: &mut u8) -> Result<u32, InputError> {
        let mut tag = 0;
        while let Some(word) = self.words.peek()? {
            match word {
                b"tag" => {
                    self.words.next()?;
                    tag = self.words.number_or_any("a tag, or -1 for any")?;
                }
                b"cpu" => {
                    self.words.next()?;
                    *unit = self.words.number(255, "the number of a processor")? as u8;
                }
                b"nic" => {
                    self.words.next()?;
                    if self.words.number(255, "the number of a network card")? != 0 {
                        self.trace
                            .notes
                            .count("operations name a network card, which has no effect");
                    }
                }
                _ => break,
            }
        }
        Ok(tag)
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
        self.labels.get(label).copied().ok_or_else(|| {
            let rank = self.trace.ranks();
            let message = format!("rank {rank} has no label `{}` above", show(label));
            self.words
                .wrong(message)
                .help("labels belong to their rank and are defined before they are used")
        })
    }
}

fn show(word: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(word).chars().take(40).collect();
    text.escape_debug().to_string()
}

/// By byte, whether a word ends before it.
const ENDS: [bool; 256] = {
    let (mut ends, marks) = ([false; 256], b" \t\r\n{}:");
    let mut at = 0;
    while at < marks.len() {
        ends[marks[at] as usize] = true;
        at += 1;
    }
    ends
};

/// The words of a file; `{`, `}` and `:` are words by themselves.
struct Words<'t> {
    file: &'t str,
    rest: &'t [u8],
    /// Of the last word.
    line: usize,
    /// A word that was looked at, with its line.
    ahead: Option<(Option<&'t [u8]>, usize)>,
}

impl<'t> Words<'t> {
    fn wrong(&self, message: impl Into<String>) -> InputError {
        InputError::line(self.file, self.line, message)
    }

    fn next(&mut self) -> Result<Option<&'t [u8]>, InputError> {
        if let Some((word, line)) = self.ahead.take() {
            self.line = line;
            return Ok(word);
        }
        self.read()
    }

    /// The next word, which stays the next.
    fn peek(&mut self) -> Result<Option<&'t [u8]>, InputError> {
        if let Some((word, _)) = self.ahead {
            return Ok(word);
        }
        let line = self.line;
        let word = self.read()?;
        self.ahead = Some((word, self.line));
        self.line = line;
        Ok(word)
    }

    fn read(&mut self) -> Result<Option<&'t [u8]>, InputError> {
        while let [byte, rest @ ..] = self.rest {
            match byte {
                b' ' | b'\t' | b'\r' => self.rest = rest,
                b'\n' => {
                    self.line += 1;
                    self.rest = rest;
                }
                b'/' if rest.first() == Some(&b'/') => {
                    let end = self.rest.iter().position(|&byte| byte == b'\n');
                    self.rest = &self.rest[end.unwrap_or(self.rest.len())..];
                }
                b'/' if rest.first() == Some(&b'*') => self.skip_comment()?,
                _ => {
                    let others = rest.iter().position(|&byte| ENDS[usize::from(byte)]);
                    let end = match ENDS[usize::from(*byte)] {
                        true => 1,
                        false => 1 + others.unwrap_or(rest.len()),
                    };
                    let (word, rest) = self.rest.split_at(end);
                    self.rest = rest;
                    return Ok(Some(word));
                }
            }
        }
        Ok(None)
    }

    fn skip_comment(&mut self) -> Result<(), InputError> {
        let Some(end) = self.rest[2..].windows(2).position(|pair| pair == b"*/") else {
            return Err(self.wrong("the comment has no end").help("write `*/`"));
        };
        let (comment, rest) = self.rest.split_at(end + 4);
        self.line += comment.iter().filter(|&&byte| byte == b'\n').count();
        self.rest = rest;
        Ok(())
    }

    fn keyword(&mut self, expected: &str) -> Result<(), InputError> {
        let found = self.next()?;
        if found == Some(expected.as_bytes()) {
            return Ok(());
        }
        let found = found.map_or("the end of the file".into(), |word| format!("`{}`", show(word)));
        Err(self.wrong(format!("{found} is where `{expected}` should be")))
    }

    /// A decimal number of at most `most`.
    fn number(&mut self, most: u64, what: &str) -> Result<u64, InputError> {
        let word = self.next()?.unwrap_or_default();
        self.parse(word, word, most, what)
    }

    fn parse(&self, word: &[u8], digits: &[u8], most: u64, what: &str) -> Result<u64, InputError> {
        let mut value = 0_u64;
        let mut fits = !digits.is_empty();
        for &byte in digits {
            fits &= byte.is_ascii_digit();
            let next = value
                .checked_mul(10)
                .and_then(|value| value.checked_add(u64::from(byte.wrapping_sub(b'0'))));
            match next {
                Some(next) if fits => value = next,
                _ => {
                    fits = false;
                    break;
                }
            }
        }
        if fits && value <= most {
            return Ok(value);
        }
        let message = format!("`{}` is where {what} should be", show(word));
        Err(self
            .wrong(message)
            .help(format!("it must be a whole number from 0 to {most}")))
    }

    /// The same, where -1 stands for any.
    fn number_or_any(&mut self, what: &str) -> Result<u32, InputError> {
        if self.peek()? == Some(b"-1") {
            self.next()?;
            return Ok(ANY);
        }
        Ok(self.number(u64::from(ANY) - 1, what)? as u32)
    }

    /// A number of bytes, with `b` behind it.
    fn size(&mut self) -> Result<u64, InputError> {
        let word = self.next()?.unwrap_or_default();
        match word.strip_suffix(b"b") {
            Some(digits) => self.parse(word, digits, MAX_BYTES, "a number of bytes"),
            None => {
                let message = format!("`{}` is where a number of bytes should be", show(word));
                Err(self.wrong(message).help("write it with its `b`, such as `1024b`"))
            }
        }
    }
}
