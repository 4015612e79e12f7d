//! Deadlocks of flow control: paused links of which each waits for room that only the next can make.

use std::collections::BTreeMap;

use super::flow_control::{Charge, Stuck};
use super::network::Network;
use crate::ids::LinkId;

impl<Q> Network<'_, Q> {
    /// The links of a deadlock, each paused until the next goes on; of several cycles the one with the lowest link.
    ///
    /// A link is paused for ever if it would be even when all had left but what waits for links that are paused for ever: of all
    /// paused links those that would not be are taken away until none is left to take away. From any that remains, going on
    /// to what it waits for leads into a cycle.
    pub(super) fn deadlock(&self) -> Option<Vec<LinkId>> {
        let control = self.flow_control.as_ref()?;
        let mut blocked: BTreeMap<LinkId, Vec<LinkId>> = BTreeMap::new();
        for (link, port) in self.ports.entries() {
            if port.held_back().is_some() {
                blocked.insert(link, Vec::new());
            }
        }
        loop {
            let before = blocked.len();
            let (waits, stuck) = self.waits_for(blocked.keys().copied());
            blocked = waits;
            blocked.retain(|link, _| control.stays_paused(*link, &stuck));
            if blocked.len() == before {
                break;
            }
        }
        let mut way = vec![*blocked.keys().next()?];
        loop {
            let next = *blocked.get(way.last()?)?.first()?;
            if let Some(position) = way.iter().position(|&link| link == next) {
                let mut cycle = way.split_off(position);
                let lowest = (0..cycle.len()).min_by_key(|&at| cycle[at])?;
                cycle.rotate_left(lowest);
                return Some(cycle);
            }
            way.push(next);
        }
    }

    /// For each of some paused links those of them that hold packets that came by it, and how many bytes of it they hold.
    fn waits_for(
        &self,
        links: impl Iterator<Item = LinkId> + Clone,
    ) -> (BTreeMap<LinkId, Vec<LinkId>>, BTreeMap<LinkId, Stuck>) {
        let mut waits: BTreeMap<LinkId, Vec<LinkId>> = links.clone().map(|link| (link, Vec::new())).collect();
        let mut stuck: BTreeMap<LinkId, Stuck> = BTreeMap::new();
        for next in links {
            for (charge, size) in self.ports[next].held_back().into_iter().flatten() {
                let from = match charge {
                    Charge::Nothing => continue,
                    Charge::Shared(from) => {
                        stuck.entry(from).or_default().shared += size;
                        from
                    }
                    Charge::Headroom(from) => {
                        stuck.entry(from).or_default().headroom += size;
                        from
                    }
                };
                if let Some(next_links) = waits.get_mut(&from)
                    && next_links.last() != Some(&next)
                {
                    next_links.push(next);
                }
            }
        }
        (waits, stuck)
    }
}
