//! Rings of many equal steps, which are simulated without being written down.

use std::sync::Arc;

use super::instance::{EqualRun, Instance, Network};
use super::limits;
use super::prepare::Preparer;
use super::spec::{Engine, Experiment};
use crate::congestion;
use crate::flow_engine;
use crate::input::InputError;
use crate::outcome::Observe;
use crate::units::Time;
use crate::workload::{EqualSteps, Hosts, MAX_TASKS, Transfer};

/// Up to so many transfers, all are written down.
const FEW: u64 = 1_000_000;

/// A completion time that is above the bound by no more than this has met it, relatively; and one picosecond, to which both are rounded.
const ROUNDING: f64 = 1e-9;

/// What is to be run in equal steps.
pub(super) enum Streamed {
    /// It is, and takes that much memory.
    Built(Instance, u64),
    /// All transfers have to be written down; perhaps there is a way to do without.
    Written(Option<&'static str>),
}

impl Preparer<'_> {
    /// Builds the first step of a ring that stands for all of them, where it does.
    pub(super) fn stream(&self, experiment: &Experiment) -> Result<Streamed, InputError> {
        if experiment.engine != Engine::Flow {
            return Ok(Streamed::Written(None));
        }
        experiment.check()?;
        let network = self.network(experiment)?;
        let hosts = Hosts {
            count: network.fabric.hosts(),
            per_server: network.fabric.hosts_per_server(),
        };
        let (files, seed) = (self.plan().files(), experiment.seed);
        let Some(steps) = experiment.demand().equal_steps(hosts, files, seed, FEW)? else {
            return Ok(Streamed::Written(None));
        };
        let many = steps.transfers() > MAX_TASKS;
        let written = |why| Streamed::Written(many.then_some(why));
        if experiment.output.flows {
            return Ok(written("without `output.flows` the steps of a ring need not be written down"));
        }
        if experiment.flow.tolerance > 0.0 {
            return Ok(written("with `flow.tolerance` 0 the steps of a ring need not be written down"));
        }
        if !experiment.load_balancing.repeats() {
            return Ok(written(
                "with `spray`, `weighted-spray`, `ecmp` or `greedy`, which place every step alike, the steps of a ring need not be written down",
            ));
        }
        match self.in_equal_steps(experiment, network, steps)? {
            Some((instance, memory)) => Ok(Streamed::Built(instance, memory)),
            None => Ok(written(
                "the steps of a ring need not be written down where its connections never hold each other up, but here they do",
            )),
        }
    }

    fn in_equal_steps(
        &self,
        experiment: &Experiment,
        network: Arc<Network>,
        steps: EqualSteps,
    ) -> Result<Option<(Instance, u64)>, InputError> {
        let first = Arc::new(steps.first());
        let fabric = &network.fabric;
        let pairs = first.transfers().map(|Transfer { src, dst, .. }| (src.node(), dst.node()));
        // What no path joins is told of the whole.
        if fabric.check_reachable(pairs).is_err() {
            return Ok(None);
        }
        let (placement, placed_in) = self.place_and_time(experiment, &network, &first)?;
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
        let memory = limits::check(experiment, &instance, self.memory(), || Arc::new(bounds))?;
        let (fabric, scheme) = (&instance.network.fabric, &experiment.load_balancing);
        self.warn(scheme.idle_ports(fabric, &instance.schedule, &instance.placement).as_slice());
        Ok(Some((instance, memory)))
    }
}
