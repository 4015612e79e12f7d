//! Gray links: what gets lost on a cable that is up.
//!
//! A packet is lost at the far end, after it has taken its time on the wire. Every link draws from a stream of its own,
//! one number for each packet that crosses it while it loses any.

use rand::Rng;

use super::setup::Setup;
use crate::ids::{Id, IdVec, LinkId, id};
use crate::rng::{Stream, stream};
use crate::topology::Loss;

/// All links that ever lose packets.
#[derive(Debug, Default)]
pub(super) struct GrayLinks {
    /// Position by link, or NONE; empty where no link is gray.
    position: IdVec<LinkId, GrayId>,
    links: IdVec<GrayId, GrayLink>,
}

#[derive(Debug)]
struct GrayLink {
    loss: Loss,
    /// From when on it loses another share.
    changes: Vec<(u64, Loss)>,
    /// The first of these that has not come.
    next: usize,
    random: Stream,
}

id! {
    /// A gray link among them all.
    GrayId;
}

impl GrayLinks {
    pub(super) fn new(setup: &Setup<'_>) -> Self {
        let mut gray = Self::default();
        for change in setup.fabric.losses() {
            gray.position.resize(setup.fabric.links().len(), GrayId::NONE);
            let position = &mut gray.position[change.link];
            if *position == GrayId::NONE {
                *position = gray.links.push(GrayLink {
                    loss: Loss::NONE,
                    changes: Vec::new(),
                    next: 0,
                    random: stream(setup.seed, "gray-link", u64::from(change.link.0)),
                });
            }
            let link = &mut gray.links[*position];
            link.changes.push((change.at.0, change.loss));
        }
        gray
    }

    /// Whether any link is ever gray.
    pub(super) fn any(&self) -> bool {
        !self.links.is_empty()
    }

    /// Whether a packet is lost that has crossed a link now.
    #[inline]
    pub(super) fn loses(&mut self, link: LinkId, now: u64) -> bool {
        match self.position.get(link) {
            None | Some(&GrayId::NONE) => false,
            Some(&position) => self.links[position].loses(now),
        }
    }
}

impl GrayLink {
    fn loses(&mut self, now: u64) -> bool {
        while let Some(&(at, loss)) = self.changes.get(self.next)
            && at <= now
        {
            self.loss = loss;
            self.next += 1;
        }
        !self.loss.is_none() && self.loss.takes(self.random.next_u64())
    }
}
