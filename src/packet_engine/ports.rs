//! Ports with classes: the two-event mode, for priorities, trimmed headers that overtake, and pauses.
//!
//! Here a queue is a list. A port says when it has sent a packet (the second event of a hop) while others wait,
//! and then takes the next: by weighted round robin, ten control packets for one of data (NDP, SIGCOMM 2017, section 3.1),
//! so that data waits little for control and never for ever; data only while it is not paused. Ports whose
//! packets all wait in one class behave to the picosecond like those that know departures in advance.

use std::collections::VecDeque;

use super::engine::Engine;
use super::flow_control::Charge;
use super::links::{Refused, TOO_LONG};
use super::packet::{CUT_EARLY, Event, Keys, Kind, PRIORITY, Packet, TRIMMED};
use super::queue::EventQueue;
use super::queue_pairs::NONE;

/// Classes: control in the first, data (or everything, without priorities) in the second.
const CONTROL: usize = 0;
const DATA: usize = 1;

/// Control packets that a port sends in a row while data waits.
const CONTROL_PER_DATA: u8 = 10;

/// A packet in a port, with what its buffer space is charged to.
#[derive(Debug, Clone, Copy)]
struct Held {
    packet: Packet,
    charge: Charge,
}

/// What a port remembers of the packet that it is sending.
#[derive(Debug, Clone, Copy)]
struct Sending {
    charge: Charge,
    size: u16,
    data: bool,
}

/// The queues of one port.
#[derive(Debug, Clone, Default)]
pub(super) struct Port {
    classes: [VecDeque<Held>; 2],
    /// Time on the wire of what waits in each class, in ps.
    waiting: [u64; 2],
    /// What is on the wire until the link's `busy_until`.
    sending: Option<Sending>,
    /// An alarm for the end of sending is pending.
    pending: bool,
    /// Data is paused by flow control.
    paused: bool,
    /// Control packets sent since data last had its turn, while some waited.
    control_run: u8,
}

impl Port {
    /// The class that sends next; none where nothing may be sent.
    fn next_class(&mut self) -> Option<usize> {
        let data_waits = !self.paused && !self.classes[DATA].is_empty();
        if self.classes[CONTROL].is_empty() || (data_waits && self.control_run == CONTROL_PER_DATA) {
            self.control_run = 0;
            return data_waits.then_some(DATA);
        }
        self.control_run += u8::from(data_waits);
        Some(CONTROL)
    }

    /// What holds data packets back: flow control, and what those that wait are charged to.
    pub fn held_back(&self) -> Option<impl Iterator<Item = (Charge, u64)>> {
        let data = self.classes[DATA].iter();
        self.paused
            .then(|| data.map(|held| (held.charge, u64::from(held.packet.size))))
    }

    /// Time on the wire of all that waits, in ps.
    fn waits(&self) -> u64 {
        self.waiting[CONTROL].saturating_add(self.waiting[DATA])
    }

    /// Packets that wait.
    #[cfg(test)]
    pub fn held(&self) -> impl Iterator<Item = &Packet> {
        self.classes.iter().flatten().map(|held| &held.packet)
    }
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// Puts a packet that came by link `from` in the port of a link, trimmed if it must.
    /// False where it was lost.
    pub fn enqueue(&mut self, link: u32, from: u32, mut packet: Packet) -> bool {
        let index = link as usize;
        let charged = match self.admit(link, &mut packet) {
            Ok(()) => self.charge(from, class_of(&packet) == DATA, packet.size),
            Err(refused) => Err(refused),
        };
        let Ok(charge) = charged else {
            self.links.lose(link, packet.size);
            return false;
        };
        let class = class_of(&packet);
        let on_wire = self.links.on_wire(link, u64::from(packet.size));
        let port = &mut self.ports[index];
        let busy = self.links.busy_until(link).saturating_sub(self.now);
        let before = busy.saturating_add(port.waits());
        self.links.join(link, &packet, on_wire, before.saturating_add(on_wire));
        if before == 0 && !port.pending && !(class == DATA && port.paused) {
            self.send_now(link, &packet, charge, on_wire);
            return true;
        }
        port.waiting[class] = port.waiting[class].saturating_add(on_wire);
        port.classes[class].push_back(Held { packet, charge });
        self.serve(link);
        true
    }

