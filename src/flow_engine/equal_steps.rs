//! Equal steps around a ring without writing them down.
//!
//! A connection sends one transfer after the other. Where every link of the fabric could carry all connections at once,
//! each as fast as if it were alone, none is ever held up by others: whichever of them are at work, the fair rates are
//! those of connections alone. If these are the same, too, every transfer is sent in one and the same time and arrives a
//! delay later, and when it does so is a sum: of the transfers and of the delays on the longest chain of transfers before it.

use std::collections::BTreeMap;

use super::constraints::Constraints;
use super::outcome_builder::whole_ps;
use super::routes::{Routes, link_loads};
use crate::ids::IdVec;
use crate::outcome::{FctSummary, LinkRecord, Observe, Outcome};
use crate::placement::Placement;
use crate::topology::Fabric;
use crate::units::Time;
use crate::workload::{EqualSteps, Schedule, Transfer};

/// How much more than its capacity a link may be asked for, relatively: what rounding may be.
const ROUNDING: f64 = 1e-12;

/// Connections that never hold each other up.
#[derive(Debug)]
struct Unhindered {
    /// How long each transfer is sent, in picoseconds.
    sending: f64,
    /// Delay of each connection, and how much later an acknowledgement is back.
    delays: Vec<f64>,
    back: Vec<f64>,
}

impl Unhindered {
    /// The connections of a step; none where some share a link that they could fill, or take times of their own.
    fn of(fabric: &Fabric, routes: &Routes, first: &Schedule, placement: &Placement) -> Option<Self> {
        let limits = Constraints::new(fabric, routes);
        let mut load = IdVec::filled(0.0, limits.capacity.len());
        let mut sending = None;
        let (mut delays, mut back) = (Vec::new(), Vec::new());
        let mut crossed = Vec::new();
        for Transfer { task, src, dst, bytes } in first.transfers() {
            let mut pieces = placement.ids(task);
            let (Some(piece), None) = (pieces.next(), pieces.next()) else {
                return None;
            };
            let segment = routes.of_subflow[piece.index()];
            crossed.clear();
            let whole = [limits.ports[src.index()].0, limits.ports[dst.index()].1];
            let whole = whole.into_iter().chain(limits.direct[segment]);
            crossed.extend(whole.filter(|c| limits.capacity.get(*c).is_some()).map(|c| (c, 1.0)));
            crossed.extend_from_slice(limits.of_segment(segment));
            let alone = crossed.iter().map(|&(c, fraction)| limits.capacity[c] / fraction);
            let rate = alone.fold(f64::INFINITY, f64::min);
            let time = bytes as f64 / rate;
            if time != *sending.get_or_insert(time) {
                return None;
            }
            crossed.iter().for_each(|&(c, fraction)| load[c] += fraction * rate);
            let (forward, round_trip) = routes.delays(piece, src, dst);
            delays.push(forward.0 as f64);
            back.push((round_trip - forward).0 as f64);
        }
        let fits = |(&load, &capacity): (&f64, &f64)| load <= capacity * (1.0 + ROUNDING);
        let sending = sending.filter(|time| time.is_finite() && *time > 0.0)?;
        load.iter()
            .zip(&limits.capacity)
            .all(fits)
            .then_some(Self { sending, delays, back })
    }

    /// From the start of each transfer until it is delivered, with how many there are: the delay, and the time of sending,
    /// which ends in whole picoseconds sooner or later.
    fn completion_times(&self, steps: u32) -> BTreeMap<Time, u64> {
        let mut sent: BTreeMap<u64, u64> = BTreeMap::new();
        let mut before = Time::ZERO;
        for step in 1..=steps {
            let now = whole_ps(f64::from(step) * self.sending);
            *sent.entry((now - before).0).or_default() += 1;
            before = now;
        }
        let mut delays: BTreeMap<u64, u64> = BTreeMap::new();
        for &delay in &self.delays {
            *delays.entry(delay as u64).or_default() += 1;
        }
        let mut times = BTreeMap::new();
        for (sending, steps) in &sent {
            for (delay, ranks) in &delays {
                *times.entry(Time(sending + delay)).or_default() += steps * ranks;
            }
        }
        times
    }
}

/// The outcome of equal steps whose first, as [`EqualSteps::first`] has it, is placed as all are; the same as [`simulate`]'s of
/// all that is written down, but for rounding, and without the number of moments at which rates changed. None where they do
/// not run on their own: where connections share a link that they could fill, or some are slower than others.
///
/// [`simulate`]: super::simulate
pub fn simulate_equal_steps(
    fabric: &Fabric,
    steps: &EqualSteps,
    first: &Schedule,
    placement: &Placement,
    observe: &Observe,
) -> Option<Outcome> {
    let routes = Routes::new(fabric, first, placement);
    if !routes.impossible.is_empty() || observe.flows || observe.tasks {
        return None;
    }
    let unhindered = Unhindered::of(fabric, &routes, first, placement)?;
    let ends = steps.ends(unhindered.sending, &unhindered.delays)?;
    let last = ends.iter().copied().fold(0.0, f64::max);
    let acked = ends.iter().zip(&unhindered.back).map(|(end, back)| end + back);
    let mut outcome = Outcome {
        cct: whole_ps(last),
        ended: whole_ps(acked.fold(0.0, f64::max)),
        fct: FctSummary::counted(&unhindered.completion_times(steps.steps())),
        ..Outcome::default()
    };
    if observe.links {
        let record = |bytes: f64| {
            let bytes = bytes * f64::from(steps.steps());
            LinkRecord {
                bytes,
                wire_bytes: bytes,
                ..LinkRecord::default()
            }
        };
        let loads = link_loads(fabric, first, placement, &routes);
        outcome.links = loads.into_iter().map(record).collect();
    }
    Some(outcome)
}
