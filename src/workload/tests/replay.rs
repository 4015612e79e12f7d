//! Replays a schedule on symbolic data: which ranks' contributions every rank holds of every byte.
//!
//! What arrives waits in the receiver's inbox until a transfer starts that depends on it. So a transfer
//! carries no more than its dependencies promise, in whatever order things happen, and a missing
//! dependency shows as a missing contribution.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use rand::RngExt;

use crate::ids::{RankId, TaskId};
use crate::input::{InputError, NoFiles};
use crate::rng;
use crate::units::Time;
use crate::workload::Room;
use crate::workload::schedule_writer::{Data, Effect, Observer, ScheduleWriter};
use crate::workload::{Action, Kind, Milestone, Progress, Schedule};

/// The ranks whose contributions a sum holds: one bit each.
pub(in crate::workload) type Contributions = u64;

/// What a transfer carries.
struct Cargo {
    data: Vec<Range<u64>>,
    effect: Effect,
}

#[derive(Default)]
struct Log(BTreeMap<TaskId, Cargo>);

impl Observer for Log {
    fn sent(&mut self, transfer: TaskId, data: &dyn Data, effect: Effect) {
        let data = data.ranges().filter(|range| !range.is_empty()).collect();
        self.0.insert(transfer, Cargo { data, effect });
    }
}

/// A schedule between ranks, and what its transfers carry.
pub(in crate::workload) struct Recording {
    pub schedule: Schedule<RankId>,
    cargo: BTreeMap<TaskId, Cargo>,
    predecessors: Vec<Vec<TaskId>>,
}

/// What every rank holds of every byte range between two cuts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::workload) struct Holdings {
    /// First byte of each cell, and the end of the last.
    cuts: Vec<u64>,
    /// By rank, then cell.
    cells: Vec<Vec<Contributions>>,
}

pub(in crate::workload) fn record(kind: &dyn Kind, ranks: u32) -> Result<Recording, InputError> {
    record_on(kind, ranks, None)
}

/// The same where ranks live in servers.
pub(in crate::workload) fn record_on(
    kind: &dyn Kind,
    ranks: u32,
    servers: Option<Vec<u32>>,
) -> Result<Recording, InputError> {
    let mut log = Log::default();
    let mut draft = ScheduleWriter::new(ranks, &mut log, Room::UNLIMITED);
    draft.prove_step_by_step();
    draft.in_servers(servers);
    kind.draw(&mut draft, &NoFiles, 1)?;
    let schedule = draft.build();
    let mut predecessors = vec![Vec::new(); schedule.tasks().len()];
    for before in (0..schedule.tasks().len()).map(TaskId::from) {
        for (after, _) in schedule.successors(before) {
            predecessors[after.index()].push(before);
        }
    }
    Ok(Recording {
        schedule,
        cargo: log.0,
        predecessors,
    })
}

impl Recording {
    /// What the ranks hold from the beginning: `initial(rank, byte)`, which changes only at `cuts`.
    pub(in crate::workload) fn holdings(
        &self,
        ranks: u32,
        cuts: &[u64],
        initial: impl Fn(u32, u64) -> Contributions,
    ) -> Holdings {
        let mut all: BTreeSet<u64> = cuts.iter().copied().collect();
        all.extend(self.cargo.values().flat_map(|c| &c.data).flat_map(|r| [r.start, r.end]));
        let cuts: Vec<u64> = all.into_iter().collect();
        let cells = |rank| cuts[..cuts.len() - 1].iter().map(|&byte| initial(rank, byte)).collect();
        Holdings {
            cells: (0..ranks).map(cells).collect(),
            cuts,
        }
    }

