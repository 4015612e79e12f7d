//! What is kept of a point besides its row, where the experiment asks for it.

use super::paths::path_rows;
use crate::congestion::Assessment;
use crate::experiment::{Engine, Experiment, Instance};
use crate::ids::LinkId;
use crate::outcome::{Outcome, Reached, Series};
use crate::results::{
    BufferRow, Details, FlowRow, LinkRow, Number, PacketsRow, PortRow, SenderRow, SeriesRow, microseconds, ratio,
};
use crate::topology::{Fabric, NodeKind};
use crate::workload::{Action, Schedule};

/// The files of a point.
pub(super) fn details(
    experiment: &Experiment,
    instance: &Instance,
    assessment: &Assessment,
    outcome: Outcome,
) -> Details {
    let output = experiment.output;
    let fabric = &instance.network.fabric;
    let packets = experiment.engine == Engine::Packet;
    Details {
        flows: output.flows.then(|| flow_rows(&instance.schedule, &outcome)),
        links: output
            .links
            .then(|| link_rows(experiment.engine, fabric, assessment, &outcome)),
        series: output.series.map(|_| series_rows(fabric, &outcome)),
        senders: output.senders.map(|_| sender_rows(&instance.schedule, &outcome)),
        packets: (output.flows && packets).then(|| packets_rows(&outcome)),
        ports: (output.links && packets).then(|| port_rows(fabric, &outcome)),
        ops: None,
        jobs: None,
        timeline: None,
        paths: output.flows.then(|| path_rows(instance, assessment, &outcome)),
        buffers: outcome.series.as_ref().map(|series| buffer_rows(fabric, series)),
    }
}

fn flow_rows(schedule: &Schedule, outcome: &Outcome) -> Vec<FlowRow> {
    let rows = outcome.flows.iter().filter_map(|flow| {
        let Action::Transfer { src, dst, bytes } = schedule.task(flow.task).action else {
            return None;
        };
        let time = flow.delivered - flow.start;
        let fct = (flow.reached >= Reached::Delivered).then_some(time);
        let ideal = (bytes < Schedule::ENDLESS).then_some(flow.ideal);
        Some(FlowRow {
            flow: flow.task.0,
            src: src.0,
            dst: dst.0,
            bytes,
            start_us: (flow.reached >= Reached::Started).then(|| microseconds(flow.start)),
            fct_us: fct.map(microseconds),
            ack_fct_us: (flow.reached >= Reached::Acked).then(|| microseconds(flow.acked - flow.start)),
            ideal_fct_us: ideal.map(microseconds),
            slowdown: fct
                .zip(ideal)
                .and_then(|(fct, ideal)| ratio(fct.as_us(), ideal.as_us())),
            subflows: flow.subflows,
            paths: flow.paths,
            delivered_bytes: flow.delivered_bytes,
            goodput_gbps: ratio(flow.delivered_bytes as f64 * 8.0 / 1e3, time.as_us()),
        })
    });
    rows.collect()
}

fn link_rows(engine: Engine, fabric: &Fabric, assessment: &Assessment, outcome: &Outcome) -> Vec<LinkRow> {
    let loads = assessment.assigned.as_ref().map(|assigned| assigned.loads.as_slice());
    let packets = |count: u64| (engine == Engine::Packet).then_some(count);
    let tiers = tiers(fabric);
    let rows = fabric.link_ids().zip(&outcome.links).map(|(id, record)| {
        let link = fabric.link(id);
        let capacity = link.rate.bytes_per_ps() * outcome.ended.0 as f64;
        LinkRow {
            link: fabric.link_name(id),
            from: fabric.node(link.from).name.clone(),
            to: fabric.node(link.to).name.clone(),
            rate_gbps: Number::new(link.rate.as_gbps()),
            bytes: Number::new(record.bytes),
            assigned_bytes: loads.map(|loads| Number::new(loads[id.index()])),
            utilisation: ratio(record.wire_bytes, capacity).unwrap_or_default(),
            max_queue_bytes: packets(record.max_queue),
            drops: packets(record.drops),
            ecn_marks: packets(record.ecn_marks),
            from_tier: tiers[link.from.index()],
            to_tier: tiers[link.to.index()],
        }
    });
    rows.collect()
}

fn series_rows(fabric: &Fabric, outcome: &Outcome) -> Vec<SeriesRow> {
    let samples = outcome.series.iter().flat_map(|series| &series.samples);
    let tiers = tiers(fabric);
    let rows = samples.map(|sample| {
        let link = fabric.link(sample.link);
        SeriesRow {
            at_us: microseconds(sample.at),
            link: fabric.link_name(sample.link),
            queue_bytes: sample.queue,
            sent_bytes: sample.sent,
            from_tier: tiers[link.from.index()],
            to_tier: tiers[link.to.index()],
        }
    });
    rows.collect()
}

