//! What one more Gb/s on a link is worth: by how much the least time in which the links can carry every step would fall.
//!
//! The least congestion of a step is a linear program over the routings, so that its dual has a price for every link. A
//! step takes at least as long as its most loaded host cable, too, whatever the routing.

use super::optimal::{Priced, least_congestion, priced};
use super::steps::distinct_steps;
use crate::ids::{HostId, LinkId};
use crate::loads::{PairAmount, PairSums};
use crate::routes::EdgeSwitches;
use crate::topology::Fabric;
use crate::workload::{Schedule, Transfer};

/// Bytes per picosecond of one Gb/s.
const GBPS: f64 = 1.25e-4;
/// Picoseconds in a microsecond.
const PS_PER_US: f64 = 1e6;
/// Cables that are loaded alike but for rounding.
const ALIKE: f64 = 1e-9;

/// Bytes from host to host.
type Sent = (HostId, HostId, f64);

/// What hosts send each other in every step.
#[derive(Debug, Clone)]
pub struct Demands {
    /// Distinct steps, with how often each occurs.
    steps: Vec<(u32, Vec<Sent>)>,
}

/// The optimum of a fabric and what its links are worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    /// The least time in which the links can carry a step, the mean over the steps, in microseconds.
    pub optimum_us: f64,
    /// By how many microseconds it would be less for one more Gb/s, by link id.
    pub us_per_gbps: Vec<f64>,
}

impl Demands {
    /// Those of a schedule.
    pub fn of(schedule: &Schedule) -> Self {
        let flow = |Transfer { src, dst, bytes, .. }: Transfer| (src, dst, bytes as f64);
        let flows = |tasks: Vec<_>| {
            tasks
                .into_iter()
                .filter_map(|task| schedule.transfer(task))
                .map(flow)
                .collect()
        };
        let steps = distinct_steps(schedule)
            .into_iter()
            .map(|(times, tasks)| (times, flows(tasks)));
        Self { steps: steps.collect() }
    }

    /// Those of a ring over the first hosts: in each of so many steps, each sends so many bytes to the next.
    pub fn of_ring(hosts: u32, bytes: u64, steps: u32) -> Self {
        let flow = |host: u32| (HostId(host), HostId((host + 1) % hosts), bytes as f64);
        Self {
            steps: vec![(steps, (0..hosts).map(flow).collect())],
        }
    }

    /// The least time in which the links of a fabric can carry the steps one after the other, in microseconds: a lower
    /// limit, which is certified.
    pub fn least_us(&self, fabric: &Fabric) -> f64 {
        let edges = EdgeSwitches::new(fabric);
        let steps = self.steps.iter().map(|(times, flows)| {
            let (demand, cables) = add_up(fabric, &edges, flows);
            let slowest = fabric
                .link_ids()
                .map(|link| cable_time(fabric, &cables, link))
                .fold(0.0, f64::max);
            f64::from(*times) * least_congestion(fabric, &demand).max(slowest / PS_PER_US)
        });
        steps.sum()
    }

    /// Where so many hosts in a row are a group: the bytes that leave or enter the busiest group of each step, and those
    /// that the busiest host of each step sends or receives, both added up over the steps.
    pub fn busiest_group(&self, group: u32) -> [f64; 2] {
        let mut sums = [0.0; 2];
        for (times, flows) in &self.steps {
            let hosts = flows
                .iter()
                .map(|(src, dst, _)| src.0.max(dst.0) + 1)
                .max()
                .unwrap_or(0) as usize;
            let groups = hosts.div_ceil(group as usize);
            let mut between = vec![[0.0; 2]; groups];
            let mut own = vec![[0.0; 2]; hosts];
            for &(src, dst, bytes) in flows.iter().filter(|(src, dst, _)| src != dst) {
                own[src.index()][0] += bytes;
                own[dst.index()][1] += bytes;
                let (from, to) = (src.0 / group, dst.0 / group);
                if from != to {
                    between[from as usize][0] += bytes;
                    between[to as usize][1] += bytes;
                }
            }
            let most = |list: &[[f64; 2]]| list.iter().flatten().fold(0.0, |a: f64, &b| a.max(b));
            sums[0] += f64::from(*times) * most(&between);
            sums[1] += f64::from(*times) * most(&own);
        }
        sums
    }

