//! Priority flow control (IEEE 802.1Qbb): a switch pauses the link that fills its buffer.
//!
//! Every byte of data in a switch is charged to the link it came by: to the shared part of the buffer
//! while that link is below its threshold, to the link's own headroom from there on. Crossing the
//! threshold pauses the sender of the link; falling far enough below it lets it go on. The headroom
//! holds what can still arrive after that: what leaves until the pause frame takes effect, and is on the way.
//! Pause frames overtake all that waits on the way back and take no room there.

use std::collections::BTreeMap;

use super::links::Refused;
use super::links::buffer_size;
use super::options::PacketOptions;
use super::refusal::{Part, Refusal};
use super::setup::Setup;
use crate::ids::{Id, IdVec, LinkId, NodeId, id};
use crate::topology::{Fabric, NodeKind};

/// Bytes of a pause frame.
pub(super) const PAUSE_FRAME: u64 = 64;

id! {
    /// The buffer of a switch.
    PoolId;
}

/// What a packet's place in a switch is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charge {
    Nothing,
    Shared(LinkId),
    Headroom(LinkId),
}

impl Charge {
    pub(super) fn is_some(self) -> bool {
        self != Self::Nothing
    }
}

/// Bytes of one link that wait in the ports behind it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stuck {
    pub shared: u64,
    pub headroom: u64,
}

/// A link into a switch.
#[derive(Debug, Clone, Copy)]
struct Ingress {
    /// The buffer at its end, or NONE.
    pool: PoolId,
    shared: u64,
    headroom: u64,
    headroom_size: u64,
    paused: bool,
    /// When the last frame took effect at the sender: frames do not overtake each other.
    last_frame: u64,
}

/// The buffer of a switch less the headroom of its links.
#[derive(Debug, Clone, Copy)]
struct Pool {
    size: u64,
    used: u64,
}

/// The flow control of all switches.
#[derive(Debug)]
pub(super) struct FlowControl {
    ingress: IdVec<LinkId, Ingress>,
    pools: IdVec<PoolId, Pool>,
    alpha: f64,
    pause: Option<u64>,
    resume: u64,
}

/// Bytes that can still arrive by a link after its switch has decided to pause it.
pub(super) fn headroom(fabric: &Fabric, link: LinkId, packet: &PacketOptions) -> u64 {
    let forth = fabric.link(link);
    let back = fabric.link(forth.reverse);
    if forth.rate.is_zero() {
        return 0;
    }
    let full = packet.full();
    let back_rate = if back.rate.is_zero() { forth.rate } else { back.rate };
    // A packet may occupy the way back; then the frame; then both delays.
    let wait = back_rate.transmission_time(full + PAUSE_FRAME) + back.delay + forth.delay;
    let on_the_way = (u128::from(wait.0) * u128::from(forth.rate.0)).div_ceil(8_000_000_000_000);
    // The packet that is being sent when the frame comes, and the one that crossed the threshold.
    u64::try_from(on_the_way).unwrap_or(u64::MAX).saturating_add(2 * full)
}

/// Refuses switch buffers that headroom alone would fill.
pub(super) fn check(setup: &Setup<'_>) -> Result<(), Refusal> {
    let (fabric, full) = (setup.fabric, setup.packet.full());
    for node in (fabric.hosts() as usize..fabric.nodes().len()).map(NodeId::from) {
        let ports = fabric.out_links(node);
        let into = ports.iter().map(|&id| fabric.link(id).reverse);
        let needed = into
            .map(|link| headroom(fabric, link, setup.packet).saturating_add(full))
            .fold(0, u64::saturating_add);
        let size = buffer_size(fabric, setup.switch, ports);
        if size < needed {
            let name = &fabric.node(node).name;
            let message = format!("{size} bytes are too little for flow control: the links into {name} need {needed}");
            return Err(Part::Switch
                .refused_at("buffer", message)
                .help("raise it: what is on the wire when a link is paused must find room"));
        }
    }
    Ok(())
}

