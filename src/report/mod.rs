//! Tables and plots, from records alone.
//!
//! ```text
//! table      rows of any kind -> aligned text, Markdown
//! nccl_tests rows of results -> the columns and JSON keys of nccl-tests
//! summary    how many times as fast as the others the best scheme is
//! compare    two results folders, row by row
//! folder     the points of a results folder, by subject and series
//! plots      a results folder -> SVG, PNG, and the CSV behind each
//! ```

pub mod compare;
mod error;
mod folder;
mod math;
pub mod nccl_tests;
pub mod plots;
mod summary;
pub mod table;

pub use error::ReportError;
pub use summary::summary;
