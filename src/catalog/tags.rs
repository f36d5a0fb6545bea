//! A recording from an audio file and its tags.

use std::path::Path;

use super::{Recording, identifiers};
use crate::base::{IdError, MediaTags, RecordingId};

/// Returns the recording in the file at `path`: its identifier is the ISRC tag, else the stem of the file's name;
/// its title is the title tag, else the stem.
///
/// Tags are a hint: one that is not what it should be (an ISRC of the wrong form) is left out.
///
/// # Errors
/// [`IdError`] when there is no ISRC tag and the file's stem is no identifier.
pub fn recording_from_file(path: &Path, tags: &MediaTags) -> Result<Recording, IdError> {
    let isrc = tags.isrc.as_deref().and_then(|text| identifiers::isrc(text).ok());
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let recording_id = RecordingId::new(isrc.as_deref().unwrap_or(&stem))?;
    let clean = |text: &Option<String>| {
        let text = text.as_deref()?.replace(char::is_control, " ");
        let text: String = text.trim().chars().take(500).collect();
        (!text.is_empty()).then_some(text)
    };
    let mut recording = Recording::new(recording_id, clean(&tags.title).unwrap_or_else(|| stem.into_owned()));
    recording.isrc = isrc;
    recording.upc = tags.upc.as_deref().and_then(|text| identifiers::upc(text).ok());
    recording.artist = clean(&tags.artist);
    recording.album = clean(&tags.album);
    recording.label = clean(&tags.label);
    recording.release_date = tags.date.as_deref().and_then(super::import::date);
    Ok(recording)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_isrc_tag_names_the_recording_else_the_file_does() {
        let tags = MediaTags {
            isrc: Some("jp-xx1-23-00001".into()),
            title: Some("夜\0".into()),
            ..MediaTags::default()
        };
        let recording = recording_from_file(Path::new("/m/01 night.flac"), &tags).unwrap();
        assert_eq!(recording.recording_id.as_str(), "JPXX12300001");
        assert_eq!(recording.title, "夜");
        let tags = MediaTags { isrc: Some("none".into()), date: Some("2001".into()), ..MediaTags::default() };
        let recording = recording_from_file(Path::new("/m/01 night.flac"), &tags).unwrap();
        assert_eq!(recording.recording_id.as_str(), "01 night");
        assert_eq!((recording.isrc, recording.title.as_str()), (None, "01 night"));
        assert_eq!(recording.release_date.as_deref(), Some("2001"));
        assert!(recording_from_file(Path::new("/"), &MediaTags::default()).is_err());
    }
}
