//! What several tests need.
#![allow(dead_code)]

use assert_cmd::Command;

/// Returns the binary under test, with a store in `dir` and without the caller's configuration.
pub(crate) fn earwitness(dir: &std::path::Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("earwitness"));
    command.current_dir(dir).env("EARWITNESS_STORE", dir.join("store")).env_remove("EARWITNESS_CONFIG");
    command
}

/// Compares `bytes` with the committed file at `path`, a path in the repository. With `EARWITNESS_REGENERATE` set, writes
/// the file instead.
pub(crate) fn assert_committed(path: &str, bytes: &[u8]) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("EARWITNESS_REGENERATE").is_some() {
        std::fs::write(&file, bytes).unwrap();
        return;
    }
    let committed = std::fs::read(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
    if committed == bytes {
        return;
    }
    let differs =
        committed.iter().zip(bytes).position(|(a, b)| a != b).unwrap_or(committed.len().min(bytes.len()));
    panic!(
        "{path} differs from what the program makes, from byte {differs} on ({} bytes, the program makes {}); \
         if that is meant, run: EARWITNESS_REGENERATE=1 cargo test --test it",
        committed.len(),
        bytes.len()
    );
}
