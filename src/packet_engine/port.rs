//! Ports with classes: the two-event mode, for priorities, trimmed headers that overtake, and pauses.
//!
//! Here a queue is a list. A port says when it has sent a packet (the second event of a hop) while others wait,
//! and then takes the next: by weighted round robin, ten control packets for one of data (NDP, SIGCOMM 2017, section 3.1),
//! so that data waits little for control and never for ever; data only while it is not paused. Ports whose
//! packets all wait in one class behave to the picosecond like those that know departures in advance.

use std::collections::VecDeque;

use super::flow_control::Charge;
use super::packet::{PRIORITY, Packet};

/// Classes: control in the first, data (or everything, without priorities) in the second.
pub(super) const CONTROL: usize = 0;
pub(super) const DATA: usize = 1;

/// Control packets that a port sends in a row while data waits.
const CONTROL_PER_DATA: u8 = 10;

/// A packet in a port, with what its buffer space is charged to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub packet: Packet,
    pub charge: Charge,
}

/// What a port remembers of the packet that it is sending.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sending {
    pub charge: Charge,
    pub size: u16,
    pub data: bool,
}

/// The queues of one port.
#[derive(Debug, Clone, Default)]
pub(super) struct Port {
    pub classes: [VecDeque<Held>; 2],
    /// Time on the wire of what waits in each class, in ps.
    pub waiting: [u64; 2],
    /// What is on the wire until the link's `busy_until`.
    pub sending: Option<Sending>,
    /// An alarm for the end of sending is pending.
    pub pending: bool,
    /// Data is paused by flow control.
    pub paused: bool,
    /// Control packets sent since data last had its turn, while some waited.
    control_run: u8,
}

impl Port {
    /// The class that sends next; none where nothing may be sent.
    pub(super) fn next_class(&mut self) -> Option<usize> {
        let data_waits = !self.paused && !self.classes[DATA].is_empty();
        if self.classes[CONTROL].is_empty() || (data_waits && self.control_run == CONTROL_PER_DATA) {
            self.control_run = 0;
            return data_waits.then_some(DATA);
        }
        self.control_run += u8::from(data_waits);
        Some(CONTROL)
    }

    /// What holds data packets back: flow control, and what those that wait are charged to.
    pub(super) fn held_back(&self) -> Option<impl Iterator<Item = (Charge, u64)>> {
        let data = self.classes[DATA].iter();
        self.paused
            .then(|| data.map(|held| (held.charge, u64::from(held.packet.size))))
    }

    /// Time on the wire of all that waits, in ps.
    pub(super) fn waits(&self) -> u64 {
        self.waiting[CONTROL].saturating_add(self.waiting[DATA])
    }

    /// Packets that wait.
    #[cfg(test)]
    pub(super) fn held(&self) -> impl Iterator<Item = &Packet> {
        self.classes.iter().flatten().map(|held| &held.packet)
    }
}

pub(super) fn class_of(packet: &Packet) -> usize {
    if packet.has(PRIORITY) { CONTROL } else { DATA }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet_engine::packet::Kind;

    /// The classes in which a port sends what it holds.
    fn order(port: &mut Port, control: usize, data: usize) -> String {
        let held = |kind| Held {
            packet: Packet::alarm(kind, 0),
            charge: Charge::Nothing,
        };
        port.classes[CONTROL].extend(vec![held(Kind::Ack); control]);
        port.classes[DATA].extend(vec![held(Kind::Data); data]);
        let mut order = String::new();
        while let Some(class) = port.next_class() {
            port.classes[class].pop_front();
            order.push(if class == CONTROL { 'c' } else { 'd' });
        }
        order
    }

    /// Ten control packets for one of data while both wait, each at once while the other does not.
    #[test]
    fn control_and_data_take_turns_by_weight() {
        assert_eq!(order(&mut Port::default(), 3, 2), "cccdd");
        assert_eq!(order(&mut Port::default(), 22, 3), "ccccccccccdccccccccccdccd");
        assert_eq!(order(&mut Port::default(), 12, 1), "ccccccccccdcc");
    }

    /// Data that is paused neither takes turns nor counts as waiting.
    #[test]
    fn paused_data_has_no_turns() {
        let mut port = Port {
            paused: true,
            ..Port::default()
        };
        assert_eq!(order(&mut port, 12, 2), "cccccccccccc");
        port.paused = false;
        assert_eq!(order(&mut port, 12, 0), "ccccccccccdccd");
    }
}
