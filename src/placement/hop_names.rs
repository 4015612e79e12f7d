//! Paths as the names of the switches along them.

use crate::ids::{LinkId, NodeId};
use crate::topology::{Fabric, Path};

/// Every link under the name of the node it leads to. Further links between the same two nodes are told
/// apart by `#1`, `#2`, ... in the order in which the topology lists them.
pub(super) struct HopNames<'a> {
    fabric: &'a Fabric,
    /// By link id.
    names: Vec<String>,
}

impl<'a> HopNames<'a> {
    pub(super) fn new(fabric: &'a Fabric) -> Self {
        let name = |id: LinkId| {
            let link = fabric.link(id);
            let twins = fabric.out_links(link.from).iter();
            let before = twins
                .take_while(|&&twin| twin != id)
                .filter(|&&twin| fabric.link(twin).to == link.to);
            let to = &fabric.node(link.to).name;
            match before.count() {
                0 => to.clone(),
                k => format!("{to}#{k}"),
            }
        };
        let names = fabric.link_ids().map(name).collect();
        Self { fabric, names }
    }

    /// The switches along a path. The destination is left out unless it is reached by a further link.
    pub(super) fn of(&self, path: &[LinkId]) -> Vec<String> {
        let mut names: Vec<_> = path.iter().map(|link| self.names[link.index()].clone()).collect();
        let plain = path
            .last()
            .map(|&link| &self.fabric.node(self.fabric.link(link).to).name);
        if names.last() == plain {
            names.pop();
        }
        names
    }

    /// The links that lead through these switches.
    pub(super) fn path(&self, src: NodeId, dst: NodeId, switches: &[String]) -> Result<Path, String> {
        let mut path = Path::new();
        let mut at = src;
        for name in switches {
            path.push(self.hop(at, name)?);
            at = self.fabric.link(path[path.len() - 1]).to;
        }
        if at != dst {
            path.push(self.hop(at, &self.fabric.node(dst).name)?);
        }
        Ok(path)
    }

    fn hop(&self, at: NodeId, name: &str) -> Result<LinkId, String> {
        let here = &self.fabric.node(at).name;
        let hop = self
            .fabric
            .out_links(at)
            .iter()
            .find(|link| self.names[link.index()] == *name);
        match hop {
            None if self.names.iter().any(|known| known == name) => Err(format!("no link leads from {here} to {name}")),
            None => Err(format!("the fabric has no node `{name}`")),
            Some(&link) if self.fabric.link(link).rate.is_zero() => {
                Err(format!("the link {} is down", self.fabric.link_name(link)))
            }
            Some(&link) => Ok(link),
        }
    }
}
