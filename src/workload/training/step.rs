//! The operations of one step.
//!
//! All layers of a pass count as one: a rank computes the pass, then does what the layers send, kind by kind. That keeps the bytes and
//! the time on the way, and leaves out only what each layer's latency would add.

use std::collections::HashMap;
use std::sync::Arc;

use super::pipeline::{Pass, gpipe, one_forward_one_backward};
use super::{PipelineSchedule, Recompute, Sharding, Training};
use crate::units::{Bytes, Time};
use crate::workload::program::{Operation, Work};
use crate::workload::{Algorithm, AllGather, AllReduce, AllToAll, AllToAllv, Kind, Purpose, ReduceScatter, SendRecv};

/// Bytes of a number in BF16, and of a gradient in FP32.
const BF16: f64 = 2.0;
const FP32: f64 = 4.0;

/// A step while it is put together.
pub(super) struct Step<'a> {
    training: &'a Training,
    kinds: Vec<Box<dyn Kind>>,
    ops: Vec<Op>,
}

/// An operation; what it sends is known by its number.
struct Op {
    name: String,
    purpose: Purpose,
    what: What,
    groups: Vec<Vec<u32>>,
    after: Vec<usize>,
}

enum What {
    Compute(Time),
    Send(usize),
}

/// Where every stage is.
struct Stage {
    passes: Vec<Pass>,
    next: usize,
    /// What its next pass waits for.
    last: Vec<usize>,
    /// What the gathering of the parameters of the next pass waits for.
    before_last: Vec<usize>,
}

impl<'a> Step<'a> {
    pub(super) fn of(training: &'a Training) -> Self {
        let mut step = Self {
            training,
            kinds: Vec::new(),
            ops: Vec::new(),
        };
        step.fill();
        step
    }

