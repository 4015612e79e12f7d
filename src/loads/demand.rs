//! The demand between the edges of a fabric, by dense index (see [`EdgeSwitches`](crate::routes::EdgeSwitches)).

use std::collections::HashMap;

use crate::ids::{Id, IdVec, id};
use crate::routes::EdgeId;

id! {
    /// An ordered pair of edges, in the order in which they are first met.
    pub(crate) PairId;
}

/// An amount from one edge to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PairAmount {
    pub dst: EdgeId,
    pub src: EdgeId,
    pub amount: f64,
}

/// Numbers ordered pairs of edges in the order in which they are first met.
#[derive(Debug, Clone)]
pub(crate) struct PairIndex {
    numbers: Numbers,
    /// Destination and source of each number.
    pairs: IdVec<PairId, (EdgeId, EdgeId)>,
}

/// The number of each pair.
#[derive(Debug, Clone)]
enum Numbers {
    /// By destination, then source; a destination's row is allocated when first used.
    Rows(IdVec<EdgeId, IdVec<EdgeId, PairId>>),
    /// Where rows of all edges would not fit.
    Map(HashMap<(EdgeId, EdgeId), PairId>),
}

/// Edges whose pairs have room in rows: 256 MB.
const MOST_ROWS: usize = 8_192;

impl PairIndex {
    pub(crate) fn new(edges: usize) -> Self {
        Self {
            numbers: match edges {
                0..=MOST_ROWS => Numbers::Rows(IdVec::filled(IdVec::new(), edges)),
                _ => Numbers::Map(HashMap::new()),
            },
            pairs: IdVec::new(),
        }
    }

    /// The number of a pair; the next free one where it has none yet.
    #[inline]
    pub(crate) fn number(&mut self, src: EdgeId, dst: EdgeId) -> PairId {
        let number = match &mut self.numbers {
            Numbers::Rows(rows) => {
                let edges = rows.len();
                let row = &mut rows[dst];
                if row.is_empty() {
                    row.resize(edges, PairId::NONE);
                }
                &mut row[src]
            }
            Numbers::Map(map) => map.entry((dst, src)).or_insert(PairId::NONE),
        };
        if *number == PairId::NONE {
            *number = self.pairs.push((dst, src));
        }
        *number
    }

    /// The number of a pair that has one.
    #[inline]
    pub(crate) fn of(&self, src: EdgeId, dst: EdgeId) -> PairId {
        match &self.numbers {
            Numbers::Rows(rows) => rows[dst][src],
            Numbers::Map(map) => map[&(dst, src)],
        }
    }

    /// Forgets all numbers, in time proportional to how many there are.
    pub(crate) fn clear(&mut self) {
        for &(dst, src) in &self.pairs {
            match &mut self.numbers {
                Numbers::Rows(rows) => rows[dst][src] = PairId::NONE,
                Numbers::Map(map) => _ = map.remove(&(dst, src)),
            }
        }
        self.pairs.clear();
    }
}

/// Sums over ordered pairs of edges.
#[derive(Debug, Clone)]
pub(crate) struct PairSums {
    index: PairIndex,
    sums: IdVec<PairId, f64>,
}

impl PairSums {
    pub(crate) fn new(edges: usize) -> Self {
        Self {
            index: PairIndex::new(edges),
            sums: IdVec::new(),
        }
    }

    /// Adds an amount.
    #[inline]
    pub(crate) fn add(&mut self, src: EdgeId, dst: EdgeId, amount: f64) {
        let number = self.index.number(src, dst);
        match self.sums.get_mut(number) {
            Some(sum) => *sum += amount,
            None => _ = self.sums.push(amount),
        }
    }

    /// All sums, in order of destination and source; leaves nothing behind.
    pub(crate) fn take(&mut self) -> Vec<PairAmount> {
        let pairs = self.index.pairs.iter().zip(&self.sums);
        let mut taken: Vec<_> = pairs
            .map(|(&(dst, src), &amount)| PairAmount { dst, src, amount })
            .collect();
        taken.sort_unstable_by_key(|pair| (pair.dst, pair.src));
        self.index.clear();
        self.sums.clear();
        taken
    }
}

/// The demands to one destination at a time.
pub(crate) fn by_destination(demand: &[PairAmount]) -> impl Iterator<Item = &[PairAmount]> {
    demand.chunk_by(|a, b| a.dst == b.dst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_sorted_and_taken_once() {
        let mut sums = PairSums::new(3);
        for (src, dst, amount) in [(2, 1, 1.0), (0, 1, 2.0), (2, 1, 3.0), (1, 0, 5.0)] {
            sums.add(EdgeId(src), EdgeId(dst), amount);
        }
        let taken: Vec<_> = sums.take().iter().map(|p| (p.dst.0, p.src.0, p.amount)).collect();
        assert_eq!(taken, [(0, 1, 5.0), (1, 0, 2.0), (1, 2, 4.0)]);
        assert!(sums.take().is_empty());
    }
}
