//! The rows of `results.csv`, of `fabricsim bound` and of `fabricsim place`, field by field the columns. What the
//! sweep sets comes behind them ([`Swept`](super::Swept)).

use serde::{Deserialize, Serialize};

use super::Number;

/// One row of `results.csv`: one point of the plan. Fields are its fixed columns, in order; `None` is an
/// empty cell, where a column has no meaning. A swept key that is none of them has a column behind them.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    /// Index in the plan.
    pub point: u32,
    /// `flow` or `packet`.
    pub engine: String,
    /// Kind of the topology, the name of the file that describes it, or the table that the sweep sets.
    pub topology: String,
    /// Hosts of the fabric.
    pub hosts: u32,
    /// The same of the workload.
    pub workload: String,
    /// `size` or `message` of the workload in bytes.
    pub size_bytes: Option<u64>,
    /// Name with its non-default options.
    pub load_balancing: String,
    /// Its name, or the table that the sweep sets; packet engine.
    pub transport: Option<String>,
    /// The seed.
    pub seed: u64,
    /// Last data byte of the last transfer at its receiver, from t = 0.
    pub cct_us: Option<Number>,
    /// No schedule of any load balancing can finish earlier.
    pub bound_us: Option<Number>,
    /// Completion time over the bound.
    pub cct_over_bound: Option<Number>,
    /// What the load balancing's own loads allow at best.
    pub predicted_us: Option<Number>,
    /// Largest bytes/capacity over all links.
    pub congestion_us: Option<Number>,
    /// The same over switch-to-switch links.
    pub fabric_congestion_us: Option<Number>,
    /// The certified minimum of it over all fractional routings.
    pub optimal_fabric_congestion_us: Option<Number>,
    /// `fabric_congestion_us / optimal_fabric_congestion_us`.
    pub congestion_ratio: Option<Number>,
    /// As in nccl-tests, in 10^9 bytes per second.
    #[serde(rename = "algbw_GBps")]
    pub algbw_gbytes: Option<Number>,
    /// As in nccl-tests, in 10^9 bytes per second.
    #[serde(rename = "busbw_GBps")]
    pub busbw_gbytes: Option<Number>,
    /// Transfers of the schedule.
    pub flows: u64,
    /// Sub-flows they were sent in.
    pub subflows: u64,
    /// Mean completion time of the flows.
    pub fct_mean_us: Option<Number>,
    /// 99th percentile of the completion times of the flows.
    pub fct_p99_us: Option<Number>,
    /// Data packets injected; this and the next, packet engine.
    pub packets: Option<u64>,
    /// Packets times links that they crossed.
    pub packet_hops: Option<u64>,
    /// Events the engine processed.
    pub events: Option<u64>,
    /// Packets marked as congested.
    pub ecn_marks: Option<u64>,
    /// Packets that found no room.
    pub drops: Option<u64>,
    /// Packets cut to their headers.
    pub trims: Option<u64>,
    /// Times at which flow control held a link back.
    pub pauses: Option<u64>,
    /// Packets sent again.
    pub retransmits: Option<u64>,
    /// How long a rank computes, and for how long one communicates without computing, the means over the ranks; of
    /// programs.
    pub compute_us: Option<Number>,
    /// Mean time per rank in which it waits for communication and computes nothing.
    pub exposed_us: Option<Number>,
    /// Floating-point operations of the model over what the ranks could do until the end; of training.
    pub mfu: Option<Number>,
    /// No algorithm of the same collective can finish earlier, whatever sends what to whom; of single collectives.
    pub collective_bound_us: Option<Number>,
    // New columns come here, at the end of the fixed ones and before those of the swept keys.
}

/// One row of `timings.csv`, which differs from run to run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimingRow {
    /// Number of the point.
    pub point: u32,
    /// CPU seconds.
    pub cpu_s: f64,
    /// Seconds.
    pub wall_s: f64,
}

