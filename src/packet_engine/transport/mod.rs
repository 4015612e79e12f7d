//! Congestion control, one file each. A queue pair owns one [`Control`], which hears of every
//! acknowledgement and answers how much may be in flight and how fast.
//!
//! Windows count wire bytes. What controls do on a clock (timers of DCQCN, rounds of DCTCP) they catch
//! up with at the next acknowledgement, before they look at it: between two of them nobody sees the difference.

mod dcqcn;
mod dctcp;
mod eqds;
mod hpcc;
mod ideal;
mod nscc;
mod swift;
mod udp;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use dcqcn::Dcqcn;
pub use dctcp::{Dctcp, Signal};
pub(super) use eqds::PullTarget;
pub use eqds::{Eqds, EqdsMode};
pub(super) use hpcc::HopReading;
pub use hpcc::Hpcc;
pub use ideal::Ideal;
pub use nscc::Nscc;
pub use swift::Swift;
pub use udp::Udp;

use super::options::Ecn;
use crate::input::InputError;
use crate::units::{Rate, Time};

/// What a queue pair knows about its path when it starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PathProperties {
    /// Wire bytes of a full data packet.
    pub full: u64,
    /// The sender's own line rate: that of the ports that it uses, together, in bytes per picosecond. It cannot see how
    /// fast the links behind them are.
    pub rate: f64,
    /// Unloaded round-trip time of a full packet and its acknowledgement, in picoseconds.
    pub rtt: u64,
    /// The same over the slowest path that was looked at.
    pub longest_rtt: u64,
    /// Bytes of full packets that the sender sends in one `rtt` at its line rate.
    pub bdp: u64,
    /// Links of the path.
    pub hops: u32,
    /// Switches trim packets that find no room.
    pub trimming: bool,
    /// The rate at which it ends with all others of its step, in wire bytes per picosecond; where it is asked for.
    pub share: Option<f64>,
}

/// An acknowledgement as a control sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Feedback {
    pub now: u64,
    /// Time since the acknowledged packet was sent, in picoseconds.
    pub rtt: u64,
    /// The packet had met a queue above its marking threshold.
    pub marked: bool,
    /// Wire bytes newly acknowledged, and those still in flight.
    pub bytes: u64,
    pub in_flight: u64,
    /// Number of the acknowledged packet, of the first one not acknowledged yet, and of the first not sent yet.
    pub seq: u32,
    pub unacknowledged: u32,
    pub next: u32,
}

/// Packets found missing, as a control sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loss {
    pub now: u64,
    /// Number of the packet that told of it, and of the first packet not sent yet.
    pub seq: u32,
    pub next: u32,
    /// Wire bytes that are missing, and those still in flight.
    pub bytes: u64,
    pub in_flight: u64,
    /// A switch has trimmed them: they met a full queue.
    pub trimmed: bool,
}

/// What a control shows of itself; `None` where it has no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct SenderState {
    /// Wire bytes that may be in flight.
    pub window: Option<u64>,
    /// Bytes per picosecond at which packets leave.
    pub rate: Option<f64>,
    /// Estimate of the share of marked packets.
    pub alpha: Option<f64>,
    /// Packets granted and not sent yet.
    pub credits: Option<u32>,
}

impl SenderState {
    /// Window and pace of a control.
    fn of(control: &impl CongestionControl) -> Self {
        Self {
            window: Some(control.window()).filter(|&window| window < u64::MAX),
            rate: control.pace(),
            ..Self::default()
        }
    }
}

/// What every congestion control answers; all but the window have a default that fits controls
/// without that mechanism.
pub(super) trait CongestionControl {
    /// Bytes that may be in flight. One packet always may.
    fn window(&self) -> u64;

    /// The largest that the window can ever be.
    fn largest_window(&self) -> u64 {
        u64::MAX
    }

    /// Whether one more packet of `full` bytes may be sent while `in_flight` are on their way.
    fn may_send(&self, in_flight: u32, full: u64) -> bool {
        in_flight == 0 || (u64::from(in_flight) + 1) * full <= self.window()
    }

