//! One schedule on one fabric, simulated from a program: what a point of an experiment file is, without the file.
//!
//! ```
//! use fabricsim::prelude::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cable = Cable::new(Rate::from_gbps(100), Time::from_ns(500));
//! let fabric = Fabric::compile(&LeafSpine::uniform(2, 2, 4, cable).blueprint()?);
//! let schedule = Workload::from(AllReduce::ring(Bytes::from_mib(1))).schedule(fabric.hosts(), &NoFiles, 1)?;
//! let simulated = Simulation::on(&fabric).load_balancing(Spray::default()).run(&schedule)?;
//! println!("{} us, {:.3} of the bound", simulated.outcome.cct.as_us(), simulated.cct_over_bound());
//! # Ok(())
//! # }
//! ```

use std::borrow::Cow;

use crate::congestion::{self, Bounds, Framing};
use crate::flow_engine::{self, FlowOptions};
use crate::input::{InputError, NoFiles};
use crate::outcome::{Observe, Outcome, Stuck};
use crate::packet_engine::{self, PacketOptions, Part, Refusal, Setup, SwitchOptions, Transport};
use crate::placement::{Ecmp, LoadBalancing, Placement};
use crate::topology::Fabric;
use crate::workload::Schedule;

/// How a schedule is simulated. As it begins: paths by ECMP, in fluid, with seed 1.
#[derive(Debug, Clone)]
pub struct Simulation<'a> {
    fabric: &'a Fabric,
    load_balancing: LoadBalancing,
    placement: Option<&'a Placement>,
    engine: Engine,
    observe: Observe,
    seed: u64,
}

#[derive(Debug, Clone)]
enum Engine {
    Flow(FlowOptions),
    Packet(Box<PacketModel>),
}

/// What packets need beside a fabric and a schedule.
#[derive(Debug, Clone, Default)]
struct PacketModel {
    transport: Transport,
    packet: PacketOptions,
    switch: SwitchOptions,
}

/// What the packet engine refuses, at the part of a [`Simulation`] that brought it about.
fn located(refusal: Refusal) -> InputError {
    refusal.error.under(match refusal.part {
        Part::Fabric => "fabric",
        Part::Schedule => "schedule",
        Part::LoadBalancing => "load_balancing",
        Part::Transport => "transport",
        Part::Packet => "packet",
        Part::Switch => "switch",
        Part::Series => "observe.series",
        Part::Senders => "observe.senders",
    })
}

/// What came of a simulation.
#[derive(Debug, Clone)]
pub struct Simulated<'a> {
    /// When everything ended, with the records that [`Simulation::observe`] asked for.
    pub outcome: Outcome,
    /// What no load balancing can beat on this fabric and for this schedule.
    pub bounds: Bounds,
    /// The paths of all flows.
    pub placement: Cow<'a, Placement>,
}

/// Why there is no outcome.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SimulationError {
    /// Options that are impossible, alone or on this fabric.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Flows that nothing can finish.
    #[error("{} of the flows did not finish by {} us", .0.flows, .0.at.as_us())]
    Stuck(Stuck),
}

impl<'a> Simulation<'a> {
    /// Simulations on a fabric.
    pub fn on(fabric: &'a Fabric) -> Self {
        Self {
            fabric,
            load_balancing: LoadBalancing::Ecmp(Ecmp::default()),
            placement: None,
            engine: Engine::Flow(FlowOptions::default()),
            observe: Observe::default(),
            seed: 1,
        }
    }

    /// Paths by this load balancing, such as `Ethereal::default()`.
    #[must_use]
    pub fn load_balancing(mut self, load_balancing: impl Into<LoadBalancing>) -> Self {
        self.load_balancing = load_balancing.into();
        self
    }

    /// Paths that were decided elsewhere, for the schedule that is run: a rule of your own.
    #[must_use]
    pub fn placed(mut self, placement: &'a Placement) -> Self {
        self.placement = Some(placement);
        self
    }

    /// In fluid, with these options.
    #[must_use]
    pub fn flow(mut self, options: FlowOptions) -> Self {
        self.engine = Engine::Flow(options);
        self
    }

