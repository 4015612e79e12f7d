use proptest::prelude::*;

use super::*;
use crate::packet_engine::packet::{Event, Kind, Packet};
use crate::rng::mix;

fn event(time: u64, key: u32) -> Event {
    let packet = Packet::alarm(Kind::Task, key);
    Event { time, key, packet }
}

/// Pushes an event into both queues, every third one as a timer.
fn push(wheel: &mut Wheel, heap: &mut Heap, time: u64, key: u32) {
    match key % 3 {
        0 => wheel.push_timer(event(time, key)),
        _ => wheel.push(event(time, key)),
    }
    heap.push(event(time, key));
}

/// Pops everything while pushing more, in both queues, and compares.
fn same_order(pushes: &[(u64, u32)], more: impl Fn(u64, u32) -> Option<(u64, u32)>) {
    let (mut wheel, mut heap) = (Wheel::default(), Heap::default());
    for &(time, key) in pushes {
        push(&mut wheel, &mut heap, time, key);
    }
    let mut last = (0, 0);
    loop {
        assert_eq!(wheel.is_empty(), heap.is_empty());
        let (a, b) = (wheel.pop(), heap.pop());
        assert_eq!(a, b);
        let Some(popped) = a else { break };
        assert!((popped.time, popped.key) >= last, "time goes back");
        last = (popped.time, popped.key);
        if let Some((time, key)) = more(popped.time, popped.key) {
            push(&mut wheel, &mut heap, time, key);
        }
    }
}

#[test]
fn the_hold_model_of_network_delays_is_in_order() {
    let deltas = [
        0,
        1,
        83_000,
        500_000,
        505_000,
        833_000,
        40_000_000,
        1_000_000_000,
        5_000_000_000_000,
    ];
    let first: Vec<_> = (0..3_000).map(|key| (mix(u64::from(key)) % 833_000, key)).collect();
    same_order(&first, |time, key| {
        // Every key moves on until its own last time; deltas from equal times to seconds.
        let draw = mix(time ^ u64::from(key) << 40);
        let delta = deltas[(draw % 7) as usize + usize::from(draw.is_multiple_of(1_000)) * 2];
        (time < 50_000_000).then_some((time + delta.max(1), key))
    });
}

/// Where buckets hold little they widen, and what is pending may fall into the one that has just been read.
#[test]
fn few_events_survive_wider_buckets() {
    for step in [1_000, 5_000, 70_000, 3_000_000] {
        let last = step * 10_000;
        same_order(&[(0, 0), (step / 3, 1)], |time, key| {
            (time < last).then_some((time + step, key))
        });
    }
}

/// Narrower buckets hold less of what is spread over time, but no less of what happens at one moment.
#[test]
fn only_what_is_spread_narrows_buckets() {
    let width_after = |apart: u64| {
        let mut wheel = Wheel::default();
        for moment in 1..=1_200 {
            (0..300).for_each(|key| wheel.push(event((moment << 12) + u64::from(key) * apart, key)));
        }
        while wheel.pop().is_some() {}
        wheel.width()
    };
    assert_eq!(width_after(0), 1 << 12);
    assert!(width_after(13) < 1 << 12);
}

/// What is kept about coming events holds for one turn: no other events may come under the same number.
#[test]
fn wider_buckets_begin_another_turn() {
    let mut wheel = Wheel::default();
    // One event in each of the first buckets; then they widen, and the next one holding an event has the number of the last.
    let width = 1 << 12;
    (1..=512).for_each(|bucket| wheel.push(event(bucket * width, 0)));
    wheel.push(event(512 * 2 * width, 0));
    (0..512).for_each(|_| _ = wheel.pop());
    let before = wheel.turn();
    let last = *wheel.pop().unwrap();
    assert_eq!(wheel.coming()[wheel.position()], last);
    assert_ne!(wheel.turn(), before);
}

/// Nothing but timers, short and long: no bucket holds anything.
#[test]
fn timers_alone_are_in_order() {
    for step in [1_000, 83_000, 9_000_000, 700_000_000, 60_000_000_000] {
        let last = step * 5_000;
        same_order(&[(0, 0), (0, 3), (5, 6), (step / 3, 9)], |time, key| {
            let delta = step + u64::from(key) * (time & 1);
            (time < last).then_some((time + delta, key))
        });
    }
}

