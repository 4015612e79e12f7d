//! What a point needs at least, in simulated time, samples and memory, and whether that can be had.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::instance::Instance;
use super::memory::{Memory, Parts, gigabytes};
use super::spec::{Engine, Experiment};
use crate::congestion::Bounds;
use crate::ids::{LinkId, TaskId};
use crate::input::InputError;
use crate::outcome::Limit;
use crate::placement::Placement;
use crate::routes::Route;
use crate::topology::Fault;
use crate::units::{Rate, Time, rough_time};
use crate::workload::Action;

/// Samples of links that a series holds at most.
const MOST_SAMPLES: f64 = 50e6;

/// A path is taken to have so many links where it only matters whether there is any doubt.
const MANY_HOPS: f64 = 16.0;

/// The key that sets a limit of a run.
pub fn key_of(limit: Limit) -> &'static str {
    match limit {
        Limit::Time => "packet.max_time",
        Limit::Events => "packet.max_events",
    }
}

/// Refuses a point that would take too long in simulated time, too many samples, or more than `memory`; else says how
/// much of that it takes. Bounds are asked for only where there is doubt about the time.
pub(super) fn check(
    experiment: &Experiment,
    instance: &Instance,
    memory: Memory,
    bounds: impl FnOnce() -> Arc<Bounds>,
) -> Result<u64, InputError> {
    // What is stopped is not waited for.
    let stop = experiment.packet.stop.filter(|_| experiment.engine == Engine::Packet);
    let doubtful = stop.is_none() && at_most(experiment, instance) > Time::LATEST.0 as f64;
    let series = experiment.output.series;
    let mut samples = 0.0;
    if doubtful || series.is_some() {
        let mut busy = busy_times(experiment, instance);
        if let Some(stop) = stop {
            busy.iter_mut().for_each(|time| *time = time.min(stop.0 as f64));
        }
        if doubtful {
            check_time(experiment, instance, &busy, bounds)?;
        }
        if let Some(interval) = series {
            samples = check_samples(instance, interval, &busy)?;
        }
    }
    check_memory(experiment, instance, samples as u64, memory)
}

/// A time in picoseconds that the simulation hardly exceeds, whatever happens: everything over the slowest link, one
/// after the other.
fn at_most(experiment: &Experiment, instance: &Instance) -> f64 {
    let (mut bytes, mut waits, mut latest) = (0_u64, 0.0, 0_u64);
    for task in instance.schedule.tasks() {
        latest = latest.max(task.earliest.0);
        match task.action {
            Action::Transfer { bytes: more, .. } => bytes = bytes.saturating_add(more),
            Action::Delay(time) => waits += time.0 as f64,
            Action::Trigger => {}
        }
    }
    let network = &instance.network;
    let rates = network.fabric.links().iter().map(|link| link.rate);
    let rates = rates.chain(network.events.iter().map(|event| event.change.rate));
    let slowest = rates.filter(|rate| !rate.is_zero()).min().unwrap_or(Rate::MAX);
    let delay = network
        .fabric
        .links()
        .iter()
        .map(|link| link.delay.0)
        .max()
        .unwrap_or(0);
    let times = instance.times();
    let sent = experiment.framing().wire(bytes.saturating_mul(times)) as f64 / slowest.bytes_per_ps();
    let on_the_way = instance.schedule.tasks().len() as f64 * times as f64 * 2.0 * MANY_HOPS * delay as f64;
    let changes = network.events.last().map_or(0, |event| event.at.0);
    sent + waits + latest as f64 + on_the_way + changes as f64
}

/// For how long every link is busy with what it has to carry, in picoseconds, were all of it there from the beginning;
/// none of a link that stays down. Flows whose paths are chosen on the way count as spread evenly.
fn busy_times(experiment: &Experiment, instance: &Instance) -> Vec<f64> {
    let (fabric, schedule) = (&instance.network.fabric, &instance.schedule);
    let loads = instance.placement.link_loads(fabric, schedule).or_else(|| {
        let even = Placement::whole(schedule, |_| Route::Even);
        even.link_loads(fabric, schedule)
    });
    let mut changes: BTreeMap<LinkId, Vec<(Time, Rate)>> = BTreeMap::new();
    for event in &instance.network.events {
        let of_link = changes.entry(event.change.link).or_default();
        of_link.push((event.at, event.change.rate));
    }
    let framing = experiment.framing();
    let loads = loads.unwrap_or_default().into_iter();
    let busy = loads.enumerate().map(|(index, load)| {
        let id = LinkId::from(index);
        let changes = changes.get(&id).map_or(&[][..], Vec::as_slice);
        drain(
            framing.wire(load.ceil() as u64 * instance.times()) as f64,
            fabric.link(id).rate,
            changes,
        )
    });
    busy.collect()
}

/// When a link has sent `bytes` whose rate changes at these times, in picoseconds; 0 where it never does.
fn drain(bytes: f64, rate: Rate, changes: &[(Time, Rate)]) -> f64 {
    let (mut left, mut now, mut rate) = (bytes, 0.0, rate);
    if bytes == 0.0 {
        return 0.0;
    }
    for &(at, next) in changes {
        let (at, sent) = (at.0 as f64, (at.0 as f64 - now) * rate.bytes_per_ps());
        if sent >= left {
            break;
        }
        (left, now, rate) = (left - sent, at, next);
    }
    if rate.is_zero() {
        return 0.0;
    }
    now + left / rate.bytes_per_ps()
}

