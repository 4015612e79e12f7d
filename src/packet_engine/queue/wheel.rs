//! A timing wheel of two levels whose buckets are sorted when they are reached.
//!
//! The near wheel holds the next [`SLOTS`] buckets of `2^shift` ps from the current one on, round and round,
//! so that an event is placed once; the far wheel's buckets each hold one turn of the near wheel; what lies
//! beyond waits in a heap. A bucket that is reached becomes `current`: not its 32-byte events are
//! sorted but one word for each, made of the time within the bucket, the key and the position. What is
//! pushed into the current bucket meanwhile goes to a small heap. The width adapts to what buckets
//! hold, by powers of two.
//!
//! Where thousands of hosts send in lockstep, buckets that no width could split hold thousands of events. They are
//! sorted at once but become current in windows, as what all of their events touch would not stay in the cache.
//!
//! Timers that run for a constant time are set in the order in which they run out. They wait in lanes, first in, first
//! out, and join a bucket when it is reached, so that they are neither moved from wheel to wheel nor in the way.

use std::collections::{BinaryHeap, VecDeque};

use super::event_queue::EventQueue;
use super::heap::Earliest;
use crate::packet_engine::packet::{Event, Kind, Packet};
use crate::packet_engine::prefetch::prefetch;

/// Buckets of each level, a power of two.
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 11;
/// Buckets start 2^12 ps wide and stay between 2^4 and 2^20 ps.
const FIRST_SHIFT: u32 = 12;
const SHIFTS: std::ops::RangeInclusive<u32> = 4..=20;
/// Bits of a sort word for the time in the bucket and the position there; the other half is the key.
const TIME_AND_POSITION_BITS: u32 = 32;
/// Events that are current at a time: about what fits a second-level cache with all that they touch.
const WINDOW: usize = 1 << 10;
/// Buckets up to this size become current as a whole: copying windows costs more than the cache gains.
const LARGE: usize = 4 * WINDOW;
/// Fills memory that holds no event yet.
const NO_EVENT: Event = Event {
    time: 0,
    key: 0,
    packet: Packet::alarm(Kind::Task, 0),
};
/// Lengths of timers that are told apart.
const LANES: usize = 2;
/// Events of a sub-flow of memory that buckets are made of, a power of two.
const CHUNK: usize = 16;
/// The width is judged after so many buckets with events, and kept while they hold this many on average.
const JUDGED_BUCKETS: u32 = 512;
const GOOD_FILL: std::ops::RangeInclusive<u32> = 16..=128;

/// The bits of a sort word that hold a position, in buckets of `2^shift` ps.
const fn positions(shift: u32) -> u64 {
    (1 << (TIME_AND_POSITION_BITS - shift)) - 1
}

/// The memory of all buckets, in chunks of [`CHUNK`] events: a bucket is a chain of them, from the last one back.
/// What a chunk held is read at once, and the chunk is used again while it is still in the cache.
#[derive(Debug)]
struct Chunks {
    events: Vec<Event>,
    /// The chunk before each in its bucket; 0, which is never used, before the first.
    previous: Vec<u32>,
    free: Vec<u32>,
}

impl Default for Chunks {
    fn default() -> Self {
        Self {
            events: vec![NO_EVENT; CHUNK],
            previous: vec![0],
            free: Vec::new(),
        }
    }
}

impl Chunks {
    /// A chunk that continues a bucket; says where its first event goes.
    fn extend(&mut self, tail: u32) -> u32 {
        let last = (tail as usize).saturating_sub(1) / CHUNK;
        let chunk = self.free.pop().unwrap_or_else(|| {
            self.events.resize(self.events.len() + CHUNK, NO_EVENT);
            self.previous.push(0);
            self.previous.len() as u32 - 1
        });
        self.previous[chunk as usize] = last as u32;
        chunk * CHUNK as u32
    }

    /// The events of a bucket, by chunk, the last one first.
    fn of(&self, tail: u32) -> impl Iterator<Item = &[Event]> {
        let mut end = tail as usize;
        std::iter::from_fn(move || {
            let chunk = end.checked_sub(1)? / CHUNK;
            let events = &self.events[chunk * CHUNK..end];
            end = match self.previous[chunk] {
                0 => 0,
                previous => (previous as usize + 1) * CHUNK,
            };
            Some(events)
        })
    }

