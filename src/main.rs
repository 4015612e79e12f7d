//! The binary: all it does is in [`fabricsim::cli`].

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: fabricsim::allocation::Allocator = fabricsim::allocation::Allocator;

fn main() -> ExitCode {
    fabricsim::cli::main()
}
