//! One bit per packet of a sliding window.

use crate::packet_engine::prefetch::prefetch;

/// Bits of consecutive packet numbers, `span` (a power of two) of which can be told apart at a time.
/// Spans up to 64 need no memory of their own.
#[derive(Debug, Clone)]
pub(in crate::packet_engine) enum Bits {
    Word(u64),
    Words(Box<[u64]>),
}

impl Bits {
    /// All clear, for windows of at least `span` packets.
    pub(super) fn new(span: u32) -> Self {
        if span <= 64 {
            Self::Word(0)
        } else {
            Self::Words(vec![0; span.next_power_of_two() as usize / 64].into_boxed_slice())
        }
    }

    #[inline]
    fn slot(&self, seq: u32) -> (usize, u64) {
        match self {
            Self::Word(_) => (0, 1 << (seq % 64)),
            Self::Words(words) => ((seq / 64) as usize & (words.len() - 1), 1 << (seq % 64)),
        }
    }

    #[inline]
    pub(super) fn get(&self, seq: u32) -> bool {
        let (word, bit) = self.slot(seq);
        match self {
            Self::Word(bits) => bits & bit != 0,
            Self::Words(words) => words[word] & bit != 0,
        }
    }

    /// Sets the bit; true where it was clear.
    #[inline]
    pub(super) fn set(&mut self, seq: u32) -> bool {
        let (word, bit) = self.slot(seq);
        let word = self.word(word);
        let clear = *word & bit == 0;
        *word |= bit;
        clear
    }

    /// Clears the bit; true where it was set.
    #[inline]
    pub(super) fn clear(&mut self, seq: u32) -> bool {
        let (word, bit) = self.slot(seq);
        let word = self.word(word);
        let set = *word & bit != 0;
        *word &= !bit;
        set
    }

    /// Asks for the word of a bit that lies in memory of its own.
    #[inline]
    pub(super) fn fetch(&self, seq: u32) {
        if let Self::Words(words) = self {
            prefetch(&words[(seq / 64) as usize & (words.len() - 1)]);
        }
    }

    #[inline]
    fn word(&mut self, index: usize) -> &mut u64 {
        match self {
            Self::Word(bits) => bits,
            Self::Words(words) => &mut words[index],
        }
    }
}
