//! What the ports of hosts are called, and what links lose at the start.

use super::fabric::Fabric;
use super::loss::Loss;
use crate::ids::{LinkId, NodeId};

impl Fabric {
    /// The share of packets that a link loses at the start.
    pub fn loss_at_start(&self, link: LinkId) -> Loss {
        let at_start = self.losses().iter().take_while(|change| change.at.is_zero());
        let of_link = at_start.filter(|change| change.link == link);
        of_link.last().map_or(Loss::NONE, |change| change.loss)
    }

    /// Both directions of the cables that make up a port: `host3.plane1`, or `host3.rail0` by the switch at the other end.
    pub fn links_of_port(&self, port: &str) -> Vec<LinkId> {
        let splits = port.match_indices('.').map(|(dot, _)| (&port[..dot], &port[dot + 1..]));
        let hosts = &self.nodes()[..self.hosts() as usize];
        let mut links = splits.filter_map(|(host, end)| {
            let host = NodeId::from(hosts.iter().position(|node| node.name == host)?);
            let ends_there = |up: &&LinkId| {
                let far = &self.node(self.link(**up).to).name;
                far.strip_prefix(end)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let up: Vec<LinkId> = self.out_links(host).iter().filter(ends_there).copied().collect();
            (!up.is_empty()).then_some(up)
        });
        let up = links.next().unwrap_or_default();
        up.into_iter().flat_map(|up| [up, self.link(up).reverse]).collect()
    }
}
