//! One self-contained page about a results folder: no request leaves it, and it opens without a network.
//!
//! ```text
//! data     what the script of the page draws: rows, settings, fabrics, details
//! cells    results.csv, cell by cell as it is written
//! fabric   nodes and links with their faults        details  flows, links and operations of a point
//! series   queues and rates over time, in bytes     verdict  the sentence on top
//! layout   the page itself, with the table          *.css *.js  how it looks and what it draws
//! ```

mod cells;
mod data;
mod details;
mod fabric;
mod layout;
mod series;
mod verdict;

use std::fs;
use std::path::Path;

use super::ReportError;
use super::folder::Folder;
use crate::input::open_file;
use cells::Cells;
use data::Data;

/// How a page is made.
#[derive(Debug, Clone, Default)]
pub struct PageOptions {
    /// Points whose details come first; by themselves, those of the largest size and the first seed.
    pub points: Vec<u32>,
    /// Where the page asks for news of a running experiment; a page in a file asks for none.
    pub live: Option<String>,
}

/// A page, and how many points it shows in detail of those that have details.
#[derive(Debug)]
pub struct Page {
    /// The page, in one file.
    pub html: String,
    /// How many points have their details on it.
    pub detailed: usize,
    /// How many points have details.
    pub with_details: usize,
}

/// Makes the page of a results folder.
///
/// # Errors
/// A folder that cannot be read.
pub fn page(dir: &Path, options: &PageOptions) -> Result<Page, ReportError> {
    let folder = Folder::open(dir)?;
    let cells = Cells::read(dir)?;
    let data = Data::of(&folder, &cells, &options.points)?;
    let verdict = verdict::verdict(&folder, &data)?;
    let text = dir.join("experiment.toml");
    let experiment = match open_file(&text).and_then(std::io::read_to_string) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(ReportError::file(&text, error)),
    };
    Ok(Page {
        html: layout::page(&verdict, &cells, &data, &experiment, options.live.as_deref()),
        detailed: data.details.len(),
        with_details: data.with_details,
    })
}

/// The page of a run of which no point is done yet.
#[cfg(feature = "server")]
pub fn waiting(live: &str) -> String {
    layout::waiting(live)
}

/// Writes the page into a file, whole or not at all.
///
/// # Errors
/// A file that cannot be written.
pub fn write_page(page: &Page, path: &Path) -> Result<(), ReportError> {
    let draft = path.with_extension(format!("{}.part", std::process::id()));
    fs::write(&draft, &page.html)
        .and_then(|()| fs::rename(&draft, path))
        .map_err(|error| {
            let _ = fs::remove_file(&draft);
            ReportError::file(path, error)
        })
}
