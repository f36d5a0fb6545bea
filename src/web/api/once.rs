//! Writes that are done once, however often they are sent: a client whose connection broke sends the same again.
//!
//! After the header field `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). [`once`] is for what is done by one
//! commit: its answer is in the same batch, so that it is there exactly when the change is. [`once_after`] is for what also
//! writes files or tells a thread: its answer is kept when that is done, and where the process dies between, a repeated request
//! is done again. Of an answer that is too long for a record it is kept that it was given.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderName, StatusCode};
use serde::{Deserialize, Serialize};

use crate::base::{Digest, Timestamp, lock};
use crate::store::{self, Batch, Record, Store};
use crate::web::ask::Ask;
use crate::web::desk::Beside;
use crate::web::fault::Fault;
use crate::web::reply::Reply;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key.
const KEY_BYTES_MAX: usize = 100;
/// Seconds for which an answer is remembered.
const REMEMBERED_S: i64 = 24 * 3600;
/// For how long a second request with a key waits for the first.
const WAIT: Duration = Duration::from_secs(60);

/// Keys whose requests are being worked on: of two with one key the second waits for the first.
static IN_HAND: Mutex<BTreeSet<Digest>> = Mutex::new(BTreeSet::new());
static CHANGED: Condvar = Condvar::new();

/// An answer that was given under a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::web) struct Answered {
    /// Digest of account and key.
    key: Digest,
    /// Digest of method, path and body.
    request_sha256: Digest,
    /// When.
    at: Timestamp,
    /// The answer's JSON; none where it was too long to be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl Record for Answered {
    const KIND: &'static str = "idempotency";
    // Must be there exactly when what it answers for is.
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.key.to_string()
    }
}

