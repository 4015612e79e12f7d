//! The textbook's method, as plainly as possible: all rates from nothing at every event, on all
//! links of all paths. It shares no code with the engine.

use crate::ids::TaskId;
use crate::placement::Placement;
use crate::routes::{Route, path_weights};
use crate::topology::Fabric;
use crate::units::Time;
use crate::workload::{Action, Due, Milestone, Progress, Schedule, Transfer};

use super::super::Weights;

struct SubFlow {
    task: TaskId,
    weight: f64,
    left: f64,
    rate: f64,
    links: Vec<(usize, f64)>,
    forward: f64,
    round_trip: f64,
}

/// Start, delivery and acknowledgement of every task in picoseconds; NaN where there is none.
pub(super) fn completions(
    fabric: &Fabric,
    schedule: &Schedule,
    placement: &Placement,
    weights: Weights,
) -> Vec<[f64; 3]> {
    let mut times = vec![[f64::NAN; 3]; schedule.tasks().len()];
    let mut sent = vec![0.0_f64; times.len()];
    let (mut progress, roots) = Progress::<f64>::new(schedule);
    let mut event_queue: Vec<(f64, TaskId, Option<Milestone>)> = Vec::new();
    let mut active: Vec<SubFlow> = Vec::new();
    let mut on_the_way: Vec<(f64, SubFlow)> = Vec::new();
    let roots_at = |at: Time| {
        let mut transfers = schedule.transfers();
        transfers.all(|Transfer { task, .. }| schedule.predecessors(task) == 0 && schedule.task(task).earliest == at)
    };
    let first = schedule.transfers().next();
    let together = first.is_none_or(|Transfer { task, .. }| roots_at(schedule.task(task).earliest));
    let mut now = 0.0_f64;
    let mut due = roots;
    loop {
        for Due { at, task } in due.drain(..) {
            match schedule.task(task).action {
                Action::Delay(_) => event_queue.push((at, task, Some(Milestone::Delivered))),
                _ => event_queue.push((at, task, None)),
            }
        }
        if let Some(i) = event_queue.iter().position(|&(at, ..)| at <= now) {
            let (at, task, milestone) = event_queue.swap_remove(i);
            match milestone {
                // What has been sent is known when it is delivered; what follows then counts from when it was sent.
                Some(Milestone::Sent) => {
                    progress.happened(schedule, task, Milestone::Sent, sent[task.index()], &mut due)
                }
                // A delay that follows it may have ended by then; all else is known when it happens.
                Some(milestone) => progress.happened(schedule, task, milestone, at, &mut due),
                None => {
                    times[task.index()] = [at, 0.0, 0.0];
                    let subflows = subflows(fabric, schedule, placement, weights, task);
                    let lead = |s: &SubFlow| if together { 0.0 } else { s.forward };
                    on_the_way.extend(subflows.into_iter().map(|s| (at + lead(&s), s)));
                }
            }
            continue;
        }
        let (there, later) = on_the_way.into_iter().partition(|&(at, _)| at <= now);
        on_the_way = later;
        let there: Vec<(f64, SubFlow)> = there;
        active.extend(there.into_iter().map(|(_, s)| s));
        fill(fabric, &mut active);
        let wait = active.iter().map(|s| s.left / s.rate).fold(f64::INFINITY, f64::min);
        let joins = on_the_way.iter().map(|&(at, _)| at);
        let planned = event_queue
            .iter()
            .map(|&(at, ..)| at)
            .chain(joins)
            .fold(f64::INFINITY, f64::min);
        let next = planned.min(now + wait);
        if next.is_infinite() {
            return times;
        }
        for s in &mut active {
            s.left -= s.rate * (next - now);
            // What rounding leaves of a sub-flow: it takes a fraction of a picosecond.
            if s.left < 1e-3 {
                s.left = 0.0;
            }
        }
        now = next;
        let mut done = Vec::new();
        active.retain(|s| {
            if s.left == 0.0 {
                let [_, delivered, acked] = &mut times[s.task.index()];
                let after = if together { s.forward } else { 0.0 };
                *delivered = delivered.max(now + after);
                let sent = &mut sent[s.task.index()];
                *sent = sent.max(now + after - s.forward);
                *acked = acked.max(now + after + s.round_trip - s.forward);
                done.push(s.task);
            }
            s.left > 0.0
        });
        done.dedup();
        done.retain(|&task| {
            let mut left = active.iter().chain(on_the_way.iter().map(|(_, s)| s));
            left.all(|s| s.task != task)
        });
        for task in done {
            let [_, delivered, acked] = times[task.index()];
            event_queue.push((now, task, Some(Milestone::Sent)));
            event_queue.push((delivered, task, Some(Milestone::Delivered)));
            event_queue.push((acked, task, Some(Milestone::Acked)));
        }
    }
}

