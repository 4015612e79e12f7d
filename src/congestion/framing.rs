//! How payload becomes bytes on the wire.

/// What the bytes of a transfer look like on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// A fluid: payload alone, and its first byte leaves a switch when it enters. The flow engine.
    Fluid,
    /// Packets of at most `payload` data bytes with `header` more, stored and forwarded.
    Packets {
        /// Data bytes of a full packet.
        payload: u64,
        /// Header bytes of every packet.
        header: u64,
    },
}

impl Framing {
    /// The fewest bytes in which `bytes` of payload can travel: full packets but for the last.
    pub fn wire(self, bytes: u64) -> u64 {
        match self {
            Self::Fluid => bytes,
            Self::Packets { payload, header } => {
                let packets = bytes.div_ceil(payload.max(1));
                bytes.saturating_add(packets.saturating_mul(header))
            }
        }
    }

    /// The size of the smallest packet that carries data, as some placement may cut it.
    pub(super) fn smallest_packet(self) -> f64 {
        match self {
            Self::Fluid => 0.0,
            Self::Packets { header, .. } => header as f64 + 1.0,
        }
    }

    /// The least ratio of bytes on the wire to payload.
    pub(super) fn overhead(self) -> f64 {
        match self {
            Self::Fluid => 1.0,
            Self::Packets { payload, header } => 1.0 + header as f64 / payload.max(1) as f64,
        }
    }
}
