//! How fast a design can be: the least time in which its links can carry every step of the workloads, certified.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::catalogue::{Bill, Design};
use super::front::EvaluatedDesign;
use super::spec::{DesignSpec, Survive};
use crate::congestion::Demands;
use crate::ids::NodeId;
use crate::input::{Files, InputError, NoFiles};
use crate::topology::{Fabric, LinkChange};
use crate::units::Rate;

/// What is sent between the hosts, whatever the fabric.
pub(super) struct Load<'s> {
    spec: &'s DesignSpec,
    demands: Vec<(f64, Demands)>,
    /// By hosts per leaf: the time in which a leaf with one bit per second up and down needs for what leaves or enters it,
    /// and a host for what it sends or receives.
    least: Mutex<HashMap<u32, Arc<[f64; 2]>>>,
}

impl<'s> Load<'s> {
    /// The workloads of a design file.
    ///
    /// # Errors
    /// A workload that does not fit the hosts.
    pub(super) fn new(spec: &'s DesignSpec, files: &dyn Files, seed: u64) -> Result<Self, InputError> {
        let draw = |(index, one): (usize, &super::spec::Weighted)| {
            let workload = &one.workload;
            let all = workload.ranks(spec.hosts, files) == Ok(spec.hosts);
            if let Some((bytes, steps)) = workload.ring(spec.hosts).filter(|_| all) {
                return Ok((one.weight, Demands::of_ring(spec.hosts, bytes.0, steps)));
            }
            let schedule = workload.schedule(spec.hosts, files, seed);
            let schedule = schedule
                .map_err(|error| error.under(&format!("design.workloads.{index}.workload.{}", workload.name())))?;
            Ok((one.weight, Demands::of(&schedule)))
        };
        Ok(Self {
            spec,
            demands: spec.workloads.iter().enumerate().map(draw).collect::<Result<_, _>>()?,
            least: Mutex::default(),
        })
    }

    /// What a design needs at least, by its leaves and hosts alone.
    pub(super) fn glance(&self, design: &Design) -> f64 {
        let known = self
            .least
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&design.hosts_per_leaf)
            .cloned();
        let least = known.unwrap_or_else(|| {
            let group = design.hosts_per_leaf;
            let weighted = self.demands.iter().map(|(weight, demands)| {
                let [between, own] = demands.busiest_group(group);
                [weight * between, weight * own]
            });
            let sum = Arc::new(weighted.fold([0.0; 2], |sum, one| [sum[0] + one[0], sum[1] + one[1]]));
            let mut least = self.least.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(least.entry(group).or_insert(sum))
        });
        let planes = f64::from(design.planes);
        let up = f64::from(design.spines) * f64::from(design.parallel) * design.fabric_rate(self.spec).bytes_per_ps();
        let host = design.host_rate(self.spec).bytes_per_ps();
        (least[0] / up).max(least[1] / host) / planes / 1e6
    }

    /// The least time of a design, and that under failures; `None` where a failure cuts hosts off or slows too much.
    pub(super) fn evaluate(&self, design: &Design, bill: &Bill) -> Option<EvaluatedDesign> {
        let drawing = design.topology(self.spec).blueprint(&NoFiles).ok()?;
        let fabric = Fabric::compile(&drawing);
        let time_us = self.time(&fabric, design);
        let mut failed_us: Option<f64> = None;
        for survive in &self.spec.survive {
            let broken = fail(&fabric, survive);
            if !is_whole(&broken) {
                return None;
            }
            let time = self.time(&broken, design);
            if survive.slowdown.is_some_and(|most| time > time_us * most) {
                return None;
            }
            failed_us = Some(failed_us.map_or(time, |known| known.max(time)));
        }
        Some(EvaluatedDesign {
            design: *design,
            bill: bill.clone(),
            time_us,
            failed_us,
        })
    }

    /// Weighted over the workloads; data are divided evenly among planes.
    fn time(&self, fabric: &Fabric, design: &Design) -> f64 {
        let sum: f64 = self
            .demands
            .iter()
            .map(|(weight, demands)| weight * demands.least_us(fabric))
            .sum();
        sum / f64::from(design.planes)
    }
}

/// The first cables of the first leaf, and the first switches above, taken out.
fn fail(fabric: &Fabric, survive: &Survive) -> Fabric {
    let tier = |node: NodeId| fabric.node(node).tier;
    let above: Vec<NodeId> = (fabric.hosts()..fabric.nodes().len() as u32)
        .map(NodeId)
        .filter(|&node| tier(node) == 2)
        .collect();
    let failed: Vec<NodeId> = above.into_iter().take(survive.switches as usize).collect();
    let leaf = NodeId(fabric.hosts());
    let mut links: Vec<_> = failed
        .iter()
        .flat_map(|&node| fabric.out_links(node))
        .copied()
        .collect();
    let left = fabric
        .out_links(leaf)
        .iter()
        .filter(|&&id| fabric.is_fabric_link(id) && !failed.contains(&fabric.link(id).to));
    links.extend(left.take(survive.cables as usize));
    let both = links.into_iter().flat_map(|id| [id, fabric.link(id).reverse]);
    let changes: Vec<LinkChange> = both.map(|link| LinkChange { link, rate: Rate::ZERO }).collect();
    fabric.with(&changes)
}

/// Whether the first leaf, at which cables fail, still reaches the last one, and back.
fn is_whole(fabric: &Fabric) -> bool {
    let (first, last) = (NodeId(0), NodeId(fabric.hosts() - 1));
    fabric.path_count(first, last) > 0 && fabric.path_count(last, first) > 0
}
