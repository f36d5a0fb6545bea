//! Sessions of browsers: a cookie with a random secret, of which the store keeps the digest.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::secret::{digest_of, new_secret};
use super::{Error, Visitor};
use crate::base::{Digest, Timestamp, lock};
use crate::store::{Record, Store};

/// Seconds without a request after which a session ends.
const IDLE_S: i64 = 12 * 3600;
/// Seconds after which it ends in any case.
pub(super) const LIFE_S: i64 = 7 * 24 * 3600;
/// Seconds after which its cookie is replaced by another.
const ROTATE_S: i64 = 3600;
/// Seconds for which a replaced cookie is still taken: requests that were on their way.
const GRACE_S: i64 = 60;
/// How exactly the last use is known, in seconds: not each request writes.
const SEEN_EVERY_S: i64 = 60;

/// Held by whoever changes sessions.
static TURN: Mutex<()> = Mutex::new(());

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The digest of the cookie's secret.
    pub secret_sha256: Digest,
    /// Whose it is.
    pub account: String,
    /// The account's [`generation`](Account::generation) when it began.
    pub generation: u64,
    /// What forms must send back: another site cannot know it.
    pub csrf: String,
    /// When the person signed in.
    pub began_at: Timestamp,
    /// When this cookie was given out.
    pub issued_at: Timestamp,
    /// When it was used last.
    pub seen_at: Timestamp,
    /// When another cookie took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_at: Option<Timestamp>,
}

impl Record for Session {
    const KIND: &'static str = "session";
    // Whoever loses the last moments signs in again.
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        self.secret_sha256.to_string()
    }
}

/// Begins a session; gives the cookie's secret.
pub(super) fn begin(store: &Store, account: &Account, now: Timestamp) -> Result<(String, Session), Error> {
    let secret = new_secret()?;
    let session = Session {
        secret_sha256: digest_of(&secret),
        account: account.name.clone(),
        generation: account.generation,
        csrf: new_secret()?,
        began_at: now,
        issued_at: now,
        seen_at: now,
        replaced_at: None,
    };
    store.put(&session)?;
    Ok((secret, session))
}

/// Ends a session, whichever of its cookies this is: one that was replaced would else be taken for a while yet.
pub(super) fn end(store: &Store, secret: &str) -> Result<(), Error> {
    let _one_at_a_time = lock(&TURN);
    let Some(shown) = store.get::<Session>(&digest_of(secret).to_string())? else { return Ok(()) };
    let mut batch = crate::store::Batch::new();
    for session in store.scan::<Session>("")? {
        let session = session?;
        // The form token is the session's own, and stays when its cookie is replaced.
        if session.csrf == shown.csrf {
            batch.delete::<Session>(&session.key());
        }
    }
    Ok(store.commit(batch)?)
}

/// Whether a session goes on, which is no use of it.
pub(super) fn goes_on(store: &Store, secret: &str, now: Timestamp) -> Result<bool, Error> {
    let session = store.get::<Session>(&digest_of(secret).to_string())?;
    let Some(session) = session.filter(|session| is_alive(session, now)) else { return Ok(false) };
    Ok(account_of(store, &session)?.is_some())
}

/// The account of a session that nothing was changed of since it began.
fn account_of(store: &Store, session: &Session) -> Result<Option<Account>, Error> {
    let account = store.get::<Account>(&session.account)?;
    Ok(account.filter(|one| !one.is_disabled && one.generation == session.generation))
}

fn remove(store: &Store, secret: &str) -> Result<(), Error> {
    let mut batch = crate::store::Batch::new();
    batch.delete::<Session>(&digest_of(secret).to_string());
    Ok(store.commit(batch)?)
}

/// Who shows this cookie, and another cookie where it is time for one.
pub(super) fn resume(
    store: &Store,
    secret: &str,
    may_rotate: bool,
    now: Timestamp,
) -> Result<Option<(Visitor, Option<String>)>, Error> {
    // Whoever ends a session must not have it written again by a request that was under way.
    let _one_at_a_time = lock(&TURN);
    let Some(mut session) = store.get::<Session>(&digest_of(secret).to_string())? else { return Ok(None) };
    let (Some(account), true) = (account_of(store, &session)?, is_alive(&session, now)) else {
        remove(store, secret)?;
        return Ok(None);
    };
    let visitor = Visitor {
        name: account.name.clone(),
        role: account.role,
        csrf: Some(session.csrf.clone()),
        token_id: None,
    };
    if session.replaced_at.is_some() {
        return Ok(Some((visitor, None)));
    }
    if may_rotate && seconds(session.issued_at, now) >= ROTATE_S {
        return Ok(Some((visitor, Some(rotate(store, session, now)?))));
    }
    if seconds(session.seen_at, now) >= SEEN_EVERY_S {
        session.seen_at = now;
        store.put(&session)?;
    }
    Ok(Some((visitor, None)))
}

/// Gives a session another secret; the form token stays, for pages that are open.
fn rotate(store: &Store, mut old: Session, now: Timestamp) -> Result<String, Error> {
    let secret = new_secret()?;
    let new = Session { secret_sha256: digest_of(&secret), issued_at: now, seen_at: now, ..old.clone() };
    old.replaced_at = Some(now);
    let mut batch = crate::store::Batch::new();
    batch.put(&old)?;
    batch.put(&new)?;
    store.commit(batch)?;
    Ok(secret)
}

