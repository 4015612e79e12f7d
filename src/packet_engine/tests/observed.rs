//! What senders know over time, held against closed forms.

use super::*;
use crate::ids::{LinkId, TaskId};
use crate::outcome::SenderSample;
use crate::topology::LinkChange;
use crate::units::Rate;

const FULL: f64 = 4_150.0;

/// The samples of one flow, in order of time.
fn of_flow(outcome: &Outcome, flow: u32) -> Vec<SenderSample> {
    let samples = outcome.senders.iter().filter(|sample| sample.task == TaskId(flow));
    samples.copied().collect()
}

/// One round trip over four links of 100 Gb/s and 500 ns: 4 x (332 + 5.12 + 1000) ns, which 17 packets of 332 ns fill;
/// two more may wait. The window never moves. One below the round trip is always full; with a larger one the host's
/// link is, and 16.1 packets are under way.
#[test]
fn the_window_of_ideal_is_constant() {
    for (share, window, in_flight) in [("1", 19, [16, 17]), ("0.5", 11, [11, 11])] {
        let case = Case::new(leaf_spine(2, 1, 1, "100Gbps", "500ns"), flows([(0, 1, 4_000_000)]));
        let case = case.with(r#"{"spray": {}}"#, &format!(r#"{{"ideal": {{"window": {share}}}}}"#));
        let samples = of_flow(&case.run().unwrap(), 0);
        // 979 packets take 325 us at least; one sample every 3 us.
        assert!(samples.len() > 105, "{}", samples.len());
        for sample in &samples {
            assert_eq!(sample.window, Some(window * 4_150));
            assert_eq!((sample.rate, sample.alpha, sample.credits), (None, None, None));
        }
        for sample in &samples[2..100] {
            assert!(
                in_flight.contains(&(sample.in_flight / 4_150)),
                "{share}: {}",
                sample.in_flight
            );
            let rtt = sample.rtt.unwrap().as_us();
            // Time stamps count 1.024 ns.
            assert!((rtt - 5.348_48).abs() < 0.002, "{rtt}");
        }
        assert_eq!(samples[0].rtt, None, "nothing is heard before 5 us");
        assert!(samples.windows(2).all(|two| two[1].at - two[0].at == Time::from_us(3)));
    }
}

/// Between cuts a window of DCTCP grows by one packet per round trip (RFC 8257).
#[test]
fn dctcp_adds_a_packet_per_round_trip() {
    let fabric = leaf_spine(3, 1, 1, "100Gbps", "500ns");
    let mut case = Case::new(fabric, flows([(0, 2, 20_000_000), (1, 2, 20_000_000)]));
    case = case.with(r#"{"ecmp": {}}"#, r#"{"dctcp": {}}"#);
    case.switch = parsed(r#"{"buffer": "100MB", "ecn": {"kmin": "250KB", "kmax": "250KB"}}"#);
    let outcome = case.run().unwrap();
    let samples = of_flow(&outcome, 0);
    let window = |sample: &SenderSample| sample.window.unwrap() as f64;
    let trips = |rise: &[SenderSample]| -> f64 {
        let rtts = rise.iter().filter_map(|sample| sample.rtt);
        rtts.map(|rtt| 3.0 / rtt.as_us()).sum()
    };
    let mut longest: f64 = 0.0;
    let rises: Vec<_> = samples.chunk_by(|a, b| window(b) >= window(a)).collect();
    // The last one ends with the flow.
    for rise in &rises[..rises.len() - 1] {
        // For two round trips after a cut marks of before are still heard, which hold the window where it is.
        let from = (1..rise.len()).find(|&n| trips(&rise[..n]) > 2.0).unwrap();
        let grown = (window(&rise[rise.len() - 1]) - window(&rise[from])) / FULL;
        let trips = trips(&rise[from + 1..]);
        // Acknowledged in a round trip are the whole packets of the window before it: one and a half less of W at most.
        // They come in bursts, once a round trip, as those of the other flow do. The first mark comes somewhere in the last
        // two samples.
        let least = trips.floor() * (1.0 - 1.5 * FULL / window(&rise[from])) - 6.0 / 25.0;
        assert!(
            grown > least && grown < trips + 3.0 / 25.0,
            "{grown} in {trips} round trips"
        );
        longest = longest.max(trips);
    }
    assert!(rises.len() > 15 && longest > 18.0, "{} {longest}", rises.len());
}

/// Credits of `eqds` are known, and nothing that it has not; rates of `dcqcn` begin at the line rate.
#[test]
fn a_transport_shows_what_it_has() {
    let seen = |transport: &str| {
        let case = Case::new(
            leaf_spine(2, 2, 2, "100Gbps", "500ns"),
            flows([(0, 2, 2_000_000), (1, 2, 2_000_000)]),
        );
        let outcome = case.with(r#"{"spray": {}}"#, transport).run().unwrap();
        let first = outcome.senders[0];
        [
            first.window.is_some(),
            first.rate.is_some(),
            first.alpha.is_some(),
            first.credits.is_some(),
        ]
    };
    assert_eq!(seen(r#"{"dctcp": {}}"#), [true, false, true, false]);
    assert_eq!(seen(r#"{"dctcp": {"control": "rate"}}"#), [false, true, true, false]);
    assert_eq!(seen(r#"{"dcqcn": {}}"#), [false, true, true, false]);
    assert_eq!(seen(r#"{"swift": {}}"#), [true, false, false, false]);
    assert_eq!(seen(r#"{"nscc": {}}"#), [true, false, false, false]);
    assert!(seen(r#"{"eqds": {}}"#)[3]);
    assert_eq!(seen(r#"{"udp": {}}"#), [false; 4]);
}

/// Looking changes nothing, whatever the interval, and links and senders are sampled each at its own.
#[test]
fn looking_changes_nothing() {
    let case = Case::new(
        leaf_spine(2, 2, 2, "100Gbps", "500ns"),
        flows([(0, 2, 500_000), (1, 2, 500_000)]),
    );
    let case = case.with(r#"{"spray": {}}"#, r#"{"dctcp": {}}"#);
    let run = |series: Option<u64>, senders: Option<u64>| {
        case.setup(|setup| {
            let mut setup = setup.clone();
            setup.observe.series = series.map(Time);
            setup.observe.senders = senders.map(Time);
            simulate(&setup).unwrap()
        })
    };
    let (blind, both) = (run(None, None), run(Some(7_000_000), Some(1_300_000)));
    assert!(blind.series.is_none() && blind.senders.is_empty());
    assert_eq!(
        (blind.cct, &blind.flows, &blind.links),
        (both.cct, &both.flows, &both.links)
    );
    assert_eq!(run(Some(7_000_000), None).series, both.series);
    assert_eq!(run(None, Some(1_300_000)).senders, both.senders);
    assert!(both.senders.iter().all(|sample| sample.at.0 % 1_300_000 == 0));
}

/// A run that can not finish ends, with both kinds of samples pending.
#[test]
fn samples_alone_do_not_keep_a_run_going() {
    let mut case = Case::new(leaf_spine(2, 1, 2, "100Gbps", "500ns"), flows([(0, 2, 10_000_000)]));
    case = case.with(r#"{"ecmp": {}}"#, r#"{"udp": {}}"#);
    let up = case.fabric.links_by_name()["leaf0-spine0"].to_vec();
    let change = |&link| LinkEvent {
        at: Time::from_us(100),
        change: LinkChange { link, rate: Rate::ZERO },
    };
    case.link_events = up.iter().map(change).collect();
    let stuck = case.run().unwrap_err();
    assert_eq!(stuck.unfinished.len(), 1);
}

#[test]
fn too_many_samples_are_refused() {
    let message = |interval: u64, active: Option<u32>| {
        let transfers = (0..4).flat_map(|src| (4..8).map(move |dst| (src, dst, 1_000_000_000)));
        let mut case = Case::new(leaf_spine(2, 4, 4, "100Gbps", "500ns"), flows(transfers));
        case.packet.active_queue_pairs = active;
        case.unchecked(|setup| {
            let mut setup = setup.clone();
            setup.observe.series = None;
            setup.observe.senders = Some(Time(interval));
            setup.check().map_err(|error| error.to_string())
        })
    };
    // Sixteen senders share four links for 320 ms: 5.12 s at work in all.
    insta::assert_snapshot!(message(100_000, None).unwrap_err(), @"there would be about 51200000 samples (at most 50000000 can be kept: sample every 200ns or less often)");
    assert_eq!(message(103_000, None), Ok(()));
    // One of four at a time: a quarter of that.
    assert_eq!(message(26_000, Some(1)), Ok(()));
    assert!(message(25_000, Some(1)).is_err());
    assert!(message(0, None).unwrap_err().contains("interval is zero"));
}

/// One flow of 20 MB over four spines, the one of them that it uses first dies 100 us on, long before routing hears of
/// it: when packets were lost at the dead link, in us after its end, and how long the run took.
fn losses_after_a_failure(scheme: &str) -> (Vec<f64>, f64) {
    let fabric = leaf_spine(2, 4, 1, "100Gbps", "500ns");
    let mut case = Case::new(fabric, flows([(0, 1, 20_000_000)])).with(scheme, r#"{"dctcp": {}}"#);
    case.packet.rto = Some(Time::from_us(100));
    let healthy = case.run().unwrap();
    let used = |id: &LinkId| case.fabric.is_fabric_link(*id) && healthy.links[id.index()].bytes > 0.0;
    let up = case.fabric.link_ids().find(used).unwrap();
    let cable = [up, case.fabric.link(up).reverse];
    let change = |&link: &LinkId| LinkEvent {
        at: Time::from_us(100),
        change: LinkChange { link, rate: Rate::ZERO },
    };
    case.link_events = cable.iter().map(change).collect();
    case.setup(|setup| {
        let mut engine = Engine::<Wheel>::new(setup);
        let (mut losses, mut before) = (Vec::new(), 0);
        engine.begin();
        while engine.flows.unfinished > 0 && engine.step().is_some() {
            let drops = engine.net.links.counts[up].drops;
            losses.extend((before..drops).map(|_| engine.net.events.now as f64 / 1e6 - 100.0));
            before = drops;
        }
        assert_eq!(engine.flows.unfinished, 0);
        (losses, engine.net.events.now as f64 / 1e6)
    })
}

/// The timer of 100 us runs out once for what the dead link took, and what is in flight then is the last that it takes.
/// `reps` loses packets that were on it, and those of the entries of its ring that named it; `plb` one window, as
/// it draws another path at the timeout. Whoever sprays at random loses to the end.
#[test]
fn reps_and_plb_leave_a_dead_path() {
    let (losses, end) = losses_after_a_failure(r#"{"reps": {}}"#);
    let last = losses[losses.len() - 1];
    assert!(losses.len() <= 17 + 8 && last < 100.0 + 3.0 * 5.35, "{losses:?}");
    assert!(end < 1_640.0 + 100.0, "{end}");
    let (losses, end) = losses_after_a_failure(r#"{"plb": {}}"#);
    assert!(
        (17..=20).contains(&losses.len()) && losses[losses.len() - 1] < 5.5,
        "{losses:?}"
    );
    assert!(end > 1_630.0 && end < 2_100.0, "{end}");
    let (losses, end) = losses_after_a_failure(r#"{"spray": {}}"#);
    assert!(
        losses.len() > 200 && losses[losses.len() - 1] > 0.9 * end - 100.0,
        "{end}"
    );
}
