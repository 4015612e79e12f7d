//! [`Progress`] against a reference that works out from scratch, after every event, what must have
//! started by then.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use proptest::prelude::*;

use crate::ids::{HostId, TaskId};
use crate::units::Time;
use crate::workload::{Action, Due, Milestone, Progress, Schedule, ScheduleBuilder, Task};

type Edge = (TaskId, TaskId, Milestone);

/// What has happened so far, as the reference sees it.
struct Reference<'a> {
    tasks: &'a [Task],
    edges: &'a [Edge],
    happened: BTreeSet<(TaskId, Milestone)>,
    started: BTreeMap<TaskId, Time>,
}

impl Reference<'_> {
    /// How many times each task has been told to go on: the least solution of the rules, by iteration.
    fn tokens(&self, instant: &BTreeSet<TaskId>) -> Vec<usize> {
        let mut tokens = vec![0; self.tasks.len()];
        loop {
            let mut next = vec![0; self.tasks.len()];
            let mut turn = vec![0; self.tasks.len()];
            for &(before, after, milestone) in self.edges {
                let told = match self.tasks[before.index()].action {
                    Action::Trigger => {
                        turn[before.index()] += 1;
                        turn[before.index()] <= tokens[before.index()]
                    }
                    _ => {
                        self.happened.contains(&(before, milestone))
                            || milestone == Milestone::Delivered && instant.contains(&before)
                    }
                };
                next[after.index()] += usize::from(told);
            }
            if next == tokens {
                return tokens;
            }
            tokens = next;
        }
    }

    /// What has newly become due at `now`.
    fn update(&mut self, now: Time) -> BTreeSet<Due> {
        let needed = |task: TaskId| self.edges.iter().filter(|&&(_, after, _)| after == task).count();
        let joins = |started: &BTreeMap<TaskId, Time>| {
            let instant = |(&task, &at): (&TaskId, &Time)| {
                let join = self.tasks[task.index()].action == Action::Delay(Time::ZERO);
                (join && at >= self.tasks[task.index()].earliest && !self.waited(task, at)).then_some(task)
            };
            started.iter().filter_map(instant).collect::<BTreeSet<_>>()
        };
        let mut started = self.started.clone();
        loop {
            let tokens = self.tokens(&joins(&started));
            let before = started.len();
            for (task, _) in tokens
                .iter()
                .enumerate()
                .filter(|(_, tokens)| **tokens > 0 || now.is_zero())
            {
                let id = TaskId::from(task);
                if self.tasks[task].action != Action::Trigger && tokens[task] == needed(id) {
                    started.entry(id).or_insert(now);
                }
            }
            if started.len() == before {
                break;
            }
        }
        let instant = joins(&started);
        let new = started
            .iter()
            .filter(|(task, _)| !self.started.contains_key(task) && !instant.contains(task));
        let due = new.map(|(&task, &now)| {
            let Task { action, earliest, .. } = self.tasks[task.index()];
            let wait = if let Action::Delay(wait) = action {
                wait
            } else {
                Time::ZERO
            };
            Due {
                at: now.max(earliest) + wait,
                task,
            }
        });
        let due = due.collect();
        self.started = started;
        due
    }

    /// Whether a join that was released at `at` had to wait for its earliest time.
    fn waited(&self, task: TaskId, at: Time) -> bool {
        self.tasks[task.index()].earliest > at
    }
}

fn any_task() -> impl Strategy<Value = Task> {
    let action = prop_oneof![
        4 => Just(Action::transfer(0, 1, 1)),
        2 => Just(Action::Delay(Time::ZERO)),
        1 => (1..5_u64).prop_map(|wait| Action::Delay(Time(wait))),
        2 => Just(Action::Trigger),
    ];
    (action, prop_oneof![3 => Just(0), 1 => 1..8_u64]).prop_map(|(action, earliest)| Task {
        action,
        earliest: Time(earliest),
        step: 0,
        connection: TaskId(0),
    })
}

/// Tasks and dependencies, mostly forwards.
fn any_graph() -> impl Strategy<Value = (Vec<Task>, Vec<Edge>)> {
    (2..14_usize).prop_flat_map(|n| {
        let milestone = prop_oneof![
            Just(Milestone::Sent),
            Just(Milestone::Delivered),
            Just(Milestone::Acked)
        ];
        let edge =
            (0..n, 0..n, milestone, 0..10_u32).prop_filter_map("a task before itself", |(a, b, milestone, back)| {
                let (first, second) = if back == 0 {
                    (a.max(b), a.min(b))
                } else {
                    (a.min(b), a.max(b))
                };
                (first != second).then(|| (TaskId::from(first), TaskId::from(second), milestone))
            });
        (
            prop::collection::vec(any_task(), n),
            prop::collection::vec(edge, 0..2 * n),
        )
    })
}

