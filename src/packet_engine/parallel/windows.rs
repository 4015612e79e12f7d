//! Threads that go on together from window to window, and one that goes on alone where the end is near.

use std::sync::{Arc, Mutex, PoisonError};
use std::{panic, thread};

use super::ids::PartId;
use super::parted::Parted;
use super::parts::Parts;
use super::rendezvous::Rendezvous;
use crate::ids::IdVec;
use crate::packet_engine::engine::Engine;
use crate::packet_engine::limits::{Ended, State};
use crate::packet_engine::packet::Event;
use crate::packet_engine::queue::Wheel;
use crate::packet_engine::setup::Setup;
use crate::packet_engine::status::{Continue, Status};
use crate::path_selection::Policy;
use crate::units::Time;

/// The state of one part.
pub(super) type Part<'a> = Engine<'a, Parted<Wheel>>;

type Monitor<'m> = &'m mut dyn FnMut(&Status) -> Continue;

/// How far a part has come, or all of them.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    /// When the next event comes, in ps.
    next: Option<u64>,
    now: u64,
    events: u64,
    hops: u64,
    news: u64,
    sent: u64,
    delivered: u64,
    unfinished: usize,
    /// The run has to start over.
    fails: bool,
    /// The run has ended early.
    ended: bool,
}

impl Standing {
    fn of(engine: &mut Part<'_>) -> Self {
        Self {
            next: engine.next_event().map(|(time, _)| time),
            now: engine.net.events.clock(),
            events: engine.events,
            hops: engine.net.packet_hops,
            news: engine.receiving.news,
            sent: engine.sending.packets - engine.sending.retransmits,
            delivered: engine.flows.delivered,
            unfinished: engine.flows.unfinished,
            fails: engine.net.repinned || matches!(engine.ended, Some(Ended::Silent(_))),
            ended: engine.ended.is_some(),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            next: self.next.into_iter().chain(other.next).min(),
            now: self.now.max(other.now),
            events: self.events + other.events,
            hops: self.hops + other.hops,
            news: self.news + other.news,
            sent: self.sent + other.sent,
            delivered: self.delivered + other.delivered,
            unfinished: self.unfinished + other.unfinished,
            fails: self.fails | other.fails,
            ended: self.ended | other.ended,
        }
    }
}

/// What a part tells the others before a window, in one of two places in turn: who is still reading the one is not overtaken by more than a
/// window.
#[derive(Debug, Default)]
struct Post {
    standing: Standing,
    /// Events by the part in which they happen.
    mail: IdVec<PartId, Vec<Event>>,
}

/// What all threads share.
struct Meeting<'p> {
    parts: &'p Parts,
    rendezvous: Rendezvous,
    posts: [IdVec<PartId, Mutex<Post>>; 2],
    /// Transfers in all.
    transfers: u64,
    /// Nothing happens after this time.
    until: u64,
}

/// Runs all parts of a setup to its end; none where it has to start over with one thread.
pub(super) fn run<'a>(
    parts: &Parts,
    taught: (u32, &Policy),
    setup: &'a Setup<'a>,
    monitor: Monitor<'_>,
) -> Option<IdVec<PartId, Part<'a>>> {
    let meeting = Meeting::new(parts, setup);
    let borders = Arc::new(parts.borders.clone());
    let begin = |part| {
        let (rehearsed, policy) = taught;
        let mut engine = Part::after(rehearsed, policy.clone(), setup);
        engine.flows.stay(setup, |task| parts.homes[task] == part);
        engine.net.events.queue.settle(part, parts.count, Arc::clone(&borders));
        engine.begin();
        engine
    };
    let meeting = &meeting;
    let mut engines: IdVec<PartId, Part<'a>> = thread::scope(|scope| {
        let others = parts.ids().skip(1).map(|part| {
            let begin = &begin;
            scope.spawn(move || meeting.attend(part, || begin(part), &mut |_, _| ()))
        });
        let others: Vec<_> = others.collect();
        let first = meeting.attend(PartId(0), || begin(PartId(0)), &mut |engine, all| {
            look(engine, all, monitor);
        });
        let others = others.into_iter().map(|other| match other.join() {
            Ok(engine) => engine,
            Err(panic) => panic::resume_unwind(panic),
        });
        std::iter::once(first).chain(others).collect()
    });
    let goes_on = standing(&mut engines);
    if !goes_on.fails && !goes_on.ended {
        finish(&mut engines, monitor);
    }
    (!standing(&mut engines).fails).then_some(engines)
}

