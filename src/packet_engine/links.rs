//! Links with the first-in-first-out queues in front of them, and the buffers of switches.
//!
//! A FIFO queue needs no list: a packet that is accepted leaves when the link has sent all before it,
//! so the state of a queue is the time until which its link is busy. Thresholds are times as well.

use super::ecn::Ecn;
use super::options::SwitchOptions;
use super::packet::{Kind, MARKED, Packet, TRIMMED};
use super::prefetch::prefetch;
use super::setup::Setup;
use super::transport::Transport;
use crate::ids::{Id, IdVec, LinkId, NodeId, id};
use crate::rng::{index_below, mix};
use crate::topology::{Fabric, NodeKind};
use crate::units::{PS_PER_SECOND, Rate, Time};

const PS: u128 = PS_PER_SECOND as u128;

/// No threshold.
const NEVER: u64 = u64::MAX;

/// Longer than any run, in ps. Backlogs and delays count as no longer, so that the sum of the clock and of one of each does
/// not wrap around.
pub(super) const TOO_LONG: u64 = Time::LATEST.0 + 1;

/// The state of one link that every packet touches: one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct LinkState {
    /// All accepted packets have left by then, in ps.
    busy_until: u64,
    /// Propagation delay and latency of the node behind, in ps.
    delay: u64,
    /// A packet that will have left sooner than this after its arrival is neither marked nor refused, in ps, as long as
    /// half of the buffer is free.
    fast_below: u64,
    /// A backlog from here on is marked, or may be, in ps.
    mark_from: u64,
    /// Wire bytes accepted.
    wire_bytes: u64,
    /// Payload bytes accepted.
    data_bytes: u64,
    /// Longest backlog so far, in ps.
    max_backlog: u64,
    /// Picoseconds per byte; 0 where that is no whole number or the link is down.
    ps_per_byte: u32,
    /// The shared buffer that the queue lies in, or NONE.
    buffer: BufferId,
}

id! {
    /// The shared buffer of a switch.
    BufferId;
}

/// What a link has seen rarely.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LinkCounts {
    pub drops: u64,
    pub trims: u64,
    pub ecn_marks: u64,
    pub pauses: u64,
    pub paused: Paused,
    /// Wire bytes that were lost on the link or dropped in front of it.
    pub lost_bytes: u64,
    /// The longest queue before the link last changed its rate, in bytes.
    pub max_queue_before: u64,
}

/// How long flow control has held a link back, in ps.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paused {
    since: Option<u64>,
    total: u64,
    longest: u64,
}

impl Paused {
    /// A pause begins or ends.
    pub(super) fn set(&mut self, paused: bool, now: u64) {
        if let Some(since) = self.since.filter(|_| !paused) {
            self.total += now - since;
            self.longest = self.longest.max(now - since);
        }
        self.since = if paused { self.since.or(Some(now)) } else { None };
    }

    fn going_on(&self, now: u64) -> u64 {
        self.since.map_or(0, |since| now - since)
    }

    /// All pauses, one that is going on included.
    pub(super) fn total(&self, now: u64) -> Time {
        Time(self.total + self.going_on(now))
    }

    /// The longest of them.
    pub(super) fn longest(&self, now: u64) -> Time {
        Time(self.longest.max(self.going_on(now)))
    }
}

/// The shared buffer of one switch.
#[derive(Debug, Clone)]
struct Buffer {
    size: u64,
    /// At least the bytes in all queues of the switch; exact when it was last counted.
    used_at_most: u64,
    /// Above this it is counted anew.
    count_from: u64,
    ports: Vec<LinkId>,
}

/// What a link has done, and what it holds, at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LinkTotals {
    /// Wire and payload bytes accepted.
    pub wire_bytes: u64,
    pub data_bytes: u64,
    pub drops: u64,
    pub trims: u64,
    pub ecn_marks: u64,
    pub pauses: u64,
    /// Time for which it was paused, in ps.
    pub paused: u64,
    /// Bytes that are still to be sent.
    pub queue: u64,
}

