//! Gray links: cables that are up and lose a share of the packets.

use crate::ids::LinkId;
use crate::input::InputError;
use crate::units::Time;

/// A share of packets, in units of 2^-32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Loss(u64);

impl Loss {
    /// No packet.
    pub const NONE: Self = Self(0);

    /// A share from 0 to 1. The key of the error is `loss`.
    pub fn new(share: f64) -> Result<Self, InputError> {
        if !(0.0..=1.0).contains(&share) {
            let error = InputError::key("loss", format!("{share} is no share of packets"));
            return Err(error.help("`loss` is from 0 to 1, such as 1e-5"));
        }
        let units = (share * (1_u64 << 32) as f64).round() as u64;
        // What is written as a loss is one.
        Ok(Self(if share > 0.0 { units.max(1) } else { 0 }))
    }

    /// As a number from 0 to 1.
    pub fn share(self) -> f64 {
        self.0 as f64 / (1_u64 << 32) as f64
    }

    /// Whether no packet is lost.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether the packet is lost to which chance gives this number.
    pub fn takes(self, draw: u64) -> bool {
        draw >> 32 < self.0
    }
}

/// From a time on a link loses another share of its packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LossChange {
    /// When.
    pub at: Time,
    /// The link, in one direction.
    pub link: LinkId,
    /// Its share from then on.
    pub loss: Loss,
}
