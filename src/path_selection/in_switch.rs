//! The table of ways in which switches choose the next link of each packet.

use super::adaptive::AdaptiveState;
use super::flowlet::FlowletState;
use super::round_robin::RoundRobin;
use super::select_link::{Hop, SelectLink};
use crate::ids::LinkId;

/// Declares the enum of choices, which hands every question to the one that it holds.
macro_rules! choices_in_switches {
    ($($variant:ident($state:ty);)*) => {
        /// The switches' choice among their next links.
        #[derive(Debug, Clone)]
        pub(crate) enum InSwitch {
            /// By the path that the packet names.
            ByPath,
            $($variant($state),)*
        }

        $(impl From<$state> for InSwitch {
            fn from(state: $state) -> Self {
                Self::$variant(state)
            }
        })*

        impl SelectLink for InSwitch {
            #[inline]
            fn choose(&mut self, hop: &Hop<'_, impl Fn(LinkId) -> Option<u64>>) -> u32 {
                match self {
                    Self::ByPath => 0,
                    $(Self::$variant(state) => state.choose(hop),)*
                }
            }

            fn restart(&mut self, hops: usize) {
                match self {
                    Self::ByPath => {}
                    $(Self::$variant(state) => state.restart(hops),)*
                }
            }

            fn sprays(&self) -> bool {
                match self {
                    Self::ByPath => false,
                    $(Self::$variant(state) => state.sprays(),)*
                }
            }

            fn sees_queues(&self) -> bool {
                match self {
                    Self::ByPath => false,
                    $(Self::$variant(state) => state.sees_queues(),)*
                }
            }
        }
    };
}

choices_in_switches! {
    RoundRobin(RoundRobin);
    Adaptive(AdaptiveState);
    Flowlet(FlowletState);
}

impl InSwitch {
    /// Whether switches choose at all.
    pub(crate) fn decides(&self) -> bool {
        !matches!(self, Self::ByPath)
    }
}
