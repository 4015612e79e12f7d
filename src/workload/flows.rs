//! Flows from a table.

use super::schedule_writer::ScheduleWriter;
use super::time::parse_time;
use super::{Action, Kind, MAX_BYTES};
use crate::ids::RankId;
use crate::input::{Files, InputError};
use crate::units::{Bytes, Time};

super::ranks::ranked! {
    /// Flows from a CSV file with the columns `src,dst,bytes`, or `src,dst,bytes,start_ns`; sources and
    /// destinations are ranks. A first line may name the columns, in any order; without it they are in this one. What
    /// follows a `#` is a comment. A file whose first line is a number alone is a flow.txt of HPCC's ns-3: so many lines
    /// `src dst priority port bytes start`, with the start in seconds.
    pub struct Flows {
        /// The CSV file, or a flow.txt.
        pub file: String,
    }
}

impl Kind for Flows {
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, _seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let text = files.read(&self.file)?;
        if let Some(count) = flow_txt(&text) {
            return self.draw_flow_txt(draft, &text, count);
        }
        let (mut total, mut columns) = (0, None);
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let line = line.split('#').next().unwrap_or_default();
            if line.trim().is_empty() {
                continue;
            }
            let fields: Vec<&str> = line.split(',').map(field).collect();
            let at_line = |(message, help): Wrong| InputError::line(&self.file, number, message).help(help);
            if columns.is_none() && fields.iter().all(|field| field.starts_with(char::is_alphabetic)) {
                columns = Some(Columns::named(&fields).map_err(at_line)?);
                continue;
            }
            let columns = columns.get_or_insert(Columns::UNNAMED);
            let (action, earliest) = columns.flow(&fields, ranks).map_err(at_line)?;
            if let Action::Transfer { bytes, .. } = action {
                total += bytes;
            }
            if total > MAX_BYTES {
                let message = "all flows up to here together exceed 2^62 bytes";
                return Err(InputError::line(&self.file, number, message));
            }
            draft.schedule.add(action, earliest, 0);
        }
        if total == 0 {
            return Err(InputError::file(&self.file, "it has no flow").help("add a line such as `0,1,65536`"));
        }
        Ok(())
    }

    fn is_drawn(&self) -> bool {
        false
    }
}

/// The number of flows that the first line of a flow.txt says, if it is one.
fn flow_txt(text: &str) -> Option<u64> {
    text.lines().next()?.trim().parse().ok()
}

impl Flows {
    /// Flows of HPCC's ns-3, whose priorities and ports mean nothing here.
    fn draw_flow_txt(&self, draft: &mut ScheduleWriter, text: &str, count: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let (mut total, mut flows) = (0_u64, 0);
        let lines = (1..).zip(text.lines()).skip(1);
        for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let at_line = |(message, help): Wrong| InputError::line(&self.file, number, message).help(help);
            let &[src, dst, _, _, bytes, start] = fields.as_slice() else {
                let message = format!("this line has {} fields", fields.len());
                return Err(at_line((
                    message,
                    "a flow is `src dst priority port bytes start`".to_owned(),
                )));
            };
            let (src, dst) = (rank("src", src, ranks), rank("dst", dst, ranks));
            let (src, dst) = (src.map_err(at_line)?, dst.map_err(at_line)?);
            if src == dst {
                let message = format!("rank {src} sends to itself");
                return Err(at_line((message, "source and destination must differ".to_owned())));
            }
            let bytes = size(bytes).map_err(at_line)?;
            let start = parse_time(start, "s").ok_or_else(|| {
                let help = "it must be a time in seconds".to_owned();
                at_line((format!("the start is `{start}`"), help))
            })?;
            total = total.saturating_add(bytes);
            if total > MAX_BYTES {
                let message = "all flows up to here together exceed 2^62 bytes";
                return Err(InputError::line(&self.file, number, message));
            }
            let (src, dst) = (RankId(src), RankId(dst));
            draft.schedule.add(Action::Transfer { src, dst, bytes }, start, 0);
            flows += 1;
        }
        if flows != count || flows == 0 {
            let message = format!("the first line says {count} flows, and there are {flows}");
            return Err(
                InputError::file(&self.file, message).help("correct the count, or look for lines that are missing")
            );
        }
        Ok(())
    }
}

/// What is wrong with a line, and the remedy.
type Wrong = (String, String);

/// The text of a field, without blanks and quotes around it.
fn field(text: &str) -> &str {
    let text = text.trim();
    let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    quoted.unwrap_or(text).trim()
}

/// What columns may be called, in lower case and with `_` for blanks and dashes; a start with its unit.
const SRC: &[&str] = &["src", "source", "sender", "from", "src_rank", "src_host"];
const DST: &[&str] = &["dst", "dest", "destination", "receiver", "to", "dst_rank", "dst_host"];
const BYTES: &[&str] = &["bytes", "size", "size_bytes", "flow_size"];
const START: &[&str] = &["start", "start_time", "time"];
const UNITS: &[&str] = &["ps", "ns", "us", "ms", "s"];

