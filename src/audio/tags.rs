//! What a file's tags say of the recording in it.

use symphonia::core::formats::FormatReader;
use symphonia::core::meta::{MetadataRevision, StandardTag, StandardVisualKey, Visual};

use super::sniff::Reader;
use crate::base::{Cover, MediaTags, TagScheme};

/// Characters kept of one tag.
const CHARS_MAX: usize = 500;

/// Takes what a container's reader has found so far, the oldest first: what a stream says later may be about the next
/// song.
pub(super) fn fill_from(tags: &mut MediaTags, format: &mut dyn FormatReader) {
    let mut log = format.metadata();
    loop {
        if let Some(revision) = log.current() {
            fill_from_revision(tags, revision);
        }
        if log.pop().is_none() {
            return;
        }
    }
}

/// The tags that are read as a whole of a container's.
pub(super) const fn scheme(reader: Reader) -> Option<TagScheme> {
    match reader {
        Reader::Flac | Reader::Ogg => Some(TagScheme::Vorbis),
        Reader::Mp4 => Some(TagScheme::Mp4),
        // RIFF's lists have no place for an ISRC; Matroska's tags are read for the most common names only.
        Reader::Wav | Reader::Aiff | Reader::Caf | Reader::Matroska => None,
    }
}

fn fill_from_revision(tags: &mut MediaTags, revision: &MetadataRevision) {
    let of_tracks = || revision.per_track.iter().map(|track| &track.metadata);
    for tag in revision.media.tags.iter().chain(of_tracks().flat_map(|track| &track.tags)) {
        if let Some(standard) = &tag.std {
            fill_from_tag(tags, standard);
        }
    }
    if tags.cover.is_none() {
        let pictures: Vec<&Visual> =
            revision.media.visuals.iter().chain(of_tracks().flat_map(|track| &track.visuals)).collect();
        tags.cover = front(&pictures).and_then(|picture| Cover::of(&picture.data));
    }
}

/// The front cover, or the first picture that does not say what it shows.
fn front<'a>(pictures: &[&'a Visual]) -> Option<&'a Visual> {
    let of = |usage| pictures.iter().copied().find(|picture| picture.usage == usage);
    of(Some(StandardVisualKey::FrontCover)).or_else(|| of(None))
}

fn fill_from_tag(tags: &mut MediaTags, tag: &StandardTag) {
    let (field, text) = match tag {
        StandardTag::IdentIsrc(text) => (&mut tags.isrc, text),
        StandardTag::TrackTitle(text) => (&mut tags.title, text),
        StandardTag::Artist(text) => (&mut tags.artist, text),
        StandardTag::Album(text) => (&mut tags.album, text),
        StandardTag::Label(text) => (&mut tags.label, text),
        StandardTag::ProductionCopyright(text) => (&mut tags.p_line, text),
        StandardTag::Copyright(text) => (copyright(tags, text), text),
        StandardTag::Owner(text) => (&mut tags.owner, text),
        StandardTag::UrlCopyright(text) => (&mut tags.rights_url, text),
        StandardTag::IdentUpc(text) | StandardTag::IdentEanUpn(text) | StandardTag::IdentBarcode(text) => {
            (&mut tags.upc, text)
        }
        StandardTag::RecordingDate(text) | StandardTag::ReleaseDate(text) => (&mut tags.date, text),
        StandardTag::RecordingYear(year) | StandardTag::ReleaseYear(year) => {
            set(&mut tags.date, &format!("{year:04}"));
            return;
        }
        _ => return,
    };
    set(field, text);
}

/// Where a copyright tag belongs: shops write the ℗ line there.
pub(super) fn copyright<'a>(tags: &'a mut MediaTags, text: &str) -> &'a mut Option<String> {
    let text = text.trim_start();
    let is_p_line =
        text.starts_with('℗') || text.get(..3).is_some_and(|mark| mark.eq_ignore_ascii_case("(p)"));
    if is_p_line { &mut tags.p_line } else { &mut tags.c_line }
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
    fn the_first_value_counts() {
        assert_eq!(clean(" \0 夜に\u{7}駆ける \0other"), Some("夜に駆ける".to_owned()));
        assert_eq!(clean("\u{1b}\0\n"), None);
    }

    #[test]
    fn a_copyright_tag_may_be_the_p_line() {
        let mut tags = MediaTags::default();
        for text in ["2017 House", "(P) 2017 Label", "℗ 2016 Other"] {
            let field = copyright(&mut tags, text);
            set(field, text);
        }
        assert_eq!(
            (tags.c_line.as_deref(), tags.p_line.as_deref()),
            (Some("2017 House"), Some("(P) 2017 Label"))
        );
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