fn build(tasks: &[Task], edges: &[Edge]) -> Schedule {
    let mut builder = ScheduleBuilder::default();
    for &task in tasks {
        builder.add(task.action, task.earliest, task.step);
    }
    for &(before, after, milestone) in edges {
        builder.depend(before, milestone, after);
    }
    builder.build()
}

/// An engine may learn late that something was sent: what waits for it starts at the latest of all milestones, in
/// whatever order they are told, also through joins.
#[test]
fn tasks_start_at_the_latest_moment_that_they_wait_for() {
    let mut builder = ScheduleBuilder::<HostId>::default();
    let [sent, arrival, other] = [0, 1, 2].map(|src| builder.transfer(src, 3, 1, 0));
    let join = builder.delay(Time::ZERO);
    let after = builder.transfer(3, 4, 1, 1);
    builder.depend(sent, Milestone::Sent, after);
    for before in [arrival, other] {
        builder.depend(before, Milestone::Delivered, join);
    }
    builder.depend(join, Milestone::Delivered, after);
    let schedule = builder.build();
    let told = [
        (sent, Milestone::Sent, 7.5),
        (arrival, Milestone::Delivered, 3.25),
        (other, Milestone::Delivered, 5.5),
    ];
    for (first, latest) in [(0, 7.5), (1, 7.5), (2, 7.5)] {
        let (mut progress, mut due) = Progress::<f64>::new(&schedule);
        due.clear();
        for i in 0..3 {
            let (task, milestone, at) = told[(first + i) % 3];
            progress.happened(&schedule, task, milestone, at, &mut due);
        }
        assert_eq!(
            due,
            [Due {
                at: latest,
                task: after
            }]
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn progress_starts_what_the_rules_start((tasks, edges) in any_graph(), times in prop::collection::vec(0..6_u64, 40)) {
        let schedule = build(&tasks, &edges);
        let mut reference = Reference {
            tasks: &tasks,
            edges: &edges,
            happened: BTreeSet::new(),
            started: BTreeMap::new(),
        };
        let (mut progress, mut due) = Progress::<Time>::new(&schedule);
        let mut now = Time::ZERO;
        let mut coming = BinaryHeap::new();
        let mut times = times.into_iter().cycle();
        let mut seen = BTreeSet::new();
        loop {
            let expected = reference.update(now);
            prop_assert_eq!(due.len(), expected.len(), "{:?} {:?}", &due, &expected);
            prop_assert_eq!(due.iter().copied().collect::<BTreeSet<_>>(), expected);
            for Due { at, task } in due.drain(..) {
                prop_assert!(at >= now && seen.insert(task));
                match tasks[task.index()].action {
                    Action::Transfer { .. } => {
                        let sent = at.0 + times.next().unwrap();
                        let delivered = sent + times.next().unwrap();
                        coming.push(Reverse((sent, task, Milestone::Sent)));
                        coming.push(Reverse((delivered, task, Milestone::Delivered)));
                        coming.push(Reverse((delivered + times.next().unwrap(), task, Milestone::Acked)));
                    }
                    _ => coming.push(Reverse((at.0, task, Milestone::Delivered))),
                }
            }
            let Some(Reverse((at, task, milestone))) = coming.pop() else {
                break;
            };
            now = Time(at);
            reference.happened.insert((task, milestone));
            progress.happened(&schedule, task, milestone, now, &mut due);
        }
        let never: Vec<TaskId> = schedule.transfers().map(|transfer| transfer.task).filter(|task| !seen.contains(task)).collect();
        prop_assert_eq!(schedule.never_start(), never);
    }

    #[test]
    fn successors_keep_the_order_of_their_edges((tasks, edges) in any_graph()) {
        let schedule = build(&tasks, &edges);
        for before in (0..tasks.len()).map(TaskId::from) {
            let written: Vec<_> = edges.iter().filter(|edge| edge.0 == before).map(|&(_, after, milestone)| (after, milestone)).collect();
            prop_assert_eq!(schedule.successors(before), written);
            prop_assert_eq!(schedule.predecessors(before) as usize, edges.iter().filter(|edge| edge.1 == before).count());
        }
    }
}
