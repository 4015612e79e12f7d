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
use std::hash::{BuildHasherDefault, Hasher};

use smallvec::SmallVec;

use super::constraints::{ConstraintId, Constraints, Direct};
use super::options::FlowOptions;
use super::routes::{Routes, SegmentId};
use crate::ids::{Id, IdVec, SubflowId, TaskId};
use crate::placement::{Placement, Subflow};
use crate::units::Time;
use crate::workload::{Action, Milestone, Schedule, ScheduleBuilder, Transfer};

/// Refinements after which the rest is taken to be without symmetry.
const MOST_ROUNDS: usize = 12;
/// Hosts' links that are looked at before all are.
const SAMPLES: usize = 64;
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
    let ordered = |task: crate::workload::Task| task.action == Action::Trigger;
    if !options.fold || options.tolerance > 0.0 || schedule.tasks().any(ordered) {
        return None;
    }
    let run = Run {
        schedule,
        placement,
        routes,
        constraints,
        order: order(schedule)?,
    };
    let colors = run.refine()?;
    Some(run.quotient(&colors))
}

type Color = u128;

const ODD: Color = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// All bits of a number on all others.
fn mix(value: Color) -> Color {
    let z = (value ^ (value >> 67)).wrapping_mul(ODD);
    let z = (z ^ (z >> 61)).wrapping_mul(ODD);
    z ^ (z >> 64)
}

/// Of two things in this order: to be mixed where it is added to others.
fn both(a: Color, b: impl Into<Color>) -> Color {
    let z = (a.rotate_left(43) ^ b.into()).wrapping_add(ODD >> 1).wrapping_mul(ODD);
    z ^ (z >> 64)
}

/// Colors are hashes already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u128(&mut self, color: u128) {
        self.0 = color as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type ByColor = HashMap<Color, u32, BuildHasherDefault<AsItIs>>;

/// A run as it is written.
struct Run<'a> {
    schedule: &'a Schedule,
    placement: &'a Placement,
    routes: &'a Routes,
    constraints: &'a Constraints,
    /// Tasks, each after all that it waits for; empty where that is the order of ids.
    order: Vec<TaskId>,
}

/// Colors at which no constraint differs from others of its color.
struct Colors {
    tasks: Vec<Color>,
    constraints: IdVec<ConstraintId, Color>,
    segments: IdVec<SegmentId, Color>,
}

impl Colors {
    /// The color of a task's sub-flow.
    fn of(&self, run: &Run<'_>, task: TaskId, subflow: &Crossing) -> Color {
        both(
            self.tasks[task.index()],
            run.way(subflow, &self.constraints, &self.segments),
        )
    }
}

/// Colors of sub-flows, added up.
struct Carried {
    /// Those that it sees all of.
    by_constraint: IdVec<ConstraintId, Color>,
    by_segment: IdVec<SegmentId, Color>,
}

impl Carried {
    fn add(&mut self, subflow: &Crossing, color: Color) {
        let part = mix(color);
        for c in subflow.own() {
            let sum = &mut self.by_constraint[c];
            *sum = sum.wrapping_add(part);
        }
        let sum = &mut self.by_segment[subflow.segment];
        *sum = sum.wrapping_add(part);
    }