/// Bytes of a switch with these ports: as the switch table says, else 5 KB for each Gb/s.
pub(super) fn buffer_size(fabric: &Fabric, switch: &SwitchOptions, ports: &[LinkId]) -> u64 {
    let by_rate = ports
        .iter()
        .map(|&id| fabric.link(id).rate.0 / 200_000)
        .fold(0, u64::saturating_add);
    switch.buffer.map_or(by_rate, |size| size.0)
}

/// Bytes that the queue of a link may hold by itself: as the topology or the switch table says, else as the transport wants it, but
/// never less than a packet; none where ports share a buffer.
pub(super) fn own_limit(setup: &Setup<'_>, link: LinkId, bdp: u64) -> Option<u64> {
    let (switch, full) = (setup.switch, setup.packet.full().max(setup.packet.ack.0));
    let given = setup.fabric.link(link).queue.or(switch.queue).map(|limit| limit.0);
    let wanted = || setup.transport.queue(setup.trimming(), bdp, full);
    given.or_else(|| match switch.buffer {
        None => wanted().map(|limit| limit.max(full)),
        Some(_) => None,
    })
}

/// Whether ports without a limit of their own share the buffer of their switch.
pub(super) fn shares_buffers(switch: &SwitchOptions, transport: &Transport) -> bool {
    switch.buffer.is_some() || (switch.queue.is_none() && transport.limited_buffers())
}

/// Why a packet did not get into a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The queue is full.
    Full,
    /// The link is down.
    Down,
}

/// What a queue that takes a packet says to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admitted {
    /// The time until it and all before it have left, in ps.
    backlog: u64,
    /// The flag to add: MARKED or none.
    pub mark: u8,
}

/// All links.
#[derive(Debug)]
pub(super) struct Links {
    states: IdVec<LinkId, LinkState>,
    pub counts: IdVec<LinkId, LinkCounts>,
    rates: IdVec<LinkId, Rate>,
    /// Marking of each switch port.
    ecn: IdVec<LinkId, Option<Ecn>>,
    /// Limit of each port's own queue, in bytes, and as time: a packet that would leave later after its arrival is not
    /// accepted.
    limits: IdVec<LinkId, Option<u64>>,
    limits_in_ps: IdVec<LinkId, u64>,
    buffers: IdVec<BufferId, Buffer>,
    /// Time on the wire of what waits in the lists of ports, in ps; empty where there are none.
    waiting: IdVec<LinkId, u64>,
    alpha: f64,
    header: u16,
    seed: u64,
}

impl Links {
    /// Queues as the switch table says, or as the transport wants them where it is silent.
    pub(super) fn new(setup: &Setup<'_>, rtt: u64, listed: bool) -> Self {
        let (fabric, switch, transport) = (setup.fabric, setup.switch, setup.transport);
        let count = fabric.links().len();
        let mut links = Self {
            states: IdVec::with_capacity(count),
            counts: IdVec::filled(LinkCounts::default(), count),
            rates: IdVec::with_capacity(count),
            ecn: IdVec::with_capacity(count),
            limits: IdVec::with_capacity(count),
            limits_in_ps: IdVec::filled(NEVER, count),
            buffers: IdVec::new(),
            waiting: IdVec::filled(0, if listed { count } else { 0 }),
            alpha: switch.alpha,
            header: setup.packet.header.0 as u16,
            seed: mix(setup.seed ^ 0xec4),
        };
        for (id, link) in fabric.link_ids().zip(fabric.links()) {
            let at_switch = fabric.node(link.from).kind == NodeKind::Switch;
            let bdp = (link.rate.bytes_per_ps() * rtt as f64) as u64;
            let ecn = switch.ecn.or_else(|| transport.ecn(link.rate, bdp));
            links.ecn.push(ecn.filter(|_| at_switch));
            links
                .limits
                .push(own_limit(setup, id, bdp).filter(|_| at_switch && !switch.pfc));
            links.rates.push(link.rate);
            links.states.push(LinkState {
                busy_until: 0,
                delay: link.delay.0.min(TOO_LONG),
                fast_below: 0,
                mark_from: NEVER,
                wire_bytes: 0,
                data_bytes: 0,
                max_backlog: 0,
                ps_per_byte: 0,
                buffer: BufferId::NONE,
            });
        }
        links.add_buffers(fabric, switch, transport);
        for link in fabric.link_ids() {
            links.set_rate(link, links.rates[link]);
        }
        links
    }