/// One row of `fabricsim bound`: a point, or some steps of its collective by themselves.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundRow {
    /// Number of the point.
    pub point: u32,
    /// Kind of the fabric.
    pub topology: String,
    /// Hosts of the fabric.
    pub hosts: u32,
    /// Kind of the workload.
    pub workload: String,
    /// Size or message of the workload, where it has one.
    pub size_bytes: Option<u64>,
    /// The load balancing with its options.
    pub load_balancing: String,
    /// The seed.
    pub seed: u64,
    /// `all`, or the steps that the row holds for, each by itself: `3`, or `3-17` where they are alike.
    pub step: String,
    /// Transfers between hosts.
    pub flows: u64,
    /// Payload of all transfers.
    pub bytes: u64,
    /// Of the whole point.
    pub subflows: Option<u64>,
    /// No schedule of any load balancing can finish earlier: the largest of the five that follow.
    pub bound_us: Option<Number>,
    /// What one host must send or receive.
    pub nic_us: Option<Number>,
    /// What one edge switch must send to another.
    pub pair_us: Option<Number>,
    /// What must leave or enter some switches.
    pub cut_us: Option<Number>,
    /// What the fabric as a whole must carry.
    pub fabric_us: Option<Number>,
    /// The longest chain of dependent transfers.
    pub critical_path_us: Option<Number>,
    /// What the load balancing's own loads allow at best, of the whole point.
    pub predicted_us: Option<Number>,
    /// Largest bytes/capacity over all links, and where it is; empty where paths are chosen while
    /// packets travel.
    pub congestion_us: Option<Number>,
    /// The link that needs longest for what it was assigned.
    pub congested_link: Option<String>,
    /// The same over switch-to-switch links.
    pub fabric_congestion_us: Option<Number>,
    /// The same between switches.
    pub congested_fabric_link: Option<String>,
    /// No fractional routing has less than the first, and one has no more than the second.
    pub optimal_fabric_congestion_us: Option<Number>,
    /// Congestion between switches that the placement has.
    pub reached_fabric_congestion_us: Option<Number>,
    /// The same over the certified optimum.
    pub congestion_ratio: Option<Number>,
    /// Where flows hash onto paths: what the fabric congestion is expected to be over hash functions.
    /// Not less than the first and not more than the second, by their exact distribution where the
    /// fabric has one; the third is the mean over some draws.
    pub expected_lower_us: Option<Number>,
    /// Upper limit of the expected congestion.
    pub expected_upper_us: Option<Number>,
    /// The expected congestion by sampling.
    pub expected_sampled_us: Option<Number>,
}

/// One row of `fabricsim place`: the placement of a point, or of another scheme beside it. The columns from
/// `worst_step` to `piece_bound_us` are about the step of the largest congestion.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaceRow {
    /// Number of the point.
    pub point: u32,
    /// Kind of the fabric.
    pub topology: String,
    /// Hosts of the fabric.
    pub hosts: u32,
    /// Kind of the workload.
    pub workload: String,
    /// Size or message of the workload, where it has one.
    pub size_bytes: Option<u64>,
    /// The load balancing with its options.
    pub load_balancing: String,
    /// The seed.
    pub seed: u64,
    /// Transfers between hosts.
    pub flows: u64,
    /// Sub-flows; one that is spread counts once for every path. This and the next two are sums over the steps.
    pub subflows: Option<u64>,
    /// Those of the paper's rule.
    pub ethereal_subflows: Option<u64>,
    /// Those of spraying: every flow on all its paths.
    pub spray_subflows: Option<u64>,
    /// The most sub-flows of one flow.
    pub max_pieces: Option<u32>,
    /// The step with the highest congestion.
    pub worst_step: Option<u32>,
    /// Largest bytes/capacity over the links between which paths choose.
    pub step_congestion_us: Option<Number>,
    /// No routing of the step has less: certified.
    pub step_optimal_us: Option<Number>,
    /// The quotient of the two.
    pub step_ratio: Option<Number>,
    /// No placement with at most `max_pieces` sub-flows per flow has less.
    pub piece_bound_us: Option<Number>,
    /// The price of a path is the sum of bytes/capacity over its links: how much less bytes would pay on average if pairs
    /// exchanged paths, the mean over the steps.
    pub monge_gap_us: Option<Number>,
    /// How much less if every pair took its cheapest path, at the same prices; the mean over the steps.
    pub regret_us: Option<Number>,
    /// CPU seconds that the placement takes.
    pub place_s: Option<Number>,
    /// As in results.csv, over the whole schedule; so are the next four.
    pub congestion_us: Option<Number>,
    /// Congestion between switches.
    pub fabric_congestion_us: Option<Number>,
    /// The certified least congestion between switches.
    pub optimal_fabric_congestion_us: Option<Number>,
    /// What no load balancing can beat.
    pub bound_us: Option<Number>,
    /// Completion time by the loads of the steps.
    pub predicted_us: Option<Number>,
    /// What simulated it, if anything did.
    pub engine: Option<String>,
    /// Completion time in the flow engine.
    pub cct_us: Option<Number>,
    /// The same over what was predicted.
    pub cct_over_predicted: Option<Number>,
    /// The same over the bound.
    pub cct_over_bound: Option<Number>,
}

