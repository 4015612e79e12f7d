//! The binary form of a GOAL program: little endian, without gaps.
//!
//! ```text
//! u64 4223
//! u32 ranks, u8 largest processor, u8 largest network card            offsets below count from here
//! of each rank: u64 start, u64 end
//! of each rank, from its start: u32 nodes, u32 roots, u32 of each root, nodes of 39 bytes, u32 of each dependency
//! a node: u32 number of causes, u8 type (1 send, 2 receive, 3 computation), u32 peer, u64 size or time, u32 tag,
//!         u8 processor, u8 network card, and twice (what waits for its end, what waits for its start) u32 how many
//!         dependencies, u32 the first of them
//! ```

use super::super::trace::{Node, OpId, Places, Trace, What};
use crate::input::InputError;
use crate::units::Time;
use crate::workload::MAX_BYTES;

const MAGIC: u64 = 4223;
/// Of the table of ranks, behind the magic number.
const HEADER: usize = 8 + 4 + 1 + 1;
const NODE: usize = 39;

/// Whether a file is one: text begins with a word.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    bytes.get(..8) == Some(&MAGIC.to_le_bytes()) || bytes.iter().take(64).any(|&byte| byte == 0)
}

/// The program of all ranks.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Trace, InputError> {
    let wrong = |message: String| InputError::file(file, message).help("is it a binary GOAL program, and complete?");
    let magic = bytes
        .get(..8)
        .map(|magic| u64::from_le_bytes(magic.try_into().unwrap_or_default()));
    if magic != Some(MAGIC) {
        let found = magic.map_or("too short for one".to_owned(), |magic| magic.to_string());
        return Err(wrong(format!("its magic number is {found}, and should be {MAGIC}")));
    }
    let mut header = Cursor { bytes, at: 8 };
    let cut_off = |what: &str| wrong(format!("{what} is cut off: the file has {} bytes", bytes.len()));
    let ranks = header.u32().ok_or_else(|| cut_off("the header"))?;
    let table = HEADER as u64 + u64::from(ranks) * 16;
    if bytes.len() as u64 <= table {
        return Err(cut_off(&format!("the table of {ranks} ranks")));
    }
    header.at = HEADER;
    let mut trace = Trace::new(file, Places::Ids);
    for rank in 0..ranks {
        let bounds = header.u64().zip(header.u64());
        let part = bounds.and_then(|(start, end)| {
            let start = usize::try_from(start).ok()?.checked_add(8)?;
            let end = usize::try_from(end).ok()?.checked_add(8)?;
            bytes.get(start..end)
        });
        let Some(part) = part else {
            return Err(wrong(format!(
                "rank {rank}: its part lies outside of the {} bytes of the file",
                bytes.len()
            )));
        };
        one_rank(&mut trace, part, rank, &wrong)?;
        trace.end_rank();
    }
    if ranks == 0 {
        return Err(wrong("it has no ranks".to_owned()));
    }
    Ok(trace)
}

/// The nodes of a rank.
fn one_rank(trace: &mut Trace, part: &[u8], rank: u32, wrong: &dyn Fn(String) -> InputError) -> Result<(), InputError> {
    let short = || wrong(format!("rank {rank}: its part is cut off, at {} bytes", part.len()));
    let mut cursor = Cursor { bytes: part, at: 0 };
    let (count, roots) = cursor.u32().zip(cursor.u32()).ok_or_else(short)?;
    let nodes_at = 8 + 4 * u64::from(roots);
    let appendix_at = nodes_at + NODE as u64 * u64::from(count);
    if appendix_at > part.len() as u64 {
        return Err(short());
    }
    let appendix = &part[appendix_at as usize..];
    let first = trace.rank_start();
    let mut causes = vec![0_u32; count as usize];
    for number in 0..count {
        let mut node = Cursor {
            bytes: &part[..appendix_at as usize],
            at: nodes_at as usize + NODE * number as usize,
        };
        let fields = node.node().ok_or_else(short)?;
        let what = fields
            .what()
            .map_err(|message| wrong(format!("rank {rank}, node {number}: {message}")))?;
        if fields.card != 0 {
            trace.notes.count("operations name a network card, which has no effect");
        }
        let added = trace.add(Node {
            what,
            order: u64::from(number),
            place: number,
            name: u32::MAX,
        })?;
        causes[number as usize] = fields.causes;
        for (how_many, first_of, start) in [
            (fields.ends.0, fields.ends.1, false),
            (fields.starts.0, fields.starts.1, true),
        ] {
            for place in u64::from(first_of)..u64::from(first_of) + u64::from(how_many) {
                let after = usize::try_from(place * 4)
                    .ok()
                    .and_then(|at| Cursor { bytes: appendix, at }.u32());
                match after.filter(|&after| after < count) {
                    Some(after) => trace.dependencies.push((added, OpId(first.0 + after), start)),
                    None => {
                        let message =
                            format!("rank {rank}, node {number}: dependency {place} names no node of the rank");
                        return Err(wrong(message));
                    }
                }
            }
        }
    }
    check_causes(trace, first, &causes, rank, wrong)
}

/// Whether nodes are waited for as often as they say.
fn check_causes(
    trace: &Trace,
    first: OpId,
    causes: &[u32],
    rank: u32,
    wrong: &dyn Fn(String) -> InputError,
) -> Result<(), InputError> {
    let mut found = vec![0_u32; causes.len()];
    for &(_, after, _) in trace
        .dependencies
        .iter()
        .rev()
        .take_while(|&&(before, ..)| before >= first)
    {
        found[(after.0 - first.0) as usize] += 1;
    }
    match causes.iter().zip(&found).position(|(said, found)| said != found) {
        Some(node) => Err(wrong(format!(
            "rank {rank}, node {node}: it says that it waits for {} others, and {} name it",
            causes[node], found[node]
        ))),
        None => Ok(()),
    }
}

/// A node as it is written.
struct Fields {
    causes: u32,
    kind: u8,
    peer: u32,
    size: u64,
    tag: u32,
    processor: u8,
    card: u8,
    ends: (u32, u32),
    starts: (u32, u32),
}

impl Fields {
    fn what(&self) -> Result<What, String> {
        let bytes = || match self.size {
            bytes if bytes <= MAX_BYTES => Ok(bytes),
            bytes => Err(format!("it has {bytes} bytes, more than 2^62")),
        };
        Ok(match self.kind {
            1 => What::Send {
                to: self.peer,
                tag: self.tag,
                bytes: bytes()?,
            },
            2 => What::Receive {
                from: self.peer,
                tag: self.tag,
                bytes: bytes()?,
            },
            3 => What::Compute {
                time: self
                    .size
                    .checked_mul(1_000)
                    .filter(|&ps| ps <= i64::MAX as u64)
                    .map(Time)
                    .ok_or_else(|| format!("it computes for {} ns, more than 106 days", self.size))?,
                unit: self.processor,
            },
            other => return Err(format!("there is no type {other}")),
        })
    }
}

struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(N)?)?;
        self.at += N;
        taken.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        Some(self.take::<1>()?[0])
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take()?))
    }

    fn node(&mut self) -> Option<Fields> {
        Some(Fields {
            causes: self.u32()?,
            kind: self.u8()?,
            peer: self.u32()?,
            size: self.u64()?,
            tag: self.u32()?,
            processor: self.u8()?,
            card: self.u8()?,
            ends: (self.u32()?, self.u32()?),
            starts: (self.u32()?, self.u32()?),
        })
    }
}
