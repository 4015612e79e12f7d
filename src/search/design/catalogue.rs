//! The designs that a catalogue allows, and what they take.

use serde::Serialize;

use super::spec::{Cabling, DesignSpec, Kind, SwitchModel};
use crate::topology::{Cable, FatTree, LeafSpine, Topology};
use crate::units::Rate;

/// A fabric, in models of a catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Design {
    /// Leaf-spine or fat tree.
    pub kind: Kind,
    /// The model of the leaves, and that of all others.
    pub leaf: usize,
    /// The model of all others.
    pub spine: usize,
    /// Hosts below each leaf.
    pub hosts_per_leaf: u32,
    /// Spines of each plane; of a fat tree, the switches above the leaves of a pod.
    pub spines: u32,
    /// Cables between each leaf and each switch above it.
    pub parallel: u32,
    /// Copies of the fabric, each with a port of every host.
    pub planes: u32,
}

/// What a design takes.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Bill {
    /// Switches by model.
    pub switches: Vec<(String, u64)>,
    /// Cables between hosts and leaves.
    pub host_cables: u64,
    /// Cables between switches.
    pub fabric_cables: u64,
    /// Ports of hosts.
    pub host_ports: u64,
    /// In the catalogue's currency.
    pub price: f64,
    /// Watts.
    pub power: f64,
}

/// Most designs that are listed one by one.
pub(super) const MOST: usize = 300_000;

/// The designs that can be built from the catalogue within its budget, those of each price together; `None` where the
/// catalogue has more than can be listed.
pub fn designs(spec: &DesignSpec) -> Option<Vec<(Design, Bill)>> {
    let genes = Genes::new(spec);
    if genes.count() > MOST as u128 {
        return None;
    }
    let mut all = Vec::new();
    for number in 0..genes.count() as u64 {
        let design = genes.design(&genes.genome(number));
        if let Some(bill) = design.bill(spec) {
            all.push((design, bill));
        }
    }
    all.sort_by(|a, b| a.1.price.total_cmp(&b.1.price).then(a.0.cmp(&b.0)));
    all.dedup_by(|a, b| a.0 == b.0);
    Some(all)
}

/// What can be chosen, list by list.
pub(super) struct Genes<'s> {
    spec: &'s DesignSpec,
    hosts_per_leaf: Vec<u32>,
    spines: Vec<u32>,
}

/// A choice from each list.
pub(super) type Genome = [usize; 7];

impl<'s> Genes<'s> {
    pub(super) fn new(spec: &'s DesignSpec) -> Self {
        let widest = spec.switches.iter().map(|model| model.ports).max().unwrap_or(0);
        let divides = |count: &u32| spec.hosts.is_multiple_of(*count);
        let or = |list: &[u32], all: Vec<u32>| if list.is_empty() { all } else { list.to_vec() };
        Self {
            hosts_per_leaf: or(
                &spec.hosts_per_leaf,
                (1..=widest.min(spec.hosts)).filter(divides).collect(),
            ),
            spines: or(&spec.spines, (1..=widest).collect()),
            spec,
        }
    }

    /// Lengths of the lists.
    pub(super) fn lengths(&self) -> Genome {
        let spec = self.spec;
        [
            spec.kinds.len(),
            spec.switches.len(),
            spec.switches.len(),
            self.hosts_per_leaf.len(),
            self.spines.len(),
            spec.parallel.len(),
            spec.planes.len(),
        ]
    }

    pub(super) fn count(&self) -> u128 {
        self.lengths().iter().map(|&length| length as u128).product()
    }

    pub(super) fn genome(&self, mut number: u64) -> Genome {
        self.lengths().map(|length| {
            let choice = number % length.max(1) as u64;
            number /= length.max(1) as u64;
            choice as usize
        })
    }

    pub(super) fn design(&self, genome: &Genome) -> Design {
        let spec = self.spec;
        let [kind, leaf, spine, hosts, spines, parallel, planes] = *genome;
        let design = Design {
            kind: spec.kinds[kind],
            leaf,
            spine,
            hosts_per_leaf: self.hosts_per_leaf.get(hosts).copied().unwrap_or(1),
            spines: self.spines.get(spines).copied().unwrap_or(1),
            parallel: spec.parallel[parallel],
            planes: spec.planes[planes],
        };
        match design.kind {
            Kind::LeafSpine => design,
            // A fat tree follows from its switch: half of the ports lead down.
            Kind::FatTree => {
                let half = spec.switches[leaf].ports / 2;
                Design {
                    spine: leaf,
                    hosts_per_leaf: half,
                    spines: half,
                    parallel: 1,
                    ..design
                }
            }
        }
    }
}

impl Design {
    /// Its name in tables and files.
    pub fn name(&self, spec: &DesignSpec) -> String {
        let (leaf, spine) = (&spec.switches[self.leaf].name, &spec.switches[self.spine].name);
        let planes = if self.planes > 1 {
            format!("-{}planes", self.planes)
        } else {
            String::new()
        };
        match self.kind {
            Kind::FatTree => format!("fat-tree-{leaf}{planes}"),
            Kind::LeafSpine => {
                let leaves = self.leaves(spec);
                let parallel = if self.parallel > 1 {
                    format!("x{}", self.parallel)
                } else {
                    String::new()
                };
                format!("{leaves}x{leaf}-{}x{spine}{parallel}{planes}", self.spines)
            }
        }
    }

