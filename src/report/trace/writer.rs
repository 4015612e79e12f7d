//! Tracks, slices and counters, written one packet after the other.

use std::io::{self, Write};

use prost::Message;

use super::messages::{
    CounterDescriptor, DebugAnnotation, EventType, ProcessDescriptor, TracePacket, TrackDescriptor, TrackEvent,
};

/// A track that was described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Track(u64);

/// Something that lasts.
#[derive(Debug, Clone, Default)]
pub(super) struct Slice {
    pub name: String,
    pub category: &'static str,
    /// In microseconds.
    pub start: f64,
    pub end: f64,
    /// What is told about it.
    pub told: Vec<(&'static str, Told)>,
    /// Arrows that leave here, and those that end here.
    pub leaving: Vec<u64>,
    pub arriving: Vec<u64>,
}

#[derive(Debug, Clone)]
pub(super) enum Told {
    Number(f64),
    Text(String),
}

pub(super) struct Writer<W> {
    out: W,
    tracks: u64,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, tracks: 0 }
    }

    /// A host, or something else that has tracks.
    pub(super) fn process(&mut self, name: &str) -> io::Result<Track> {
        let pid = self.tracks as i32 + 1;
        self.describe(TrackDescriptor {
            process: Some(ProcessDescriptor {
                pid: Some(pid),
                process_name: Some(name.to_owned()),
            }),
            ..TrackDescriptor::default()
        })
    }

    pub(super) fn track(&mut self, parent: Track, name: &str) -> io::Result<Track> {
        self.describe(TrackDescriptor {
            name: Some(name.to_owned()),
            parent_uuid: Some(parent.0),
            ..TrackDescriptor::default()
        })
    }

    pub(super) fn counter(&mut self, parent: Track, name: &str, unit: &str) -> io::Result<Track> {
        self.describe(TrackDescriptor {
            name: Some(name.to_owned()),
            parent_uuid: Some(parent.0),
            counter: Some(CounterDescriptor {
                unit_name: Some(unit.to_owned()),
            }),
            ..TrackDescriptor::default()
        })
    }

    fn describe(&mut self, descriptor: TrackDescriptor) -> io::Result<Track> {
        self.tracks += 1;
        let track = Track(self.tracks);
        self.packet(TracePacket {
            track_descriptor: Some(TrackDescriptor {
                uuid: Some(track.0),
                ..descriptor
            }),
            ..TracePacket::default()
        })?;
        Ok(track)
    }

    pub(super) fn slice(&mut self, track: Track, slice: Slice) -> io::Result<()> {
        let annotation = |(name, told): (&str, Told)| {
            let (double_value, string_value) = match told {
                Told::Number(number) => (Some(number), None),
                Told::Text(text) => (None, Some(text)),
            };
            DebugAnnotation {
                name: Some(name.to_owned()),
                double_value,
                string_value,
            }
        };
        let begin = TrackEvent {
            name: Some(slice.name),
            categories: vec![slice.category.to_owned()],
            debug_annotations: slice.told.into_iter().map(annotation).collect(),
            flow_ids: slice.leaving,
            terminating_flow_ids: slice.arriving,
            ..TrackEvent::default()
        };
        self.event(track, slice.start, EventType::SliceBegin, begin)?;
        self.event(track, slice.end, EventType::SliceEnd, TrackEvent::default())
    }

    pub(super) fn count(&mut self, track: Track, at: f64, value: f64) -> io::Result<()> {
        let event = TrackEvent {
            double_counter_value: Some(value),
            ..TrackEvent::default()
        };
        self.event(track, at, EventType::Counter, event)
    }

    fn event(&mut self, track: Track, at_us: f64, kind: EventType, event: TrackEvent) -> io::Result<()> {
        self.packet(TracePacket {
            timestamp: Some((at_us * 1e3).round() as u64),
            track_event: Some(TrackEvent {
                r#type: Some(kind.into()),
                track_uuid: Some(track.0),
                ..event
            }),
            ..TracePacket::default()
        })
    }

    /// A packet as a field of the whole, so that nothing needs to be kept.
    fn packet(&mut self, packet: TracePacket) -> io::Result<()> {
        const FIELD: u8 = 1 << 3 | 2;
        let packet = TracePacket {
            trusted_packet_sequence_id: Some(1),
            ..packet
        };
        self.out.write_all(&[FIELD])?;
        self.out.write_all(&packet.encode_length_delimited_to_vec())
    }
}
