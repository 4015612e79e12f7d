//! What a load balancing says that chooses paths while packets travel.

use super::learner::Learner;
use crate::input::InputError;
use crate::routes::Route;

/// What a host knows of the queue pair whose paths it will choose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueuePairPaths<'a> {
    /// Paths that it can tell apart, at least 2 and at most 2^16.
    pub paths: u32,
    /// Packets of one bandwidth-delay product.
    pub window: u32,
    /// Tells queue pairs apart.
    pub salt: u64,
    /// Weights of its paths that rehearsals have taught.
    pub weights: Option<&'a [u64]>,
}

/// What is known of the switches, and of hosts with several ports.
#[derive(Clone, Copy)]
pub(crate) struct Switches<'a> {
    /// Switches and hosts.
    pub nodes: usize,
    /// Next links in all forwarding tables.
    pub hops: usize,
    /// How many bytes fit in the queue of each link.
    pub holds: &'a dyn Fn() -> Vec<u64>,
    /// Round trip of the unloaded network, in ps.
    pub rtt: u64,
    /// Makes their draws others than those of another seed.
    pub salt: u64,
}

/// A load balancing that chooses paths packet by packet. It places every flow as a whole, and either its hosts choose
/// ([`Dynamic::selector`]) or its switches do ([`Dynamic::in_switch`]). `H` holds the choice of any host, `S` that of any
/// switches: the tables, which a scheme does not know.
pub(crate) trait Dynamic<H, S> {
    /// Refuses options that make no sense on any fabric. Keys are relative to the scheme's table.
    fn check(&self) -> Result<(), InputError> {
        Ok(())
    }

    /// How the fluid and the bounds may see it: only as packets, or as an even spread.
    fn route(&self) -> Route {
        Route::Dynamic
    }

    /// Whether paths are chosen by what acknowledgements tell.
    fn needs_acknowledgements(&self) -> bool {
        false
    }

    /// How often the run is rehearsed, each time with other random numbers, to learn from.
    fn rehearsals(&self) -> u32 {
        0
    }

    /// Who learns from rehearsals.
    fn learner(&self) -> Option<Learner> {
        None
    }

    /// The choice of one queue pair's host.
    fn selector(&self, _queue_pair: &QueuePairPaths<'_>) -> Option<H> {
        None
    }

    /// The choice of the switches.
    fn in_switch(&self, _switches: &Switches<'_>) -> Option<S> {
        None
    }
}
