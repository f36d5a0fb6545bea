//! The `earwitness` binary: arguments in, exit code out. All paths start in [`earwitness::cli::run`].

use std::process::ExitCode;

fn main() -> ExitCode {
    earwitness::cli::run()
}
