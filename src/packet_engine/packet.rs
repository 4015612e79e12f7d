//! What travels through the event queue: packets in flight and the engine's own alarms, inline.

use crate::ids::{LinkId, SubflowId};

/// What an event is about. The first six are packets on a link; the others are alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Kind {
    /// Payload on its way to the receiver.
    Data,
    /// Asks the receiver for credits, like data without payload.
    Request,
    /// Acknowledges one data packet, and all before [`Packet::cumulative`].
    Ack,
    /// Asks for a data packet again: it was trimmed, or is missing in go-back-N.
    Nack,
    /// A credit of the receiver: `seq` is the number of all so far.
    Credit,
    /// Tells a sender that packets were marked.
    Notification,
    /// A port has finished sending.
    PortFree,
    /// A host's port may take the next packet of its queue pairs.
    NicFree,
    /// A paced queue pair may send again.
    Pace,
    /// A queue pair's retransmission timer.
    Timeout,
    /// A receiver may send its next credit.
    CreditPacer,
    /// A flow-control frame reaches the sender of a link: pause or resume.
    FlowControl,
    /// A transfer starts or a delay ends.
    Task,
    /// A queue pair starts (later than its transfer where jitter is set).
    Start,
    /// Links change.
    LinkChange,
    /// Routing has noticed the changes.
    Converged,
    /// Queues and rates are sampled.
    Sample,
    /// A look at whether anything but the clock changes.
    Watch,
}

/// The packet has crossed a queue above its marking threshold.
pub(super) const MARKED: u8 = 1;
/// The payload was cut off in a switch: only the header travels on.
pub(super) const TRIMMED: u8 = 2;
/// The packet travels in the high-priority class of its ports.
pub(super) const PRIORITY: u8 = 4;
/// The data packet had been sent before.
pub(super) const RESENT: u8 = 8;
/// The sender asks for no more credits at a time, but has more to send.
pub(super) const BOUNDED: u8 = 16;
/// The payload was cut off before the last hop.
pub(super) const CUT_EARLY: u8 = 32;
/// The sender waits for the answer to this data packet: it is acknowledged at once.
pub(super) const ASKING: u8 = 64;

/// A packet, or what an alarm needs to know: there the number of whatever its kind counts stands for a queue pair, see
/// [`Packet::about`].
//
// In this order: a copy goes around the kind, which everybody asks for, in one part before it and one behind it. Of 18 bytes
// and one these are moved as 16, two and one, none of which overlap or cut a field in two, or who reads a field would wait until two
// writes are through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Packet {
    pub qp: SubflowId,
    /// Number of the data packet within its queue pair, from 0.
    pub seq: u32,
    /// When the data packet was sent, see [`Stamps`]; echoed by its acknowledgement.
    pub stamp: u32,
    /// Of an acknowledgement: how far the cumulative number lies behind `seq + 1`, see [`Packet::cumulative`]. Of data and
    /// requests: how many credits the sender wants, where it needs any.
    pub behind: u16,
    /// Path index relative to the queue pair's first path; echoed by its acknowledgement.
    pub path: u16,
    /// Bytes on the wire.
    pub size: u16,
    pub kind: Kind,
    pub flags: u8,
}

impl Kind {
    /// Whether it travels on links.
    pub(super) fn is_packet(self) -> bool {
        self <= Self::Notification
    }

    /// Whether it comes at a time of the schedule, of faults or of samples, whatever packets do until then.
    pub(super) fn is_outside(self) -> bool {
        matches!(
            self,
            Self::Task | Self::Start | Self::LinkChange | Self::Converged | Self::Sample
        )
    }

    /// Whether it travels from the sender to the receiver.
    #[inline]
    pub(super) fn is_forward(self) -> bool {
        self <= Self::Request
    }
}

impl Packet {
    /// An alarm about number `about` of what the kind counts.
    pub(super) const fn alarm(kind: Kind, about: u32) -> Self {
        Self::of(kind, SubflowId(about))
    }