    /// The optimum on a fabric, in which all that send to each other have a path, and the worth of its links.
    pub fn prices(&self, fabric: &Fabric) -> Prices {
        let edges = EdgeSwitches::new(fabric);
        let all: f64 = self.steps.iter().map(|(times, _)| f64::from(*times)).sum();
        let mut prices = Prices {
            optimum_us: 0.0,
            us_per_gbps: vec![0.0; fabric.links().len()],
        };
        for (times, flows) in &self.steps {
            let share = f64::from(*times) / all / PS_PER_US;
            let step = price_step(fabric, &edges, flows);
            prices.optimum_us += step.time * share;
            for (link, worth) in step.worth {
                prices.us_per_gbps[link.index()] += worth * share * GBPS;
            }
        }
        prices
    }
}

/// Bytes between edges, and those on the cables of hosts, by link.
fn add_up(fabric: &Fabric, edges: &EdgeSwitches, flows: &[Sent]) -> (Vec<PairAmount>, Vec<f64>) {
    let mut demand = PairSums::new(edges.len());
    let mut cables = vec![0.0; fabric.links().len()];
    for &(src, dst, bytes) in flows {
        let (from, to) = (edges.of(src), edges.of(dst));
        if from != to {
            demand.add(from, to, bytes);
        }
        if src != dst {
            edges
                .attachment(src)
                .iter()
                .for_each(|own| cables[own.up.index()] += bytes);
            edges
                .attachment(dst)
                .iter()
                .for_each(|own| cables[own.down.index()] += bytes);
        }
    }
    (demand.take(), cables)
}

/// Picoseconds that a host's cable needs for its bytes.
fn cable_time(fabric: &Fabric, cables: &[f64], link: LinkId) -> f64 {
    match cables[link.index()] {
        0.0 => 0.0,
        load => load / fabric.link(link).rate.bytes_per_ps(),
    }
}

