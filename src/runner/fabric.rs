//! The links of the fabric that a point is simulated on, as results keep them.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::details::tiers;
use crate::experiment::{Experiment, Network};
use crate::results::{FabricRow, Number, Store};
use crate::topology::Fault;

/// Larger ones are not kept: nobody could see anything in a drawing of them.
const MOST_LINKS: usize = 50_000;

/// Fabrics that are remembered, so that a sweep over one does not describe it for every point.
const REMEMBERED: usize = 16;

/// Keeps each fabric once.
#[derive(Debug, Default)]
pub(super) struct Fabrics {
    /// With the names of their files.
    known: Mutex<Vec<(Arc<Network>, String)>>,
}

impl Fabrics {
    /// Keeps the fabric of a point, if it is small enough, and says what its file is called.
    pub(super) fn keep(
        &self,
        store: &Store,
        network: &Arc<Network>,
        experiment: &Experiment,
    ) -> io::Result<Option<String>> {
        if network.fabric.links().len() > MOST_LINKS {
            return Ok(None);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, name)) = known.iter().find(|(other, _)| Arc::ptr_eq(other, network)) {
            return Ok(Some(name.clone()));
        }
        let name = store.save_fabric(&rows(network, &experiment.faults))?;
        if known.len() == REMEMBERED {
            known.remove(0);
        }
        known.push((Arc::clone(network), name.clone()));
        Ok(Some(name))
    }
}

fn rows(network: &Network, faults: &[Fault]) -> Vec<FabricRow> {
    let fabric = &network.fabric;
    let tiers = tiers(fabric);
    let mut told: HashMap<usize, String> = HashMap::new();
    let names = if faults.is_empty() {
        HashMap::new()
    } else {
        fabric.links_by_name()
    };
    for fault in faults {
        // Faults of links that are not there were refused before.
        for id in fault.links(fabric, &names).unwrap_or_default() {
            let text = told.entry(id.index()).or_default();
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&describe(fault));
        }
    }
    let rows = fabric.link_ids().map(|id| {
        let link = fabric.link(id);
        FabricRow {
            link: fabric.link_name(id),
            from: fabric.node(link.from).name.clone(),
            to: fabric.node(link.to).name.clone(),
            from_tier: tiers[link.from.index()],
            to_tier: tiers[link.to.index()],
            rate_gbps: Number::new(link.rate.as_gbps()),
            fault: told.remove(&id.index()).unwrap_or_default(),
        }
    });
    rows.collect()
}

/// What is wrong with the links of a fault, as the experiment says it: `from 10us rate 25Gbps`.
fn describe(fault: &Fault) -> String {
    told(&serde_json::to_value(fault).unwrap_or_default())
}

/// The keys of a table with their values, but for what names the links.
fn told(table: &Value) -> String {
    let keys = table.as_object().into_iter().flatten();
    let told = keys.filter_map(|(key, value)| match value {
        _ if matches!(key.as_str(), "link" | "port") => None,
        Value::Bool(true) => Some(key.clone()),
        Value::String(text) => Some(format!("{key} {text}")),
        Value::Object(_) => Some(format!("{key} {}", told(value))),
        value => Some(format!("{key} {value}")),
    });
    told.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_as_they_are_written() {
        let fault = |text: &str| describe(&toml::from_str(text).unwrap());
        assert_eq!(fault("link = \"a-b\"\ndown = true"), "down");
        let slow = "link = \"a->b\"\nrate = \"25Gbps\"\nfrom = \"10us\"\nuntil = \"20us\"";
        assert_eq!(fault(slow), "from 10us rate 25Gbps until 20us");
        let flap = "port = \"host3.plane1\"\nflap = { period = \"10ms\", down = \"1ms\" }";
        assert_eq!(fault(flap), "flap down 1ms period 10ms");
    }
}
