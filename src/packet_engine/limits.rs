//! When a run ends before its flows do: at the time it is asked to stop, at a limit, or because nothing new is
//! delivered any more.

use super::options::PacketOptions;
use super::status::{Continue, Status};
use crate::outcome::Limit;

/// The monitor is asked, and the watchdog looks, after so many events.
const LOOK_EVERY: u64 = 1 << 20;

/// In silence, so many link traversals pass before the watchdog ends a run, and for every unfinished flow so many more.
const SILENT_HOPS: u64 = 1 << 20;
const SILENT_HOPS_PER_FLOW: u64 = 1 << 10;
/// Also as many of the longest timeouts.
const SILENT_TIMEOUTS: u64 = 2;

/// Why a run ended before all its flows did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was to stop then.
    Stopped,
    /// Whoever watched it had enough.
    Told,
    /// A limit.
    Limit(Limit),
    /// Nothing new had been delivered since this time.
    Silent(u64),
}

/// What the watchdog looks at.
pub(super) struct State<'a> {
    /// New data packets, and link traversals.
    pub news: u64,
    pub hops: u64,
    /// Links are yet to change, or routing is yet to notice that they have.
    pub awaits_changes: bool,
    /// The longest retransmission timeout of any sender, in ps.
    pub longest_timeout: &'a dyn Fn() -> u64,
}

/// How far a run may go.
#[derive(Debug)]
pub(super) struct Limits {
    /// Nothing happens after this time.
    pub until: u64,
    /// Events after which to look next, and after which to end.
    pub look_at: u64,
    most_events: u64,
    /// New data packets when the watchdog last looked, and where the run was when it last saw more.
    news: u64,
    hops: u64,
    time: u64,
}

impl Limits {
    pub(super) fn new(options: &PacketOptions) -> Self {
        let most_events = options.most_events();
        Self {
            until: options.end().0,
            look_at: most_events.min(LOOK_EVERY),
            most_events,
            news: 0,
            hops: 0,
            time: 0,
        }
    }

    /// Whether the run may go on after so many events, and how it ends if not: at the limit, because whoever watches has enough, or as
    /// nothing new has been delivered for too long. To be asked from [`Limits::look_at`] on.
    pub(super) fn look(
        &mut self,
        status: &Status,
        state: &State<'_>,
        monitor: &mut dyn FnMut(&Status) -> Continue,
    ) -> Option<Ended> {
        let events = status.events;
        self.look_at = (events + LOOK_EVERY).min(self.most_events);
        if events >= self.most_events {
            Some(Ended::Limit(Limit::Events))
        } else if monitor(status) == Continue::No {
            Some(Ended::Told)
        } else {
            self.silence(status, state).map(Ended::Silent)
        }
    }

    /// Since when packets travel and bring nothing new, where that has lasted too long. Waiting is no silence: no
    /// packet travels while a delay passes, and while links are yet to change or routing to notice, all is open.
    fn silence(&mut self, status: &Status, state: &State<'_>) -> Option<u64> {
        if state.news != self.news || state.awaits_changes {
            (self.news, self.hops, self.time) = (state.news, state.hops, status.now.0);
            return None;
        }
        let patience = SILENT_HOPS + SILENT_HOPS_PER_FLOW * status.unfinished as u64;
        if state.hops - self.hops < patience {
            return None;
        }
        let longest = (state.longest_timeout)();
        let silent = status.now.0 - self.time;
        (silent >= longest.saturating_mul(SILENT_TIMEOUTS)).then_some(self.time)
    }
}