/// The optimum of one step, and the worth of links.
fn price_step(fabric: &Fabric, edges: &EdgeSwitches, flows: &[Sent]) -> Priced {
    let (demand, cables) = add_up(fabric, edges, flows);
    let between = priced(fabric, &demand);
    let time = |link: LinkId| cable_time(fabric, &cables, link);
    let slowest = fabric.link_ids().map(time).fold(0.0, f64::max);
    if slowest <= between.time {
        return between;
    }
    // Each of those that are slowest takes the same part of the price.
    let last: Vec<LinkId> = fabric
        .link_ids()
        .filter(|&link| time(link) >= slowest * (1.0 - ALIKE))
        .collect();
    let part = slowest / last.len() as f64;
    let worth = |link: LinkId| (link, part / fabric.link(link).rate.bytes_per_ps());
    Priced {
        time: slowest,
        worth: last.into_iter().map(worth).collect(),
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::congestion::tests::leaf_spine;
    use crate::ids::LinkId;
    use crate::rng::{Stream, stream};
    use crate::topology::LinkChange;
    use crate::units::Rate;
    use crate::workload::ScheduleBuilder;

    /// A fabric whose switch-to-switch links all have rates of their own, and random traffic across it.
    fn random_case(random: &mut Stream) -> (Fabric, Demands) {
        let fabric = leaf_spine(random.random_range(2..5), random.random_range(2..4), 8, 100);
        let mut changes = Vec::new();
        for link in fabric.link_ids().filter(|&id| fabric.is_fabric_link(id)) {
            let rate = Rate(random.random_range(40_000_000_000..100_000_000_000_u64) / 8 * 8);
            changes.push(LinkChange { link, rate });
        }
        let fabric = fabric.with(&changes);
        let mut schedule = ScheduleBuilder::default();
        for _ in 0..random.random_range(8..40) {
            let (src, dst) = (
                random.random_range(0..fabric.hosts()),
                random.random_range(0..fabric.hosts()),
            );
            if src != dst {
                schedule.transfer(
                    src,
                    dst,
                    random.random_range(1_000_000..9_000_000),
                    random.random_range(0..2),
                );
            }
        }
        (fabric, Demands::of(&schedule.build()))
    }

    fn with_rate(fabric: &Fabric, link: LinkId, more: i64) -> Fabric {
        let rate = Rate(fabric.link(link).rate.0.checked_add_signed(more).unwrap());
        fabric.with(&[LinkChange { link, rate }])
    }

    #[test]
    fn worths_equal_finite_differences() {
        let mut random = stream(1, "prices", 0);
        let (mut compared, mut positive) = (0, 0);
        for case in 0..20 {
            let (fabric, demands) = random_case(&mut random);
            let prices = demands.prices(&fabric);
            for link in fabric.link_ids() {
                let step = 1_000_000_i64;
                let gbps = step as f64 / 1e9;
                let [less, more] = [-step, step].map(|by| demands.prices(&with_rate(&fabric, link, by)).optimum_us);
                let (left, right) = ((less - prices.optimum_us) / gbps, (prices.optimum_us - more) / gbps);
                // At a tie the two sides differ, and any price between them is one.
                if (left - right).abs() > 1e-4 * left.abs().max(1e-3) {
                    continue;
                }
                let worth = prices.us_per_gbps[link.index()];
                let central = (left + right) / 2.0;
                assert!(
                    (worth - central).abs() <= 1e-6 * prices.optimum_us,
                    "case {case}, {}: {worth} and {central}",
                    fabric.link_name(link)
                );
                compared += 1;
                positive += usize::from(worth > 1e-6);
            }
        }
        assert!(
            compared > 300 && positive > 20,
            "{compared} compared, {positive} of them positive"
        );
    }

    #[test]
    fn a_bottleneck_is_worth_what_the_closed_form_says() {
        // Two leaves, one spine: 10 MB from leaf 0 to leaf 1 over 100 Gb/s take 800 us, and 1 Gb/s saves 8.
        let fabric = leaf_spine(2, 1, 4, 0);
        let mut schedule = ScheduleBuilder::default();
        for host in 0..4 {
            schedule.transfer(host, 4 + host, 2_500_000, 0);
        }
        let prices = Demands::of(&schedule.build()).prices(&fabric);
        assert!((prices.optimum_us - 800.0).abs() < 1e-6, "{}", prices.optimum_us);
        let all: f64 = prices.us_per_gbps.iter().sum();
        assert!((all - 8.0).abs() < 1e-6, "{all}");
        let fabric_links = fabric.link_ids().filter(|&id| fabric.is_fabric_link(id));
        let of_fabric: f64 = fabric_links.map(|id| prices.us_per_gbps[id.index()]).sum();
        assert!((of_fabric - all).abs() < 1e-9);
    }

    #[test]
    fn a_host_that_receives_from_all_is_worth_its_cable() {
        let fabric = leaf_spine(2, 4, 4, 0);
        let mut schedule = ScheduleBuilder::default();
        for host in 1..8 {
            schedule.transfer(host, 0, 1_000_000, 0);
        }
        let prices = Demands::of(&schedule.build()).prices(&fabric);
        let down = fabric.attachment(HostId(0).node()).unwrap().down;
        assert!((prices.optimum_us - 560.0).abs() < 1e-9);
        assert!((prices.us_per_gbps[down.index()] - 5.6).abs() < 1e-9);
        assert_eq!(prices.us_per_gbps.iter().filter(|&&worth| worth > 0.0).count(), 1);
    }
}
