//! Records of the NCCL Inspector: a JSON object for each collective of a communicator, one a line.
//!
//! ```text
//! {"header": {"id", "rank", "n_ranks", ...}, "metadata": {...}, "coll_perf": {"coll", "coll_sn", "coll_msg_size_bytes", ...}}
//! ```

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Deserialize;

use super::algorithms::Algorithms;
use super::collective::{Collective, How};
use super::notes::Notes;
use crate::input::{Files, InputError};
use crate::workload::program::{Operation, Work, assemble};
use crate::workload::purpose::Purpose;
use crate::workload::schedule_writer::ScheduleWriter;
use crate::workload::{CollectiveName, Kind, MAX_BYTES};

super::super::ranks::ranked! {
    /// Records of the NCCL Inspector (JSON, one a line). Each rank does its collectives one after the other; what it did
    /// between them is not in the file. Which ranks a communicator has is known where all of them, or one of all ranks,
    /// are recorded; otherwise all ranks in groups of that size do the same.
    pub struct Inspector {
        /// The file.
        pub file: String,
        /// How collectives are carried out: one algorithm for all that have it, or a table by collective.
        #[serde(default, skip_serializing_if = "Algorithms::is_default")]
        pub algorithm: Algorithms,
        /// Rings pass on what arrives at once, one transfer for every connection.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub pipelined: bool,
    }
}

#[derive(Debug, Deserialize)]
struct Record {
    header: Header,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    coll_perf: Option<Performance>,
}

#[derive(Debug, Deserialize)]
struct Header {
    id: String,
    rank: u32,
    n_ranks: u32,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    pid: u64,
}

#[derive(Debug, Deserialize)]
struct Performance {
    coll: String,
    coll_sn: u64,
    coll_msg_size_bytes: u64,
}

impl Kind for Inspector {
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, seed: u64) -> Result<(), InputError> {
        self.algorithm.check()?;
        let mut notes = Notes::default();
        let text = files.read(&self.file)?;
        let mut log = Log::parse(&self.file, &text, &mut notes)?;
        drop(text);
        log.find_members(draft.ranks(), &mut notes)?;
        let how = How {
            algorithm: &self.algorithm,
            pipelined: self.pipelined,
        };
        let kinds: Vec<Box<dyn Kind>> = log
            .done
            .iter()
            .map(|done| done.collective.kind(done.ranks, &how))
            .collect();
        assemble(draft, &log.operations(&kinds), 1, files, seed)?;
        notes.tell(&self.file, &mut draft.schedule);
        Ok(())
    }
}

/// A process of the job.
type Process = (String, u64);

/// All records.
struct Log {
    file: String,
    /// By communicator.
    communicators: HashMap<String, Communicator>,
    /// Collectives in the order in which they were first recorded.
    done: Vec<Done>,
}

struct Communicator {
    line: usize,
    ranks: u32,
    /// The processes that recorded something, by their rank in it.
    processes: BTreeMap<u32, Process>,
    groups: Vec<Vec<u32>>,
}

/// A collective of a communicator.
struct Done {
    communicator: String,
    ranks: u32,
    collective: Collective,
    line: usize,
}

