//! Rings of many equal steps, which are simulated without being written down.

use std::sync::Arc;
use std::time::Duration;

use super::instance::{EqualRun, Instance, Network};
use super::limits;
use super::memory::Memory;
use super::spec::Experiment;
use crate::congestion;
use crate::flow_engine;
use crate::input::InputError;
use crate::outcome::Observe;
use crate::placement::Placement;
use crate::units::Time;
use crate::workload::{EqualSteps, Schedule, Transfer};

/// Up to so many transfers, all are written down.
pub(super) const FEW: u64 = 1_000_000;

/// A completion time that is above the bound by no more than this has met it, relatively; and one picosecond, to which both
/// are rounded.
const ROUNDING: f64 = 1e-9;

/// What has to be written down whatever the fabric: what would help.
pub(super) fn needs_all(experiment: &Experiment) -> Option<&'static str> {
    if experiment.output.flows {
        return Some("without `output.flows` the steps of a ring need not be written down");
    }
    if experiment.flow.tolerance > 0.0 {
        return Some("with `flow.tolerance` 0 the steps of a ring need not be written down");
    }
    let alike = experiment.load_balancing.repeats();
    (!alike).then_some(
        "with \"spray\", \"weighted-spray\", \"ecmp\" or \"greedy\", which place every step alike, the steps of a ring need not be written down",
    )
}

/// What helps where connections share links.
pub(super) const HELD_UP: &str =
    "the steps of a ring need not be written down where none of its connections holds up another, but here some do";

/// What helps where the pieces that go around are not of one size.
pub(super) const UNEVEN: &str =
    "the steps of a ring need not be written down where they are equal: with a `size` that its ranks divide evenly";

/// The first step of a ring that stands for all of them, and the memory that its run takes; none where it does not.
pub(super) fn build(
    experiment: &Experiment,
    network: Arc<Network>,
    steps: EqualSteps,
    place: impl FnOnce(&Schedule) -> Result<(Arc<Placement>, Duration), InputError>,
    memory: Memory,
) -> Result<Option<(Instance, u64)>, InputError> {
    let first = Arc::new(steps.first());
    let fabric = &network.fabric;
    let pairs = first
        .transfers()
        .map(|Transfer { src, dst, .. }| (src.node(), dst.node()));
    // What no path joins is told of the whole.
    if fabric.check_reachable(pairs).is_err() {
        return Ok(None);
    }
    let (placement, placed_in) = place(&first)?;
    let Some(bounds) = congestion::bounds_of_equal_steps(fabric, &steps, &first, experiment.framing()) else {
        return Ok(None);
    };
    let outcome = flow_engine::simulate_equal_steps(fabric, &steps, &first, &placement, &Observe::default());
    // A run that has met one part of the bound has met the bound: no part is above what is possible.
    let meets = |cct: Time| cct.saturating_sub(bounds.cct).0 as f64 <= 1.0 + ROUNDING * cct.0 as f64;
    if !outcome.is_some_and(|outcome| meets(outcome.cct)) {
        return Ok(None);
    }
    let instance = Instance {
        schedule: first,
        equal_steps: Some(Arc::new(EqualRun {
            steps,
            bounds: Arc::new(bounds),
        })),
        placement,
        placed_in,
        network,
    };
    instance.check(experiment)?;
    let memory = limits::check(experiment, &instance, memory, || Arc::new(bounds))?;
    Ok(Some((instance, memory)))
}
