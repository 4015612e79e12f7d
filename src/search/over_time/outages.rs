//! What goes where while links come and go as announced.
//!
//! Time is cut into spans at every change of a link. Bytes wait at their source until the span in which they are sent, and
//! take one of the paths that the fabric has then. The least end is that of a flow on the graph that places and times
//! span together, solved as a linear program and certified by duality.

use std::collections::BTreeMap;

use crate::ids::{HostId, LinkId, PathIndex};
use crate::input::InputError;
use crate::optimal_transport::{Quickest, QuickestPlan};
use crate::topology::{Fabric, LinkEvent};
use crate::units::Time;
use crate::workload::{Schedule, Transfer};

/// Paths in spans that a program may have.
const MOST_CELLS: usize = 60_000;

/// Bytes from host to host on a path of the fabric as it is in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedFlow {
    /// The source.
    pub src: HostId,
    /// The destination.
    pub dst: HostId,
    /// Payload.
    pub bytes: u64,
    /// Path of the pair in the span's fabric.
    pub path: PathIndex,
}

/// A time in which no link changes, and what is sent in it.
#[derive(Debug, Clone)]
pub struct Span {
    /// Its beginning.
    pub from: Time,
    /// Its end; none of the last.
    pub until: Option<Time>,
    /// The fabric as it is then.
    pub fabric: Fabric,
    /// What is sent.
    pub flows: Vec<TimedFlow>,
}

/// What goes where and when.
#[derive(Debug, Clone)]
pub struct TimedPlan {
    /// In order of time, up to the one in which the last byte is sent.
    pub spans: Vec<Span>,
    /// The end, in picoseconds: of the last byte at its receiver, over the longest propagation delay.
    pub end_ps: f64,
    /// No plan ends earlier.
    pub bound_ps: f64,
}

/// The plan that ends first. Keys of errors are those of the experiment.
///
/// # Errors
/// A schedule whose transfers wait for each other, pairs that are never joined, and programs that are too large.
pub fn outage_plan(fabric: &Fabric, events: &[LinkEvent], schedule: &Schedule) -> Result<TimedPlan, InputError> {
    let demands = demands(schedule)?;
    let mut spans = spans(fabric, events);
    let mut program = Program::default();
    for index in 0..spans.len() {
        let span = &spans[index];
        program.add(span, &demands)?;
        let Some(found) = program.least(&demands) else {
            continue;
        };
        let fits = span
            .until
            .is_none_or(|until| span.from.0 as f64 + found.length + program.delay <= until.0 as f64 * (1.0 + 1e-12));
        if fits {
            let (from, delay) = (span.from.0 as f64, program.delay);
            spans.truncate(index + 1);
            program.hand_out(&mut spans, &demands, &found);
            return Ok(TimedPlan {
                spans,
                end_ps: from + found.length + delay,
                bound_ps: from + found.bound + delay,
            });
        }
    }
    let message = "some hosts that send to each other are joined by no path once the last announced change is over";
    Err(InputError::key("faults", message).help("give the outage an end (`until`), or send nothing between them"))
}

/// Bytes by pair, all of which are there from the beginning.
fn demands(schedule: &Schedule) -> Result<Vec<(HostId, HostId, u64)>, InputError> {
    let mut sums: BTreeMap<(HostId, HostId), u64> = BTreeMap::new();
    for Transfer { task, src, dst, bytes } in schedule.transfers() {
        if schedule.predecessors(task) > 0 || !schedule.task(task).earliest.is_zero() || bytes >= Schedule::ENDLESS {
            let message =
                format!("transfer {task} is not all there at the beginning, and a plan over outages takes it to be");
            return Err(InputError::key("workload", message)
                .help("plan a pattern of one step, such as `all-to-all`, `shift` or `flows` without starts"));
        }
        *sums.entry((src, dst)).or_default() += bytes;
    }
    Ok(sums.into_iter().map(|((src, dst), bytes)| (src, dst, bytes)).collect())
}

