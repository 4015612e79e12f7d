//! Which path the next packet takes, where that is not settled before the flow is sent.
//!
//! Hosts choose through a [`PathSelector`], one for each queue pair, which names the packet's path; switches
//! choose through one [`InSwitch`] for the whole fabric, hop by hop. One file each.

mod adaptive;
mod bitmap;
mod flowlet;
mod mrc;
mod permuted;
mod plb;
mod random;
mod reps;
mod round_robin;
mod weighted;

use adaptive::Adaptive;
use bitmap::Bitmap;
use flowlet::Flowlet;
use mrc::Mrc;
use permuted::Permuted;
use plb::Plb;
use random::Random;
use reps::Reps;
use round_robin::RoundRobin;
use weighted::Weighted;

use super::forwarding::Forwarding;
use super::links::Links;
use crate::placement::{Choose, LoadBalancing};
use crate::routes::Route;

/// What a host knows of the queue pair whose paths it will choose.
#[derive(Clone, Copy)]
pub(super) struct Choice<'a> {
    pub paths: u32,
    /// Packets of one bandwidth-delay product.
    pub window: u32,
    /// Weights of the paths; asked for by weighted spraying only.
    pub weights: &'a dyn Fn() -> Vec<u64>,
    /// Tells queue pairs apart.
    pub salt: u64,
}

/// An acknowledgement as a host's choice sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct AckInfo {
    /// How long after its packet, in ps.
    pub rtt: u64,
    pub path: u16,
    pub marked: bool,
    /// Number of the acknowledged packet, and of the first packet not sent yet.
    pub seq: u32,
    pub next: u32,
}

/// A host's choice of paths for one queue pair with several of them.
#[derive(Debug, Clone)]
pub(super) enum PathSelector {
    /// One path, or the switches decide.
    Fixed,
    Random(Random),
    Permuted(Permuted),
    Weighted(Weighted),
    Reps(Reps),
    Bitmap(Bitmap),
    Mrc(Mrc),
    Plb(Plb),
}

impl PathSelector {
    /// The choice that a sub-flow on `route` asks for.
    pub fn new(load_balancing: &LoadBalancing, route: Route, choice: &Choice<'_>) -> Self {
        // Paths are named by 16 bits in a packet.
        let paths = choice.paths.min(1 << 16);
        let salt = choice.salt;
        match (route, load_balancing) {
            (Route::Pinned(_), _) => Self::Fixed,
            _ if paths <= 1 => Self::Fixed,
            (Route::Weighted, _) => {
                let weights = (choice.weights)();
                Self::Weighted(Weighted::new(&weights[..paths as usize], salt))
            }
            (_, LoadBalancing::Reps(spec)) => Self::Reps(Reps::new(spec, paths, choice.window, salt)),
            (_, LoadBalancing::Bitmap(spec)) => Self::Bitmap(Bitmap::new(spec, paths, salt)),
            (_, LoadBalancing::Mrc(spec)) => Self::Mrc(Mrc::new(spec, paths, salt)),
            (_, LoadBalancing::Plb(spec)) => Self::Plb(Plb::new(spec, paths, salt)),
            (_, LoadBalancing::Spray(spec)) if spec.choose == Choose::Permuted => {
                Self::Permuted(Permuted::new(paths, salt))
            }
            _ => Self::Random(Random::new(paths, salt)),
        }
    }

    /// Whether packets take paths of any port, one by one.
    pub fn sprays(&self) -> bool {
        match self {
            Self::Fixed | Self::Plb(_) => false,
            Self::Reps(state) => !state.keeps(),
            Self::Random(_) | Self::Permuted(_) | Self::Weighted(_) | Self::Bitmap(_) | Self::Mrc(_) => true,
        }
    }

    /// Whether the paths that it names are found out, so that none is to be thrown away.
    pub fn learns(&self) -> bool {
        matches!(self, Self::Reps(_) | Self::Mrc(_))
    }

    /// Whether there is nothing to choose.
    pub fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed)
    }

    /// The path of the next packet; numbers from the count of paths on start over.
    #[inline]
    pub fn choose(&mut self, now: u64) -> u16 {
        match self {
            Self::Fixed => 0,
            Self::Random(state) => state.choose(),
            Self::Permuted(state) => state.choose(),
            Self::Weighted(state) => state.choose(),
            Self::Reps(state) => state.choose(now),
            Self::Bitmap(state) => state.choose(),
            Self::Mrc(state) => state.choose(now),
            Self::Plb(state) => state.choose(),
        }
    }

    /// A path that was named is not taken after all.
    pub fn give_back(&mut self, path: u16) {
        if let Self::Mrc(state) = self {
            state.give_back(path);
        }
    }

    /// An acknowledgement came back.
    #[inline]
    pub fn on_ack(&mut self, heard: AckInfo) {
        match self {
            Self::Reps(state) => state.on_ack(heard.path, heard.marked),
            Self::Bitmap(state) => state.on_ack(heard.path, heard.marked),
            Self::Mrc(state) => state.on_ack(heard.path, heard.marked, heard.rtt),
            Self::Plb(state) => state.on_ack(heard.seq, heard.next, heard.marked),
            _ => {}
        }
    }

    /// A packet on this path was trimmed.
    pub fn on_trimmed(&mut self, path: u16, now: u64) {
        match self {
            Self::Bitmap(state) => state.on_trimmed(path),
            Self::Mrc(state) => state.on_trimmed(path, now),
            _ => {}
        }
    }

    /// Nothing was heard for a retransmission timeout.
    pub fn on_timeout(&mut self, now: u64) {
        match self {
            Self::Reps(state) => state.on_timeout(now),
            Self::Mrc(state) => state.on_timeout(now),
            Self::Plb(state) => state.on_timeout(),
            _ => {}
        }
    }
}

/// The switches' choice among their next links.
#[derive(Debug, Clone)]
pub(super) enum InSwitch {
    /// By the path that the packet names.
    ByPath,
    RoundRobin(RoundRobin),
    Adaptive(Adaptive),
    Flowlet(Flowlet),
}

impl InSwitch {
    /// The choice that a load balancing asks for; `rtt` in ps, of the unloaded network.
    pub fn new(load_balancing: &LoadBalancing, forwarding: &Forwarding, links: &Links, rtt: u64, salt: u64) -> Self {
        match load_balancing {
            LoadBalancing::Spray(spec) if spec.choose == Choose::RoundRobin => {
                Self::RoundRobin(RoundRobin::new(forwarding.hop_count(), salt))
            }
            LoadBalancing::Adaptive(spec) => Self::Adaptive(Adaptive::new(spec, links.holds(rtt), salt)),
            LoadBalancing::Flowlet(spec) => Self::Flowlet(Flowlet::new(spec, forwarding.nodes(), rtt, salt)),
            _ => Self::ByPath,
        }
    }

    /// Forwarding tables have changed.
    pub fn reselect_path(&mut self, forwarding: &Forwarding) {
        if let Self::RoundRobin(state) = self {
            state.restart(forwarding.hop_count());
        }
    }

    /// Whether packets of a flow take links in any order.
    pub fn sprays(&self) -> bool {
        matches!(self, Self::RoundRobin(_) | Self::Adaptive(_))
    }

    /// Whether links are compared by their queues.
    pub fn sees_queues(&self) -> bool {
        matches!(self, Self::Adaptive(_))
    }

    /// Whether switches choose at all.
    pub fn decides(&self) -> bool {
        !matches!(self, Self::ByPath)
    }
}
