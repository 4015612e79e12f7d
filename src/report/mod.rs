//! Tables and plots, from records alone.
//!
//! ```text
//! table    rows of any kind -> aligned text, Markdown
//! folder   the points of a results folder, by subject and series
//! plots    a results folder -> SVG, PNG, and the CSV behind each
//! ```

mod error;
mod folder;
pub mod plots;
pub mod table;

pub use error::ReportError;