    /// A packet was sent.
    fn on_send(&mut self) {}

    /// The receiver has granted `number` packets in all.
    fn on_pull(&mut self, _number: u32) {}

    /// The receiver grants one packet more than it was asked for, as one that it was told of was trimmed.
    fn on_extra_credit(&mut self) {}

    /// How many credits to ask for, with `backlog` packets still to be sent.
    fn pull_target(&mut self, _backlog: u32) -> PullTarget {
        PullTarget::default()
    }

    /// Whether nothing may be sent before the receiver grants more.
    fn lacks_credit(&self) -> bool {
        false
    }

    /// Whether the receiver has been asked for credits that have not come yet.
    fn expects_credit(&self) -> bool {
        false
    }

    /// Bytes per picosecond at which packets leave, where they are paced.
    fn pace(&self) -> Option<f64> {
        None
    }

    /// Whether a packet that left late does not put off the ones behind it.
    fn catches_up(&self) -> bool {
        false
    }

    /// What the hops of a packet wrote into it, before it is acknowledged.
    fn on_telemetry(&mut self, _hops: &[HopReading]) {}

    /// A packet was acknowledged.
    fn on_ack(&mut self, ack: &Feedback);

    /// Packets are missing: found by later acknowledgements, a NACK or a trimmed header.
    fn on_loss(&mut self, loss: &Loss);

    /// The receiver tells of marked packets, in a packet of its own.
    fn on_notification(&mut self, _now: u64) {}

    /// Nothing was heard for a retransmission timeout.
    fn on_timeout(&mut self, now: u64);

    /// What it shows of itself where senders are sampled.
    fn state(&self) -> SenderState
    where
        Self: Sized,
    {
        SenderState::of(self)
    }
}

/// Declares [`Transport`] (as an experiment file describes it) and [`Control`] (as a queue pair runs
/// it) from the table of transports.
macro_rules! transports {
    ($($variant:ident, $state:ty, $name:literal, $about:literal;)*) => {
        /// A transport as an experiment file describes it: one table, named after its kind.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Transport {
            $(#[doc = $about] $variant($variant),)*
        }

        impl Transport {
            /// Names and one-line descriptions, in the order of `fabricsim list`.
            pub const ALL: &[(&str, &str)] = &[$(($name, $about)),*];

            /// The name of this transport, as in the experiment file.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            fn spec(&self) -> &dyn Spec {
                match self { $(Self::$variant(spec) => spec,)* }
            }

            pub(super) fn control(&self, conditions: &PathProperties) -> Control {
                match self { $(Self::$variant(spec) => Control::$variant(spec.control(conditions)),)* }
            }
        }

        $(impl From<$variant> for Transport {
            fn from(spec: $variant) -> Self {
                Self::$variant(spec)
            }
        })*

        /// The congestion control of one queue pair.
        #[derive(Debug, Clone)]
        pub(super) enum Control {
            $($variant($state),)*
        }

        impl CongestionControl for Control {
            #[inline]
            fn window(&self) -> u64 {
                match self { $(Self::$variant(control) => control.window(),)* }
            }

            fn largest_window(&self) -> u64 {
                match self { $(Self::$variant(control) => control.largest_window(),)* }
            }

            #[inline(always)]
            fn may_send(&self, in_flight: u32, full: u64) -> bool {
                match self { $(Self::$variant(control) => control.may_send(in_flight, full),)* }
            }

            #[inline]
            fn on_send(&mut self) {
                match self { $(Self::$variant(control) => control.on_send(),)* }
            }

            fn on_pull(&mut self, number: u32) {
                match self { $(Self::$variant(control) => control.on_pull(number),)* }
            }

            fn on_extra_credit(&mut self) {
                match self { $(Self::$variant(control) => control.on_extra_credit(),)* }
            }

            fn pull_target(&mut self, backlog: u32) -> PullTarget {
                match self { $(Self::$variant(control) => control.pull_target(backlog),)* }
            }

            fn lacks_credit(&self) -> bool {
                match self { $(Self::$variant(control) => control.lacks_credit(),)* }
            }

            fn expects_credit(&self) -> bool {
                match self { $(Self::$variant(control) => control.expects_credit(),)* }
            }

            #[inline]
            fn pace(&self) -> Option<f64> {
                match self { $(Self::$variant(control) => control.pace(),)* }
            }

            #[inline]
            fn catches_up(&self) -> bool {
                match self { $(Self::$variant(control) => control.catches_up(),)* }
            }

            fn on_telemetry(&mut self, hops: &[HopReading]) {
                match self { $(Self::$variant(control) => control.on_telemetry(hops),)* }
            }

            #[inline]
            fn on_ack(&mut self, ack: &Feedback) {
                match self { $(Self::$variant(control) => control.on_ack(ack),)* }
            }

            fn on_loss(&mut self, loss: &Loss) {
                match self { $(Self::$variant(control) => control.on_loss(loss),)* }
            }

            fn on_notification(&mut self, now: u64) {
                match self { $(Self::$variant(control) => control.on_notification(now),)* }
            }

            fn on_timeout(&mut self, now: u64) {
                match self { $(Self::$variant(control) => control.on_timeout(now),)* }
            }

            fn state(&self) -> SenderState {
                match self { $(Self::$variant(control) => control.state(),)* }
            }
        }
    };
}

