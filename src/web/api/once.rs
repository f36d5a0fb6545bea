//! Writes that are done once, however often they are sent: a client whose connection broke sends the same again.
//!
//! After the header field `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).

use std::sync::Mutex;

use axum::http::{HeaderName, StatusCode};
use serde::{Deserialize, Serialize};

use crate::base::{Digest, Timestamp, lock};
use crate::store::{self, Batch, Record, Store};
use crate::web::ask::Ask;
use crate::web::desk::Done;
use crate::web::fault::Fault;
use crate::web::reply::Reply;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key.
const KEY_BYTES_MAX: usize = 100;
/// Seconds for which an answer is remembered.
const REMEMBERED_S: i64 = 24 * 3600;

/// Of two requests with one key the second waits for the first.
static TURN: Mutex<()> = Mutex::new(());

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
pub(super) fn once(
    store: &Store,
    ask: &Ask,
    work: impl FnOnce(&mut dyn FnMut(&Done, &mut Batch) -> Result<(), store::Error>) -> Result<Done, Fault>,
) -> Result<Reply, Fault> {
    let Some(key) = ask.headers.get(HEADER) else {
        return Reply::json(StatusCode::OK, &work(&mut |_, _| Ok(()))?);
    };
    let key = key.to_str().ok().filter(|key| {
        (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let key = key.ok_or_else(|| Fault::bad_request("Idempotency-Key: 1 to 100 visible ASCII characters"))?;
    let key = Digest::of(format!("{}\n{key}", ask.visitor()?.name).as_bytes());
    let asked =
        [ask.method.as_str().as_bytes(), b"\n", ask.path.as_bytes(), b"\n", ask.body.as_slice()].concat();
    let request_sha256 = Digest::of(&asked);
    let _one_at_a_time = lock(&TURN);
    if let Some(known) = store.get::<Answered>(&key.to_string())?
        && ask.now.as_second() - known.at.as_second() < REMEMBERED_S
    {
        if known.request_sha256 != request_sha256 {
            return Err(Fault::unfit("Idempotency-Key: it was used for another request; take a new one"));
        }
        let value: serde_json::Value =
            serde_json::from_str(&known.body).map_err(|error| Fault::internal(&error))?;
        return Ok(Reply::json(StatusCode::OK, &value)?
            .with_text(HeaderName::from_static("idempotent-replayed"), "true"));
    }
    let done = work(&mut |done, batch| {
        // Texts and an instant: they can be encoded.
        let body = serde_json::to_string(done).unwrap_or_default();
        batch.put(&Answered { key, request_sha256, at: ask.now, body })
    })?;
    Reply::json(StatusCode::OK, &done)
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
