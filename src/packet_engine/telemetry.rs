//! What switches write into data packets on their way, for transports that ask for it.
//!
//! Packets stay small: the readings of those under way are kept here, by queue pair and number. A queue that is first in, first
//! out knows when a packet will leave as soon as it is accepted, and what it will have sent by then.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::links::Links;
use super::packet::Packet;
use super::transport::HopReading;
use crate::ids::LinkId;

/// The readings of all data packets under way.
#[derive(Debug, Default)]
pub(super) struct Telemetry {
    readings: HashMap<u64, SmallVec<[HopReading; 4]>>,
}

fn key(packet: &Packet) -> u64 {
    u64::from(packet.qp.0) << 32 | u64::from(packet.seq)
}

impl Telemetry {
    /// A data packet is about to be put in the queue of a link; `first` where its host sends it.
    pub(super) fn note(&mut self, packet: &Packet, link: LinkId, first: bool, links: &Links, now: u64) {
        let readings = self.readings.entry(key(packet)).or_default();
        if first {
            readings.clear();
        }
        let queue = links.queue(link, now);
        let size = u64::from(packet.size);
        readings.push(HopReading {
            link,
            queue,
            sent: links.bytes(link).0 + size,
            at: now.saturating_add(links.on_wire(link, queue + size)),
            rate: links.rate(link).bytes_per_ps(),
        });
    }

    /// The readings that an acknowledgement brings back.
    pub(super) fn take(&mut self, ack: &Packet) -> Option<SmallVec<[HopReading; 4]>> {
        self.readings.remove(&key(ack))
    }
}
