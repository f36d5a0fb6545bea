//! A folder for the files of one process.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// In memory where there is a file system for that.
pub static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let shared = Path::new("/dev/shm");
    let parent = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
    let folder = parent.join(format!("earwitness-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
});

/// Puts an input into a file, a new one each time: one that is mapped must not change.
///
/// # Panics
/// When it cannot be written.
#[must_use]
pub fn file_of(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.join(name);
    let _ = std::fs::remove_file(&path);
    std::fs::write(&path, bytes).unwrap();
    path
}