    fn add_buffers(&mut self, fabric: &Fabric, switch: &SwitchOptions, transport: &Transport) {
        // With flow control buffers are counted by where packets come from.
        if !shares_buffers(switch, transport) || switch.pfc {
            return;
        }
        for node in (fabric.hosts() as usize..fabric.nodes().len()).map(NodeId::from) {
            let ports = fabric.out_links(node).iter().copied();
            let ports: Vec<LinkId> = ports.filter(|&id| self.limits[id].is_none()).collect();
            let buffer = self.buffers.push(Buffer {
                size: buffer_size(fabric, switch, fabric.out_links(node)),
                used_at_most: 0,
                count_from: 0,
                ports,
            });
            for &port in &self.buffers[buffer].ports {
                self.states[port].buffer = buffer;
            }
        }
    }

    /// Whether any packet can ever be refused or lost (links that fail aside).
    pub(super) fn can_drop(&self) -> bool {
        !self.buffers.is_empty() || self.limits.iter().any(Option::is_some)
    }

    /// Longest that a packet waits in a queue with a limit of its own, in ps; none where there is no such queue.
    pub(super) fn longest_wait(&self) -> Option<u64> {
        self.limits_in_ps.iter().copied().filter(|&limit| limit < NEVER).max()
    }

    /// What the port of each link holds, in bytes: the limit of its queue, or one bandwidth-delay product where it has none
    /// of its own; `rtt` in ps, of the unloaded network.
    pub(super) fn holds(&self, rtt: u64) -> impl Iterator<Item = u64> {
        let bdp = move |rate: Rate| (rate.bytes_per_ps() * rtt as f64) as u64;
        let ports = self.limits.iter().zip(&self.rates);
        ports.map(move |(limit, &rate)| limit.unwrap_or_else(|| bdp(rate)))
    }

    /// Time on the wire of `bytes`, in ps, rounded up.
    #[inline]
    pub(super) fn on_wire(&self, link: LinkId, bytes: u64) -> u64 {
        match self.states[link].ps_per_byte {
            0 => self.rates[link].transmission_time(bytes).0,
            ps => bytes * u64::from(ps),
        }
    }

    /// Bytes that a link sends in `ps`, rounded up.
    fn bytes_in(&self, link: LinkId, ps: u64) -> u64 {
        match self.states[link].ps_per_byte {
            0 => {
                let bytes = (u128::from(ps) * u128::from(self.rates[link].0)).div_ceil(8 * PS);
                u64::try_from(bytes).unwrap_or(u64::MAX)
            }
            ps_per_byte => ps.div_ceil(u64::from(ps_per_byte)),
        }
    }

    /// Puts a packet in the queue of a link; says when it will arrive at the far end, and with which flags.
    #[inline(always)]
    pub(super) fn enqueue(&mut self, link: LinkId, now: u64, packet: &Packet) -> Result<(u64, u8), Refused> {
        let Admitted { backlog, mark } = self.admit(link, now, 0, packet)?;
        let payload = self.payload(packet);
        let state = &mut self.states[link];
        state.wire_bytes += u64::from(packet.size);
        state.data_bytes += payload;
        state.max_backlog = state.max_backlog.max(backlog);
        state.busy_until = now + backlog;
        Ok((state.busy_until + state.delay, packet.flags | mark))
    }

