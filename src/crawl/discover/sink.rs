//! Where findings are collected: resolved, checked, each once, capped.

use std::collections::HashSet;

use url::Url;

use super::xml::cut;
use super::{Discovered, MediaKind, MediaLink};

/// Media objects that are taken from one document.
pub(super) const MEDIA_MAX: usize = 1000;
/// Page links that are taken from one document.
pub(super) const LINKS_MAX: usize = 2000;
/// The longest title that is kept, in characters.
const TITLE_CHARS_MAX: usize = 300;
/// The longest [`MediaLink::via`], in bytes: it may be an attribute's name, which a page can make as long as itself, and
/// every link keeps one.
const VIA_BYTES_MAX: usize = 64;

/// Collects what a document leads to.
pub(super) struct Sink {
    base: Url,
    seen_media: HashSet<Url>,
    seen_links: HashSet<Url>,
    found: Discovered,
}

impl Sink {
    pub(super) fn new(base: &Url) -> Self {
        let found = Discovered::default();
        Self { base: base.clone(), seen_media: HashSet::new(), seen_links: HashSet::new(), found }
    }

    /// Sets what relative addresses are relative to.
    pub(super) fn set_base(&mut self, href: &str) {
        if let Some(base) = self.resolve(href) {
            self.base = base;
        }
    }

    /// Sets the title, unless there is one.
    pub(super) fn title(&mut self, text: &str) {
        if self.found.title.is_some() {
            return;
        }
        let words: Vec<&str> = text.split_whitespace().take(TITLE_CHARS_MAX).collect();
        let title: String = words.join(" ").chars().take(TITLE_CHARS_MAX).collect();
        self.found.title = (!title.is_empty()).then_some(title);
    }

    /// Adds a media object.
    pub(super) fn media(&mut self, href: &str, via: &str, kind: MediaKind) {
        let Some(url) = self.resolve(href) else { return };
        if self.found.media.len() < MEDIA_MAX && self.seen_media.insert(url.clone()) {
            self.found.media.push(MediaLink { url, via: cut(via, VIA_BYTES_MAX).to_owned(), kind });
        }
    }

    /// Adds a link to a page.
    pub(super) fn link(&mut self, href: &str) {
        let Some(url) = self.resolve(href) else { return };
        if self.found.links.len() < LINKS_MAX && self.seen_links.insert(url.clone()) {
            self.found.links.push(url);
        }
    }

    /// Adds something that can only be reported.
    pub(super) fn problem(&mut self, text: String) {
        if self.found.problems.len() < 20 {
            self.found.problems.push(text);
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.found.media.len() >= MEDIA_MAX
    }

    pub(super) fn resolve(&self, href: &str) -> Option<Url> {
        let href = href.trim();
        if href.is_empty() || href.starts_with('#') || href.len() > 8192 {
            return None;
        }
        let mut url = self.base.join(href).ok()?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return None;
        }
        url.set_fragment(None);
        Some(url)
    }

    pub(super) fn finish(self) -> Discovered {
        self.found
    }
}
