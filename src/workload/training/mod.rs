//! Steps of the training of a transformer, as a program: what Megatron-LM and FSDP compute and send.

mod draw;
mod model;
mod pipeline;
mod step;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use model::Model;

use super::RankMap;
use super::ranks::Ranked;
use crate::input::InputError;
use crate::units::Bytes;

/// Steps of training a transformer under tensor, context, expert, data and pipeline parallelism. Ranks are in Megatron's order:
/// tensor fastest, then context, data (expert groups are runs of it), pipeline slowest; there are tensor * context *
/// data * pipeline. Layers, and the parameters of all of the model, count as shared out evenly among the stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The model.
    pub model: Model,
    /// Ranks that share every layer.
    #[serde(default = "crate::input::one")]
    pub tensor: u32,
    /// Ranks that share every sequence.
    #[serde(default = "crate::input::one")]
    pub context: u32,
    /// Ranks that share the experts of a layer; it divides `data`.
    #[serde(default = "crate::input::one")]
    pub expert: u32,
    /// Stages that share the layers.
    #[serde(default = "crate::input::one")]
    pub pipeline: u32,
    /// Copies of the model.
    #[serde(default = "crate::input::one")]
    pub data: u32,
    /// Tokens of a sequence.
    pub sequence: u64,
    /// Sequences of a micro-batch.
    #[serde(default = "crate::input::one")]
    pub micro_batch: u32,
    /// Sequences of a step.
    pub global_batch: u32,
    /// Order of the micro-batches in a stage.
    #[serde(default)]
    pub schedule: PipelineSchedule,
    /// Parts of the model in every stage; with the schedule "interleaved".
    #[serde(default = "crate::input::one")]
    pub virtual_stages: u32,
    /// What data-parallel ranks share.
    #[serde(default)]
    pub sharding: Sharding,
    /// Between tensor-parallel layers every tensor rank has its part of the sequence: all-gathers and reduce-scatters
    /// instead of all-reduces, and a part of an activation to the next stage.
    #[serde(default)]
    pub sequence_parallel: bool,
    /// What is computed again in the backward pass: nothing, attention alone, or all of the forward pass.
    #[serde(default)]
    pub recompute: Recompute,
    /// Gradients are sent in pieces of this size, in 4 bytes for each parameter.
    #[serde(default = "default_bucket")]
    pub bucket: Bytes,
    /// A piece of the gradients is sent as soon as the last micro-batch has computed it; otherwise all after the
    /// backward pass.
    #[serde(default = "yes")]
    pub overlap: bool,
    /// What a rank computes at most, in floating-point operations per second, such as "989TFLOPS".
    pub peak: Flops,
    /// The share of it that it reaches while it computes.
    #[serde(default = "default_efficiency")]
    pub efficiency: f64,
    /// Gini coefficient of the tokens that experts' ranks receive.
    #[serde(default)]
    pub expert_skew: f64,
    /// Steps, one after the other.
    #[serde(default = "crate::input::one")]
    pub steps: u32,
    /// Rings pass on what arrives at once, one transfer for every connection; otherwise they go step by step, with far more transfers, which
    /// other tools can be told of (`export`).
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub pipelined: bool,
    /// Which host each rank lives on, as for other workloads.
    #[serde(default)]
    pub rank_map: RankMap,
}

/// Order of the micro-batches in a pipeline stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PipelineSchedule {
    /// All forward passes, then all backward passes.
    Gpipe,
    /// One forward, one backward.
    #[default]
    #[serde(rename = "1f1b")]
    OneForwardOneBackward,
    /// The same with several parts of the model in each stage.
    Interleaved,
}

/// What data-parallel ranks share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sharding {
    /// Nothing: an all-reduce of the gradients.
    None,
    /// The state of the optimizer (ZeRO-1): a reduce-scatter of the gradients, and an all-gather of the parameters.
    #[default]
    Optimizer,
    /// All (ZeRO-3, FSDP): an all-gather of the parameters before every pass, one pass ahead, and a reduce-scatter of the
    /// gradients after every backward pass.
    Full,
}

/// What is computed again in the backward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Recompute {
    /// Nothing.
    #[default]
    None,
    /// Attention itself.
    Selective,
    /// The whole forward pass.
    Full,
}

/// Floating-point operations per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Flops(u64);

/// Its units.
const UNITS: [(&str, u64); 3] = [
    ("PFLOPS", 1_000_000_000_000_000),
    ("TFLOPS", 1_000_000_000_000),
    ("GFLOPS", 1_000_000_000),
];

impl Flops {
    /// As a number.
    pub(super) fn per_second(self) -> f64 {
        self.0 as f64
    }
}

