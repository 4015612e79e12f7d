//! What is validated: who places, who assesses, who simulates.

use crate::congestion::{self, Assessment, Bounds, Framing, RouteSet};
use crate::flow_engine::{self, FlowOptions};
use crate::outcome::{Observe, Outcome, Stuck};
use crate::packet_engine::{self, Setup};
use crate::placement::Placement;
use crate::topology::Fabric;
use crate::workload::Schedule;

/// Everything that can be wrong. The defaults are the real parts; a test replaces one of them.
pub trait SystemUnderTest: Sync {
    /// The placement of the scheme under test, as the plan made it.
    fn place(&self, _fabric: &Fabric, _schedule: &Schedule, placement: &Placement) -> Placement {
        placement.clone()
    }

    /// Link loads and congestion of a placement.
    fn assess(&self, fabric: &Fabric, schedule: &Schedule, placement: &Placement) -> Assessment {
        congestion::assess(fabric, schedule, placement, Framing::Fluid)
    }

    /// Bounds and the certified optimum.
    fn bounds(&self, fabric: &Fabric, routes: RouteSet, schedule: &Schedule, framing: Framing) -> Bounds {
        congestion::bounds_over(fabric, routes, schedule, framing)
    }

    /// The flow engine.
    fn flow(
        &self,
        fabric: &Fabric,
        schedule: &Schedule,
        placement: &Placement,
        options: &FlowOptions,
        observe: &Observe,
    ) -> Result<Outcome, Stuck> {
        flow_engine::simulate(fabric, schedule, placement, options, observe)
    }

    /// The packet engine.
    fn packet(&self, setup: &Setup<'_>) -> Result<Outcome, Stuck> {
        packet_engine::simulate(setup)
    }
}

/// The real parts.
#[derive(Debug, Clone, Copy, Default)]
pub struct House;

impl SystemUnderTest for House {}
