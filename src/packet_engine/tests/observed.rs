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
/// two more wait. The window never moves, and is full once the first packets are out.
#[test]
fn the_window_of_ideal_is_constant_and_full() {
    let case = Case::new(leaf_spine(2, 1, 1, "100Gbps", "500ns"), flows([(0, 1, 4_000_000)]));
    let outcome = case.run().unwrap();
    let samples = of_flow(&outcome, 0);
    // 979 packets take 325 us; one sample every 3 us.
    assert!(samples.len() > 105, "{}", samples.len());
    for sample in &samples {
        assert_eq!(
            (sample.window, sample.rate, sample.alpha, sample.credits),
            (Some(19 * 4_150), None, None, None)
        );
    }
    // An unloaded round trip of 5.35 us, and what the two packets more wait: 19 x 332 ns.
    for sample in &samples[4..100] {
        assert_eq!(sample.in_flight, 19 * 4_150);
        let rtt = sample.rtt.unwrap().as_us();
        assert!((rtt - 19.0 * 0.332).abs() < 0.002, "{rtt}");
    }
    assert_eq!(samples[0].rtt, None, "nothing is heard before 5 us");
    assert!(samples.windows(2).all(|two| two[1].at - two[0].at == Time::from_us(3)));
}

/// Between cuts a window of DCTCP grows by one packet per round trip (RFC 8257).
#[test]
fn dctcp_adds_a_packet_per_round_trip() {
    let fabric = leaf_spine(3, 1, 1, "100Gbps", "500ns");
    let mut case = Case::new(fabric, flows([(0, 2, 20_000_000), (1, 2, 20_000_000)]));
    case = case.with(r#"{"ecmp": {}}"#, r#"{"dctcp": {}}"#);
    let outcome = case.run().unwrap();
    let samples = of_flow(&outcome, 0);
    let (mut stretches, mut from) = (0, 0);
    let window = |n: usize| samples[n].window.unwrap() as f64;
    // The first millisecond is the way to the steady state.
    let steady = samples
        .iter()
        .position(|sample| sample.at > Time::from_us(1_000))
        .unwrap();
    let last = samples.iter().rposition(|sample| sample.in_flight > 0).unwrap();
    for n in steady..last {
        if window(n + 1) >= window(n) {
            continue;
        }
        // A stretch of at least ten round trips between two cuts: increases per round trip, one after the other.
        let stretch = &samples[from.max(steady) + 1..=n];
        let trips: f64 = stretch.windows(2).map(|two| 3.0 / two[1].rtt.unwrap().as_us()).sum();
        if from >= steady && trips > 10.0 {
            let grown = window(n) - window(from.max(steady) + 1);
            assert!(
                (grown / FULL / trips - 1.0).abs() < 0.1,
                "{grown} in {trips} round trips"
            );
            stretches += 1;
        }
        from = n + 1;
    }
    assert!(stretches >= 3, "{stretches}");
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
    assert_eq!(seen(r#"{"eqds": {}}"#)[3], true);
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
    insta::assert_snapshot!(message(100_000, None).unwrap_err(), @"output.senders: there would be about 51200000 samples (at most 50000000 can be kept: sample every 200ns or less often)");
    assert_eq!(message(103_000, None), Ok(()));
    // One of four at a time: a quarter of that.
    assert_eq!(message(26_000, Some(1)), Ok(()));
    assert!(message(25_000, Some(1)).is_err());
    assert!(message(0, None).unwrap_err().contains("interval is zero"));
}

/// One flow over four spines of which one dies 100 us on, before routing hears of it: when packets were lost at
/// the dead link, in us after its end, and the run's outcome.
fn losses_after_a_failure(scheme: &str) -> (Vec<f64>, f64) {
    let fabric = leaf_spine(2, 4, 1, "100Gbps", "500ns");
    let mut case = Case::new(fabric, flows([(0, 1, 20_000_000)])).with(scheme, r#"{"dctcp": {}}"#);
    case.packet.rto = Some(Time::from_us(100));
    let cable = case.fabric.links_by_name()["leaf0-spine0"].to_vec();
    let change = |&link: &LinkId| LinkEvent {
        at: Time::from_us(100),
        change: LinkChange { link, rate: Rate::ZERO },
    };
    case.link_events = cable.iter().map(change).collect();
    case.setup(|setup| {
        let mut engine = Engine::<Wheel>::new(setup);
        let (mut losses, mut before) = (Vec::new(), 0);
        engine.begin();
        while engine.unfinished > 0 && engine.step().is_some() {
            let drops = cable
                .iter()
                .map(|id| engine.links.counts[id.index()].drops)
                .sum::<u64>();
            for _ in before..drops {
                losses.push(engine.now as f64 / 1e6 - 100.0);
            }
            before = drops;
        }
        assert_eq!(engine.unfinished, 0);
        (losses, engine.now as f64 / 1e6)
    })
}

#[test]
fn reps_and_plb_leave_a_dead_path() {
    for scheme in [r#"{"reps": {}}"#, r#"{"plb": {}}"#, r#"{"spray": {}}"#] {
        let (losses, end) = losses_after_a_failure(scheme);
        eprintln!("{scheme} {} {:?} end {end}", losses.len(), losses);
    }
}