    /// In packets, with this congestion control, such as `Dctcp::default()`.
    #[must_use]
    pub fn transport(mut self, transport: impl Into<Transport>) -> Self {
        self.packets().transport = transport.into();
        self
    }

    /// In packets, with these options of packets and hosts.
    #[must_use]
    pub fn packet(mut self, options: PacketOptions) -> Self {
        self.packets().packet = options;
        self
    }

    /// In packets, with these options of switches.
    #[must_use]
    pub fn switch(mut self, options: SwitchOptions) -> Self {
        self.packets().switch = options;
        self
    }

    /// What to record beside the times.
    #[must_use]
    pub fn observe(mut self, observe: Observe) -> Self {
        self.observe = observe;
        self
    }

    /// The seed of all that is drawn at random. The same seed gives the same outcome.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Places a schedule between hosts and runs it to its end.
    ///
    /// # Errors
    /// [`SimulationError::Input`] where the options make no sense, or the schedule does not fit the fabric;
    /// [`SimulationError::Stuck`] where flows are left that nothing can finish.
    pub fn run(&self, schedule: &Schedule) -> Result<Simulated<'a>, SimulationError> {
        let placement = match self.placement {
            Some(placement) => Cow::Borrowed(placement),
            None => Cow::Owned(self.load_balancing.place(self.fabric, schedule, &NoFiles, self.seed)?),
        };
        let outcome = match &self.engine {
            Engine::Flow(options) => {
                options.check()?;
                flow_engine::simulate(self.fabric, schedule, &placement, options, &self.observe)
            }
            Engine::Packet(model) => {
                let setup = self.setup(model, schedule, &placement);
                setup.check().map_err(located)?;
                packet_engine::simulate(&setup)
            }
        };
        Ok(Simulated {
            outcome: outcome.map_err(SimulationError::Stuck)?,
            bounds: congestion::bounds(self.fabric, schedule, self.framing()),
            placement,
        })
    }

    fn setup<'b>(&'b self, model: &'b PacketModel, schedule: &'b Schedule, placement: &'b Placement) -> Setup<'b> {
        Setup {
            fabric: self.fabric,
            link_events: &[],
            schedule,
            placement,
            load_balancing: &self.load_balancing,
            transport: &model.transport,
            packet: &model.packet,
            switch: &model.switch,
            observe: self.observe,
            seed: self.seed,
        }
    }

    fn framing(&self) -> Framing {
        match &self.engine {
            Engine::Flow(_) => Framing::Fluid,
            Engine::Packet(model) => Framing::Packets {
                payload: model.packet.payload.0,
                header: model.packet.header.0,
            },
        }
    }

    /// The options of packets; from here on packets are simulated.
    fn packets(&mut self) -> &mut PacketModel {
        if let Engine::Flow(_) = self.engine {
            self.engine = Engine::Packet(Box::default());
        }
        match &mut self.engine {
            Engine::Packet(model) => model,
            Engine::Flow(_) => unreachable!("it has just become packets"),
        }
    }
}

