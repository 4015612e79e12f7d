//! Workload files of SimAI and AICB:
//!
//! ```text
//! POLICY key: value ...                 HYBRID_TRANSFORMER_FWD_IN_BCKWD, or MICRO
//! layers
//! name dep fwd_compute fwd_comm fwd_bytes bwd_compute bwd_comm bwd_bytes dp_compute dp_comm dp_bytes update_time
//! ```
//!
//! All ranks do the same: forward through the layers, backward from the last to the first. What the dp columns send
//! goes on beside the layers before it. Times are nanoseconds.

use std::collections::HashMap;
use std::sync::Arc;

use super::algorithms::Algorithms;
use super::collective::{Collective, How};
use super::notes::Notes;
use crate::input::{Files, InputError};
use crate::units::Time;
use crate::workload::program::{Operation, Work, assemble};
use crate::workload::purpose::Purpose;
use crate::workload::schedule_writer::ScheduleWriter;
use crate::workload::{CollectiveName, Kind, MAX_BYTES};

super::super::ranks::ranked! {
    /// A workload file of SimAI or AICB (`.txt`): the layers of a model with their computation and communication. Groups
    /// are tensor-parallel ranks in a row, expert-parallel and data-parallel ones across them.
    pub struct Simai {
        /// The file.
        pub file: String,
        /// How collectives are carried out: one algorithm for all that have it, or a table by collective.
        #[serde(default, skip_serializing_if = "Algorithms::is_default")]
        pub algorithm: Algorithms,
        /// Rings pass on what arrives at once, one transfer for every connection.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub pipelined: bool,
    }
}

impl Kind for Simai {
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, seed: u64) -> Result<(), InputError> {
        self.algorithm.check()?;
        let mut file = File::parse(&self.file, &files.read(&self.file)?)?;
        let groups = Groups::of(&file, draft.ranks())?;
        let how = How {
            algorithm: &self.algorithm,
            pipelined: self.pipelined,
        };
        let plan = Plan::of(&mut file, &groups, &how);
        assemble(draft, &plan.operations(), 1, files, seed)?;
        std::mem::take(&mut file.notes).tell(&self.file, &mut draft.schedule);
        Ok(())
    }
}

/// Which ranks communicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Axis {
    Tensor,
    Data,
    Expert,
    ExpertData,
}

impl Axis {
    fn purpose(self) -> Purpose {
        match self {
            Self::Tensor => Purpose::Tensor,
            Self::Data | Self::ExpertData => Purpose::Data,
            Self::Expert => Purpose::Expert,
        }
    }
}

/// One communication of a layer.
#[derive(Debug, Clone, Copy)]
struct Send {
    collective: Collective,
    axis: Axis,
}

/// What a layer does in one direction.
#[derive(Debug, Clone, Copy)]
struct Part {
    compute: Time,
    send: Option<Send>,
}

#[derive(Debug)]
struct Layer {
    name: String,
    forward: Part,
    backward: Part,
    data: Part,
    update: Time,
}

#[derive(Debug)]
struct File {
    name: String,
    /// The layers are done one after the other, without a way back.
    micro: bool,
    tensor: u32,
    expert: u32,
    pipeline: u32,
    ranks: Option<u32>,
    layers: Vec<Layer>,
    notes: Notes,
}

/// Keys of the header that say nothing about what is sent here, beyond 0.
const UNUSED: [&str; 3] = ["pp_comm", "checkpoints", "checkpoint_initiates"];

impl File {
    fn parse(file: &str, text: &str) -> Result<Self, InputError> {
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let Some((number, header)) = lines.next() else {
            return Err(InputError::file(file, "it is empty").help("its first line names the policy"));
        };
        let mut parsed = Self::header(file, number, header)?;
        let Some((number, count)) = lines.next() else {
            return Err(
                InputError::file(file, "it ends behind its first line").help("its second line is the number of layers")
            );
        };
        let layers: usize = count.trim().parse().map_err(|_| {
            InputError::line(
                file,
                number,
                format!("`{}` is where the number of layers should be", count.trim()),
            )
        })?;
        for (number, line) in lines {
            let layer = layer(line).map_err(|(message, help)| InputError::line(file, number, message).help(help))?;
            parsed.layers.push(layer);
        }
        if parsed.layers.len() != layers {
            let message = format!("{layers} layers are announced, and there are {}", parsed.layers.len());
            return Err(InputError::line(file, number, message).help("is the file complete?"));
        }
        Ok(parsed)
    }

