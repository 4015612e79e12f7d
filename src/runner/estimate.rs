//! What a plan will cost before it is run: sizes of its points, and times from short trials of the engines on this
//! machine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cpu_time::ThreadTime;
use rayon::prelude::*;

use super::measure::{evaluate, simulate};
use super::options::Shard;
use crate::config::ConfigError;
use crate::experiment::{Engine, Experiment, Instance, Memory, Point, Prepared, Preparer};
use crate::flow_engine;
use crate::packet_engine::{self, Continue};
use crate::placement::{Placement, Subflow};
use crate::rng::mix;
use crate::workload::Schedule;

/// How long all trials together take, about.
const TRIALS: Duration = Duration::from_millis(500);

/// Points that are prepared between two looks at whether one is wrong.
const BATCH: usize = 256;

/// Transfers of a schedule whose paths are looked at to know how long paths are.
const PATHS_LOOKED_AT: usize = 500;

/// Sub-flows whose sizes are looked at to know whether they are many, and how many that is: what is of one size mostly ends together.
const SIZES_LOOKED_AT: u64 = 500;
const MANY_SIZES: usize = 16;

/// What a queue pair costs beside its packets, in packets.
const QUEUE_PAIR: f64 = 6.0;

/// Bytes that a process takes without any point.
const PROCESS: u64 = 14_000_000;

/// What a process of many points has in memory for each byte that they ask for and that is kept of them: what is given back between
/// pieces that stay is used again only in part. In shipped experiments it was 1.0 to 2.0.
const SLACK: f64 = 1.4;

/// Rates that are taken where no trial was made, and to choose what to try: units of work in a second of CPU.
const NOMINAL_PACKETS: f64 = 8e6;
const NOMINAL_FLUID: f64 = 4e6;

/// What a point is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct PointSize {
    /// Its index in the plan.
    point: u32,
    /// Points of one class cost in proportion to their work.
    class: String,
    engine: Engine,
    work: f64,
    hosts: u32,
    transfers: u64,
    packets: Option<u64>,
    memory: u64,
    /// Of it, what is kept for further points.
    kept: u64,
    prepare_s: f64,
    /// Where its fabric and its schedule lie: points with the same share their bounds.
    bounded: (usize, usize),
}

/// What a plan costs. Seconds are of CPU.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// Points of the plan.
    pub points: usize,
    /// Of the largest point.
    pub hosts: u32,
    /// Of the largest point.
    pub transfers: u64,
    /// None in the flow engine.
    pub packets: Option<u64>,
    /// Of the largest point, in bytes.
    pub memory: u64,
    /// Of the process that runs one point at a time, in bytes: the largest point beside what is kept of others.
    pub memory_in_all: u64,
    /// Of the longest point.
    pub longest_s: f64,
    /// Of all points.
    pub all_packets: Option<u64>,
    /// Of all points.
    pub all_s: f64,
}

/// Prepares all points, or those of a part, which shows whatever is wrong with them, and tells what they are made of.
///
/// # Errors
/// The first point that cannot be built.
pub fn survey(
    preparer: &Preparer<'_>,
    shard: Option<Shard>,
    warn: &dyn Fn(&str),
) -> Result<Vec<PointSize>, ConfigError> {
    let mut sizes = Vec::new();
    let points = preparer.plan().points().iter().copied();
    let points: Vec<Point> = points
        .filter(|point| shard.is_none_or(|shard| shard.has(point.index)))
        .collect();
    for points in points.chunks(BATCH) {
        let size = |&point: &Point| {
            let begun = ThreadTime::now();
            let prepared = point.prepare_run(preparer)?;
            Ok(PointSize::of(point, &prepared, begun.elapsed().as_secs_f64()))
        };
        let of_batch: Vec<Result<PointSize, ConfigError>> = points.par_iter().map(size).collect();
        preparer.warnings().iter().for_each(|warning| warn(warning));
        for size in of_batch {
            sizes.push(size?);
        }
    }
    Ok(sizes)
}