    /// Asks for the last events of a bucket, as many as become current at a time.
    fn fetch(&self, tail: u32) {
        let mut chunk = (tail as usize).saturating_sub(1) / CHUNK;
        for _ in 0..LARGE / CHUNK {
            let events = self.events[chunk * CHUNK..].first_chunk::<CHUNK>();
            if let Some(events) = events.filter(|_| chunk != 0) {
                prefetch(events);
                chunk = self.previous[chunk] as usize;
            } else {
                return;
            }
        }
    }

    /// Moves the events of a bucket to the end of a list, the last one first: those pushed in order need no sorting then.
    fn take(&mut self, tail: u32, events: &mut Vec<Event>) {
        self.of(tail).for_each(|chunk| events.extend(chunk.iter().rev()));
        let mut chunk = tail.saturating_sub(1) / CHUNK as u32;
        while chunk != 0 {
            self.free.push(chunk);
            chunk = self.previous[chunk as usize];
        }
    }
}

/// One level: where the next event of each bucket goes (0: it has none), and which of them hold events.
#[derive(Debug)]
struct Level {
    tails: Box<[u32; SLOTS]>,
    occupied: [u64; SLOTS / 64],
}

impl Default for Level {
    fn default() -> Self {
        Self {
            tails: Box::new([0; SLOTS]),
            occupied: [0; SLOTS / 64],
        }
    }
}

