//! The XML of an algorithm:
//!
//! ```text
//! <algo name proto nchannels nchunksperloop ngpus coll inplace>
//!   <gpu id i_chunks o_chunks s_chunks>
//!     <tb id send recv chan>                        send and recv are GPUs, or -1
//!       <step s type srcbuf srcoff dstbuf dstoff cnt depid deps hasdep/>
//! ```
//!
//! Buffers are i, o and s: input, output and scratch. (`depid`, `deps`) is a thread block of the same GPU and one of its
//! steps, which must be done before; -1 for none. A thread block does its steps in order.

use roxmltree::{Document, Node, ParsingOptions};

use crate::ids::{IdVec, id};
use crate::input::InputError;

/// Most elements and texts of a file.
const MOST_NODES: u32 = 20_000_000;
/// Most GPUs, and chunks of a buffer.
const MOST_GPUS: u32 = 65_536;
const MOST_CHUNKS: u32 = 1 << 20;

/// An algorithm.
#[derive(Debug)]
pub(super) struct Algo {
    pub collective: Collective,
    pub chunks: u32,
    /// Input and output are one buffer.
    pub in_place: bool,
    /// By id.
    pub gpus: Vec<Gpu>,
}

/// What an algorithm carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collective {
    AllReduce,
    AllGather,
    ReduceScatter,
    AllToAll,
    Custom,
}

id! {
    /// A GPU: a rank of the collective.
    pub(super) GpuId;
}

#[derive(Debug)]
pub(super) struct Gpu {
    pub id: GpuId,
    /// Chunks of input, output and scratch.
    pub buffers: [u32; 3],
    pub blocks: Vec<Block>,
}

/// A thread block.
#[derive(Debug)]
pub(super) struct Block {
    pub id: i64,
    pub send: Option<GpuId>,
    pub receive: Option<GpuId>,
    pub channel: u32,
    pub steps: Vec<Step>,
}

/// A place in a buffer: 0 input, 1 output, 2 scratch; and a chunk of it.
pub(super) type Place = (usize, u32);

#[derive(Debug)]
pub(super) struct Step {
    pub line: u32,
    pub kind: Type,
    pub from: Place,
    pub to: Place,
    pub count: u32,
    /// A thread block and its step that come before.
    pub after: Option<(i64, u32)>,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Send,
    Receive,
    ReceiveCopySend,
    ReceiveReduceSend,
    ReceiveReduceCopy,
    ReceiveReduceCopySend,
    Copy,
    Reduce,
    Nothing,
}

impl Type {
    pub(super) fn receives(self) -> bool {
        !matches!(self, Self::Send | Self::Copy | Self::Reduce | Self::Nothing)
    }

    pub(super) fn sends(self) -> bool {
        matches!(
            self,
            Self::Send | Self::ReceiveCopySend | Self::ReceiveReduceSend | Self::ReceiveReduceCopySend
        )
    }
}

impl Algo {
    /// Bytes of a step's chunks when the buffer has `size`.
    pub(super) fn bytes(&self, size: u64, step: &Step) -> u64 {
        // Chunks of a scratch buffer have no place in the data.
        let place = if step.from.0 == 2 { step.to } else { step.from };
        let first = if place.0 == 2 { 0 } else { place.1 % self.chunks };
        let start = |chunk: u32| u128::from(size) * u128::from(chunk) / u128::from(self.chunks);
        match first + step.count <= self.chunks {
            true => (start(first + step.count) - start(first)) as u64,
            false => start(step.count) as u64,
        }
    }

    /// Most bytes of as many chunks as a step's.
    pub(super) fn room(&self, size: u64, step: &Step) -> u64 {
        let all = u128::from(size) * u128::from(step.count);
        all.div_ceil(u128::from(self.chunks)) as u64
    }
}

