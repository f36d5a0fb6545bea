//! What must hold before a notice is written.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What must hold before a notice is written, and where the law's calendars are.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoticeSettings {
    /// No batch of notices is written of which more accusations than this are to be expected to be wrong by chance, reckoned
    /// from the matches' significances and the number of files that were listened to. Default 0.5.
    pub expected_wrong_max: f64,
    /// Addresses are named only where they were seen live within so many hours. Default 24.
    pub live_within_h: u32,
    /// A folder with newer calendars of working days, `cn.toml`, `us.toml`, `eu.toml` and `jp.toml`, in the form of those in
    /// the program's sources under `assets/calendars`; those that are not there are the program's own.
    pub calendars: Option<PathBuf>,
}

impl Default for NoticeSettings {
    fn default() -> Self {
        Self { expected_wrong_max: 0.5, live_within_h: 24, calendars: None }
    }
}