    /// What an alarm is about.
    #[inline]
    pub(super) const fn about(&self) -> u32 {
        self.qp.0
    }

    /// An empty packet, or an alarm, of a queue pair.
    pub(super) const fn of(kind: Kind, qp: SubflowId) -> Self {
        Self {
            qp,
            seq: 0,
            stamp: 0,
            path: 0,
            behind: 0,
            size: 0,
            kind,
            flags: 0,
        }
    }

    #[inline]
    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// All data packets below this number have arrived, says this acknowledgement; 0 where the
    /// distance does not fit.
    #[inline]
    pub(super) fn cumulative(&self) -> u32 {
        match self.behind {
            u16::MAX => 0,
            behind => self.seq + 1 - u32::from(behind),
        }
    }

    /// Writes down the cumulative number of an acknowledgement of `seq`.
    #[inline]
    pub(super) fn set_cumulative(&mut self, cumulative: u32) {
        // A duplicate of an old packet acknowledges all that arrived since: its number moves up.
        self.seq = self.seq.max(cumulative.saturating_sub(1));
        self.behind = u16::try_from(self.seq + 1 - cumulative).unwrap_or(u16::MAX);
    }
}

/// One entry of the event queue. Events are processed in order of (`time`, `key`), which no two pending
/// events share, so that the order never depends on when they were inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    /// In picoseconds.
    pub time: u64,
    /// Which entity: links first, then ports, hosts, queue pairs, tasks (see `Keys`).
    pub key: u32,
    pub packet: Packet,
}

impl Event {
    /// The link that a packet has crossed.
    #[inline]
    pub(super) fn link(&self) -> LinkId {
        LinkId(self.key - Keys::ARRIVAL)
    }
}

/// Time stamps of 32 bits that wrap around: they count units of a power of two of picoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamps {
    shift: u32,
}

impl Stamps {
    /// Units of 2^10 ps, which wrap after 4.4 s, or as much longer ones as it takes to tell apart times of up to `longest`.
    pub(super) fn new(longest: u64) -> Self {
        let bits = u64::BITS - longest.leading_zeros();
        Self {
            shift: bits.saturating_sub(u32::BITS).max(10),
        }
    }

    #[inline]
    pub(super) fn of(self, now: u64) -> u32 {
        (now >> self.shift) as u32
    }

    /// Picoseconds since a time stamp.
    #[inline]
    pub(super) fn since(self, now: u64, earlier: u32) -> u64 {
        u64::from(self.of(now).wrapping_sub(earlier)) << self.shift
    }
}

/// The ranges of event keys, one after the other: at equal times link changes come first, then
/// arrivals by link, ports, hosts, queue pairs, tasks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    pub port_free: u32,
    pub flow_control: u32,
    pub nic_free: u32,
    pub credit_pacer: u32,
    pub timeout: u32,
    pub pace: u32,
    pub start: u32,
    pub task: u32,
}

impl Keys {
    pub(super) const LINK_CHANGE: u32 = 0;
    pub(super) const CONVERGED: u32 = 1;
    pub(super) const SAMPLE: u32 = 2;
    pub(super) const ARRIVAL: u32 = 3;
    /// Behind all ranges: [`Keys::new`] gives away none so high.
    pub(super) const WATCH: u32 = u32::MAX;

    /// `None` where there are more entities than keys.
    pub(super) fn new(links: usize, hosts: usize, queue_pairs: usize, tasks: usize) -> Option<Self> {
        let mut next = Some(Self::ARRIVAL);
        let mut range = |count: usize| {
            let first = next?;
            next = u32::try_from(count).ok().and_then(|count| first.checked_add(count));
            next?;
            Some(first)
        };
        range(links)?;
        Some(Self {
            port_free: range(links)?,
            flow_control: range(links)?,
            nic_free: range(links)?,
            credit_pacer: range(hosts)?,
            timeout: range(queue_pairs)?,
            pace: range(queue_pairs)?,
            start: range(queue_pairs)?,
            task: range(tasks)?,
        })
    }
}