    /// What the ranks hold in the end, in an order that `seed` draws among all that the dependencies
    /// allow.
    ///
    /// # Panics
    /// Where a transfer sends what its sender does not hold, adds a contribution twice, or never starts.
    pub(in crate::workload) fn replay(&self, mut holdings: Holdings, seed: u64) -> Holdings {
        let mut stream = rng::stream(seed, "replay", 0);
        let (mut progress, mut due) = Progress::new(&self.schedule);
        let mut carried: BTreeMap<TaskId, Vec<Contributions>> = BTreeMap::new();
        // What has arrived and waits to be used, in order of arrival.
        let mut inbox: Vec<TaskId> = Vec::new();
        let mut coming: Vec<(TaskId, Milestone)> = Vec::new();
        loop {
            for next in due.drain(..) {
                let used = self.arrivals(next.task);
                for task in inbox.extract_if(.., |task| used.contains(task)) {
                    holdings.unload(&self.schedule, task, &self.cargo[&task], &carried[&task]);
                }
                if let Some(cargo) = self.cargo.get(&next.task) {
                    carried.insert(next.task, holdings.load(&self.schedule, next.task, cargo));
                }
                coming.push((next.task, Milestone::Sent));
            }
            if coming.is_empty() {
                break;
            }
            let (task, milestone) = coming.swap_remove(stream.random_range(0..coming.len()));
            match milestone {
                Milestone::Sent => coming.push((task, Milestone::Delivered)),
                Milestone::Delivered if self.cargo.contains_key(&task) => {
                    inbox.push(task);
                    coming.push((task, Milestone::Acked));
                }
                Milestone::Begun | Milestone::Delivered | Milestone::Acked => {}
            }
            progress.happened(&self.schedule, task, milestone, Time::ZERO, &mut due);
        }
        assert_eq!(carried.len(), self.cargo.len(), "some transfers never start");
        for task in inbox {
            holdings.unload(&self.schedule, task, &self.cargo[&task], &carried[&task]);
        }
        holdings
    }

    /// The arrivals at its sender that a transfer waits for, directly or through joins.
    fn arrivals(&self, transfer: TaskId) -> BTreeSet<TaskId> {
        let Action::Transfer { src: sender, .. } = self.schedule.task(transfer).action else {
            return BTreeSet::new();
        };
        let mut arrivals = BTreeSet::new();
        let mut open = vec![transfer];
        while let Some(task) = open.pop() {
            for &before in &self.predecessors[task.index()] {
                match self.schedule.task(before).action {
                    Action::Transfer { dst, .. } if dst == sender => drop(arrivals.insert(before)),
                    Action::Transfer { .. } => {}
                    _ => open.push(before),
                }
            }
        }
        arrivals
    }
}

impl Holdings {
    fn cells(&self, data: &[Range<u64>]) -> Vec<usize> {
        let cell = |byte: &u64| {
            self.cuts
                .binary_search(byte)
                .expect("every range begins and ends at a cut")
        };
        data.iter()
            .flat_map(|range| cell(&range.start)..cell(&range.end))
            .collect()
    }

    fn load(&self, schedule: &Schedule<RankId>, task: TaskId, cargo: &Cargo) -> Vec<Contributions> {
        let Action::Transfer { src, bytes, .. } = schedule.task(task).action else {
            panic!("only transfers carry data");
        };
        assert_eq!(bytes, cargo.data.iter().map(|r| r.end - r.start).sum::<u64>());
        let held = |cell: usize| self.cells[src.index()][cell];
        let data: Vec<_> = self.cells(&cargo.data).into_iter().map(held).collect();
        assert!(
            data.iter().all(|&cell| cell != 0),
            "task {task} sends what rank {src} does not hold"
        );
        data
    }

    fn unload(&mut self, schedule: &Schedule<RankId>, task: TaskId, cargo: &Cargo, data: &[Contributions]) {
        let Action::Transfer { dst, .. } = schedule.task(task).action else {
            panic!("only transfers carry data");
        };
        for (cell, &arrived) in self.cells(&cargo.data).into_iter().zip(data) {
            let held = &mut self.cells[dst.index()][cell];
            if cargo.effect == Effect::Reduce {
                assert_eq!(
                    *held & arrived,
                    0,
                    "task {task} adds a contribution to rank {dst} twice"
                );
                *held |= arrived;
            } else {
                *held = arrived;
            }
        }
    }

    /// Checks every cell for which something is expected of a rank: `expected(rank, byte)`.
    pub(in crate::workload) fn check(&self, expected: impl Fn(u32, u64) -> Option<Contributions>) {
        for (rank, cells) in (0..).zip(&self.cells) {
            for (&byte, &held) in self.cuts.iter().zip(cells) {
                if let Some(expected) = expected(rank, byte) {
                    assert_eq!(held, expected, "rank {rank} from byte {byte} on: {held:b}");
                }
            }
        }
    }
}
