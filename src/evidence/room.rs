//! How much of what was captured a bundle holds, so that whoever verifies it can read it.

use std::collections::BTreeSet;

use super::capture::Capture;
use super::reading::{Measure, measure};
use crate::base::Digest;
use crate::store::{Blobs, Store};

/// What `captures.json` of a bundle may be: well within what is read of it (see `reading`).
const CAPTURES_MEASURE: Measure = Measure { bytes: 192 << 20, values: 3_000_000 };
/// Exchanges in a bundle: each is three records of its archive, which has up to 200,000.
const EXCHANGES_MAX: usize = 60_000;
/// Bytes of bodies in a bundle, which with all else has up to 4 GiB.
const BODIES_BYTES_MAX: u64 = 3 << 30;

/// What is left of the room of a bundle.
pub(super) struct Room {
    blobs: Blobs,
    is_empty: bool,
    measure: Measure,
    exchanges: usize,
    bodies_bytes: u64,
    /// Bodies that are in it already.
    known: BTreeSet<Digest>,
}

impl Room {
    pub(super) fn of_a_bundle(store: &Store) -> Self {
        Self {
            blobs: store.blobs(),
            is_empty: true,
            measure: CAPTURES_MEASURE,
            exchanges: EXCHANGES_MAX,
            bodies_bytes: BODIES_BYTES_MAX,
            known: BTreeSet::new(),
        }
    }

    /// Takes the room that a capture needs; `false` where there is not so much. The bodies of the first are taken whatever
    /// their length: without its media there is no bundle.
    pub(super) fn takes(&mut self, capture: &Capture) -> bool {
        let Ok(measured) = measure(capture) else { return false };
        // As one of a list, each of its lines is moved to the right, and there are not more lines than twice its values.
        let bytes = self.measure.bytes.checked_sub(measured.bytes + 4 * measured.values);
        let values = self.measure.values.checked_sub(measured.values);
        let exchanges = self.exchanges.checked_sub(capture.exchanges.len());
        let (new, new_bytes) = self.new_bodies(capture);
        let bodies_bytes = match self.bodies_bytes.checked_sub(new_bytes) {
            None if self.is_empty => Some(0),
            left => left,
        };
        let (Some(bytes), Some(values), Some(exchanges), Some(bodies_bytes)) =
            (bytes, values, exchanges, bodies_bytes)
        else {
            return false;
        };
        (self.measure, self.exchanges, self.bodies_bytes) =
            (Measure { bytes, values }, exchanges, bodies_bytes);
        self.known.extend(new);
        self.is_empty = false;
        true
    }

    /// The kept bodies of a capture that are not there yet, and their bytes together.
    fn new_bodies(&self, capture: &Capture) -> (BTreeSet<Digest>, u64) {
        let media = (capture.sighting.sha256, capture.sighting.bytes);
        let bodies = capture.exchanges.iter().filter_map(|one| Some((one.body_sha256?, one.body_bytes)));
        let mut new = BTreeSet::new();
        let mut bytes: u64 = 0;
        for (sha256, length) in bodies.chain([media]) {
            if !self.known.contains(&sha256) && !new.contains(&sha256) && self.blobs.contains(&sha256) {
                new.insert(sha256);
                bytes = bytes.saturating_add(length);
            }
        }
        (new, bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::capture::tests::capture;
    use super::*;

    #[test]
    fn bodies_have_their_room_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let large = |body: &[u8]| {
            let mut one = capture("http://a.example/1", store.blobs().put(body).unwrap().digest);
            one.exchanges[0].body_bytes = BODIES_BYTES_MAX - 10;
            one
        };
        let mut room = Room::of_a_bundle(&store);
        assert!(room.takes(&large(b"one")) && room.takes(&large(b"one")));
        assert!(!room.takes(&large(b"other")));
        let mut gone = large(b"one");
        gone.exchanges[0].body_sha256 = Some(Digest::of(b"nobody kept it"));
        assert!(room.takes(&gone), "what is not kept needs no room");
    }
}
