//! Pages made by scripts, and known hosts.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How pages are rendered in a browser, for sites that say `render = true`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RenderSettings {
    /// The Chromium to use. Default: the first of `chromium`, `chromium-browser`, `google-chrome` and
    /// `google-chrome-stable` on the PATH.
    pub program: Option<PathBuf>,
    /// Seconds after which a page is given up, the browser's start included.
    pub timeout_s: u64,
    /// Bytes that one page may move, both ways.
    pub bytes_max: u64,
    /// Bytes that all pages of a run may move together.
    pub total_bytes_max: u64,
    /// Requests that one page may make.
    pub requests_max: u64,
    /// Bytes of the document, once its scripts have run, that are looked at.
    pub document_bytes_max: u64,
    /// Bytes of memory that the browser may take; beyond, the page is given up.
    pub memory_bytes_max: u64,
    /// Browsers that run at a time.
    pub browsers_max: u32,
    /// Whether a picture of each page is taken for the evidence.
    pub screenshot: bool,
}

impl Default for RenderSettings {
    fn default() -> Self {
        Self {
            program: None,
            timeout_s: 60,
            bytes_max: 64 << 20,
            total_bytes_max: 4 << 30,
            requests_max: 500,
            document_bytes_max: 8 << 20,
            memory_bytes_max: 2 << 30,
            browsers_max: 2,
            screenshot: true,
        }
    }
}

/// Whether and how `yt-dlp` is asked for the media of hosts that it knows.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KnownHostSettings {
    /// Whether `yt-dlp` may be asked at all. Default: no.
    pub allow: bool,
    /// The `yt-dlp` to use. Default: the one on the PATH.
    pub program: Option<PathBuf>,
    /// Seconds after which it is given up.
    pub timeout_s: u64,
    /// Bytes that it may move for one URL, both ways.
    pub bytes_max: u64,
    /// Requests that it may make for one URL.
    pub requests_max: u64,
    /// Bytes of memory that it may take.
    pub memory_bytes_max: u64,
    /// Entries of a playlist or channel that are taken.
    pub entries_max: u32,
}

impl Default for KnownHostSettings {
    fn default() -> Self {
        Self {
            allow: false,
            program: None,
            timeout_s: 60,
            bytes_max: 32 << 20,
            requests_max: 100,
            memory_bytes_max: 1 << 30,
            entries_max: 50,
        }
    }
}
