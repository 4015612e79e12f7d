//! Ports with lists of packets, in the two-event mode, and the flow control of switches.

use super::flow_control::{Charge, PAUSE_FRAME};
use super::ids::PortId;
use super::links::{Refused, TOO_LONG};
use super::network::Network;
use super::packet::{CUT_EARLY, Event, Kind, PRIORITY, Packet, TRIMMED};
use super::port::{CONTROL, DATA, Held, Sending, class_of};
use super::queue::EventQueue;
use crate::ids::{Id, LinkId};

impl<Q: EventQueue> Network<'_, Q> {
    /// Puts a packet that came by link `from` in the port of a link, trimmed if it must.
    /// False where it was lost.
    pub(super) fn enqueue(&mut self, link: LinkId, from: LinkId, mut packet: Packet) -> bool {
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
        let port = &mut self.ports[link];
        let busy = self.links.busy_until(link).saturating_sub(self.events.now);
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
    fn admit(&mut self, link: LinkId, packet: &mut Packet) -> Result<(), Refused> {
        let ahead = self.ports[link].waiting.map(|time| time.min(TOO_LONG));
        let can_trim = self.terms.trimming && packet.kind == Kind::Data && !packet.has(TRIMMED);
        let admitted = match self.links.admit(link, self.events.now, ahead[class_of(packet)], packet) {
            Err(Refused::Full) if can_trim => {
                packet.size = self.setup.packet.header.0 as u16;
                packet.flags |= TRIMMED | PRIORITY;
                if self.forwarding.end_of(link) != self.ends(packet.qp, Kind::Data).1.node() {
                    packet.flags |= CUT_EARLY;
                }
                self.links.counts[link].trims += 1;
                self.links.admit(link, self.events.now, ahead[CONTROL], packet)
            }
            admitted => admitted,
        }?;
        packet.flags |= admitted.mark;
        Ok(())
    }

    /// Lets an idle port send its next packet; sees to it that a busy one wakes up.
    pub(super) fn serve(&mut self, link: LinkId) {
        let port = &mut self.ports[link];
        if port.pending {
            return;
        }
        let busy_until = self.links.busy_until(link);
        if busy_until > self.events.now {
            port.pending = true;
            return self.await_port(link, busy_until);
        }
        self.send_next(link);
    }

    /// A port has sent a packet, and may send the next once [`Network::serve`] is called. Says which card's data has left by it, if
    /// it is the port of a host.
    pub(super) fn port_free(&mut self, link: LinkId) -> Option<PortId> {
        self.ports[link].pending = false;
        let sent = self.ports[link].sending.take()?;
        self.release(sent.charge, sent.size);
        self.card_of(link).filter(|_| sent.data)
    }

    fn send_next(&mut self, link: LinkId) {
        let port = &mut self.ports[link];
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
    fn send_now(&mut self, link: LinkId, packet: &Packet, charge: Charge, on_wire: u64) {
        let of_host = self.card_of(link).is_some();
        let port = &mut self.ports[link];
        port.sending = Some(Sending {
            charge,
            size: packet.size,
            data: packet.kind == Kind::Data,
        });
        let must_tell = charge.is_some() || of_host;
        port.pending = must_tell || port.classes.iter().any(|class| !class.is_empty());
        let done = self.events.now.saturating_add(on_wire);
        if port.pending {
            self.await_port(link, done);
        }
        let time = self.links.send(link, on_wire, done);
        self.events.arrival(time, link, *packet);
    }

    fn await_port(&mut self, link: LinkId, time: u64) {
        let key = self.events.keys.port_free + link.0;
        self.events.alarm(time, key, Kind::PortFree, link.0);
    }

    /// A link went down: its port loses all it holds. Says which card has to send anew, if it is the port of a host.
    pub(super) fn empty_port(&mut self, link: LinkId) -> Option<PortId> {
        if self.ports.is_empty() {
            return None;
        }
        let port = &mut self.ports[link];
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
        self.card_of(link)
    }

    /// A link changed its rate: what waits in its port takes another time.
    pub(super) fn retime_port(&mut self, link: LinkId) {
        if self.ports.is_empty() {
            return;
        }
        let port = &mut self.ports[link];
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
    pub(super) fn set_paused(&mut self, link: LinkId, paused: bool) {
        let counts = &mut self.links.counts[link];
        counts.pauses += u64::from(paused);
        counts.paused.set(paused, self.events.now);
        self.ports[link].paused = paused;
        if !paused {
            self.serve(link);
        }
    }

    /// Charges a data packet's place in a switch, where there is flow control.
    pub(super) fn charge(&mut self, from: LinkId, data: bool, size: u16) -> Result<Charge, Refused> {
        let Some(control) = &mut self.flow_control else {
            return Ok(Charge::Nothing);
        };
        if !data || from == LinkId::NONE {
            return Ok(Charge::Nothing);
        }
        let (charge, pause) = control.charge(from, u64::from(size))?;
        if pause {
            self.send_frame(from, true);
        }
        Ok(charge)
    }

    /// Frees a packet's place.
    pub(super) fn release(&mut self, charge: Charge, size: u16) {
        if let Some(control) = &mut self.flow_control
            && let Some(link) = control.release(charge, u64::from(size))
        {
            self.send_frame(link, false);
        }
    }

    /// The way of a link's frames back to its sender is gone: those on it are lost, and a pause that nobody renews
    /// runs out. That takes up to 65 535 quanta in a network; here the sender goes on at once.
    pub(super) fn frames_cut(&mut self, back: LinkId) {
        let link = self.setup.fabric.link(back).reverse;
        let frames = self.events.keys.flow_control + link.0;
        if self.flow_control.is_some() {
            self.events.queue.extract(|event| event.key == frames);
            self.set_paused(link, false);
        }
    }

    /// The way of a link's frames is there again: its sender learns whether it is paused.
    pub(super) fn frames_again(&mut self, back: LinkId) {
        let link = self.setup.fabric.link(back).reverse;
        if self
            .flow_control
            .as_ref()
            .is_some_and(|control| control.is_paused(link))
        {
            self.send_frame(link, true);
        }
    }

    /// Sends a pause or resume frame to the sender of a link.
    fn send_frame(&mut self, link: LinkId, pause: bool) {
        let back = self.setup.fabric.link(link).reverse;
        if self.links.rate(back).is_zero() {
            return;
        }
        let free = self.links.busy_until(back).max(self.events.now);
        let sent = free.saturating_add(self.links.on_wire(back, PAUSE_FRAME));
        let Some(control) = &mut self.flow_control else { return };
        let time = control.time_of_frame(link, sent.saturating_add(self.links.delay(back)));
        let mut packet = Packet::alarm(Kind::FlowControl, link.0);
        packet.seq = u32::from(pause);
        let key = self.events.keys.flow_control + link.0;
        self.events.queue.push(Event { time, key, packet });
    }
}
