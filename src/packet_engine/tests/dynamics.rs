//! Queues over time against the closed forms of the transports' own papers.

use super::*;
use crate::units::Rate;

/// Hosts 1 to `senders` of one leaf send `bytes` each to host 0, in packets of `full` bytes with 64 of header.
fn incast(senders: u32, bytes: u64, full: u64, rate: &str, delay: &str) -> Case {
    let flows = flows((1..=senders).map(|src| (src, 0, bytes)));
    let mut case = Case::new(leaf_spine(1, 1, senders + 1, rate, delay), flows);
    case.load_balancing = parsed(r#"{"ecmp": {}}"#);
    case.packet.payload = Bytes(full - 64);
    case.switch.buffer = Some(Bytes(64_000_000));
    case
}

fn step(bytes: u64) -> Option<Ecn> {
    Some(Ecn {
        kmin: Bytes(bytes),
        kmax: Bytes(bytes),
        pmax: 1.0,
    })
}

/// The queue in front of host 0 in bytes, every 5 us between two shares of the whole time.
fn queue(outcome: &Outcome, case: &Case, from: f64, to: f64) -> Vec<f64> {
    let port = case
        .fabric
        .link_ids()
        .find(|&id| case.fabric.link(id).to == NodeId(0))
        .unwrap();
    let samples = &outcome.series.as_ref().unwrap().samples;
    let within = |at: Time| at.0 as f64 >= from * outcome.cct.0 as f64 && at.0 as f64 <= to * outcome.cct.0 as f64;
    let queue = samples.iter().filter(|sample| sample.link == port && within(sample.at));
    queue.map(|sample| sample.queue as f64).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::MAX, f64::min)
}

/// Outcome by the wheel alone: that the heap gives the same is tested elsewhere.
fn outcome(case: &Case) -> Outcome {
    case.setup(simulate).unwrap()
}

