//! What is seen and heard of cases, kept for a while: making it takes seconds of decoding.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::{Arc, Mutex};

use super::app::App;
use super::fault::Fault;
use super::reply::read_capped;
use crate::base::{Digest, Timestamp, lock};
use crate::cases::Case;
use crate::config::EvidenceSettings;
use crate::crawl::discover::page_text;
use crate::evidence::{Capture, captures};
use crate::net::Exchange;
use crate::scan::worker::Decoder;
use crate::scan::{ShownAll, match_options, show_case};

/// Cases whose sounds and pictures are kept: some ten megabytes each at the most.
const KEPT: usize = 12;
/// The longest excerpt of either side, in seconds. It does not leave the house, as a bundle's does.
const EXCERPT_S: u32 = 60;
/// No picture of a page is longer, in bytes.
const SCREENSHOT_BYTES_MAX: u64 = 64 << 20;
/// Pages whose text is shown.
const ARCHIVED_MAX: usize = 3;
/// No page is longer, in bytes, for its text to be shown.
const ARCHIVED_BYTES_MAX: u64 = 2 << 20;
/// Characters of it.
const ARCHIVED_CHARS_MAX: usize = 4000;

/// What was made last.
#[derive(Default)]
pub(super) struct Showing {
    kept: Mutex<VecDeque<(String, Arc<ShownAll>)>>,
    /// One at a time: whoever waits for the same finds it kept.
    turn: Mutex<()>,
}

impl Showing {
    /// Everything that is shown of a case.
    ///
    /// # Errors
    /// [`Fault`] that says why its match cannot be made again.
    pub(super) fn get(&self, app: &App, case: &Case) -> Result<Arc<ShownAll>, Fault> {
        let key = format!("{} {}", case.case_id, app.library.stamp());
        if let Some(kept) = self.kept(&key) {
            return Ok(kept);
        }
        let _one_at_a_time = lock(&self.turn);
        if let Some(kept) = self.kept(&key) {
            return Ok(kept);
        }
        let settings = app.settings();
        let decoder = Decoder::of_this_program().map_err(|error| Fault::internal(&error))?;
        let longer = EvidenceSettings {
            excerpt_s: EXCERPT_S,
            reference_excerpt_s: EXCERPT_S,
            ..settings.evidence.clone()
        };
        let made = show_case(&app.library, &decoder, &match_options(&settings), &longer, case);
        let made = Arc::new(made.map_err(|why| Fault::unfit(format!("it cannot be shown: {why}")))?);
        let mut kept = lock(&self.kept);
        kept.push_front((key, Arc::clone(&made)));
        kept.truncate(KEPT);
        Ok(made)
    }

    fn kept(&self, key: &str) -> Option<Arc<ShownAll>> {
        let mut kept = lock(&self.kept);
        let at = kept.iter().position(|(known, _)| known == key)?;
        let found = kept.remove(at)?;
        let made = Arc::clone(&found.1);
        kept.push_front(found);
        Some(made)
    }
}

/// The digests of the pictures of a case's pages, each once, in the order of the captures.
///
/// # Errors
/// [`Fault`] when the store fails.
pub(super) fn screenshots(app: &App, case_id: &str) -> Result<Vec<Digest>, Fault> {
    let mut found: Vec<Digest> = Vec::new();
    let captures: Vec<Capture> = captures(app.store(), case_id)?;
    for sha256 in captures.into_iter().filter_map(|capture| capture.sighting.page_screenshot) {
        if !found.contains(&sha256) {
            found.push(sha256);
        }
    }
    Ok(found)
}

/// A page that led to a file, as the text that stood on it.
pub(super) struct Archived {
    pub(super) url: String,
    pub(super) at: Timestamp,
    pub(super) text: String,
}

/// The text of a case's pages as they were captured, each page once, the first few of them.
///
/// # Errors
/// [`Fault`] when the store fails.
pub(super) fn archived(app: &App, case_id: &str) -> Result<Vec<Archived>, Fault> {
    let (mut found, mut tried): (Vec<Archived>, Vec<String>) = (Vec::new(), Vec::new());
    for capture in captures(app.store(), case_id)? {
        let page = capture.sighting.page_url.as_deref().unwrap_or_default();
        let page = page.split('#').next().unwrap_or_default();
        let exchange =
            capture.exchanges.iter().rfind(|exchange| exchange.url == page && exchange.status == 200);
        let Some(exchange) = exchange.filter(|_| tried.iter().all(|known| known != page)) else { continue };
        tried.push(page.to_owned());
        let archived = |text| Archived { url: page.to_owned(), at: exchange.answered_at, text };
        found.extend(text_of(app, exchange).map(archived));
        // Also of pages that say nothing: reading them takes its time.
        if tried.len() >= ARCHIVED_MAX {
            break;
        }
    }
    Ok(found)
}

/// The text of a page whose body is kept and still what it was; none where nothing is said on it.
fn text_of(app: &App, exchange: &Exchange) -> Option<String> {
    let sha256 = exchange.body_sha256?;
    let file = File::open(app.store().blobs().path(&sha256)).ok()?;
    let body = read_capped(file, ARCHIVED_BYTES_MAX).ok()?;
    if Digest::of(&body) != sha256 {
        return None;
    }
    let plain = exchange.plain_body(body, ARCHIVED_BYTES_MAX as usize);
    let url = exchange.url.parse().ok()?;
    let text = page_text(&url, exchange.response_header("content-type"), &plain, ARCHIVED_CHARS_MAX);
    (!text.is_empty()).then_some(text)
}

/// The bytes of a page's picture, which our own browser made.
///
/// # Errors
/// [`Fault`] where it is gone, or is no longer what it was.
pub(super) fn screenshot(app: &App, sha256: &Digest) -> Result<Vec<u8>, Fault> {
    let read = File::open(app.store().blobs().path(sha256));
    let bytes = read.and_then(|file| read_capped(file, SCREENSHOT_BYTES_MAX)).unwrap_or_default();
    if Digest::of(&bytes) == *sha256 { Ok(bytes) } else { Err(Fault::not_found("the picture is gone")) }
}