/// Reads a whole file.
pub(super) fn read(file: &str, text: &str) -> Result<Algo, InputError> {
    let options = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| InputError::line(file, error.pos().row.max(1) as usize, format!("it is no XML: {error}")))?;
    let lines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let reader = Reader { file, lines };
    let algo = document.root_element();
    if algo.tag_name().name() != "algo" {
        let message = format!("<{}> is where <algo> should be", algo.tag_name().name());
        return Err(reader
            .wrong(algo, message)
            .help("the file is one algorithm, as msccl-tools writes it"));
    }
    if let Some(op) = algo.descendants().find(|node| node.has_tag_name("op")) {
        let message = "<op> is where <step> should be: the short form, which has one place for each step";
        return Err(reader.wrong(op, message).help(
            "where copies and sums take their chunks from is not in it, so that nothing can be proved: \
             write the file with `old_format=True` of msccl-tools",
        ));
    }
    let count = reader.number(algo, "ngpus", 1, MOST_GPUS)?;
    let chunks = reader.number(algo, "nchunksperloop", 1, MOST_CHUNKS)?;
    let collective = match algo.attribute("coll").unwrap_or("custom") {
        "allreduce" => Collective::AllReduce,
        "allgather" => Collective::AllGather,
        "reducescatter" | "reduce_scatter" => Collective::ReduceScatter,
        "alltoall" => Collective::AllToAll,
        _ => Collective::Custom,
    };
    if !matches!(collective, Collective::AllReduce | Collective::Custom) && !chunks.is_multiple_of(count) {
        let message = format!("{chunks} chunks cannot be divided among {count} GPUs");
        return Err(reader
            .wrong(algo, message)
            .help("`nchunksperloop` must be a multiple of `ngpus`"));
    }
    let mut gpus: IdVec<GpuId, Option<Gpu>> = (0..count).map(|_| None).collect();
    for element in algo.children().filter(Node::is_element) {
        reader.expect(element, "gpu")?;
        let gpu = reader.gpu(element, count)?;
        let slot = &mut gpus[gpu.id];
        if slot.is_some() {
            return Err(reader
                .wrong(element, format!("GPU {} is there already", gpu.id.0))
                .help("every GPU is there once"));
        }
        *slot = Some(gpu);
    }
    if let Some(missing) = gpus.iter().position(Option::is_none) {
        let message = format!("GPU {missing} of {count} is missing");
        return Err(InputError::file(file, message).help("every GPU has its <gpu>"));
    }
    Ok(Algo {
        collective,
        chunks,
        in_place: algo.attribute("inplace").is_some_and(|value| value != "0"),
        gpus: gpus.into_iter().flatten().collect(),
    })
}

struct Reader<'t> {
    file: &'t str,
    /// Where lines end.
    lines: Vec<usize>,
}

