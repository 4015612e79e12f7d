//! What all sides say about one point.

use std::fmt;
use std::sync::Arc;

use super::subject::SystemUnderTest;
use crate::config::ConfigError;
use crate::congestion::{Assessment, Bounds, Framing, RouteSet};
use crate::experiment::{Engine, Experiment, Network, Point, Prepared, Preparer};
use crate::flow_engine::{FlowOptions, Weights};
use crate::input::{InputError, NoFiles};
use crate::outcome::{Observe, Outcome, Stuck};
use crate::packet_engine::{Ideal, PacketOptions, Setup, SwitchOptions, Transport};
use crate::placement::{LoadBalancing, Placement, Spray};
use crate::routes::Route;
use crate::topology::Path;
use crate::units::Time;
use crate::workload::{Schedule, ScheduleBuilder, Transfer};

/// An engine's answer, and whether it gives the same one again.
#[derive(Debug)]
pub struct Run {
    pub outcome: Outcome,
    pub repeats: bool,
}

/// Why an engine has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absent {
    /// It cannot simulate this point at all.
    NotSimulated(&'static str),
    /// Flows were left unfinished.
    Stuck(String),
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSimulated(why) => f.write_str(why),
            Self::Stuck(what) => f.write_str(what),
        }
    }
}

/// One point, seen from every side.
#[derive(Debug)]
pub struct Evidence {
    /// What is checked.
    pub experiment: Experiment,
    /// Its fabric.
    pub network: Arc<Network>,
    /// Its schedule.
    pub schedule: Arc<Schedule>,
    /// Where its flows were placed.
    pub placement: Placement,
    /// What the placement comes to.
    pub assessment: Assessment,
    /// The assessment of even spraying on the same fabric.
    pub spraying: Assessment,
    /// Bounds of fluid.
    pub fluid_bounds: Bounds,
    /// Bounds of packets.
    pub wire_bounds: Bounds,
    /// What the flow engine says.
    pub flow: Result<Run, Absent>,
    /// What the packet engine says.
    pub packet: Result<Run, Absent>,
    /// CCT of the flow engine that carries bytes on the wire, headers included, where sub-flows share
    /// links equally, and where they do in proportion to their bytes.
    pub wire_ccts: Result<[Time; 2], Absent>,
    /// The largest transfer alone on the fabric, with the experiment's own transport and switches.
    pub alone: Result<Alone, Absent>,
    /// When the packets of the experiment itself are done, without `packet.fast_forward` and with it.
    pub skipping: Result<[Time; 2], Absent>,
}

/// One transfer alone.
#[derive(Debug)]
pub struct Alone {
    /// Its bytes on the wire.
    pub wire: u64,
    /// Paths that its placement gives it.
    pub paths: Vec<Path>,
    /// When the fluid with headers has it delivered; the bound where the scheme decides packet by packet.
    pub fluid: Time,
    pub packet: Outcome,
}

const EVERYTHING: Observe = Observe {
    flows: true,
    links: true,
    series: None,
    senders: None,
    tasks: false,
};

