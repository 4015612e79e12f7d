//! What a program that simulates needs, in one line: `use fabricsim::prelude::*;`.
//!
//! ```
//! use fabricsim::prelude::*;
//!
//! let cable = Cable::new(Rate::from_gbps(400), Time::from_ns(500));
//! let fabric = Fabric::compile(&LeafSpine::uniform(2, 2, 2, cable).blueprint().unwrap());
//! assert_eq!(fabric.hosts(), 4);
//! ```

pub use crate::congestion::Bounds;
pub use crate::flow_engine::FlowOptions;
pub use crate::ids::{LinkId, NodeId, TaskId};
pub use crate::input::{Files, InputError, NoFiles};
pub use crate::outcome::{Observe, Outcome};
pub use crate::packet_engine::{Dcqcn, Dctcp, Eqds, Ideal, Nscc, PacketOptions, Swift, SwitchOptions, Transport, Udp};
pub use crate::placement::{
    CutLine, Ecmp, EcmpSplit, EdgeColoring, Ethereal, Greedy, LoadBalancing, OptimalTransport, Placement, Reps, Spray,
    Subflow,
};
pub use crate::routes::Route;
pub use crate::simulation::{Simulated, Simulation, SimulationError};
pub use crate::topology::{Blueprint, Cable, Fabric, FatTree, LeafSpine, Rail, Routing, Topology};
pub use crate::units::{Bytes, Rate, Time};
pub use crate::workload::{
    Algorithm, AllGather, AllReduce, AllToAll, Milestone, ReduceScatter, Schedule, ScheduleBuilder, Shift, Transfer,
    Workload,
};
