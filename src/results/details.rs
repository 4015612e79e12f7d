//! The files of a point besides its record: their rows, field by field the columns.

use serde::{Deserialize, Serialize};

use super::Number;

/// One row of a point's `flows.csv`.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowRow {
    /// Id of the transfer in the schedule.
    pub flow: u32,
    /// Number of the sending host.
    pub src: u32,
    /// Number of the receiving host.
    pub dst: u32,
    /// Payload.
    pub bytes: u64,
    /// This and the next two are empty where it did not come so far before the run was stopped.
    pub start_us: Option<Number>,
    /// From its start to its last byte at the receiver.
    pub fct_us: Option<Number>,
    /// From its start to its last acknowledgement; packet engine.
    pub ack_fct_us: Option<Number>,
    /// Completion time of the same flow alone on its fastest path; empty where it is endless.
    pub ideal_fct_us: Option<Number>,
    /// `fct_us / ideal_fct_us`.
    pub slowdown: Option<Number>,
    /// Sub-flows that it was split into.
    pub subflows: u32,
    /// Distinct paths its data took.
    pub paths: u32,
    /// Payload bytes that reached the receiver.
    #[serde(default)]
    pub delivered_bytes: u64,
    /// Those over the time from its start to its last byte, or to the end of the run.
    #[serde(default)]
    pub goodput_gbps: Option<Number>,
}

/// One row of a point's `links.csv`.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkRow {
    /// Its name: `from->to`.
    pub link: String,
    /// Name of the node that sends.
    pub from: String,
    /// Name of the node that receives.
    pub to: String,
    /// Zero where the link is down.
    pub rate_gbps: Number,
    /// Payload bytes that crossed it.
    pub bytes: Number,
    /// Bytes that the placement gave it; empty where the network decides.
    pub assigned_bytes: Option<Number>,
    /// Time it was busy, over the completion time.
    pub utilisation: Number,
    /// Packet engine.
    pub max_queue_bytes: Option<u64>,
    /// Packets that found no room.
    pub drops: Option<u64>,
    /// Packets marked as congested.
    pub ecn_marks: Option<u64>,
    /// Tiers of the two ends.
    #[serde(default)]
    pub from_tier: Option<u32>,
    /// Tier of the receiving end, 0 for hosts.
    #[serde(default)]
    pub to_tier: Option<u32>,
}

/// One row of a point's `packets.csv`: what became of the packets of a flow.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct PacketsRow {
    /// Id of the transfer in the schedule.
    pub flow: u32,
    /// Packets sent again.
    pub retransmits: u32,
    /// Packets that arrived after a later one.
    pub reordered: u32,
    /// The most numbers by which one of them lay behind the highest that had arrived.
    pub reordering_extent: u32,
}

/// One row of a point's `ports.csv`: what the output port of a link saw.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct PortRow {
    /// The link that the port sends on.
    pub link: String,
    /// Bytes that crossed the link with headers and control packets.
    pub wire_bytes: Number,
    /// Packets cut to their headers.
    pub trims: u64,
    /// Times at which flow control held it back.
    pub pauses: u64,
    /// Time for which flow control held its data back, in all and at a stretch.
    pub paused_us: Number,
    /// The longest time without a break.
    pub longest_pause_us: Number,
}

/// One row of a point's `buffers.csv`: how full a switch was, over the samples of the run.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct BufferRow {
    /// Its name.
    pub switch: String,
    /// Bytes in all its output queues.
    pub mean_bytes: Number,
    /// Median of its samples.
    pub p50_bytes: u64,
    /// 90th percentile.
    pub p90_bytes: u64,
    /// 99th percentile.
    pub p99_bytes: u64,
    /// The most that it held.
    pub max_bytes: u64,
}

/// One row of a point's `series.csv`: a link over one interval.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesRow {
    /// End of the interval.
    pub at_us: Number,
    /// Its name.
    pub link: String,
    /// Fill of its output queue at the end of the interval.
    pub queue_bytes: u64,
    /// Wire bytes sent in the interval.
    pub sent_bytes: u64,
    /// Tiers of the link's two ends, as in links.csv.
    #[serde(default)]
    pub from_tier: Option<u32>,
    /// Tier of the receiving end, 0 for hosts.
    #[serde(default)]
    pub to_tier: Option<u32>,
}

/// Which way a link leads, by the tiers of its ends: a host's is 0, that of a switch is its distance from the nearest
/// host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From a host to its switch.
    FromHost,
    /// Between switches, to a higher tier.
    Up,
    /// Between switches of one tier.
    Level,
    /// Between switches, to a lower tier.
    Down,
    /// From a switch to a host.
    ToHost,
}

impl Direction {
    /// `None` where the row has no tiers: it was written by an earlier version, or no host is within reach.
    fn of(from: Option<u32>, to: Option<u32>) -> Option<Self> {
        Some(match (from?, to?) {
            (_, 0) => Self::ToHost,
            (0, _) => Self::FromHost,
            (from, to) if from < to => Self::Up,
            (from, to) if from > to => Self::Down,
            _ => Self::Level,
        })
    }
}

impl LinkRow {
    /// Which way the link leads.
    pub fn direction(&self) -> Option<Direction> {
        Direction::of(self.from_tier, self.to_tier)
    }
}

