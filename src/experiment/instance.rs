//! What a point is simulated on.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::spec::{Engine, Experiment};
use crate::congestion::{Bounds, RouteSet};
use crate::ids::{LinkId, NodeId};
use crate::input::InputError;
use crate::outcome::Observe;
use crate::packet_engine::{Part, Refusal, Setup};
use crate::placement::Placement;
use crate::topology::{Fabric, Fault, LinkChange, LinkEvent, Place, Stage};
use crate::workload::{EqualSteps, Schedule};

/// A fabric as it is at the start, and what changes later.
#[derive(Debug)]
pub struct Network {
    /// At the start.
    pub fabric: Fabric,
    /// In order of time.
    pub events: Vec<LinkEvent>,
}

impl Network {
    /// The fabric with every link at the highest rate it ever has: what bounds must allow.
    pub fn at_best(&self) -> Cow<'_, Fabric> {
        let mut best: BTreeMap<LinkId, LinkChange> = BTreeMap::new();
        for LinkEvent { change, .. } in &self.events {
            if change.rate > self.fabric.link(change.link).rate {
                let highest = best.entry(change.link).or_insert(*change);
                highest.rate = highest.rate.max(change.rate);
            }
        }
        if best.is_empty() {
            return Cow::Borrowed(&self.fabric);
        }
        Cow::Owned(self.fabric.with(&best.into_values().collect::<Vec<_>>()))
    }

    /// Which routes bounds on that fabric must allow: any, if a fault opens one that it does not have.
    pub fn routes(&self) -> RouteSet {
        let best = self.at_best();
        let (mut now, mut states) = (self.fabric.clone(), vec![]);
        for LinkEvent { change, .. } in &self.events {
            let was_down = now.link(change.link).rate.is_zero();
            now = now.with(std::slice::from_ref(change));
            if was_down != change.rate.is_zero() {
                states.push(now.clone());
            }
        }
        if states.is_empty()
            || states
                .iter()
                .chain([&self.fabric])
                .all(|state| has_routes_of(&best, state))
        {
            RouteSet::EqualCost
        } else {
            RouteSet::Any
        }
    }
}

/// What the flow engine cannot simulate: links that change, and links that lose packets.
fn unsteady(network: &Network, faults: &[Fault]) -> Option<InputError> {
    let at = |is: &dyn Fn(&Fault) -> bool| {
        let index = faults.iter().position(is);
        index.map_or("faults".to_owned(), |i| format!("faults.{i}"))
    };
    if !network.events.is_empty() {
        let key = at(&|fault| fault.from.is_some() || fault.until.is_some() || fault.flap.is_some());
        let error = InputError::key(key, "the fault comes or goes, which the flow engine cannot simulate");
        return Some(error.help("write `engine = \"packet\"`, or take `from`, `until` and `flap` out"));
    }
    if faults.iter().any(|fault| fault.loss.is_some()) {
        let key = at(&|fault| fault.loss.is_some());
        let error = InputError::key(key, "the link loses packets, which the flow engine cannot simulate");
        return Some(error.help("write `engine = \"packet\"`, or take `loss` out"));
    }
    None
}

/// What the packet engine refuses, at the key of the experiment that brought it about.
fn located(refusal: Refusal, experiment: &Experiment) -> InputError {
    let table = match refusal.part {
        Part::Fabric => "topology",
        Part::Schedule => "workload",
        Part::LoadBalancing => "load_balancing",
        Part::Transport => &format!("transport.{}", experiment.transport.name()),
        Part::Packet => "packet",
        Part::Switch => "switch",
        Part::Series => "output.series",
        Part::Senders => "output.senders",
    };
    refusal.error.under(table)
}

/// Whether every next link in one state of a fabric is one in another state too.
fn has_routes_of(all: &Fabric, some: &Fabric) -> bool {
    let stages = if some.stages().is_some() {
        &Stage::ALL[..]
    } else {
        &Stage::ALL[..1]
    };
    let nodes = || {
        let at = |node| stages.iter().map(move |&stage| Place { node, stage });
        (0..some.nodes().len()).map(NodeId::from).flat_map(at)
    };
    let mut known = BTreeSet::new();
    for dst in (0..some.hosts()).map(NodeId) {
        let ways = (some.way_to(dst), all.way_to(dst));
        if known.contains(&ways) {
            continue;
        }
        let hops = |place: Place| {
            let place = if place.node.0 < some.hosts() {
                place.node.into()
            } else {
                place
            };
            (some.hops_from(place, dst), all.hops_from(place, dst))
        };
        if nodes().any(|node| !hops(node).0.iter().all(|hop| hops(node).1.contains(hop))) {
            return false;
        }
        // One that can be reached stands for all that are reached in the same ways.
        if nodes().any(|node| !hops(node).0.is_empty()) {
            known.insert(ways);
        }
    }
    true
}

/// Equal steps that are not written down.
#[derive(Debug)]
pub struct EqualRun {
    /// All of them.
    pub steps: EqualSteps,
    /// What no load balancing can beat, which they meet.
    pub bounds: Arc<Bounds>,
}

/// What a point is simulated on: its fabric, its schedule and the paths of its flows.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The fabric and its timed faults.
    pub network: Arc<Network>,
    /// Between hosts.
    pub schedule: Arc<Schedule>,
    /// Where all steps are like the first: `schedule` and `placement` are those of the first, then, and it stands for all.
    pub equal_steps: Option<Arc<EqualRun>>,
    /// Of the schedule on the fabric at the start.
    pub placement: Arc<Placement>,
    /// Processor time that placing took when it was done.
    pub placed_in: Duration,
}

impl Instance {
    /// Refuses what the engine cannot simulate here.
    pub fn check(&self, experiment: &Experiment) -> Result<(), InputError> {
        match experiment.engine {
            Engine::Packet => self
                .packet_setup(experiment)
                .check()
                .map_err(|refusal| located(refusal, experiment)),
            Engine::Flow if self.schedule.has_endless() => {
                let message = "a flow of size 0 has no end, and the flow engine runs to the end";
                Err(InputError::key("engine", message)
                    .help("write `engine = \"packet\"`, and `stop = \"2ms\"` under [packet]"))
            }
            Engine::Flow => unsteady(&self.network, &experiment.faults).map_or(Ok(()), Err),
        }
    }

    /// How often what is in `schedule` happens.
    pub fn times(&self) -> u64 {
        self.equal_steps.as_ref().map_or(1, |run| run.steps.steps().into())
    }

    /// Number of transfers.
    pub fn transfers(&self) -> u64 {
        self.schedule.transfer_count() as u64 * self.times()
    }

    /// What to record: with operations or jobs, when they were under way.
    pub fn observe(&self, experiment: &Experiment) -> Observe {
        Observe {
            tasks: !(self.schedule.spans().is_empty() && self.schedule.jobs().is_empty()),
            ..experiment.output.observe()
        }
    }

    /// Everything that a run of the packet engine depends on.
    pub fn packet_setup<'a>(&'a self, experiment: &'a Experiment) -> Setup<'a> {
        Setup {
            fabric: &self.network.fabric,
            link_events: &self.network.events,
            schedule: &self.schedule,
            placement: &self.placement,
            load_balancing: &experiment.load_balancing,
            transport: &experiment.transport,
            packet: &experiment.packet,
            switch: &experiment.switch,
            observe: self.observe(experiment),
            seed: experiment.seed,
        }
    }
}
