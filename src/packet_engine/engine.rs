//! The event loop: takes the earliest event, lets it happen, until every flow is done or nothing is left.

use super::credits::Credits;
use super::faults::Faults;
use super::flow_control::FlowControl;
use super::forwarding::{CellId, Forwarding, Next};
use super::gray_links::GrayLinks;
use super::limits::{Ended, Limits};
use super::links::Links;
use super::lookahead;
use super::nic::Nics;
use super::options::Recovery;
use super::pacing;
use super::packet::{Event, Keys, Kind, PRIORITY, Packet, Stamps};
use super::path_selection::InSwitch;
use super::port_failover::PortWatch;
use super::ports::Port;
use super::queue::EventQueue;
use super::queue_pairs::{Ends, Flow, NONE, QueuePair, Receiver, Sender, Slab};
use super::senders::Senders;
use super::series::Sampler;
use super::telemetry::Telemetry;
use super::unloaded;
use super::{Continue, Setup, Status};
use smallvec::SmallVec;

use crate::ids::TaskId;
use crate::outcome::Counters;
use crate::rng::mix;
use crate::routes::Route;
use crate::topology::Fabric;
use crate::units::Time;
use crate::workload::{Action, Due, Milestone, Progress, Schedule, Transfer};

/// Transfers looked at to find the longest round trip.
pub(super) const RTTS_LOOKED_AT: usize = 4_096;

/// Time stamps tell apart the unloaded round trips of paths of 16 links, were they a thousand times longer.
const STAMPED_HOPS: u64 = 1_000 * 16;

/// A run in progress.
pub(super) struct Engine<'a, Q> {
    pub setup: &'a Setup<'a>,
    pub now: u64,
    pub queue: Q,
    pub keys: Keys,
    pub forwarding: Forwarding,
    pub links: Links,
    pub in_switch: InSwitch,
    pub nics: Nics,
    pub queue_pairs: Vec<QueuePair>,
    /// Wire bytes per picosecond by queue pair, where the transport paces them; else empty.
    pub shares: Vec<f64>,
    pub senders: Slab<Sender>,
    pub receivers: Slab<Receiver>,
    pub flows: Vec<Flow>,
    pub progress: Progress,
    /// What has become due and has not been looked at.
    pub due: Vec<Due>,
    /// Transfers without their last acknowledgement.
    pub unfinished: usize,
    pub counters: Counters,
    pub limits: Limits,
    /// Why the run ended early, if it did.
    pub ended: Option<Ended>,
    /// Data packets that were new to their receivers.
    pub news: u64,
    /// Data packets of all transfers.
    packets: u64,
    pub fcts: Vec<Time>,
    pub cct: u64,
    /// Receivers answer, and senders wait for that.
    pub acknowledged: bool,
    /// Shortest retransmission timeout of any queue pair; none where nothing can be lost, or nothing is sent again.
    pub rto: Option<u64>,
    pub stamps: Stamps,
    /// Payload bytes after which receivers acknowledge; 0: every packet.
    pub ack_every: u64,
    /// Wire bytes of a full data packet.
    pub full: u64,
    /// The lists of all ports in the two-event mode; empty where departures are known in advance.
    pub ports: Vec<Port>,
    /// Packets without room lose their payload instead of their life.
    pub trimming: bool,
    /// Packets can be lost without a word: losses are found by order.
    pub drops: bool,
    pub flow_control: Option<FlowControl>,
    /// All links have the same rate and delay, so that all paths of a pair are equally fast.
    pub equal_links: bool,
    pub faults: Faults,
    pub port_watch: PortWatch,
    /// Links that lose packets.
    pub gray: GrayLinks,
    /// What hops write into packets, where the transport asks for it.
    pub telemetry: Option<Box<Telemetry>>,
    /// What hosts grant as receivers, where senders need credits.
    pub credits: Option<Credits>,
    /// Flags of control packets: PRIORITY or none.
    pub control_flags: u8,
    /// Shortest time between two congestion notifications for a queue pair, where receivers send any.
    pub notification_interval: Option<u64>,
    pub sampler: Option<Sampler>,
    /// Samples of senders.
    pub watched: Option<Senders>,
    /// State is so large that looking ahead pays.
    looks_ahead: bool,
    /// Where the packets of the coming events go next, by position, as far as looking ahead has found them out.
    pub next_hops: Vec<Next>,
    /// Paths that each flow's data has taken, as bits; empty unless flows are observed.
    pub paths_taken: Vec<SmallVec<[u64; 1]>>,
}

