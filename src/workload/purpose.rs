//! What the operations of a program are for.

use std::fmt;

/// What an operation is for: reports tell where the time of a step goes by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// Computation.
    Compute,
    /// Of a program that does not say what its collectives are for.
    #[default]
    Communication,
    /// For tensor parallelism.
    Tensor,
    /// For context parallelism.
    Context,
    /// For expert parallelism.
    Expert,
    /// Between pipeline stages.
    Pipeline,
    /// Gradients and parameters.
    Data,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compute => "compute",
            Self::Communication => "communication",
            Self::Tensor => "tensor",
            Self::Context => "context",
            Self::Expert => "expert",
            Self::Pipeline => "pipeline",
            Self::Data => "data",
        })
    }
}