/// One row of `fabricsim bound --prices`: what one more Gb/s on a kind of links or on a link is worth, or what the repair
/// of a cable is. Times are those in which the links can carry a step at least, the mean over the steps.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceRow {
    /// Number of the point in its experiment.
    pub point: u32,
    /// Kind of the topology.
    pub topology: String,
    /// Kind of the workload.
    pub workload: String,
    /// Its size or message, where it has one.
    pub size_bytes: Option<u64>,
    /// Seed of all random choices.
    pub seed: u64,
    /// `kind`, `link` or `repair`.
    pub what: String,
    /// The kind of links, the link or the cable.
    pub name: String,
    /// Directed links that it is about.
    pub links: u32,
    /// The rate that it has now.
    pub rate_gbps: Option<Number>,
    /// How much less time for one more Gb/s on each of them.
    pub us_per_gbps: Option<Number>,
    /// The least time with all links as they are, in microseconds.
    pub optimum_us: Number,
    /// The optimum after the repair.
    pub repaired_us: Option<Number>,
    /// How much less time the repair makes it, in microseconds.
    pub saved_us: Option<Number>,
}

/// One row of what `fabricsim place --weights` writes: the entries of a switch's table for one destination that lead
/// along a path.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightRow {
    /// The switch that holds the table.
    pub switch: String,
    /// The edge that packets go to.
    pub destination: String,
    /// The switches of the path, in order.
    pub path: String,
    /// How many of the table's entries lead along the path.
    pub entries: u32,
}

/// One row of trials.csv: what `fabricsim tune` looked at, in order.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrialRow {
    /// Its number, in the order in which candidates were looked at.
    pub trial: u32,
    /// `screen` (bounds and fluid) or `simulation`.
    pub fidelity: String,
    /// Share of every message.
    pub share: Number,
    /// All shares so far: the budget that is spent.
    pub spent: Number,
    /// The candidate's choices.
    pub family: String,
    /// `score`; `not below`, where a bound or the clock has shown that it is not better; or `impossible`.
    pub verdict: String,
    /// The objective, in microseconds, as far as this look shows it.
    pub value_us: Option<Number>,
    /// The best in full so far.
    pub best_us: Option<Number>,
    /// The candidate's values.
    pub settings: String,
}

/// One row of front.csv: a design that no other beats in both price and time.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct DesignRow {
    /// Name of the design and of its experiment file.
    pub design: String,
    /// Price of all parts, in the catalogue's currency.
    pub price: Number,
    /// The same for each host.
    pub price_per_host: Number,
    /// Power of all parts, in watts.
    pub power_w: Number,
    /// Sum over the workloads of weight times the least time in which the links can carry them.
    pub least_time_us: Number,
    /// The same under the worst of the failures that it must survive.
    pub failed_us: Option<Number>,
    /// Sum over the workloads of weight times completion time.
    pub simulated_us: Option<Number>,
    /// How many of which model.
    pub switches: String,
    /// Cables between hosts and leaves.
    pub host_cables: u64,
    /// Cables between switches.
    pub fabric_cables: u64,
}