impl<'a, Q: EventQueue> Engine<'a, Q> {
    /// A run at its beginning.
    pub fn new(setup: &'a Setup<'a>) -> Self {
        let fabric = setup.fabric;
        let (progress, due) = Progress::new(setup.schedule);
        let rtt = network_rtt(setup);
        let salt = mix(setup.seed ^ 0x5317_c4e5);
        let trimming = setup.trimming();
        let flow_control = setup.switch.pfc.then(|| FlowControl::new(setup));
        let listed = setup.control_first() || trimming || flow_control.is_some();
        let (forwarding, links) = (Forwarding::new(fabric), Links::new(setup, rtt, listed));
        let in_switch = InSwitch::new(setup.load_balancing, &forwarding, &links, rtt, salt);
        let gray = GrayLinks::new(setup);
        let can_lose = links.can_drop() || !setup.link_events.is_empty() || gray.any();
        let rto = setup
            .packet
            .rto
            .unwrap_or_else(|| setup.transport.rto(rtt, links.longest_wait()))
            .0;
        let queue_pairs = queue_pairs(setup, in_switch.decides());
        let packets = queue_pairs.iter().map(|pair| u64::from(pair.packets)).sum();
        let (pairs, tasks) = (queue_pairs.len(), setup.schedule.tasks().len());
        Self {
            setup,
            now: 0,
            queue: Q::default(),
            keys: Keys::new(fabric.links().len(), fabric.hosts() as usize, pairs, tasks)
                .expect("Setup::check has counted the entities"),
            forwarding,
            links,
            in_switch,
            nics: Nics::new(fabric, setup.packet.active_queue_pairs),
            shares: match setup.transport.paced() {
                true => pacing::rates(setup, &queue_pairs),
                false => Vec::new(),
            },
            queue_pairs,
            senders: Slab::default(),
            receivers: Slab::default(),
            flows: vec![Flow::default(); tasks],
            progress,
            due,
            unfinished: setup.schedule.transfer_count() + setup.schedule.delay_count(),
            packets,
            counters: Counters::default(),
            limits: Limits::new(setup.packet),
            ended: None,
            news: 0,
            fcts: Vec::new(),
            cct: 0,
            acknowledged: setup.transport.acknowledged(),
            rto: (can_lose && setup.transport.acknowledged()).then_some(rto),
            stamps: Stamps::new(unloaded::rtt_within(fabric, STAMPED_HOPS, setup.packet)),
            ack_every: setup.packet.ack_every.map_or(0, |bytes| bytes.0),
            full: setup.packet.full(),
            ports: if listed {
                vec![Port::default(); fabric.links().len()]
            } else {
                Vec::new()
            },
            trimming,
            drops: can_lose && !trimming,
            flow_control,
            equal_links: equal_links(fabric) && setup.link_events.is_empty(),
            faults: Faults::default(),
            port_watch: PortWatch::default(),
            gray,
            telemetry: setup.transport.reads_hops().then(Box::default),
            next_hops: Vec::new(),
            looks_ahead: lookahead::pays(fabric.links().len(), pairs),
            sampler: setup
                .observe
                .series
                .map(|interval| Sampler::new(interval, fabric.links().len())),
            watched: setup.observe.senders.map(Senders::new),
            paths_taken: vec![SmallVec::new(); if setup.observe.flows { tasks } else { 0 }],
            notification_interval: setup.transport.notification_interval().map(|interval| interval.0),
            credits: Credits::new(setup, rtt),
            control_flags: if setup.control_first() { PRIORITY } else { 0 },
        }
    }