impl SeriesRow {
    /// Which way the link leads.
    pub fn direction(&self) -> Option<Direction> {
        Direction::of(self.from_tier, self.to_tier)
    }
}

/// One row of a point's `senders.csv`: what the sender of a sub-flow knew at a moment. Cells are empty where its
/// transport has no such thing.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct SenderRow {
    /// When it was sampled.
    pub time_us: Number,
    /// Id of the transfer in the schedule, and the sub-flow of it, from 0.
    pub flow: u32,
    /// Which of its sub-flows.
    pub subflow: u32,
    /// Number of the sending host.
    pub src: u32,
    /// Number of the receiving host.
    pub dst: u32,
    /// Wire bytes in flight, and those that may be.
    pub in_flight_bytes: u64,
    /// Bytes that may be in flight, where the transport has a window.
    pub window_bytes: Option<u64>,
    /// Rate at which packets leave, where they are paced.
    pub rate_gbps: Option<Number>,
    /// Its estimate of the share of marked packets.
    pub alpha: Option<Number>,
    /// The round trip that it measured last.
    pub rtt_us: Option<Number>,
    /// Packets that the receiver has granted and that are not sent yet.
    pub credits: Option<u32>,
}

/// One row of a point's `ops.csv`: what one group of ranks did in one operation of a program.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpRow {
    /// Its name; from the second round on with the number of the round, as in `forward#2`.
    pub op: String,
    /// Empty where there are no jobs.
    pub job: String,
    /// Counted from 0 within the operation.
    pub group: u32,
    /// Ranks of the group.
    pub ranks: u32,
    /// What its transfers add up to.
    pub bytes: u64,
    /// When the first rank began, and when the last one had done its part.
    pub start_us: Number,
    /// When the last of its ranks was done.
    pub end_us: Number,
    /// For how long a rank was at it, the mean over the ranks: from its first transfer, out or in, to the end of the last.
    pub busy_us: Number,
    /// For how much of that it computed nothing.
    pub exposed_us: Number,
}

/// One row of a point's `jobs.csv`.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its name.
    pub job: String,
    /// Hosts that it has.
    pub ranks: u32,
    /// When it may begin.
    pub start_us: Number,
    /// From its start to the end of its last transfer or computation.
    pub cct_us: Number,
    /// The same without the other jobs, where that was asked for.
    pub alone_us: Option<Number>,
    /// `cct_us / alone_us`.
    pub slowdown: Option<Number>,
}

/// One row of a point's `timeline.csv`: when one host was at an operation of a program.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimelineRow {
    /// One of the hosts that stand for all of them: those that take part in the same operations are alike.
    pub host: u32,
    /// As in ops.csv.
    pub op: String,
    /// The job, where there are several.
    pub job: String,
    /// The group, counted from 0 within the operation.
    pub group: u32,
    /// `compute`, or what it communicates for: `tensor`, `context`, `expert`, `pipeline`, `data`; `communication` where
    /// the program does not say.
    pub purpose: String,
    /// When it begins there, in microseconds.
    pub start_us: Number,
    /// When it ends there, in microseconds.
    pub end_us: Number,
}

/// One row of a point's `paths.csv`: which way a flow went, and what it waited for.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct PathRow {
    /// Id of the transfer in the schedule.
    pub flow: u32,
    /// The flow that let it start: the last that it waited for. Empty where it waited for none.
    pub after: Option<u32>,
    /// The links of its largest sub-flow, with spaces between them; empty where the network chooses or all paths are used.
    pub links: String,
    /// Of the links that it was placed on, the one that is busy longest.
    pub busiest_link: Option<String>,
}

/// One row of a file of `fabrics/`: a link of a fabric that points were simulated on.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct FabricRow {
    /// Its name, as in links.csv.
    pub link: String,
    /// The node that sends.
    pub from: String,
    /// The node that receives.
    pub to: String,
    /// Tiers of the two ends, as in links.csv.
    pub from_tier: Option<u32>,
    /// Tier of the receiving end.
    pub to_tier: Option<u32>,
    /// At the start; zero where the link is down.
    pub rate_gbps: Number,
    /// What is wrong with it and when, as the experiment says it; empty where nothing is.
    pub fault: String,
}

/// The files of a point besides its record, where asked for.
#[derive(Debug, Default)]
pub struct Details {
    /// Rows of `flows.csv`.
    pub flows: Option<Vec<FlowRow>>,
    /// Rows of `links.csv`.
    pub links: Option<Vec<LinkRow>>,
    /// Rows of `series.csv`.
    pub series: Option<Vec<SeriesRow>>,
    /// Rows of `senders.csv`.
    pub senders: Option<Vec<SenderRow>>,
    /// Rows of `packets.csv`.
    pub packets: Option<Vec<PacketsRow>>,
    /// Rows of `ports.csv`.
    pub ports: Option<Vec<PortRow>>,
    /// Rows of `buffers.csv`.
    pub buffers: Option<Vec<BufferRow>>,
    /// Rows of `ops.csv`.
    pub ops: Option<Vec<OpRow>>,
    /// Rows of `jobs.csv`.
    pub jobs: Option<Vec<JobRow>>,
    /// Rows of `timeline.csv`.
    pub timeline: Option<Vec<TimelineRow>>,
    /// Rows of `paths.csv`.
    pub paths: Option<Vec<PathRow>>,
}
