//! Folding (`flow.fold`): what symmetry makes equal is simulated once.
//!
//! Constraints, tasks and sub-flows get colors: a task by what it does, what it waits for and the constraints that its sub-flows
//! cross; a constraint by its capacity and the colors of the sub-flows that cross it. The colors are refined until no more
//! constraints differ (color refinement, Weisfeiler and Leman 1968). Then all of one color behave alike: tasks start together if what they wait for
//! ends together, and rates that are fair and equal among sub-flows of a color on one constraint are so on every constraint of its
//! color, and fair rates are unique. So one task of each color is simulated, and each constraint sees its sub-flows as often as they cross it.
//!
//! Symmetries of fabric, placement and workload need not be found for that; what breaks them gets colors of its own, as far as
//! it reaches. Colors are hashes of 128 bits.

use std::collections::{HashMap, HashSet};

use super::constraints::{ConstraintId, Constraints, Direct};
use super::options::{FlowOptions, Weights};
use super::routes::{Routes, SegmentId};
use crate::ids::{Id, IdVec, SubflowId, TaskId};
use crate::placement::{Placement, Subflow};
use crate::units::Time;
use crate::workload::{Action, Milestone, Schedule, ScheduleBuilder, Transfer};

/// Refinements after which the rest is taken to be without symmetry.
const MOST_ROUNDS: usize = 12;
/// Folding is not worth it where more than one in so many constraints that carry something is unlike all others.
const LEAST_ALIKE: usize = 2;

/// One task of each color, and what they share.
pub(super) struct Folded {
    pub schedule: Schedule,
    pub placement: Placement,
    pub routes: Routes,
    pub constraints: Constraints,
    /// The task in `schedule` that stands for each task.
    pub class_of: Vec<u32>,
}

/// Folds a run; `None` where hardly anything is alike, or where order decides (triggers).
pub(super) fn fold(
    schedule: &Schedule,
    placement: &Placement,
    routes: &Routes,
    constraints: &Constraints,
    options: &FlowOptions,
) -> Option<Folded> {
    let ordered = |task: &crate::workload::Task| task.action == Action::Trigger;
    if !options.fold || options.tolerance > 0.0 || schedule.tasks().iter().any(ordered) {
        return None;
    }
    let run = Run {
        schedule,
        placement,
        routes,
        constraints,
        by_size: options.weights == Weights::Size,
        order: order(schedule)?,
    };
    let colors = run.refine()?;
    Some(run.quotient(&colors))
}

type Color = u128;

/// Two multiplications of all bits.
fn mix(value: Color) -> Color {
    const ODD: Color = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    let z = (value ^ (value >> 67)).wrapping_mul(ODD);
    let z = (z ^ (z >> 61)).wrapping_mul(ODD);
    z ^ (z >> 64)
}

/// Of two things in this order.
fn both(a: Color, b: impl Into<Color>) -> Color {
    mix(a.rotate_left(43) ^ mix(b.into().wrapping_add(0x5851_f42d_4c95_7f2d)))
}

/// A run as it is written.
struct Run<'a> {
    schedule: &'a Schedule,
    placement: &'a Placement,
    routes: &'a Routes,
    constraints: &'a Constraints,
    /// Weights follow sizes.
    by_size: bool,
    /// Tasks, each after all that it waits for; empty where that is the order of ids.
    order: Vec<TaskId>,
}

/// Colors at which no constraint differs from others of its color.
struct Colors {
    tasks: Vec<Color>,
    constraints: IdVec<ConstraintId, Color>,
    segments: IdVec<SegmentId, Color>,
}