impl Evidence {
    /// Runs every side at a point.
    pub(super) fn gather(
        preparer: &Preparer<'_>,
        point: Point,
        subject: &dyn SystemUnderTest,
    ) -> Result<Self, ConfigError> {
        let Prepared { resolved, instance, .. } = point.prepare(preparer)?;
        let experiment = &resolved.experiment;
        let (network, schedule) = (instance.network, instance.schedule);
        if schedule.has_endless() {
            let message = "a flow of size 0 has no end, and `validate` compares when flows end";
            let error =
                InputError::key("workload", message).help("give every flow a size; `run` measures endless flows");
            return Err(preparer.plan().locate(&resolved, error));
        }
        let fabric = &network.fabric;
        let placement = subject.place(fabric, &schedule, &instance.placement);
        let spray = LoadBalancing::Spray(Spray::default());
        let sprayed = spray
            .place(fabric, &schedule, &NoFiles, experiment.seed)
            .map_err(|error| preparer.plan().locate(&resolved, error))?;
        let (best, routes) = (network.at_best(), network.routes());
        let bounds = |framing| subject.bounds(&best, routes, &schedule, framing);
        Ok(Self {
            assessment: subject.assess(fabric, &schedule, &placement),
            spraying: crate::congestion::assess(fabric, &schedule, &sprayed, Framing::Fluid),
            fluid_bounds: bounds(Framing::Fluid),
            wire_bounds: bounds(wire_framing(experiment)),
            flow: simulated(experiment, &network)
                .and_then(|()| run(|| subject.flow(fabric, &schedule, &placement, &experiment.flow, &EVERYTHING))),
            wire_ccts: simulated(experiment, &network).and_then(|()| {
                let framed = placement.clone().resized(|bytes| wire_framing(experiment).wire(bytes));
                let cct = |weights| {
                    let options = FlowOptions {
                        weights,
                        ..experiment.flow
                    };
                    let once = subject.flow(fabric, &schedule, &framed, &options, &Observe::default());
                    once.map(|outcome| outcome.cct).map_err(stuck)
                };
                Ok([cct(Weights::Equal)?, cct(Weights::Size)?])
            }),
            packet: packet(subject, experiment, &network, &schedule, &placement),
            alone: alone(subject, experiment, &network, &schedule, &placement),
            skipping: skipping(subject, experiment, &network, &schedule, &placement),
            experiment: experiment.clone(),
            placement,
            schedule,
            network,
        })
    }
}

fn wire_framing(experiment: &Experiment) -> Framing {
    Framing::Packets {
        payload: experiment.packet.payload.0,
        header: experiment.packet.header.0,
    }
}

/// Whether the flow engine can simulate this at all.
fn simulated(experiment: &Experiment, network: &Network) -> Result<(), Absent> {
    if experiment.load_balancing.needs_packets() {
        return Err(Absent::NotSimulated("the scheme decides packet by packet"));
    }
    if !network.events.is_empty() {
        return Err(Absent::NotSimulated("the flow engine knows no faults that come or go"));
    }
    Ok(())
}

/// Packets as the experiment has them, over hosts and switches that do as the fluid does: nobody
/// waits for a turn, and acknowledgements keep no window shut. One that meets data waits for the
/// packet on its way at every hop, which at most doubles the round trip: hence two products.
fn packet(
    subject: &dyn SystemUnderTest,
    experiment: &Experiment,
    network: &Network,
    schedule: &Schedule,
    placement: &Placement,
) -> Result<Run, Absent> {
    let transport = Transport::Ideal(Ideal {
        window: 2.0,
        ..Ideal::default()
    });
    let switch = SwitchOptions::default();
    let options = PacketOptions {
        ack_priority: Some(true),
        active_queue_pairs: None,
        start_jitter: Time::ZERO,
        rto: None,
        stop: None,
        max_time: None,
        max_events: None,
        fast_forward: None,
        ..experiment.packet.clone()
    };
    let setup = Setup {
        fabric: &network.fabric,
        link_events: &network.events,
        schedule,
        placement,
        load_balancing: &experiment.load_balancing,
        transport: &transport,
        packet: &options,
        switch: &switch,
        observe: EVERYTHING,
        seed: experiment.seed,
    };
    run(|| subject.packet(&setup))
}

/// What the experiment says about packets, with every one of them simulated.
fn every_packet(experiment: &Experiment) -> PacketOptions {
    PacketOptions {
        fast_forward: None,
        ..experiment.packet.clone()
    }
}