fn subflows(
    fabric: &Fabric,
    schedule: &Schedule,
    placement: &Placement,
    weights: Weights,
    task: TaskId,
) -> Vec<SubFlow> {
    let Action::Transfer { src, dst, bytes } = schedule.task(task).action else {
        return Vec::new();
    };
    let (src, dst) = (src.node(), dst.node());
    let subflow = |subflow: &crate::placement::Subflow| {
        let paths: Vec<(u32, f64)> = match subflow.route {
            Route::Pinned(path) => vec![(path.0, 1.0)],
            Route::Even => (0..fabric.path_count(src, dst)).map(|path| (path, 1.0)).collect(),
            _ => (0..)
                .zip(path_weights(fabric, src, dst).iter().map(|&w| w as f64))
                .collect(),
        };
        let whole: f64 = paths.iter().map(|&(_, weight)| weight).sum();
        let (mut links, mut forward, mut round_trip) = (Vec::new(), 0.0_f64, 0.0_f64);
        for (path, weight) in paths {
            let path = fabric.path(src, dst, path);
            let there: u64 = path.iter().map(|&id| fabric.link(id).delay.0).sum();
            let back: u64 = path
                .iter()
                .map(|&id| fabric.link(fabric.link(id).reverse).delay.0)
                .sum();
            forward = forward.max(there as f64);
            round_trip = round_trip.max((there + back) as f64);
            links.extend(path.iter().map(|&id| (id.index(), weight / whole)));
        }
        SubFlow {
            task,
            weight: match weights {
                Weights::Size => subflow.bytes as f64 / bytes as f64,
                Weights::Equal => 1.0,
            },
            left: subflow.bytes as f64,
            rate: 0.0,
            links,
            forward,
            round_trip,
        }
    };
    placement.of(task).iter().map(subflow).collect()
}

/// Progressive filling: all rates rise together, by weight; those on a link that is full stay.
fn fill(fabric: &Fabric, active: &mut [SubFlow]) {
    let mut room: Vec<f64> = fabric.links().iter().map(|link| link.rate.bytes_per_ps()).collect();
    let mut open: Vec<usize> = (0..active.len()).collect();
    while !open.is_empty() {
        let mut weight = vec![0.0; room.len()];
        for &s in &open {
            for &(link, fraction) in &active[s].links {
                weight[link] += fraction * active[s].weight;
            }
        }
        let level = |link: usize| {
            if weight[link] > 0.0 {
                room[link] / weight[link]
            } else {
                f64::INFINITY
            }
        };
        let lowest = (0..room.len()).map(level).fold(f64::INFINITY, f64::min);
        let full: Vec<bool> = (0..room.len())
            .map(|link| level(link) <= lowest * (1.0 + 1e-13))
            .collect();
        open.retain(|&s| {
            let stops = active[s].links.iter().any(|&(link, _)| full[link]);
            if stops {
                active[s].rate = active[s].weight * lowest;
                for &(link, fraction) in &active[s].links {
                    room[link] -= fraction * active[s].rate;
                }
            }
            !stops
        });
    }
}