/// SIGCOMM 2010, section 3.3: N synchronized flows fill the queue up to K + N packets. With alpha at 1 in the beginning, they
/// are there after some 50 round trips, whatever the gain.
#[test]
fn dctcp_fills_the_queue_up_to_k_and_n() {
    let (senders, full, k) = (16, 1_064, 65_000);
    let mut case = incast(senders, 4_000_000, full, "100Gbps", "2us");
    case.transport = parsed(r#"{"dctcp": {"gain": 0.00390625}}"#);
    case.packet.ack_priority = Some(true);
    case.switch.ecn = step(k);
    let outcome = outcome(&case);
    let from = 400e6 / outcome.cct.0 as f64;
    let queue = queue(&outcome, &case, from, 0.9);
    let theory = (k + u64::from(senders) * full) as f64;
    let found = most(&queue);
    assert!((found / theory - 1.0).abs() < 0.03, "{found} bytes, theory {theory}");
    let sent = (u64::from(senders) * 4_000 * full * 80) as f64;
    assert!(outcome.cct.0 as f64 <= 1.02 * sent, "the link idles: {}", outcome.cct);
}

/// The same section: the queue swings by sqrt(2 N (C RTT + K)) / 2 packets. Two flows at 10 Gb/s over 100 us with K = 40 packets.
#[test]
fn dctcp_swings_by_its_closed_form() {
    let (full, k) = (1_500, 40);
    let mut case = incast(2, 30_000_000, full, "10Gbps", "24us");
    case.transport = parsed(r#"{"dctcp": {"gain": 0.0625}}"#);
    case.switch.ecn = step(k * full);
    let outcome = outcome(&case);
    let queue = queue(&outcome, &case, 0.2, 0.9);
    // Out and back over two links each: packets of 1500 and acknowledgements of 64 bytes.
    let round_trip_us = 2.0 * (24.0 + 1.2) + 2.0 * (24.0 + 0.0512);
    let on_the_way = round_trip_us / 1.2;
    let theory = (4.0 * (on_the_way + k as f64)).sqrt() / 2.0;
    let (high, low) = (most(&queue) / full as f64, least(&queue) / full as f64);
    assert!(
        (high - (k + 2) as f64).abs() < 2.0,
        "up to {high} packets, theory {}",
        k + 2
    );
    assert!((high - low - theory).abs() < 1.0, "{low} to {high}, theory {theory}");
}

/// ECN or Delay (CoNEXT 2016), theorem 1: rates of DCQCN stand still where packets are marked with the chance
/// p, p^3 = A N^2 / (T C^2) (1/B + N/(T C))^2, with the increase A and the capacity C in packets per second, the timer T, and the
/// counter B in packets. Marks by RED turn that into a queue.
#[test]
fn dcqcn_has_its_fixed_point() {
    for (senders, bytes) in [(2, 300_000_000), (4, 75_000_000)] {
        let full = 1_000;
        let mut case = incast(senders, bytes, full, "40Gbps", "1us");
        case.transport = parsed(r#"{"dcqcn": {"increase": "40Mbps", "hyper_increase": "40Mbps"}}"#);
        let (kmin, kmax, pmax) = (5_000, 200_000, 0.01);
        case.switch.ecn = Some(Ecn {
            kmin: Bytes(kmin),
            kmax: Bytes(kmax),
            pmax,
        });
        let (capacity, increase, n) = (5e6, 5e3, f64::from(senders));
        let (timer, counter) = (55e-6, 10_000.0);
        let per_flow = 1.0 / counter + n / (timer * capacity);
        let chance = (increase * n * n / (timer * capacity * capacity) * per_flow * per_flow).cbrt();
        let theory = kmin as f64 + chance / pmax * (kmax - kmin) as f64;
        let outcome = outcome(&case);
        let found = mean(&queue(&outcome, &case, 0.3, 0.95));
        assert!(
            (found / theory - 1.0).abs() < 0.1,
            "{senders}: {found} bytes, theory {theory}"
        );
    }
}

/// SIGCOMM 2020, section 3.1: the round trip settles at the target of the window that it makes, N windows being what the
/// link sends in one round trip.
#[test]
fn swift_settles_at_its_target() {
    for senders in [8_u32, 32] {
        let (full, rate) = (1_000, 0.0125);
        let mut case = incast(senders, 32_000_000 / u64::from(senders), full, "100Gbps", "2us");
        case.transport = parsed(r#"{"swift": {}}"#);
        let unloaded = 2.0 * (2e6 + 80_000.0) + 2.0 * (2e6 + 64.0 * 80.0);
        let target = |window: f64| {
            let scaling = 100e6 / (10_f64.sqrt() - 0.1) * (1.0 / window.sqrt() - 0.1);
            20e6 * (1.0 + 2.0 / 6.55) + scaling.clamp(0.0, 100e6)
        };
        let settled = (0..200).fold(unloaded, |rtt, _| {
            (rtt + target(rtt * rate / full as f64 / f64::from(senders))) / 2.0
        });
        let theory = (settled - unloaded) * rate;
        let outcome = outcome(&case);
        let found = mean(&queue(&outcome, &case, 0.4, 0.9));
        assert!(
            (found / theory - 1.0).abs() < 0.04,
            "{senders}: {found} bytes, theory {theory}"
        );
    }
}

/// 10 MB over 200 us of round trip take what the link takes: the target leaves room above the round trip.
#[test]
fn swift_fills_long_links() {
    let mut case = incast(1, 10_000_000, 4_160, "100Gbps", "49us");
    case.transport = parsed(r#"{"swift": {}}"#);
    let sent = 10_000_000_f64 * 4_160.0 / 4_096.0 * 80.0;
    let found = outcome(&case).cct.0 as f64;
    assert!(found < sent + 110e6, "{found} ps for {sent} ps of data");
    case.transport = parsed(r#"{"swift": {"base_target": "20us"}}"#);
    let error = case.unchecked(|setup| setup.check()).unwrap_err().to_string();
    assert!(error.contains("base_target"), "{error}");
}

/// Seven hosts send 500 KB each to an eighth: the windows that quick adaptation leaves fill the link at every rate.
/// The bound is the time of all packets on the last link; htsim's NSCC needs 1.07 to 1.25 of it at 400 Gb/s.
#[test]
fn nscc_incasts_end_near_their_bound() {
    for (rate, within) in [("100Gbps", 1.1), ("400Gbps", 1.25), ("800Gbps", 1.1)] {
        let transfers = [24, 29, 28, 5, 20, 21, 26].map(|src| (src, 22, 500_000));
        let mut case = Case::new(leaf_spine(4, 2, 8, rate, "1us"), flows(transfers));
        case = case.with(r#"{"bitmap": {}}"#, r#"{"nscc": {}}"#);
        case.packet.ack_priority = Some(true);
        let outcome = outcome(&case);
        let wire = 7 * (500_000 + 500_000_u64.div_ceil(4_086) * 64);
        let bound = rate.parse::<Rate>().unwrap().transmission_time(wire) + Time::from_us(2);
        let over = outcome.cct.0 as f64 / bound.0 as f64;
        assert!((1.0..within).contains(&over), "{rate}: {over} of the bound");
        assert!(outcome.counters.trims > 100, "{rate}: {}", outcome.counters.trims);
    }
}

/// HPCC (SIGCOMM 2019), section 3: a flow alone sends at the utilization aimed at, and nothing waits.
#[test]
fn hpcc_leaves_five_percent_and_no_queue() {
    let mut case = incast(1, 20_000_000, 1_064, "100Gbps", "1us");
    case.transport = parsed(r#"{"hpcc": {}}"#);
    let outcome = outcome(&case);
    let wire = 20_000.0 * 1_064.0 * 80.0;
    let share = wire / outcome.cct.0 as f64;
    assert!((0.945..0.97).contains(&share), "{share} of the line");
    assert!(most(&queue(&outcome, &case, 0.1, 0.9)) <= 2.0 * 1_064.0);
}

/// Two that start apart: the additive increase, here for two flows, brings them together. Over the same round trip, the bytes in
/// flight are their shares of the link (Little's law). Windows rest where `increase = window * (1 - eta / utilization)`: an
/// increase for many more flows than there are makes shares differ by what measurements of the same link differ, many times over.
#[test]
fn hpcc_shares_a_link() {
    let mut builder = ScheduleBuilder::default();
    for (src, start) in [(1, 0), (2, 100)] {
        let transfer = crate::workload::Action::transfer(src, 0, 150_000_000);
        builder.add(transfer, Time::from_us(start), 0);
    }
    let mut case = incast(2, 1, 1_064, "100Gbps", "1us");
    case.schedule = builder.build();
    case.transport = parsed(r#"{"hpcc": {"flows": 2}}"#);
    let outcome = outcome(&case);
    let late = outcome
        .senders
        .iter()
        .filter(|sample| sample.at > Time::from_us(16_000) && sample.at < Time::from_us(20_000));
    let mean_of = |task: u32| {
        let bytes = late
            .clone()
            .filter(|sample| sample.task.0 == task)
            .map(|sample| sample.in_flight);
        mean(&bytes.map(|sample| sample as f64).collect::<Vec<_>>())
    };
    let ratio = mean_of(0) / mean_of(1);
    assert!((ratio - 1.0).abs() < 0.05, "shares differ by {ratio}");
    let queue = queue(&outcome, &case, 0.3, 0.7);
    assert!(mean(&queue) < 5.0 * 1_064.0, "{} bytes wait", mean(&queue));
}

/// Sixteen begin at line rate with a round trip's window each: that is the longest queue, and some round trips later it is gone.
#[test]
fn hpcc_bounds_an_incast() {
    let senders = 16;
    let mut case = incast(senders, 2_000_000, 1_064, "100Gbps", "1us");
    case.transport = parsed(r#"{"hpcc": {}}"#);
    let outcome = outcome(&case);
    let window = (2.0 * (1.0 + 0.08512) + 2.0 * (1.0 + 0.00512)) * 12_500.0;
    let longest = most(&queue(&outcome, &case, 0.0, 1.0));
    assert!(longest <= f64::from(senders) * (window + 2.0 * 1_064.0), "{longest}");
    let after = most(&queue(&outcome, &case, 0.2, 0.9));
    assert!(after < window, "{after} of {window}");
    assert_eq!(outcome.counters.drops, 0);
}