/// The link that is busy longest, the first of several, and for how long.
fn busiest(busy: &[f64]) -> Option<(LinkId, f64)> {
    let links = busy.iter().enumerate();
    let (link, &time) = links.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
    Some((LinkId::from(link), time))
}

fn check_time(
    experiment: &Experiment,
    instance: &Instance,
    busy: &[f64],
    bounds: impl FnOnce() -> Arc<Bounds>,
) -> Result<(), InputError> {
    let most = rough_time(Time::LATEST.0 as f64);
    let fabric = &instance.network.fabric;
    if let Some((link, time)) = busiest(busy).filter(|&(_, time)| time > Time::LATEST.0 as f64) {
        let named = fabric.links_by_name();
        let is_at = |fault: &Fault| fault.links(fabric, &named).is_ok_and(|links| links.contains(&link));
        let fault = experiment.faults.iter().position(is_at);
        let key = fault.map_or("topology".to_owned(), |index| format!("faults.{index}"));
        let message = format!(
            "the link `{}` would need {} for what it has to carry",
            fabric.link_name(link),
            rough_time(time)
        );
        let help = format!("at most {most} are simulated: make the link faster, or send less over it");
        return Err(InputError::key(key, message).help(help));
    }
    if bounds().cct > Time::LATEST {
        let message = format!("nothing could end within {most}, the longest time that is simulated");
        return Err(InputError::key("workload", message).help("send less, or make links and delays shorter"));
    }
    Ok(())
}

/// How many samples a series has at least: one of every link for every interval in which it is busy.
fn check_samples(instance: &Instance, interval: Time, busy: &[f64]) -> Result<f64, InputError> {
    let samples = busy.iter().sum::<f64>() / interval.0 as f64;
    let Some((link, time)) = busiest(busy).filter(|_| samples > MOST_SAMPLES) else {
        return Ok(samples);
    };
    let message = format!(
        "there would be at least {samples:.0} samples: the link `{}` alone is busy for {}",
        instance.network.fabric.link_name(link),
        rough_time(time)
    );
    let longer = Time((interval.0 as f64 * samples / MOST_SAMPLES).ceil() as u64);
    Err(InputError::key("output.series", message).help(format!(
        "at most {MOST_SAMPLES} can be kept: sample every {longer} or less often"
    )))
}

fn check_memory(experiment: &Experiment, instance: &Instance, samples: u64, memory: Memory) -> Result<u64, InputError> {
    let (schedule, placement) = (&instance.schedule, &instance.placement);
    let parts = Parts {
        engine: experiment.engine,
        fabric: &instance.network.fabric,
        tasks: schedule.tasks().len() as u64,
        dependencies: schedule.dependencies() as u64,
        subflows: placement.subflows().len() as u64,
        active: active(experiment, instance),
        samples,
        threads: experiment.threads().into(),
    };
    let bytes = parts.bytes();
    if bytes <= memory.0 {
        return Ok(bytes);
    }
    let message = format!(
        "{} transfers and delays in {} sub-flows take about {} of memory, and {} are free",
        parts.tasks,
        parts.subflows,
        gigabytes(bytes),
        gigabytes(memory.0)
    );
    Err(InputError::key("workload", message).help(
        "take fewer ranks, channels, chunks or sub-flows, or a longer interval of `output.series`; `fabricsim run --force` tries it",
    ))
}

/// Sub-flows that are there at the same time, or waiting to be if hosts serve only some of them: as many as two rounds
/// of the schedule have, of which one begins before the other has ended.
fn active(experiment: &Experiment, instance: &Instance) -> u64 {
    let schedule = &instance.schedule;
    let mut rounds = vec![0; 1];
    if schedule.dependencies() == 0 {
        rounds[0] = instance.placement.subflows().len() as u64;
    } else {
        for (task, round) in (0..).map(TaskId).zip(schedule.generations()) {
            let round = round.unwrap_or(0) as usize;
            rounds.resize(rounds.len().max(round + 1), 0);
            rounds[round] += instance.placement.of(task).len() as u64;
        }
    }
    let in_a_row = rounds.windows(2).map(|pair| pair[0] + pair[1]);
    let subflows = in_a_row.max().unwrap_or(rounds[0]);
    let served = experiment
        .packet
        .active_queue_pairs
        .filter(|_| experiment.engine == Engine::Packet);
    served.map_or(subflows, |served| {
        subflows.min(u64::from(served) * u64::from(instance.network.fabric.hosts()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: f64 = 1e12;

    #[test]
    fn links_drain_at_the_rate_of_the_hour() {
        let (fast, slow) = (Rate(8_000), Rate(800));
        let at = |seconds: u64| Time(seconds * 1_000_000_000_000);
        // 10 000 bytes at 1000 bytes per second.
        assert_eq!(drain(10_000.0, fast, &[]), 10.0 * SECOND);
        // 4 seconds, 10 seconds at a tenth, 5 more.
        let spell = [(at(4), slow), (at(14), fast)];
        assert_eq!(drain(10_000.0, fast, &spell), 19.0 * SECOND);
        // Down for a while, and for good.
        assert_eq!(
            drain(10_000.0, fast, &[(at(4), Rate::ZERO), (at(14), fast)]),
            20.0 * SECOND
        );
        assert_eq!(drain(10_000.0, fast, &[(at(4), Rate::ZERO)]), 0.0);
        // Changes after the end do not count.
        assert_eq!(drain(10_000.0, fast, &[(at(11), slow)]), 10.0 * SECOND);
    }
}
