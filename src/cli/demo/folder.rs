//! The demonstration's folder: made, begun afresh, and never mistaken for somebody's own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::super::{Context, Usage};
use crate::store::{self, Store};

/// Tells a folder that the demonstration made from any other.
const MARKER: &str = ".earwitness-demo";
const MARKER_TEXT: &str = "Made by `earwitness demo`, which writes its own files here anew each time; other files are left alone.\n";

/// The demonstration's folder, by an absolute path.
pub(super) struct Folder {
    pub(super) root: PathBuf,
}

impl Folder {
    /// Makes the folder, or clears away what an earlier demonstration made in it.
    pub(super) fn prepare(context: &Context, dir: &Path) -> anyhow::Result<Self> {
        let there = fs::symlink_metadata(dir).is_ok();
        if there && !dir.join(MARKER).is_file() && !is_empty(dir) {
            return Err(Usage(format!(
                "{} is there already and was not made by `earwitness demo`; choose another folder with --dir",
                dir.display()
            ))
            .into());
        }
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let root = fs::canonicalize(dir).with_context(|| format!("cannot open {}", dir.display()))?;
        let folder = Self { root };
        if folder.store().exists() {
            let opened = Store::open_with(&folder.store(), context.store_options());
            if let Err(locked @ store::Error::Locked { .. }) = opened {
                return Err(locked.into());
            }
        }
        // First the marker: a demonstration that is stopped half-way can be begun again.
        folder.write(Path::new(MARKER), MARKER_TEXT.as_bytes())?;
        for made in [folder.store(), folder.masters(), folder.sites(), folder.notices()] {
            if made.exists() {
                fs::remove_dir_all(&made).with_context(|| format!("cannot remove {}", made.display()))?;
            }
        }
        fs::create_dir(folder.masters()).with_context(|| folder.masters().display().to_string())?;
        Ok(folder)
    }

    pub(super) fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// The label's own audio.
    pub(super) fn masters(&self) -> PathBuf {
        self.root.join("masters")
    }

    /// What the sites serve, a folder each.
    pub(super) fn sites(&self) -> PathBuf {
        self.root.join("site")
    }

    pub(super) fn notices(&self) -> PathBuf {
        self.root.join("notices")
    }

    pub(super) fn settings(&self) -> PathBuf {
        self.root.join(crate::config::FILE_NAME)
    }

    /// Writes a file below the folder, with the folders on the way.
    pub(super) fn write(&self, path: &Path, bytes: &[u8]) -> anyhow::Result<PathBuf> {
        let path = self.root.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        }
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}