    /// Finds room for a packet, for its header alone if it must.
    fn admit(&mut self, link: u32, packet: &mut Packet) -> Result<(), Refused> {
        let ahead = self.ports[link as usize].waiting.map(|time| time.min(TOO_LONG));
        let can_trim = self.trimming && packet.kind == Kind::Data && !packet.has(TRIMMED);
        let admitted = match self.links.admit(link, self.now, ahead[class_of(packet)], packet) {
            Err(Refused::Full) if can_trim => {
                packet.size = self.setup.packet.header.0 as u16;
                packet.flags |= TRIMMED | PRIORITY;
                if self.forwarding.end_of(link) != self.ends(packet.qp, Kind::Data).1 {
                    packet.flags |= CUT_EARLY;
                }
                self.links.counts[link as usize].trims += 1;
                self.links.admit(link, self.now, ahead[CONTROL], packet)
            }
            admitted => admitted,
        }?;
        packet.flags |= admitted.mark;
        Ok(())
    }

    /// Lets an idle port send its next packet; sees to it that a busy one wakes up.
    fn serve(&mut self, link: u32) {
        let port = &mut self.ports[link as usize];
        if port.pending {
            return;
        }
        let busy_until = self.links.busy_until(link);
        if busy_until > self.now {
            port.pending = true;
            return self.alarm(busy_until, self.keys.port_free + link, Kind::PortFree, link);
        }
        self.send_next(link);
    }

    /// A port has sent a packet.
    pub fn port_free(&mut self, link: u32) {
        self.ports[link as usize].pending = false;
        if let Some(sent) = self.ports[link as usize].sending.take() {
            self.release(sent.charge, sent.size);
            let port = self.nics.port_of(link);
            if port != NONE && sent.data {
                self.data_left(port);
            }
        }
        self.serve(link);
    }

    fn send_next(&mut self, link: u32) {
        let port = &mut self.ports[link as usize];
        let Some(class) = port.next_class() else { return };
        let Some(held) = port.classes[class].pop_front() else {
            return;
        };
        let on_wire = self.links.on_wire(link, u64::from(held.packet.size));
        port.waiting[class] -= on_wire;
        self.send_now(link, &held.packet, held.charge, on_wire);
    }

    /// An idle port sends a packet.
    #[inline(always)]
    fn send_now(&mut self, link: u32, packet: &Packet, charge: Charge, on_wire: u64) {
        let port = &mut self.ports[link as usize];
        port.sending = Some(Sending {
            charge,
            size: packet.size,
            data: packet.kind == Kind::Data,
        });
        let must_tell = charge.is_some() || self.nics.port_of(link) != NONE;
        port.pending = must_tell || port.classes.iter().any(|class| !class.is_empty());
        let done = self.now.saturating_add(on_wire);
        if port.pending {
            self.alarm(done, self.keys.port_free + link, Kind::PortFree, link);
        }
        let time = self.links.send(link, on_wire, done);
        let (key, packet) = (Keys::ARRIVAL + link, *packet);
        self.queue.push(Event { time, key, packet });
    }

    /// A link went down: its port loses all it holds.
    pub fn empty_port(&mut self, link: u32) {
        let nic = self.nics.port_of(link);
        if self.ports.is_empty() {
            return;
        }
        let port = &mut self.ports[link as usize];
        let sending = port.sending.take().filter(|_| port.pending);
        let waiting: Vec<Held> = port.classes.iter_mut().flat_map(std::mem::take).collect();
        port.waiting = [0; 2];
        port.pending = false;
        self.links.set_waiting(link, 0);
        for held in &waiting {
            self.links.lose_accepted(link, &held.packet);
        }
        if let Some(sent) = sending {
            self.release(sent.charge, sent.size);
        }
        for held in waiting {
            self.release(held.charge, held.packet.size);
        }
        if nic != NONE {
            self.data_left(nic);
        }
    }

    /// A link changed its rate: what waits in its port takes another time.
    pub fn retime_port(&mut self, link: u32) {
        if self.ports.is_empty() {
            return;
        }
        let port = &mut self.ports[link as usize];
        for class in [CONTROL, DATA] {
            let sizes = port.classes[class].iter().map(|held| u64::from(held.packet.size));
            port.waiting[class] = sizes
                .map(|size| self.links.on_wire(link, size))
                .fold(0, u64::saturating_add);
        }
        let waiting = port.waits();
        self.links.set_waiting(link, waiting);
        self.serve(link);
    }

    /// Flow control pauses or resumes the data of a port.
    pub fn set_paused(&mut self, link: u32, paused: bool) {
        let counts = &mut self.links.counts[link as usize];
        counts.pauses += u64::from(paused);
        counts.paused.set(paused, self.now);
        self.ports[link as usize].paused = paused;
        if !paused {
            self.serve(link);
        }
    }
}

fn class_of(packet: &Packet) -> usize {
    if packet.has(PRIORITY) { CONTROL } else { DATA }
}

#[cfg(test)]
mod tests {
    use super::*;

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
