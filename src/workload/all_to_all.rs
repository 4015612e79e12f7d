//! Every rank sends to every other rank.

use rand::seq::SliceRandom;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::algorithm::{AllToAllAlgorithm, Job, bruck, two_step};
use super::schedule_writer::{Effect, Extent, Hop, ScheduleWriter};
use super::scope::Member;
use super::{CollectiveName, Kind, Milestone};
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
        /// How it is carried out.
        #[serde(default)]
        pub algorithm: AllToAllAlgorithm,
        /// Ranks of a server, for "two-step": so many in a row. By default as the fabric has them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub local: Option<u32>,
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
            algorithm: AllToAllAlgorithm::default(),
            local: None,
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
    fn draw(&self, draft: &mut ScheduleWriter, _files: &dyn Files, seed: u64) -> Result<(), InputError> {
        self.check()?;
        match self.algorithm {
            AllToAllAlgorithm::Direct => self.direct(draft, seed),
            AllToAllAlgorithm::TwoStep => two_step::all_to_all(draft, self.message, self.local),
            AllToAllAlgorithm::Bruck => self.bruck(draft),
        }
    }

    fn is_drawn(&self) -> bool {
        self.order == PeerOrder::Random
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.message)
    }

    fn collective(&self) -> Option<CollectiveName> {
        Some(CollectiveName::AllToAll)
    }

    fn algorithm_bytes(&self, ranks: u32) -> Option<Bytes> {
        Some(Bytes(self.message.0.saturating_mul(u64::from(ranks))))
    }

    fn bus_factor(&self, ranks: u32) -> Option<f64> {
        Some(f64::from(ranks - 1) / f64::from(ranks))
    }
}

impl AllToAll {
    /// Refuses options of another algorithm.
    fn check(&self) -> Result<(), InputError> {
        let name = match self.algorithm {
            AllToAllAlgorithm::Direct => "direct",
            AllToAllAlgorithm::TwoStep => "two-step",
            AllToAllAlgorithm::Bruck => "bruck",
        };
        if self.local.is_some() && self.algorithm != AllToAllAlgorithm::TwoStep {
            let message = format!("\"{name}\" knows no servers");
            return Err(InputError::key("local", message).help("leave it out, or take \"two-step\""));
        }
        if self.algorithm == AllToAllAlgorithm::Direct {
            return Ok(());
        }
        let help = "leave it out, or take \"direct\"";
        if self.window != 0 {
            return Err(InputError::key("window", format!("\"{name}\" has no window")).help(help));
        }
        if self.order != PeerOrder::default() {
            return Err(InputError::key("order", format!("\"{name}\" has its own order")).help(help));
        }
        Ok(())
    }

    fn bruck(&self, draft: &mut ScheduleWriter) -> Result<(), InputError> {
        let ranks = draft.ranks();
        let transfers = u128::from(ranks) * bruck::rounds(ranks);
        let extent = Extent {
            transfers,
            joins: transfers,
            edges: 4 * transfers,
            bytes: bruck::blocks(ranks).saturating_mul(self.message.0.into()),
        };
        draft.expect("message", self.message, &extent)?;
        let pairs = u64::from(ranks) * u64::from(ranks);
        bruck::all_to_all(&mut Job::of_one_piece(draft, pairs * self.message.0), self.message.0);
        Ok(())
    }

    fn direct(&self, draft: &mut ScheduleWriter, seed: u64) -> Result<(), InputError> {
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
            let trigger = (waiting > 0).then(|| draft.schedule.trigger());
            for (turn, dst) in (0..).zip(self.peers(src, ranks, seed)) {
                let first = (u64::from(src) * u64::from(ranks) + u64::from(dst)) * self.message.0;
                let hop = Hop {
                    src: Member(src),
                    dst: Member(dst),
                    step: turn / window,
                    lane: None,
                    effect: Effect::Copy,
                };
                let transfer = draft.send(&hop, &(first..first + self.message.0), &[]);
                if let (Some(trigger), Some(transfer)) = (trigger, transfer) {
                    draft.schedule.depend(transfer, Milestone::Acked, trigger);
                    if turn >= window {
                        draft.schedule.depend(trigger, Milestone::Delivered, transfer);
                    }
                }
            }
        }
        Ok(())
    }
}
