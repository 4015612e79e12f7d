//! The loop: takes the earliest event and hands it to its owner, until every flow is done or nothing is left.

use super::events::Effect;
use super::fast_forward::{Run, Skipper};
use super::faults::Faults;
use super::flows::Flows;
use super::ids::{PortId, SenderId};
use super::limits::{Ended, Limits, State};
use super::lookahead::{self, LookAhead};
use super::network::Network;
use super::packet::{Event, Keys, Kind, Packet};
use super::queue::EventQueue;
use super::receiving::Receiving;
use super::sender_samples::SenderSampler;
use super::sending::Sending;
use super::series::Sampler;
use super::setup::Setup;
use super::status::{Continue, Status};
use crate::ids::{HostId, Id, LinkId, TaskId};
use crate::outcome::Limit;
use crate::path_selection::Policy;
use crate::rng::mix;
use crate::units::Time;
use crate::workload::{Action, Milestone};

/// A run in progress: the owners of its state, in the order in which they may use each other.
pub(super) struct Engine<'a, Q> {
    pub net: Network<'a, Q>,
    pub sending: Sending,
    pub receiving: Receiving,
    pub flows: Flows,
    pub faults: Faults,
    pub limits: Limits,
    /// Events processed.
    pub events: u64,
    /// Why the run ended early, if it did.
    pub ended: Option<Ended>,
    /// Samples of links and of senders, where they are taken.
    pub sampler: Option<Sampler>,
    pub sender_sampler: Option<SenderSampler>,
    /// Data packets of all transfers.
    packets: u64,
    /// Skips steady states, where that is asked for.
    skipper: Option<Skipper>,
    /// State is so large that looking ahead pays.
    looks_ahead: bool,
    /// Rehearsals that are done.
    rehearsed: u32,
}

impl<'a, Q: EventQueue> Engine<'a, Q> {
    /// A run at its beginning, with weights of paths that so many rehearsals have taught.
    pub(super) fn after(rehearsed: u32, policy: Policy, setup: &'a Setup<'a>) -> Self {
        let net = Network::new(setup, policy);
        let sending = Sending::new(&net);
        let links = setup.fabric.links().len();
        Self {
            receiving: Receiving::new(&net, sending.quanta),
            sending,
            flows: Flows::new(setup),
            faults: Faults::default(),
            limits: Limits::new(setup.packet),
            events: 0,
            ended: None,
            sampler: setup.observe.series.map(|interval| Sampler::new(interval, links)),
            sender_sampler: setup.observe.senders.map(SenderSampler::new),
            packets: net.pairs.iter().map(|pair| u64::from(pair.packets)).sum(),
            skipper: Skipper::new(&net),
            looks_ahead: lookahead::pays(links, net.pairs.len()),
            rehearsed,
            net,
        }
    }

    /// A run without rehearsals.
    #[cfg(test)]
    pub(super) fn new(setup: &'a Setup<'a>) -> Self {
        Self::after(0, Policy::default(), setup)
    }

    /// Dispatches events until all flows are done, nothing is left to do, a limit is reached, or `monitor` has enough.
    pub(super) fn run(mut self, monitor: &mut dyn FnMut(&Status) -> Continue) -> Self {
        self.begin();
        // The end of the last flow has the loop look at once.
        let some = self.flows.unfinished > 0;
        while some && self.step().is_some() {
            if self.events >= self.limits.look_at && !self.goes_on(monitor) {
                break;
            }
        }
        if let Some(sampler) = &mut self.sampler {
            sampler.sample(&self.net.links, &self.net.events);
        }
        self
    }

    /// What comes before the first event.
    pub(super) fn begin(&mut self) {
        self.faults.await_link_event(&mut self.net);
        self.await_sample();
        self.start_due();
        self.settle();
    }

