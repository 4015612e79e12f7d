//! Options that are impossible, alone or together: refused before anything runs.

use super::options::Recovery;
use super::packet::Keys;
use super::refusal::{Part, Refusal};
use super::setup::{MOST_PACKETS, PATHS_COMPARED, Setup, TRANSFERS_COMPARED, has_equal_links};
use super::transport::Transport;
use super::{room, sender_samples, unloaded};
use crate::ids::NodeId;
use crate::placement::Subflow;
use crate::routes::Route;
use crate::units::Time;
use crate::workload::{Schedule, Transfer};

impl Setup<'_> {
    /// Refuses options that are impossible, alone or together.
    ///
    /// # Errors
    /// The first of them.
    pub fn check(&self) -> Result<(), Refusal> {
        self.transport.check().map_err(|error| Part::Transport.of(error))?;
        self.packet.check().map_err(|error| Part::Packet.of(error))?;
        self.switch.check().map_err(|error| Part::Switch.of(error))?;
        self.check_paths()?;
        self.check_together()
    }

    /// Refuses a target delay that is too short for the distances of the first transfers.
    fn check_paths(&self) -> Result<(), Refusal> {
        let Transport::Swift(swift) = self.transport else {
            return Ok(());
        };
        let fabric = self.fabric;
        let most = if has_equal_links(fabric) { 1 } else { PATHS_COMPARED };
        for Transfer { src, dst, .. } in self.schedule.transfers().take(TRANSFERS_COMPARED) {
            let (src, dst) = (src.node(), dst.node());
            for index in 0..fabric.path_count(src, dst).min(most) {
                let path = fabric.path(src, dst, index);
                let rate = fabric.link(path[0]).rate;
                let conditions = unloaded::conditions(fabric, &path, rate, self.packet, self.trimming());
                swift
                    .check_path(&conditions)
                    .map_err(|error| Part::Transport.of(error))?;
            }
        }
        Ok(())
    }

    fn check_together(&self) -> Result<(), Refusal> {
        if self.observe.series.is_some_and(Time::is_zero) {
            return Err(Part::Series.refused("the sampling interval is zero"));
        }
        if self.switch.pfc && self.fabric.stages().is_some() {
            let message = "flow control would end in a deadlock: with detours, switches of different groups can wait for each other in a circle";
            return Err(Part::Switch
                .refused_at("pfc", message)
                .help("leave `pfc` out, or write `paths = \"minimal\"` in the topology"));
        }
        room::check(self)?;
        let sprayed = |subflow: &Subflow| !matches!(subflow.route, Route::Pinned(_));
        if self.packet.recovery == Recovery::GoBackN && self.placement.subflows().iter().any(sprayed) {
            let scheme = self.load_balancing.name();
            let message = format!("go-back-n takes packets in order only, but `{scheme}` spreads a flow over paths");
            return Err(Part::Packet
                .refused_at("recovery", message)
                .help("use selective-repeat"));
        }
        if self.load_balancing.needs_acknowledgements() && !self.transport.acknowledged() {
            let (scheme, transport) = (self.load_balancing.name(), self.transport.name());
            let message = format!("`{scheme}` learns from acknowledgements, and with `{transport}` there are none");
            return Err(Part::LoadBalancing.refused(message).help("choose another of the two"));
        }
        self.check_rto()?;
        self.check_sizes()?;
        sender_samples::check(self)
    }

    /// A timeout that runs out before any answer can be there would send everything twice.
    fn check_rto(&self) -> Result<(), Refusal> {
        let Some(rto) = self.packet.rto.filter(|_| self.transport.acknowledged()) else {
            return Ok(());
        };
        for Transfer { task, src, dst, .. } in self.schedule.transfers() {
            let (src, dst) = (src.node(), dst.node());
            let mut rtts = self.placement.of(task).iter().map(|subflow| match subflow.route {
                Route::Pinned(path) => unloaded::rtt(self.fabric, &self.fabric.path(src, dst, path), self.packet),
                _ => unloaded::longest_rtt(self.fabric, src, dst, self.packet),
            });
            if let Some(rtt) = rtts.find(|&rtt| rto.0 <= rtt) {
                let name = |host: NodeId| &self.fabric.node(host).name;
                let rtt = Time(rtt);
                let message = format!(
                    "it is {rto}, and no packet from {} to {} can be answered before {rtt}",
                    name(src),
                    name(dst)
                );
                return Err(Part::Packet
                    .refused_at("rto", message)
                    .help("raise it to a few such round trips, or remove it: it then follows the round trip"));
            }
        }
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), Refusal> {
        let payload = self.packet.payload.0;
        for Transfer { task, src, bytes, .. } in self.schedule.transfers() {
            let largest = self.placement.of(task).iter().map(|subflow| subflow.bytes).max();
            let packets = largest.unwrap_or(0).div_ceil(payload);
            if bytes < Schedule::ENDLESS {
                if packets > MOST_PACKETS {
                    let message = format!("a flow of {bytes} bytes would have more than 2^31 packets");
                    return Err(Part::Packet.refused_at("payload", message));
                }
                continue;
            }
            let Some(stop) = self.packet.stop else {
                let message = "a transfer of size 0 is endless, and so would be the run";
                return Err(Part::Packet
                    .refused_at("stop", message)
                    .help("set `packet.stop`, to \"2ms\" for example"));
            };
            let most = self.most_packets(src, stop);
            if most > MOST_PACKETS {
                let message =
                    format!("by {stop} an endless flow could send {most} packets, and 2^31 can be told apart");
                return Err(Part::Packet
                    .refused_at("stop", message)
                    .help("stop earlier, or raise `packet.payload`"));
            }
        }
        let (links, hosts) = (self.fabric.links().len(), self.fabric.hosts() as usize);
        let (subflows, tasks) = (self.placement.subflows().len(), self.schedule.tasks().len());
        match Keys::new(links, hosts, subflows, tasks) {
            Some(_) => Ok(()),
            None => {
                let message = format!("{subflows} sub-flows are more than the packet engine can tell apart");
                Err(Part::Schedule.refused(message))
            }
        }
    }
}
