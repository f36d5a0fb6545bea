//! Where findings are collected: resolved, checked, each once, capped.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use encoding_rs::{Encoding, UTF_8};
use url::Url;

use super::leads::{self, Lead, LeadKind};
use super::{Discovered, MediaKind, MediaLink};

/// Media objects that are taken from one document.
pub(super) const MEDIA_MAX: usize = 1000;
/// Page links that are taken from one document.
pub(super) const LINKS_MAX: usize = 2000;
/// Leads that are taken from one document.
pub(super) const LEADS_MAX: usize = 500;
/// Media that only the name of a setting promises, without an extension: players have a few, trackers many.
pub(super) const GUESSES_MAX: usize = 50;
/// Problems that are reported of one document.
pub(super) const PROBLEMS_MAX: usize = 20;
/// The longest title that is kept, in characters.
const TITLE_CHARS_MAX: usize = 300;
/// The longest name of a way to media, in characters.
const VIA_CHARS_MAX: usize = 40;
/// The longest address.
const ADDRESS_BYTES_MAX: usize = 8192;
/// Addresses of one document that are looked at. A page that repeats one link a million times costs no more than this; a
/// large sitemap holds 50,000 (sitemaps.org).
const LOOKED_AT_MAX: u32 = 100_000;

/// Collects what a document leads to.
pub(super) struct Sink {
    document: Url,
    base: Url,
    encoding: &'static Encoding,
    seen_media: HashSet<Url>,
    seen_links: HashSet<Url>,
    seen_leads: HashMap<(LeadKind, String), usize>,
    guesses: usize,
    /// How many addresses were looked at.
    looked_at: Cell<u32>,
    found: Discovered,
}

impl Sink {
    pub(super) fn new(document: &Url) -> Self {
        let mut document = document.clone();
        document.set_fragment(None);
        Self {
            base: document.clone(),
            document,
            encoding: UTF_8,
            seen_media: HashSet::new(),
            seen_links: HashSet::new(),
            seen_leads: HashMap::new(),
            guesses: 0,
            looked_at: Cell::new(0),
            found: Discovered::default(),
        }
    }

    /// Sets what relative addresses are relative to.
    pub(super) fn set_base(&mut self, href: &str) {
        if let Some(base) = self.resolve(href) {
            self.base = base;
        }
    }

    /// Sets the document's encoding, in which browsers send the queries of the addresses that it holds.
    pub(super) fn set_encoding(&mut self, encoding: &'static Encoding) {
        self.encoding = encoding.output_encoding();
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
        if leads::is_encrypted(url.path()) {
            self.lead(Lead::new(LeadKind::Encrypted, url.as_str(), via));
        }
        if kind == MediaKind::Embed
            && let Some(lead) = leads::of_address(url.as_str(), &self.base)
        {
            self.lead(lead);
            return;
        }
        if self.found.media.len() < MEDIA_MAX && self.seen_media.insert(url.clone()) {
            self.found.media.push(MediaLink { url, via: short_via(via), kind });
        }
    }

    /// Adds what only a setting's name promises to be media.
    pub(super) fn guess(&mut self, href: &str, via: &str) {
        let is_new = self.resolve(href).is_some_and(|url| !self.seen_media.contains(&url));
        if is_new && self.guesses < GUESSES_MAX {
            self.guesses += 1;
            self.media(href, via, MediaKind::Media);
        }
    }

    /// Adds a link to a page; a share link or the like becomes a lead.
    pub(super) fn link(&mut self, href: &str) {
        if let Some(lead) = leads::of_address(href, &self.base) {
            self.lead(lead);
            return;
        }
        let Some(url) = self.resolve(href) else { return };
        if self.found.links.len() < LINKS_MAX && self.seen_links.insert(url.clone()) {
            self.found.links.push(url);
        }
    }

    /// Adds a lead, or the extraction code to one that has none yet.
    pub(super) fn lead(&mut self, lead: Lead) {
        let key = (lead.kind, lead.target.clone());
        if let Some(known) = self.seen_leads.get(&key).and_then(|at| self.found.leads.get_mut(*at)) {
            known.code = known.code.take().or(lead.code);
        } else if self.found.leads.len() < LEADS_MAX {
            self.seen_leads.insert(key, self.found.leads.len());
            self.found.leads.push(Lead { via: short_via(&lead.via), ..lead });
        }
    }

    /// Adds something that can only be reported.
    pub(super) fn problem(&mut self, text: String) {
        if self.found.problems.len() < PROBLEMS_MAX && !self.found.problems.contains(&text) {
            self.found.problems.push(text);
        }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.found.media.len() >= MEDIA_MAX
    }

    /// The address that `href` stands for in this document.
    pub(super) fn resolve(&self, href: &str) -> Option<Url> {
        self.resolve_from(&self.base, href)
    }

    /// The same, relative to `base`.
    pub(super) fn resolve_from(&self, base: &Url, href: &str) -> Option<Url> {
        let href = href.trim();
        if href.is_empty() || href.starts_with('#') || href.len() > ADDRESS_BYTES_MAX {
            return None;
        }
        self.looked_at.set(self.looked_at.get().saturating_add(1));
        if self.looked_at.get() > LOOKED_AT_MAX {
            return None;
        }
        let query_bytes = |query: &str| in_query(query, self.encoding);
        let options = Url::options().base_url(Some(base));
        let mut url = match self.encoding == UTF_8 {
            true => options.parse(href).ok()?,
            false => {
                options.encoding_override(Some(&|query| Cow::Owned(query_bytes(query)))).parse(href).ok()?
            }
        };
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return None;
        }
        url.set_fragment(None);
        Some(url)
    }

    /// The address of a part of this document's stream; one that is the document itself would lead in a circle.
    pub(super) fn part(&mut self, href: &str) -> Option<Url> {
        let url = self.resolve(href)?;
        self.not_itself(url)
    }

    /// `url`, unless it is this document's own; that is reported.
    pub(super) fn not_itself(&mut self, url: Url) -> Option<Url> {
        if url == self.document {
            self.problem("the playlist names itself as a part of its stream".to_owned());
            return None;
        }
        Some(url)
    }

    /// What relative addresses are relative to.
    pub(super) const fn base(&self) -> &Url {
        &self.base
    }

    /// Sets it back after a document within the document.
    pub(super) fn restore_base(&mut self, base: Url) {
        self.base = base;
    }

    pub(super) fn finish(mut self) -> Discovered {
        if self.looked_at.get() > LOOKED_AT_MAX {
            self.problem(format!("of its addresses only the first {LOOKED_AT_MAX} were looked at"));
        }
        self.found
    }
}

/// The bytes that a query is sent as. What the encoding lacks becomes a character reference (URL standard,
/// "percent-encode after encoding").
fn in_query(query: &str, encoding: &'static Encoding) -> Vec<u8> {
    let (bytes, _, has_unmappable) = encoding.encode(query);
    if !has_unmappable {
        return bytes.into_owned();
    }
    let mut out = Vec::with_capacity(bytes.len());
    for character in query.chars() {
        let mut buffer = [0; 4];
        let (bytes, _, is_unmappable) = encoding.encode(character.encode_utf8(&mut buffer));
        if is_unmappable {
            out.extend_from_slice(format!("%26%23{}%3B", u32::from(character)).as_bytes());
        } else {
            out.extend_from_slice(&bytes);
        }
    }
    out
}

/// A way to media may be the name of an attribute, which the page chooses and everything found there keeps.
fn short_via(via: &str) -> String {
    via.chars().take(VIA_CHARS_MAX).collect()
}
