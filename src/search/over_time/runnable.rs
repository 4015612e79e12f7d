//! A plan over outages as an experiment for packets: when each piece begins, and its path.
//!
//! Packets need room for their headers, and senders that share a link share it fairly, not as the plan has it: the plan is made for what links carry of
//! payload, pieces are sent in parts, one after the other, and nothing is sent over a link in the last moments before it becomes slower.

use std::collections::BTreeMap;

use serde_json::json;
use toml::Value;

use super::outages::{Span, TimedFlow, TimedPlan, outage_plan};
use crate::config::ConfigError;
use crate::experiment::{Experiment, Point, Preparer};
use crate::ids::{LinkId, PathIndex};
use crate::input::InputError;
use crate::placement::{Placement, PlanFile, Subflow};
use crate::results::Number;
use crate::routes::Route;
use crate::topology::{Fabric, LinkChange, LinkEvent};
use crate::units::{Rate, Time};
use crate::workload::{Action, Schedule, ScheduleBuilder};

/// Share of the time since the last change that is kept free before a link becomes slower, if that is more than what bytes need to be there.
const FREE_PART: u64 = 16;
/// Percent of every link that are kept free: what shares it unlike the plan catches up.
const FREE_PERCENT: u64 = 2;
/// Links of a path between two tiers, whose propagation and queues bytes need to be there.
const LONGEST_PATH: u64 = 4;
/// Parts of a piece, at most, and how large each is to be at least in the mean.
const MOST_PARTS: u64 = 16;
const LEAST_PART: u64 = 16 * 1024;
/// When a link is down that was so before the run began: a fabric has no paths over links that never were up.
const SOON: Time = Time(1);

/// An experiment that does what a plan says, in the three files that it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct RunnablePlan {
    /// When the last byte is at its receiver, by the plan, in microseconds.
    pub end_us: Number,
    /// The pieces as a table of flows, with their starts.
    pub flows: String,
    /// Their paths, as `plan` reads them.
    pub paths: String,
    /// The experiment, which names the files of both.
    pub experiment: String,
}

/// Plans over the outages of a point what packets can carry out. `flows` and `paths` are the files' names as the experiment has them.
///
/// # Errors
/// A point that [`outage_plan`] refuses, and ways that the fabric does not have while all of its links are up.
pub fn runnable(preparer: &Preparer<'_>, point: Point, flows: &str, paths: &str) -> Result<RunnablePlan, ConfigError> {
    let plan = preparer.plan();
    let resolved = plan.resolve(point)?;
    let mut experiment = resolved.experiment.clone();
    for fault in experiment.faults.iter_mut().filter(|fault| fault.until.is_some()) {
        fault.from = fault.from.or(Some(SOON));
    }
    let planned = || -> Result<(TimedPlan, Schedule, PlanFile), InputError> {
        let network = preparer.network(&experiment)?;
        let schedule = preparer.schedule(&experiment, &network)?;
        let (fabric, events) = as_planned(&network.fabric, &network.events, &experiment);
        let plan = outage_plan(&fabric, &events, &schedule)?;
        let (schedule, placement) = pieces(&plan, &network.fabric)?;
        let paths = PlanFile::from_placement(&network.fabric, &schedule, &placement)?;
        Ok((plan, schedule, paths))
    };
    let (timed, schedule, planned_paths) = planned().map_err(|error| plan.locate(&resolved, error))?;
    let unwritten = |error: &dyn std::fmt::Display| ConfigError::new(format!("the plan cannot be written: {error}"));
    let mut root = resolved.tree.to_toml(false);
    if let Value::Table(root) = &mut root {
        let faults = Value::try_from(&experiment.faults).map_err(|error| unwritten(&error))?;
        root.insert("name".into(), Value::String(format!("{}-over-time", plan.name())));
        root.insert("engine".into(), Value::String("packet".into()));
        root.insert("faults".into(), faults);
        for (key, value) in [
            ("workload", json!({ "flows": { "file": flows } })),
            ("load_balancing", json!({ "plan": paths })),
        ] {
            root.insert(key.into(), Value::try_from(value).map_err(|error| unwritten(&error))?);
        }
    }
    Ok(RunnablePlan {
        end_us: Number::new(timed.end_ps / 1e6),
        flows: table(&schedule),
        paths: serde_json::to_string(&planned_paths).map_err(|error| unwritten(&error))? + "\n",
        experiment: toml::to_string(&root).map_err(|error| unwritten(&error))?,
    })
}