    /// Whether a queue takes a packet behind the one being sent and `ahead` ps of others, at most [`TOO_LONG`].
    #[inline(always)]
    pub(super) fn admit(&mut self, link: LinkId, now: u64, ahead: u64, packet: &Packet) -> Result<Admitted, Refused> {
        let state = &self.states[link];
        let on_wire = u64::from(packet.size) * u64::from(state.ps_per_byte);
        let backlog = state.busy_until.saturating_sub(now) + ahead + on_wire;
        if backlog < state.fast_below && self.reserve(link, packet.size) {
            let mark = 0;
            return Ok(Admitted { backlog, mark });
        }
        self.admit_slow(link, now, ahead, packet.size, packet.kind)
    }

    /// [`Links::admit`] where a queue is long, its buffer more than half full, or its link of an odd rate.
    #[inline(never)]
    fn admit_slow(&mut self, link: LinkId, now: u64, ahead: u64, size: u16, kind: Kind) -> Result<Admitted, Refused> {
        let state = &self.states[link];
        let before = state.busy_until.saturating_sub(now) + ahead;
        if self.rates[link].is_zero() {
            return Err(Refused::Down);
        }
        let backlog = before.saturating_add(self.on_wire(link, u64::from(size)));
        let fits = match state.buffer {
            BufferId::NONE => backlog <= self.limits_in_ps[link],
            _ => self.fits_threshold(link, now, backlog, u64::from(size)),
        };
        if !fits {
            return Err(Refused::Full);
        }
        let above = before >= self.states[link].mark_from && kind == Kind::Data;
        let mark = if above { self.mark(link, before) } else { 0 };
        let backlog = backlog.min(TOO_LONG);
        Ok(Admitted { backlog, mark })
    }

    /// Takes room in the buffer of a link, if it has one, as long as half of it is free.
    #[inline(always)]
    fn reserve(&mut self, link: LinkId, size: u16) -> bool {
        let Some(buffer) = self.buffers.get_mut(self.states[link].buffer) else {
            return true;
        };
        let used = buffer.used_at_most.saturating_add(u64::from(size));
        let half_is_free = used <= buffer.size / 2;
        if half_is_free {
            buffer.used_at_most = used;
        }
        half_is_free
    }

    /// Counts a packet that joins the list of a port, with `backlog` ps to send then.
    pub(super) fn join(&mut self, link: LinkId, packet: &Packet, on_wire: u64, backlog: u64) {
        let payload = self.payload(packet);
        let waiting = &mut self.waiting[link];
        *waiting = waiting.saturating_add(on_wire);
        let state = &mut self.states[link];
        state.wire_bytes += u64::from(packet.size);
        state.data_bytes += payload;
        state.max_backlog = state.max_backlog.max(backlog);
    }

    /// A packet leaves the list of a port and will be sent until `done`; says when it will arrive.
    pub(super) fn send(&mut self, link: LinkId, on_wire: u64, done: u64) -> u64 {
        self.waiting[link] -= on_wire;
        let state = &mut self.states[link];
        state.busy_until = done.min(TOO_LONG);
        done.saturating_add(state.delay)
    }

    #[inline(always)]
    fn payload(&self, packet: &Packet) -> u64 {
        match packet.kind {
            Kind::Data if !packet.has(TRIMMED) => u64::from(packet.size - self.header),
            _ => 0,
        }
    }

    /// Counts a packet that is lost in front of a link or on it.
    #[cold]
    pub(super) fn lose(&mut self, link: LinkId, size: u16) {
        let counts = &mut self.counts[link];
        counts.drops += 1;
        counts.lost_bytes += u64::from(size);
    }