    /// Leaves of each plane.
    pub fn leaves(&self, spec: &DesignSpec) -> u32 {
        spec.hosts.div_ceil(self.hosts_per_leaf.max(1))
    }

    /// Pods of a fat tree.
    fn pods(&self, spec: &DesignSpec) -> u32 {
        self.leaves(spec).div_ceil(self.spines.max(1))
    }

    /// Rate of the cables between switches.
    pub fn fabric_rate(&self, spec: &DesignSpec) -> Rate {
        spec.switches[self.leaf].rate.min(spec.switches[self.spine].rate)
    }

    /// Rate of the cables of hosts.
    pub fn host_rate(&self, spec: &DesignSpec) -> Rate {
        spec.switches[self.leaf].rate
    }

    /// Whether the switches have the ports that it needs. Leaves and pods are full, so that none is like no other.
    fn fits(&self, spec: &DesignSpec) -> bool {
        let (leaf, spine) = (&spec.switches[self.leaf], &spec.switches[self.spine]);
        if self.hosts_per_leaf == 0 || !spec.hosts.is_multiple_of(self.hosts_per_leaf) {
            return false;
        }
        let leaves = self.leaves(spec);
        match self.kind {
            Kind::LeafSpine => {
                let up = u64::from(self.spines) * u64::from(self.parallel);
                u64::from(self.hosts_per_leaf) + up <= u64::from(leaf.ports)
                    && u64::from(leaves) * u64::from(self.parallel) <= u64::from(spine.ports)
                    && leaves > 1
            }
            Kind::FatTree => leaves.is_multiple_of(self.spines) && (2..=leaf.ports).contains(&self.pods(spec)),
        }
    }

    /// What it takes; `None` where it cannot be built, or not within the budget.
    pub fn bill(&self, spec: &DesignSpec) -> Option<Bill> {
        if !self.fits(spec) {
            return None;
        }
        let cable = |list: &[Cabling], rate: Rate| -> Option<(f64, f64)> {
            let fit = list.iter().filter(|cable| cable.rate >= rate);
            let cheapest = fit.min_by(|a, b| a.price.total_cmp(&b.price))?;
            Some((cheapest.price, cheapest.power))
        };
        let host_cables = if spec.host_cables.is_empty() {
            &spec.cables
        } else {
            &spec.host_cables
        };
        let (host_price, host_power) = cable(host_cables, self.host_rate(spec))?;
        let (fabric_price, fabric_power) = cable(&spec.cables, self.fabric_rate(spec))?;
        let planes = u64::from(self.planes);
        let leaves = u64::from(self.leaves(spec)) * planes;
        let (spines, fabric) = match self.kind {
            Kind::LeafSpine => {
                let spines = u64::from(self.spines) * planes;
                (spines, leaves * u64::from(self.spines) * u64::from(self.parallel))
            }
            Kind::FatTree => {
                let (half, pods) = (u64::from(self.spines), u64::from(self.pods(spec)) * planes);
                let cores = self.cores(spec) * planes;
                (pods * half + cores, leaves * half + pods * half * half)
            }
        };
        let hosts = u64::from(spec.hosts) * planes;
        let (leaf, spine): (&SwitchModel, &SwitchModel) = (&spec.switches[self.leaf], &spec.switches[self.spine]);
        let switches = if self.leaf == self.spine {
            vec![(leaf.name.clone(), leaves + spines)]
        } else {
            vec![(leaf.name.clone(), leaves), (spine.name.clone(), spines)]
        };
        let sum = |leaf: f64, spine: f64, host: f64, between: f64| {
            leaves as f64 * leaf + spines as f64 * spine + hosts as f64 * host + fabric as f64 * between
        };
        let bill = Bill {
            switches,
            host_cables: hosts,
            fabric_cables: fabric,
            host_ports: hosts,
            price: sum(leaf.price, spine.price, host_price + spec.host_port_price, fabric_price),
            power: sum(leaf.power, spine.power, host_power, fabric_power),
        };
        let budget = spec.budget;
        let fits = budget.money.is_none_or(|most| bill.price <= most)
            && budget.power.is_none_or(|most| bill.power <= most)
            && budget
                .cables
                .is_none_or(|most| bill.host_cables + bill.fabric_cables <= most);
        fits.then_some(bill)
    }

    /// Core switches of a plane of a fat tree.
    fn cores(&self, spec: &DesignSpec) -> u64 {
        let half = u64::from(self.spines);
        // With fewer pods, cores join several cables of each.
        (half * half * u64::from(self.pods(spec)))
            .div_ceil(u64::from(spec.switches[self.leaf].ports))
            .div_ceil(half)
            * half
    }

