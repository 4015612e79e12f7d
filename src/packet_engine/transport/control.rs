//! What a congestion control learns, and what it answers.

use crate::ids::LinkId;

/// What a queue pair knows about its path when it starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::packet_engine) struct PathProperties {
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
    pub pace: Option<f64>,
}

/// An acknowledgement as a control sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::packet_engine) struct Feedback {
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

/// What a hop wrote into a packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::packet_engine) struct HopReading {
    pub link: LinkId,
    /// Bytes that waited when the packet came.
    pub queue: u64,
    /// Bytes sent by the time at which the packet left, and that time, in ps.
    pub sent: u64,
    pub at: u64,
    /// Bytes per ps.
    pub rate: f64,
}

/// Packets found missing, as a control sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::packet_engine) struct Loss {
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
pub(in crate::packet_engine) struct SenderState {
    /// Wire bytes that may be in flight.
    pub window: Option<u64>,
    /// Bytes per picosecond at which packets leave.
    pub rate: Option<f64>,
    /// Estimate of the share of marked packets.
    pub alpha: Option<f64>,
    /// Packets credited and not sent yet.
    pub credits: Option<u32>,
}

impl SenderState {
    /// Window and pace of a control.
    pub(super) fn of(control: &impl CongestionControl) -> Self {
        Self {
            window: Some(control.window()).filter(|&window| window < u64::MAX),
            rate: control.pace(),
            ..Self::default()
        }
    }
}

/// What every congestion control answers; all but the window have a default that fits controls
/// without that mechanism.
pub(in crate::packet_engine) trait CongestionControl {
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

    /// The receiver has sent `number` credits in all.
    fn on_credit(&mut self, _number: u32) {}

    /// The receiver sends one credit more than it was asked for, as a packet that it was told of was trimmed.
    fn on_extra_credit(&mut self) {}

    /// How many credits to ask for, with `backlog` packets still to be sent.
    fn credit_target(&mut self, _backlog: u32) -> CreditTarget {
        CreditTarget::default()
    }

    /// Whether nothing may be sent before the receiver sends more credits.
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

/// How many credits a sender wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::packet_engine) struct CreditTarget {
    /// How many credits in all would do.
    pub number: u32,
    /// It has more to send, but asks for no more at a time.
    pub bounded: bool,
}

#[cfg(test)]
impl PathProperties {
    /// 100 Gb/s, 8 us, packets of 1000 bytes.
    pub(super) fn example() -> Self {
        Self {
            full: 1_000,
            rate: 0.0125,
            rtt: 8_000_000,
            longest_rtt: 8_000_000,
            bdp: 100_000,
            hops: 4,
            trimming: false,
            pace: None,
        }
    }
}

#[cfg(test)]
impl Feedback {
    /// One packet, unmarked and undelayed.
    pub(super) fn example() -> Self {
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
    pub(super) fn example() -> Self {
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
