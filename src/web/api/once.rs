//! Writes that are done once, however often they are sent: a client whose connection broke sends the same again.
//!
//! After the header field `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). [`once`] is for what is done by one
//! commit: its answer is in the same batch, so that it is there exactly when the change is. [`once_after`] is for what also
//! writes files or tells a thread: its answer is kept when that is done, and where the process dies between, a repeated request
//! is done again.

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
    /// The answer's JSON.
    body: String,
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
        Some(keyed) => batch.put(&keyed.answered(done)),
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
        && let Err(error) = store.put(&keyed.answered(&done))
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
    fn answered(&self, done: &impl Serialize) -> Answered {
        let &Self { key, request_sha256, at } = self;
        // Texts, numbers and instants: they can be encoded.
        Answered { key, request_sha256, at, body: serde_json::to_string(done).unwrap_or_default() }
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
    let value: serde_json::Value =
        serde_json::from_str(&known.body).map_err(|error| Fault::internal(&error))?;
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