/// How the columns of a table are to be called.
const HELP: &str =
    "columns are src, dst, bytes and, where flows start later, start_ns (or start_us, ...), in any order";

/// Which column holds what.
#[derive(Debug, Clone, Copy)]
struct Columns {
    src: usize,
    dst: usize,
    bytes: usize,
    /// Lines may end before it.
    start: Option<usize>,
    /// Unit of a start that is written without one.
    unit: &'static str,
    /// Most columns of a line.
    width: usize,
}

impl Columns {
    /// The columns where no line names them.
    const UNNAMED: Self = Self {
        src: 0,
        dst: 1,
        bytes: 2,
        start: Some(3),
        unit: "ns",
        width: 4,
    };

    /// The columns as a line names them.
    fn named(names: &[&str]) -> Result<Self, Wrong> {
        let (mut src, mut dst, mut bytes, mut start, mut unit) = (None, None, None, None, "ns");
        for (place, name) in names.iter().enumerate() {
            let plain = name.to_lowercase().replace([' ', '-'], "_");
            let plain = plain.replace(['(', ')', '[', ']'], "");
            let (what, in_unit) = match plain.rsplit_once('_') {
                Some((what, suffix)) if START.contains(&what) => (what, UNITS.iter().find(|&&unit| unit == suffix)),
                _ => (&*plain, None),
            };
            let slot = match what {
                what if SRC.contains(&what) => &mut src,
                what if DST.contains(&what) => &mut dst,
                what if BYTES.contains(&what) => &mut bytes,
                what if START.contains(&what) && (in_unit.is_some() || what == plain) => &mut start,
                _ => return Err((format!("there is no column `{name}`"), HELP.to_owned())),
            };
            unit = in_unit.copied().unwrap_or(unit);
            if let Some(first) = slot.replace(place) {
                let message = format!("`{name}` means the same as the column `{}`", names[first]);
                return Err((message, "remove one of them".to_owned()));
            }
        }
        let need =
            |slot: Option<usize>, name| slot.ok_or_else(|| (format!("no column is called `{name}`"), HELP.to_owned()));
        Ok(Self {
            src: need(src, "src")?,
            dst: need(dst, "dst")?,
            bytes: need(bytes, "bytes")?,
            start,
            unit,
            width: names.len(),
        })
    }

    /// A flow from the fields of its line.
    fn flow(&self, fields: &[&str], ranks: u32) -> Result<(Action<RankId>, Time), Wrong> {
        let without_start = self.width - usize::from(self.start == Some(self.width - 1));
        if !(without_start..=self.width).contains(&fields.len()) {
            let expected = match without_start {
                least if least < self.width => format!("{least} or {}", self.width),
                _ => self.width.to_string(),
            };
            let message = format!(
                "this line has {} columns where there should be {expected}",
                fields.len()
            );
            return Err((message, format!("{HELP}, with commas between them")));
        }
        let src = rank("src", fields[self.src], ranks)?;
        let dst = rank("dst", fields[self.dst], ranks)?;
        if src == dst {
            let message = format!("rank {src} sends to itself");
            return Err((message, "`src` and `dst` must differ".to_owned()));
        }
        let bytes = size(fields[self.bytes])?;
        let start = self.start.and_then(|place| fields.get(place)).copied();
        let earliest = match start.filter(|start| !start.is_empty()) {
            Some(start) => parse_time(start, self.unit).ok_or_else(|| {
                let help = format!("it must be a time, in {} where no unit is written", self.unit);
                (format!("the start is `{start}`"), help)
            })?,
            None => Time::ZERO,
        };
        let (src, dst) = (RankId(src), RankId(dst));
        Ok((Action::Transfer { src, dst, bytes }, earliest))
    }
}

fn rank(name: &str, text: &str, ranks: u32) -> Result<u32, Wrong> {
    let rank = text.parse().ok().filter(|&rank: &u32| rank < ranks);
    rank.ok_or_else(|| {
        let help = format!("it must be a whole number from 0 to {}", ranks - 1);
        (format!("`{name}` is `{text}`"), help)
    })
}

fn size(text: &str) -> Result<u64, Wrong> {
    let bytes = text
        .parse()
        .ok()
        .filter(|bytes: &Bytes| (1..=MAX_BYTES).contains(&bytes.0));
    bytes.map(|bytes| bytes.0).ok_or_else(|| {
        let help = format!("it must be a size from 1 to {MAX_BYTES} bytes, such as 65536, 64KiB or 1MB");
        (format!("`bytes` is `{text}`"), help)
    })
}