    /// The sums of constraints with what they see of segments.
    fn over_segments(mut self, constraints: &Constraints) -> IdVec<ConstraintId, Color> {
        for (segment, &sum) in self.by_segment.entries() {
            for &(c, fraction) in constraints.of_segment(segment) {
                let part = mix(both(sum, fraction.to_bits()));
                self.by_constraint[c] = self.by_constraint[c].wrapping_add(part);
            }
        }
        self.by_constraint
    }
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
        let mut colors = self.first_colors();
        if !self.look_alike(&colors) {
            return None;
        }
        let mut count = distinct(&colors);
        for _ in 0..MOST_ROUNDS {
            let segments = self.color_segments(&colors);
            let (tasks, carried) = self.color_tasks(&colors, &segments);
            let now = Colors {
                tasks,
                constraints: colors,
                segments,
            };
            let used = carried.iter().filter(|&&sum| sum != 0).count();
            let finer = now
                .constraints
                .iter()
                .zip(&carried)
                .map(|(&color, &sum)| mix(both(color, sum)));
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

    /// Of constraints by capacity, and by how many sub-flows and bytes they see: additions alone, which tell most apart.
    fn first_colors(&self) -> IdVec<ConstraintId, Color> {
        let mut carried = Carried {
            by_constraint: IdVec::filled(0, self.constraints.capacity.len()),
            by_segment: IdVec::filled(0, self.routes.segments.len()),
        };
        for Transfer { task, src, dst, .. } in self.schedule.transfers() {
            let (up, down) = (
                self.constraints.ports[src.index()].0,
                self.constraints.ports[dst.index()].1,
            );
            for id in self.placement.ids(task) {
                let segment = self.routes.of_subflow[id.index()];
                let one = 1 << 64 | Color::from(self.placement.subflows()[id.index()].bytes);
                let own = [up, down].into_iter().chain(self.constraints.direct[segment]);
                for c in own.filter(|&c| c != ConstraintId::NONE) {
                    carried.by_constraint[c] += one;
                }
                carried.by_segment[segment] += one;
            }
        }
        let carried = carried.over_segments(self.constraints);
        let colors = self.constraints.capacity.iter().zip(&carried);
        colors
            .map(|(capacity, &sum)| mix(both(mix(sum), capacity.to_bits())))
            .collect()
    }

    /// Whether some hosts' links, taken as samples, see the same: if not, there is nothing to refine.
    fn look_alike(&self, colors: &IdVec<ConstraintId, Color>) -> bool {
        let ups = self.constraints.ports.iter().map(|&(up, _)| up);
        let ups: Vec<ConstraintId> = ups.filter(|&up| up != ConstraintId::NONE).collect();
        let samples = ups.iter().step_by(ups.len().div_ceil(SAMPLES).max(1));
        let mut seen: HashMap<ConstraintId, Color> = samples.map(|&up| (up, 0)).collect();
        let mut sampled = IdVec::filled(false, self.constraints.capacity.len());
        seen.keys().for_each(|&up| sampled[up] = true);
        let segments = self.color_segments(colors);
        for Transfer { task, src, .. } in self.schedule.transfers() {
            let up = self.constraints.ports[src.index()].0;
            if sampled.get(up) == Some(&true)
                && let Some(sum) = seen.get_mut(&up)
            {
                for subflow in self.subflows(task) {
                    *sum = sum.wrapping_add(mix(self.way(&subflow, colors, &segments)));
                }
            }
        }
        let different: HashSet<Color> = seen.values().copied().collect();
        different.len() <= seen.len() / LEAST_ALIKE + 1
    }

    fn color_segments(&self, constraints: &IdVec<ConstraintId, Color>) -> IdVec<SegmentId, Color> {
        let color = |segment: SegmentId| {
            let crossed = self.constraints.of_segment(segment).iter();
            let parts = crossed.map(|&(c, fraction)| mix(both(constraints[c], fraction.to_bits())));
            parts.fold(0, Color::wrapping_add)
        };
        self.routes.segments.ids().map(color).collect()
    }

    /// Of every task: what it does, and what it waits for. With them the colors of all sub-flows on each constraint, added up; 0 where
    /// there are none.
    fn color_tasks(
        &self,
        constraints: &IdVec<ConstraintId, Color>,
        segments: &IdVec<SegmentId, Color>,
    ) -> (Vec<Color>, IdVec<ConstraintId, Color>) {
        // Until its turn comes, a task's place holds the sum of what it waits for.
        let mut colors: Vec<Color> = vec![0; self.schedule.tasks().len()];
        let mut carried = Carried {
            by_constraint: IdVec::filled(0, constraints.len()),
            by_segment: IdVec::filled(0, segments.len()),
        };
        let mut color = |task: TaskId| {
            let ways = self
                .subflows(task)
                .map(|subflow| (self.way(&subflow, constraints, segments), subflow));
            let ways: SmallVec<[_; 1]> = ways.collect();
            let sum = ways.iter().fold(0, |sum: Color, &(way, _)| sum.wrapping_add(mix(way)));
            let own = mix(both(both(self.action(task), sum), colors[task.index()]));
            colors[task.index()] = own;
            for (way, subflow) in &ways {
                carried.add(subflow, both(own, *way));
            }
            for &(next, milestone) in self.schedule.successors(task) {
                let waits = mix(own ^ milestone as Color);
                colors[next.index()] = colors[next.index()].wrapping_add(waits);
            }
        };
        if self.order.is_empty() {
            (0..self.schedule.tasks().len()).map(TaskId::from).for_each(color);
        } else {
            self.order.iter().copied().for_each(&mut color);
        }
        (colors, carried.over_segments(self.constraints))
    }

    /// What a task does, and who hears of it: transfers that others wait for end with all that end around then.
    fn action(&self, id: TaskId) -> Color {
        let task = self.schedule.task(id);
        let heard = Color::from(self.schedule.successors(id).is_empty());
        let (kind, amount) = match task.action {
            Action::Delay(time) => (0, time.0),
            Action::Trigger => (1, 0),
            Action::Transfer { bytes, .. } => (2 + u8::from(self.schedule.awaits(id, Milestone::Begun)), bytes),
        };
        both(both(Color::from(kind) << 1 | heard, amount), task.earliest.0)
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
        both(crossed, Color::from(subflow.bytes) << 64 | Color::from(forward.0)) ^ Color::from(round_trip.0)
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

    /// One task, one sub-flow and one constraint of each color.
    fn quotient(&self, colors: &Colors) -> Folded {
        let mut known = ByColor::default();
        let mut firsts: Vec<TaskId> = Vec::new();
        let class_of = (colors.tasks.iter().enumerate()).map(|(task, &color)| {
            *known.entry(color).or_insert_with(|| {
                firsts.push(TaskId::from(task));
                firsts.len() as u32 - 1
            })
        });
        let class_of: Vec<u32> = class_of.collect();
        let schedule = self.schedule_of(&firsts, &class_of);
        let (placed, classes) = self.placed(&firsts, colors);
        let (capacity, lists) = self.crossed(colors, &classes);
        let subflow =
            |&(class, ref crossing): &(TaskId, Crossing)| (class, self.placement.subflows()[crossing.id.index()]);
        let subflows: Vec<(TaskId, Subflow)> = placed.iter().map(subflow).collect();
        let (routes, lists) = self.segments(&placed, lists);
        Folded {
            schedule,
            placement: Placement::from_scattered(firsts.len(), &subflows),
            constraints: Constraints::folded(capacity, self.routes.ports.len(), self.constraints.largest_edge, lists),
            routes,
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

    /// The sub-flows of the first tasks, one of each color, with the number of each color.
    fn placed(&self, firsts: &[TaskId], colors: &Colors) -> (Vec<(TaskId, Crossing)>, ByColor) {
        let mut placed = Vec::new();
        let mut classes = ByColor::default();
        for (class, &first) in (0..).zip(firsts) {
            for subflow in self.subflows(first) {
                let next = classes.len() as u32;
                if *classes.entry(colors.of(self, first, &subflow)).or_insert(next) == next {
                    placed.push((TaskId(class), subflow));
                }
            }
        }
        (placed, classes)
    }

    /// One segment for all sub-flows that cross the same constraints as often, with the same delays between edges; and these constraints.
    fn segments(&self, placed: &[(TaskId, Crossing)], lists: Vec<Crossed>) -> (Routes, IdVec<SegmentId, Crossed>) {
        let mut known: HashMap<Delayed, SegmentId> = HashMap::new();
        let (mut segments, mut distinct) = (IdVec::new(), IdVec::new());
        let of_subflow = placed.iter().zip(lists).map(|((_, subflow), list)| {
            let segment = &self.routes.segments[subflow.segment];
            let bits = list.iter().map(|&(constraint, times)| (constraint, times.to_bits()));
            *known
                .entry((bits.collect(), segment.forward, segment.round_trip))
                .or_insert_with(|| {
                    segments.push(segment.without_links());
                    distinct.push(list)
                })
        });
        let routes = Routes {
            of_subflow: of_subflow.collect(),
            ports: self.routes.ports.clone(),
            segments,
            impossible: Vec::new(),
        };
        (routes, distinct)
    }

    /// The capacity of the first constraint of each color; and for each color of sub-flows, how often these see it.
    fn crossed(&self, colors: &Colors, classes: &ByColor) -> (IdVec<ConstraintId, f64>, Vec<Crossed>) {
        let mut known: HashMap<Color, ConstraintId> = HashMap::new();
        let mut capacity = IdVec::new();
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
        let mut seen: HashMap<(u32, ConstraintId), f64> = HashMap::new();
        for Transfer { task, .. } in self.schedule.transfers() {
            for subflow in self.subflows(task) {
                let own = subflow.own().map(|c| (c, 1.0));
                let parts = self.constraints.of_segment(subflow.segment).iter().copied();
                let crossed = own.chain(parts).map(|(c, fraction)| (first_of_color[c], fraction));
                let mut class = None;
                for (first, fraction) in crossed.filter(|&(first, _)| first != ConstraintId::NONE) {
                    let class = *class.get_or_insert_with(|| classes[&colors.of(self, task, &subflow)]);
                    *seen.entry((class, first)).or_default() += fraction;
                }
            }
        }
        let mut lists = vec![Crossed::new(); classes.len()];
        for ((class, constraint), times) in seen {
            lists[class as usize].push((constraint, times));
        }
        for list in &mut lists {
            list.sort_unstable_by_key(|&(constraint, _)| constraint);
        }
        (capacity, lists)
    }
}

/// Constraints with how often they see a sub-flow, as bits, and its delays between edges.
type Delayed = (Vec<(ConstraintId, u64)>, Time, Time);

/// Constraints, each with how often it sees a sub-flow.
type Crossed = Vec<(ConstraintId, f64)>;

fn distinct(colors: &IdVec<ConstraintId, Color>) -> usize {
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