impl Log {
    fn parse(file: &str, text: &str, notes: &mut Notes) -> Result<Self, InputError> {
        let mut log = Self {
            file: file.to_owned(),
            communicators: HashMap::new(),
            done: Vec::new(),
        };
        let mut known: HashMap<(String, u64), usize> = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim().trim_start_matches('[').trim_end_matches([',', ']']);
            if line.is_empty() {
                continue;
            }
            let record: Record = serde_json::from_str(line).map_err(|error| {
                let message = format!("it is no record of a collective: {error}");
                InputError::line(file, number, message)
                    .help("each line is one JSON object with `header` and `coll_perf`")
            })?;
            let Some(performance) = &record.coll_perf else {
                notes.count("records without a collective are left out");
                continue;
            };
            let (collective, key) = log.record(number, &record, performance)?;
            match known.get(&key) {
                Some(&first) => log.agree(first, collective, number)?,
                None => {
                    known.insert(key, log.done.len());
                    log.done.push(Done {
                        communicator: record.header.id.clone(),
                        ranks: record.header.n_ranks,
                        collective,
                        line: number,
                    });
                }
            }
        }
        log.done.retain(|done| done.ranks > 1);
        if log.done.is_empty() {
            return Err(InputError::file(file, "it has no collective of several ranks")
                .help("is it a file of the NCCL Inspector?"));
        }
        Ok(log)
    }

    /// Notes who made a record; what it is about.
    fn record(
        &mut self,
        line: usize,
        record: &Record,
        performance: &Performance,
    ) -> Result<(Collective, (String, u64)), InputError> {
        let wrong = |message: String| InputError::line(&self.file, line, message);
        let Record { header, metadata, .. } = record;
        let Some(name) = CollectiveName::of(&performance.coll) else {
            return Err(wrong(format!("there is no collective `{}`", performance.coll)).help(
                "there are AllReduce, AllGather, ReduceScatter, Broadcast, Reduce, AllToAll, Gather and Scatter",
            ));
        };
        if performance.coll_msg_size_bytes > MAX_BYTES {
            return Err(wrong(format!(
                "{} bytes are more than 2^62",
                performance.coll_msg_size_bytes
            )));
        }
        if header.rank >= header.n_ranks {
            let message = format!("rank {} of a communicator of {} ranks", header.rank, header.n_ranks);
            return Err(wrong(message).help("ranks are numbered from 0"));
        }
        let communicator = self
            .communicators
            .entry(header.id.clone())
            .or_insert_with(|| Communicator {
                line,
                ranks: header.n_ranks,
                processes: BTreeMap::new(),
                groups: Vec::new(),
            });
        if communicator.ranks != header.n_ranks {
            let message = format!(
                "communicator {} has {} ranks here, and {} in line {}",
                header.id, header.n_ranks, communicator.ranks, communicator.line
            );
            return Err(InputError::line(&self.file, line, message));
        }
        let process = (metadata.hostname.clone(), metadata.pid);
        communicator.processes.insert(header.rank, process);
        // Those are written with the share of one rank.
        let shares = match name {
            CollectiveName::AllGather | CollectiveName::ReduceScatter => u64::from(header.n_ranks),
            _ => 1,
        };
        let bytes = performance.coll_msg_size_bytes.saturating_mul(shares).min(MAX_BYTES);
        Ok((Collective { name, bytes }, (header.id.clone(), performance.coll_sn)))
    }

    /// Whether two ranks recorded the same collective.
    fn agree(&self, first: usize, collective: Collective, line: usize) -> Result<(), InputError> {
        let known = &self.done[first];
        if known.collective == collective {
            return Ok(());
        }
        let message = format!(
            "the collective is here {} of {} bytes, and in line {} {} of {} bytes",
            collective.name.text(),
            collective.bytes,
            known.line,
            known.collective.name.text(),
            known.collective.bytes
        );
        Err(InputError::line(&self.file, line, message).help("all ranks of a communicator do the same"))
    }

    /// Which ranks each communicator has.
    fn find_members(&mut self, ranks: u32, notes: &mut Notes) -> Result<(), InputError> {
        let largest = self
            .communicators
            .values()
            .max_by_key(|communicator| communicator.processes.len());
        let world: HashMap<Process, u32> = match largest {
            Some(largest) if largest.processes.len() == largest.ranks as usize => largest
                .processes
                .iter()
                .map(|(&rank, process)| (process.clone(), rank))
                .collect(),
            _ => HashMap::new(),
        };
        let mut names: Vec<String> = self.communicators.keys().cloned().collect();
        names.sort();
        for name in names {
            let Some(communicator) = self.communicators.get_mut(&name) else {
                continue;
            };
            let size = communicator.ranks;
            let wrong = |message: String| InputError::line(&self.file, communicator.line, message);
            if size > ranks {
                let message = format!("communicator {name} has {size} ranks, and there are {ranks}");
                return Err(wrong(message).help("take a larger fabric, or more `ranks`"));
            }
            let members: Vec<u32> = communicator
                .processes
                .values()
                .filter_map(|process| world.get(process).copied())
                .collect();
            let mut distinct = members.clone();
            distinct.sort_unstable();
            distinct.dedup();
            communicator.groups = if distinct.len() == size as usize {
                vec![members]
            } else if size == ranks {
                vec![(0..ranks).collect()]
            } else {
                if !ranks.is_multiple_of(size) {
                    let message = format!("communicator {name} has {size} ranks, which do not divide {ranks} evenly");
                    return Err(wrong(message).help("which ranks it has is not in the file: write `ranks`"));
                }
                notes.count(
                    "communicators are taken for all groups of their size, as not all of their ranks are recorded",
                );
                (0..ranks)
                    .step_by(size as usize)
                    .map(|first| (first..first + size).collect())
                    .collect()
            };
        }
        Ok(())
    }

    fn operations<'k>(&self, kinds: &'k [Box<dyn Kind>]) -> Vec<Operation<'k>> {
        let mut last: HashMap<u32, usize> = HashMap::new();
        let mut operations = Vec::with_capacity(self.done.len());
        for (number, (done, kind)) in self.done.iter().zip(kinds).enumerate() {
            let groups = self.communicators[&done.communicator].groups.clone();
            let ranks = || groups.iter().flatten();
            let mut after: Vec<usize> = ranks().filter_map(|rank| last.get(rank).copied()).collect();
            after.sort_unstable();
            after.dedup();
            last.extend(ranks().map(|&rank| (rank, number)));
            operations.push(Operation {
                name: Arc::from(format!("{} {number}", done.collective.name.text())),
                key: String::new(),
                work: Work::Communicate(&**kind),
                purpose: Purpose::Communication,
                groups,
                after,
            });
        }
        operations
    }
}