impl Simulated<'_> {
    /// The completion time as a multiple of what no load balancing can beat.
    pub fn cct_over_bound(&self) -> f64 {
        self.outcome.cct.as_us() / self.bounds.cct.as_us()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    fn fabric() -> Fabric {
        let cable = Cable::new(Rate::from_gbps(100), Time::from_ns(500));
        Fabric::compile(&LeafSpine::uniform(2, 2, 2, cable).blueprint().unwrap())
    }

    fn shift(fabric: &Fabric) -> Schedule {
        let shift = Workload::from(Shift::by(2, Bytes(100_000)));
        shift.schedule(fabric.hosts(), &NoFiles, 1).unwrap()
    }

    /// Two hosts of a leaf over two spines: 100 000 bytes at 100 Gb/s, and four links of 500 ns.
    #[test]
    fn fluid_takes_the_time_that_its_bytes_need() {
        let fabric = fabric();
        let spray = Simulation::on(&fabric).load_balancing(Spray::default());
        let simulated = spray.run(&shift(&fabric)).unwrap();
        assert_eq!(simulated.outcome.cct, Time::from_us(8) + Time::from_us(2));
        assert_eq!(simulated.outcome.cct, simulated.bounds.cct);
    }

    #[test]
    fn packets_are_simulated_once_their_options_are_named() {
        let fabric = fabric();
        let packets = Simulation::on(&fabric)
            .load_balancing(Ethereal::default())
            .transport(Dctcp::default());
        let simulated = packets.run(&shift(&fabric)).unwrap();
        assert!(simulated.outcome.counters.packets > 0);
        assert!(simulated.cct_over_bound() >= 1.0);
        let again = packets.run(&shift(&fabric)).unwrap();
        assert_eq!(simulated.outcome.cct, again.outcome.cct);
    }

    #[test]
    fn a_placement_of_ones_own_is_what_is_run() {
        let fabric = fabric();
        let schedule = shift(&fabric);
        let first = Placement::whole(&schedule, |_| Route::pinned(0));
        let simulated = Simulation::on(&fabric).placed(&first).run(&schedule).unwrap();
        // All four flows over one spine: two share each of its links.
        assert_eq!(simulated.outcome.cct, Time::from_us(16) + Time::from_us(2));
    }

    #[test]
    fn what_packets_must_choose_is_no_fluid() {
        let fabric = fabric();
        let reps = Simulation::on(&fabric).load_balancing(Reps::default());
        let error = reps.run(&shift(&fabric)).unwrap_err();
        insta::assert_snapshot!(error, @"4 of the flows did not finish by 0 us");
    }

    fn parsed<T: serde::de::DeserializeOwned>(text: serde_json::Value) -> T {
        serde_json::from_value(text).unwrap()
    }

    /// A topology, a workload, a load balancing and a transport that only tests have: each is one file, and one line in
    /// its table, as docs/extending.md says.
    #[test]
    fn one_of_each_kind_is_a_file_and_a_line() {
        let link = serde_json::json!({ "rate": "100Gbps", "delay": "500ns" });
        let topology: Topology = parsed(serde_json::json!({ "dumbbell": { "hosts_per_side": 2, "link": link } }));
        let fabric = Fabric::compile(&topology.blueprint(&NoFiles).unwrap());
        let workload: Workload = parsed(serde_json::json!({ "one-way": { "message": 10 * 4096 } }));
        let schedule = workload.schedule(fabric.hosts(), &NoFiles, 1).unwrap();
        let stop_and_wait = Simulation::on(&fabric)
            .load_balancing(parsed::<LoadBalancing>(serde_json::json!({ "last-path": {} })))
            .transport(parsed::<Transport>(serde_json::json!({ "stop-and-wait": {} })));
        let simulated = stop_and_wait.run(&schedule).unwrap();
        // Four links of 500 ns each way, at 80 ps a byte, for ten packets of 4096 bytes with headers of 64, one at a time.
        let over = |bytes: u64| 4 * (500_000 + 80 * bytes);
        let (there, back) = (over(4_096 + 64), over(64));
        assert_eq!(simulated.outcome.cct, Time(9 * (there + back) + there));
    }

    /// The same for one that chooses packet by packet.
    #[test]
    fn one_that_chooses_packet_by_packet_is_a_file_and_a_line_in_two_tables() {
        let fabric = fabric();
        let mut builder = ScheduleBuilder::default();
        builder.transfer(0, 2, 100 * 4_096, 0);
        let alternating = Simulation::on(&fabric)
            .load_balancing(parsed::<LoadBalancing>(serde_json::json!({ "alternating": {} })))
            .transport(Dctcp::default())
            .observe(Observe {
                links: true,
                ..Observe::default()
            });
        let outcome = alternating.run(&builder.build()).unwrap().outcome;
        let path = |index| fabric.path(NodeId(0), NodeId(2), index);
        for index in [0, 1] {
            let up = path(index)[1];
            assert_eq!(outcome.links[up.index()].wire_bytes, f64::from(50 * (4_096 + 64)));
        }
    }
}