    /// The fabric as routing knows it.
    pub fn fabric(&self) -> &Fabric {
        self.faults.fabric.as_deref().unwrap_or(self.setup.fabric)
    }

    /// Lets things happen until all flows are done, nothing is left to do, a limit is reached, or `monitor` has enough.
    pub fn run(mut self, monitor: &mut dyn FnMut(&Status) -> Continue) -> Self {
        self.begin();
        // The end of the last flow has the loop look at once.
        let some = self.unfinished > 0;
        while some && self.step().is_some() {
            if self.counters.events >= self.limits.look_at && !self.goes_on(monitor) {
                break;
            }
        }
        self.sample_links();
        self
    }

    /// What happens before the first event.
    pub fn begin(&mut self) {
        self.await_link_event();
        self.await_sample();
        self.start_due();
    }

    /// Lets the earliest event happen; `None` where nothing is left to do, or only after the last time that is
    /// simulated: before it no sum of the clock and a duration that can occur wraps around, and those that could not
    /// occur saturate.
    //
    // Inlined, so that the event, which only tests look at, is not written to memory for the caller.
    #[inline(always)]
    pub fn step(&mut self) -> Option<Event> {
        let turn = self.queue.turn();
        let event = self.queue.pop()?;
        if self.looks_ahead && self.queue.turn() != turn {
            self.look_ahead();
        }
        debug_assert!(event.time >= self.now, "time goes back");
        if event.time > self.limits.until {
            self.out_of_time();
            return None;
        }
        self.now = event.time;
        self.counters.events += 1;
        self.dispatch(event);
        Some(event)
    }

    pub fn status(&self) -> Status {
        Status {
            now: Time(self.now),
            events: self.counters.events,
            unfinished: self.unfinished,
            sent: self.counters.packets - self.counters.retransmits,
            packets: self.packets,
            stop: self.setup.packet.stop,
        }
    }

    #[inline(always)]
    fn dispatch(&mut self, event: Event) {
        let packet = event.packet;
        match packet.kind {
            Kind::Data | Kind::Request | Kind::Ack | Kind::Nack | Kind::Pull | Kind::Notification => {
                let known = self.next_hops.get(self.queue.position()).copied();
                self.arrive(event.key - Keys::ARRIVAL, &packet, known);
            }
            Kind::NicFree => self.nic_free(packet.qp),
            Kind::Pace => self.pace(packet.qp),
            Kind::Timeout => self.timeout(packet.qp),
            Kind::LinkChange => self.links_change(),
            Kind::Converged => self.converge(packet.qp),
            Kind::PortFree => self.port_free(packet.qp),
            Kind::FlowControl => self.set_paused(packet.qp, packet.seq != 0),
            Kind::Sample => self.sample(),
            Kind::PullPacer => self.send_credit(packet.qp),
            Kind::Start => self.open(packet.qp),
            Kind::Task => {
                self.task_due(TaskId(packet.qp));
                self.start_due();
            }
        }
    }

    /// A packet has crossed a link; `known` is what looking ahead has found out about its next hop.
    #[inline(always)]
    fn arrive(&mut self, link: u32, packet: &Packet, known: Option<Next>) {
        self.counters.packet_hops += 1;
        if self.gray.loses(link, self.now) {
            return self.links.lose_accepted(link, packet);
        }
        let next = match known {
            Some(next) => next,
            None => self.next_hop(self.forwarding.end_of(link), packet),
        };
        let (next, path) = match next {
            Next::Arrived => return self.delivered(*packet),
            Next::Only(next) => (next, packet.path),
            Next::OneOf(cell) => {
                let node = self.forwarding.end_of(link);
                let (next, step) = self.choose(node, cell, packet.qp, packet.kind);
                (next, packet.path.wrapping_add(step))
            }
            Next::Lost => return self.links.lose(link, packet.size),
        };
        self.transmit(next, link, packet, path);
    }