    fn header(file: &str, line: usize, text: &str) -> Result<Self, InputError> {
        let mut words = text.split_whitespace();
        let policy = words.next().unwrap_or_default();
        let micro = match policy {
            "MICRO" => true,
            "HYBRID_TRANSFORMER_FWD_IN_BCKWD" | "HYBRID_TRANSFORMER" => false,
            other => {
                return Err(InputError::line(file, line, format!("there is no policy `{other}`"))
                    .help("policies are HYBRID_TRANSFORMER_FWD_IN_BCKWD, HYBRID_TRANSFORMER and MICRO"));
            }
        };
        let mut numbers: HashMap<&str, u64> = HashMap::new();
        let mut key = "";
        for word in words {
            match word.parse::<u64>() {
                // A list, as of checkpoints, goes on behind its count.
                Ok(number) => drop(numbers.entry(key).or_insert(number)),
                Err(_) => key = word.trim_end_matches(':'),
            }
        }
        let mut notes = Notes::default();
        for unused in UNUSED {
            if numbers.get(unused).is_some_and(|&number| number > 0) {
                notes.count(&format!("settings of the first line ({unused}) have no effect"));
            }
        }
        let number = |key: &str| -> Result<u32, InputError> {
            let value = numbers.get(key).copied().unwrap_or(1);
            u32::try_from(value).ok().filter(|&value| value > 0).ok_or_else(|| {
                InputError::line(file, line, format!("`{key}` is {value}")).help("it must be at least 1")
            })
        };
        Ok(Self {
            name: file.to_owned(),
            micro,
            tensor: number("model_parallel_NPU_group")?,
            expert: number("ep")?,
            pipeline: number("pp")?,
            ranks: numbers
                .contains_key("all_gpus")
                .then(|| number("all_gpus"))
                .transpose()?,
            layers: Vec::new(),
            notes,
        })
    }
}

/// What is wrong, and the remedy.
type Wrong = (String, String);

fn layer(line: &str) -> Result<Layer, Wrong> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [name, _, columns @ .., update] = fields.as_slice() else {
        return Err(too_short(fields.len()));
    };
    let [
        fwd,
        fwd_comm,
        fwd_bytes,
        bwd,
        bwd_comm,
        bwd_bytes,
        dp,
        dp_comm,
        dp_bytes,
    ] = columns
    else {
        return Err(too_short(fields.len()));
    };
    let part = |compute: &str, comm: &str, bytes: &str, axis: Axis| -> Result<Part, Wrong> {
        Ok(Part {
            compute: time(compute)?,
            send: send(comm, bytes, axis)?,
        })
    };
    Ok(Layer {
        name: (*name).to_owned(),
        forward: part(fwd, fwd_comm, fwd_bytes, Axis::Tensor)?,
        backward: part(bwd, bwd_comm, bwd_bytes, Axis::Tensor)?,
        data: part(dp, dp_comm, dp_bytes, Axis::Data)?,
        update: time(update)?,
    })
}

fn too_short(columns: usize) -> Wrong {
    let help = "name, dep, three times compute, collective and bytes, and the time of the update";
    (
        format!("this line has {columns} columns where there should be 12"),
        help.to_owned(),
    )
}

fn time(text: &str) -> Result<Time, Wrong> {
    let nanoseconds = text
        .parse::<u64>()
        .ok()
        .and_then(|ns| ns.checked_mul(1_000))
        .filter(|&ps| ps <= i64::MAX as u64);
    nanoseconds.map(Time).ok_or_else(|| {
        (
            format!("`{text}` is where a time should be"),
            "it must be a whole number of nanoseconds".to_owned(),
        )
    })
}

fn send(comm: &str, bytes: &str, axis: Axis) -> Result<Option<Send>, Wrong> {
    let (plain, axis) = match (comm.strip_suffix("_DP_EP"), comm.strip_suffix("_EP")) {
        (Some(plain), _) => (plain, Axis::ExpertData),
        (None, Some(plain)) => (plain, Axis::Expert),
        (None, None) => (comm, axis),
    };
    let valid = "ALLREDUCE, ALLGATHER, REDUCESCATTER, ALLTOALL and BROADCAST, perhaps with _EP or _DP_EP, and NONE";
    let name = match plain {
        "NONE" => return Ok(None),
        plain => CollectiveName::of(plain).filter(|&name| name != CollectiveName::Barrier),
    };
    let Some(name) = name else {
        return Err((format!("there is no collective `{comm}`"), format!("there are {valid}")));
    };
    let Some(bytes) = bytes.parse().ok().filter(|&bytes| bytes <= MAX_BYTES) else {
        let help = format!("it must be a number of bytes from 0 to {MAX_BYTES}");
        return Err((format!("`{bytes}` is where bytes should be"), help));
    };
    let collective = Collective { name, bytes };
    Ok((bytes > 0).then_some(Send { collective, axis }))
}

/// The groups of each axis.
struct Groups(HashMap<Axis, Vec<Vec<u32>>>);