impl FlowControl {
    /// Buffers as the switch table says.
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        let (fabric, switch, packet) = (setup.fabric, setup.switch, setup.packet);
        let switches = (fabric.hosts() as usize..fabric.nodes().len()).map(NodeId::from);
        let sizes = switches.map(|node| buffer_size(fabric, switch, fabric.out_links(node)));
        let mut pools: IdVec<PoolId, _> = sizes.map(|size| Pool { size, used: 0 }).collect();
        let mut ingress = IdVec::with_capacity(fabric.links().len());
        for (id, link) in fabric.link_ids().zip(fabric.links()) {
            let into_switch = fabric.node(link.to).kind == NodeKind::Switch;
            let reserved = if into_switch { headroom(fabric, id, packet) } else { 0 };
            let pool = if into_switch {
                PoolId(link.to.0 - fabric.hosts())
            } else {
                PoolId::NONE
            };
            if let Some(pool) = pools.get_mut(pool) {
                pool.size = pool.size.saturating_sub(reserved);
            }
            ingress.push(Ingress {
                pool,
                shared: 0,
                headroom: 0,
                headroom_size: reserved,
                paused: false,
                last_frame: 0,
            });
        }
        Self {
            ingress,
            pools,
            alpha: switch.alpha,
            pause: switch.pfc_pause.map(|bytes| bytes.0),
            resume: switch.pfc_resume.map_or(2 * packet.full(), |bytes| bytes.0),
        }
    }

    /// Bytes of one link at which it is paused.
    fn threshold(&self, ingress: &Ingress) -> u64 {
        self.threshold_with(ingress, self.pools[ingress.pool].used)
    }

    /// [`FlowControl::threshold`] were `used` bytes of the pool in use.
    fn threshold_with(&self, ingress: &Ingress, used: u64) -> u64 {
        let free = self.pools[ingress.pool].size.saturating_sub(used);
        self.pause.unwrap_or((self.alpha * free as f64) as u64)
    }

    /// Whether a paused link would still be were nothing left in its switch but these bytes of each link.
    pub(super) fn stays_paused(&self, link: LinkId, stuck: &BTreeMap<LinkId, Stuck>) -> bool {
        let ingress = &self.ingress[link];
        let own = stuck.get(&link).copied().unwrap_or_default();
        if ingress.pool == PoolId::NONE || !ingress.paused {
            return false;
        }
        let inside = stuck
            .iter()
            .filter(|(link, _)| self.ingress[**link].pool == ingress.pool);
        let used = inside.map(|(_, stuck)| stuck.shared).sum();
        own.headroom > 0 || own.shared > self.threshold_with(ingress, used).saturating_sub(self.resume)
    }

    /// Whether a link is paused.
    pub(super) fn is_paused(&self, link: LinkId) -> bool {
        self.ingress[link].paused
    }

    /// The time at which a frame that could take effect at `soonest` does: frames do not overtake each other.
    pub(super) fn time_of_frame(&mut self, link: LinkId, soonest: u64) -> u64 {
        let last = &mut self.ingress[link].last_frame;
        *last = soonest.max(last.saturating_add(1));
        *last
    }

    /// Takes some of the headroom of every link away.
    #[cfg(test)]
    pub(in crate::packet_engine) fn shrink_headroom(&mut self, less: u64) {
        for ingress in &mut self.ingress {
            ingress.headroom_size = ingress.headroom_size.saturating_sub(less);
        }
    }

    /// Charges a packet that came by link `from`; also says whether to pause that link now.
    pub(super) fn charge(&mut self, from: LinkId, size: u64) -> Result<(Charge, bool), Refused> {
        let ingress = self.ingress[from];
        let Some(&pool) = self.pools.get(ingress.pool) else {
            return Ok((Charge::Nothing, false));
        };
        let fits = ingress.shared + size <= self.threshold(&ingress) && pool.used + size <= pool.size;
        let place = &mut self.ingress[from];
        if fits && !ingress.paused {
            place.shared += size;
            self.pools[ingress.pool].used += size;
            return Ok((Charge::Shared(from), false));
        }
        if ingress.headroom + size > ingress.headroom_size {
            return Err(Refused::Full);
        }
        place.headroom += size;
        let pause = !std::mem::replace(&mut place.paused, true);
        Ok((Charge::Headroom(from), pause))
    }

    /// Frees the place of a packet; says which link to resume now.
    pub(super) fn release(&mut self, charge: Charge, size: u64) -> Option<LinkId> {
        let from = match charge {
            Charge::Nothing => return None,
            Charge::Shared(from) => {
                let ingress = &mut self.ingress[from];
                ingress.shared -= size;
                self.pools[ingress.pool].used -= size;
                from
            }
            Charge::Headroom(from) => {
                self.ingress[from].headroom -= size;
                from
            }
        };
        let ingress = &self.ingress[from];
        let resumes = ingress.paused
            && ingress.headroom == 0
            && ingress.shared <= self.threshold(ingress).saturating_sub(self.resume);
        if resumes {
            self.ingress[from].paused = false;
        }
        resumes.then_some(from)
    }
}
