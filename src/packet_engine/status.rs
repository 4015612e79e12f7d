//! How far a run has come, and whether it goes on.

use crate::units::Time;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Simulated time.
    pub now: Time,
    /// Events processed.
    pub events: u64,
    /// Transfers without their last acknowledgement.
    pub unfinished: usize,
    /// Data packets sent at least once, and those of all transfers.
    pub sent: u64,
    /// Data packets of all transfers.
    pub packets: u64,
    /// When the run stops, whatever is left.
    pub stop: Option<Time>,
    /// Runs that are done of those that a load balancing learns from, and how many there are.
    pub rehearsed: u32,
    /// All of them.
    pub rehearsals: u32,
}

impl Status {
    /// How much of the data has been sent, or of the time has passed, from 0 to 1; with rehearsals, of all runs.
    pub fn fraction(&self) -> f64 {
        let sent = self.sent as f64 / self.packets.max(1) as f64;
        let passed = self.stop.map_or(0.0, |stop| self.now.0 as f64 / stop.0 as f64);
        let of_run = sent.max(passed).min(1.0);
        (f64::from(self.rehearsed) + of_run) / (f64::from(self.rehearsals) + 1.0)
    }
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continue {
    /// It goes on.
    Yes,
    /// It ends, with [`Stuck`](crate::outcome::Stuck).
    No,
}
