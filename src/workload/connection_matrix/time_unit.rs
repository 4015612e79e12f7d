//! The unit of times in a connection matrix, which the file itself does not name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Time;

/// The unit of times in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeUnit {
    /// Picoseconds.
    #[default]
    Ps,
    /// Microseconds.
    Us,
}

impl TimeUnit {
    /// As in the experiment file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ps => "ps",
            Self::Us => "us",
        }
    }

    /// One of it.
    pub fn time(self) -> Time {
        match self {
            Self::Ps => Time(1),
            Self::Us => Time::from_us(1),
        }
    }
}
