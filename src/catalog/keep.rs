//! Recordings in the store.

use serde::Serialize;

use super::Recording;
use crate::base::RecordingId;
use crate::store::{Batch, Error, Store};

/// What became of a recording that was brought in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was not there.
    Added,
    /// It was there and differed.
    Updated,
    /// It was there just so.
    Unchanged,
}

impl Outcome {
    /// Returns the word used in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// The figures of a catalogue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CatalogStats {
    /// Recordings.
    pub recordings: u64,
    /// Of them, those with audio that was fingerprinted.
    pub with_audio: u64,
    /// Of them, those with an ISRC.
    pub with_isrc: u64,
    /// The length of all audio, in seconds.
    pub audio_s: f64,
}

/// The catalogue in a store.
#[derive(Clone, Copy)]
pub struct Catalog<'a> {
    store: &'a Store,
}

impl<'a> Catalog<'a> {
    /// Looks at the catalogue in `store`.
    #[must_use]
    pub fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Returns the recording with an identifier.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub fn get(&self, id: &RecordingId) -> Result<Option<Recording>, Error> {
        self.store.get(id.as_str())
    }

    /// Returns up to `limit` recordings whose identifier begins with `prefix`, sorted by identifier, those after
    /// `after` where that is given: the last of one page begins the next.
    ///
    /// # Errors
    /// As [`Store::scan`].
    pub fn list(
        &self,
        prefix: &str,
        after: Option<&RecordingId>,
        limit: usize,
    ) -> Result<Vec<Recording>, Error> {
        let found = match after {
            Some(after) => self.store.scan_after::<Recording>(prefix, after.as_str())?,
            None => self.store.scan::<Recording>(prefix)?,
        };
        found.take(limit).collect()
    }

    /// Says what [`Catalog::upsert`] would do with `incoming`, and the recording that would then be kept.
    ///
    /// What `incoming` leaves empty keeps its value; see [`Recording::updated_by`].
    ///
    /// # Errors
    /// As [`Store::get`].
    pub fn plan(&self, incoming: &Recording, title_given: bool) -> Result<(Outcome, Recording), Error> {
        let Some(kept) = self.get(&incoming.recording_id)? else {
            return Ok((Outcome::Added, incoming.clone()));
        };
        let updated = kept.updated_by(incoming, title_given);
        // By both ways, since a decimal fraction may be read back a last digit off: what is kept is compared with
        // itself read back, what comes anew with the bytes that are kept.
        let unchanged = updated == kept || self.store.holds(&updated)?;
        Ok((if unchanged { Outcome::Unchanged } else { Outcome::Updated }, updated))
    }

    /// Adds a recording to the catalogue, or updates the one with its identifier.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn upsert(&self, incoming: &Recording, title_given: bool) -> Result<Outcome, Error> {
        let mut batch = Batch::new();
        let outcome = self.upsert_in(&mut batch, incoming, title_given)?;
        self.store.commit(batch)?;
        Ok(outcome)
    }

    /// As [`Catalog::upsert`], as part of a batch that the caller commits. An identifier may be in a batch once.
    ///
    /// # Errors
    /// As [`Store::get`] and [`Batch::put`].
    pub fn upsert_in(
        &self,
        batch: &mut Batch,
        incoming: &Recording,
        title_given: bool,
    ) -> Result<Outcome, Error> {
        let (outcome, recording) = self.plan(incoming, title_given)?;
        if outcome != Outcome::Unchanged {
            batch.put(&recording)?;
        }
        Ok(outcome)
    }

    /// Removes a recording; says whether it was there. Its audio's fingerprint is the index's business.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn remove(&self, id: &RecordingId) -> Result<bool, Error> {
        let there = self.get(id)?.is_some();
        if there {
            let mut batch = Batch::new();
            batch.delete::<Recording>(id.as_str());
            self.store.commit(batch)?;
        }
        Ok(there)
    }

    /// Returns the figures of the catalogue.
    ///
    /// # Errors
    /// As [`Store::scan`].
    pub fn stats(&self) -> Result<CatalogStats, Error> {
        let mut stats = CatalogStats::default();
        for recording in self.store.scan::<Recording>("")? {
            let recording = recording?;
            stats.recordings += 1;
            stats.with_isrc += u64::from(recording.isrc.is_some());
            if let Some(audio) = &recording.audio {
                stats.with_audio += 1;
                stats.audio_s += audio.duration_s;
            }
        }
        Ok(stats)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::base::Digest;
    use crate::catalog::RecordingAudio;

    fn recording(id: &str) -> Recording {
        Recording::new(RecordingId::new(id).unwrap(), format!("title of {id}"))
    }

    #[test]
    fn updates_keep_what_is_not_given() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let catalog = Catalog::new(&store);
        let mut full = recording("a");
        full.artist = Some("ヨアソビ".into());
        full.audio = Some(RecordingAudio {
            path: "a.flac".into(),
            sha256: Digest::of(b"a"),
            // A fraction that some decoders read back a last digit off.
            duration_s: 0.300_000_000_000_000_04,
            tags: None,
        });
        assert_eq!(catalog.upsert(&full, true).unwrap(), Outcome::Added);
        assert_eq!(catalog.upsert(&full, true).unwrap(), Outcome::Unchanged);
        let mut row = recording("a");
        row.title = "a".into();
        assert_eq!(catalog.upsert(&row, false).unwrap(), Outcome::Unchanged);
        row.album = Some("The Book".into());
        assert_eq!(catalog.upsert(&row, false).unwrap(), Outcome::Updated);
        let kept = catalog.get(&row.recording_id).unwrap().unwrap();
        assert_eq!((kept.title.as_str(), kept.artist.as_deref()), ("title of a", Some("ヨアソビ")));
        assert!(kept.audio.is_some());
        assert!(catalog.remove(&row.recording_id).unwrap());
        assert!(!catalog.remove(&row.recording_id).unwrap());
    }

    #[test]
    fn pages() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let catalog = Catalog::new(&store);
        for id in ["a1", "b1", "b2", "b3", "日本"] {
            catalog.upsert(&recording(id), true).unwrap();
        }
        let ids = |prefix: &str, after: Option<&str>, limit| -> Vec<String> {
            let after = after.map(|id| RecordingId::new(id).unwrap());
            let page = catalog.list(prefix, after.as_ref(), limit).unwrap();
            page.into_iter().map(|recording| recording.recording_id.to_string()).collect()
        };
        assert_eq!(ids("", None, 2), ["a1", "b1"]);
        assert_eq!(ids("", Some("b1"), 9), ["b2", "b3", "日本"]);
        assert_eq!(ids("b", Some("b1"), 1), ["b2"]);
        assert_eq!(ids("b", Some("b11"), 9), ["b2", "b3"]);
        assert_eq!(ids("b", Some("a1"), 9), ["b1", "b2", "b3"]);
        assert_eq!(catalog.stats().unwrap().recordings, 5);
    }
}
