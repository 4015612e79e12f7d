//! The links of the fabric that a point is simulated on, as results keep them.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

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
    pub fn keep(&self, store: &Store, network: &Arc<Network>, experiment: &Experiment) -> io::Result<Option<String>> {
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
    let by_name = (!faults.is_empty()).then(|| fabric.links_by_name());
    for fault in faults {
        let (link, what) = describe(fault);
        for id in by_name.iter().filter_map(|names| names.get(&link)).flatten() {
            let text = told.entry(id.index()).or_default();
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&what);
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

/// The link of a fault, and what is wrong with it, as the experiment says it: `rate 25Gbps from 10us`.
fn describe(fault: &Fault) -> (String, String) {
    let text = serde_json::to_value(fault).unwrap_or_default();
    let keys = text.as_object().into_iter().flatten();
    let (mut link, mut told) = (String::new(), Vec::new());
    for (key, value) in keys {
        match (key.as_str(), value) {
            ("link", value) => link = value.as_str().unwrap_or_default().to_owned(),
            (key, serde_json::Value::Bool(true)) => told.push(key.to_owned()),
            (key, serde_json::Value::String(text)) => told.push(format!("{key} {text}")),
            (key, value) => told.push(format!("{key} {value}")),
        }
    }
    (link, told.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_as_they_are_written() {
        let fault = |text: &str| describe(&toml::from_str(text).unwrap());
        let own = |link: &str, what: &str| (link.to_owned(), what.to_owned());
        assert_eq!(fault("link = \"a-b\"\ndown = true"), own("a-b", "down"));
        assert_eq!(
            fault("link = \"a->b\"\nrate = \"25Gbps\"\nfrom = \"10us\"\nuntil = \"20us\""),
            own("a->b", "from 10us rate 25Gbps until 20us")
        );
    }
}