impl FromStr for Flops {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = UNITS.iter().find_map(|(unit, scale)| {
            let number: f64 = text.trim().strip_suffix(unit)?.trim().parse().ok()?;
            let scaled = number * *scale as f64;
            (1.0..1e19).contains(&scaled).then(|| Self(scaled.round() as u64))
        });
        parsed.ok_or_else(|| {
            format!("`{text}` is no rate of operations: write a number above 0 with TFLOPS, PFLOPS or GFLOPS, such as \"989TFLOPS\"")
        })
    }
}

impl TryFrom<String> for Flops {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Flops> for String {
    fn from(flops: Flops) -> Self {
        flops.to_string()
    }
}

impl fmt::Display for Flops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = UNITS.iter().find(|(_, scale)| self.0.is_multiple_of(*scale));
        match exact {
            Some((unit, scale)) => write!(f, "{}{unit}", self.0 / scale),
            None => write!(f, "{}GFLOPS", self.0 as f64 / 1e9),
        }
    }
}

fn default_bucket() -> Bytes {
    Bytes(512_000_000)
}

fn default_efficiency() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_true(value: &bool) -> bool {
    *value
}

impl Ranked for Training {
    fn ranks(&self) -> Option<u32> {
        let sizes = [self.tensor, self.context, self.data, self.pipeline];
        Some(sizes.into_iter().fold(1, u32::saturating_mul))
    }

    fn rank_map(&self) -> &RankMap {
        &self.rank_map
    }
}

impl Training {
    /// Micro-batches of a step in each pipeline.
    fn batches(&self) -> u32 {
        self.global_batch / (self.data * self.micro_batch)
    }

    /// Refuses what does not divide, and what is not there.
    fn check(&self) -> Result<(), InputError> {
        let shape = self.model.shape();
        shape.check().map_err(|error| error.under("model"))?;
        for (key, count) in [
            ("tensor", self.tensor),
            ("context", self.context),
            ("expert", self.expert),
            ("pipeline", self.pipeline),
            ("data", self.data),
            ("micro_batch", self.micro_batch),
            ("global_batch", self.global_batch),
            ("virtual_stages", self.virtual_stages),
            ("steps", self.steps),
        ] {
            if count == 0 {
                return Err(InputError::key(key, format!("`{key}` is 0")).help("it must be at least 1"));
            }
        }
        if self.sequence == 0 || self.sequence > 1 << 32 {
            return Err(InputError::key("sequence", format!("`sequence` is {}", self.sequence))
                .help("it must be a number of tokens from 1 to 2^32"));
        }
        if self.bucket.is_zero() {
            return Err(InputError::key("bucket", "`bucket` is 0").help("it must be at least 1 byte"));
        }
        if !(self.efficiency > 0.0 && self.efficiency <= 1.0) {
            return Err(
                InputError::key("efficiency", format!("`efficiency` is {}", self.efficiency))
                    .help("it must be above 0 and at most 1"),
            );
        }
        if !(0.0..1.0).contains(&self.expert_skew) {
            return Err(
                InputError::key("expert_skew", format!("`expert_skew` is {}", self.expert_skew))
                    .help("it must be at least 0 and below 1"),
            );
        }
        let divides = |key: &str, part: u64, what: &str, all: u64| match all.is_multiple_of(part) {
            true => Ok(()),
            false => Err(InputError::key(key, format!("{part} does not divide {all}, {what}"))
                .help(format!("{what} must be a multiple of it"))),
        };
        let tensor = u64::from(self.tensor);
        divides("tensor", tensor, "the heads of the model", shape.heads)?;
        divides(
            "context",
            self.context.into(),
            "the tokens of a sequence",
            self.sequence,
        )?;
        divides("expert", self.expert.into(), "`data`", self.data.into())?;
        if self.expert > 1 {
            if shape.experts == 0 {
                return Err(InputError::key("expert", "the model has no experts").help("leave `expert` out"));
            }
            divides("expert", self.expert.into(), "the experts of the model", shape.experts)?;
        }
        let batch = u64::from(self.data) * u64::from(self.micro_batch);
        divides("global_batch", batch, "`global_batch`", self.global_batch.into()).map_err(|error| {
            error.help("it must be a multiple of `data` times `micro_batch`: every pipeline does as many micro-batches")
        })?;
        let parts = u64::from(self.pipeline) * u64::from(self.virtual_stages);
        if parts > shape.layers {
            let message = format!("{} layers do not fill {parts} stages", shape.layers);
            return Err(InputError::key("pipeline", message).help("take fewer stages"));
        }
        match self.schedule {
            PipelineSchedule::Interleaved if self.pipeline > 1 => divides(
                "schedule",
                self.pipeline.into(),
                "the micro-batches of a pipeline",
                self.batches().into(),
            )?,
            PipelineSchedule::Interleaved => {}
            _ if self.virtual_stages > 1 => {
                return Err(
                    InputError::key("virtual_stages", "only \"interleaved\" has several parts in a stage")
                        .help("write `schedule = \"interleaved\"`, or take it out"),
                );
            }
            _ => {}
        }
        Ok(())
    }
}
