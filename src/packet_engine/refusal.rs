//! Which part of a setup cannot be simulated, and why.

use crate::input::InputError;

/// A part of a [`Setup`](super::Setup).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its fabric.
    Fabric,
    /// Its schedule, as placed.
    Schedule,
    /// How its packets find their way.
    LoadBalancing,
    /// The options of its transport.
    Transport,
    /// The options of packets and hosts.
    Packet,
    /// The options of switches.
    Switch,
    /// Samples of links.
    Series,
    /// Samples of senders.
    Senders,
}

/// What a setup is refused for. Who made the setup knows what its parts are called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Refusal {
    /// Where it is wrong.
    pub part: Part,
    /// What is wrong, at a key of the options of that part, or at none.
    pub error: InputError,
}

impl Part {
    /// An error of a part as a whole.
    pub(super) fn refused(self, message: impl Into<String>) -> Refusal {
        self.refused_at("", message)
    }

    /// An error at one of the options of a part.
    pub(super) fn refused_at(self, key: &str, message: impl Into<String>) -> Refusal {
        self.of(InputError::key(key, message))
    }

    /// An error that the options of a part report themselves.
    pub(super) fn of(self, error: InputError) -> Refusal {
        Refusal { part: self, error }
    }
}

impl Refusal {
    /// The same with its remedy.
    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.error = self.error.help(help);
        self
    }
}
