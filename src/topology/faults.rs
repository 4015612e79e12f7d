//! Links that are down or slower than built, for good or for a while.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fabric::Fabric;
use super::link::LinkChange;
use crate::ids::LinkId;
use crate::input::InputError;
use crate::units::{Rate, Time};

/// One `[[faults]]` entry of an experiment file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// A cable (`leaf0-spine0`, both directions) or one direction of it (`leaf0->spine0`).
    pub link: String,
    /// The link's rate while the fault lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// The link carries nothing while the fault lasts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub down: bool,
    /// When the fault begins; without it, before the simulation does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// When the fault ends; without it, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// A change of one link's rate at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkEvent {
    /// When.
    pub at: Time,
    /// What changes.
    pub change: LinkChange,
}

/// Splits faults into the changes in force from the start and the events that follow, in order of
/// time, then link. While several faults of one link last, the last in the list holds; when none
/// does, the link has the rate it was built with. Keys in errors are relative to the list: `0.link`.
pub fn resolve_faults(fabric: &Fabric, faults: &[Fault]) -> Result<(Vec<LinkChange>, Vec<LinkEvent>), InputError> {
    if faults.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let names = fabric.links_by_name();
    let mut spells: BTreeMap<LinkId, Vec<Spell>> = BTreeMap::new();
    for (i, fault) in faults.iter().enumerate() {
        let under = |error: InputError| error.under(&i.to_string());
        let links = names.get(&fault.link).ok_or_else(|| under(no_link(fabric, fault)))?;
        for &link in links {
            let spell = fault.spell(fabric.link(link).rate).map_err(under)?;
            spells.entry(link).or_default().push(spell);
        }
    }
    let (mut changes, mut events) = (Vec::new(), Vec::new());
    for (link, spells) in spells {
        let built = fabric.link(link).rate;
        let mut rate = built;
        let bounds = spells.iter().flat_map(|s| [Some(s.from), s.until]).flatten();
        for at in bounds.collect::<BTreeSet<_>>() {
            let lasts = |s: &&Spell| s.from <= at && s.until.is_none_or(|until| at < until);
            let now = spells.iter().rev().find(lasts).map_or(built, |s| s.rate);
            if now == rate {
                continue;
            }
            rate = now;
            let change = LinkChange { link, rate };
            match at {
                Time::ZERO => changes.push(change),
                _ => events.push(LinkEvent { at, change }),
            }
        }
    }
    events.sort_by_key(|event| (event.at, event.change.link));
    Ok((changes, events))
}

/// A link's rate over a span of time.
struct Spell {
    rate: Rate,
    from: Time,
    until: Option<Time>,
}

impl Fault {
    /// What the fault does to a link built with rate `built`. Keys in errors are the fault's own.
    fn spell(&self, built: Rate) -> Result<Spell, InputError> {
        let rate = match (self.rate, self.down) {
            (Some(_), true) => {
                return Err(
                    InputError::key("rate", "a link that is down has no rate").help("write `rate` or `down`, not both")
                );
            }
            (None, false) => {
                return Err(
                    InputError::key("link", format!("the fault of `{}` changes nothing", self.link))
                        .help("write `rate = \"25Gbps\"` or `down = true`"),
                );
            }
            (Some(Rate::ZERO), false) => {
                return Err(InputError::key("rate", "the rate is zero").help("write `down = true`"));
            }
            (Some(rate), false) if rate > built => {
                return Err(
                    InputError::key("rate", format!("the link `{}` is built for {built}", self.link))
                        .help("a fault makes a link slower"),
                );
            }
            (Some(rate), false) => rate,
            (None, true) => Rate::ZERO,
        };
        let from = self.from.unwrap_or(Time::ZERO);
        if self.until.is_some_and(|until| until <= from) {
            return Err(
                InputError::key("until", "the fault ends before it begins").help("`until` must be later than `from`")
            );
        }
        Ok(Spell {
            rate,
            from,
            until: self.until,
        })
    }
}

fn no_link(fabric: &Fabric, fault: &Fault) -> InputError {
    let error = InputError::key("link", format!("the fabric has no link `{}`", fault.link));
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