/// Estimates what points of these sizes cost, by trying some of them for half a second in all.
///
/// # Errors
/// A point that cannot be built.
pub fn estimate(preparer: &Preparer<'_>, sizes: &[PointSize]) -> Result<Estimate, ConfigError> {
    let mut classes: BTreeMap<&str, Vec<&PointSize>> = BTreeMap::new();
    for size in sizes {
        classes.entry(&size.class).or_default().push(size);
    }
    let mut rates = Rates::default();
    // The largest point of the flow engine, which takes its memory when it begins.
    let largest = sizes.iter().max_by_key(|size| size.memory);
    let mut largest = largest
        .filter(|size| size.engine == Engine::Flow)
        .map(|size| size.point);
    let mut peak = u64::MAX;
    let kept = preparer.kept();
    let (mut left, mut untried) = (TRIALS, classes.len() as u32);
    for (class, points) in &classes {
        let slice = left / untried.max(1);
        untried -= 1;
        let Some(chosen) = choose(points, slice) else { continue };
        let begun = ThreadTime::now();
        if let Some(trial) = chosen.attempt(preparer, slice)? {
            rates.add(class, chosen, trial);
            if largest.take_if(|point| *point == chosen.point).is_some() {
                peak = Memory::peak().map_or(u64::MAX, |peak| peak.0);
            }
        }
        left = left.saturating_sub(begun.elapsed());
    }
    let mut estimate = Estimate {
        points: sizes.len(),
        ..Estimate::default()
    };
    let mut bounded = BTreeSet::new();
    for size in sizes {
        let others = kept.saturating_sub(size.kept);
        let slack = if sizes.len() > 1 { SLACK } else { 1.0 };
        let bytes = ((size.memory + others) as f64 * slack) as u64;
        estimate.memory_in_all = estimate.memory_in_all.max(PROCESS + bytes);
        let bounds = if bounded.insert(size.bounded) {
            rates.bounds(size)
        } else {
            0.0
        };
        let seconds = size.prepare_s + size.work * (rates.of(size) + bounds);
        estimate.add(size, seconds);
    }
    // What is alike is folded, which sizes do not tell, and this process has done all that a run does.
    estimate.memory_in_all = estimate.memory_in_all.min(peak);
    Ok(estimate)
}

impl Estimate {
    fn add(&mut self, size: &PointSize, seconds: f64) {
        self.hosts = self.hosts.max(size.hosts);
        self.transfers = self.transfers.max(size.transfers);
        self.packets = self.packets.max(size.packets);
        self.memory = self.memory.max(size.memory);
        self.longest_s = self.longest_s.max(seconds);
        self.all_s += seconds;
        if let Some(packets) = size.packets {
            self.all_packets = Some(self.all_packets.unwrap_or(0).saturating_add(packets));
        }
    }
}

/// Seconds for a unit of work, by class and by engine.
#[derive(Debug, Default)]
struct Rates {
    by_class: BTreeMap<String, f64>,
    bounds_by_class: BTreeMap<String, f64>,
    /// Seconds and work of all trials of the engine.
    packet: (f64, f64),
    flow: (f64, f64),
}

impl Rates {
    fn add(&mut self, class: &str, size: &PointSize, trial: Trial) {
        let Trial { seconds, bounds } = trial;
        self.by_class.insert(class.to_owned(), seconds / size.work.max(1.0));
        self.bounds_by_class
            .insert(class.to_owned(), bounds / size.work.max(1.0));
        let all = match size.engine {
            Engine::Packet => &mut self.packet,
            Engine::Flow => &mut self.flow,
        };
        *all = (all.0 + seconds, all.1 + size.work.max(1.0));
    }

    /// Of the bounds, where they were made in a trial of the class.
    fn bounds(&self, size: &PointSize) -> f64 {
        self.bounds_by_class.get(&size.class).copied().unwrap_or(0.0)
    }

    fn of(&self, size: &PointSize) -> f64 {
        let (all, nominal) = match size.engine {
            Engine::Packet => (self.packet, NOMINAL_PACKETS),
            Engine::Flow => (self.flow, NOMINAL_FLUID),
        };
        let own = self.by_class.get(&size.class).copied();
        own.unwrap_or(if all.1 > 0.0 { all.0 / all.1 } else { 1.0 / nominal })
    }
}

/// What a trial tells of a point: seconds of its own, and those of the bounds that it shares with others.
#[derive(Debug, Clone, Copy)]
struct Trial {
    seconds: f64,
    bounds: f64,
}

/// How far a trial has come: seconds and share, at the first look and at the last. What comes before the first look
/// is done once.
#[derive(Debug, Default)]
struct Part {
    first: Option<(f64, f64)>,
    last: (f64, f64),
}

impl Part {
    /// Takes note; whether it should go on: for `time` in all, and behind the first look for at least a quarter of that and half of
    /// what the first look took, as little is under way at the beginning of a large run.
    fn reach(&mut self, seconds: f64, share: f64, time: f64) -> bool {
        let first = *self.first.get_or_insert((seconds, share));
        self.last = (seconds, share);
        seconds < time.max(first.0 + (time / 4.0).max(first.0 / 2.0))
    }

    /// Seconds that the whole would take.
    fn whole(&self) -> Option<f64> {
        let (first, last) = (self.first?, self.last);
        if last.1 > first.1 {
            let rate = (last.0 - first.0) / (last.1 - first.1);
            return Some(first.0 + (1.0 - first.1) * rate);
        }
        (last.1 > 0.0).then(|| last.0 / last.1)
    }
}

