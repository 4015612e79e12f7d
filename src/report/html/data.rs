//! What the script of the page draws.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::cells::{Cells, value};
use super::details::{Detail, Details};
use super::fabric::Fabric;
use crate::report::ReportError;
use crate::report::folder::{Folder, Point, quantity};

/// All that the page knows.
#[derive(Debug, Serialize)]
pub(super) struct Data {
    /// Columns of results.csv that are not empty, and the rows under them.
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    /// What the sweep sets, and the value of each for every row, in short.
    pub keys: Vec<Key>,
    pub settings: Vec<Vec<String>>,
    pub fabrics: Vec<Fabric>,
    /// By point.
    pub details: BTreeMap<u32, Detail>,
    /// Points that have details, on the page or not.
    #[serde(skip)]
    pub with_details: usize,
}

/// A swept key.
#[derive(Debug, Serialize)]
pub(super) struct Key {
    /// In the experiment file, and its last part.
    name: String,
    pub short: String,
    /// What its values are as numbers, where all of them are.
    numbers: Option<BTreeMap<String, f64>>,
}

impl Data {
    pub(super) fn of(folder: &Folder, cells: &Cells, first: &[u32]) -> Result<Self, ReportError> {
        let telling = cells.telling();
        let settings: Vec<Vec<(String, String)>> = folder.points.iter().map(|point| folder.setting(point)).collect();
        let keys = settings.first().into_iter().flatten().enumerate();
        let keys = keys.map(|(at, (name, _))| Key::of(name, &settings, at)).collect();
        let columns: Vec<String> = telling.iter().map(|&column| cells.header[column].to_owned()).collect();
        let rows = cells
            .rows
            .iter()
            .map(|row| telling.iter().map(|&column| value(&row[column])).collect());
        let rows: Vec<Vec<Value>> = rows.collect();
        let mut details = Details::default();
        for point in in_order(folder, first) {
            details.add(folder, point)?;
        }
        let values = |setting: Vec<(String, String)>| setting.into_iter().map(|(_, value)| value).collect();
        Ok(Self {
            columns,
            rows,
            keys,
            settings: settings.into_iter().map(values).collect(),
            fabrics: details.fabrics,
            details: details.points,
            with_details: details.seen,
        })
    }
}

impl Key {
    fn of(name: &str, settings: &[Vec<(String, String)>], at: usize) -> Self {
        let values = settings
            .iter()
            .filter_map(|setting| setting.get(at))
            .map(|(_, value)| value);
        let numbers = values.map(|value| Some((value.clone(), quantity(value)?))).collect();
        Self {
            name: name.to_owned(),
            short: name.rsplit('.').next().unwrap_or(name).to_owned(),
            numbers,
        }
    }
}

/// The points whose details come first: those that were asked for, then those of the first seed and the largest size of
/// every scheme.
fn in_order<'a>(folder: &'a Folder, first: &[u32]) -> Vec<&'a Point> {
    let asked = |point: &Point| {
        first
            .iter()
            .position(|asked| *asked == point.row.point)
            .unwrap_or(usize::MAX)
    };
    let mut points: Vec<&Point> = folder.points.iter().collect();
    points.sort_by_key(|point| {
        let row = &point.row;
        (asked(point), row.seed, std::cmp::Reverse(row.size_bytes), row.point)
    });
    points
}