/// An order in which every task comes after what it waits for, empty where ids have it; `None` in a circle.
fn order(schedule: &Schedule) -> Option<Vec<TaskId>> {
    let ids = || (0..schedule.tasks().len()).map(TaskId::from);
    if ids().all(|task| schedule.successors(task).iter().all(|&(next, _)| next > task)) {
        return Some(Vec::new());
    }
    let mut waiting: Vec<u32> = ids().map(|task| schedule.predecessors(task)).collect();
    let mut order: Vec<TaskId> = ids().filter(|task| waiting[task.index()] == 0).collect();
    let mut at = 0;
    while at < order.len() {
        for &(next, _) in schedule.successors(order[at]) {
            waiting[next.index()] -= 1;
            if waiting[next.index()] == 0 {
                order.push(next);
            }
        }
        at += 1;
    }
    (order.len() == waiting.len()).then_some(order)
}

impl Run<'_> {
    /// Refines colors until no round tells constraints apart that were alike; `None` where too few are.
    fn refine(&self) -> Option<Colors> {
        let capacities = self.constraints.capacity.iter();
        let mut colors: IdVec<ConstraintId, Color> = capacities.map(|capacity| both(1, capacity.to_bits())).collect();
        let mut count = distinct(&colors);
        for _ in 0..MOST_ROUNDS {
            let segments = self.color_segments(&colors);
            let tasks = self.color_tasks(&colors, &segments);
            let now = Colors {
                tasks,
                constraints: colors,
                segments,
            };
            let carried = self.carried(&now);
            let used = carried.iter().filter(|&&sum| sum != 0).count();
            let finer = now
                .constraints
                .iter()
                .zip(&carried)
                .map(|(&color, &sum)| both(color, sum));
            colors = finer.collect();
            let finer = distinct(&colors);
            if finer > used.max(1) / LEAST_ALIKE + 1 {
                return None;
            }
            if finer == count {
                return Some(now);
            }
            count = finer;
        }
        None
    }

    fn color_segments(&self, constraints: &IdVec<ConstraintId, Color>) -> IdVec<SegmentId, Color> {
        let color = |segment: SegmentId| {
            let crossed = self.constraints.of_segment(segment).iter();
            let parts = crossed.map(|&(c, fraction)| both(constraints[c], fraction.to_bits()));
            parts.fold(0, Color::wrapping_add)
        };
        self.routes.segments.ids().map(color).collect()
    }

    /// Of every task: what it does, and what it waits for.
    fn color_tasks(&self, constraints: &IdVec<ConstraintId, Color>, segments: &IdVec<SegmentId, Color>) -> Vec<Color> {
        // Until its turn comes, a task's place holds the sum of what it waits for.
        let mut colors: Vec<Color> = vec![0; self.schedule.tasks().len()];
        let mut color = |task: TaskId| {
            let own = both(self.action(task, constraints, segments), colors[task.index()]);
            colors[task.index()] = own;
            for &(next, milestone) in self.schedule.successors(task) {
                let waits = both(own, milestone as u32);
                colors[next.index()] = colors[next.index()].wrapping_add(waits);
            }
        };
        if self.order.is_empty() {
            (0..self.schedule.tasks().len()).map(TaskId::from).for_each(color);
        } else {
            self.order.iter().copied().for_each(&mut color);
        }
        colors
    }

    /// What a task does, and who hears of it: transfers that others wait for end with all that end around then.
    fn action(
        &self,
        id: TaskId,
        constraints: &IdVec<ConstraintId, Color>,
        segments: &IdVec<SegmentId, Color>,
    ) -> Color {
        let task = self.schedule.task(id);
        let heard = both(3, u32::from(self.schedule.successors(id).is_empty()));
        let heard = both(heard, task.earliest.0);
        match task.action {
            Action::Delay(time) => both(both(heard, 5_u32), time.0),
            Action::Trigger => 0,
            Action::Transfer { bytes, .. } => {
                let begun = self.schedule.awaits(id, Milestone::Begun);
                let flow = both(both(heard, 7_u32 + u32::from(begun)), bytes);
                let subflows = self
                    .subflows(id)
                    .map(|subflow| mix(self.way(&subflow, constraints, segments)));
                both(flow, subflows.fold(0, Color::wrapping_add))
            }
        }
    }

    /// What a sub-flow is by itself: its bytes, its delays, and what it crosses.
    fn way(
        &self,
        subflow: &Crossing,
        constraints: &IdVec<ConstraintId, Color>,
        segments: &IdVec<SegmentId, Color>,
    ) -> Color {
        let own = subflow.own().map(|c| mix(constraints[c]));
        let crossed = own.fold(segments[subflow.segment], Color::wrapping_add);
        let (forward, round_trip) = subflow.delays;
        let size = if self.by_size { both(crossed, 1_u32) } else { crossed };
        both(both(both(size, subflow.bytes), forward.0), round_trip.0)
    }

    fn subflows(&self, task: TaskId) -> impl Iterator<Item = Crossing> + '_ {
        let transfer = self.schedule.transfer(task);
        transfer.into_iter().flat_map(move |Transfer { src, dst, .. }| {
            let (up, down) = (
                self.constraints.ports[src.index()].0,
                self.constraints.ports[dst.index()].1,
            );
            self.placement.ids(task).map(move |id| {
                let segment = self.routes.of_subflow[id.index()];
                Crossing {
                    id,
                    bytes: self.placement.subflows()[id.index()].bytes,
                    delays: self.routes.delays(id, src, dst),
                    ports: [up, down],
                    direct: self.constraints.direct[segment],
                    segment,
                }
            })
        })
    }

    /// The colors of all sub-flows on each constraint, added up; 0 where there are none.
    fn carried(&self, colors: &Colors) -> IdVec<ConstraintId, Color> {
        let mut carried = IdVec::filled(0, self.constraints.capacity.len());
        let mut on_segment: IdVec<SegmentId, Color> = IdVec::filled(0, self.routes.segments.len());
        self.each_subflow(colors, |subflow, color| {
            let part = mix(color ^ 1);
            for c in subflow.own() {
                carried[c] = Color::wrapping_add(carried[c], part);
            }
            let segment = &mut on_segment[subflow.segment];
            *segment = segment.wrapping_add(part);
        });
        for (segment, &sum) in on_segment.entries() {
            for &(c, fraction) in self.constraints.of_segment(segment) {
                let part = both(sum, fraction.to_bits());
                carried[c] = Color::wrapping_add(carried[c], part);
            }
        }
        carried
    }

    /// Every sub-flow with its color: its task's, and its own way.
    fn each_subflow(&self, colors: &Colors, mut visit: impl FnMut(&Crossing, Color)) {
        for transfer in self.schedule.transfers() {
            let task = colors.tasks[transfer.task.index()];
            for subflow in self.subflows(transfer.task) {
                visit(
                    &subflow,
                    both(task, self.way(&subflow, &colors.constraints, &colors.segments)),
                );
            }
        }
    }

    /// One task, one sub-flow and one constraint of each color.
    fn quotient(&self, colors: &Colors) -> Folded {
        let mut known: HashMap<Color, u32> = HashMap::new();
        let mut firsts: Vec<TaskId> = Vec::new();
        let class_of = (colors.tasks.iter().enumerate()).map(|(task, &color)| {
            *known.entry(color).or_insert_with(|| {
                firsts.push(TaskId::from(task));
                firsts.len() as u32 - 1
            })
        });
        let class_of: Vec<u32> = class_of.collect();
        let schedule = self.schedule_of(&firsts, &class_of);
        let (placement, routes, classes) = self.placement_of(&firsts, colors);
        let constraints = self.constraints_of(colors, &classes);
        Folded {
            schedule,
            placement,
            routes,
            constraints,
            class_of,
        }
    }

    /// The first task of each color, which waits for one of each color.
    fn schedule_of(&self, firsts: &[TaskId], class_of: &[u32]) -> Schedule {
        let mut builder = ScheduleBuilder::default();
        for &first in firsts {
            let task = self.schedule.task(first);
            builder.add(task.action, task.earliest, task.step);
        }
        let mut known = HashSet::new();
        for task in (0..class_of.len()).map(TaskId::from) {
            for &(next, milestone) in self.schedule.successors(task) {
                let after = class_of[next.index()];
                // All of a color wait for the same colors: those that the first waits for say which.
                let edge = (TaskId(class_of[task.index()]), milestone, TaskId(after));
                if firsts[after as usize] == next && known.insert(edge) {
                    builder.depend(edge.0, edge.1, edge.2);
                }
            }
        }
        builder.build()
    }

    /// The sub-flows of the first tasks, one of each color, with a segment each, and the number of each color.
    fn placement_of(&self, firsts: &[TaskId], colors: &Colors) -> (Placement, Routes, HashMap<Color, SegmentId>) {
        let mut placed: Vec<(TaskId, Subflow)> = Vec::new();
        let mut segments = IdVec::new();
        let mut classes: HashMap<Color, SegmentId> = HashMap::new();
        for (class, &first) in (0..).zip(firsts) {
            for subflow in self.subflows(first) {
                let way = self.way(&subflow, &colors.constraints, &colors.segments);
                let next = SegmentId::from_index(classes.len());
                if *classes.entry(both(colors.tasks[first.index()], way)).or_insert(next) == next {
                    placed.push((TaskId(class), self.placement.subflows()[subflow.id.index()]));
                    segments.push(self.routes.segments[subflow.segment].without_links());
                }
            }
        }
        let routes = Routes {
            ports: self.routes.ports.clone(),
            of_subflow: segments.ids().collect(),
            segments,
            impossible: Vec::new(),
        };
        (Placement::from_scattered(firsts.len(), &placed), routes, classes)
    }

    /// The first constraint of each color, with how often it sees a sub-flow of each color.
    fn constraints_of(&self, colors: &Colors, classes: &HashMap<Color, SegmentId>) -> Constraints {
        let mut known: HashMap<Color, ConstraintId> = HashMap::new();
        let mut capacity: IdVec<ConstraintId, f64> = IdVec::new();
        let first_of_color = colors
            .constraints
            .iter()
            .zip(&self.constraints.capacity)
            .map(|(&color, &limit)| {
                let next = ConstraintId::from_index(capacity.len());
                if *known.entry(color).or_insert(next) == next {
                    capacity.push(limit)
                } else {
                    ConstraintId::NONE
                }
            });
        let first_of_color: IdVec<ConstraintId, ConstraintId> = first_of_color.collect();
        let mut seen: HashMap<(SegmentId, ConstraintId), f64> = HashMap::new();
        self.each_subflow(colors, |subflow, color| {
            let own = subflow.own().map(|c| (c, 1.0));
            let parts = self.constraints.of_segment(subflow.segment).iter().copied();
            for (c, fraction) in own.chain(parts) {
                if first_of_color[c] != ConstraintId::NONE {
                    *seen.entry((classes[&color], first_of_color[c])).or_default() += fraction;
                }
            }
        });
        let mut of_segment = IdVec::filled(Vec::new(), classes.len());
        for ((subflow, constraint), times) in seen {
            of_segment[subflow].push((constraint, times));
        }
        of_segment
            .iter_mut()
            .for_each(|list| list.sort_unstable_by_key(|&(constraint, _)| constraint));
        Constraints::folded(
            capacity,
            self.routes.ports.len(),
            self.constraints.largest_edge,
            of_segment,
        )
    }
}

fn distinct(colors: &[Color]) -> usize {
    colors.iter().collect::<HashSet<_>>().len()
}

/// A sub-flow with what it crosses.
struct Crossing {
    id: SubflowId,
    bytes: u64,
    delays: (Time, Time),
    ports: [ConstraintId; 2],
    direct: Direct,
    segment: SegmentId,
}

impl Crossing {
    /// The constraints that see all of it.
    fn own(&self) -> impl Iterator<Item = ConstraintId> + use<> {
        self.ports
            .into_iter()
            .chain(self.direct)
            .filter(|&c| c != ConstraintId::NONE)
    }
}