impl Level {
    /// The first occupied slot at or after `from` without wrapping.
    fn next_occupied(&self, from: usize) -> Option<usize> {
        if from >= SLOTS {
            return None;
        }
        let mut word = from / 64;
        let mut bits = self.occupied[word] & (u64::MAX << (from % 64));
        while bits == 0 {
            word += 1;
            if word == self.occupied.len() {
                return None;
            }
            bits = self.occupied[word];
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }

    /// Whether the bucket ends with a chunk that has room.
    #[inline(always)]
    fn has_room(&self, slot: usize) -> bool {
        !(self.tails[slot] as usize).is_multiple_of(CHUNK)
    }

    /// Gives the bucket a chunk that has room.
    fn extend(&mut self, chunks: &mut Chunks, slot: usize) {
        self.occupied[slot / 64] |= 1 << (slot % 64);
        self.tails[slot] = chunks.extend(self.tails[slot]);
    }

    /// Adds an event to a bucket.
    #[inline(always)]
    fn push(&mut self, chunks: &mut Chunks, slot: usize, event: Event) {
        if !self.has_room(slot) {
            self.extend(chunks, slot);
        }
        self.write(chunks, slot, event);
    }

    /// Adds an event to a bucket whose last chunk has room, or is new.
    #[inline(always)]
    fn write(&mut self, chunks: &mut Chunks, slot: usize, event: Event) {
        let tail = self.tails[slot];
        chunks.events[tail as usize] = event;
        self.tails[slot] = tail + 1;
    }

    fn take(&mut self, chunks: &mut Chunks, slot: usize, events: &mut Vec<Event>) {
        self.occupied[slot / 64] &= !(1 << (slot % 64));
        chunks.take(std::mem::take(&mut self.tails[slot]), events);
    }

    /// Asks for the events that will be read next.
    fn prefetch_next(&self, chunks: &Chunks, slot: usize) {
        if let Some(next) = self.next_occupied(slot + 1) {
            chunks.fetch(self.tails[next]);
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(in crate::packet_engine) struct Wheel {
    shift: u32,
    /// The bits of a sort word that hold a position: as many as the time in a bucket leaves.
    positions: u64,
    /// Number of the current bucket: its times shifted right by `shift`.
    cursor: u64,
    chunks: Chunks,
    near: Level,
    far: Level,
    beyond: BinaryHeap<Earliest>,
    /// Timers, each lane in order, none of them in the current bucket or before.
    lanes: [VecDeque<Event>; LANES],
    /// Events of the current bucket, and the words that sort them, last first.
    current: Vec<Event>,
    order: Vec<u64>,
    /// Of a bucket that becomes current in windows: all events, and the places of those yet to come, last first.
    bucket: Vec<Event>,
    rest: Vec<u32>,
    /// Buckets and windows that have been made current.
    turn: u64,
    /// Where in `current` the event lies that was popped last; nowhere if it was a late one.
    popped: usize,
    /// Events pushed into the current bucket while it is read.
    late: BinaryHeap<Earliest>,
    /// An event on the way to a place that is not at hand, or from there. It is handed over here, not as an argument: that
    /// would keep all other events out of registers.
    displaced: Event,
    /// Buckets read since the width was last judged, their events, and how many of them half the width would split.
    judged: u32,
    judged_events: u32,
    judged_splits: u32,
}

impl Default for Wheel {
    fn default() -> Self {
        Self {
            shift: FIRST_SHIFT,
            positions: positions(FIRST_SHIFT),
            cursor: 0,
            chunks: Chunks::default(),
            near: Level::default(),
            far: Level::default(),
            beyond: BinaryHeap::new(),
            lanes: Default::default(),
            current: Vec::new(),
            order: Vec::new(),
            bucket: Vec::new(),
            rest: Vec::new(),
            turn: 0,
            popped: usize::MAX,
            late: BinaryHeap::new(),
            displaced: NO_EVENT,
            judged: 0,
            judged_events: 0,
            judged_splits: 0,
        }
    }
}

impl EventQueue for Wheel {
    #[inline(always)]
    fn push(&mut self, event: Event) {
        self.place(event);
    }

    fn push_timer(&mut self, event: Event) {
        let order = (event.time, event.key);
        let fits = |lane: &&mut VecDeque<Event>| lane.back().is_none_or(|last| (last.time, last.key) < order);
        match self.lanes.iter_mut().find(fits) {
            Some(lane) if event.time >> self.shift > self.cursor => lane.push_back(event),
            _ => self.push(event),
        }
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<&Event> {
        loop {
            if let Some(&word) = self.order.last() {
                let position = self.position_of(word);
                let event = &self.current[position];
                if let Some(Earliest(late)) = self.late.peek()
                    && (late.time, late.key) < (event.time, event.key)
                {
                    return self.pop_late();
                }
                self.order.pop();
                self.popped = position;
                return self.current.get(position);
            }
            if !self.rest.is_empty() {
                self.next_window();
            } else if !self.late.is_empty() {
                return self.pop_late();
            } else if !self.advance() {
                return None;
            }
        }
    }

    #[inline]
    fn next(&mut self) -> Option<(u64, u32)> {
        loop {
            let first = self.order.last().map(|&word| &self.current[self.position_of(word)]);
            let late = self.late.peek().map(|Earliest(event)| event);
            let earliest = first.into_iter().chain(late).map(|event| (event.time, event.key)).min();
            // What is late came into the bucket that is read, whose rest comes in windows.
            if (first.is_some() || self.rest.is_empty()) && earliest.is_some() {
                return earliest;
            }
            if !self.rest.is_empty() {
                self.next_window();
            } else if !self.advance() {
                return None;
            }
        }
    }

    #[inline]
    fn coming(&self) -> &[Event] {
        &self.current
    }

    #[inline]
    fn position(&self) -> usize {
        self.popped
    }

    #[inline]
    fn turn(&self) -> u64 {
        self.turn
    }

    fn is_empty(&self) -> bool {
        let levels = [&self.near, &self.far];
        self.order.is_empty()
            && self.rest.is_empty()
            && self.late.is_empty()
            && self.lanes.iter().all(VecDeque::is_empty)
            && self.beyond.is_empty()
            && levels.iter().all(|level| level.next_occupied(0).is_none())
    }

    fn extract(&mut self, chosen: impl Fn(&Event) -> bool) -> Vec<Event> {
        let (mut taken, left): (Vec<_>, Vec<_>) = self.drain().into_iter().partition(chosen);
        for event in left {
            self.place(event);
        }
        taken.sort_unstable_by_key(|event| (event.time, event.key));
        taken
    }
}

impl Wheel {
    /// Takes the earliest of the late events.
    #[inline(never)]
    fn pop_late(&mut self) -> Option<&Event> {
        self.popped = usize::MAX;
        self.displaced = self.late.pop()?.0;
        Some(&self.displaced)
    }

    /// The width of buckets, in ps.
    #[cfg(test)]
    pub(super) fn width(&self) -> u64 {
        1 << self.shift
    }

    #[inline(always)]
    fn place(&mut self, event: Event) {
        let bucket = event.time >> self.shift;
        let slot = bucket as usize % SLOTS;
        if (1..SLOTS as u64).contains(&bucket.wrapping_sub(self.cursor)) && self.near.has_room(slot) {
            self.near.write(&mut self.chunks, slot, event);
        } else {
            self.displaced = event;
            self.place_displaced();
        }
    }

    /// Places an event that is late or far, or does not fit into the last chunk of its bucket.
    #[inline(never)]
    fn place_displaced(&mut self) {
        let event = self.displaced;
        let bucket = event.time >> self.shift;
        if bucket <= self.cursor {
            return self.late.push(Earliest(event));
        }
        if bucket - self.cursor < SLOTS as u64 {
            return self.place_near(event);
        }
        let turn = event.time >> (self.shift + SLOT_BITS);
        if turn - (self.cursor >> SLOT_BITS) < SLOTS as u64 {
            self.far.push(&mut self.chunks, turn as usize % SLOTS, event);
        } else {
            self.beyond.push(Earliest(event));
        }
    }

    /// Makes the next bucket with events current, or finds late ones; false where there are none.
    fn advance(&mut self) -> bool {
        if self.judged == JUDGED_BUCKETS {
            self.adapt();
            if !self.late.is_empty() {
                // They fell into the wider bucket that has been read already.
                return true;
            }
        }
        loop {
            let turn = self.cursor & !(SLOTS as u64 - 1);
            let slot = self.near.next_occupied(self.cursor as usize % SLOTS);
            let of_lanes = self.next_of_lanes().filter(|bucket| *bucket < turn + SLOTS as u64);
            if let Some(bucket) = slot.map(|slot| turn | slot as u64).into_iter().chain(of_lanes).min() {
                self.cursor = bucket;
                self.read(bucket as usize % SLOTS);
                self.near.prefetch_next(&self.chunks, bucket as usize % SLOTS);
                return true;
            }
            if !self.next_turn() {
                return false;
            }
        }
    }

    /// The bucket of the earliest timer in a lane.
    fn next_of_lanes(&self) -> Option<u64> {
        let fronts = self.lanes.iter().filter_map(VecDeque::front);
        fronts.map(|event| event.time >> self.shift).min()
    }

    /// Moves to the next turn that has events, and adds those of the far wheel to the near one.
    fn next_turn(&mut self) -> bool {
        let turn = self.cursor >> SLOT_BITS;
        // What the near wheel still holds lies before the cursor: it belongs to the next turn.
        let in_near = self.near.next_occupied(0).map(|_| turn + 1);
        let from = turn as usize % SLOTS;
        let ahead = match self.far.next_occupied(from + 1) {
            Some(slot) => Some(slot - from),
            None => self.far.next_occupied(0).map(|slot| slot + SLOTS - from),
        };
        let in_far = ahead.map(|slots| turn + slots as u64);
        let in_beyond = self
            .beyond
            .peek()
            .map(|Earliest(event)| event.time >> (self.shift + SLOT_BITS));
        let in_lanes = self.next_of_lanes().map(|bucket| bucket >> SLOT_BITS);
        let turns = in_near.into_iter().chain(in_far).chain(in_beyond).chain(in_lanes);
        let Some(next) = turns.min() else {
            return false;
        };
        self.cursor = next << SLOT_BITS;
        if in_far == Some(next) {
            let mut events = Vec::new();
            self.far.take(&mut self.chunks, next as usize % SLOTS, &mut events);
            for event in events {
                self.place_near(event);
            }
        }
        while let Some(Earliest(event)) = self.beyond.peek()
            && event.time >> (self.shift + SLOT_BITS) == next
        {
            let event = *event;
            self.beyond.pop();
            self.place_near(event);
        }
        true
    }

    fn place_near(&mut self, event: Event) {
        let slot = (event.time >> self.shift) as usize % SLOTS;
        self.near.push(&mut self.chunks, slot, event);
    }

    /// Makes a near bucket current and sorts it.
    fn read(&mut self, slot: usize) {
        self.current.clear();
        self.near.take(&mut self.chunks, slot, &mut self.current);
        for lane in &mut self.lanes {
            let due = |event: &mut Event| event.time >> self.shift <= self.cursor;
            self.current.extend(std::iter::from_fn(|| lane.pop_front_if(due)));
        }
        self.turn += 1;
        self.judged += 1;
        self.judged_events += self.current.len() as u32;
        if self.current.len() as u64 > self.positions + 1 {
            return self.read_unnumbered();
        }
        self.sort();
        self.judged_splits += u32::from(self.splits());
        if self.current.len() > LARGE {
            self.read_in_windows();
        }
    }

    /// The position that a sort word holds.
    #[inline(always)]
    fn position_of(&self, word: u64) -> usize {
        (word & self.positions) as usize
    }

    /// Finds the order of the events that have become current.
    fn sort(&mut self) {
        let (bits, start) = (self.positions.count_ones(), self.cursor << self.shift);
        self.order
            .extend(self.current.iter().enumerate().map(|(position, event)| {
                (event.time - start) << (32 + bits) | u64::from(event.key) << bits | position as u64
            }));
        self.order.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Leaves but a window of a large bucket current.
    #[inline(never)]
    fn read_in_windows(&mut self) {
        std::mem::swap(&mut self.current, &mut self.bucket);
        let mask = self.positions;
        self.rest.extend(self.order.drain(..).map(|word| (word & mask) as u32));
        self.next_window();
    }

    /// The same where there are more events than sort words can number, in the widest buckets: they are sorted themselves.
    #[cold]
    fn read_unnumbered(&mut self) {
        self.current.sort_unstable_by_key(|event| (event.time, event.key));
        let ends = self.current.first().zip(self.current.last());
        let splits = ends.is_some_and(|(first, last)| (first.time ^ last.time) >> (self.shift - 1) != 0);
        self.judged_splits += u32::from(splits);
        std::mem::swap(&mut self.current, &mut self.bucket);
        self.rest.extend((0..self.bucket.len() as u32).rev());
        self.next_window();
    }

    /// Makes the next window of a large bucket current.
    #[inline(never)]
    fn next_window(&mut self) {
        let first = self.rest.len().saturating_sub(WINDOW);
        self.current.clear();
        let places = self.rest.drain(first..).rev();
        self.current.extend(places.map(|place| self.bucket[place as usize]));
        // In order already: the position says it all.
        self.order.extend((0..self.current.len() as u64).rev());
        self.turn += 1;
    }

    /// Whether the current bucket would be two if its width were halved.
    fn splits(&self) -> bool {
        // The time is the upper end of a word, and its own upper bit tells the halves apart.
        matches!((self.order.first(), self.order.last()), (Some(last), Some(first)) if (first ^ last) >> 63 != 0)
    }

    /// Halves or doubles the width of the buckets where they hold too many or too few events.
    fn adapt(&mut self) {
        let fill = self.judged_events / self.judged;
        let splits = 2 * self.judged_splits > self.judged;
        self.judged = 0;
        self.judged_events = 0;
        self.judged_splits = 0;
        let shift = if fill > *GOOD_FILL.end() && splits {
            self.shift - 1
        } else if fill < *GOOD_FILL.start() {
            self.shift + 1
        } else {
            self.shift
        };
        if shift == self.shift || !SHIFTS.contains(&shift) {
            return;
        }
        let events = self.drain();
        // All that is pending lies after the bucket just read, which ends here.
        let end = (self.cursor + 1) << self.shift;
        self.shift = shift;
        self.positions = positions(shift);
        self.cursor = (end - 1) >> shift;
        for event in events {
            self.place(event);
        }
    }

    fn drain(&mut self) -> Vec<Event> {
        let mut events: Vec<Event> = self.late.drain().map(|Earliest(event)| event).collect();
        let mask = self.positions;
        let positions = self.order.drain(..).map(|word| (word & mask) as usize);
        events.extend(positions.map(|position| self.current[position]));
        events.extend(self.rest.drain(..).map(|place| self.bucket[place as usize]));
        for level in [&mut self.near, &mut self.far] {
            while let Some(slot) = level.next_occupied(0) {
                level.take(&mut self.chunks, slot, &mut events);
            }
        }
        events.extend(self.beyond.drain().map(|Earliest(event)| event));
        self.lanes.iter_mut().for_each(|lane| events.extend(lane.drain(..)));
        events
    }
}
