//! What a placement costs on a fabric.

use super::framing::Framing;
use crate::loads::{WorstLink, worst_link};
use crate::placement::Placement;
use crate::topology::Fabric;
use crate::units::Time;
use crate::workload::Schedule;

/// The cost of a placement.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Sub-flows of all transfers together.
    pub subflows: u64,
    /// What the placement assigns; `None` where some sub-flow is routed dynamically.
    pub assigned: Option<Assigned>,
    /// Completion time predicted at flow level; `None` with dynamic routes.
    pub predicted: Option<Time>,
}

/// What a placement assigns to the links.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned {
    /// Payload bytes by link id.
    pub loads: Vec<f64>,
    /// The most congested of all links.
    pub worst: Option<WorstLink>,
    /// The most congested switch-to-switch link.
    pub worst_fabric: Option<WorstLink>,
}

impl Assessment {
    /// Largest bytes over capacity of all links, in microseconds.
    pub fn congestion_us(&self) -> Option<f64> {
        self.assigned.as_ref().map(|a| time_us(a.worst))
    }

    /// Largest bytes over capacity of the switch-to-switch links, in microseconds.
    pub fn fabric_congestion_us(&self) -> Option<f64> {
        self.assigned.as_ref().map(|a| time_us(a.worst_fabric))
    }
}

fn time_us(worst: Option<WorstLink>) -> f64 {
    worst.map_or(0.0, |w| w.time_ps / 1e6)
}

/// The most congested switch-to-switch link under loads in bytes by link id; `None` without any load.
pub fn worst_fabric_link(fabric: &Fabric, loads: &[f64]) -> Option<WorstLink> {
    let links = fabric.link_ids().filter(|&id| fabric.is_fabric_link(id));
    worst_link(fabric, loads, links)
}

/// Assesses a placement of a schedule.
pub fn assess(fabric: &Fabric, schedule: &Schedule, placement: &Placement, framing: Framing) -> Assessment {
    let assigned = placement.link_loads(fabric, schedule).map(|loads| Assigned {
        worst: worst_link(fabric, &loads, fabric.link_ids()),
        worst_fabric: worst_fabric_link(fabric, &loads),
        loads,
    });
    let predicted = assigned
        .as_ref()
        .and_then(|_| super::predict::predict(fabric, schedule, placement, framing));
    Assessment {
        subflows: placement.subflows().len() as u64,
        assigned,
        predicted,
    }
}
