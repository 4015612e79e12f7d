//! The sending end of a queue pair.

use super::ids::PortId;
use super::lanes::Lanes;
use super::recovery::{Order, Sent, Timeout};
use super::transport::{CongestionControl, Control, Loss};
use crate::ids::SubflowId;
use crate::path_selection::PathSelector;

/// The sending end.
//
// In this order and alignment: what is asked before every packet lies in one cache line.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Sender {
    pub qp: SubflowId,
    /// The port it sends from; NONE where the host has several.
    pub port: PortId,
    /// A paced queue pair does not send before.
    pub next_at: u64,
    /// Those several.
    pub lanes: Option<Box<Lanes>>,
    /// When the last acknowledgement came, where they are coalesced.
    pub heard_at: u64,
    /// The retransmission timer runs out then, for packets below `timer_seq`.
    pub deadline: u64,
    /// NACKs without progress count as a timeout from then on; 0 before the first.
    pub patience: u64,
    pub timer_seq: u32,
    /// Timeouts since the last progress.
    pub timeouts: u32,
    pub retransmits: u32,
    /// The last round trip that it has measured, in ps; 0 before the first.
    pub rtt: u64,
    /// Waits in the list of its port, where that is one.
    pub ready: bool,
    /// Alarms that are pending.
    pub pacing: bool,
    pub timing: bool,
    pub sent: Sent,
    pub timeout: Timeout,
    pub spread: PathSelector,
    pub control: Control,
    /// Where packets take several paths and can be dropped.
    pub order: Option<Box<Order>>,
}

impl Sender {
    /// Whether there is a packet for which there is room in the window, and it is time.
    #[inline(always)]
    pub(super) fn may_send(&self, now: u64, full: u64) -> bool {
        self.sent.has_more() && self.control.may_send(self.sent.in_flight(), full) && self.next_at <= now
    }

    /// Packets have been acknowledged, one of them `rtt` after it was sent.
    #[inline(always)]
    pub(super) fn progress(&mut self, now: u64, rtt: u64) {
        (self.timeouts, self.patience) = (0, 0);
        self.timeout.heard(rtt);
        self.deadline = now.saturating_add(self.timeout.wait(0));
        self.timer_seq = self.sent.next();
    }

    /// Ports of which each may take its next packet.
    #[inline]
    pub(super) fn ports(&self) -> usize {
        self.lanes.as_ref().map_or(1, |lanes| lanes.count())
    }

    /// Whether the packet just sent asks to be acknowledged at once, where acknowledgements are coalesced: no other can follow
    /// it, or nothing has been heard of for longer than round trips take.
    #[inline]
    pub(super) fn asks(&self, now: u64, full: u64) -> bool {
        let next = (u64::from(self.sent.in_flight()) + 1) * full;
        let is_last = !self.sent.has_more() || next > self.control.window();
        is_last || now - self.heard_at >= self.timeout.round_trip()
    }

    /// How late a packet that is paced at `rate` may leave and not put off the ones behind it, in ps: one of several ports
    /// that are all busy may be free only one packet later for each.
    #[inline]
    pub(super) fn lateness(&self, rate: f64, full: u64) -> u64 {
        match self.ports() {
            0 | 1 => 0,
            ports => (ports as u64).saturating_mul((full as f64 / rate) as u64),
        }
    }

    /// Tells the control of `lost` packets of `full` bytes that packet `seq` has shown to be missing, if there are any.
    pub(super) fn hear_of_loss(&mut self, now: u64, seq: u32, lost: u32, full: u64, trimmed: bool) {
        if lost > 0 {
            self.control.on_loss(&Loss {
                now,
                seq,
                next: self.sent.next(),
                bytes: u64::from(lost) * full,
                in_flight: u64::from(self.sent.in_flight()) * full,
                trimmed,
            });
        }
    }
}