    /// Dispatches the earliest event; `None` where nothing is left to do, or only after the last time that is
    /// simulated: before it no sum of the clock and a duration that can occur wraps around, and those that could not
    /// occur saturate.
    //
    // Inlined, so that the event, which only tests look at, is not written to memory for the caller.
    #[inline(always)]
    pub(super) fn step(&mut self) -> Option<Event> {
        let turn = self.net.events.queue.turn();
        let event = *self.net.events.queue.pop()?;
        self.turned(turn);
        if event.time > self.limits.until {
            self.out_of_time();
            return None;
        }
        self.process(&event);
        Some(event)
    }

    /// Asks memory for what other events need that have become current since a turn of the queue.
    #[inline(always)]
    fn turned(&mut self, turn: u64) {
        if self.looks_ahead && self.net.events.queue.turn() != turn {
            self.look_ahead();
        }
    }

    //
    // The event is copied from the queue once, and handed on by reference: every further copy would have its readers wait.
    #[inline(always)]
    fn process(&mut self, event: &Event) {
        debug_assert!(event.time >= self.net.events.now, "time goes back");
        self.net.events.now = event.time;
        self.events += 1;
        self.dispatch(event);
    }

    /// When the next event comes, and its key.
    pub(super) fn next_event(&mut self) -> Option<(u64, u32)> {
        let turn = self.net.events.queue.turn();
        let next = self.net.events.queue.next();
        self.turned(turn);
        next
    }

    /// Dispatches all events before a time.
    pub(super) fn run_until(&mut self, end: u64) {
        loop {
            let turn = self.net.events.queue.turn();
            let Some(&event) = self.net.events.queue.pop() else {
                return;
            };
            self.turned(turn);
            if event.time >= end {
                return self.net.events.queue.push(event);
            }
            self.process(&event);
        }
    }

    #[inline(always)]
    fn dispatch(&mut self, event: &Event) {
        let packet = &event.packet;
        match packet.kind {
            Kind::Data | Kind::Request | Kind::Ack | Kind::Nack | Kind::Credit | Kind::Notification => {
                let known = self.net.next_hops.get(self.net.events.queue.position()).copied();
                if self.net.pass_on(event.link(), packet, known) {
                    return;
                }
                self.deliver(packet);
            }
            Kind::NicFree => self.sending.nic_free(&mut self.net, PortId(packet.about())),
            Kind::PortFree => self.port_free(LinkId(packet.about())),
            Kind::Pace => self.sending.pace(&mut self.net, packet.qp),
            Kind::Timeout => self.sending.timeout(&mut self.net, packet.qp),
            Kind::Start => self.sending.open(&mut self.net, packet.qp),
            Kind::CreditPacer => self.receiving.send_credit(&mut self.net, HostId(packet.about())),
            Kind::FlowControl => self.net.set_paused(LinkId(packet.about()), packet.seq != 0),
            Kind::LinkChange => self.links_change(),
            Kind::Converged => self.converge(packet.about()),
            Kind::Sample => self.sample(),
            Kind::Watch => self.watch(),
            Kind::Task => {
                self.task_due(TaskId(packet.about()));
                self.start_due();
            }
        }
        if self.net.events.has_effects() {
            self.settle();
        }
    }

    /// Hands a packet to the host that it has reached.
    //
    // By reference: who reads its kind waits for none of the writes of a copy.
    fn deliver(&mut self, packet: &Packet) {
        let net = &mut self.net;
        match packet.kind {
            Kind::Data => self.receiving.data_arrived(net, packet),
            Kind::Request => self.receiving.credit_requested(net, packet),
            Kind::Ack => self.sending.ack_arrived(net, packet),
            Kind::Nack => self.sending.nack_arrived(net, packet),
            Kind::Credit => self.sending.credit_arrived(net, packet),
            Kind::Notification => self.sending.notification_arrived(net, packet),
            _ => {}
        }
    }

    /// A port has sent a packet; if it is that of a host, its card may go on.
    fn port_free(&mut self, link: LinkId) {
        if let Some(card) = self.net.port_free(link)
            && self.sending.data_left(&mut self.net, card)
        {
            return self.net.events.tell(Effect::Serve { link });
        }
        self.net.serve(link);
    }

