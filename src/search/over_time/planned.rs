//! The plan of an experiment over its announced outages, confirmed by the fluid span by span.

use serde::Serialize;

use super::outages::{Span, TimedFlow, outage_plan};
use crate::config::ConfigError;
use crate::experiment::{Experiment, Point, Preparer};
use crate::input::InputError;
use crate::placement::{Placement, Subflow};
use crate::results::{Number, microseconds};
use crate::routes::Route;
use crate::runner;
use crate::units::Time;
use crate::workload::ScheduleBuilder;

/// What goes where in a time in which no link changes, with times in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedSpan {
    /// Its beginning.
    pub from_us: Number,
    /// Its end; none of the last.
    pub until_us: Option<Number>,
    /// What is sent in it.
    pub bytes: u64,
    /// How long that takes, simulated by itself.
    pub fluid_us: Number,
    /// Flow by flow.
    pub flows: Vec<PlannedPiece>,
}

/// Bytes from host to host on a path, by the names of its switches.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedPiece {
    /// The source.
    pub src: u32,
    /// The destination.
    pub dst: u32,
    /// Payload.
    pub bytes: u64,
    /// The switches on the way.
    pub path: Vec<String>,
}

/// A plan over outages, as `over-time.json` holds it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutageReport {
    /// When the last byte is at its receiver.
    pub end_us: Number,
    /// No plan ends earlier, but for propagation.
    pub bound_us: Number,
    /// When the last byte is at its receiver, simulated.
    pub fluid_end_us: Number,
    /// In order of time.
    pub spans: Vec<PlannedSpan>,
}

/// Plans what goes where while links of a point come and go.
///
/// # Errors
/// A point without such links, or one that [`outage_plan`] refuses.
pub fn outages(preparer: &Preparer<'_>, point: Point) -> Result<OutageReport, ConfigError> {
    let plan = preparer.plan();
    let resolved = plan.resolve(point)?;
    let experiment = &resolved.experiment;
    let report = || -> Result<OutageReport, InputError> {
        let network = preparer.network(experiment)?;
        let schedule = preparer.schedule(experiment, &network)?;
        let found = outage_plan(&network.fabric, &network.events, &schedule)?;
        let spans = found.spans.iter().map(|span| planned(span, experiment));
        let spans = spans.collect::<Result<Vec<_>, _>>()?;
        Ok(OutageReport {
            end_us: Number::new(found.end_ps / 1e6),
            bound_us: Number::new(found.bound_ps / 1e6),
            fluid_end_us: Number::new(fluid_end(&spans)),
            spans,
        })
    };
    report().map_err(|error| plan.locate(&resolved, error))
}

/// When all is there by the fluid: what a span leaves over is sent behind the last one.
fn fluid_end(spans: &[PlannedSpan]) -> f64 {
    let over = |span: &PlannedSpan| {
        let end = span.from_us.value() + span.fluid_us.value();
        span.until_us.map_or(0.0, |until| (end - until.value()).max(0.0))
    };
    let Some((last, before)) = spans.split_last() else {
        return 0.0;
    };
    last.from_us.value() + last.fluid_us.value() + before.iter().map(over).sum::<f64>()
}

fn planned(span: &Span, experiment: &Experiment) -> Result<PlannedSpan, InputError> {
    let fabric = &span.fabric;
    let piece = |flow: &TimedFlow| {
        let links = fabric.path(flow.src.node(), flow.dst.node(), flow.path);
        let nodes = links.iter().map(|&link| fabric.link(link).to);
        let switches = nodes.filter(|node| node.0 >= fabric.hosts());
        PlannedPiece {
            src: flow.src.0,
            dst: flow.dst.0,
            bytes: flow.bytes,
            path: switches.map(|node| fabric.node(node).name.clone()).collect(),
        }
    };
    Ok(PlannedSpan {
        from_us: microseconds(span.from),
        until_us: span.until.map(microseconds),
        bytes: span.flows.iter().map(|flow| flow.bytes).sum(),
        fluid_us: microseconds(fluid(span, experiment)?),
        flows: span.flows.iter().map(piece).collect(),
    })
}

/// How long what is sent in a span takes in it, were the span as long as it must be.
fn fluid(span: &Span, experiment: &Experiment) -> Result<Time, InputError> {
    if span.flows.is_empty() {
        return Ok(Time::ZERO);
    }
    let mut schedule = ScheduleBuilder::default();
    for flow in &span.flows {
        schedule.transfer(flow.src, flow.dst, flow.bytes, 0);
    }
    let pinned = span.flows.iter().map(|flow| {
        [Subflow {
            route: Route::Pinned(flow.path),
            bytes: flow.bytes,
        }]
    });
    let (schedule, placement) = (schedule.build(), Placement::from_subflows(pinned));
    runner::fluid_time(&span.fabric, &schedule, &placement, experiment)
        .map_err(|stuck| InputError::key("faults", format!("the plan does not end: {stuck}")))
}