/// Does `work` unless it was done under the request's key; `work` puts its answer beside what it changes.
pub(super) fn once<T: Serialize>(
    store: &Store,
    ask: &Ask,
    status: StatusCode,
    work: impl FnOnce(Beside<'_, T>) -> Result<T, Fault>,
) -> Result<Reply, Fault> {
    let keyed = match begin(store, ask, status)? {
        Begun::Again(reply) => return Ok(reply),
        Begun::New(keyed) => keyed,
    };
    let done = work(&mut |done, batch: &mut Batch| match &keyed {
        Some(keyed) => keyed.keep(done, |answered| batch.put(answered)),
        None => Ok(()),
    })?;
    Reply::json(status, &done)
}

/// Does `work` unless it was done under the request's key, and keeps its answer afterwards.
pub(super) fn once_after<T: Serialize>(
    store: &Store,
    ask: &Ask,
    status: StatusCode,
    work: impl FnOnce() -> Result<T, Fault>,
) -> Result<Reply, Fault> {
    let keyed = match begin(store, ask, status)? {
        Begun::Again(reply) => return Ok(reply),
        Begun::New(keyed) => keyed,
    };
    let done = work()?;
    if let Some(keyed) = keyed
        && let Err(error) = keyed.keep(&done, |answered| store.put(answered))
    {
        // It is done: whoever asked is to hear of that, whatever a repetition would come to.
        tracing::warn!("an answer is not remembered: {error}");
    }
    Reply::json(status, &done)
}

/// Whether a request is new.
enum Begun {
    /// It was done before; this was answered.
    Again(Reply),
    /// It is to be done, under a key if it has one.
    New(Option<Keyed>),
}

/// The key of a request that is being worked on.
struct Keyed {
    key: Digest,
    request_sha256: Digest,
    at: Timestamp,
}

impl Keyed {
    /// Puts the answer where it is found again; where it is too long, that there was one.
    fn keep(
        &self,
        done: &impl Serialize,
        mut put: impl FnMut(&Answered) -> Result<(), store::Error>,
    ) -> Result<(), store::Error> {
        let &Self { key, request_sha256, at } = self;
        // Texts, numbers and instants: they can be encoded.
        let body = Some(serde_json::to_string(done).unwrap_or_default());
        match put(&Answered { key, request_sha256, at, body }) {
            Err(store::Error::TooLarge { .. }) => put(&Answered { key, request_sha256, at, body: None }),
            done => done,
        }
    }
}

impl Drop for Keyed {
    fn drop(&mut self) {
        lock(&IN_HAND).remove(&self.key);
        CHANGED.notify_all();
    }
}

fn begin(store: &Store, ask: &Ask, status: StatusCode) -> Result<Begun, Fault> {
    let Some(key) = ask.headers.get(HEADER) else { return Ok(Begun::New(None)) };
    let key = key.to_str().ok().filter(|key| {
        (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let key = key.ok_or_else(|| Fault::bad_request("Idempotency-Key: 1 to 100 visible ASCII characters"))?;
    let key = Digest::of(format!("{}\n{key}", ask.visitor()?.name).as_bytes());
    let asked =
        [ask.method.as_str().as_bytes(), b"\n", ask.path.as_bytes(), b"\n", ask.body.as_slice()].concat();
    let keyed = take(key, Digest::of(&asked), ask.now)?;
    let known = store.get::<Answered>(&key.to_string())?;
    let Some(known) = known.filter(|known| ask.now.as_second() - known.at.as_second() < REMEMBERED_S) else {
        return Ok(Begun::New(Some(keyed)));
    };
    if known.request_sha256 != keyed.request_sha256 {
        return Err(Fault::unfit("Idempotency-Key: it was used for another request; take a new one"));
    }
    let Some(body) = known.body else {
        return Err(Fault::conflict(
            "Idempotency-Key: this request was done, and its answer was too long to be kept; GET /api/v1/cases and \
             /api/v1/documents show what came of it",
        ));
    };
    let value: serde_json::Value = serde_json::from_str(&body).map_err(|error| Fault::internal(&error))?;
    let reply = Reply::json(status, &value)?;
    Ok(Begun::Again(reply.with_text(HeaderName::from_static("idempotent-replayed"), "true")))
}

/// Waits until nobody works on a request with this key, and takes it.
fn take(key: Digest, request_sha256: Digest, at: Timestamp) -> Result<Keyed, Fault> {
    let in_hand = lock(&IN_HAND);
    let waited = CHANGED.wait_timeout_while(in_hand, WAIT, |in_hand| in_hand.contains(&key));
    let (mut in_hand, _) = waited.unwrap_or_else(PoisonError::into_inner);
    if !in_hand.insert(key) {
        let detail = "Idempotency-Key: the first request with it is still being worked on; try again";
        return Err(Fault::conflict(detail));
    }
    Ok(Keyed { key, request_sha256, at })
}

/// Forgets answers that are too old to be asked for again.
pub(in crate::web) fn sweep(store: &Store, now: Timestamp) -> Result<(), store::Error> {
    let mut batch = Batch::new();
    for answered in store.scan::<Answered>("")? {
        let answered = answered?;
        if now.as_second() - answered.at.as_second() >= REMEMBERED_S {
            batch.delete::<Answered>(&answered.key());
        }
    }
    store.commit(batch)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::web::testing::ask;

    #[test]
    fn what_was_done_is_not_done_again_however_long_its_answer() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for (number, length) in [10, 200_000].into_iter().enumerate() {
            for is_beside in [false, true] {
                let mut ask = ask("POST", "/api/v1/notices");
                ask.headers.insert(HEADER, format!("{number}-{is_beside}").parse().unwrap());
                let mut count = 0;
                let mut send = || {
                    let answer = "x".repeat(length);
                    if is_beside {
                        once(&store, &ask, StatusCode::OK, |beside| {
                            count += 1;
                            let mut batch = Batch::new();
                            beside(&answer, &mut batch)?;
                            store.commit(batch)?;
                            Ok(answer)
                        })
                    } else {
                        once_after(&store, &ask, StatusCode::OK, || {
                            count += 1;
                            Ok(answer)
                        })
                    }
                };
                assert_eq!(send().unwrap().status, StatusCode::OK);
                let again = send();
                if length == 10 {
                    assert_eq!(again.unwrap().status, StatusCode::OK);
                } else {
                    let fault = again.err().unwrap();
                    assert_eq!(fault.status, StatusCode::CONFLICT);
                    assert!(fault.detail.contains("was done"), "{}", fault.detail);
                }
                assert_eq!(count, 1);
            }
        }
    }

    #[test]
    fn answers_of_older_versions_are_read() {
        let digest = Digest::of(b"");
        let old = serde_json::json!({
            "key": digest, "request_sha256": digest, "at": "2026-11-26T10:00:00Z", "body": "{}",
        });
        assert_eq!(serde_json::from_value::<Answered>(old).unwrap().body.as_deref(), Some("{}"));
    }
}
