//! Every rank sends to every other rank.

use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::draft::{Draft, Effect, Extent, Hop};
use super::{Kind, Moment};
use crate::input::{Files, InputError};
use crate::rng;
use crate::units::Bytes;

super::ranks::ranked! {
    /// All-to-all: every rank sends a message of its own to every other rank.
    pub struct AllToAll {
        /// Bytes to each peer.
        pub message: Bytes,
        /// Most peers that a rank sends to at a time; 0 for all at once. The next message starts
        /// when any one of those under way has been acknowledged.
        #[serde(default)]
        pub window: u32,
        /// The order in which a rank turns to its peers.
        #[serde(default)]
        pub order: PeerOrder,
    }
}

/// The order in which a rank turns to its peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PeerOrder {
    /// Rank i sends to i + 1, i + 2, ...: no receiver is everyone's first.
    #[default]
    Shifted,
    /// Every rank sends to 0, 1, 2, ...: all turn to the same receiver at once.
    InOrder,
    /// In an order of its own, drawn from the seed.
    Random,
}

impl AllToAll {
    /// All at once, over all hosts in order.
    pub fn new(message: Bytes) -> Self {
        Self {
            message,
            window: 0,
            order: PeerOrder::default(),
            ranks: None,
            rank_map: super::RankMap::default(),
        }
    }

    fn peers(&self, rank: u32, ranks: u32, seed: u64) -> Vec<u32> {
        let mut peers: Vec<u32> = match self.order {
            PeerOrder::Shifted => (rank + 1..ranks).chain(0..rank).collect(),
            PeerOrder::InOrder | PeerOrder::Random => (0..ranks).filter(|&peer| peer != rank).collect(),
        };
        if self.order == PeerOrder::Random {
            peers.shuffle(&mut rng::stream(seed, "all-to-all", u64::from(rank)));
        }
        peers
    }
}

impl Kind for AllToAll {
    fn draw(&self, draft: &mut Draft, _files: &dyn Files, seed: u64) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let window = match self.window {
            0 => ranks - 1,
            window => window.min(ranks - 1),
        };
        let waiting = u64::from(ranks - 1 - window);
        let pairs = u64::from(ranks) * u64::from(ranks - 1);
        let windowed = |count: u64| if waiting > 0 { count } else { 0 };
        let extent = Extent {
            transfers: pairs.into(),
            joins: windowed(ranks.into()).into(),
            edges: windowed(pairs + waiting * u64::from(ranks)).into(),
            bytes: u128::from(self.message.0) * u128::from(pairs),
        };
        draft.expect("message", self.message, &extent)?;
        for src in 0..ranks {
            let relay = (waiting > 0).then(|| draft.schedule.relay());
            for (turn, dst) in (0..).zip(self.peers(src, ranks, seed)) {
                let first = (u64::from(src) * u64::from(ranks) + u64::from(dst)) * self.message.0;
                let hop = Hop {
                    src,
                    dst,
                    step: turn / window,
                    lane: None,
                    effect: Effect::Copy,
                };
                let transfer = draft.send(&hop, &(first..first + self.message.0), &[]);
                if let (Some(relay), Some(transfer)) = (relay, transfer) {
                    draft.schedule.depend(transfer, Moment::Acked, relay);
                    if turn >= window {
                        draft.schedule.depend(relay, Moment::Delivered, transfer);
                    }
                }
            }
        }
        Ok(())
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.message)
    }

    fn algorithm_bytes(&self, ranks: u32) -> Option<Bytes> {
        Some(Bytes(self.message.0.saturating_mul(u64::from(ranks))))
    }

    fn bus_factor(&self, ranks: u32) -> Option<f64> {
        Some(f64::from(ranks - 1) / f64::from(ranks))
    }
}
