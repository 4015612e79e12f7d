//! An algorithm on symbolic data: which chunks of which ranks are in every chunk in the end.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::parse::{Algo, Collective, Gpu, GpuId, Place, Step, Type};
use crate::ids::IdVec;
use crate::input::InputError;

/// What a chunk holds: input chunks of ranks, in ascending order, that were added up. None for nothing.
type Value = Option<Rc<[(u32, u32)]>>;

/// Refuses an algorithm that does not carry out its collective.
pub(super) fn check(file: &str, algo: &Algo) -> Result<(), InputError> {
    if algo.collective == Collective::Custom {
        return Ok(());
    }
    let mut machine = Machine::of(file, algo)?;
    machine.run()?;
    machine.verify()
}

struct Machine<'a> {
    file: &'a str,
    algo: &'a Algo,
    /// Chunks of each GPU: input, then output, then scratch.
    memory: IdVec<GpuId, Vec<Value>>,
    /// By GPU and block, how many steps are done.
    done: IdVec<GpuId, Vec<usize>>,
    /// What is on its way, by sender, receiver and channel.
    sent: BTreeMap<(GpuId, GpuId, u32), VecDeque<Vec<Value>>>,
}

impl<'a> Machine<'a> {
    fn of(file: &'a str, algo: &'a Algo) -> Result<Self, InputError> {
        let mut memory = IdVec::with_capacity(algo.gpus.len());
        for gpu in &algo.gpus {
            let [input, output, scratch] = algo.buffers(gpu);
            let mut own: Vec<Value> = vec![None; (input + output + scratch) as usize];
            for chunk in 0..input {
                own[algo.at(gpu, (0, chunk)) as usize] = Some(Rc::from([(gpu.id.0, chunk)]));
            }
            memory.push(own);
            for step in gpu.blocks.iter().flat_map(|block| &block.steps) {
                if step.kind != Type::Nothing {
                    check_places(file, algo, gpu, step)?;
                }
            }
        }
        Ok(Self {
            file,
            algo,
            memory,
            done: algo.gpus.iter().map(|gpu| vec![0; gpu.blocks.len()]).collect(),
            sent: BTreeMap::new(),
        })
    }

    /// Does all steps, each when what it waits for is done.
    fn run(&mut self) -> Result<(), InputError> {
        let algo = self.algo;
        loop {
            let mut moved = false;
            for gpu in &algo.gpus {
                for (number, block) in gpu.blocks.iter().enumerate() {
                    while let Some(step) = block.steps.get(self.done[gpu.id][number])
                        && self.may(gpu, step)
                        && self.step(gpu, number, step)?
                    {
                        self.done[gpu.id][number] += 1;
                        moved = true;
                    }
                }
            }
            if !moved {
                return Ok(());
            }
        }
    }

    fn may(&self, gpu: &Gpu, step: &Step) -> bool {
        let Some((block, place)) = step.after else { return true };
        let index = gpu.blocks.iter().position(|known| known.id == block);
        index.is_some_and(|index| self.done[gpu.id][index] > place as usize)
    }

    /// Whether a step could be done: what it receives is there.
    fn step(&mut self, gpu: &Gpu, block: usize, step: &Step) -> Result<bool, InputError> {
        let block = &gpu.blocks[block];
        let received = match (step.kind.receives(), block.receive) {
            (true, Some(from)) => match self
                .sent
                .get_mut(&(from, gpu.id, block.channel))
                .and_then(VecDeque::pop_front)
            {
                Some(chunks) => Some(chunks),
                None => return Ok(false),
            },
            _ => None,
        };
        let own = self.load(gpu, step.from, step.count);
        let result: Vec<Value> = match (step.kind, received) {
            (Type::Nothing, _) => return Ok(true),
            (Type::Send | Type::Copy, _) => own,
            (Type::Reduce, _) => self.add(gpu, step, &own, &self.load(gpu, step.to, step.count))?,
            (Type::Receive | Type::ReceiveCopySend, Some(received)) => received,
            (_, Some(received)) => self.add(gpu, step, &received, &own)?,
            (_, None) => return Ok(false),
        };
        if let Some(empty) = result.iter().position(Option::is_none) {
            let message = format!(
                "rank {} uses chunk {} of a buffer, which holds nothing yet",
                gpu.id.0,
                step.from.1 + empty as u32
            );
            return Err(
                InputError::line(self.file, step.line as usize, message).help("does the step wait for what fills it?")
            );
        }
        if !matches!(step.kind, Type::Send | Type::ReceiveReduceSend) {
            let to = self.algo.at(gpu, step.to) as usize;
            for (place, value) in result.iter().enumerate().take(step.count as usize) {
                self.memory[gpu.id][to + place].clone_from(value);
            }
        }
        if step.kind.sends()
            && let Some(to) = block.send
        {
            self.sent
                .entry((gpu.id, to, block.channel))
                .or_default()
                .push_back(result);
        }
        Ok(true)
    }

    fn load(&self, gpu: &Gpu, place: Place, count: u32) -> Vec<Value> {
        let first = self.algo.at(gpu, place) as usize;
        self.memory[gpu.id][first..first + count as usize].to_vec()
    }

