//! Links that are down, slower than built, or lossy, for good, for a while, or again and again.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fabric::Fabric;
use super::link::LinkChange;
use super::loss::{Loss, LossChange};
use crate::ids::{LinkId, NodeId};
use crate::input::InputError;
use crate::units::{Rate, Time};

/// One `[[faults]]` entry of an experiment file: a link or a port, and what happens to it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// A cable (`leaf0-spine0`, both directions) or one direction of it (`leaf0->spine0`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// A port of a host, both directions: `host3.plane1`, or by the switch at its other end, `host3.rail0`. It is down while the fault
    /// lasts, unless the fault says what else happens to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// The link's rate while the fault lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// The link carries nothing while the fault lasts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub down: bool,
    /// Share of packets that are lost on the link (a gray link), from 0 to 1; in the packet engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// The link goes down and comes up again and again; in the packet engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flap: Option<Flap>,
    /// When the fault begins; without it, before the simulation does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// When the fault ends; without it, never (a flapping link is left alone after a thousand times).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// A link that is up, then down, then up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flap {
    /// Time from one failure to the next.
    pub period: Time,
    /// How long the link is down, at the end of every period.
    pub down: Time,
}

/// How often a link may flap.
const MOST_FLAPS: u64 = 1_000;

/// A change of one link's rate at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkEvent {
    /// When.
    pub at: Time,
    /// What changes.
    pub change: LinkChange,
}

/// What faults do to a fabric.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan {
    /// Rates in force from the start, by link.
    pub changes: Vec<LinkChange>,
    /// Changes of rates that follow, in order of time, then link.
    pub events: Vec<LinkEvent>,
    /// Shares of packets lost from some time on, in order of time, then link.
    pub losses: Vec<LossChange>,
}

/// Resolves faults. While several faults of one link last, the last in the list that says something of the rate (or of
/// losses) holds; when none does, the link is as it was built. Keys in errors are relative to the list: `0.link`.
pub fn resolve_faults(fabric: &Fabric, faults: &[Fault]) -> Result<FaultPlan, InputError> {
    let mut plan = FaultPlan::default();
    if faults.is_empty() {
        return Ok(plan);
    }
    let names = fabric.links_by_name();
    let mut spells: BTreeMap<LinkId, Vec<Spell>> = BTreeMap::new();
    for (i, fault) in faults.iter().enumerate() {
        let under = |error: InputError| error.under(&i.to_string());
        for link in fault.links(fabric, &names).map_err(under)? {
            let of_link = fault.spells(fabric.link(link).rate).map_err(under)?;
            spells.entry(link).or_default().extend(of_link);
        }
    }
    for (link, spells) in spells {
        let (built, built_loss) = (fabric.link(link).rate, fabric.loss_at_start(link));
        let (mut rate, mut loss) = (built, built_loss);
        let bounds = spells.iter().flat_map(|s| [Some(s.from), s.until]).flatten();
        for at in bounds.collect::<BTreeSet<_>>() {
            let lasting = || {
                let lasts = |s: &&Spell| s.from <= at && s.until.is_none_or(|until| at < until);
                spells.iter().rev().filter(lasts)
            };
            let now = lasting().find_map(|s| s.rate).unwrap_or(built);
            if now != rate {
                rate = now;
                let change = LinkChange { link, rate };
                match at {
                    Time::ZERO => plan.changes.push(change),
                    _ => plan.events.push(LinkEvent { at, change }),
                }
            }
            let now = lasting().find_map(|s| s.loss).unwrap_or(built_loss);
            if now != loss {
                loss = now;
                plan.losses.push(LossChange { at, link, loss });
            }
        }
    }
    plan.events.sort_by_key(|event| (event.at, event.change.link));
    plan.losses.sort_by_key(|change| (change.at, change.link));
    Ok(plan)
}

/// What a link is like over a span of time, as far as a fault says.
struct Spell {
    rate: Option<Rate>,
    loss: Option<Loss>,
    from: Time,
    until: Option<Time>,
}

impl Fault {
    /// The link or the port, as written.
    pub fn name(&self) -> &str {
        self.link.as_deref().or(self.port.as_deref()).unwrap_or_default()
    }

    /// The links that the fault names.
    pub(crate) fn links(&self, fabric: &Fabric, names: &LinkNames) -> Result<Vec<LinkId>, InputError> {
        match (&self.link, &self.port) {
            (Some(link), None) => {
                let links = names.get(link).ok_or_else(|| no_link(fabric, link))?;
                Ok(links.to_vec())
            }
            (None, Some(port)) => {
                let links = fabric.links_of_port(port);
                if links.is_empty() {
                    return Err(no_port(fabric, port));
                }
                Ok(links)
            }
            (Some(_), Some(_)) => {
                Err(InputError::key("port", "the fault names a link and a port")
                    .help("write `link` or `port`, not both"))
            }
            (None, None) => Err(InputError::key("", "the fault names no link")
                .help("write `link = \"leaf0-spine0\"` or `port = \"host3.plane1\"`")),
        }
    }

