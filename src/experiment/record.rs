//! What is kept of a run: the rows of `results.csv` and of the files beside it.
//!
//! Every number is written by one rule, so that the files are the same byte for byte wherever they
//! are made: rounded to six decimals (a picosecond, where the unit is a microsecond), without
//! trailing zeros, whole numbers without a point.

use std::io;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number as results hold it: rounded to six decimals when it is made.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Number(f64);

impl Number {
    /// The nearest number with six decimals.
    pub fn new(value: f64) -> Self {
        // Printing rounds exactly, to even on ties, on every machine; multiplying by 1e6 would not.
        let rounded = format!("{value:.6}").parse().unwrap_or(value);
        Self(if rounded == 0.0 { 0.0 } else { rounded })
    }

    /// Its value.
    pub fn value(self) -> f64 {
        self.0
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::new(value)
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Whole numbers are exact in f64 up to here.
        const WHOLE: f64 = 9_007_199_254_740_992.0;
        if self.0.fract() == 0.0 && self.0.abs() < WHOLE {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self)
    }
}

/// One row of `results.csv`: one point of the plan. Fields are its columns, in order; `None` is an
/// empty cell, where a column has no meaning.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    /// Index in the plan.
    pub point: u32,
    /// `flow` or `packet`.
    pub engine: String,
    /// Kind of the topology, or the name of the file that describes it.
    pub topology: String,
    /// Hosts of the fabric.
    pub hosts: u32,
    /// Kind of the workload, or the name of the file that describes it.
    pub workload: String,
    /// `size` or `message` of the workload in bytes.
    pub size_bytes: Option<u64>,
    /// Name with its non-default options.
    pub load_balancing: String,
    /// Packet engine.
    pub transport: Option<String>,
    pub seed: u64,
    /// Last data byte of the last transfer at its receiver, from t = 0.
    pub cct_us: Option<Number>,
    /// No schedule of any load balancing can finish earlier.
    pub bound_us: Option<Number>,
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
    /// Pieces they were sent in.
    pub subflows: u64,
    pub fct_mean_us: Option<Number>,
    pub fct_p99_us: Option<Number>,
    /// Data packets injected; this and the next, packet engine.
    pub packets: Option<u64>,
    pub packet_hops: Option<u64>,
    /// Events the engine processed.
    pub events: Option<u64>,
    pub ecn_marks: Option<u64>,
    pub drops: Option<u64>,
    pub trims: Option<u64>,
    pub pauses: Option<u64>,
    pub retransmits: Option<u64>,
}

/// One row of a point's `flows.csv`.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowRow {
    /// Id of the transfer in the schedule.
    pub flow: u32,
    pub src: u32,
    pub dst: u32,
    pub bytes: u64,
    /// This and the next two are empty where it did not come so far before the run was stopped.
    pub start_us: Option<Number>,
    pub fct_us: Option<Number>,
    pub ack_fct_us: Option<Number>,
    /// Completion time of the same flow alone on its fastest path; empty where it is endless.
    pub ideal_fct_us: Option<Number>,
    /// `fct_us / ideal_fct_us`.
    pub slowdown: Option<Number>,
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
    pub link: String,
    pub from: String,
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
    pub drops: Option<u64>,
    pub ecn_marks: Option<u64>,
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
    pub link: String,
    /// Bytes that crossed the link with headers and control packets.
    pub wire_bytes: Number,
    pub trims: u64,
    pub pauses: u64,
    /// Time for which flow control held its data back, in all and at a stretch.
    pub paused_us: Number,
    pub longest_pause_us: Number,
}

/// One row of a point's `buffers.csv`: how full a switch was, over the samples of the run.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct BufferRow {
    pub switch: String,
    /// Bytes in all its output queues.
    pub mean_bytes: Number,
    pub p50_bytes: u64,
    pub p90_bytes: u64,
    pub p99_bytes: u64,
    pub max_bytes: u64,
}

/// One row of a point's `series.csv`: a link over one interval.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesRow {
    /// End of the interval.
    pub at_us: Number,
    pub link: String,
    /// Fill of its output queue at the end of the interval.
    pub queue_bytes: u64,
    /// Wire bytes sent in the interval.
    pub sent_bytes: u64,
}

/// One row of a point's `senders.csv`: what the sender of a sub-flow knew at a moment. Cells are empty where its
/// transport has no such thing.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct SenderRow {
    pub time_us: Number,
    /// Id of the transfer in the schedule, and the piece of it, from 0.
    pub flow: u32,
    pub subflow: u32,
    pub src: u32,
    pub dst: u32,
    /// Wire bytes in flight, and those that may be.
    pub in_flight_bytes: u64,
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

/// One row of `timings.csv`, which differs from run to run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimingRow {
    pub point: u32,
    pub cpu_s: f64,
    pub wall_s: f64,
}

/// The rows as CSV under their column names, which are there even without any row.
pub fn write_csv<R: Serialize + Default>(out: impl io::Write, rows: &[R]) -> Result<(), csv::Error> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
    writer.write_record(columns::<R>()?.iter())?;
    for row in rows {
        writer.serialize(row)?;
    }
    writer.flush()?;
    Ok(())
}

/// The column names of a row.
pub fn columns<R: Serialize + Default>() -> Result<csv::StringRecord, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.serialize(R::default())?;
    let text = writer.into_inner().map_err(|error| error.into_error())?;
    csv::Reader::from_reader(text.as_slice()).headers().cloned()
}

/// The rows of a CSV that [`write_csv`] wrote.
pub fn read_csv<R: for<'de> Deserialize<'de>>(input: impl io::Read) -> Result<Vec<R>, csv::Error> {
    csv::Reader::from_reader(input).deserialize().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of the contract, word for word.
    const COLUMNS: &str = "point,engine,topology,hosts,workload,size_bytes,load_balancing,transport,seed,cct_us,bound_us,cct_over_bound,predicted_us,congestion_us,fabric_congestion_us,optimal_fabric_congestion_us,congestion_ratio,algbw_GBps,busbw_GBps,flows,subflows,fct_mean_us,fct_p99_us,packets,packet_hops,events,ecn_marks,drops,trims,pauses,retransmits";

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
        }
    }

    #[test]
    fn columns_are_the_contract_and_rows_come_back() {
        let mut text = Vec::new();
        write_csv(&mut text, &[row()]).unwrap();
        let text = String::from_utf8(text).unwrap();
        let (header, line) = text.split_once('\n').unwrap();
        assert_eq!(header, COLUMNS);
        insta::assert_snapshot!(line, @"0,flow,leaf-spine,256,all-to-all,65536,ecmp-split(ways=4),,1,1338.92608,1336.9344,1.00149,,1000,0.3,1e-6,0,,,65280,261120,,,,,18446744073709551615,,,,,");
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
