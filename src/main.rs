//! The binary: all it does is in [`fabricsim::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    fabricsim::cli::main()
}