    /// What the fault does to a link built with rate `built`. Keys in errors are the fault's own.
    fn spells(&self, built: Rate) -> Result<Vec<Spell>, InputError> {
        let named = if self.port.is_some() { "port" } else { "link" };
        let says = self.rate.is_some() || self.loss.is_some() || self.flap.is_some();
        let down = self.down || self.port.is_some() && !says;
        let rate = match (self.rate, down) {
            (Some(_), true) => {
                return Err(
                    InputError::key("rate", "a link that is down has no rate").help("write `rate` or `down`, not both")
                );
            }
            (None, false) if !says => {
                return Err(
                    InputError::key(named, format!("the fault of `{}` changes nothing", self.name()))
                        .help("write `rate = \"25Gbps\"`, `down = true`, `loss = 1e-5` or `flap`"),
                );
            }
            (Some(Rate::ZERO), false) => {
                return Err(InputError::key("rate", "the rate is zero").help("write `down = true`"));
            }
            (Some(rate), false) if rate > built => {
                return Err(
                    InputError::key("rate", format!("the link `{}` is built for {built}", self.name()))
                        .help("a fault makes a link slower"),
                );
            }
            (rate, false) => rate,
            (None, true) => Some(Rate::ZERO),
        };
        let from = self.from.unwrap_or(Time::ZERO);
        if self.until.is_some_and(|until| until <= from) {
            return Err(
                InputError::key("until", "the fault ends before it begins").help("`until` must be later than `from`")
            );
        }
        let loss = self.loss.map(Loss::new).transpose()?;
        let mut spells = vec![Spell {
            rate,
            loss,
            from,
            until: self.until,
        }];
        if let Some(flap) = self.flap {
            let times = self.flap_times(flap, from)?;
            spells.extend(times.map(|(from, until)| Spell {
                rate: Some(Rate::ZERO),
                loss: None,
                from,
                until: Some(until),
            }));
        }
        Ok(spells)
    }

    /// From when until when a flapping link is down.
    fn flap_times(&self, flap: Flap, from: Time) -> Result<impl Iterator<Item = (Time, Time)> + use<>, InputError> {
        let Flap { period, down } = flap;
        if self.down {
            return Err(
                InputError::key("flap", "a link that is down does not flap").help("write `down` or `flap`, not both")
            );
        }
        if down.is_zero() || down >= period {
            let message = format!("the link would be down for {down} of every {period}");
            return Err(InputError::key("flap.down", message).help("`down` lies between zero and `period`"));
        }
        let flaps = self
            .until
            .map_or(MOST_FLAPS, |until| (until.0 - from.0).div_ceil(period.0));
        if flaps > MOST_FLAPS {
            let message = format!("the link would go down {flaps} times");
            return Err(InputError::key("flap.period", message).help(format!("at most {MOST_FLAPS} can be simulated")));
        }
        let end = self.until.unwrap_or(Time(u64::MAX));
        let times = (1..=flaps).map(move |k| {
            let up = from.saturating_add(Time(period.0.saturating_mul(k)));
            (Time(up.0.saturating_sub(down.0)), up)
        });
        Ok(times
            .take_while(move |times| times.0 < end && times.1.0 < u64::MAX)
            .map(move |times| (times.0, times.1.min(end))))
    }
}

type LinkNames = std::collections::HashMap<String, smallvec::SmallVec<[LinkId; 2]>>;

fn no_port(fabric: &Fabric, port: &str) -> InputError {
    let error = InputError::key("port", format!("the fabric has no port `{port}`"));
    let up = (0..fabric.hosts()).find_map(|host| fabric.out_links(NodeId(host)).first());
    match up {
        Some(&up) => {
            let (host, far) = (
                &fabric.node(fabric.link(up).from).name,
                &fabric.node(fabric.link(up).to).name,
            );
            let end = far.split('.').next().unwrap_or(far);
            error.help(format!(
                "ports are named like `{host}.{end}`: the host, and the plane or the switch"
            ))
        }
        None => error,
    }
}

fn no_link(fabric: &Fabric, link: &str) -> InputError {
    let error = InputError::key("link", format!("the fabric has no link `{link}`"));
    let example = fabric.link_ids().find(|&id| fabric.is_fabric_link(id));
    match example.or_else(|| fabric.link_ids().next()) {
        Some(id) => error.help(format!(
            "links are named like `{}` (both directions) or `{}` (one)",
            fabric.cable(id),
            fabric.link_name(id)
        )),
        None => error,
    }
}
