//! The arrays behind flows and their sub-flows.
//!
//! A transfer of the schedule is a flow; each sub-flow of it is a queue pair, known by its position
//! among all sub-flows of the placement. What every hop needs of it lies in one dense array; the states
//! of its two ends exist only while they are needed.

use super::coalescing::{Unreported, Untold};
use super::lanes::Lanes;
use super::path_selection::PathSelector;
use super::prefetch::prefetch;
use super::recovery::{Order, Received, Sent, Timeout};
use super::transport::{CongestionControl, Control, Loss};

/// No sender, receiver, link or path.
pub(super) const NONE: u32 = u32::MAX;
/// The receiver has everything; its state is gone.
pub(super) const COMPLETE: u32 = u32::MAX - 1;

/// Where a queue pair leads: all that a hop needs of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub src: u32,
    pub dst: u32,
    /// The path that packets' path numbers count from; NONE where switches decide.
    pub base: u32,
}

/// What outlives the two ends of a queue pair: half a cache line, of which every hop reads a part.
#[derive(Debug, Clone, Copy)]
#[repr(align(32))]
pub(super) struct QueuePair {
    pub ends: Ends,
    /// The task it belongs to.
    pub task: u32,
    /// Slots of its two ends.
    pub sender: u32,
    pub receiver: u32,
    /// Data packets in all.
    pub packets: u32,
    /// Wire bytes of the last one.
    pub last: u16,
    /// Whether its placement has pinned it to one path.
    pub pinned: bool,
}

/// The sending end.
//
// In this order and alignment: what is asked before every packet lies in one cache line.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Sender {
    pub qp: u32,
    /// The port it sends from; NONE where the host has several.
    pub port: u32,
    /// A paced queue pair does not send before.
    pub next_at: u64,
    /// Those several.
    pub lanes: Option<Box<Lanes>>,
    /// Where acknowledgements are coalesced.
    pub untold: Option<Box<Untold>>,
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
    pub fn may_send(&self, now: u64, full: u64) -> bool {
        self.sent.has_more() && self.control.may_send(self.sent.in_flight(), full) && self.next_at <= now
    }

    /// Packets have been acknowledged, one of them `rtt` after it was sent.
    #[inline(always)]
    pub fn progress(&mut self, now: u64, rtt: u64) {
        (self.timeouts, self.patience) = (0, 0);
        self.timeout.heard(rtt);
        self.deadline = now.saturating_add(self.timeout.wait(0));
        self.timer_seq = self.sent.next();
    }

    /// Ports of which each may take its next packet.
    #[inline]
    pub fn ports(&self) -> usize {
        self.lanes.as_ref().map_or(1, |lanes| lanes.count())
    }

    /// How late a packet that is paced at `rate` may leave and not put off the ones behind it, in ps: one of several ports
    /// that are all busy may be free only one packet later for each.
    #[inline]
    pub fn lateness(&self, rate: f64, full: u64) -> u64 {
        match self.ports() {
            0 | 1 => 0,
            ports => (ports as u64).saturating_mul((full as f64 / rate) as u64),
        }
    }

    /// Tells the control of `lost` packets of `full` bytes that packet `seq` has shown to be missing, if there are any.
    pub fn hear_of_loss(&mut self, now: u64, seq: u32, lost: u32, full: u64, trimmed: bool) {
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

/// The receiving end.
#[derive(Debug)]
pub(super) struct Receiver {
    pub received: Received,
    /// Where acknowledgements are coalesced.
    pub unreported: Option<Box<Unreported>>,
    /// Where senders need credits: the number of the last pull, the one that the sender is entitled to, and the path of the
    /// last arrival.
    pub pulled: u32,
    pub target: u32,
    pub path: u16,
    /// The next congestion notification is not sent before.
    pub notifies_from: u64,
    /// Waits for its turn to pull.
    pub in_turn: bool,
}

/// One transfer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flow {
    pub start: u64,
    pub delivered: u64,
    pub acked: u64,
    /// Sub-flows not sent, not delivered, not acknowledged.
    pub unsent: u32,
    pub undelivered: u32,
    pub unacked: u32,
    pub retransmits: u32,
    pub reordered: u32,
    pub extent: u32,
    pub started: bool,
    /// Its first packet has arrived.
    pub begun: bool,
}

/// Values with reusable places.
#[derive(Debug)]
pub(super) struct Slab<T> {
    values: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slab<T> {
    pub fn insert(&mut self, value: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.values[slot as usize] = Some(value);
            return slot;
        }
        self.values.push(Some(value));
        self.values.len() as u32 - 1
    }

    pub fn remove(&mut self, slot: u32) -> Option<T> {
        self.free.push(slot);
        self.values[slot as usize].take()
    }

    #[inline]
    pub fn at(&mut self, slot: u32) -> &mut T {
        self.values[slot as usize]
            .as_mut()
            .expect("slots are used between insertion and removal")
    }

    /// Asks for a value, if the slot exists.
    #[inline]
    pub fn fetch(&self, slot: u32) {
        if let Some(value) = self.values.get(slot as usize) {
            prefetch(value);
        }
    }

    /// All values, by slot.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter().flatten()
    }

    /// The value in a slot, if there is one.
    pub fn get(&self, slot: u32) -> Option<&T> {
        self.values.get(slot as usize)?.as_ref()
    }
}