    /// The hosts that a packet of a queue pair comes from and goes to.
    #[inline]
    pub fn ends(&self, qp: u32, kind: Kind) -> (u32, u32) {
        let ends = &self.queue_pairs[qp as usize].ends;
        match kind.is_forward() {
            true => (ends.src, ends.dst),
            false => (ends.dst, ends.src),
        }
    }

    /// Where a packet goes on from a node: by one of several links only where the switch has to choose.
    //
    // Inlined: a packet handed over by reference would have to be written to memory first.
    #[inline(always)]
    pub fn next_hop(&self, node: u32, packet: &Packet) -> Next {
        let (src, dst) = self.ends(packet.qp, packet.kind);
        let base = self.queue_pairs[packet.qp as usize].ends.base;
        match self.forwarding.next(node, dst) {
            Next::OneOf(cell) if base != NONE => {
                let path = base.wrapping_add(u32::from(packet.path));
                Next::Only(self.forwarding.along(self.forwarding.cell(cell), node, src, dst, path))
            }
            next => next,
        }
    }

    /// A node's own choice among links, and how far it moves the number of the packet's path.
    pub fn choose(&mut self, node: u32, cell: CellId, qp: u32, kind: Kind) -> (u32, u16) {
        let (cell, control) = (self.forwarding.cell(cell), kind != Kind::Data);
        let at_switch = node >= self.setup.fabric.hosts();
        let position = match &mut self.in_switch {
            InSwitch::ByPath => 0,
            InSwitch::RoundRobin(state) => state.choose(cell.first, cell.count, control, at_switch),
            InSwitch::Adaptive(state) => {
                let (links, now) = (&self.links, self.now);
                let hops = self.forwarding.hops(cell).iter();
                let queues = hops.map(|&hop| (hop, (!links.rate(hop).is_zero()).then(|| links.queue(hop, now))));
                state.choose(queues, at_switch)
            }
            InSwitch::Flowlet(state) => state.choose(node, qp, control, cell.count, self.now),
        };
        let link = self.forwarding.hops(cell)[position as usize];
        let step = self.forwarding.step(cell, position, || self.ends(qp, kind).1);
        (link, step as u16)
    }

    /// Puts a packet that came by link `from` (NONE: made here) in the queue in front of a link, on path `path` from
    /// now on. False where it was lost.
    //
    // Inlined with all that it calls on the usual way, and the packet is copied but once, so that its fields stay in
    // registers from one bucket of the event queue to the other.
    #[inline(always)]
    pub fn transmit(&mut self, link: u32, from: u32, packet: &Packet, path: u16) -> bool {
        if let Some(telemetry) = self.telemetry.as_mut().filter(|_| packet.kind == Kind::Data) {
            telemetry.note(packet, link, from == NONE, &self.links, self.now);
        }
        if !self.ports.is_empty() {
            return self.enqueue(link, from, Packet { path, ..*packet });
        }
        match self.links.enqueue(link, self.now, packet) {
            Ok((time, flags)) => {
                let (key, packet) = (Keys::ARRIVAL + link, Packet { path, flags, ..*packet });
                self.queue.push(Event { time, key, packet });
                true
            }
            Err(_) => {
                self.links.lose(link, packet.size);
                false
            }
        }
    }

    fn delivered(&mut self, packet: Packet) {
        match packet.kind {
            Kind::Data => self.data_arrived(packet),
            Kind::Ack => self.ack_arrived(packet),
            Kind::Nack => self.nack_arrived(packet),
            Kind::Pull => self.credit_arrived(packet),
            Kind::Notification => self.notification_arrived(packet),
            Kind::Request => self.credit_requested(packet),
            _ => {}
        }
    }

    /// Adds an alarm.
    pub fn alarm(&mut self, time: u64, key: u32, kind: Kind, about: u32) {
        let packet = Packet::alarm(kind, about);
        self.queue.push(Event { time, key, packet });
    }

