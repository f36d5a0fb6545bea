//! What several tests need.
#![allow(dead_code)]

use assert_cmd::Command;

/// Returns the binary under test, with a store in `dir` and without the caller's configuration.
pub(crate) fn earwitness(dir: &std::path::Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("earwitness"));
    command.current_dir(dir).env("EARWITNESS_STORE", dir.join("store")).env_remove("EARWITNESS_CONFIG");
    command
}