/// One row of `fleet.csv`: one job of a fleet under one policy.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct FleetRow {
    /// Which hosts jobs get.
    pub policy: String,
    /// Whether jobs begin later so that their peaks keep apart.
    pub shifts: bool,
    /// The job.
    pub job: String,
    /// What it does in a round.
    pub kind: String,
    /// Hosts that it has.
    pub hosts: u32,
    /// Rounds that it makes.
    pub rounds: u32,
    /// When it comes.
    pub arrival_us: Number,
    /// When it gets its hosts.
    pub start_us: Number,
    /// When it is done.
    pub end_us: Number,
    /// How long its rounds take alone, on the first hosts of the fabric as it was built.
    pub alone_us: Number,
    /// `(end_us - start_us) / alone_us`.
    pub slowdown: Number,
    /// `(end_us - arrival_us) / alone_us`.
    pub stretch: Number,
}

#[cfg(test)]
mod tests {
    use super::super::{read_csv, write_csv};
    use super::*;

    /// The header of the contract, word for word.
    const COLUMNS: &str = "point,engine,topology,hosts,workload,size_bytes,load_balancing,transport,seed,cct_us,bound_us,cct_over_bound,predicted_us,congestion_us,fabric_congestion_us,optimal_fabric_congestion_us,congestion_ratio,algbw_GBps,busbw_GBps,flows,subflows,fct_mean_us,fct_p99_us,packets,packet_hops,events,ecn_marks,drops,trims,pauses,retransmits,compute_us,exposed_us,mfu,collective_bound_us";

    fn row() -> ResultRow {
        let number = |value| Some(Number::new(value));
        ResultRow {
            point: 0,
            engine: "flow".into(),
            topology: "leaf-spine".into(),
            hosts: 256,
            workload: "all-to-all".into(),
            size_bytes: Some(65_536),
            load_balancing: "ecmp-split(ways=4)".into(),
            transport: None,
            seed: 1,
            cct_us: number(1_338.926_08),
            bound_us: number(1_336.934_4),
            cct_over_bound: number(1.001_489_7),
            predicted_us: None,
            congestion_us: number(1_000.0),
            fabric_congestion_us: number(0.1 + 0.2),
            optimal_fabric_congestion_us: number(0.000_001),
            congestion_ratio: number(-0.000_000_1),
            algbw_gbytes: None,
            busbw_gbytes: None,
            flows: 65_280,
            subflows: 261_120,
            fct_mean_us: None,
            fct_p99_us: None,
            packets: None,
            packet_hops: None,
            events: Some(u64::MAX),
            ecn_marks: None,
            drops: None,
            trims: None,
            pauses: None,
            retransmits: None,
            compute_us: None,
            exposed_us: None,
            mfu: None,
            collective_bound_us: None,
        }
    }

    #[test]
    fn columns_are_the_contract_and_rows_come_back() {
        let mut text = Vec::new();
        write_csv(&mut text, &[row()]).unwrap();
        let text = String::from_utf8(text).unwrap();
        let (header, line) = text.split_once('\n').unwrap();
        assert_eq!(header, COLUMNS);
        insta::assert_snapshot!(line, @"0,flow,leaf-spine,256,all-to-all,65536,ecmp-split(ways=4),,1,1338.92608,1336.9344,1.00149,,1000,0.3,1e-6,0,,,65280,261120,,,,,18446744073709551615,,,,,,,,,");
        assert_eq!(read_csv::<ResultRow>(text.as_bytes()).unwrap(), [row()]);
    }

    #[test]
    fn columns_are_there_without_rows() {
        let mut text = Vec::new();
        write_csv::<TimingRow>(&mut text, &[]).unwrap();
        assert_eq!(text, b"point,cpu_s,wall_s\n");
    }

    #[test]
    fn json_keeps_every_cell() {
        let text = serde_json::to_string(&row()).unwrap();
        assert_eq!(serde_json::from_str::<ResultRow>(&text).unwrap(), row());
    }
}
