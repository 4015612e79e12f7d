//! Laws that hold for any small network, traffic, transport and fault, at any moment.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::ids::{LinkId, SubflowId};
use crate::packet_engine::packet::{Event, Kind, RESENT};
use crate::topology::LinkChange;
use crate::units::Rate;

const SWITCHES: [&str; 7] = [
    "{}",
    r#"{"buffer": "60KB"}"#,
    r#"{"queue": "20KB"}"#,
    r#"{"queue": "20KB", "trimming": true}"#,
    r#"{"buffer": "300KB", "alpha": 0.25, "trimming": true, "ecn": {"kmin": "10KB", "kmax": "40KB", "pmax": 0.5}}"#,
    r#"{"pfc": true, "buffer": "1MB"}"#,
    r#"{"pfc": true, "buffer": "1MB", "pfc_pause": "10KB"}"#,
];

#[derive(Debug, Clone)]
pub(super) struct Draw {
    shape: (u32, u32, u32),
    rate: &'static str,
    transfers: Vec<(u32, u32, u64)>,
    transport: usize,
    scheme: usize,
    switch: usize,
    ack_priority: bool,
    jitter: u64,
    active: Option<u32>,
    fault: Option<(u32, u64, u64, bool)>,
    seed: u64,
}

pub(super) fn draws() -> impl Strategy<Value = Draw> {
    let shape = (2_u32..4, 1_u32..4, 1_u32..4);
    let rates = prop_oneof![Just("100Gbps"), Just("400Gbps"), Just("56Gbps")];
    let transfer = (0_u32..64, 1_u32..64, 1_u64..150_000);
    let transfers = proptest::collection::vec(transfer, 1..10);
    let kinds = (0..TRANSPORTS.len(), 0..SCHEMES.len(), 0..SWITCHES.len());
    let nic = (any::<bool>(), 0_u64..2_000_000, proptest::option::of(1_u32..3));
    let fault = proptest::option::of((0_u32..64, 0_u64..30_000_000, 1_u64..30_000_000, any::<bool>()));
    (shape, rates, transfers, kinds, nic, fault, any::<u64>()).prop_map(
        |(shape, rate, transfers, (transport, scheme, switch), (ack_priority, jitter, active), fault, seed)| Draw {
            shape,
            rate,
            transfers,
            transport,
            // What learns from acknowledgements needs some.
            scheme: match parsed::<LoadBalancing>(SCHEMES[scheme]).needs_acknowledgements() {
                true if TRANSPORTS[transport] == UDP => 0,
                _ => scheme,
            },
            switch,
            ack_priority,
            jitter,
            active,
            fault,
            seed,
        },
    )
}

impl Draw {
    pub(super) fn healthy(self) -> Self {
        Self { fault: None, ..self }
    }

    pub(super) fn case(&self) -> Case {
        let (leaves, spines, per_leaf) = self.shape;
        let fabric = leaf_spine(leaves, spines, per_leaf, self.rate, "500ns");
        let hosts = leaves * per_leaf;
        let pairs = self.transfers.iter().map(|&(src, offset, bytes)| {
            let src = src % hosts;
            (src, (src + 1 + offset % (hosts - 1)) % hosts, bytes)
        });
        let mut case = Case::new(fabric, flows(pairs)).with(SCHEMES[self.scheme], TRANSPORTS[self.transport]);
        case.switch = parsed(SWITCHES[self.switch]);
        case.packet.ack_priority = Some(self.ack_priority);
        case.packet.start_jitter = Time(self.jitter);
        case.packet.active_queue_pairs = self.active;
        case.packet.convergence = Time::from_us(10);
        case.packet.rto = Some(Time::from_us(50));
        case.seed = self.seed;
        if let Some((link, from, duration, slow)) = self.fault {
            let links = case.fabric.links().len() as u32;
            let link = LinkId(link % links);
            let whole = case.fabric.link(link).rate;
            let change = |rate| LinkChange { link, rate };
            let rate = if slow { Rate(whole.0 / 3) } else { Rate::ZERO };
            case.link_events = vec![
                LinkEvent {
                    at: Time(from),
                    change: change(rate),
                },
                LinkEvent {
                    at: Time(from + duration),
                    change: change(whole),
                },
            ];
        }
        case
    }
}

/// What crossed links so far, by watching events.
#[derive(Default)]
struct Watch {
    arrived: HashMap<LinkId, u64>,
    last_first: HashMap<(SubflowId, u16), u32>,
}

impl Watch {
    fn see(&mut self, event: &Event) {
        if event.packet.kind.is_packet() {
            *self.arrived.entry(event.link()).or_default() += u64::from(event.packet.size);
        }
    }

    /// First transmissions of a queue pair on one path reach the receiver in order, whoever chose the path.
    fn fifo(&mut self, engine: &Engine<'_, Wheel>, event: &Event) {
        let packet = event.packet;
        if packet.kind != Kind::Data || packet.flags & (RESENT | super::super::packet::TRIMMED) != 0 {
            return;
        }
        let at_end = engine.net.forwarding.end_of(event.link()) == engine.net.pairs[packet.qp].ends.dst.node();
        if at_end {
            let before = self.last_first.insert((packet.qp, packet.path), packet.seq);
            assert!(
                before.is_none_or(|before| before < packet.seq),
                "a packet overtook another on its path"
            );
        }
    }

