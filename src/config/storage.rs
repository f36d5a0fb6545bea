//! How the store treats the disk.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the store treats the disk.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StorageSettings {
    /// The store refuses to write while less than this many bytes are free on its file system. Default 64 MiB.
    pub keep_free_bytes: u64,
}

impl Default for StorageSettings {
    fn default() -> Self {
        Self { keep_free_bytes: 64 << 20 }
    }
}
