//! Which path the next packet takes, where that is not settled before the flow is sent.
//!
//! Hosts choose through a [`Spread`], one for each queue pair, which names the packet's path; switches
//! choose through one [`InSwitch`] for the whole fabric, hop by hop. One file each.

mod permuted;
mod random;
mod round_robin;

use permuted::Permuted;
use random::Random;
use round_robin::RoundRobin;

use crate::rng::mix;

/// How packets of a run that are not pinned find their way.
#[derive(Debug, Clone, PartialEq)]
pub enum PathSelection {
    /// The host draws a path for every packet.
    Random,
    /// Every switch takes its next links in turn.
    RoundRobin,
    /// The host walks a random permutation of the paths, a new one after each round.
    Permuted,
}

/// What a host knows when it asks for a path or hears of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub path: u16,
    pub marked: bool,
}

/// A host's choice of paths for one queue pair with several of them.
#[derive(Debug, Clone)]
pub(super) enum Spread {
    /// One path, or the switches decide.
    Fixed,
    Random(Random),
    Permuted(Permuted),
}

impl Spread {
    /// For a queue pair with `paths` paths; `salt` tells queue pairs apart.
    pub fn new(selection: &PathSelection, paths: u32, salt: u64) -> Self {
        let paths = paths.min(1 << 16);
        match selection {
            _ if paths <= 1 => Self::Fixed,
            PathSelection::RoundRobin => Self::Fixed,
            PathSelection::Random => Self::Random(Random::new(paths, salt)),
            PathSelection::Permuted => Self::Permuted(Permuted::new(paths, salt)),
        }
    }

    /// The path of the next packet.
    #[inline]
    pub fn choose(&mut self) -> u16 {
        match self {
            Self::Fixed => 0,
            Self::Random(state) => state.choose(),
            Self::Permuted(state) => state.choose(),
        }
    }

    /// An acknowledgement came back.
    #[inline]
    pub fn on_ack(&mut self, _heard: Heard) {}
}

/// The switches' choice among their next links.
#[derive(Debug, Clone)]
pub(super) enum InSwitch {
    /// By the path that the packet names.
    ByPath,
    RoundRobin(RoundRobin),
}

impl InSwitch {
    pub fn new(selection: &PathSelection, nodes: usize, seed: u64) -> Self {
        match selection {
            PathSelection::RoundRobin => Self::RoundRobin(RoundRobin::new(nodes, mix(seed))),
            _ => Self::ByPath,
        }
    }

    /// Whether switches choose at all.
    pub fn decides(&self) -> bool {
        !matches!(self, Self::ByPath)
    }
}