    pub(super) fn operations(&self) -> Vec<Operation<'_>> {
        let operation = |op: &Op| Operation {
            name: Arc::from(op.name.as_str()),
            key: String::new(),
            purpose: op.purpose,
            work: match op.what {
                What::Compute(time) => Work::Compute(time),
                What::Send(kind) => Work::Communicate(&*self.kinds[kind]),
            },
            groups: op.groups.clone(),
            after: op.after.clone(),
        };
        self.ops.iter().map(operation).collect()
    }

    /// All passes of all stages, each when what it waits for is there already.
    fn fill(&mut self) {
        let training = self.training;
        let (stages, parts, batches) = (training.pipeline, training.virtual_stages, training.batches());
        let mut all: Vec<Stage> = (0..stages)
            .map(|stage| Stage {
                passes: match training.schedule {
                    PipelineSchedule::Gpipe => gpipe(batches),
                    _ => one_forward_one_backward(stage, stages, parts, batches),
                },
                next: 0,
                last: Vec::new(),
                before_last: Vec::new(),
            })
            .collect();
        // What brings the input of a pass: by the place of its layers in the model, direction and micro-batch.
        let mut inputs: HashMap<(u32, bool, u32), Option<usize>> = HashMap::new();
        let places = stages * parts;
        loop {
            let mut moved = false;
            for stage in 0..stages {
                let state = &all[stage as usize];
                let Some(&pass) = state.passes.get(state.next) else {
                    continue;
                };
                let place = pass.part * stages + stage;
                let first = if pass.backward { place == places - 1 } else { place == 0 };
                let input = match (first, inputs.get(&(place, pass.backward, pass.batch))) {
                    (true, _) => None,
                    (false, Some(&input)) => input,
                    (false, None) => continue,
                };
                let is_last = state.next + 1 == state.passes.len();
                let done = self.pass(stage, &mut all[stage as usize], pass, input, is_last);
                let (end, next) = match pass.backward {
                    true => (place == 0, place.wrapping_sub(1)),
                    false => (place == places - 1, place + 1),
                };
                if !end {
                    let sent = self.hand_on(stage, next % stages, pass, done);
                    inputs.insert((next, pass.backward, pass.batch), sent);
                }
                all[stage as usize].next += 1;
                moved = true;
            }
            if !moved {
                break;
            }
        }
        debug_assert!(
            all.iter().all(|stage| stage.next == stage.passes.len()),
            "the order of passes is not possible"
        );
    }

    /// A pass of a stage, after its input has come; yields its last operation.
    fn pass(&mut self, stage: u32, state: &mut Stage, pass: Pass, input: Option<usize>, is_last: bool) -> usize {
        let training = self.training;
        let direction = if pass.backward { "backward" } else { "forward" };
        let name = |what: &str| match training.virtual_stages {
            1 => format!("{direction} {} stage {stage}{what}", pass.batch),
            _ => format!("{direction} {} stage {stage} part {}{what}", pass.batch, pass.part),
        };
        let mut after = state.last.clone();
        after.extend(input);
        if training.sharding == Sharding::Full {
            let gathered = self.gather_parameters(
                stage,
                &name(" parameters"),
                1.0 / f64::from(training.virtual_stages),
                state.before_last.clone(),
            );
            after.extend(gathered);
        }
        state.before_last.clone_from(&state.last);
        let time = self.compute_time(pass.backward);
        let all = vec![self.stage_ranks(stage)];
        let last_batch = pass.backward && is_last;
        let buckets = match training.sharding {
            Sharding::Full => 1,
            _ if last_batch => self.buckets(),
            _ => 1,
        };
        let mut done = usize::MAX;
        let mut gradients = Vec::new();
        for bucket in 0..buckets {
            let part = Time(
                time.0 * (u64::from(bucket) + 1) / u64::from(buckets) - time.0 * u64::from(bucket) / u64::from(buckets),
            );
            let piece = if buckets > 1 {
                format!(" piece {bucket}")
            } else {
                String::new()
            };
            done = self.compute(name(&piece), part, all.clone(), after.clone());
            done = self.layers(stage, &name(&piece), pass.backward, 1.0 / f64::from(buckets), done);
            after = vec![done];
            if last_batch && training.overlap && training.sharding != Sharding::Full {
                gradients.extend(self.gradients(
                    stage,
                    &format!("gradients {bucket} stage {stage}"),
                    buckets,
                    vec![done],
                ));
            }
        }
        if last_batch && !training.overlap && training.sharding != Sharding::Full {
            for bucket in 0..buckets {
                gradients.extend(self.gradients(
                    stage,
                    &format!("gradients {bucket} stage {stage}"),
                    buckets,
                    vec![done],
                ));
            }
        }
        if pass.backward && training.sharding == Sharding::Full {
            self.gradients(stage, &name(" gradients"), training.virtual_stages, vec![done]);
        }
        if last_batch && training.sharding == Sharding::Optimizer {
            gradients.push(done);
            self.gather_parameters(stage, &format!("parameters stage {stage}"), 1.0, gradients);
        }
        state.last = vec![done];
        done
    }

    /// What the layers of a pass send: keys and values, activations, tokens. Yields the last operation.
    fn layers(&mut self, stage: u32, name: &str, backward: bool, share: f64, after: usize) -> usize {
        let training = self.training;
        let shape = training.model.shape();
        let share = share / f64::from(training.virtual_stages) / f64::from(training.pipeline);
        let layers = shape.layers as f64 * share;
        let mut last = after;
        if training.context > 1 {
            let width = (shape.kv_width() as f64 / f64::from(training.tensor)).max((shape.hidden / shape.heads) as f64);
            let bytes = layers * 2.0 * f64::from(training.micro_batch) * training.sequence as f64 * width * BF16;
            let kind: Box<dyn Kind> = match backward {
                true => self.reduce_scatter(bytes),
                false => self.all_gather(bytes),
            };
            last = self.send(
                Purpose::Context,
                format!("{name} context"),
                kind,
                self.context_groups(stage),
                vec![last],
            );
        }
        if training.tensor > 1 {
            let bytes = 2.0 * layers * self.activation();
            if training.sequence_parallel {
                let gather = self.all_gather(bytes);
                last = self.send(
                    Purpose::Tensor,
                    format!("{name} tensor gather"),
                    gather,
                    self.tensor_groups(stage),
                    vec![last],
                );
                let scatter = self.reduce_scatter(bytes);
                last = self.send(
                    Purpose::Tensor,
                    format!("{name} tensor scatter"),
                    scatter,
                    self.tensor_groups(stage),
                    vec![last],
                );
            } else {
                let reduce = self.all_reduce(bytes);
                last = self.send(
                    Purpose::Tensor,
                    format!("{name} tensor"),
                    reduce,
                    self.tensor_groups(stage),
                    vec![last],
                );
            }
        }
        if training.expert > 1 {
            let tokens = self.tokens()
                / if training.sequence_parallel {
                    f64::from(training.tensor)
                } else {
                    1.0
                };
            let values = shape.expert_layers() * share * tokens * shape.top_k as f64 * shape.hidden as f64;
            for (what, bytes) in [("dispatch", shape.dispatch_bytes as f64), ("combine", BF16)] {
                let message = whole(values * bytes / f64::from(training.expert));
                let kind: Box<dyn Kind> = match training.expert_skew {
                    0.0 => Box::new(AllToAll::new(message)),
                    skew => Box::new(AllToAllv::skewed(message, skew)),
                };
                last = self.send(
                    Purpose::Expert,
                    format!("{name} {what}"),
                    kind,
                    self.expert_groups(stage),
                    vec![last],
                );
            }
        }
        last
    }

    /// Hands an activation, or its gradient, to another stage.
    fn hand_on(&mut self, from: u32, to: u32, pass: Pass, after: usize) -> Option<usize> {
        if from == to {
            return Some(after);
        }
        let training = self.training;
        let parts = if training.sequence_parallel {
            f64::from(training.tensor)
        } else {
            1.0
        };
        let kind = Box::new(SendRecv::one_way(whole(self.activation() / parts), 0, 1));
        let pairs = self.stage_ranks(from).into_iter().zip(self.stage_ranks(to));
        let groups = pairs.map(|(src, dst)| vec![src, dst]).collect();
        let what = if pass.backward { "gradient" } else { "activation" };
        Some(self.send(
            Purpose::Pipeline,
            format!("{what} {} from stage {from}", pass.batch),
            kind,
            groups,
            vec![after],
        ))
    }

    /// One of several pieces of the gradients, in FP32.
    fn gradients(&mut self, stage: u32, name: &str, pieces: u32, after: Vec<usize>) -> Vec<usize> {
        let sum = |bytes: f64| -> Box<dyn Kind> {
            match self.training.sharding {
                Sharding::None => self.all_reduce(bytes),
                _ => self.reduce_scatter(bytes),
            }
        };
        let [shared, experts] = self.parameters();
        let piece = FP32 / f64::from(pieces);
        let (shared, experts) = (sum(shared * piece), (experts > 0.0).then(|| sum(experts * piece)));
        self.over_copies(stage, name, shared, experts, after)
    }

    /// A share of the parameters, in BF16.
    fn gather_parameters(&mut self, stage: u32, name: &str, share: f64, after: Vec<usize>) -> Vec<usize> {
        let [shared, experts] = self.parameters();
        let gather = |parameters: f64| self.all_gather(parameters * BF16 * share);
        let (shared, experts) = (gather(shared), (experts > 0.0).then(|| gather(experts)));
        self.over_copies(stage, name, shared, experts, after)
    }

    /// Over all ranks with the same parameters: of all layers, and of the experts.
    fn over_copies(
        &mut self,
        stage: u32,
        name: &str,
        shared: Box<dyn Kind>,
        experts: Option<Box<dyn Kind>>,
        after: Vec<usize>,
    ) -> Vec<usize> {
        let training = self.training;
        let mut sent = Vec::new();
        if training.data * training.context > 1 {
            sent.push(self.send(
                Purpose::Data,
                name.to_owned(),
                shared,
                self.copies(stage, 1),
                after.clone(),
            ));
        }
        if let Some(experts) = experts
            && training.data * training.context > training.expert
        {
            sent.push(self.send(
                Purpose::Data,
                format!("{name} experts"),
                experts,
                self.copies(stage, training.expert),
                after,
            ));
        }
        sent
    }

    fn compute(&mut self, name: String, time: Time, groups: Vec<Vec<u32>>, after: Vec<usize>) -> usize {
        self.add(Purpose::Compute, name, What::Compute(time), groups, after)
    }

    fn send(
        &mut self,
        purpose: Purpose,
        name: String,
        kind: Box<dyn Kind>,
        groups: Vec<Vec<u32>>,
        after: Vec<usize>,
    ) -> usize {
        self.kinds.push(kind);
        let what = What::Send(self.kinds.len() - 1);
        self.add(purpose, name, what, groups, after)
    }

    fn add(&mut self, purpose: Purpose, name: String, what: What, groups: Vec<Vec<u32>>, after: Vec<usize>) -> usize {
        self.ops.push(Op {
            name,
            purpose,
            what,
            groups,
            after,
        });
        self.ops.len() - 1
    }

    /// Rings over a buffer of so many bytes.
    fn all_reduce(&self, bytes: f64) -> Box<dyn Kind> {
        Box::new(AllReduce::with(whole(bytes), Algorithm::Ring, self.training.pipelined))
    }

    fn all_gather(&self, bytes: f64) -> Box<dyn Kind> {
        Box::new(AllGather::with(whole(bytes), Algorithm::Ring, self.training.pipelined))
    }

    fn reduce_scatter(&self, bytes: f64) -> Box<dyn Kind> {
        Box::new(ReduceScatter::with(
            whole(bytes),
            Algorithm::Ring,
            self.training.pipelined,
        ))
    }

    /// Tokens of a micro-batch on a rank.
    fn tokens(&self) -> f64 {
        let training = self.training;
        f64::from(training.micro_batch) * training.sequence as f64 / f64::from(training.context)
    }

    /// Bytes of one activation.
    fn activation(&self) -> f64 {
        self.tokens() * self.training.model.shape().hidden as f64 * BF16
    }

    /// Parameters of a rank: of all layers, and of its experts.
    fn parameters(&self) -> [f64; 2] {
        let (training, shape) = (self.training, self.training.model.shape());
        let parts = f64::from(training.tensor) * f64::from(training.pipeline);
        let experts = shape.expert_parameters() / parts / f64::from(training.expert);
        let shared = shape.shared_parameters() / parts;
        match training.expert {
            // Without expert parallelism they are parameters like others.
            1 => [shared + experts, 0.0],
            _ => [shared, experts],
        }
    }

    /// Pieces of the gradients of a rank.
    fn buckets(&self) -> u32 {
        let bytes: f64 = self.parameters().iter().sum::<f64>() * FP32;
        (bytes / self.training.bucket.0 as f64).ceil().clamp(1.0, 1e6) as u32
    }

    /// How long a pass through one part of a stage takes.
    fn compute_time(&self, backward: bool) -> Time {
        let (training, shape) = (self.training, self.training.model.shape());
        let attention = shape.attention_operations(training.sequence);
        let forward = shape.matrix_operations() + attention;
        let per_token = match (backward, training.recompute) {
            (false, _) => forward,
            (true, Recompute::None) => 2.0 * forward,
            (true, Recompute::Selective) => 2.0 * forward + attention,
            (true, Recompute::Full) => 3.0 * forward,
        };
        let parts = f64::from(training.tensor) * f64::from(training.pipeline) * f64::from(training.virtual_stages);
        let seconds = per_token * self.tokens() / parts / (training.peak.0 as f64 * training.efficiency);
        Time((seconds * 1e12).round() as u64)
    }

    /// The number of a rank by its places.
    fn rank(&self, tensor: u32, context: u32, data: u32, stage: u32) -> u32 {
        let training = self.training;
        tensor + training.tensor * (context + training.context * (data + training.data * stage))
    }

    fn stage_ranks(&self, stage: u32) -> Vec<u32> {
        let first = self.rank(0, 0, 0, stage);
        (first..self.rank(0, 0, 0, stage + 1)).collect()
    }

    fn tensor_groups(&self, stage: u32) -> Vec<Vec<u32>> {
        let size = self.training.tensor as usize;
        self.stage_ranks(stage).chunks(size).map(<[u32]>::to_vec).collect()
    }

    fn context_groups(&self, stage: u32) -> Vec<Vec<u32>> {
        let training = self.training;
        let group = |data: u32, tensor: u32| {
            (0..training.context)
                .map(|c| self.rank(tensor, c, data, stage))
                .collect()
        };
        (0..training.data)
            .flat_map(|data| (0..training.tensor).map(move |tensor| (data, tensor)))
            .map(|(data, tensor)| group(data, tensor))
            .collect()
    }

    /// Runs of data-parallel ranks that have all experts of a layer together.
    fn expert_groups(&self, stage: u32) -> Vec<Vec<u32>> {
        let training = self.training;
        let mut groups = Vec::new();
        for first in (0..training.data).step_by(training.expert as usize) {
            for context in 0..training.context {
                for tensor in 0..training.tensor {
                    let data = first..first + training.expert;
                    groups.push(data.map(|data| self.rank(tensor, context, data, stage)).collect());
                }
            }
        }
        groups
    }

    /// Ranks with the same parameters: every `stride`-th copy of the model, with all parts of the sequence.
    fn copies(&self, stage: u32, stride: u32) -> Vec<Vec<u32>> {
        let training = self.training;
        let mut groups = Vec::new();
        for tensor in 0..training.tensor {
            for first in 0..stride {
                let data = (first..training.data).step_by(stride as usize);
                let ranks = data.flat_map(|data| (0..training.context).map(move |context| (data, context)));
                groups.push(
                    ranks
                        .map(|(data, context)| self.rank(tensor, context, data, stage))
                        .collect(),
                );
            }
        }
        groups
    }
}

/// At least a byte.
fn whole(bytes: f64) -> Bytes {
    Bytes((bytes.round() as u64).max(1))
}