    /// The sums of two rows of chunks.
    fn add(&self, gpu: &Gpu, step: &Step, one: &[Value], other: &[Value]) -> Result<Vec<Value>, InputError> {
        let wrong = |message: String| Err(InputError::line(self.file, step.line as usize, message));
        let mut sums = Vec::with_capacity(one.len());
        for (place, pair) in (0..).zip(one.iter().zip(other)) {
            let (Some(one), Some(other)) = pair else {
                return wrong(format!(
                    "rank {} adds to chunk {}, one of which holds nothing",
                    gpu.id.0,
                    step.to.1 + place
                ));
            };
            let mut sum: Vec<(u32, u32)> = one.iter().chain(other.iter()).copied().collect();
            sum.sort_unstable();
            if let Some(twice) = sum.windows(2).find(|pair| pair[0] == pair[1]) {
                let (rank, chunk) = twice[0];
                return wrong(format!(
                    "rank {} adds chunk {chunk} of rank {rank} to its chunk {} a second time",
                    gpu.id.0,
                    step.to.1 + place
                ));
            }
            sums.push(Some(Rc::from(sum)));
        }
        Ok(sums)
    }

    /// Whether every rank ends with what the collective promises.
    fn verify(&self) -> Result<(), InputError> {
        let algo = self.algo;
        let ranks = algo.gpus.len() as u32;
        let share = algo.chunks / ranks.max(1);
        for gpu in &algo.gpus {
            let chunks = if algo.collective == Collective::ReduceScatter {
                share
            } else {
                algo.chunks
            };
            for chunk in 0..chunks {
                let all = |index: u32| (0..ranks).map(|rank| (rank, index)).collect::<Vec<_>>();
                let expected = match algo.collective {
                    Collective::AllReduce => all(chunk),
                    Collective::ReduceScatter => all(gpu.id.0 * share + chunk),
                    Collective::AllGather => vec![(chunk / share, chunk % share)],
                    Collective::AllToAll => vec![(chunk / share, gpu.id.0 * share + chunk % share)],
                    Collective::Custom => continue,
                };
                let held = &self.memory[gpu.id][algo.at(gpu, (1, chunk)) as usize];
                if held.as_deref() != Some(&expected) {
                    let message = format!(
                        "the collective does not come out: chunk {chunk} of rank {} ends with {}, and should be {}",
                        gpu.id.0,
                        show(held.as_deref().unwrap_or_default()),
                        show(&expected)
                    );
                    return Err(InputError::file(self.file, message).help("the algorithm is wrong for its `coll`"));
                }
            }
        }
        Ok(())
    }
}

/// Input chunks in words.
fn show(chunks: &[(u32, u32)]) -> String {
    let parts: Vec<String> = chunks
        .iter()
        .take(4)
        .map(|(rank, chunk)| format!("chunk {chunk} of rank {rank}"))
        .collect();
    match chunks.len() {
        0 => "nothing".to_owned(),
        count if count > 4 => format!("{} and {} more", parts.join(" + "), count - 4),
        _ => parts.join(" + "),
    }
}

/// Refuses places outside of the buffers.
fn check_places(file: &str, algo: &Algo, gpu: &Gpu, step: &Step) -> Result<(), InputError> {
    // Who only receives reads nothing, and who only sends writes nothing.
    let reads = !matches!(step.kind, Type::Receive | Type::ReceiveCopySend);
    let writes = !matches!(step.kind, Type::Send | Type::ReceiveReduceSend);
    let sizes = algo.buffers(gpu);
    for (used, (buffer, chunk)) in [(reads, step.from), (writes, step.to)] {
        let size = sizes[buffer];
        if used && chunk.saturating_add(step.count) > size {
            let name = ["i", "o", "s"][buffer];
            let message = format!(
                "rank {}: chunk {} lies beyond the {size} chunks of buffer {name}",
                gpu.id.0,
                chunk + step.count - 1
            );
            return Err(InputError::line(file, step.line as usize, message));
        }
    }
    Ok(())
}

impl Algo {
    /// Chunks of the input, the output and the scratch buffer, by the collective.
    fn buffers(&self, gpu: &Gpu) -> [u32; 3] {
        let share = self.chunks / self.gpus.len().max(1) as u32;
        match self.collective {
            Collective::AllReduce | Collective::AllToAll => [self.chunks, self.chunks, gpu.buffers[2]],
            Collective::AllGather => [share, self.chunks, gpu.buffers[2]],
            Collective::ReduceScatter => [self.chunks, share, gpu.buffers[2]],
            Collective::Custom => gpu.buffers,
        }
    }

    /// Where a place is in the memory of a GPU. In place, the smaller of input and output is a part of the other.
    fn at(&self, gpu: &Gpu, (buffer, chunk): Place) -> u32 {
        let [input, output, _] = self.buffers(gpu);
        let share = self.chunks / self.gpus.len().max(1) as u32;
        let own = gpu.id.0 * share;
        match (buffer, self.in_place, self.collective) {
            (2, ..) => input + output + chunk,
            (0, true, Collective::AllGather) => input + own + chunk,
            (1, true, Collective::AllGather) | (1, false, _) => input + chunk,
            (1, true, Collective::ReduceScatter) => own + chunk,
            _ => chunk,
        }
    }
}