    /// On every link: accepted = arrived + on the way + waiting.
    fn conserved(&self, mut engine: Engine<'_, Wheel>) {
        let mut held: HashMap<LinkId, u64> = HashMap::new();
        for event in engine.net.events.queue.extract(|_| true) {
            if event.packet.kind.is_packet() {
                *held.entry(event.link()).or_default() += u64::from(event.packet.size);
            }
        }
        for (link, port) in engine.net.ports.entries() {
            let waiting: u64 = port.held().map(|packet| u64::from(packet.size)).sum();
            *held.entry(link).or_default() += waiting;
        }
        for link in engine.net.setup.fabric.link_ids() {
            let (accepted, _) = engine.net.links.bytes(link);
            let accounted = self.arrived.get(&link).unwrap_or(&0) + held.get(&link).unwrap_or(&0);
            assert_eq!(accepted, accounted, "link {}", engine.net.setup.fabric.link_name(link));
        }
    }
}

/// No queue is above its limit, no shared buffer overfull. A port with classes limits each of them.
fn within_limits(engine: &Engine<'_, Wheel>) {
    let (setup, now) = (engine.net.setup, engine.net.events.now);
    let classes = if engine.net.ports.is_empty() { 1 } else { 2 };
    for node in setup.fabric.hosts()..setup.fabric.nodes().len() as u32 {
        let ports = setup.fabric.out_links(crate::ids::NodeId(node));
        // What is left of a byte on the wire counts as one.
        let queues = ports
            .iter()
            .map(|&id| engine.net.links.queue(id, now).saturating_sub(1));
        if let Some(limit) = setup.switch.queue {
            assert!(
                queues.clone().all(|queue| queue <= classes * limit.0),
                "a queue is above its limit"
            );
        }
        // With flow control buffers count what came in, and acknowledgements take no room.
        if let Some(buffer) = setup.switch.buffer.filter(|_| !setup.switch.pfc) {
            assert!(queues.sum::<u64>() <= buffer.0, "a buffer is overfull");
        }
    }
}

/// Runs a case step by step to the end or to `stop` events, watching.
fn watched(case: &Case, stop: u64) {
    case.setup(|setup| {
        let mut engine = Engine::<Wheel>::new(setup);
        let mut watch = Watch::default();
        let faults = !setup.link_events.is_empty();
        engine.begin();
        while engine.flows.unfinished > 0 && engine.events < stop {
            let before = engine.net.events.now;
            let Some(event) = engine.step() else { break };
            assert!(engine.net.events.now >= before, "time goes back");
            watch.see(&event);
            if !faults {
                watch.fifo(&engine, &event);
            }
            if event.packet.kind == Kind::Data && !faults {
                within_limits(&engine);
            }
        }
        if setup.switch.pfc && !faults {
            assert!(
                engine.net.links.counts.iter().all(|counts| counts.drops == 0),
                "flow control dropped"
            );
        }
        watch.conserved(engine);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn bytes_are_conserved_at_any_stop(draw in draws(), stop in 1_u64..20_000) {
        watched(&draw.case(), stop);
    }

    #[test]
    fn every_flow_finishes(draw in draws()) {
        let case = draw.case();
        let udp = TRANSPORTS[draw.transport] == UDP;
        let outcome = match case.run() {
            Ok(outcome) => outcome,
            // Nothing sends again what a fault or a full queue has cost.
            Err(_) if udp && (draw.fault.is_some() || (1..=4).contains(&draw.switch)) => return Ok(()),
            Err(stuck) => panic!("{stuck}: {:?}", stuck.unfinished),
        };
        let total: u64 = case.schedule.transfers().map(|transfer| transfer.bytes).sum();
        let last: f64 = case.fabric.link_ids()
            .filter(|&id| case.fabric.link(id).to.0 < case.fabric.hosts())
            .map(|id| outcome.links[id.index()].bytes)
            .sum();
        prop_assert!(last >= total as f64);
        if outcome.counters.retransmits == 0 {
            prop_assert_eq!(last, total as f64);
        }
        for flow in &outcome.flows {
            if case.link_events.is_empty() && case.packet.start_jitter.is_zero() && flow.subflows == 1 && flow.paths == 1 {
                prop_assert!(flow.delivered - flow.start >= flow.ideal);
            }
            prop_assert_eq!(flow.acked > flow.delivered, !udp);
        }
    }
}

/// The way back of a paused link fails, and with it the frame that would have let the link go on.
#[test]
fn a_pause_does_not_outlive_the_way_of_its_end() {
    let draw = Draw {
        shape: (3, 1, 3),
        rate: "100Gbps",
        transfers: vec![(9, 2, 4_086), (0, 1, 1), (0, 26, 4_086), (28, 9, 21_013)],
        transport: 0,
        scheme: 2,
        switch: 6,
        ack_priority: false,
        jitter: 1_566_077,
        active: None,
        fault: Some((2, 1_896_326, 5_059_120, false)),
        seed: 17_746_127_248_153_983_869,
    };
    assert!(draw.case().run().is_ok());
}
