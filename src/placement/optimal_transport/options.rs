//! Options of `optimal-transport`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::placement::plan::PlannedPaths;

/// Options of `optimal-transport`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptimalTransport {
    /// The most sub-flows of one flow. Without it flows are cut wherever the least congestion needs it, at most once
    /// for every link that it fills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pieces: Option<u32>,
    /// How much balance may yield to `prefer` and `keep`: small values follow them more closely.
    #[serde(default = "default_epsilon")]
    pub epsilon: f64,
    /// What computes the least congestion.
    #[serde(default)]
    pub solver: Solver,
    /// Relative gap between the congestion of the plan and a proven bound at which the solver may stop.
    #[serde(default = "default_tolerance")]
    pub tolerance: f64,
    /// What is balanced together.
    #[serde(default)]
    pub scope: Scope,
    /// Starts of the local search under `max_pieces`.
    #[serde(default = "default_starts")]
    pub starts: u32,
    /// Which paths are better than others of the same congestion.
    #[serde(default)]
    pub prefer: Prefer,
    /// Share of the bytes that are placed first. The flows without which the rest has the least congestion are left out (progressive
    /// partial transport) until the rest has been placed, and then laid whole where they raise congestion least. Default 1: all at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admit: Option<f64>,
    /// A plan.json for the same workload: where it is as good, flows stay on its paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<PlannedPaths>,
}

/// What computes the least congestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Solver {
    /// Clipped Sinkhorn rounds, and the linear programme where their certificate stays open.
    #[default]
    Auto,
    /// Clipped Sinkhorn rounds with Newton steps.
    Sinkhorn,
    /// The linear programme, to eight digits.
    Exact,
}

/// What is balanced together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The flows of one step.
    #[default]
    Step,
    /// All flows of the schedule, as if they were sent at once.
    Schedule,
}

/// Which paths are better than others of the same congestion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Prefer {
    /// None.
    #[default]
    None,
    /// Those of small propagation delay.
    Short,
}

fn default_epsilon() -> f64 {
    0.05
}

fn default_tolerance() -> f64 {
    3e-4
}

fn default_starts() -> u32 {
    6
}

impl Default for OptimalTransport {
    fn default() -> Self {
        Self {
            max_pieces: None,
            epsilon: default_epsilon(),
            solver: Solver::default(),
            tolerance: default_tolerance(),
            scope: Scope::default(),
            starts: default_starts(),
            prefer: Prefer::default(),
            admit: None,
            keep: None,
        }
    }
}
