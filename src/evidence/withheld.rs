//! What a redacted bundle leaves out, item by item: `earwitness/withheld.json`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::manifest::canonical;
use crate::base::Digest;

pub(super) const WITHHELD: &str = "earwitness/withheld.json";

const FORMAT: &str = "earwitness-withheld/1";

/// What stands in place of a text that is withheld.
pub(super) const PLACEHOLDER: &str = "(withheld)";

/// A kind of thing that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WithheldKind {
    /// The body of an answer: a page, a list, whatever is not the media.
    Body,
    /// A picture of a page.
    Screenshot,
    /// A page's title.
    PageTitle,
    /// A text in which cookies, passwords or tokens stood.
    Credentials,
    /// Who decided something about the case, or what that person wrote.
    Person,
}

impl WithheldKind {
    /// All of them, in their order.
    pub(super) const ALL: [Self; 5] =
        [Self::Body, Self::Screenshot, Self::PageTitle, Self::Credentials, Self::Person];

    /// Returns one and many of it in words.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Body => "bodies",
            Self::Screenshot => "screenshots",
            Self::PageTitle => "page titles",
            Self::Credentials => "texts with credentials",
            Self::Person => "texts of persons",
        }
    }

    /// Whether what is left out is bytes, told by their own digest; else it is text, told by [`text_digest`].
    pub(super) const fn is_bytes(self) -> bool {
        matches!(self, Self::Body | Self::Screenshot)
    }
}

/// One thing that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WithheldItem {
    /// Its kind.
    pub(super) what: WithheldKind,
    /// The entry that it would stand in.
    pub(super) entry: String,
    /// Of text where in it: a JSON Pointer (RFC 6901). Of a body the address that it came from.
    pub(super) at: String,
    /// Of bytes their SHA-256; of text see [`text_digest`].
    pub(super) sha256: Digest,
}

/// All that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Withheld {
    format: String,
    pub(super) items: Vec<WithheldItem>,
}

impl Withheld {
    pub(super) fn new(items: Vec<WithheldItem>) -> Self {
        Self { format: FORMAT.to_owned(), items }
    }

    /// Reads the list and checks its form.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let withheld: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if withheld.format != FORMAT || canonical(&withheld).is_none_or(|canonical| canonical != bytes) {
            return Err(format!("it is not written as {FORMAT}"));
        }
        Ok(withheld)
    }

    /// The digests of all bodies that are left out.
    pub(super) fn bodies(&self) -> BTreeSet<Digest> {
        let bodies = self.items.iter().filter(|item| item.what == WithheldKind::Body);
        bodies.map(|item| item.sha256).collect()
    }

    /// How many of what, in words.
    pub(super) fn summary(&self) -> String {
        let counts = WithheldKind::ALL.into_iter().filter_map(|kind| {
            let count = self.items.iter().filter(|item| item.what == kind).count();
            (count > 0).then(|| format!("{count} {}", kind.words()))
        });
        let counts: Vec<String> = counts.collect();
        if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") }
    }
}

/// The digest by which a text that is left out is told. Titles and names can be guessed, and their plain digests with them; so
/// the signature of the whole bundle goes before the text, which only who has opened the annex knows.
pub(super) fn text_digest(signature: &[u8], text: &str) -> Digest {
    Digest::of(&[&b"earwitness withheld\n"[..], signature, b"\n", text.as_bytes()].concat())
}