    /// One of its planes.
    pub fn topology(&self, spec: &DesignSpec) -> Topology {
        let cable = |rate: Rate| Cable {
            rate,
            delay: spec.delay,
        };
        let (host_link, fabric_link) = (cable(self.host_rate(spec)), cable(self.fabric_rate(spec)));
        match self.kind {
            Kind::LeafSpine => Topology::LeafSpine(LeafSpine {
                leaves: self.leaves(spec),
                spines: self.spines,
                hosts_per_leaf: self.hosts_per_leaf,
                host_link,
                fabric_link,
                parallel: self.parallel,
            }),
            Kind::FatTree => {
                let cores = self.cores(spec) as u32;
                Topology::FatTree(FatTree {
                    pods: self.pods(spec),
                    tors_per_pod: self.spines,
                    aggs_per_pod: self.spines,
                    cores,
                    hosts_per_tor: self.hosts_per_leaf,
                    host_link,
                    tor_link: fabric_link,
                    core_link: fabric_link,
                    tor_parallel: 1,
                    core_parallel: self.spines / (cores / self.spines),
                })
            }
        }
    }

    /// Its whole fabric as the table `topology` of an experiment.
    pub fn table(&self, spec: &DesignSpec) -> serde_json::Value {
        let plane = serde_json::to_value(self.topology(spec)).unwrap_or_default();
        if self.planes == 1 {
            return plane;
        }
        serde_json::json!({ "multi-plane": { "planes": self.planes, "plane": plane } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(hosts: u32, rest: &str) -> DesignSpec {
        toml::from_str(&format!(
            "hosts = {hosts}\n{rest}\n[[switches]]\nname = \"s64\"\nports = 64\nrate = \"400Gbps\"\nprice = 60000\n[[cables]]\nrate = \"400Gbps\"\nprice = 1223\n[[host_cables]]\nrate = \"400Gbps\"\nprice = 359\n[[workloads]]\nworkload = {{ all-to-all = {{ message = \"1MB\" }} }}"
        ))
        .unwrap()
    }

    /// The networks of table 3 of DeepSeek-V3 (Zhao and others, ISCA 2025): endpoints, switches, cables between
    /// switches, and millions of dollars, which prices of our own must meet within 2 %.
    #[test]
    fn published_networks_have_their_counts_and_prices() {
        let two_tier = |hosts: u32, planes: u32| {
            let spec = spec(
                hosts,
                &format!("hosts_per_leaf = [32]\nspines = [32]\nplanes = [{planes}]"),
            );
            let mut found = designs(&spec).unwrap();
            assert_eq!(found.len(), 1);
            found.remove(0).1
        };
        let three_tier = || designs(&spec(65_536, "kinds = [\"fat-tree\"]")).unwrap().remove(0).1;
        for (bill, endpoints, switches, cables, millions) in [
            (two_tier(2_048, 1), 2_048, 96, 2_048, 9.0),
            (two_tier(2_048, 8), 16_384, 768, 16_384, 72.0),
            (three_tier(), 65_536, 5_120, 131_072, 491.0),
        ] {
            let counts = (bill.host_cables, bill.switches[0].1, bill.fabric_cables);
            assert_eq!(counts, (endpoints, switches, cables));
            assert!(
                (bill.price / 1e6 / millions - 1.0).abs() < 0.02,
                "{} and {millions}",
                bill.price / 1e6
            );
        }
    }

    #[test]
    fn fat_trees_of_fewer_pods_use_all_uplinks() {
        for pods in [2_u32, 4, 8, 16] {
            let spec: DesignSpec = toml::from_str(&format!(
                "hosts = {}\nkinds = [\"fat-tree\"]\n[[switches]]\nname = \"s16\"\nports = 16\nrate = \"400Gbps\"\nprice = 1\n[[cables]]\nrate = \"400Gbps\"\nprice = 1\n[[workloads]]\nworkload = {{ all-to-all = {{ message = \"1MB\" }} }}",
                pods * 64
            ))
            .unwrap();
            let (design, bill) = designs(&spec).unwrap().remove(0);
            let Topology::FatTree(tree) = design.topology(&spec) else {
                panic!()
            };
            assert_eq!(u64::from(tree.cores), u64::from(pods) * 4, "{tree:?}");
            assert_eq!(tree.cores / 8 * tree.core_parallel, 8);
            assert_eq!(bill.fabric_cables, u64::from(pods) * (64 + 64));
            assert!(design.topology(&spec).blueprint(&crate::input::NoFiles).is_ok());
        }
    }

    #[test]
    fn budgets_leave_designs_out() {
        let all = designs(&spec(256, "")).unwrap();
        assert!(all.windows(2).all(|pair| pair[0].1.price <= pair[1].1.price));
        let most = all[all.len() / 2].1.price;
        let some = designs(&spec(256, &format!("budget = {{ money = {most} }}"))).unwrap();
        assert!(some.len() < all.len() && some.iter().all(|(_, bill)| bill.price <= most));
        assert!(designs(&spec(256, "budget = { cables = 100 }")).unwrap().is_empty());
    }
}
