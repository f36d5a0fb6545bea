//! What a file's tags say of the recording in it.

use serde::{Deserialize, Serialize};
use symphonia::core::formats::FormatReader;
use symphonia::core::meta::{MetadataRevision, StandardTag};

/// What a file's tags say of the recording in it: a hint by whoever wrote the file, never evidence.
///
/// Each text is one line without control characters, of at most 500 characters and not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MediaTags {
    /// International Standard Recording Code, as the file writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isrc: Option<String>,
    /// Title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Main artist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artist: Option<String>,
    /// Album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// Label or publisher.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// UPC or EAN of the release, as the file writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upc: Option<String>,
    /// Date of recording or release, as the file writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// Characters kept of one tag.
const CHARS_MAX: usize = 500;

impl MediaTags {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes what `other` says where nothing is known yet.
    pub(super) fn fill(&mut self, other: Self) {
        let pairs = [
            (&mut self.isrc, other.isrc),
            (&mut self.title, other.title),
            (&mut self.artist, other.artist),
            (&mut self.album, other.album),
            (&mut self.label, other.label),
            (&mut self.upc, other.upc),
            (&mut self.date, other.date),
        ];
        for (mine, theirs) in pairs {
            if mine.is_none() {
                *mine = theirs;
            }
        }
    }

    /// Takes what a container's reader has found so far, the oldest first: what a stream says later may be about
    /// the next song.
    pub(super) fn fill_from(&mut self, format: &mut dyn FormatReader) {
        let mut log = format.metadata();
        loop {
            if let Some(revision) = log.current() {
                self.fill_from_revision(revision);
            }
            if log.pop().is_none() {
                return;
            }
        }
    }

    fn fill_from_revision(&mut self, revision: &MetadataRevision) {
        let of_tracks = revision.per_track.iter().flat_map(|track| &track.metadata.tags);
        for tag in revision.media.tags.iter().chain(of_tracks) {
            if let Some(standard) = &tag.std {
                self.fill_from_tag(standard);
            }
        }
    }

    fn fill_from_tag(&mut self, tag: &StandardTag) {
        let (field, text) = match tag {
            StandardTag::IdentIsrc(text) => (&mut self.isrc, text),
            StandardTag::TrackTitle(text) => (&mut self.title, text),
            StandardTag::Artist(text) => (&mut self.artist, text),
            StandardTag::Album(text) => (&mut self.album, text),
            StandardTag::Label(text) => (&mut self.label, text),
            StandardTag::IdentUpc(text)
            | StandardTag::IdentEanUpn(text)
            | StandardTag::IdentBarcode(text) => (&mut self.upc, text),
            StandardTag::RecordingDate(text) | StandardTag::ReleaseDate(text) => (&mut self.date, text),
            StandardTag::RecordingYear(year) | StandardTag::ReleaseYear(year) => {
                set(&mut self.date, &format!("{year:04}"));
                return;
            }
            _ => return,
        };
        set(field, text);
    }
}

/// Keeps `text` where nothing is known yet.
pub(super) fn set(field: &mut Option<String>, text: &str) {
    if field.is_none() {
        *field = clean(text);
    }
}

/// The first of a tag's values (NUL stands between several), without control characters, cut to length.
fn clean(text: &str) -> Option<String> {
    let first = text.split('\0').map(str::trim).find(|value| !value.is_empty())?;
    let plain: String = first.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect();
    let plain = plain.trim();
    (!plain.is_empty()).then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_value_counts_and_what_is_known_stays() {
        assert_eq!(clean(" \0 夜に\u{7}駆ける \0other"), Some("夜に駆ける".to_owned()));
        assert_eq!(clean("\u{1b}\0\n"), None);
        let mut tags = MediaTags { title: Some("a".to_owned()), ..MediaTags::default() };
        let other =
            MediaTags { title: Some("b".to_owned()), artist: Some("c".to_owned()), ..MediaTags::default() };
        tags.fill(other);
        assert_eq!((tags.title.as_deref(), tags.artist.as_deref()), (Some("a"), Some("c")));
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_short_line(text in any::<String>(), times in 1usize..200) {
            if let Some(line) = clean(&text.repeat(times)) {
                prop_assert!(!line.is_empty() && line.chars().count() <= CHARS_MAX);
                prop_assert!(!line.chars().any(char::is_control));
            }
        }
    }
}
