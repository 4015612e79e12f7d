//! The table of ways in which a host chooses the path of each packet, and what each of them is asked.

use super::bitmap::BitmapState;
use super::mrc::MrcState;
use super::permuted::Permuted;
use super::plb::PlbState;
use super::random::Random;
use super::reps::RepsState;
use super::weighted::Weighted;

/// An acknowledgement as a host's choice sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AckInfo {
    /// How long after its packet, in ps.
    pub rtt: u64,
    pub path: u16,
    pub marked: bool,
    /// Number of the acknowledged packet, and of the first packet not sent yet.
    pub seq: u32,
    pub next: u32,
}

#[cfg(test)]
impl AckInfo {
    /// Of a packet on a path; for choices that look at nothing else.
    pub(super) fn of(path: u16, marked: bool) -> Self {
        Self {
            rtt: 0,
            path,
            marked,
            seq: 0,
            next: 0,
        }
    }
}

/// A row of the table: the choice of one queue pair that has several paths.
pub(crate) trait Select {
    /// The path of the next packet; numbers from the count of paths on start over.
    fn choose(&mut self, now: u64) -> u16;

    /// An acknowledgement came back.
    fn on_ack(&mut self, _ack: AckInfo) {}

    /// A packet on this path was trimmed.
    fn on_trimmed(&mut self, _path: u16, _now: u64) {}

    /// Nothing was heard for a retransmission timeout: all that was waited for is lost.
    fn on_timeout(&mut self, _now: u64) {}

    /// A path that was named is not taken after all.
    fn give_back(&mut self, _path: u16) {}

    /// Whether packets take paths of any port, one by one.
    fn sprays(&self) -> bool {
        true
    }

    /// Whether the paths that it names are found out, so that none is to be thrown away.
    fn learns(&self) -> bool {
        false
    }
}

/// Declares the enum of choices, which hands every question to the one that it holds. A `match` and no trait object: it
/// is asked for every packet.
macro_rules! selectors {
    ($($(#[$attribute:meta])* $variant:ident($state:ty);)*) => {
        /// A host's choice of paths for one queue pair.
        #[derive(Debug, Clone)]
        pub(crate) enum PathSelector {
            /// One path, or the switches decide.
            Fixed,
            $($(#[$attribute])* $variant($state),)*
        }

        impl Select for PathSelector {
            #[inline]
            fn choose(&mut self, now: u64) -> u16 {
                match self {
                    Self::Fixed => 0,
                    $($(#[$attribute])* Self::$variant(state) => state.choose(now),)*
                }
            }

            #[inline]
            fn on_ack(&mut self, ack: AckInfo) {
                match self {
                    Self::Fixed => {}
                    $($(#[$attribute])* Self::$variant(state) => state.on_ack(ack),)*
                }
            }

            fn on_trimmed(&mut self, path: u16, now: u64) {
                match self {
                    Self::Fixed => {}
                    $($(#[$attribute])* Self::$variant(state) => state.on_trimmed(path, now),)*
                }
            }

            fn on_timeout(&mut self, now: u64) {
                match self {
                    Self::Fixed => {}
                    $($(#[$attribute])* Self::$variant(state) => state.on_timeout(now),)*
                }
            }

            fn give_back(&mut self, path: u16) {
                match self {
                    Self::Fixed => {}
                    $($(#[$attribute])* Self::$variant(state) => state.give_back(path),)*
                }
            }

            fn sprays(&self) -> bool {
                match self {
                    Self::Fixed => false,
                    $($(#[$attribute])* Self::$variant(state) => state.sprays(),)*
                }
            }

            fn learns(&self) -> bool {
                match self {
                    Self::Fixed => false,
                    $($(#[$attribute])* Self::$variant(state) => state.learns(),)*
                }
            }
        }
    };
}

selectors! {
    Random(Random);
    Permuted(Permuted);
    Weighted(Weighted);
    Reps(RepsState);
    Bitmap(BitmapState);
    Mrc(MrcState);
    Plb(PlbState);
    #[cfg(test)]
    Alternating(super::alternating::AlternatingState);
}

impl PathSelector {
    /// Whether there is nothing to choose.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed)
    }
}