    /// Deals with what events have brought about.
    #[inline(never)]
    fn settle(&mut self) {
        while let Some(effect) = self.net.events.next_effect() {
            self.take_effect(effect);
        }
    }

    fn take_effect(&mut self, effect: Effect) {
        let now = self.net.events.clock();
        match effect {
            Effect::Leaving { task } => self.flows.leaving(task),
            Effect::Sent { task } => {
                if self.flows.sent(task) {
                    self.happened(task, Milestone::Sent);
                }
            }
            Effect::Begun { task } => {
                if self.flows.begun(task) && self.net.setup.schedule.awaits(task, Milestone::Begun) {
                    self.happened(task, Milestone::Begun);
                }
            }
            Effect::Delivered {
                task,
                reordered,
                extent,
            } => {
                if self.flows.delivered(task, (reordered, extent), now) {
                    self.happened(task, Milestone::Delivered);
                    if !self.net.terms.acknowledged {
                        self.end(task);
                    }
                }
            }
            Effect::Acknowledged { task, retransmits } => {
                if self.flows.acknowledged(task, retransmits) {
                    self.end(task);
                }
            }
            Effect::Closed { host } => {
                if let Some(next) = self.sending.nics.leave(host) {
                    self.sending.activate(&mut self.net, next);
                }
            }
            Effect::Poll { port } => self.sending.poll_tx(&mut self.net, port),
            Effect::Serve { link } => self.net.serve(link),
        }
    }

    /// Notes a milestone of a transfer, and starts what it releases.
    fn happened(&mut self, task: TaskId, milestone: Milestone) {
        let now = self.net.events.clock();
        self.flows.happened(self.net.setup, task, milestone, now);
        self.start_due();
    }

    /// A transfer is over for its sender.
    fn end(&mut self, task: TaskId) {
        self.flows.end(task, self.net.events.clock());
        if self.flows.unfinished == 0 {
            self.limits.look_at = 0;
        }
        if let Some(skipper) = &mut self.skipper {
            skipper.begin(&mut self.net.events);
        }
        self.happened(task, Milestone::Acked);
    }

    /// Starts all that is due now, in order of task, and sets alarms for the rest.
    fn start_due(&mut self) {
        while let Some(batch) = self.flows.take_due() {
            for due in &batch {
                if due.at.0 > self.net.events.clock() {
                    let key = self.net.events.keys.task + due.task.0;
                    self.net.events.alarm_at(due.at.0, key, Kind::Task, due.task.0);
                } else {
                    self.task_due(due.task);
                }
            }
            self.flows.recycle(batch);
        }
    }

    fn task_due(&mut self, task: TaskId) {
        match self.net.setup.schedule.task(task).action {
            Action::Transfer { .. } => self.start_flow(task),
            action => self.flows.pass(self.net.setup, task, action, self.net.events.clock()),
        }
    }

    /// A transfer starts: its queue pairs open, after their jitter.
    fn start_flow(&mut self, task: TaskId) {
        let (setup, now) = (self.net.setup, self.net.events.now);
        self.flows.start(task, self.net.events.clock());
        if let Some(skipper) = &mut self.skipper {
            skipper.begin(&mut self.net.events);
        }
        let jitter = setup.packet.start_jitter.0;
        for qp in setup.placement.ids(task) {
            if jitter == 0 {
                self.sending.open(&mut self.net, qp);
                continue;
            }
            let draw = u128::from(mix(mix(setup.seed ^ 0x7177) ^ u64::from(qp.0)));
            let delay = ((draw * u128::from(jitter + 1)) >> 64) as u64;
            let key = self.net.events.keys.start + qp.0;
            self.net.events.alarm(now.saturating_add(delay), key, Kind::Start, qp.0);
        }
    }

