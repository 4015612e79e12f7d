//! When a run ends before its flows do: at the time it is asked to stop, at a limit, or because nothing new is
//! delivered any more.

use super::engine::Engine;
use super::options::PacketOptions;
use super::queue::EventQueue;
use super::{Continue, Status};

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
    /// A limit: the key that sets it.
    Limit(&'static str),
    /// Nothing new had been delivered since this time.
    Silent(u64),
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
    pub fn new(options: &PacketOptions) -> Self {
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
}

impl<Q: EventQueue> Engine<'_, Q> {
    /// The next event lies beyond the end of time.
    #[cold]
    pub fn out_of_time(&mut self) {
        self.now = self.limits.until;
        self.ended = Some(match self.setup.packet.stop {
            Some(stop) if stop.0 == self.now => Ended::Stopped,
            _ => Ended::Limit("packet.max_time"),
        });
    }

    /// Whether the run may go on, asked at [`Limits::look_at`].
    pub fn goes_on(&mut self, monitor: &mut dyn FnMut(&Status) -> Continue) -> bool {
        if self.unfinished == 0 {
            return false;
        }
        let events = self.counters.events;
        self.ended = if events >= self.limits.most_events {
            Some(Ended::Limit("packet.max_events"))
        } else if monitor(&self.status()) == Continue::No {
            Some(Ended::Told)
        } else {
            self.silence().map(Ended::Silent)
        };
        self.limits.look_at = (events + LOOK_EVERY).min(self.limits.most_events);
        self.ended.is_none()
    }

    /// Since when packets travel and bring nothing new, where that has lasted too long. Waiting is no silence: no
    /// packet travels while a delay passes, and while links are yet to change or routing to notice, all is open.
    fn silence(&mut self) -> Option<u64> {
        let (hops, flows) = (self.counters.packet_hops, self.unfinished as u64);
        if self.news != self.limits.news || self.awaits_changes() {
            (self.limits.news, self.limits.hops, self.limits.time) = (self.news, hops, self.now);
            return None;
        }
        let patience = SILENT_HOPS + SILENT_HOPS_PER_FLOW * flows;
        if hops - self.limits.hops < patience {
            return None;
        }
        let senders = self.queue_pairs.iter().filter_map(|pair| self.senders.get(pair.sender));
        let longest = senders
            .map(|sender| sender.timeout.wait(u32::MAX - 1))
            .max()
            .unwrap_or(0);
        let silent = self.now - self.limits.time;
        (silent >= longest.saturating_mul(SILENT_TIMEOUTS)).then_some(self.limits.time)
    }
}
