//! A fabric as the page draws it: nodes and directed links by number, with what is wrong with them.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::results::{FabricRow, LinkRow, Number};

/// Links that a page has room for; of larger fabrics it has those between switches, if these are not more.
const MOST_LINKS: usize = 6_000;

#[derive(Debug, Default, Serialize)]
pub(super) struct Fabric {
    /// What its file is called, to know it again.
    #[serde(skip)]
    pub file: String,
    /// Names and tiers.
    nodes: Vec<(String, Option<u32>)>,
    /// From and to, by number of node.
    links: Vec<(u32, u32)>,
    /// Of each link at the start, in Gb/s; 0 where it is down.
    pub rates: Vec<Number>,
    /// By number of link.
    faults: BTreeMap<u32, String>,
    /// Names of links that are called something else than their ends.
    names: BTreeMap<u32, String>,
    /// Links that there was no room for.
    left_out: usize,
    #[serde(skip)]
    numbers: HashMap<String, u32>,
}

impl Fabric {
    pub(super) fn of(rows: &[FabricRow]) -> Self {
        let between_switches = |row: &&FabricRow| row.from_tier != Some(0) && row.to_tier != Some(0);
        let inner = rows.iter().filter(between_switches).count();
        let keep = |row: &&FabricRow| {
            rows.len() <= MOST_LINKS || inner <= MOST_LINKS && between_switches(row) || !row.fault.is_empty()
        };
        let mut fabric = Self::default();
        let mut nodes: HashMap<&str, u32> = HashMap::new();
        for row in rows.iter().filter(keep).take(MOST_LINKS) {
            let mut node = |name, tier| {
                *nodes.entry(name).or_insert_with(|| {
                    fabric.nodes.push((String::from(name), tier));
                    fabric.nodes.len() as u32 - 1
                })
            };
            let ends = (
                node(row.from.as_str(), row.from_tier),
                node(row.to.as_str(), row.to_tier),
            );
            let number = fabric.links.len() as u32;
            fabric.links.push(ends);
            fabric.rates.push(row.rate_gbps);
            if !row.fault.is_empty() {
                fabric.faults.insert(number, row.fault.clone());
            }
            if row.link != format!("{}->{}", row.from, row.to) {
                fabric.names.insert(number, row.link.clone());
            }
            fabric.numbers.insert(row.link.clone(), number);
        }
        fabric.left_out = rows.len() - fabric.links.len();
        fabric
    }

    /// The number of a link, if it is on the page.
    pub(super) fn number(&self, link: &str) -> Option<u32> {
        self.numbers.get(link).copied()
    }

    /// Of how many links it is.
    pub(super) fn links(&self) -> usize {
        self.links.len()
    }
}

/// The fabric as links.csv has it, for folders without fabrics.
pub(super) fn rows_of(links: &[LinkRow]) -> Vec<FabricRow> {
    let row = |link: &LinkRow| FabricRow {
        link: link.link.clone(),
        from: link.from.clone(),
        to: link.to.clone(),
        from_tier: link.from_tier,
        to_tier: link.to_tier,
        rate_gbps: link.rate_gbps,
        fault: if link.rate_gbps.value() > 0.0 { "" } else { "down" }.to_owned(),
    };
    links.iter().map(row).collect()
}