fn is_alive(session: &Session, now: Timestamp) -> bool {
    // A clock that was set back must not lengthen a life: what lies in the future is over too.
    let within = |since: Timestamp, most: i64| (-SEEN_EVERY_S..most).contains(&seconds(since, now));
    within(session.seen_at, IDLE_S)
        && within(session.began_at, LIFE_S)
        && session.replaced_at.is_none_or(|at| within(at, GRACE_S))
}

fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second() - from.as_second()
}

/// Removes the sessions that are over; for the service's start and now and then.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn sweep(store: &Store, now: Timestamp) -> Result<(), Error> {
    let mut batch = crate::store::Batch::new();
    for session in store.scan::<Session>("")? {
        let session = session?;
        if !is_alive(&session, now) {
            batch.delete::<Session>(&session.key());
        }
    }
    Ok(store.commit(batch)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::web::access::Role;
    use crate::web::access::account::{AccountChange, change, create};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn store_with_account() -> (tempfile::TempDir, Store, Account) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let account = create(&store, ("mika", Role::Admin, "correct horse battery"), "setup", at(0)).unwrap();
        (folder, store, account)
    }

    #[test]
    fn a_session_ends_by_idleness_age_and_sign_out() {
        let (_folder, store, account) = store_with_account();
        let (secret, _) = begin(&store, &account, at(0)).unwrap();
        assert_eq!(resume(&store, &secret, true, at(10)).unwrap().unwrap().0.name, "mika");
        assert!(resume(&store, "guessed", true, at(10)).unwrap().is_none());
        end(&store, &secret).unwrap();
        assert!(resume(&store, &secret, true, at(11)).unwrap().is_none());
        let (secret, _) = begin(&store, &account, at(0)).unwrap();
        assert!(resume(&store, &secret, true, at(IDLE_S)).unwrap().is_none());
        let (mut secret, _) = begin(&store, &account, at(0)).unwrap();
        let mut now = 0;
        let ended = loop {
            now += 1800;
            match resume(&store, &secret, true, at(now)).unwrap() {
                Some((_, Some(next))) => secret = next,
                Some((_, None)) => {}
                None => break now,
            }
        };
        assert_eq!(ended, LIFE_S);
        assert_eq!(store.count::<Session>().unwrap(), now as usize / 3600 - 1);
        sweep(&store, at(LIFE_S)).unwrap();
        assert_eq!(store.count::<Session>().unwrap(), 0);
    }

    #[test]
    fn cookies_are_rotated_and_the_old_one_dies() {
        let (_folder, store, account) = store_with_account();
        let (old, session) = begin(&store, &account, at(0)).unwrap();
        let (visitor, new) = resume(&store, &old, true, at(ROTATE_S)).unwrap().unwrap();
        assert_eq!(visitor.csrf.as_deref(), Some(session.csrf.as_str()));
        let new = new.unwrap();
        assert_ne!(new, old);
        // What was on its way with the old cookie is still answered, and gets no third one.
        let (_, none) = resume(&store, &old, true, at(ROTATE_S + GRACE_S - 1)).unwrap().unwrap();
        assert!(none.is_none());
        assert!(resume(&store, &old, true, at(ROTATE_S + GRACE_S)).unwrap().is_none());
        assert!(resume(&store, &new, true, at(ROTATE_S + GRACE_S)).unwrap().is_some());
    }

    #[test]
    fn signing_out_ends_all_cookies_of_a_session() {
        let (_folder, store, account) = store_with_account();
        let (other, _) = begin(&store, &account, at(0)).unwrap();
        for with_old in [false, true] {
            let (old, _) = begin(&store, &account, at(0)).unwrap();
            let new = resume(&store, &old, true, at(ROTATE_S)).unwrap().unwrap().1.unwrap();
            assert!(
                goes_on(&store, &old, at(ROTATE_S)).unwrap() && goes_on(&store, &new, at(ROTATE_S)).unwrap()
            );
            end(&store, if with_old { &old } else { &new }).unwrap();
            for cookie in [&old, &new] {
                assert!(!goes_on(&store, cookie, at(ROTATE_S)).unwrap());
                assert!(resume(&store, cookie, true, at(ROTATE_S)).unwrap().is_none());
            }
        }
        // Another browser's session is another.
        assert!(goes_on(&store, &other, at(ROTATE_S)).unwrap());
        assert!(!goes_on(&store, &other, at(IDLE_S)).unwrap());
    }

    #[test]
    fn a_changed_account_ends_its_sessions() {
        let (_folder, store, account) = store_with_account();
        create(&store, ("jun", Role::Admin, "correct horse battery"), "setup", at(0)).unwrap();
        let (secret, _) = begin(&store, &account, at(0)).unwrap();
        let weaker = AccountChange { role: Some(Role::Viewer), ..AccountChange::default() };
        change(&store, "mika", &weaker, "jun", at(1)).unwrap();
        assert!(!goes_on(&store, &secret, at(2)).unwrap());
        assert!(resume(&store, &secret, true, at(2)).unwrap().is_none());
    }
}
