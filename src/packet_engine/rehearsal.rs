//! Runs before the one that counts, for a load balancing that learns from one to the next.
//!
//! Training repeats its collectives: what the senders saw of their paths in one iteration serves the next. Each
//! rehearsal is the same run with other random numbers; nothing but what acknowledgements told goes from one to
//! the next.

use super::engine::Engine;
use super::queue::EventQueue;
use super::report;
use super::setup::Setup;
use super::status::{Continue, Status};
use crate::outcome::{Observe, Stuck};
use crate::path_selection::Policy;
use crate::rng::mix;

/// The weights of paths for the run of a setup, after the rehearsals that its load balancing asks for.
pub(super) fn rehearse<Q: EventQueue>(
    setup: &Setup<'_>,
    monitor: &mut dyn FnMut(&Status) -> Continue,
) -> Result<Policy, Stuck> {
    let Some(mut learner) = setup.load_balancing.dynamic().and_then(|scheme| scheme.learner()) else {
        return Ok(Policy::default());
    };
    let mut packet = setup.packet.clone();
    if !setup.schedule.has_endless() {
        // What ends the run that counts does not end what came before it.
        packet.stop = None;
    }
    for run in 0..setup.load_balancing.rehearsals() {
        let seed = mix(setup.seed ^ mix(u64::from(run)));
        let rehearsal = Setup {
            packet: &packet,
            observe: Observe::default(),
            seed,
            ..setup.clone()
        };
        let mut engine = Engine::<Q>::after(run, learner.trial(), &rehearsal).run(monitor);
        let seen = engine.sending.experience.take();
        report::outcome(engine)?;
        learner.learn(&seen.unwrap_or_default());
    }
    Ok(learner.policy())
}
