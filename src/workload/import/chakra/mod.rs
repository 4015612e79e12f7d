//! Chakra execution traces: one file per rank, with what the rank computes, sends and takes part in.

mod groups;
pub(crate) mod messages;
mod node;
mod read;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::algorithms::Algorithms;
use super::collective::How;
use super::draw::draw;
use super::trace::{Places, Trace};
use crate::input::{Files, InputError};
use crate::workload::schedule_writer::ScheduleWriter;
use crate::workload::{Flops, Kind};
use node::Reader;

crate::workload::ranks::ranked! {
    /// Chakra execution traces (`.et`, also compressed by gzip), one file for each rank. Ranks are those of the files.
    pub struct Chakra {
        /// What the names of the files begin with: rank r is in `<prefix>.<r>.et`.
        pub prefix: String,
        /// A JSON file of communicator groups, `{"<id>": [rank, ...]}`; a node chooses one by its `pg_name`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub groups: Option<GroupsFile>,
        /// How collectives are carried out: one algorithm for all that have it, or a table by collective.
        #[serde(default, skip_serializing_if = "Algorithms::is_default")]
        pub algorithm: Algorithms,
        /// Rings pass on what arrives at once, one transfer for every connection.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub pipelined: bool,
        /// Floating-point operations of a rank per second: computations take `num_ops` over it. Without it they take the
        /// duration in the file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub peak: Option<Flops>,
    }
}

/// A file of communicator groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupsFile {
    /// The file.
    pub file: String,
}

impl Kind for Chakra {
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, seed: u64) -> Result<(), InputError> {
        self.algorithm.check()?;
        let trace = self.read(draft.ranks(), files)?;
        let how = How {
            algorithm: &self.algorithm,
            pipelined: self.pipelined,
        };
        draw(trace, draft, &how, files, seed)
    }
}

impl Chakra {
    /// The files of all ranks.
    fn read(&self, ranks: u32, files: &dyn Files) -> Result<Trace, InputError> {
        let named = match &self.groups {
            Some(GroupsFile { file }) => groups::read(file, &files.read(file)?)?,
            None => Vec::new(),
        };
        let mut reader = Reader::new(Trace::new(&self.prefix, Places::Ids), named, self.peak);
        for rank in 0..=ranks {
            let file = file_name(&self.prefix, rank);
            if rank > 0 && !files.exists(&file) {
                break;
            }
            if rank == ranks {
                let message = format!("there is a file of rank {rank}, and there are {ranks} ranks");
                return Err(InputError::file(&self.prefix, message).help("take a larger fabric, or more `ranks`"));
            }
            reader.file(&file, files)?;
        }
        reader.finish(self.groups.as_ref().map(|groups| groups.file.as_str()))
    }
}

/// The file of a rank.
pub(super) fn file_name(prefix: &str, rank: u32) -> String {
    format!("{prefix}.{rank}.et")
}
