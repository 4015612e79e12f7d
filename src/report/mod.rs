//! Tables and plots, from records alone.
//!
//! ```text
//! table      rows of any kind -> aligned text, Markdown
//! nccl_tests rows of results -> the columns and JSON keys of nccl-tests
//! ranking    which scheme is the fastest, by how much; summary says it in lines
//! step       where the time of a training step goes
//! compare    two results folders, row by row
//! folder     the points of a results folder, by subject and series
//! plots      a results folder -> SVG, PNG, and the CSV behind each
//! html       a results folder -> one page
//! trace      a point -> a trace that Perfetto opens
//! ```

pub mod compare;
mod error;
mod folder;
pub mod html;
mod math;
pub mod nccl_tests;
pub mod plots;
mod ranking;
mod step;
mod summary;
pub mod table;
pub mod trace;

pub use error::ReportError;
pub use summary::summary;
