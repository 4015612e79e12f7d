//! Options that are impossible, alone or together: refused before anything runs.

use super::options::Recovery;
use super::packet::Keys;
use super::setup::{MOST_PACKETS, PATHS_COMPARED, Setup, TRANSFERS_COMPARED, has_equal_links};
use super::transport::Transport;
use super::{room, sender_samples, unloaded};
use crate::ids::NodeId;
use crate::input::InputError;
use crate::placement::Subflow;
use crate::routes::Route;
use crate::units::Time;
use crate::workload::{Schedule, Transfer};

impl Setup<'_> {
    /// Refuses options that are impossible, alone or together. Keys are those of an experiment
    /// file: `packet.payload`, `switch.queue`, `transport.dctcp.gain`.
    pub fn check(&self) -> Result<(), InputError> {
        let name = self.transport.name();
        self.transport
            .check()
            .map_err(|error| error.under(&format!("transport.{name}")))?;
        self.packet.check().map_err(|error| error.under("packet"))?;
        self.switch.check().map_err(|error| error.under("switch"))?;
        self.check_paths()
            .map_err(|error| error.under(&format!("transport.{name}")))?;
        self.check_together()
    }

    /// Refuses a target delay that is too short for the distances of the first transfers.
    fn check_paths(&self) -> Result<(), InputError> {
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
                swift.check_path(&conditions)?;
            }
        }
        Ok(())
    }

    fn check_together(&self) -> Result<(), InputError> {
        if self.observe.series.is_some_and(Time::is_zero) {
            return Err(InputError::key("output.series", "the sampling interval is zero"));
        }
        if self.switch.pfc && self.fabric.stages().is_some() {
            let message = "flow control would end in a deadlock: with detours, switches of different groups can wait for each other in a circle";
            return Err(InputError::key("switch.pfc", message)
                .help("leave `pfc` out, or write `paths = \"minimal\"` in the topology"));
        }
        room::check(self)?;
        let sprayed = |subflow: &Subflow| !matches!(subflow.route, Route::Pinned(_));
        if self.packet.recovery == Recovery::GoBackN && self.placement.subflows().iter().any(sprayed) {
            return Err(InputError::key(
                "packet.recovery",
                format!(
                    "go-back-n takes packets in order only, but `{}` spreads a flow over paths",
                    self.load_balancing.name()
                ),
            )
            .help("use selective-repeat"));
        }
        if self.load_balancing.needs_acknowledgements() && !self.transport.acknowledged() {
            let (scheme, transport) = (self.load_balancing.name(), self.transport.name());
            let message = format!("`{scheme}` learns from acknowledgements, and with `{transport}` there are none");
            return Err(InputError::key("load_balancing", message).help("choose another of the two"));
        }
        self.check_rto()?;
        self.check_sizes()?;
        sender_samples::check(self)
    }

    /// A timeout that runs out before any answer can be there would send everything twice.
    fn check_rto(&self) -> Result<(), InputError> {
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
                return Err(InputError::key("packet.rto", message)
                    .help("raise it to a few such round trips, or remove it: it then follows the round trip"));
            }
        }
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), InputError> {
        let payload = self.packet.payload.0;
        for Transfer { task, src, bytes, .. } in self.schedule.transfers() {
            let largest = self.placement.of(task).iter().map(|subflow| subflow.bytes).max();
            let packets = largest.unwrap_or(0).div_ceil(payload);
            if bytes < Schedule::ENDLESS {
                if packets > MOST_PACKETS {
                    return Err(InputError::key(
                        "packet.payload",
                        format!("a flow of {bytes} bytes would have more than 2^31 packets"),
                    ));
                }
                continue;
            }
            let Some(stop) = self.packet.stop else {
                return Err(InputError::key(
                    "packet.stop",
                    "a transfer of size 0 is endless, and so would be the run",
                )
                .help("write `stop = \"2ms\"` under [packet]"));
            };
            let most = self.most_packets(src.0, stop);
            if most > MOST_PACKETS {
                let message =
                    format!("by {stop} an endless flow could send {most} packets, and 2^31 can be told apart");
                return Err(InputError::key("packet.stop", message).help("stop earlier, or raise packet.payload"));
            }
        }
        let (links, hosts) = (self.fabric.links().len(), self.fabric.hosts() as usize);
        let (subflows, tasks) = (self.placement.subflows().len(), self.schedule.tasks().len());
        match Keys::new(links, hosts, subflows, tasks) {
            Some(_) => Ok(()),
            None => Err(InputError::key(
                "workload",
                format!("{subflows} sub-flows are more than the packet engine can tell apart"),
            )),
        }
    }
}
