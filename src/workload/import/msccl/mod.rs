//! Algorithms of MSCCL (`<algo>` in XML): what every thread block of every GPU sends, receives and adds.

mod parse;
mod replay;

use super::algorithms::Algorithms;
use super::collective::How;
use super::draw::draw;
use super::trace::{Node, OpId, Places, Trace, What};
use crate::input::{Files, InputError};
use crate::units::{Bytes, Time};
use crate::workload::schedule_writer::ScheduleWriter;
use crate::workload::{Kind, MAX_BYTES};
use parse::{Algo, Step};

crate::workload::ranks::ranked! {
    /// A collective of MSCCL. Its steps are replayed on symbolic data first: an algorithm that does not carry out its
    /// collective is refused.
    pub struct Msccl {
        /// The XML file, as msccl-tools writes it.
        pub file: String,
        /// The whole buffer of a rank, as nccl-tests counts it, cut into `nchunksperloop` chunks.
        pub size: Bytes,
    }
}

impl Kind for Msccl {
    fn draw(&self, draft: &mut ScheduleWriter, files: &dyn Files, seed: u64) -> Result<(), InputError> {
        if self.size.is_zero() {
            return Err(InputError::key("size", "`size` is 0").help("there must be at least 1 byte to send"));
        }
        if self.size.0 > MAX_BYTES {
            let message = format!("a `size` of {} exceeds 2^62 bytes", self.size);
            return Err(InputError::key("size", message).help("choose a smaller one"));
        }
        let algo = parse::read(&self.file, &files.read(&self.file)?)?;
        let trace = self.trace(&algo)?;
        let how = How {
            algorithm: &Algorithms::Default,
            pipelined: false,
        };
        // What waits for itself, or for nobody, is found there.
        draw(trace, draft, &how, files, seed)?;
        replay::check(&self.file, &algo)
    }

    fn size(&self) -> Option<Bytes> {
        Some(self.size)
    }

    fn algorithm_bytes(&self, _ranks: u32) -> Option<Bytes> {
        Some(self.size)
    }
}

impl Msccl {
    fn trace(&self, algo: &Algo) -> Result<Trace, InputError> {
        let mut trace = Trace::new(&self.file, Places::Lines);
        trace.tags_are_connections = true;
        for gpu in &algo.gpus {
            let first = self.blocks(&mut trace, algo, gpu)?;
            depend(&mut trace, &self.file, gpu, &first)?;
            trace.end_rank();
        }
        if algo.collective == parse::Collective::Custom {
            trace
                .notes
                .count("collectives of a name that is not known (coll) are not proved by replay");
        }
        Ok(trace)
    }

    /// Adds the nodes of a GPU; by block and step, the first and last of each.
    fn blocks(&self, trace: &mut Trace, algo: &Algo, gpu: &parse::Gpu) -> Result<Vec<Vec<(OpId, OpId)>>, InputError> {
        let mut all = Vec::with_capacity(gpu.blocks.len());
        for block in &gpu.blocks {
            let mut steps: Vec<(OpId, OpId)> = Vec::with_capacity(block.steps.len());
            for (number, step) in (0_u64..).zip(&block.steps) {
                let bytes = algo.bytes(self.size.0, step);
                let tag = block.channel;
                let receive = step.receives().then_some(What::Receive {
                    from: block.receive.map_or(0, |from| from.0),
                    tag,
                    // Where it is put says nothing about which chunk it is: room for the largest.
                    bytes: algo.room(self.size.0, step),
                });
                let send = step.sends().then_some(What::Send {
                    to: block.send.map_or(0, |to| to.0),
                    tag,
                    bytes,
                });
                let mut nodes = receive.into_iter().chain(send).peekable();
                let local = nodes.peek().is_none().then_some(What::Compute {
                    time: Time::ZERO,
                    unit: 0,
                });
                let mut ends: Option<(OpId, OpId)> = None;
                for (half, what) in (0..).zip(nodes.chain(local)) {
                    let node = trace.add(Node {
                        what,
                        order: 2 * number + half,
                        place: step.line,
                        name: u32::MAX,
                    })?;
                    let before = ends
                        .map(|(_, last)| last)
                        .or_else(|| steps.last().map(|&(_, last)| last));
                    trace.dependencies.extend(before.map(|before| (before, node, false)));
                    ends = Some((ends.map_or(node, |(first, _)| first), node));
                }
                steps.extend(ends);
            }
            all.push(steps);
        }
        Ok(all)
    }
}

/// Lets steps wait for those of other blocks of their GPU.
fn depend(trace: &mut Trace, file: &str, gpu: &parse::Gpu, nodes: &[Vec<(OpId, OpId)>]) -> Result<(), InputError> {
    for (block, own) in gpu.blocks.iter().zip(nodes) {
        for (step, &(first, _)) in block.steps.iter().zip(own) {
            let Some((other, place)) = step.after else {
                continue;
            };
            let found = gpu.blocks.iter().position(|block| block.id == other);
            let before = found.and_then(|index| nodes[index].get(place as usize));
            let Some(&(_, before)) = before else {
                let message = format!("GPU {} has no step {place} in block {other}", gpu.id.0);
                return Err(InputError::line(file, step.line as usize, message)
                    .help("`depid` is a thread block of the GPU and `deps` one of its steps, or both are -1"));
            };
            trace.dependencies.push((before, first, false));
        }
    }
    Ok(())
}

impl Step {
    fn receives(&self) -> bool {
        self.kind.receives()
    }

    fn sends(&self) -> bool {
        self.kind.sends()
    }
}
