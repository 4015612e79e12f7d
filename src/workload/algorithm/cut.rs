//! Data cut into shares, and every share into parts.

use std::iter::successors;
use std::ops::Range;

use crate::ids::id;
use crate::workload::schedule_writer::Data;

/// How the data is cut: sizes of shares differ by at most one byte, and so do sizes of parts.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    pub bytes: u64,
    pub shares: u32,
    pub parts: u32,
}

/// The shares whose number is `common` in all bits but those of `free`; these may have any value.
/// The number of shares is a power of two, unless none is free.
#[derive(Clone, Copy)]
pub(super) struct Shares {
    pub common: u32,
    pub free: u32,
}

id! {
    /// A part among all.
    pub(crate) PartId;
    /// A channel.
    pub(crate) ChannelId;
}

/// One chunk of one channel.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub index: PartId,
    pub channel: ChannelId,
    pub chunk: u32,
}

/// One part of some shares.
pub(super) struct Pieces {
    cut: Cut,
    shares: Shares,
    part: Part,
}

impl Cut {
    /// The part of one share.
    pub(super) fn piece(self, share: u32, part: Part) -> Range<u64> {
        slice(slice(0..self.bytes, self.shares, share), self.parts, part.index.0)
    }

    /// The part of several shares.
    pub(super) fn pieces(self, shares: Shares, part: Part) -> Pieces {
        Pieces {
            cut: self,
            shares,
            part,
        }
    }
}

impl Data for Pieces {
    /// Counts the longer and the shorter shares instead of visiting them, which are up to half of all.
    fn bytes(&self) -> u64 {
        let Self { cut, shares, part } = self;
        let (short, longer) = (cut.bytes / u64::from(cut.shares), cut.bytes % u64::from(cut.shares));
        let longer = shares.below(longer as u32);
        let all = 1 << shares.free.count_ones();
        let part_of = |share: u64| {
            let part = slice(0..share, cut.parts, part.index.0);
            part.end - part.start
        };
        longer * part_of(short + 1) + (all - longer) * part_of(short)
    }

    fn ranges(&self) -> Box<dyn Iterator<Item = Range<u64>> + '_> {
        Box::new(self.shares.iter().map(|share| self.cut.piece(share, self.part)))
    }
}

impl Shares {
    /// In ascending order.
    fn iter(self) -> impl Iterator<Item = u32> {
        // Subtracting the mask counts up in its bits alone.
        let next = move |last: &u32| Some(last.wrapping_sub(self.free) & self.free).filter(|&bits| bits != 0);
        successors(Some(0), next).map(move |bits| self.common | bits)
    }

    /// How many of them are below `limit`.
    fn below(self, limit: u32) -> u64 {
        let mut count = 0;
        for bit in (0..u32::BITS).rev().map(|bit| 1 << bit) {
            let lower = 1_u64 << (self.free & (bit - 1)).count_ones();
            let (own, limits) = (self.common & bit != 0, limit & bit != 0);
            // So far all bits are those of the limit. A lower one here brings the number below it.
            match (self.free & bit != 0, own, limits) {
                (true, _, true) => count += lower,
                (false, false, true) => return count + lower,
                (false, true, false) => return count,
                _ => {}
            }
        }
        count
    }
}

/// Slice `i` of `n` of a range; the first slices are one byte longer where it does not divide evenly.
fn slice(range: Range<u64>, n: u32, i: u32) -> Range<u64> {
    let (n, i) = (u64::from(n), u64::from(i));
    let bytes = range.end - range.start;
    let (base, longer) = (bytes / n, bytes % n);
    let start = range.start + i * base + i.min(longer);
    start..start + base + u64::from(i < longer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_counted_as_they_are_visited() {
        for free in 0..16 {
            for common in (0..16).filter(|common| common & free == 0) {
                let shares = Shares { common, free };
                for limit in 0..=16 {
                    let counted = shares.iter().filter(|&share| share < limit).count() as u64;
                    assert_eq!(shares.below(limit), counted, "{common:b} {free:b} {limit}");
                }
            }
        }
    }
}
