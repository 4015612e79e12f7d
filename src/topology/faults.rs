//! Links that are down or slower than built, for good or for a while.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fabric::{Fabric, LinkChange};
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
    pub at: Time,
    pub change: LinkChange,
}

/// Splits faults into the changes in force from the start and the events that follow, in order of
/// time. Keys in errors are relative to the list: `0.link`.
pub fn resolve_faults(fabric: &Fabric, faults: &[Fault]) -> Result<(Vec<LinkChange>, Vec<LinkEvent>), InputError> {
    let names = fabric.links_by_name();
    let (mut changes, mut events) = (Vec::new(), Vec::new());
    for (i, fault) in faults.iter().enumerate() {
        let error = |key: &str, message: String| InputError::key(format!("{i}.{key}").trim_end_matches('.'), message);
        let Some(links) = names.get(&fault.link) else {
            let example = fabric.link_ids().find(|&id| fabric.is_fabric_link(id));
            let help = example.map_or(String::new(), |id| {
                format!(
                    "links are named like `{}` (both directions) or `{}` (one)",
                    fabric.cable(id),
                    fabric.link_name(id)
                )
            });
            return Err(error("link", format!("the fabric has no link `{}`", fault.link)).help(help));
        };
        let rate = match (fault.rate, fault.down) {
            (Some(_), true) => {
                return Err(
                    error("rate", "a link that is down has no rate".into()).help("write `rate` or `down`, not both")
                );
            }
            (Some(rate), false) => rate,
            (None, true) => Rate::ZERO,
            (None, false) => {
                return Err(error("", format!("the fault of `{}` changes nothing", fault.link))
                    .help("write `rate = \"25Gbps\"` or `down = true`"));
            }
        };
        let from = fault.from.unwrap_or(Time::ZERO);
        if fault.until.is_some_and(|until| until <= from) {
            return Err(
                error("until", "the fault ends before it begins".into()).help("`until` must be later than `from`")
            );
        }
        for &link in links {
            let change = LinkChange { link, rate };
            if from == Time::ZERO {
                changes.push(change);
            } else {
                events.push(LinkEvent { at: from, change });
            }
            if let Some(at) = fault.until {
                let rate = fabric.link(link).rate;
                events.push(LinkEvent {
                    at,
                    change: LinkChange { link, rate },
                });
            }
        }
    }
    events.sort_by_key(|event| (event.at, event.change.link));
    Ok((changes, events))
}
