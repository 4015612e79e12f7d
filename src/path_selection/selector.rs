//! The table of ways in which a host chooses the path of each packet.

use super::bitmap::BitmapState;
use super::mrc::MrcState;
use super::permuted::Permuted;
use super::plb::PlbState;
use super::random::Random;
use super::reps::RepsState;
use super::select::{AckInfo, Select};
use super::weighted::Weighted;

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

        $($(#[$attribute])* impl From<$state> for PathSelector {
            fn from(state: $state) -> Self {
                Self::$variant(state)
            }
        })*

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
