//! How notices are written, and what must hold before one is.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How notices are written, what must hold before one is, and where the law's calendars are.
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
    /// A folder with templates that go before the built-in ones of the same name; `notice templates --out DIR` writes
    /// those, to begin with. Default: none.
    pub templates: Option<PathBuf>,
    /// The copyright authority that administrative complaints go to. Default: 国家版权局.
    pub authority: Option<String>,
    /// The forms whose wording counsel has confirmed: their documents no longer end with the list of what is to be
    /// confirmed.
    pub confirmed: Vec<String>,
}

impl Default for NoticeSettings {
    fn default() -> Self {
        Self {
            expected_wrong_max: 0.5,
            live_within_h: 24,
            calendars: None,
            templates: None,
            authority: None,
            confirmed: Vec::new(),
        }
    }
}
