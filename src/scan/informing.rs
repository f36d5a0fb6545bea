//! What a file's tags say of its rights, beside what the catalogue knows of the owner's own files.

use super::pipeline::Finding;
use crate::audio::MediaInfo;
use crate::base::{MediaTags, RecordingId};
use crate::cases::{CopyHeard, compare};
use crate::catalog::{Catalog, identifiers};
use crate::store::{self, Store};

/// Compares a file's tags with those of the recordings that were found in it; `own_tags` are theirs, in the same order.
///
/// # Errors
/// [`store::Error`] when the store fails.
pub(super) fn compare_tags(
    store: &Store,
    media: &MediaInfo,
    own_tags: &[Option<MediaTags>],
    findings: &mut [Finding],
) -> Result<(), store::Error> {
    let has_others = findings.len() > 1;
    for (finding, own) in findings.iter_mut().zip(own_tags) {
        let Some(own) = own else { continue };
        let copy = CopyHeard {
            tags: &media.tags,
            duration_s: media.duration_s,
            matches: &finding.matches,
            has_others,
            names_another: names_another(store, &media.tags, &finding.recording_id)?,
        };
        finding.rights_information = Some(compare(own, &copy));
    }
    Ok(())
}

/// Whether the file's ISRC is the identifier of another recording of the catalogue.
fn names_another(store: &Store, tags: &MediaTags, found: &RecordingId) -> Result<bool, store::Error> {
    let isrc = tags.isrc.as_deref().and_then(|text| identifiers::isrc(text).ok());
    let named = isrc.and_then(|isrc| RecordingId::new(&isrc).ok()).filter(|named| named != found);
    Ok(match named {
        Some(named) => Catalog::new(store).get(&named)?.is_some(),
        None => false,
    })
}