    /// Links change now.
    fn links_change(&mut self) {
        let before = self.faults.rerouted();
        while let Some(card) = self.faults.change_next(&mut self.net) {
            if let Some(card) = card {
                self.sending.data_left(&mut self.net, card);
                self.settle();
            }
        }
        self.faults.changed(&mut self.net, before);
    }

    /// Routing has noticed the first `known` link events, and hosts learn of it.
    fn converge(&mut self, known: u32) {
        if !self.faults.converge(&mut self.net, known) {
            return;
        }
        self.sending.avoided.clear();
        for qp in self.net.pairs.ids() {
            let slot = self.net.pairs[qp].sender;
            if slot != SenderId::NONE {
                self.sending.reselect_path(&mut self.net, qp, slot);
            }
        }
    }

    /// Sets the alarm for the next sample, of links or of senders.
    fn await_sample(&mut self) {
        let links = self.sampler.as_ref().map(Sampler::next);
        let senders = self.sender_sampler.as_ref().map(SenderSampler::next);
        if let Some(time) = links.into_iter().chain(senders).min() {
            self.net.events.alarm_at(time, Keys::SAMPLE, Kind::Sample, 0);
        }
    }

    /// Looks at whether anything but the clock changes, and skips it if not.
    #[cold]
    fn watch(&mut self) {
        if let Some(skipper) = &mut self.skipper {
            skipper.look(Run {
                net: &mut self.net,
                sending: &mut self.sending,
                receiving: &self.receiving,
                flows: &self.flows,
                faults: &self.faults,
                until: &mut self.limits.until,
            });
        }
    }

    /// Looks at what is due, and again later, unless nothing but this alarm was pending.
    fn sample(&mut self) {
        if let Some(sampler) = &mut self.sampler {
            sampler.look(&self.net.links, &self.net.events);
        }
        if let Some(sampler) = &mut self.sender_sampler {
            sampler.look(&self.net, &self.sending.senders);
        }
        if !self.net.events.queue.is_empty() {
            self.await_sample();
        }
    }

    /// Asks memory for what the coming events need.
    fn look_ahead(&mut self) {
        let mut next_hops = std::mem::take(&mut self.net.next_hops);
        next_hops.clear();
        let ahead = LookAhead {
            net: &self.net,
            sending: &self.sending,
            receiving: &self.receiving,
        };
        ahead.ask(&mut next_hops);
        self.net.next_hops = next_hops;
    }

    pub(super) fn status(&self) -> Status {
        Status {
            now: Time(self.net.events.clock()),
            events: self.events,
            unfinished: self.flows.unfinished,
            sent: self.sending.packets - self.sending.retransmits + self.net.skipped.packets,
            packets: self.packets,
            stop: self.net.setup.packet.stop,
            rehearsed: self.rehearsed,
            rehearsals: self.net.setup.load_balancing.rehearsals(),
        }
    }

    /// The next event lies beyond the end of time.
    #[cold]
    fn out_of_time(&mut self) {
        self.net.events.now = self.limits.until;
        self.ended = Some(match self.net.setup.packet.stop {
            Some(stop) if stop.0 == self.net.events.clock() => Ended::Stopped,
            _ => Ended::Limit(Limit::Time),
        });
    }

    /// Whether the run may go on, asked at [`Limits::look_at`].
    fn goes_on(&mut self, monitor: &mut dyn FnMut(&Status) -> Continue) -> bool {
        if self.flows.unfinished == 0 {
            return false;
        }
        let (net, senders) = (&self.net, &self.sending.senders);
        let longest_timeout = || {
            let senders = net.pairs.iter().filter_map(|pair| senders.get(pair.sender));
            let longest = senders.map(|sender| sender.timeout.wait(u32::MAX - 1)).max();
            longest.unwrap_or(0)
        };
        let state = State {
            news: self.receiving.news,
            hops: net.packet_hops,
            awaits_changes: self.faults.awaits_changes(net),
            longest_timeout: &longest_timeout,
        };
        let status = self.status();
        self.ended = self.limits.look(&status, &state, monitor);
        self.ended.is_none()
    }
}