/// The fabric between any two changes.
fn spans(fabric: &Fabric, events: &[LinkEvent]) -> Vec<Span> {
    let mut spans = vec![Span {
        from: Time::ZERO,
        until: None,
        fabric: fabric.clone(),
        flows: Vec::new(),
    }];
    for together in events.chunk_by(|a, b| a.at == b.at) {
        let at = together[0].at;
        let changes: Vec<_> = together.iter().map(|event| event.change).collect();
        let last = spans.len() - 1;
        let fabric = spans[last].fabric.with(&changes);
        spans[last].until = Some(at);
        spans.push(Span {
            from: at,
            until: None,
            fabric,
            flows: Vec::new(),
        });
    }
    spans
}

/// The linear program over all spans so far.
#[derive(Debug, Default)]
struct Program {
    /// By cell: the demand, the span and the path.
    cells: Vec<(usize, usize, PathIndex)>,
    /// The rows that each loads.
    rows: Vec<Vec<usize>>,
    row_of: BTreeMap<(usize, LinkId), usize>,
    /// By row: the span, and bytes per picosecond.
    rates: Vec<(usize, f64)>,
    /// How long each span is, without the delay.
    lengths: Vec<f64>,
    /// The longest propagation delay of a path, in picoseconds.
    delay: f64,
}

impl Program {
    fn add(&mut self, span: &Span, demands: &[(HostId, HostId, u64)]) -> Result<(), InputError> {
        let (index, fabric) = (self.lengths.len(), &span.fabric);
        for (demand, &(src, dst, _)) in demands.iter().enumerate() {
            for (path, links) in (0..).zip(fabric.paths(src.node(), dst.node())) {
                let delay: u64 = links.iter().map(|&link| fabric.link(link).delay.0).sum();
                self.delay = self.delay.max(delay as f64);
                let rows = links.iter().map(|&link| self.row(index, link, fabric)).collect();
                self.cells.push((demand, index, PathIndex(path)));
                self.rows.push(rows);
            }
            if self.cells.len() > MOST_CELLS {
                let message = format!("the plan would have more than {MOST_CELLS} paths in spans of time");
                return Err(InputError::key("workload", message).help("take fewer hosts, paths or announced changes"));
            }
        }
        let length = span.until.map_or(f64::INFINITY, |until| (until.0 - span.from.0) as f64);
        self.lengths.push(length);
        Ok(())
    }

    fn row(&mut self, span: usize, link: LinkId, fabric: &Fabric) -> usize {
        let rates = &mut self.rates;
        *self.row_of.entry((span, link)).or_insert_with(|| {
            rates.push((span, fabric.link(link).rate.bytes_per_ps()));
            rates.len() - 1
        })
    }

    /// The least length of the span that was added last; none where that cannot be.
    fn least(&self, demands: &[(HostId, HostId, u64)]) -> Option<QuickestPlan> {
        let last = self.lengths.len() - 1;
        let per_time = |&(span, rate): &(usize, f64)| if span == last { rate } else { 0.0 };
        // What is sent in the last moments of a span would be under way when it ends.
        let fixed = |&(span, rate): &(usize, f64)| match span == last {
            true => 0.0,
            false => rate * (self.lengths[span] - self.delay).max(0.0),
        };
        let problem = Quickest {
            demands: demands.iter().map(|&(_, _, bytes)| bytes as f64).collect(),
            cells: self
                .cells
                .iter()
                .zip(&self.rows)
                .map(|(cell, rows)| (cell.0, rows.clone()))
                .collect(),
            fixed: self.rates.iter().map(fixed).collect(),
            per_time: self.rates.iter().map(per_time).collect(),
        };
        problem.solve()
    }

    /// Whole bytes to spans and paths.
    fn hand_out(&self, spans: &mut [Span], demands: &[(HostId, HostId, u64)], plan: &QuickestPlan) {
        // Bytes of a demand so far, exactly and as handed out.
        let mut sums = vec![(0.0_f64, 0_u64); demands.len()];
        let mut last = vec![0; demands.len()];
        self.cells.iter().enumerate().for_each(|(at, cell)| last[cell.0] = at);
        for (at, (&(demand, span, path), amount)) in self.cells.iter().zip(&plan.amounts).enumerate() {
            let (src, dst, all) = demands[demand];
            let (exact, given) = &mut sums[demand];
            *exact += amount;
            let until = if at == last[demand] {
                all
            } else {
                (exact.round() as u64).min(all)
            };
            let bytes = until - (*given).min(until);
            *given = until;
            if bytes > 0 {
                spans[span].flows.push(TimedFlow { src, dst, bytes, path });
            }
        }
    }
}