impl Reader<'_> {
    fn line(&self, node: Node) -> usize {
        self.lines.partition_point(|&end| end < node.range().start) + 1
    }

    fn wrong(&self, node: Node, message: impl Into<String>) -> InputError {
        InputError::line(self.file, self.line(node), message)
    }

    fn expect(&self, node: Node, name: &str) -> Result<(), InputError> {
        match node.tag_name().name() {
            found if found == name => Ok(()),
            found => Err(self.wrong(node, format!("<{found}> is where <{name}> should be"))),
        }
    }

    fn integer(&self, node: Node, key: &str) -> Result<i64, InputError> {
        let Some(text) = node.attribute(key) else {
            return Err(self.wrong(node, format!("<{}> has no `{key}`", node.tag_name().name())));
        };
        text.trim().parse().map_err(|_| {
            self.wrong(node, format!("`{key}` is `{text}`"))
                .help("it must be a whole number")
        })
    }

    fn number(&self, node: Node, key: &str, least: u32, most: u32) -> Result<u32, InputError> {
        let value = self.integer(node, key)?;
        let number = u32::try_from(value)
            .ok()
            .filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| {
            self.wrong(node, format!("`{key}` is {value}"))
                .help(format!("it must be a number from {least} to {most}"))
        })
    }

    /// A GPU, or none for -1.
    fn peer(&self, node: Node, key: &str, gpu: u32, count: u32) -> Result<Option<GpuId>, InputError> {
        let value = self.integer(node, key)?;
        if value == -1 {
            return Ok(None);
        }
        let peer = u32::try_from(value).ok().filter(|&peer| peer < count && peer != gpu);
        peer.map(|peer| Some(GpuId(peer))).ok_or_else(|| {
            let help = format!("it must be another GPU, from 0 to {}, or -1", count - 1);
            self.wrong(node, format!("`{key}` of GPU {gpu} is {value}")).help(help)
        })
    }

    fn gpu(&self, element: Node, count: u32) -> Result<Gpu, InputError> {
        let id = self.number(element, "id", 0, count - 1)?;
        let mut buffers = [0; 3];
        for (buffer, key) in buffers.iter_mut().zip(["i_chunks", "o_chunks", "s_chunks"]) {
            *buffer = self.number(element, key, 0, MOST_CHUNKS)?;
        }
        let mut gpu = Gpu {
            id: GpuId(id),
            buffers,
            blocks: Vec::new(),
        };
        for element in element.children().filter(Node::is_element) {
            self.expect(element, "tb")?;
            let block = self.block(element, id, count)?;
            if gpu.blocks.iter().any(|known| known.id == block.id) {
                let message = format!("GPU {id} has a thread block {} already", block.id);
                return Err(self
                    .wrong(element, message)
                    .help("every thread block of a GPU has its own `id`"));
            }
            gpu.blocks.push(block);
        }
        Ok(gpu)
    }

    fn block(&self, element: Node, gpu: u32, count: u32) -> Result<Block, InputError> {
        let mut block = Block {
            id: self.integer(element, "id")?,
            send: self.peer(element, "send", gpu, count)?,
            receive: self.peer(element, "recv", gpu, count)?,
            channel: self.number(element, "chan", 0, 1_000_000)?,
            steps: Vec::new(),
        };
        for element in element.children().filter(Node::is_element) {
            self.expect(element, "step")?;
            let step = self.step(element)?;
            let number = self.integer(element, "s")?;
            if number != block.steps.len() as i64 {
                let message = format!(
                    "step {number} comes here, and there should be step {}",
                    block.steps.len()
                );
                return Err(self
                    .wrong(element, message)
                    .help("the steps of a thread block come in order, from 0"));
            }
            for (acts, peer, key) in [
                (step.kind.sends(), block.send, "send"),
                (step.kind.receives(), block.receive, "recv"),
            ] {
                if acts && peer.is_none() {
                    let message = format!("the thread block has no `{key}` for this step");
                    return Err(self
                        .wrong(element, message)
                        .help("a block sends to and receives from one GPU each"));
                }
            }
            block.steps.push(step);
        }
        Ok(block)
    }

    fn step(&self, element: Node) -> Result<Step, InputError> {
        let kind = match element.attribute("type").unwrap_or_default() {
            "s" => Type::Send,
            "r" => Type::Receive,
            "rcs" => Type::ReceiveCopySend,
            "rrs" => Type::ReceiveReduceSend,
            "rrc" => Type::ReceiveReduceCopy,
            "rrcs" => Type::ReceiveReduceCopySend,
            "cpy" => Type::Copy,
            "re" => Type::Reduce,
            "nop" => Type::Nothing,
            other => {
                let message = format!("there is no type `{other}`");
                return Err(self
                    .wrong(element, message)
                    .help("types are s, r, rcs, rrs, rrc, rrcs, cpy, re and nop"));
            }
        };
        let place = |buffer: &str, offset: &str| -> Result<Place, InputError> {
            let number = match element.attribute(buffer).unwrap_or("i") {
                "i" => 0,
                "o" => 1,
                "s" => 2,
                other => {
                    let message = format!("`{buffer}` is `{other}`");
                    return Err(self.wrong(element, message).help("buffers are i, o and s"));
                }
            };
            // What does nothing has offsets of -1.
            let offset = if kind == Type::Nothing {
                0
            } else {
                self.number(element, offset, 0, MOST_CHUNKS)?
            };
            Ok((number, offset))
        };
        let after = (self.integer(element, "depid")?, self.integer(element, "deps")?);
        Ok(Step {
            line: self.line(element) as u32,
            kind,
            from: place("srcbuf", "srcoff")?,
            to: place("dstbuf", "dstoff")?,
            count: match kind {
                Type::Nothing => 0,
                _ => self.number(element, "cnt", 1, MOST_CHUNKS)?,
            },
            after: match after {
                (-1, _) => None,
                (block, step) => Some((block, u32::try_from(step).unwrap_or(u32::MAX))),
            },
        })
    }
}