    /// Notes a milestone of a transfer, and starts what it releases.
    pub fn happened(&mut self, task: u32, milestone: Milestone) {
        let schedule = self.setup.schedule;
        self.progress
            .happened(schedule, TaskId(task), milestone, Time(self.now), &mut self.due);
        if !self.due.is_empty() {
            self.start_due();
        }
    }

    /// Starts all that is due now, in order of task, and sets alarms for the rest.
    fn start_due(&mut self) {
        while !self.due.is_empty() {
            let mut batch = std::mem::take(&mut self.due);
            batch.sort_unstable();
            for due in &batch {
                if due.at.0 > self.now {
                    self.alarm(due.at.0, self.keys.task + due.task.0, Kind::Task, due.task.0);
                } else {
                    self.task_due(due.task);
                }
            }
            if self.due.is_empty() {
                batch.clear();
                self.due = batch;
                return;
            }
        }
    }

    fn task_due(&mut self, task: TaskId) {
        match self.setup.schedule.task(task).action {
            Action::Transfer { .. } => self.start_flow(task),
            action => {
                if matches!(action, Action::Delay(time) if !time.is_zero()) {
                    self.cct = self.cct.max(self.now);
                    self.unfinished -= 1;
                    self.flows[task.index()].delivered = self.now;
                }
                let schedule = self.setup.schedule;
                let now = Time(self.now);
                self.progress
                    .happened(schedule, task, Milestone::Delivered, now, &mut self.due);
            }
        }
    }

    pub fn in_order_only(&self, pinned: bool) -> bool {
        pinned && self.setup.packet.recovery == Recovery::GoBackN
    }
}

/// All queue pairs, by sub-flow of the placement.
fn queue_pairs(setup: &Setup<'_>, switches_decide: bool) -> Vec<QueuePair> {
    let mut pairs = Vec::with_capacity(setup.placement.subflows().len());
    let options = setup.packet;
    for Transfer { task, src, dst, bytes } in setup.schedule.transfers() {
        let most = match options.stop {
            Some(stop) if bytes >= Schedule::ENDLESS => setup.most_packets(src.0, stop).min(super::MOST_PACKETS),
            _ => super::MOST_PACKETS,
        };
        for subflow in setup.placement.of(task) {
            let pinned = match subflow.route {
                Route::Pinned(path) => Some(path),
                _ => None,
            };
            let open = if switches_decide { NONE } else { 0 };
            let base = pinned.unwrap_or(open);
            let packets = subflow.bytes.div_ceil(options.payload.0).clamp(1, most);
            let last = (subflow.bytes - (packets - 1) * options.payload.0).min(options.payload.0) + options.header.0;
            pairs.push(QueuePair {
                ends: Ends {
                    src: src.0,
                    dst: dst.0,
                    base,
                },
                task: task.0,
                sender: NONE,
                receiver: NONE,
                packets: packets as u32,
                last: last as u16,
                pinned: pinned.is_some(),
            });
        }
    }
    pairs
}

pub(super) fn equal_links(fabric: &Fabric) -> bool {
    let mut kinds = fabric.links().iter().map(|link| (link.rate, link.delay));
    let first = kinds.next();
    kinds.all(|kind| Some(kind) == first)
}

/// The longest unloaded round trip among the first transfers, in ps: what network-wide defaults scale with.
fn network_rtt(setup: &Setup<'_>) -> u64 {
    let pairs = setup.schedule.transfers().take(RTTS_LOOKED_AT);
    let rtts = pairs.map(|Transfer { src, dst, .. }| {
        let (src, dst) = (src.node(), dst.node());
        match setup.fabric.path_count(src, dst) {
            0 => 0,
            _ => unloaded::rtt(setup.fabric, &setup.fabric.path(src, dst, 0), setup.packet),
        }
    });
    rtts.max().unwrap_or(0)
}
