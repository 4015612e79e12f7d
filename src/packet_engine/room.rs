//! Whether every packet can find room in every queue: a limit below one packet would refuse it for ever.

use super::flow_control::{self, headroom};
use super::links::{buffer_size, own_limit, shares_buffers};
use super::refusal::{Part, Refusal};
use super::setup::Setup;
use crate::ids::NodeId;

/// Keys of other tables than that of the limit, by which packets find room, too.
const PAYLOAD: &str = "packet.payload";
const BUFFER: &str = "switch.buffer";

/// Refuses limits below which some packet never fits, or a link is paused for every packet.
pub(super) fn check(setup: &Setup<'_>) -> Result<(), Refusal> {
    let (full, ack) = (setup.packet.full(), setup.packet.ack.0);
    let largest = Largest {
        size: full.max(ack),
        key: if ack > full { "packet.ack" } else { PAYLOAD },
    };
    for (key, room) in [("queue", setup.switch.queue), ("buffer", setup.switch.buffer)] {
        if room.is_some_and(|room| room.0 < largest.size) {
            return Err(largest.never_fits(Part::Switch, key, "", "raise it"));
        }
    }
    if setup.switch.pfc {
        flow_control::check(setup)?;
        return pauses(setup);
    }
    queues(setup, &largest)?;
    thresholds(setup, &largest)
}

/// The largest packet that there is, and the option that makes it so large.
struct Largest {
    size: u64,
    key: &'static str,
}

impl Largest {
    fn never_fits(&self, part: Part, key: &str, place: &str, raise: &str) -> Refusal {
        let message = format!("{place}a packet of {} bytes never fits in", self.size);
        part.refused_at(key, message)
            .help(format!("{raise}, or lower `{}`", self.key))
    }
}

/// Queues that the topology limits.
fn queues(setup: &Setup<'_>, largest: &Largest) -> Result<(), Refusal> {
    for id in setup.fabric.link_ids() {
        let room = setup.fabric.link(id).queue;
        if let Some(room) = room.filter(|room| room.0 < largest.size) {
            let place = format!("the queue of {} holds {room}: ", setup.fabric.link_name(id));
            return Err(largest.never_fits(Part::Fabric, "", &place, "raise it where the topology sets it"));
        }
    }
    Ok(())
}

/// Dynamic thresholds of shared buffers, when they are empty.
fn thresholds(setup: &Setup<'_>, largest: &Largest) -> Result<(), Refusal> {
    let (fabric, switch) = (setup.fabric, setup.switch);
    if !shares_buffers(switch, setup.transport) {
        return Ok(());
    }
    for node in (fabric.hosts() as usize..fabric.nodes().len()).map(NodeId::from) {
        let ports = fabric.out_links(node);
        let shares = |&&id: &&_| !fabric.link(id).rate.is_zero() && own_limit(setup, id, 0).is_none();
        if !ports.iter().any(|id| shares(&id)) {
            continue;
        }
        let (size, name) = (buffer_size(fabric, switch, ports), &fabric.node(node).name);
        if size < largest.size {
            let place = format!("{name} has a buffer of {size} bytes (5 KB for each Gb/s): ");
            return Err(largest.never_fits(Part::Switch, "", &place, &format!("set `{BUFFER}`")));
        }
        let threshold = switch.alpha * size as f64;
        if threshold < largest.size as f64 {
            let place = format!(
                "a queue of {name} takes `alpha` = {} of {size} free bytes: ",
                switch.alpha
            );
            let least = largest.size as f64 / size as f64;
            let raise = format!("raise it to {} or more, or `{BUFFER}`", (least * 1e4).ceil() / 1e4);
            return Err(largest.never_fits(Part::Switch, "alpha", &place, &raise));
        }
    }
    Ok(())
}

/// Thresholds of flow control, when buffers are empty.
fn pauses(setup: &Setup<'_>) -> Result<(), Refusal> {
    let (fabric, switch, full) = (setup.fabric, setup.switch, setup.packet.full());
    if switch.pfc_pause.is_some_and(|pause| pause.0 < full) {
        let message = format!("a packet of {full} bytes alone would pause its link");
        return Err(Part::Switch
            .refused_at("pfc_pause", message)
            .help(format!("raise it, or lower `{PAYLOAD}`")));
    }
    for node in (fabric.hosts() as usize..fabric.nodes().len()).map(NodeId::from) {
        let ports = fabric.out_links(node);
        let reserved = ports
            .iter()
            .map(|&id| headroom(fabric, fabric.link(id).reverse, setup.packet));
        let size = buffer_size(fabric, switch, ports).saturating_sub(reserved.sum());
        if switch.pfc_pause.is_none() && switch.alpha * (size as f64) < full as f64 {
            let name = &fabric.node(node).name;
            let message = format!(
                "a link into {name} may take `alpha` = {} of the {size} bytes beside headroom: a packet of {full} bytes \
                 alone would pause it",
                switch.alpha
            );
            return Err(Part::Switch
                .refused_at("alpha", message)
                .help(format!("raise it, or `{BUFFER}`, or lower `{PAYLOAD}`")));
        }
    }
    Ok(())
}