    /// Dynamic thresholds (Choudhury and Hahne, 1998): a queue may grow to alpha times the free buffer.
    /// `queue` is what it would take to send the packet and all before it, in ps.
    ///
    /// What is used is only bounded from above between countings; where the bound says no, it is
    /// counted, so that every decision is exact.
    fn fits_threshold(&mut self, link: LinkId, now: u64, queue: u64, size: u64) -> bool {
        let index = self.states[link].buffer;
        let ps_per_byte = match self.states[link].ps_per_byte {
            0 => 8e12 / self.rates[link].0 as f64,
            ps => f64::from(ps),
        };
        let overdue = self.buffers[index].used_at_most >= self.buffers[index].count_from;
        for counted in [overdue, true] {
            if counted {
                let ports = self.buffers[index].ports.iter();
                let used = ports.map(|&port| self.queue(port, now)).fold(0, u64::saturating_add);
                let buffer = &mut self.buffers[index];
                buffer.used_at_most = used;
                buffer.count_from = used.saturating_add(buffer.size / 4);
            }
            let buffer = &mut self.buffers[index];
            let free = buffer.size.saturating_sub(buffer.used_at_most);
            if size <= free && queue as f64 <= self.alpha * free as f64 * ps_per_byte {
                buffer.used_at_most = buffer.used_at_most.saturating_add(size);
                return true;
            }
        }
        false
    }

    /// The flag of a packet that meets a backlog above the marking threshold.
    #[cold]
    fn mark(&mut self, link: LinkId, backlog: u64) -> u8 {
        let Some(ecn) = self.ecn[link] else { return 0 };
        if ecn.kmax > ecn.kmin {
            let queue = self.bytes_in(link, backlog);
            if queue < ecn.kmax.0 {
                let chance = ecn.pmax * (queue - ecn.kmin.0) as f64 / (ecn.kmax.0 - ecn.kmin.0) as f64;
                let salt = self.seed ^ u64::from(link.0) << 40 ^ self.states[link].wire_bytes;
                if f64::from(index_below(mix(salt), 1 << 30)) >= chance * f64::from(1 << 30) {
                    return 0;
                }
            }
        }
        self.counts[link].ecn_marks += 1;
        MARKED
    }

    /// Bytes of a queue still to be sent, rounded up.
    pub(super) fn queue(&self, link: LinkId, now: u64) -> u64 {
        let waiting = self.waiting.get(link).copied().unwrap_or(0);
        self.bytes_in(
            link,
            self.states[link].busy_until.saturating_sub(now).saturating_add(waiting),
        )
    }

    /// Asks for the state of a link.
    #[inline]
    pub(super) fn fetch(&self, link: LinkId) {
        prefetch(&self.states[link]);
    }

    /// When all accepted packets will have left.
    #[inline]
    pub(super) fn busy_until(&self, link: LinkId) -> u64 {
        self.states[link].busy_until
    }

    pub(super) fn delay(&self, link: LinkId) -> u64 {
        self.states[link].delay
    }

    pub(super) fn rate(&self, link: LinkId) -> Rate {
        self.rates[link]
    }

    /// Wire and payload bytes accepted.
    pub(super) fn bytes(&self, link: LinkId) -> (u64, u64) {
        let state = &self.states[link];
        (state.wire_bytes, state.data_bytes)
    }

    /// What all links have done by now, and what they hold.
    pub(super) fn totals(&self, now: u64) -> impl Iterator<Item = LinkTotals> {
        let links = self.states.iter().zip(&self.counts).zip(self.states.ids());
        links.map(move |((state, counts), link)| LinkTotals {
            wire_bytes: state.wire_bytes,
            data_bytes: state.data_bytes,
            drops: counts.drops,
            trims: counts.trims,
            ecn_marks: counts.ecn_marks,
            pauses: counts.pauses,
            paused: counts.paused.total(now).0,
            queue: self.queue(link, now),
        })
    }