/// The fabric and its changes as a plan for packets has to take them.
fn as_planned(fabric: &Fabric, events: &[LinkEvent], experiment: &Experiment) -> (Fabric, Vec<LinkEvent>) {
    let packet = &experiment.packet;
    let of_payload = |rate: Rate| {
        let whole = u128::from(packet.payload.0 + packet.header.0);
        let kept = u128::from(rate.0) * u128::from(packet.payload.0) * u128::from(100 - FREE_PERCENT);
        Rate((kept / (100 * whole)) as u64)
    };
    let slower = |change: LinkChange| LinkChange {
        rate: of_payload(change.rate),
        ..change
    };
    let at_once = events.iter().filter(|event| event.at <= SOON).map(|event| event.change);
    let built = fabric.link_ids().map(|link| LinkChange {
        link,
        rate: fabric.link(link).rate,
    });
    let at_start: Vec<LinkChange> = built.chain(at_once).map(slower).collect();
    let fabric = fabric.with(&at_start);
    let mut rates: BTreeMap<LinkId, (Rate, Time)> = BTreeMap::new();
    let slowest = fabric.links().iter().map(|link| link.delay).max().unwrap_or(Time::ZERO);
    let (mut planned, mut since, mut now) = (Vec::new(), Time::ZERO, Time::ZERO);
    for event in events.iter().filter(|event| event.at > SOON) {
        if event.at > now {
            (since, now) = (now, event.at);
        }
        let change = slower(event.change);
        let (rate, changed) = *rates
            .get(&change.link)
            .unwrap_or(&(fabric.link(change.link).rate, Time::ZERO));
        let free = Time((now.0 - since.0) / FREE_PART).max(Time(slowest.0.saturating_mul(LONGEST_PATH)));
        let at = match change.rate < rate {
            true => event.at.saturating_sub(free).max(changed).max(SOON),
            false => event.at,
        };
        rates.insert(change.link, (change.rate, at));
        planned.push(LinkEvent { at, change });
    }
    planned.sort_by_key(|event| event.at);
    (fabric, planned)
}

/// What is sent, in parts, and on which paths of the fabric with all links up.
fn pieces(plan: &TimedPlan, fabric: &Fabric) -> Result<(Schedule, Placement), InputError> {
    let mut schedule = ScheduleBuilder::default();
    let mut routes = Vec::new();
    for span in &plan.spans {
        let end = span.until.map_or(plan.end_ps, |until| plan.end_ps.min(until.0 as f64));
        let length = (end as u64).saturating_sub(span.from.0);
        let parts = parts(span);
        for part in 0..parts {
            let start = Time(span.from.0 + (u128::from(length) * u128::from(part) / u128::from(parts)) as u64);
            for flow in &span.flows {
                let until = |part: u64| (u128::from(flow.bytes) * u128::from(part) / u128::from(parts)) as u64;
                let bytes = until(part + 1) - until(part);
                if bytes > 0 {
                    let TimedFlow { src, dst, .. } = *flow;
                    schedule.add(Action::Transfer { src, dst, bytes }, start, 0);
                    let route = Route::Pinned(path(span, flow, fabric)?);
                    routes.push([Subflow { route, bytes }]);
                }
            }
        }
    }
    Ok((schedule.build(), Placement::from_subflows(routes)))
}

fn parts(span: &Span) -> u64 {
    let bytes: u64 = span.flows.iter().map(|flow| flow.bytes).sum();
    (bytes / (LEAST_PART * span.flows.len().max(1) as u64)).clamp(1, MOST_PARTS)
}

/// The path of a piece in the fabric with all links up.
fn path(span: &Span, flow: &TimedFlow, fabric: &Fabric) -> Result<PathIndex, InputError> {
    let (src, dst) = (flow.src.node(), flow.dst.node());
    let links = span.fabric.path(src, dst, flow.path);
    fabric.path_index(src, dst, &links).ok_or_else(|| {
        let message = format!(
            "host {} is to reach host {} by a way that is not among the shortest while all links are up",
            flow.src, flow.dst
        );
        InputError::key("faults", message)
    })
}

fn table(schedule: &Schedule) -> String {
    let mut text = "src,dst,bytes,start_ps\n".to_owned();
    for task in schedule.tasks() {
        if let Action::Transfer { src, dst, bytes } = task.action {
            text += &format!("{src},{dst},{bytes},{}\n", task.earliest.0);
        }
    }
    text
}
