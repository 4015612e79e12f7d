//! Pairs of hosts that no path joins.

use super::fabric::Fabric;
use crate::ids::{LinkId, NodeId};
use crate::input::InputError;

impl Fabric {
    /// The first of these pairs (source, destination) that no path joins; a host and itself are
    /// not a pair.
    pub fn unreachable(&self, pairs: impl IntoIterator<Item = (NodeId, NodeId)>) -> Option<(NodeId, NodeId)> {
        pairs
            .into_iter()
            .find(|&(src, dst)| src != dst && self.path_count(src, dst) == 0)
    }

    /// Refuses a fabric in which one of these pairs (source, destination) is joined by no path. The
    /// error lies at `faults` where links are down, else at `topology`.
    pub fn check_reachable(&self, pairs: impl IntoIterator<Item = (NodeId, NodeId)>) -> Result<(), InputError> {
        let Some((src, dst)) = self.unreachable(pairs) else {
            return Ok(());
        };
        let (from, to) = (&self.node(src).name, &self.node(dst).name);
        let message = format!("no path leads from `{from}` to `{to}`");
        let down: Vec<_> = self.link_ids().filter(|&id| self.link(id).rate.is_zero()).collect();
        if down.is_empty() {
            return Err(InputError::key("topology", message)
                .help("the links do not join them, or only by a way that the routing does not take"));
        }
        let touches = |id: LinkId, ends: &[NodeId]| {
            let link = self.link(id);
            ends.contains(&link.from) || ends.contains(&link.to)
        };
        let ends = [src, dst, self.edge(src), self.edge(dst)];
        let (near, far): (Vec<_>, Vec<_>) = down.iter().partition(|&&id| touches(id, &ends));
        let named: Vec<_> = near
            .iter()
            .chain(&far)
            .take(3)
            .map(|&id| format!("`{}`", self.link_name(id)))
            .collect();
        let more = if down.len() > named.len() { ", ..." } else { "" };
        Err(InputError::key("faults", message).help(format!(
            "{} of the fabric's links are down: {}{more}",
            down.len(),
            named.join(", ")
        )))
    }
}