impl Groups {
    fn of(file: &File, ranks: u32) -> Result<Self, InputError> {
        let all = file.ranks.unwrap_or(ranks);
        let (tensor, expert) = (file.tensor, file.expert);
        let wrong = |message: String| InputError::line(&file.name, 1, message);
        if all > ranks {
            let message = format!("the file is for {all} GPUs, and there are {ranks} ranks");
            return Err(wrong(message).help("take a larger fabric, or more `ranks`"));
        }
        let model = u64::from(tensor) * u64::from(file.pipeline);
        if !u64::from(all).is_multiple_of(model) {
            let message = format!(
                "{tensor} tensor-parallel ranks in {} stages do not divide {all} GPUs evenly",
                file.pipeline
            );
            return Err(wrong(message).help("`model_parallel_NPU_group` times `pp` must divide the number of GPUs"));
        }
        let data = (u64::from(all) / model) as u32;
        if !data.is_multiple_of(expert) {
            let message = format!("{expert} expert-parallel ranks do not divide {data} data-parallel ranks evenly");
            return Err(wrong(message).help("`ep` must divide the GPUs over `model_parallel_NPU_group` times `pp`"));
        }
        // Tensor fastest, then data, stages last; experts are the inner part of data.
        let stage = tensor * data;
        let groups = |size: u32, stride: u32| -> Vec<Vec<u32>> {
            let starts = (0..all).filter(|rank| ((rank % stage) / stride).is_multiple_of(size));
            starts
                .map(|first| (0..size).map(|member| first + member * stride).collect())
                .collect()
        };
        Ok(Self(HashMap::from([
            (Axis::Tensor, groups(tensor, 1)),
            (Axis::Data, groups(data, tensor)),
            (Axis::Expert, groups(expert, tensor)),
            (Axis::ExpertData, groups(data / expert, tensor * expert)),
        ])))
    }
}

/// The operations of all ranks.
struct Plan {
    kinds: Vec<Box<dyn Kind>>,
    ops: Vec<Op>,
    all: Vec<Vec<u32>>,
}

struct Op {
    name: Arc<str>,
    /// A computation, or the number of a communication with its groups.
    what: Result<Time, (usize, Vec<Vec<u32>>)>,
    purpose: Purpose,
    after: Vec<usize>,
}

impl Plan {
    fn of(file: &mut File, groups: &Groups, how: &How) -> Self {
        let ranks: u32 = groups.0[&Axis::Tensor].iter().map(|group| group.len() as u32).sum();
        let mut plan = Self {
            kinds: Vec::new(),
            ops: Vec::new(),
            all: vec![(0..ranks).collect()],
        };
        let mut last: Vec<usize> = Vec::new();
        let File {
            layers, notes, micro, ..
        } = file;
        for (number, layer) in layers.iter().enumerate() {
            let name = |what: &str| format!("{} {number} {what}", layer.name);
            last = plan.part(&name("forward"), layer.forward, last, groups, how, notes);
            if *micro {
                last = plan.part(&name("backward"), layer.backward, last, groups, how, notes);
                last = plan.part(&name("data"), layer.data, last, groups, how, notes);
            }
        }
        let way_back = if *micro { 0 } else { layers.len() };
        let mut updates = Vec::new();
        for (number, layer) in layers[..way_back].iter().enumerate().rev() {
            let name = |what: &str| format!("{} {number} {what}", layer.name);
            last = plan.part(&name("backward"), layer.backward, last, groups, how, notes);
            let computes = Part {
                send: None,
                ..layer.data
            };
            last = plan.part(&name("data"), computes, last, groups, how, notes);
            let sends = Part {
                compute: Time::ZERO,
                ..layer.data
            };
            let sent = plan.part(&name("data"), sends, last.clone(), groups, how, notes);
            updates.push((number, sent));
        }
        for (number, sent) in updates {
            let layer = &layers[number];
            let update = Part {
                compute: layer.update,
                send: None,
            };
            let after = [last.clone(), sent].concat();
            last = plan.part(
                &format!("{} {number} update", layer.name),
                update,
                after,
                groups,
                how,
                notes,
            );
        }
        plan
    }

    /// Adds a computation and what is sent after it; what comes next waits for.
    fn part(
        &mut self,
        name: &str,
        part: Part,
        mut after: Vec<usize>,
        groups: &Groups,
        how: &How,
        notes: &mut Notes,
    ) -> Vec<usize> {
        if !part.compute.is_zero() {
            self.ops.push(Op {
                name: name.into(),
                what: Ok(part.compute),
                purpose: Purpose::Compute,
                after,
            });
            after = vec![self.ops.len() - 1];
        }
        let Some(Send { collective, axis }) = part.send else {
            return after;
        };
        let groups = &groups.0[&axis];
        if groups[0].len() < 2 {
            notes.count("collectives of one rank take no time");
            return after;
        }
        self.kinds.push(collective.kind(groups[0].len() as u32, how));
        self.ops.push(Op {
            name: format!("{name} {}", collective.name.text()).into(),
            what: Err((self.kinds.len() - 1, groups.clone())),
            purpose: axis.purpose(),
            after,
        });
        vec![self.ops.len() - 1]
    }

    fn operations(&self) -> Vec<Operation<'_>> {
        let operation = |op: &Op| Operation {
            name: Arc::clone(&op.name),
            key: String::new(),
            work: match &op.what {
                Ok(time) => Work::Compute(*time),
                Err((kind, _)) => Work::Communicate(&*self.kinds[*kind]),
            },
            purpose: op.purpose,
            groups: match &op.what {
                Ok(_) => self.all.clone(),
                Err((_, groups)) => groups.clone(),
            },
            after: op.after.clone(),
        };
        self.ops.iter().map(operation).collect()
    }
}
