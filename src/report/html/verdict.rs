//! The sentence on top of the page, and how every scheme does.

use super::data::Data;
use crate::report::ReportError;
use crate::report::folder::{Folder, Point};
use crate::report::math::Spread;
use crate::report::ranking::Ranking;
use crate::results::{Manifest, Number, Swept};

/// What the page says first.
#[derive(Debug)]
pub(super) struct Verdict {
    /// The experiment's name.
    pub name: String,
    pub sentence: String,
    /// What was simulated, in a line for each subject.
    pub about: Vec<String>,
    /// Schemes with their times over those of the best, the best first; empty where nothing is compared.
    pub ranked: Vec<(String, f64, f64)>,
    /// Points that have no completion time.
    pub unfinished: usize,
    pub version: String,
    pub ended: String,
}

pub(super) fn verdict(folder: &Folder, data: &Data) -> Result<Verdict, ReportError> {
    let manifest = Manifest::read(folder.dir())?.unwrap_or_default();
    let rows: Vec<_> = folder.points.iter().map(|point| &point.row).collect();
    let swept = swept(folder);
    let ranking = Ranking::of(&rows, &swept);
    let (sentence, ranked) = match &ranking {
        Some(ranking) => (compared(folder, data, ranking), ranked(ranking)),
        None => (alone(folder), Vec::new()),
    };
    Ok(Verdict {
        name: manifest.name,
        sentence,
        about: folder.subjects().iter().map(|subject| subject.title()).collect(),
        ranked,
        unfinished: rows.iter().filter(|row| row.cct_us.is_none()).count(),
        version: manifest.version,
        ended: manifest.ended,
    })
}

/// `ethereal is 2.31 times as fast as ecmp and 3.1 % above the bound; busiest link of ecmp: leaf0->spine6, 98 % used`.
fn compared(folder: &Folder, data: &Data, ranking: &Ranking) -> String {
    let (slowest, spread) = &ranking.others[0];
    let mut sentence = match spread.is_one() {
        true if ranking.others.len() == 1 => format!("{} and {slowest} are equally fast", ranking.best),
        true => format!("All {} schemes are equally fast", ranking.others.len() + 1),
        false => format!(
            "{} is {:.2} times as fast as {slowest}",
            ranking.best,
            spread.geometric_mean()
        ),
    };
    if !ranking.over_bound.is_empty() {
        let above = above(ranking.over_bound.geometric_mean());
        let subject = if spread.is_one() { "; " } else { " and " };
        sentence += &format!("{subject}{above}");
    }
    if ranking.settings > 1 {
        sentence += &format!(" (geometric means over {} settings)", ranking.settings);
    }
    let scheme = |point: &Point| match ranking.of_transports {
        true => point.row.transport.clone().unwrap_or_default(),
        false => point.row.load_balancing.clone(),
    };
    let detailed = folder.points.iter().filter(|point| scheme(point) == *slowest);
    let busiest = detailed.filter_map(|point| {
        let (link, share) = data.details.get(&point.row.point)?.busiest()?;
        Some((point.row.size_bytes, link, share))
    });
    // That of the largest size: small ones are over before links are busy. Of equal ones the first.
    let largest = busiest.reduce(|a, b| if b.0 > a.0 { b } else { a });
    if let Some((_, link, share)) = largest {
        sentence += &format!("; busiest link of {slowest}: {link}, {:.0} % used", share * 1e2);
    }
    sentence + "."
}

/// What is said where there is nothing to compare.
fn alone(folder: &Folder) -> String {
    let ratios: Vec<f64> = folder
        .points
        .iter()
        .filter_map(|point| point.row.cct_over_bound)
        .map(Number::value)
        .collect();
    let first = &folder.points[0].row;
    match ratios.as_slice() {
        [] => format!(
            "{}: no point has a completion time over its bound.",
            first.load_balancing
        ),
        ratios => {
            let mean = ratios.iter().copied().collect::<Spread>().geometric_mean();
            let over = match ratios.len() {
                1 => String::new(),
                n => format!(" (geometric mean over {n} points)"),
            };
            format!("{} is {}{over}.", first.load_balancing, above(mean))
        }
    }
}

fn above(ratio: f64) -> String {
    match (ratio - 1.0) * 1e2 {
        percent if percent < 0.05 => "at the bound of this schedule".to_owned(),
        percent => format!("{percent:.1} % above the bound of this schedule"),
    }
}

fn ranked(ranking: &Ranking) -> Vec<(String, f64, f64)> {
    let others = ranking.others.iter().rev();
    let others = others.map(|(name, spread)| (name.clone(), spread.geometric_mean(), spread.deviation()));
    [(ranking.best.clone(), 1.0, 0.0)].into_iter().chain(others).collect()
}

/// The swept values as the ranking takes them.
fn swept(folder: &Folder) -> Swept {
    let settings: Vec<_> = folder.points.iter().map(|point| folder.setting(point)).collect();
    let keys = settings
        .first()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.clone())
        .collect();
    let last = folder.points.iter().map(|point| point.row.point).max().unwrap_or(0) as usize;
    let mut values = vec![Vec::new(); last + 1];
    for (point, setting) in folder.points.iter().zip(settings) {
        let own = setting.into_iter().map(|(_, value)| std::sync::Arc::new(value.into()));
        values[point.row.point as usize] = own.collect();
    }
    Swept { keys, values }
}
