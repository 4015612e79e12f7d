//! What links are worth, and which cable to repair first.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use super::point_key::key_of;
use super::points::rows_of_points;
use crate::config::ConfigError;
use crate::congestion::Demands;
use crate::experiment::{Experiment, Plan, Point, Preparer, Resolved};
use crate::ids::LinkId;
use crate::results::{Number, PriceRow};
use crate::topology::{Fabric, LinkChange};

/// Repairs that are solved for themselves at most; of more, those that their prices promise most of.
const MOST_REPAIRS: usize = 256;
/// Relative differences of optima that the solver's tolerance explains.
const ROUNDING: f64 = 1e-8;

/// The rows of all points, in order: kinds of links, links, then repairs, the best first; fewer if `stop` becomes true.
///
/// # Errors
/// The first point that cannot be built.
pub fn prices(preparer: &Preparer<'_>, stop: &AtomicBool) -> Result<Vec<PriceRow>, ConfigError> {
    rows_of_points(preparer, stop, |point| point_rows(preparer, point))
}

fn point_rows(preparer: &Preparer<'_>, point: Point) -> Result<Vec<PriceRow>, ConfigError> {
    let prepared = point.prepare(preparer)?;
    let (resolved, instance) = (&prepared.resolved, &prepared.instance);
    let fabric = &instance.network.fabric;
    let demands = Demands::of(&instance.schedule);
    let found = demands.prices(fabric);
    let mut template = PriceRow {
        optimum_us: Number::new(found.optimum_us),
        ..PriceRow::default()
    };
    template.identify(&key_of(preparer.plan(), point, resolved));
    let mut rows = kind_rows(&template, fabric, &found.us_per_gbps);
    rows.extend(link_rows(&template, fabric, &found.us_per_gbps));
    let built = built(preparer.plan(), resolved)?;
    rows.extend(repair_rows(&template, fabric, &built, &demands, &found.us_per_gbps));
    Ok(rows)
}

/// The fabric without faults.
fn built(plan: &Plan, resolved: &Resolved) -> Result<Fabric, ConfigError> {
    let Experiment { topology, .. } = &resolved.experiment;
    let drawing = topology
        .blueprint(plan.files())
        .map_err(|error| plan.locate(resolved, error.under(&format!("topology.{}", topology.name()))))?;
    Ok(Fabric::compile(&drawing))
}

/// One more Gb/s on all links of a kind, the most worth first.
fn kind_rows(template: &PriceRow, fabric: &Fabric, worth: &[f64]) -> Vec<PriceRow> {
    let mut kinds: BTreeMap<String, (u32, f64)> = BTreeMap::new();
    for id in fabric.link_ids() {
        let (links, sum) = kinds.entry(kind(fabric, id)).or_default();
        *links += 1;
        *sum += worth[id.index()];
    }
    let mut rows: Vec<PriceRow> = kinds
        .into_iter()
        .map(|(name, (links, sum))| PriceRow {
            what: "kind".into(),
            name,
            links,
            us_per_gbps: Some(Number::new(sum)),
            ..template.clone()
        })
        .collect();
    rows.sort_by(|a, b| number(b.us_per_gbps).total_cmp(&number(a.us_per_gbps)));
    rows
}

/// The links that are worth something, the most worth first.
fn link_rows(template: &PriceRow, fabric: &Fabric, worth: &[f64]) -> Vec<PriceRow> {
    let mut rows: Vec<PriceRow> = fabric
        .link_ids()
        .map(|id| PriceRow {
            what: "link".into(),
            name: fabric.link_name(id),
            links: 1,
            rate_gbps: Some(Number::new(fabric.link(id).rate.as_gbps())),
            us_per_gbps: Some(Number::new(worth[id.index()])),
            ..template.clone()
        })
        .filter(|row| number(row.us_per_gbps) > 0.0)
        .collect();
    rows.sort_by(|a, b| number(b.us_per_gbps).total_cmp(&number(a.us_per_gbps)));
    rows
}

fn number(cell: Option<Number>) -> f64 {
    cell.unwrap_or_default().value()
}

/// What a link joins, by the names of its ends without their numbers.
fn kind(fabric: &Fabric, id: LinkId) -> String {
    let link = fabric.link(id);
    let of = |node| {
        let name: &str = &fabric.node(node).name;
        name.split('.')
            .map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit()))
            .collect::<Vec<_>>()
            .join(".")
    };
    format!("{}->{}", of(link.from), of(link.to))
}

/// Every cable that is slower than built or down, repaired and solved again; the best first.
fn repair_rows(
    template: &PriceRow,
    fabric: &Fabric,
    built: &Fabric,
    demands: &Demands,
    worth: &[f64],
) -> Vec<PriceRow> {
    let mut repairs = repairs(fabric, built);
    if repairs.len() > MOST_REPAIRS {
        let promise = |repair: &[LinkChange]| -> f64 {
            let more = |change: &LinkChange| change.rate.as_gbps() - fabric.link(change.link).rate.as_gbps();
            repair
                .iter()
                .map(|change| more(change) * worth[change.link.index()])
                .sum()
        };
        repairs.sort_by(|a, b| promise(b).total_cmp(&promise(a)));
        repairs.truncate(MOST_REPAIRS);
    }
    let mut rows: Vec<PriceRow> = repairs
        .par_iter()
        .map(|changes| {
            let repaired = demands.prices(&fabric.with(changes)).optimum_us;
            let saved = template.optimum_us.value() - repaired;
            // What the solver's digits do not tell is nothing.
            let saved = if saved.abs() > ROUNDING * repaired { saved } else { 0.0 };
            let now = changes.iter().map(|change| fabric.link(change.link).rate).min();
            PriceRow {
                what: "repair".into(),
                name: fabric.cable(changes[0].link).to_owned(),
                links: changes.len() as u32,
                rate_gbps: now.map(|rate| Number::new(rate.as_gbps())),
                repaired_us: Some(Number::new(repaired)),
                saved_us: Some(Number::new(saved)),
                ..template.clone()
            }
        })
        .collect();
    rows.sort_by(|a, b| number(b.saved_us).total_cmp(&number(a.saved_us)));
    rows
}

/// Both directions of each cable that is not as built, back to what they were built for.
fn repairs(fabric: &Fabric, built: &Fabric) -> Vec<Vec<LinkChange>> {
    let change = |link: LinkId| LinkChange {
        link,
        rate: built.link(link).rate,
    };
    let is_lame = |change: &LinkChange| fabric.link(change.link).rate < change.rate;
    let cables = fabric.link_ids().step_by(2);
    cables
        .map(|there| {
            [there, fabric.link(there).reverse]
                .map(change)
                .into_iter()
                .filter(is_lame)
                .collect()
        })
        .filter(|changes: &Vec<LinkChange>| !changes.is_empty())
        .collect()
}