transports! {
    Ideal, ideal::State, "ideal", "a fixed window of one bandwidth-delay product and two packets over lossless queues";
    Dctcp, dctcp::State, "dctcp", "windows or rates cut in proportion to ECN marks (RFC 8257)";
    Dcqcn, dcqcn::State, "dcqcn", "rates cut by congestion notifications, recovered by timer and bytes (RoCE)";
    Swift, swift::State, "swift", "a window that follows the round-trip time against a target delay";
    Nscc, nscc::State, "nscc", "a window steered by ECN marks and queuing delay together (Ultra Ethernet)";
    Eqds, eqds::State, "eqds", "the receiver hands out credits at its line rate; switches trim (EQDS, NDP)";
    Hpcc, hpcc::State, "hpcc", "a window that follows the queue and load which every hop writes into packets (telemetry)";
    Udp, udp::State, "udp", "datagrams at line rate: not acknowledged, not sent again (RFC 768)";
}

/// What a transport says before queue pairs exist.
trait Spec {
    /// Refuses options that make no sense. Keys are relative to the transport's table.
    fn check(&self) -> Result<(), InputError> {
        Ok(())
    }

    /// Marking at a port of this rate where the switch table names none; `bdp` in bytes.
    fn ecn(&self, _rate: Rate, _bdp: u64) -> Option<Ecn> {
        None
    }

    /// Limit in bytes of each queue where the switch table names none; none: a shared buffer.
    fn queue(&self, _trimming: bool, _bdp: u64, _full: u64) -> Option<u64> {
        None
    }

    /// Whether switches trim where the switch table does not say.
    fn trimming(&self) -> bool {
        false
    }

    /// Packets that a sender may send before the receiver grants more, where it has to.
    fn credits(&self, _conditions: &PathProperties) -> Option<u32> {
        None
    }

    /// Whether queue pairs ask for their share.
    fn paced(&self) -> bool {
        false
    }

    /// Whether receivers answer. Senders that hear of nothing send nothing again.
    fn acknowledged(&self) -> bool {
        true
    }

    /// Whether buffers have limits where the switch table names none.
    fn limited_buffers(&self) -> bool {
        true
    }

    /// Shortest time between two congestion notifications of a receiver for one queue pair, where it sends any.
    fn notification_interval(&self) -> Option<Time> {
        None
    }

