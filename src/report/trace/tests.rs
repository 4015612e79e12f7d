//! A decoder of the wire format that shares no code with the encoder, and what it finds in a trace.

use super::*;
use crate::results::Number;

/// The fields of a message: number, and bytes or a number.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => Field::Number(u64::from_le_bytes(take(&mut bytes, 8).try_into().unwrap())),
            2 => {
                let length = varint(&mut bytes) as usize;
                Field::Bytes(take(&mut bytes, length))
            }
            kind => panic!("no such kind of field: {kind}"),
        };
        found.push((key >> 3, field));
    }
    found
}

#[derive(Clone, Copy)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (head, rest) = bytes.split_at(count);
    *bytes = rest;
    head
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = take(bytes, 1)[0];
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return value;
        }
        shift += 7;
    }
}

fn number(message: &[u8], field: u64) -> Option<u64> {
    fields(message).into_iter().find_map(|(key, value)| match value {
        Field::Number(number) if key == field => Some(number),
        _ => None,
    })
}

fn bytes(message: &[u8], field: u64) -> Option<&[u8]> {
    fields(message).into_iter().find_map(|(key, value)| match value {
        Field::Bytes(bytes) if key == field => Some(bytes),
        _ => None,
    })
}

fn text(message: &[u8], field: u64) -> String {
    bytes(message, field).map_or(String::new(), |bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

/// What a trace says, in lines: tracks under their parents, slices and counters with their tracks' names.
fn told(trace: &[u8]) -> Vec<String> {
    let mut names: HashMap<u64, String> = HashMap::new();
    let mut lines = Vec::new();
    for (field, packet) in fields(trace) {
        let Field::Bytes(packet) = packet else { panic!() };
        assert_eq!((field, number(packet, 10)), (1, Some(1)));
        if let Some(track) = bytes(packet, 60) {
            let own = bytes(track, 3).map_or_else(|| text(track, 2), |process| text(process, 6));
            let parent = number(track, 5).map_or(String::new(), |parent| format!("{} / ", names[&parent]));
            names.insert(number(track, 1).unwrap(), format!("{parent}{own}"));
        }
        if let Some(event) = bytes(packet, 11) {
            let track = &names[&number(event, 11).unwrap()];
            let at = number(packet, 8).unwrap();
            let what = match number(event, 9) {
                Some(1) => format!("begin {}", text(event, 23)),
                Some(2) => "end".into(),
                Some(4) => format!("= {}", f64::from_bits(number(event, 44).unwrap())),
                kind => panic!("{kind:?}"),
            };
            let arrows = [(47, "leaves"), (48, "arrives")];
            let arrows =
                arrows.map(|(field, what)| number(event, field).map_or(String::new(), |id| format!(" {what} {id}")));
            lines.push(format!("{at} {track}: {what}{}", arrows.concat()));
        }
    }
    lines
}

#[test]
fn a_decoder_finds_operations_flows_arrows_and_counters() {
    let us = |value| Some(Number::new(value));
    let flow = |flow, src, dst, start, fct| FlowRow {
        flow,
        src,
        dst,
        bytes: 100,
        start_us: us(start),
        fct_us: us(fct),
        ..FlowRow::default()
    };
    let sample = |at, queue_bytes, sent_bytes| SeriesRow {
        at_us: Number::new(at),
        link: "a->b".into(),
        queue_bytes,
        sent_bytes,
        ..SeriesRow::default()
    };
    let timed = Timed {
        flows: vec![
            flow(0, 0, 1, 0.5, 1.0),
            flow(1, 0, 2, 1.0, 2.0),
            flow(2, 1, 0, 1.5, 1.0),
        ],
        paths: vec![PathRow {
            flow: 2,
            after: Some(0),
            ..PathRow::default()
        }],
        timeline: vec![TimelineRow {
            host: 1,
            op: "forward".into(),
            purpose: "compute".into(),
            start_us: Number::new(0.0),
            end_us: Number::new(1.5),
            ..TimelineRow::default()
        }],
        series: vec![sample(1.0, 7, 125), sample(4.0, 0, 250)],
        links: vec![LinkRow {
            link: "a->b".into(),
            rate_gbps: Number::new(2.0),
            ..LinkRow::default()
        }],
        ..Timed::default()
    };
    let mut out = Vec::new();
    timed.write(&mut Writer::new(&mut out)).unwrap();
    insta::assert_snapshot!(told(&out).join("\n"), @"");
}