    /// Wire bytes that a link has taken and not sent yet, counting the rest of the packet that it sends.
    pub(super) fn unsent(&self, link: LinkId, now: u64) -> u64 {
        let sending = self.states[link].busy_until.saturating_sub(now);
        let waiting = self.waiting.get(link).copied().unwrap_or(0);
        self.bytes_in(link, sending.saturating_add(waiting))
    }

    /// The longest queue so far, in bytes.
    pub(super) fn max_queue(&self, link: LinkId) -> u64 {
        let now = self.bytes_in(link, self.states[link].max_backlog);
        now.max(self.counts[link].max_queue_before)
    }

    /// Counts a packet that is lost after its link had accepted it.
    pub(super) fn lose_accepted(&mut self, link: LinkId, packet: &Packet) {
        let payload = self.payload(packet);
        let state = &mut self.states[link];
        state.wire_bytes -= u64::from(packet.size);
        state.data_bytes -= payload;
        self.lose(link, packet.size);
    }

    /// Takes over the queue of a link, with what it has seen, from the part of a run that it belongs to.
    pub(super) fn absorb(&mut self, link: LinkId, other: &Self) {
        let lost_here = self.counts[link];
        self.states[link] = other.states[link];
        self.counts[link] = other.counts[link];
        if let Some(&waiting) = other.waiting.get(link) {
            self.waiting[link] = waiting;
        }
        self.add_lost(link, &lost_here);
    }

    /// Adds what was lost at the end of a link, in another part of the run than its beginning.
    pub(super) fn absorb_lost(&mut self, link: LinkId, other: &Self) {
        self.add_lost(link, &other.counts[link]);
    }

    fn add_lost(&mut self, link: LinkId, other: &LinkCounts) {
        self.counts[link].drops += other.drops;
        self.counts[link].lost_bytes += other.lost_bytes;
    }

    /// Changes the rate of a link. What it holds must be timed anew: see [`Links::set_busy_until`].
    pub(super) fn change_rate(&mut self, link: LinkId, rate: Rate, now: u64) {
        self.counts[link].max_queue_before = self.max_queue(link);
        self.states[link].max_backlog = 0;
        self.states[link].busy_until = now;
        self.set_rate(link, rate);
    }

    /// Sets when a link will have sent all it holds.
    pub(super) fn set_busy_until(&mut self, link: LinkId, time: u64) {
        self.states[link].busy_until = time.min(TOO_LONG);
    }

    /// Sets the time on the wire of what waits in the list of a port, in ps.
    pub(super) fn set_waiting(&mut self, link: LinkId, waiting: u64) {
        self.waiting[link] = waiting;
    }

    /// Sets the rate of a link with an empty queue, and its thresholds with it.
    fn set_rate(&mut self, link: LinkId, rate: Rate) {
        self.rates[link] = rate;
        let ps = match rate.0 {
            0 => 0,
            bits if 8_000_000_000_000_u64.is_multiple_of(bits) => 8_000_000_000_000 / bits,
            _ => 0,
        };
        let time = |bytes: u64| match rate.is_zero() {
            true => NEVER,
            false => rate.transmission_time(bytes).0,
        };
        let mark_from = self.ecn[link].map_or(NEVER, |ecn| time(ecn.kmin.0));
        let limit = self.limits[link].map_or(NEVER, time);
        self.limits_in_ps[link] = limit;
        let state = &mut self.states[link];
        // Within the dynamic threshold while half of the buffer is free.
        let threshold = self.buffers.get(state.buffer).map_or(NEVER, |buffer| {
            (self.alpha * (buffer.size / 2) as f64 * (8e12 / rate.0 as f64)) as u64
        });
        state.ps_per_byte = u32::try_from(ps).unwrap_or(0);
        state.mark_from = mark_from;
        state.fast_below = match state.ps_per_byte {
            0 => 0,
            _ => mark_from.min(limit).min(threshold).min(TOO_LONG),
        };
    }
}
