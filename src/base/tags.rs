//! What a media file says of itself.

use serde::{Deserialize, Serialize};

use super::Digest;

/// What a file's tags say of the recording in it: a hint by whoever wrote the file, never evidence of what is in it.
///
/// Each text is one line without control characters, of at most 500 characters and not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MediaTags {
    /// Which kind of tags the file can carry, where tags of that kind are read as a whole; `None` where they are not
    /// (bare streams, WAV, Matroska, what ffmpeg decodes): then nothing follows from what is missing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<TagScheme>,
    /// Whether a part of the tags could not be read: cut, damaged, encrypted, or in a second kind that is not read.
    #[serde(skip_serializing_if = "is_false")]
    pub is_partly_read: bool,
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
    /// The ℗ line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_line: Option<String>,
    /// The © line, or a copyright tag that does not say which of the two it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub c_line: Option<String>,
    /// The file's owner or licensee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The address of a page on the rights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights_url: Option<String>,
    /// The front cover in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cover: Option<Cover>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A kind of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagScheme {
    /// ID3v2 before MPEG audio.
    Id3,
    /// Vorbis comments, in FLAC and Ogg.
    Vorbis,
    /// The metadata of MP4, as iTunes writes it.
    Mp4,
}

/// A picture in a file, by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// SHA-256 of the picture's bytes.
    pub sha256: Digest,
    /// How many bytes.
    pub bytes: u64,
}

impl Cover {
    /// The picture with these bytes; none of none.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        (!bytes.is_empty()).then(|| Self { sha256: Digest::of(bytes), bytes: bytes.len() as u64 })
    }
}

impl MediaTags {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same with each text cut to `chars_max` characters, for records that must stay small.
    #[must_use]
    pub fn shortened(&self, chars_max: usize) -> Self {
        let mut short = self.clone();
        for text in short.texts_mut().into_iter().flatten() {
            *text = text.chars().take(chars_max).collect();
        }
        short
    }

    /// Takes what `other` says where nothing is known yet.
    pub fn fill(&mut self, mut other: Self) {
        for (mine, theirs) in self.texts_mut().into_iter().zip(other.texts_mut()) {
            if mine.is_none() {
                *mine = theirs.take();
            }
        }
        self.cover = self.cover.or(other.cover);
        self.scheme = self.scheme.or(other.scheme);
        self.is_partly_read |= other.is_partly_read;
    }

    const fn texts_mut(&mut self) -> [&mut Option<String>; 11] {
        [
            &mut self.isrc,
            &mut self.title,
            &mut self.artist,
            &mut self.album,
            &mut self.label,
            &mut self.upc,
            &mut self.date,
            &mut self.p_line,
            &mut self.c_line,
            &mut self.owner,
            &mut self.rights_url,
        ]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn what_is_known_stays_and_the_rest_is_filled() {
        let mut tags = MediaTags { title: text("a"), cover: Cover::of(b"one"), ..MediaTags::default() };
        let other = MediaTags {
            title: text("b"),
            artist: text("c"),
            cover: Cover::of(b"two"),
            scheme: Some(TagScheme::Id3),
            is_partly_read: true,
            ..MediaTags::default()
        };
        tags.fill(other);
        assert_eq!((tags.title.as_deref(), tags.artist.as_deref()), (Some("a"), Some("c")));
        assert_eq!((tags.cover, tags.scheme), (Cover::of(b"one"), Some(TagScheme::Id3)));
        assert!(tags.is_partly_read && Cover::of(b"").is_none());
    }

    #[test]
    fn tags_are_shortened_and_those_of_an_older_program_are_read() {
        let long = MediaTags { p_line: text(&"夜".repeat(300)), ..MediaTags::default() };
        assert_eq!(long.shortened(200).p_line, text(&"夜".repeat(200)));
        let old: MediaTags = serde_json::from_str(r#"{"title":"a"}"#).unwrap();
        assert_eq!(old, MediaTags { title: text("a"), ..MediaTags::default() });
        assert_eq!(serde_json::to_string(&old).unwrap(), r#"{"title":"a"}"#);
    }
}
