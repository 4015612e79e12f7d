//! Dragonfly: groups of routers that are all linked to each other, and long links between groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::blueprint::{Blueprint, Cable, Routing};
use super::groups::{GroupPaths, crossing_cost};
use super::kind::Kind;
use super::sizes::{check_count, check_size};
use crate::input::{Files, InputError};

/// A dragonfly (Kim, Dally, Scott and Abts, ISCA 2008). Host `h` hangs on router `h / hosts_per_router`; routers are called
/// `group2.router1`, their cables `group0.router1-group2.router0`, further parallel ones with `#1`. In a group all routers are
/// linked; every two groups have as many links as all global ports of a group, shared evenly, allow.
///
/// Minimal paths have at most one link between groups, with a link inside each of the two groups where it is needed. Valiant's
/// paths between two groups lead through a third: at most one link inside the group of the source, a link to a group that is neither's,
/// and the minimal path from there. Inside a group paths are minimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dragonfly {
    /// Number of groups.
    pub groups: u32,
    /// Routers in each group.
    pub routers_per_group: u32,
    /// Hosts on each router.
    pub hosts_per_router: u32,
    /// Links of each router to other groups.
    pub global_links: u32,
    /// Links between hosts and routers.
    pub host_link: Cable,
    /// Links inside groups.
    pub local_link: Cable,
    /// Links between groups.
    pub global_link: Cable,
    /// Parallel links of each pair of routers in a group.
    #[serde(default = "crate::input::one")]
    pub parallel: u32,
    /// Which paths there are.
    #[serde(default, skip_serializing_if = "GroupPaths::are_minimal")]
    pub paths: GroupPaths,
}

/// Any two groups are linked, and so are the routers of a group.
const GLOBAL_COST: u8 = crossing_cost(1, 1) as u8;

impl Kind for Dragonfly {
    fn draw(&self, _: &dyn Files) -> Result<Blueprint, InputError> {
        self.blueprint()
    }
}

impl Dragonfly {
    /// Draws the fabric: nodes are hosts, then the routers of one group after the other.
    pub fn blueprint(&self) -> Result<Blueprint, InputError> {
        for (key, count) in [
            ("groups", self.groups),
            ("routers_per_group", self.routers_per_group),
            ("hosts_per_router", self.hosts_per_router),
            ("parallel", self.parallel),
        ] {
            check_count(key, count)?;
        }
        let routers = [self.groups, self.routers_per_group];
        check_size("hosts", &[routers.as_slice(), &[self.hosts_per_router]].concat())?;
        let local = [routers.as_slice(), &[self.routers_per_group, self.parallel]].concat();
        check_size("links inside groups", &local)?;
        check_size(
            "links between groups",
            &[routers.as_slice(), &[self.global_links]].concat(),
        )?;
        for (key, cable) in [
            ("host_link", self.host_link),
            ("local_link", self.local_link),
            ("global_link", self.global_link),
        ] {
            cable.check(key)?;
        }
        let copies = self.links_of_two_groups()?;

        let mut drawing = Blueprint::new(Routing::Shortest);
        let hosts = drawing.add_hosts(self.groups * self.routers_per_group * self.hosts_per_router);
        let groups: Vec<_> = (0..self.groups)
            .map(|group| drawing.add_switches(&format!("group{group}.router"), self.routers_per_group, 1))
            .collect();
        let routers = groups.concat();
        for (h, host) in hosts.iter().enumerate() {
            drawing.connect(routers[h / self.hosts_per_router as usize], *host, self.host_link);
        }
        for group in &groups {
            for (r, router) in group.iter().enumerate() {
                for other in &group[r + 1..] {
                    drawing.connect_parallel(*router, *other, self.local_link, self.parallel);
                }
            }
        }
        // Ports of a group go to the groups behind it in turn.
        let router = |group: u32, distance: u32, copy: u32| {
            let port = (distance - 1) * copies + copy;
            groups[group as usize][(port / self.global_links) as usize]
        };
        for group in 0..self.groups {
            for other in group + 1..self.groups {
                let distance = other - group;
                for copy in 0..copies {
                    let ends = [
                        router(group, distance, copy),
                        router(other, self.groups - distance, copy),
                    ];
                    drawing.connect_at_cost(ends[0], ends[1], self.global_link, GLOBAL_COST);
                }
            }
        }
        let of_routers = (0..self.groups).flat_map(|group| groups[group as usize].iter().map(move |_| Some(group)));
        let of_all = hosts.iter().map(|_| None).chain(of_routers).collect();
        drawing.detours = self.paths.detours(of_all, GLOBAL_COST);
        Ok(drawing)
    }

    /// How many links every two groups have.
    fn links_of_two_groups(&self) -> Result<u32, InputError> {
        let ports = self.routers_per_group * self.global_links;
        match self.groups - 1 {
            0 => Ok(0),
            others if ports < others => {
                let message = format!("a group has {ports} links to {others} other groups");
                Err(InputError::key("global_links", message)
                    .help("raise it: `routers_per_group` times `global_links` is at least `groups` - 1"))
            }
            others => Ok(ports / others),
        }
    }
}
