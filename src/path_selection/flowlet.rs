//! Flowlet switching in the switch: a flow that paused long enough may take another link.
//!
//! A switch remembers flows in a table of [`ENTRIES`] places found by hash, as hardware does; two flows that meet in
//! one place share its link.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::dynamic::{Dynamic, Switches};
use super::select_link::{Hop, SelectLink};
use crate::ids::{IdVec, LinkId, NodeId, SubflowId};
use crate::input::InputError;
use crate::rng::{index_below, mix};
use crate::units::Time;

/// Options of `flowlet`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Flowlet {
    /// A packet that comes this long after the one before it takes a new random path. Default: half
    /// the round-trip time of the unloaded path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Time>,
}

impl<H, S: From<FlowletState>> Dynamic<H, S> for Flowlet {
    fn check(&self) -> Result<(), InputError> {
        if self.gap.is_some_and(Time::is_zero) {
            let error = InputError::key("gap", "the gap between two flowlets is zero");
            return Err(error.help("with no gap every packet takes a random path: that is load_balancing = \"spray\""));
        }
        Ok(())
    }

    fn in_switch(&self, switches: &Switches<'_>) -> Option<S> {
        let state = FlowletState::new(self, switches.nodes, switches.rtt, switches.salt);
        Some(state.into())
    }
}

/// Flows that a switch can tell apart.
const ENTRIES: usize = 1 << 12;

/// When a packet last came to a place, and the link it took.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    seen: u64,
    /// One more than the position among the next links; 0: never used.
    position: u32,
}

/// The tables of all switches.
#[derive(Debug, Clone)]
pub(crate) struct FlowletState {
    gap: u64,
    salt: u64,
    draws: Draws,
    tables: IdVec<NodeId, Vec<Entry>>,
}

impl FlowletState {
    /// `rtt` in ps, of the unloaded network.
    pub(crate) fn new(spec: &Flowlet, nodes: usize, rtt: u64, salt: u64) -> Self {
        Self {
            gap: spec.gap.map_or(rtt / 2, |gap| gap.0),
            salt,
            draws: Draws::new(nodes, salt ^ 0xf10e),
            tables: IdVec::filled(Vec::new(), nodes),
        }
    }

    /// A position among `count` links for a packet of a queue pair, data or control.
    fn of_flow(&mut self, node: NodeId, qp: SubflowId, control: bool, count: u32, now: u64) -> u32 {
        let table = &mut self.tables[node];
        if table.is_empty() {
            table.resize(ENTRIES, Entry::default());
        }
        let flow = u64::from(qp.0) << 1 | u64::from(control);
        let entry = &mut table[mix(self.salt ^ flow) as usize % ENTRIES];
        let stale = entry.position == 0 || entry.position > count || now - entry.seen >= self.gap;
        if stale {
            entry.position = 1 + index_below(self.draws.next(node), count);
        }
        entry.seen = now;
        entry.position - 1
    }
}

impl SelectLink for FlowletState {
    fn choose(&mut self, hop: &Hop<'_, impl Fn(LinkId) -> Option<u64>>) -> u32 {
        self.of_flow(hop.node, hop.qp, hop.control, hop.links.len() as u32, hop.now)
    }

    fn sprays(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Time;

    #[test]
    fn a_flow_keeps_its_link_until_it_pauses() {
        let gap = Some(Time(100));
        let mut flowlet = FlowletState::new(&Flowlet { gap }, 1, 0, 3);
        let first = flowlet.of_flow(NodeId(0), SubflowId(7), false, 1_000_000, 0);
        for now in 1..50 {
            assert_eq!(
                flowlet.of_flow(NodeId(0), SubflowId(7), false, 1_000_000, now * 99),
                first
            );
        }
        assert_ne!(
            flowlet.of_flow(NodeId(0), SubflowId(7), false, 1_000_000, 49 * 99 + 100),
            first
        );
    }
}
