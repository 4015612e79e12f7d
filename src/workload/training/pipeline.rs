//! In which order a pipeline stage does its micro-batches.

/// One pass of a micro-batch through one of a stage's parts of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pass {
    pub backward: bool,
    /// The part, counted from 0 among those of the stage.
    pub part: u32,
    pub batch: u32,
}

/// All forward passes, then all backward passes.
pub(super) fn gpipe(batches: u32) -> Vec<Pass> {
    let pass = |backward| {
        move |batch| Pass {
            backward,
            part: 0,
            batch,
        }
    };
    (0..batches)
        .map(pass(false))
        .chain((0..batches).map(pass(true)))
        .collect()
}

/// One forward, one backward (Megatron-LM): a stage begins with as many forward passes as there are stages after it. With several `parts`
/// of the model in each stage (interleaved; the batches are a multiple of the stages) groups of as many
/// micro-batches as stages go through one part after the other.
pub(super) fn one_forward_one_backward(stage: u32, stages: u32, parts: u32, batches: u32) -> Vec<Pass> {
    let total = batches * parts;
    let warm_up = match parts {
        1 => stages - stage - 1,
        _ => 2 * (stages - stage - 1) + (parts - 1) * stages,
    };
    let pass = |backward: bool, turn: u32| {
        if parts == 1 {
            return Pass {
                backward,
                part: 0,
                batch: turn,
            };
        }
        let part = turn % (stages * parts) / stages;
        Pass {
            backward,
            part: if backward { parts - 1 - part } else { part },
            batch: turn / (stages * parts) * stages + turn % stages,
        }
    };
    let warm_up = warm_up.min(total);
    let mut order: Vec<Pass> = (0..warm_up).map(|turn| pass(false, turn)).collect();
    for turn in 0..total - warm_up {
        order.push(pass(false, warm_up + turn));
        order.push(pass(true, turn));
    }
    order.extend((total - warm_up..total).map(|turn| pass(true, turn)));
    order
}