impl<'p> Meeting<'p> {
    fn new(parts: &'p Parts, setup: &Setup<'_>) -> Self {
        let post = || Post {
            mail: IdVec::filled(Vec::new(), parts.count as usize),
            ..Post::default()
        };
        let posts = || parts.ids().map(|_| Mutex::new(post())).collect();
        Self {
            parts,
            rendezvous: Rendezvous::new(parts.count),
            posts: [posts(), posts()],
            transfers: setup.schedule.transfer_count() as u64,
            until: setup.packet.end().0,
        }
    }

    /// One part's way through all windows, to where one thread goes on. `look` looks at all of the run now and then.
    fn attend<'a>(
        &self,
        part: PartId,
        begin: impl FnOnce() -> Part<'a>,
        look: &mut dyn FnMut(&mut Part<'a>, &Standing),
    ) -> Part<'a> {
        let _attendance = self.rendezvous.attend();
        let mut engine = begin();
        for posts in self.posts.iter().cycle() {
            self.post(part, &mut engine, posts);
            if !self.rendezvous.wait() {
                break;
            }
            let all = self.read(part, &mut engine, posts);
            let Some(end) = self.window(&all) else { break };
            look(&mut engine, &all);
            engine.run_until(end);
        }
        engine
    }

    /// Tells the others how far a part is, and what happens in theirs.
    fn post(&self, part: PartId, engine: &mut Part<'_>, posts: &IdVec<PartId, Mutex<Post>>) {
        let mut post = posts[part].lock().unwrap_or_else(PoisonError::into_inner);
        let mut standing = Standing::of(engine);
        // The lists that come back are empty: all have read them.
        let outside = engine.net.events.queue.send(&mut post.mail);
        standing.next = standing.next.into_iter().chain(outside).min();
        post.standing = standing;
    }

    /// Takes what happens in a part, and learns how far all are.
    fn read(&self, part: PartId, engine: &mut Part<'_>, posts: &IdVec<PartId, Mutex<Post>>) -> Standing {
        let mut all = Standing::default();
        for post in posts {
            let mut post = post.lock().unwrap_or_else(PoisonError::into_inner);
            all = all.and(post.standing);
            let mail = post.mail[part].drain(..);
            mail.for_each(|event| engine.net.events.queue.receive(event));
        }
        all
    }

    /// The end of the next window, in ps; none where it may be the last.
    fn window(&self, all: &Standing) -> Option<u64> {
        let next = all.next.filter(|&next| next <= self.until)?;
        let goes_on = all.delivered < self.transfers && !all.fails && !all.ended;
        goes_on.then(|| next.saturating_add(self.parts.lookahead).min(self.until + 1))
    }
}

/// How far all parts are.
fn standing(engines: &mut IdVec<PartId, Part<'_>>) -> Standing {
    let all = engines.iter_mut().map(Standing::of);
    all.fold(Standing::default(), Standing::and)
}

/// Asks the monitor whether the run goes on, if it is time, and looks whether it brings anything new.
fn look(engine: &mut Part<'_>, all: &Standing, monitor: Monitor<'_>) {
    if all.events < engine.limits.look_at {
        return;
    }
    let status = Status {
        now: Time(all.now),
        events: all.events,
        unfinished: all.unfinished,
        sent: all.sent,
        ..engine.status()
    };
    let state = State {
        news: all.news,
        hops: all.hops,
        awaits_changes: false,
        // One thread will find out how long the longest timeout is.
        longest_timeout: &|| 0,
    };
    engine.ended = engine.limits.look(&status, &state, monitor);
}

/// Takes the earliest event of all parts, one by one, to the end.
fn finish(engines: &mut IdVec<PartId, Part<'_>>, monitor: Monitor<'_>) {
    let mut all = standing(engines);
    while all.unfinished > 0 && !all.fails && !all.ended {
        let nexts = engines
            .iter_mut()
            .map(Part::next_event)
            .zip(0..)
            .map(|(next, part)| (next, PartId(part)));
        let earliest = nexts.filter(|(next, _)| next.is_some()).min();
        let Some((_, part)) = earliest else { break };
        engines[part].step();
        deliver(engines, part);
        all = standing(engines);
        look(&mut engines[PartId(0)], &all, monitor);
    }
}

/// Hands over what happens in other parts.
fn deliver(engines: &mut IdVec<PartId, Part<'_>>, part: PartId) {
    for other in engines.ids() {
        for event in std::mem::take(&mut engines[part].net.events.queue.outbox[other]) {
            engines[other].net.events.queue.receive(event);
        }
    }
}