/// The tier of every node: the number of links to the nearest host, whether they are up or not; none where no host is
/// within reach.
pub(super) fn tiers(fabric: &Fabric) -> Vec<Option<u32>> {
    let mut neighbors: Vec<Vec<usize>> = vec![Vec::new(); fabric.nodes().len()];
    for link in fabric.links() {
        neighbors[link.from.index()].push(link.to.index());
    }
    let mut tiers: Vec<Option<u32>> = vec![None; fabric.nodes().len()];
    let mut reached: Vec<usize> = (0..fabric.hosts() as usize).collect();
    for tier in 0.. {
        reached.retain(|&node| tiers[node].is_none());
        if reached.is_empty() {
            break;
        }
        reached.iter().for_each(|&node| tiers[node] = Some(tier));
        reached = reached
            .iter()
            .flat_map(|&node| neighbors[node].iter().copied())
            .collect();
    }
    tiers
}

fn sender_rows(schedule: &Schedule, outcome: &Outcome) -> Vec<SenderRow> {
    let rows = outcome.senders.iter().filter_map(|sample| {
        let Action::Transfer { src, dst, .. } = schedule.task(sample.task).action else {
            return None;
        };
        Some(SenderRow {
            time_us: microseconds(sample.at),
            flow: sample.task.0,
            subflow: sample.subflow,
            src: src.0,
            dst: dst.0,
            in_flight_bytes: sample.in_flight,
            window_bytes: sample.window,
            rate_gbps: sample.rate.map(|rate| Number::new(rate.as_gbps())),
            alpha: sample.alpha.map(Number::new),
            rtt_us: sample.rtt.map(microseconds),
            credits: sample.credits,
        })
    });
    rows.collect()
}

fn packets_rows(outcome: &Outcome) -> Vec<PacketsRow> {
    let rows = outcome.flows.iter().map(|flow| PacketsRow {
        flow: flow.task.0,
        retransmits: flow.retransmits,
        reordered: flow.reordered,
        reordering_extent: flow.extent,
    });
    rows.collect()
}

fn port_rows(fabric: &Fabric, outcome: &Outcome) -> Vec<PortRow> {
    let rows = fabric.link_ids().zip(&outcome.links).map(|(id, record)| PortRow {
        link: fabric.link_name(id),
        wire_bytes: Number::new(record.wire_bytes),
        trims: record.trims,
        pauses: record.pauses,
        paused_us: microseconds(record.paused),
        longest_pause_us: microseconds(record.longest_pause),
    });
    rows.collect()
}

/// How full each switch was at the samples; those at which all its queues were empty count too.
fn buffer_rows(fabric: &Fabric, series: &Series) -> Vec<BufferRow> {
    let switch_of = |link: LinkId| fabric.link(link).from.index();
    let mut fills: Vec<Vec<u64>> = vec![Vec::new(); fabric.nodes().len()];
    let mut samples = 0;
    for at_once in series.samples.chunk_by(|a, b| a.at == b.at) {
        let mut now = vec![0; fabric.nodes().len()];
        for sample in at_once {
            now[switch_of(sample.link)] += sample.queue;
        }
        for (fill, now) in fills.iter_mut().zip(now).filter(|(_, now)| *now > 0) {
            fill.push(now);
        }
        samples += 1;
    }
    let switches = fabric
        .nodes()
        .iter()
        .zip(fills)
        .filter(|(node, _)| node.kind == NodeKind::Switch);
    switches
        .map(|(node, fill)| buffer_row(&node.name, fill, samples))
        .collect()
}

/// The distribution of `samples` fills, of which those that are not listed were zero.
fn buffer_row(switch: &str, mut fill: Vec<u64>, samples: usize) -> BufferRow {
    fill.sort_unstable();
    let empty = samples - fill.len();
    let percentile = |percent: usize| match (samples * percent).div_ceil(100) {
        rank if rank > empty => fill[rank - empty - 1],
        _ => 0,
    };
    BufferRow {
        switch: switch.to_owned(),
        mean_bytes: Number::new(fill.iter().sum::<u64>() as f64 / samples.max(1) as f64),
        p50_bytes: percentile(50),
        p90_bytes: percentile(90),
        p99_bytes: percentile(99),
        max_bytes: percentile(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Cable, LeafSpine};
    use crate::units::{Rate, Time};

    #[test]
    fn tiers_are_counted_from_the_hosts() {
        let link = Cable {
            rate: Rate::from_gbps(100),
            delay: Time::from_ns(500),
        };
        let fabric = Fabric::compile(&LeafSpine::uniform(2, 3, 2, link).blueprint().unwrap());
        for (node, tier) in fabric.nodes().iter().zip(tiers(&fabric)) {
            let expected = ["host", "leaf", "spine"]
                .iter()
                .position(|kind| node.name.starts_with(kind));
            assert_eq!(tier.map(|tier| tier as usize), expected, "{}", node.name);
        }
    }

    #[test]
    fn fills_are_ranked_with_the_empty_moments() {
        let row = buffer_row("leaf0", vec![30, 10, 20], 10);
        assert_eq!(row.mean_bytes, Number::new(6.0));
        // Seven zeros, 10, 20, 30: the fifth, the ninth and the last.
        assert_eq!(
            (row.p50_bytes, row.p90_bytes, row.p99_bytes, row.max_bytes),
            (0, 20, 30, 30)
        );
        assert_eq!(buffer_row("leaf1", Vec::new(), 0).max_bytes, 0);
    }
}