    /// Shortest retransmission timeout, where round trips take `rtt` ps unloaded and a packet waits at most `queue` ps at a
    /// port; none where ports share a buffer. Default 1 ms (the paper's).
    fn rto(&self, _rtt: u64, _queue: Option<u64>) -> Time {
        Time::from_us(1_000)
    }
}

impl Default for Transport {
    fn default() -> Self {
        Self::Dctcp(Dctcp::default())
    }
}

impl Transport {
    /// Refuses options that make no sense. Keys are relative to the transport's own table.
    pub fn check(&self) -> Result<(), InputError> {
        self.spec().check()
    }

    pub(super) fn ecn(&self, rate: Rate, bdp: u64) -> Option<Ecn> {
        self.spec().ecn(rate, bdp)
    }

    pub(super) fn paced(&self) -> bool {
        self.spec().paced()
    }

    pub(super) fn acknowledged(&self) -> bool {
        self.spec().acknowledged()
    }

    pub(super) fn limited_buffers(&self) -> bool {
        self.spec().limited_buffers()
    }

    pub(super) fn queue(&self, trimming: bool, bdp: u64, full: u64) -> Option<u64> {
        self.spec().queue(trimming, bdp, full)
    }

    pub(super) fn trimming(&self) -> bool {
        self.spec().trimming()
    }

    /// Whether receivers grant what senders may send.
    pub(super) fn grants(&self) -> bool {
        matches!(self, Self::Eqds(_))
    }

    /// Whether switches write into packets what they are like.
    pub(super) fn reads_hops(&self) -> bool {
        matches!(self, Self::Hpcc(_))
    }

    /// Whether receivers credit a little less than their line.
    pub(super) fn paces_credits(&self) -> bool {
        matches!(self, Self::Eqds(eqds) if eqds.mode == EqdsMode::Rccc)
    }

    /// Whether receivers lower the rate of their credits where the fabric is oversubscribed. Where senders keep a window, that does it.
    pub(super) fn watches_fabric(&self) -> bool {
        matches!(self, Self::Eqds(eqds) if eqds.mode == EqdsMode::Rccc && eqds.nscc.is_none())
    }

    pub(super) fn credits(&self, conditions: &PathProperties) -> Option<u32> {
        self.spec().credits(conditions)
    }

    pub(super) fn notification_interval(&self) -> Option<Time> {
        self.spec().notification_interval()
    }

    pub(super) fn rto(&self, rtt: u64, queue: Option<u64>) -> Time {
        self.spec().rto(rtt, queue)
    }
}

/// Refuses what is not a finite number above 0.
fn check_positive(key: &str, value: f64) -> Result<(), InputError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(InputError::key(key, format!("`{key}` is {value}")).help("it is above 0"))
}

/// Refuses what is not above 0 and at most 1.
fn check_share(key: &str, value: f64) -> Result<(), InputError> {
    if value > 0.0 && value <= 1.0 {
        return Ok(());
    }
    Err(InputError::key(key, format!("`{key}` is {value}")).help("it is above 0 and at most 1"))
}

#[cfg(test)]
impl PathProperties {
    /// 100 Gb/s, 8 us, packets of 1000 bytes.
    fn example() -> Self {
        Self {
            full: 1_000,
            rate: 0.0125,
            rtt: 8_000_000,
            longest_rtt: 8_000_000,
            bdp: 100_000,
            hops: 4,
            trimming: false,
            share: None,
        }
    }
}

#[cfg(test)]
impl Feedback {
    /// One packet, unmarked and undelayed.
    fn example() -> Self {
        Self {
            now: 8_000_000,
            rtt: 8_000_000,
            marked: false,
            bytes: 1_000,
            in_flight: 99_000,
            seq: 0,
            unacknowledged: 1,
            next: 100,
        }
    }
}

#[cfg(test)]
impl Loss {
    /// One trimmed packet of the window of [`Feedback::example`].
    fn example() -> Self {
        Self {
            now: 8_000_000,
            seq: 0,
            next: 100,
            bytes: 1_000,
            in_flight: 99_000,
            trimmed: true,
        }
    }
}
