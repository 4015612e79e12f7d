//! What a rank map costs, while ranks move.

use super::footprints::{BundleId, Footprints};
use super::key::{Key, Objective};
use crate::ids::{Id, IdVec, LinkId, NodeId, id};
use crate::loads::TopTwo;
use crate::routes::EdgeId;

id! {
    /// A place for a rank: one of the hosts.
    pub(super) SeatId;
}

/// Loads by step and bundle, and what goes back when a move is taken back.
#[derive(Debug)]
pub(super) struct LoadTracker<'a> {
    prints: Footprints<'a>,
    objective: Objective,
    /// The host of each seat, and its edge.
    hosts: IdVec<SeatId, u32>,
    edges: IdVec<SeatId, EdgeId>,
    /// Where the cables of hosts differ: picoseconds per byte out of and into each seat.
    cables: Option<IdVec<SeatId, [f64; 2]>>,
    cells_per_step: usize,
    top: TopTwo,
    bytes: f64,
    delay: f64,
    undo: Vec<Change>,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Cell(u32, f64),
    Sums(f64, f64),
}

/// A state of a tracker to go back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark(usize);

impl<'a> LoadTracker<'a> {
    /// With nothing on any link.
    pub(super) fn new(prints: Footprints<'a>, objective: Objective, hosts: &[u32], steps: usize) -> Self {
        let edges = hosts.iter().map(|&host| prints.edge(host)).collect();
        let cables = unequal_cables(&prints, hosts);
        let cells_per_step = prints.bundles() + if cables.is_some() { 2 * hosts.len() } else { 0 };
        let cells = match objective {
            Objective::Congestion => steps * cells_per_step,
            Objective::Bytes => 0,
        };
        Self {
            prints,
            objective,
            edges,
            hosts: hosts.to_vec().into(),
            cables,
            cells_per_step,
            top: TopTwo::new(cells),
            bytes: 0.0,
            delay: 0.0,
            undo: Vec::new(),
        }
    }

    pub(super) fn prints(&mut self) -> &mut Footprints<'a> {
        &mut self.prints
    }

    pub(super) fn objective(&self) -> Objective {
        self.objective
    }

    /// All seats.
    pub(super) fn seats(&self) -> impl ExactSizeIterator<Item = SeatId> + use<> {
        self.edges.ids()
    }

    /// The host of a seat.
    pub(super) fn host(&self, seat: SeatId) -> u32 {
        self.hosts[seat]
    }

    /// The edge of a seat.
    pub(super) fn edge(&self, seat: SeatId) -> EdgeId {
        self.edges[seat]
    }

    pub(super) fn key(&self) -> Key {
        match self.objective {
            Objective::Congestion => {
                let [first, second] = self.top.largest();
                Key([first, second, self.delay])
            }
            Objective::Bytes => Key([self.bytes, self.delay, 0.0]),
        }
    }

    /// Bytes times the links that they cross.
    pub(super) fn bytes(&self) -> f64 {
        self.bytes
    }

    /// The most loaded bundle, or cable behind all bundles, with its step.
    pub(super) fn worst(&self) -> (usize, BundleId) {
        let place = self.top.place_of_largest();
        let bundle = BundleId::from_index(place % self.cells_per_step);
        (place / self.cells_per_step, bundle)
    }

    /// The slowest link of the most loaded bundle.
    pub(super) fn worst_link(&self) -> Option<LinkId> {
        match self.objective {
            Objective::Congestion => self.prints.slowest(self.worst().1),
            Objective::Bytes => None,
        }
    }

    /// Whether a bundle begins or ends at the edge of a seat.
    pub(super) fn touches(&self, seat: SeatId, bundle: BundleId) -> bool {
        let node = self.prints.node(self.edge(seat));
        let ends = |link: LinkId| self.prints.fabric().link(link);
        self.prints
            .slowest(bundle)
            .is_none_or(|link| ends(link).from == node || ends(link).to == node)
    }

    /// Puts bytes between two seats on the links, or takes them off where they are negative.
    pub(super) fn add(&mut self, step: usize, from: SeatId, to: SeatId, bytes: f64) {
        let (src, dst) = (self.edges[from], self.edges[to]);
        let print = self.prints.of(src, dst);
        self.undo.push(Change::Sums(self.bytes, self.delay));
        self.bytes += bytes * print.hops;
        self.delay += bytes.signum() * print.delay;
        if self.objective == Objective::Bytes {
            return;
        }
        let first = step * self.cells_per_step;
        let own = self.cables.as_ref().map(|cables| {
            let bundles = self.prints_bundles();
            [(from, 0), (to, 1)].map(|(seat, side)| (bundles + 2 * seat.index() + side, cables[seat][side]))
        });
        let print = self.prints.of(src, dst);
        let shares = print.shares.iter().map(|share| (share.bundle.index(), share.time));
        for (cell, time) in shares.chain(own.into_iter().flatten()) {
            let cell = first + cell;
            let before = self.top.get(cell);
            self.undo.push(Change::Cell(cell as u32, before));
            self.top.set(cell, before + bytes * time);
        }
    }

    fn prints_bundles(&self) -> usize {
        self.prints.bundles()
    }

    /// Where to come back to.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.undo.len())
    }

    /// Takes back all since the mark, exactly.
    pub(super) fn roll_back(&mut self, mark: Mark) {
        while self.undo.len() > mark.0 {
            match self.undo.pop() {
                Some(Change::Cell(cell, before)) => self.top.set(cell as usize, before),
                Some(Change::Sums(bytes, delay)) => (self.bytes, self.delay) = (bytes, delay),
                None => return,
            }
        }
    }

    /// Keeps all that was done.
    pub(super) fn keep(&mut self) {
        self.undo.clear();
    }

    /// Takes everything off.
    pub(super) fn clear(&mut self) {
        self.top = TopTwo::new(self.top.count());
        (self.bytes, self.delay) = (0.0, 0.0);
        self.undo.clear();
    }
}

/// Picoseconds per byte out of and into each host, where they are not all the same: else no order changes them.
fn unequal_cables(prints: &Footprints<'_>, hosts: &[u32]) -> Option<IdVec<SeatId, [f64; 2]>> {
    let fabric = prints.fabric();
    let of = |&host: &u32| {
        let time = |link| 1.0 / fabric.link(link).rate.bytes_per_ps().max(1e-12);
        let own = fabric.attachment(NodeId(host));
        own.map_or([0.0; 2], |own| [time(own.up), time(own.down)])
    };
    let cables: IdVec<SeatId, [f64; 2]> = hosts.iter().map(of).collect();
    let differ = cables.iter().any(|cable| Some(cable) != cables.first());
    differ.then_some(cables)
}