/// Many hosts in lockstep: buckets of thousands of events, at one time or spread over what no width may split, that
/// become current in windows while others join them.
#[test]
fn large_buckets_are_in_order() {
    let many: Vec<_> = (0..20_000).rev().map(|key| (7_000, key)).collect();
    same_order(&many, |_, _| None);
    for apart in [0, 1, 333] {
        let lockstep: Vec<_> = (0..9_000).map(|key| (mix(key.into()) % (apart + 1), key)).collect();
        same_order(&lockstep, |time, key| {
            // Some come back at once, in the bucket that is being read, before or after the rest of it.
            let at_once = mix(time ^ u64::from(key) << 32).is_multiple_of(4);
            let next = if at_once {
                time + 1
            } else {
                time - time % 83_000 + 83_000 + u64::from(key) % (apart + 1)
            };
            (time < 900_000).then_some((next, key))
        });
    }
}

/// Rare and crowded moments: the widest buckets, whose events are more than a sort word can number.
#[test]
fn more_events_than_a_sort_word_can_number_are_in_order() {
    let rare: Vec<_> = (0..6_000).map(|moment| (moment * 40_000_000, 0)).collect();
    let end = 6_000 * 40_000_000;
    let crowd = (0_u32..10_000).map(|key| (end + mix(key.into()) % 900_000, key + 1));
    let all: Vec<_> = rare.into_iter().chain(crowd).collect();
    same_order(&all, |time, key| {
        (time == end - 40_000_000).then_some((end + 450_000, key + 20_000))
    });
}

#[test]
fn extracting_from_a_large_bucket_keeps_the_rest_in_order() {
    let (mut wheel, mut heap) = (Wheel::default(), Heap::default());
    (0..7_000).for_each(|key| push(&mut wheel, &mut heap, 5_000 + mix(key.into()) % 3, key));
    (0..1_500).for_each(|_| assert_eq!(wheel.pop(), heap.pop()));
    let third = |event: &Event| event.key.is_multiple_of(3);
    assert_eq!(wheel.extract(third), heap.extract(third));
    while let Some(event) = heap.pop() {
        assert_eq!(wheel.pop(), Some(event));
    }
    assert!(wheel.is_empty());
}

/// What is kept about coming events holds for one window.
#[test]
fn every_window_is_another_turn() {
    let mut wheel = Wheel::default();
    (0..5_000).for_each(|key| wheel.push(event(5_000, key)));
    let mut turns = std::collections::BTreeMap::new();
    while let Some(&popped) = wheel.pop() {
        assert_eq!(wheel.coming()[wheel.position()], popped);
        *turns.entry(wheel.turn()).or_insert(0) += 1;
    }
    let sizes: Vec<_> = turns.into_values().collect();
    assert_eq!(sizes, [1_024, 1_024, 1_024, 1_024, 904]);
}

#[test]
fn extracting_keeps_the_rest_in_order() {
    let (mut wheel, mut heap) = (Wheel::default(), Heap::default());
    for key in 0..5_000 {
        push(&mut wheel, &mut heap, mix(u64::from(key)) % 3_000_000_000, key);
    }
    for _ in 0..1_000 {
        assert_eq!(wheel.pop(), heap.pop());
    }
    let third = |event: &Event| event.key.is_multiple_of(3);
    assert_eq!(wheel.extract(third), heap.extract(third));
    while let Some(event) = heap.pop() {
        assert_eq!(wheel.pop(), Some(event));
    }
    assert_eq!(wheel.pop(), None);
    assert!(wheel.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn wheel_and_heap_agree(
        pushes in proptest::collection::vec((0_u64..1 << 34, 0_u32..1 << 31), 1..400),
        scale in 0_u32..34,
        hold in 0_u64..2_000,
    ) {
        let mut first: Vec<_> = pushes.iter().map(|&(time, key)| (time >> scale, key)).collect();
        first.sort_unstable();
        first.dedup();
        let end = hold << (34 - scale) >> 4;
        same_order(&first, |time, key| {
            let delta = mix(time ^ u64::from(key)) >> (30 + scale);
            (time < end).then_some((time + delta + 1, key))
        });
    }
}