/// The largest point that is likely done in time; trials can be stopped, so that a smallest one that is not will do.
fn choose<'a>(points: &[&'a PointSize], slice: Duration) -> Option<&'a PointSize> {
    let smallest = points.iter().min_by(|a, b| a.work.total_cmp(&b.work))?;
    let nominal = match smallest.engine {
        Engine::Packet => NOMINAL_PACKETS,
        Engine::Flow => NOMINAL_FLUID,
    };
    let room = nominal * slice.as_secs_f64();
    let fitting = points.iter().filter(|size| size.work <= room);
    let largest = fitting.max_by(|a, b| a.work.total_cmp(&b.work));
    Some(largest.unwrap_or(smallest))
}

impl PointSize {
    fn of(point: Point, prepared: &Prepared, prepare_s: f64) -> Self {
        let (experiment, instance) = (&prepared.resolved.experiment, &prepared.instance);
        let schedule = &instance.schedule;
        let hops = mean_hops(instance);
        let rehearsals = f64::from(experiment.load_balancing.rehearsals());
        let instances = (1.0 + prepared.alone.len() as f64) * (1.0 + rehearsals);
        let packets = (experiment.engine == Engine::Packet).then(|| packets(experiment, &instance.placement));
        let subflows = instance.placement.subflows().len() as f64;
        let units = match packets {
            // An acknowledgement comes back for most packets.
            Some(packets) => 2.0 * packets as f64 + QUEUE_PAIR * subflows,
            None => subflows + schedule.tasks().len() as f64,
        };
        Self {
            point: point.index,
            class: class(experiment, instance),
            engine: experiment.engine,
            work: units * hops * instances,
            hosts: instance.network.fabric.hosts(),
            transfers: instance.transfers(),
            packets,
            memory: prepared.memory,
            kept: prepared.kept(),
            prepare_s,
            bounded: (
                Arc::as_ptr(&instance.network).addr(),
                Arc::as_ptr(&instance.schedule).addr(),
            ),
        }
    }

    /// Seconds that the point takes without being prepared, tried in part if it takes longer than `time`; none where
    /// nothing was done in it.
    fn attempt(&self, preparer: &Preparer<'_>, time: Duration) -> Result<Option<Trial>, ConfigError> {
        let point = preparer.plan().points()[self.point as usize];
        let prepared = point.prepare_run(preparer)?;
        let (experiment, instance) = (prepared.resolved.experiment.clone(), prepared.instance.clone());
        let begun = ThreadTime::now();
        preparer.bounds(&experiment, &instance);
        let bounds = begun.elapsed().as_secs_f64();
        let begun = ThreadTime::now();
        drop(evaluate(preparer, point, prepared));
        let judged = begun.elapsed().as_secs_f64();
        let begun = ThreadTime::now();
        let of = |simulated| Trial {
            seconds: judged + simulated,
            bounds,
        };
        let mut part = Part::default();
        match experiment.engine {
            Engine::Flow if instance.equal_steps.is_some() => {
                let done = simulate(&experiment, &instance, &|_| ());
                if done.is_err() {
                    return Ok(None);
                }
            }
            Engine::Flow => {
                let observe = instance.observe(&experiment);
                let fabric = &instance.network.fabric;
                let done = flow_engine::simulate_watched(
                    fabric,
                    &instance.schedule,
                    &instance.placement,
                    &experiment.flow,
                    &observe,
                    &mut |share| part.reach(begun.elapsed().as_secs_f64(), share, time.as_secs_f64()),
                );
                if done.is_err() {
                    return Ok(part.whole().map(of));
                }
            }
            Engine::Packet => {
                let setup = instance.packet_setup(&experiment);
                let done = packet_engine::simulate_watched(&setup, &mut |status| match part.reach(
                    begun.elapsed().as_secs_f64(),
                    status.fraction(),
                    time.as_secs_f64(),
                ) {
                    true => Continue::Yes,
                    false => Continue::No,
                });
                if done.is_err() {
                    return Ok(part.whole().map(of));
                }
            }
        }
        Ok(Some(of(begun.elapsed().as_secs_f64())))
    }
}

/// What decides how much a unit of work costs.
fn class(experiment: &Experiment, instance: &Instance) -> String {
    let engine = match experiment.engine {
        Engine::Flow if instance.equal_steps.is_some() => "equal steps",
        Engine::Packet => "packet",
        Engine::Flow => "flow",
    };
    let manner = match experiment.engine {
        Engine::Packet => experiment.transport.name(),
        // What is of one size ends together, and rates change once for all of it.
        Engine::Flow if has_many_sizes(instance.placement.subflows()) => "of many sizes",
        Engine::Flow => "",
    };
    format!("{engine} {} {manner}", experiment.load_balancing.name())
}

