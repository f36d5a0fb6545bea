//! How notices are written.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How notices are written.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoticeSettings {
    /// A folder with templates that go before the built-in ones of the same name; `notice templates --out DIR` writes
    /// those, to begin with. Default: none.
    pub templates: Option<PathBuf>,
    /// The copyright authority that administrative complaints go to. Default: 国家版权局.
    pub authority: Option<String>,
    /// The forms whose wording counsel has confirmed: their documents no longer end with the list of what is to be
    /// confirmed.
    pub confirmed: Vec<String>,
}
