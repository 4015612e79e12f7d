//! A connection as several queue pairs, as NCCL and HCCL have it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hash::Hash;
use super::scheme::{Problem, Scheme};
use super::subflows::{Placement, Subflow};
use crate::input::InputError;
use crate::routes::Route;
use crate::units::Bytes;
use crate::workload::Transfer;

/// The most queue pairs of one connection.
const MOST_QPS: u32 = 1_024;

/// Which of a connection's queue pairs carry a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StripeMode {
    /// One, the next for the next message (`NCCL_IB_SPLIT_DATA_ON_QPS=0`). Connections begin in turn, too, so that those with a
    /// single message share all ports.
    #[default]
    RoundRobin,
    /// All, an equal part each (`NCCL_IB_SPLIT_DATA_ON_QPS=1`).
    Split,
}

/// Options of `qp-stripe`. Queue pair `q` of a connection leaves by port `q` modulo the ports of its host; switches hash it
/// onto a path, which it keeps as long as the connection lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QpStripe {
    /// Queue pairs of a connection, from 1 to 1024 (`NCCL_IB_QPS_PER_CONNECTION`, 1 there). Default 4.
    pub qps: u32,
    /// Which of them carry a message. Default `round-robin`.
    pub mode: StripeMode,
    /// With `split`, the least bytes of a queue pair: a shorter message takes fewer (`HCCL_MULTI_QP_THRESHOLD`). Default 0.
    pub min_bytes: Bytes,
}

impl Default for QpStripe {
    fn default() -> Self {
        Self {
            qps: 4,
            mode: StripeMode::default(),
            min_bytes: Bytes(0),
        }
    }
}

impl Scheme for QpStripe {
    fn check(&self) -> Result<(), InputError> {
        if !(1..=MOST_QPS).contains(&self.qps) {
            let error = InputError::key("qps", format!("a connection cannot have {} queue pairs", self.qps));
            return Err(error.help(format!("`qps` is from 1 to {MOST_QPS}")));
        }
        if self.mode == StripeMode::RoundRobin && self.min_bytes.0 > 0 {
            let error = InputError::key("min_bytes", "messages that are not split have no least part");
            return Err(error.help("write `mode = \"split\"`, or take `min_bytes` out"));
        }
        Ok(())
    }

    fn hashes(&self) -> Option<Hash> {
        Some(Hash::Connection)
    }

    fn place(&self, problem: &Problem<'_>) -> Result<Placement, InputError> {
        let schedule = problem.schedule;
        let mut messages = vec![0_u32; schedule.tasks().len()];
        let split = |Transfer { task, src, dst, bytes }: Transfer, subflows: &mut Vec<Subflow>| {
            let connection = schedule.task(task).connection;
            let mut add = |qp: u32, bytes: u64| {
                let label = u64::from(connection.0) << 32 | u64::from(qp);
                let path = problem.hashed_path_by_port(label, src.node(), dst.node(), qp as usize);
                let route = Route::Pinned(path);
                subflows.push(Subflow { route, bytes });
            };
            match self.mode {
                StripeMode::RoundRobin => {
                    let before = &mut messages[connection.index()];
                    add(before.wrapping_add(connection.0) % self.qps, bytes);
                    *before = before.wrapping_add(1);
                }
                StripeMode::Split => {
                    let most = bytes.checked_div(self.min_bytes.0).unwrap_or(u64::MAX).max(1);
                    let qps = u64::from(self.qps).min(most) as u32;
                    let parts = super::subflows::equal_parts(bytes, qps);
                    (0..)
                        .zip(parts)
                        .filter(|part| part.1 > 0)
                        .for_each(|(qp, part)| add(qp, part));
                }
            }
        };
        Ok(Placement::split(schedule, split))
    }
}