/// Whether sub-flows are of many sizes, as those of experts of unlike popularity are.
fn has_many_sizes(subflows: &[Subflow]) -> bool {
    let count = subflows.len() as u64;
    // Here and there, since sizes may come again in any period.
    let looked_at = (0..SIZES_LOOKED_AT.min(count)).map(|number| mix(number) % count);
    let sizes: BTreeSet<u64> = looked_at.map(|at| subflows[at as usize].bytes).collect();
    sizes.len() > MANY_SIZES
}

fn packets(experiment: &Experiment, placement: &Placement) -> u64 {
    let payload = experiment.packet.payload.0.max(1);
    let count = |subflow: &Subflow| match subflow.bytes {
        Schedule::ENDLESS.. => 0,
        bytes => bytes.div_ceil(payload),
    };
    placement.subflows().iter().map(count).fold(0, u64::saturating_add)
}

/// Links on the way of a transfer, the mean over some of them.
fn mean_hops(instance: &Instance) -> f64 {
    let (fabric, schedule) = (&instance.network.fabric, &instance.schedule);
    let stride = schedule.transfer_count().div_ceil(PATHS_LOOKED_AT).max(1);
    let (mut links, mut paths) = (0, 0);
    for transfer in schedule.transfers().step_by(stride) {
        let (src, dst) = (transfer.src.node(), transfer.dst.node());
        if fabric.path_count(src, dst) > 0 {
            links += fabric.path(src, dst, 0).len();
            paths += 1;
        }
    }
    if paths == 0 {
        1.0
    } else {
        links as f64 / f64::from(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(work: f64, engine: Engine) -> PointSize {
        PointSize {
            point: 0,
            class: "x".into(),
            engine,
            work,
            hosts: 1,
            transfers: 1,
            packets: None,
            memory: 1,
            kept: 0,
            prepare_s: 0.0,
            bounded: (0, 0),
        }
    }

    #[test]
    fn trials_are_the_largest_that_end_in_time() {
        let sizes = [1e3, 1e5, 1e9].map(|work| size(work, Engine::Packet));
        let points: Vec<&PointSize> = sizes.iter().collect();
        let second = Duration::from_secs(1);
        assert_eq!(choose(&points, second).unwrap().work, 1e5);
        assert_eq!(choose(&points[2..], second).unwrap().work, 1e9, "it can be stopped");
        let fluid = size(1e9, Engine::Flow);
        assert_eq!(choose(&[&fluid], second).unwrap().work, 1e9, "so can this");
    }

    #[test]
    fn sizes_are_counted_in_a_sample() {
        let subflows = |size: fn(u64) -> u64| -> Vec<Subflow> {
            let of = |number| Subflow {
                bytes: size(number),
                route: crate::routes::Route::Even,
            };
            (0..10_000).map(of).collect()
        };
        assert!(has_many_sizes(&subflows(|number| number)));
        assert!(!has_many_sizes(&subflows(|number| number % 12)));
        assert!(has_many_sizes(&subflows(|number| number % 64)));
        assert!(!has_many_sizes(&subflows(|_| 7)));
        assert!(!has_many_sizes(&[]));
    }

    #[test]
    fn what_is_done_once_is_not_extrapolated() {
        let mut part = Part::default();
        assert_eq!(part.whole(), None);
        // Two seconds to begin with, then a hundredth in a tenth of a second.
        assert!(part.reach(2.0, 0.0, 0.5));
        assert!(part.reach(2.1, 0.01, 0.5));
        assert!(part.reach(2.9, 0.09, 0.5));
        assert!(!part.reach(3.0, 0.1, 0.5));
        assert!((part.whole().unwrap() - 12.0).abs() < 1e-9);
    }

    #[test]
    fn classes_without_a_trial_cost_what_others_do() {
        let mut rates = Rates::default();
        assert_eq!(rates.of(&size(1.0, Engine::Flow)), 1.0 / NOMINAL_FLUID);
        let trial = |seconds| Trial { seconds, bounds: 5.0 };
        rates.add("y", &size(10.0, Engine::Flow), trial(2.0));
        assert_eq!(rates.of(&size(1.0, Engine::Flow)), 0.2);
        rates.add("x", &size(10.0, Engine::Flow), trial(4.0));
        assert_eq!(rates.of(&size(1.0, Engine::Flow)), 0.4);
        let packets = PointSize {
            class: "z".into(),
            ..size(1.0, Engine::Packet)
        };
        assert_eq!(rates.of(&packets), 1.0 / NOMINAL_PACKETS);
    }
}
