//! Links that fail while a fleet runs: from a CSV file, or drawn.

use rand::Rng;

use super::jobs::{Table, exponential};
use crate::experiment::FleetOutages;
use crate::ids::LinkId;
use crate::input::{Files, InputError, Place};
use crate::rng::{index_below, stream};
use crate::topology::{Fabric, Fault, LinkEvent, resolve_faults};
use crate::units::{Rate, Time};

/// Outages that are drawn.
const DRAWN: usize = 1_000;

/// Changes of links in order of time.
pub(super) fn link_events(
    outages: Option<&FleetOutages>,
    fabric: &Fabric,
    files: &dyn Files,
    seed: u64,
) -> Result<Vec<LinkEvent>, InputError> {
    let faults = match outages {
        None => Vec::new(),
        Some(drawn) if drawn.file.is_empty() => draw(drawn, fabric, seed),
        Some(written) => read(&written.file, fabric, files)?,
    };
    let plan = resolve_faults(fabric, &faults).map_err(|error| error.under("fleet.outages"))?;
    let at_start = plan
        .changes
        .into_iter()
        .map(|change| LinkEvent { at: Time::ZERO, change });
    Ok(at_start.chain(plan.events).collect())
}

fn fault(link: String, from: Time, until: Time, rate: Option<Rate>) -> Fault {
    Fault {
        link: Some(link),
        rate,
        down: rate.is_none(),
        from: (!from.is_zero()).then_some(from),
        until: Some(until),
        ..Fault::default()
    }
}

fn draw(spec: &FleetOutages, fabric: &Fabric, seed: u64) -> Vec<Fault> {
    // One direction of each cable between switches stands for it.
    let is_first = |&id: &LinkId| fabric.is_fabric_link(id) && fabric.link(id).from < fabric.link(id).to;
    let cables: Vec<LinkId> = fabric.link_ids().filter(is_first).collect();
    let mut random = stream(seed, "fleet outages", 0);
    let (every, lasts) = (spec.every.unwrap_or(Time::ZERO), spec.lasts.unwrap_or(Time::ZERO));
    let mut now = Time::ZERO;
    let mut one = || {
        now = Time(now.0.saturating_add(exponential(&mut random, every).0));
        let link = cables[index_below(random.next_u64(), cables.len() as u32) as usize];
        let until = Time(now.0.saturating_add(lasts.0));
        fault(fabric.link_name(link).replace("->", "-"), now, until, spec.rate)
    };
    let count = if cables.is_empty() { 0 } else { DRAWN };
    (0..count).map(|_| one()).collect()
}

fn read(file: &str, fabric: &Fabric, files: &dyn Files) -> Result<Vec<Fault>, InputError> {
    let text = files.read(file)?;
    let table = Table::of(file, &text, &["link", "from", "until"], &["rate"])?;
    let mut faults = Vec::new();
    for row in table.rows() {
        let rate = match row.cell("rate") {
            "" => None,
            rate => Some(
                rate.parse()
                    .map_err(|_| row.wrong("rate", "a rate such as `25Gbps` is expected"))?,
            ),
        };
        let fault = fault(row.cell("link").to_owned(), row.time("from")?, row.time("until")?, rate);
        resolve_faults(fabric, std::slice::from_ref(&fault)).map_err(|error| {
            let place = row.wrong("link", &error.help).place;
            debug_assert!(matches!(place, Place::Line { .. }));
            InputError { place, ..error }
        })?;
        faults.push(fault);
    }
    Ok(faults)
}