/// Completion times of the experiment as it is, without skipping and with it.
fn skipping(
    subject: &dyn SystemUnderTest,
    experiment: &Experiment,
    network: &Network,
    schedule: &Schedule,
    placement: &Placement,
) -> Result<[Time; 2], Absent> {
    if experiment.engine != Engine::Packet || experiment.packet.fast_forward.is_none() {
        return Err(Absent::NotSimulated("packet.fast_forward is not set"));
    }
    let cct = |packet: &PacketOptions| {
        let outcome = subject.packet(&Setup {
            fabric: &network.fabric,
            link_events: &network.events,
            schedule,
            placement,
            load_balancing: &experiment.load_balancing,
            transport: &experiment.transport,
            packet,
            switch: &experiment.switch,
            observe: Observe::default(),
            seed: experiment.seed,
        });
        outcome.map(|outcome| outcome.end()).map_err(stuck)
    };
    Ok([cct(&every_packet(experiment))?, cct(&experiment.packet)?])
}

/// Paths that are looked at of a transfer that is spread over all of its.
const PATHS_LOOKED_AT: u32 = 4_096;

fn alone(
    subject: &dyn SystemUnderTest,
    experiment: &Experiment,
    network: &Network,
    schedule: &Schedule,
    placement: &Placement,
) -> Result<Alone, Absent> {
    if experiment.engine != Engine::Packet {
        return Err(Absent::NotSimulated("the experiment has no transport"));
    }
    if !network.events.is_empty() {
        return Err(Absent::NotSimulated("links change their rates meanwhile"));
    }
    let transfers = schedule.transfers().filter(|transfer| transfer.src != transfer.dst);
    let largest = transfers.reduce(|most, next| if next.bytes > most.bytes { next } else { most });
    let Transfer { task, src, dst, bytes } = largest.ok_or(Absent::NotSimulated("no transfer crosses the fabric"))?;
    let mut builder = ScheduleBuilder::default();
    builder.transfer(src.0, dst.0, bytes, 0);
    let (fabric, one) = (&network.fabric, builder.build());
    let subflows = Placement::from_subflows([placement.of(task).to_vec()]);
    let (src, dst) = (src.node(), dst.node());
    let spread = subflows
        .subflows()
        .iter()
        .any(|subflow| !matches!(subflow.route, Route::Pinned(_)));
    let paths = match spread {
        true => fabric.paths(src, dst).take(PATHS_LOOKED_AT as usize).collect(),
        false => subflows
            .subflows()
            .iter()
            .filter_map(|subflow| match subflow.route {
                Route::Pinned(path) => Some(fabric.path(src, dst, path)),
                _ => None,
            })
            .collect(),
    };
    let framing = wire_framing(experiment);
    let framed = subflows.clone().resized(|bytes| framing.wire(bytes));
    let wire = framed.subflows().iter().map(|subflow| subflow.bytes).sum();
    let fluid = match experiment.load_balancing.needs_packets() {
        true => subject.bounds(fabric, RouteSet::EqualCost, &one, framing).cct,
        false => {
            let options = FlowOptions::default();
            let outcome = subject.flow(fabric, &one, &framed, &options, &Observe::default());
            outcome.map_err(stuck)?.cct
        }
    };
    let packet = subject.packet(&Setup {
        fabric,
        link_events: &[],
        schedule: &one,
        placement: &subflows,
        load_balancing: &experiment.load_balancing,
        transport: &experiment.transport,
        packet: &every_packet(experiment),
        switch: &experiment.switch,
        observe: EVERYTHING,
        seed: experiment.seed,
    });
    Ok(Alone {
        wire,
        paths,
        fluid,
        packet: packet.map_err(stuck)?,
    })
}

fn run(simulate: impl Fn() -> Result<Outcome, Stuck>) -> Result<Run, Absent> {
    let outcome = simulate().map_err(stuck)?;
    let repeats = simulate().is_ok_and(|again| again == outcome);
    Ok(Run { outcome, repeats })
}

fn stuck(stuck: Stuck) -> Absent {
    Absent::Stuck(stuck.to_string())
}
