//! What is kept of a run: the schema of every file, and who writes and reads them.
//!
//! ```text
//! number     how numbers are written        rows      results.csv, and what bound and place print
//! point_key  what names a point in them     swept     what the points of an experiment differ in
//! details    the other files of a point     table     rows as CSV and JSON
//! record     record.json                    points    points.csv
//! manifest   manifest.json                  store     the results folder, written
//! folder     the same, read back            files     written whole
//! merge      results.csv from the points       parquet  results.parquet, behind the feature
//! ```

mod details;
mod files;
mod folder;
mod manifest;
mod merge;
mod number;
#[cfg(feature = "parquet")]
mod parquet;
mod point_key;
mod points;
mod read_error;
mod record;
mod rows;
mod store;
mod swept;
mod table;

pub use details::{
    BufferRow, Details, Direction, FabricRow, FlowRow, JobRow, LinkRow, OpRow, PacketsRow, PathRow, PortRow, SenderRow,
    SeriesRow, TimelineRow,
};
pub use files::{named, names, remove, remove_plots, replace};
pub use folder::{Folder, FolderPoint};
pub use manifest::{Machine, Manifest, utc};
pub use merge::{Merged, merge};
pub use number::{Number, microseconds, ratio};
pub use point_key::{PointKey, PointRow};
pub use points::PointList;
pub use read_error::ReadError;
pub use record::{RESULTS_VERSION, Record, Skipped, is_whole};
pub use rows::{BoundRow, DesignRow, FleetRow, PlaceRow, PriceRow, ResultRow, TimingRow, TrialRow, WeightRow};
pub use store::{PARQUET_REMEDY, Store};
pub use swept::{Swept, cell};
pub use table::{columns, read_csv, write_csv, write_points_csv, write_points_json};
