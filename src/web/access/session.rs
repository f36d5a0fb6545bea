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

/// Who shows this cookie.
pub(super) fn resume(store: &Store, secret: &str, now: Timestamp) -> Result<Option<Visitor>, Error> {
    // Whoever ends a session must not have it written again by a request that was under way.
    let _one_at_a_time = lock(&TURN);
    let Some(mut session) = store.get::<Session>(&digest_of(secret).to_string())? else { return Ok(None) };
    let (Some(account), true) = (account_of(store, &session)?, is_alive(&session, now)) else {
        remove(store, secret)?;
        return Ok(None);
    };
    let visitor = visitor(account, &session);
    if session.replaced_at.is_none() && seconds(session.seen_at, now) >= SEEN_EVERY_S {
        session.seen_at = now;
        store.put(&session)?;
    }
    Ok(Some(visitor))
}

fn visitor(account: Account, session: &Session) -> Visitor {
    Visitor { name: account.name, role: account.role, csrf: Some(session.csrf.clone()), token_id: None }
}

/// Who has the session with this form token, which is no use of it. Its cookie may have been replaced while a long request
/// was under way that showed it.
pub(super) fn holder(
    store: &Store,
    secret: &str,
    csrf: &str,
    now: Timestamp,
) -> Result<Option<Visitor>, Error> {
    let goes_on = |session: &Session| session.csrf == csrf && is_alive(session, now);
    let mut found = store.get::<Session>(&digest_of(secret).to_string())?.filter(goes_on);
    if found.is_none() {
        for session in store.scan::<Session>("")? {
            found = Some(session?).filter(goes_on);
            if found.is_some() {
                break;
            }
        }
    }
    let Some(session) = found else { return Ok(None) };
    Ok(account_of(store, &session)?.map(|account| visitor(account, &session)))
}

/// Gives a session another secret where it is time for one; the form token stays, for pages that are open. To be called where
/// the secret surely goes out with an answer: the old one dies.
pub(super) fn renew(store: &Store, secret: &str, now: Timestamp) -> Result<Option<String>, Error> {
    let _one_at_a_time = lock(&TURN);
    let old = store.get::<Session>(&digest_of(secret).to_string())?;
    let is_time = |session: &Session| {
        session.replaced_at.is_none() && is_alive(session, now) && seconds(session.issued_at, now) >= ROTATE_S
    };
    let Some(mut old) = old.filter(is_time) else { return Ok(None) };
    let secret = new_secret()?;
    let new = Session { secret_sha256: digest_of(&secret), issued_at: now, seen_at: now, ..old.clone() };
    old.replaced_at = Some(now);
    let mut batch = crate::store::Batch::new();
    batch.put(&old)?;
    batch.put(&new)?;
    store.commit(batch)?;
    Ok(Some(secret))
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
        assert_eq!(resume(&store, &secret, at(10)).unwrap().unwrap().name, "mika");
        assert!(resume(&store, "guessed", at(10)).unwrap().is_none());
        end(&store, &secret).unwrap();
        assert!(resume(&store, &secret, at(11)).unwrap().is_none());
        let (secret, _) = begin(&store, &account, at(0)).unwrap();
        assert!(resume(&store, &secret, at(IDLE_S)).unwrap().is_none());
        let (mut secret, _) = begin(&store, &account, at(0)).unwrap();
        let mut now = 0;
        let ended = loop {
            now += 1800;
            if resume(&store, &secret, at(now)).unwrap().is_none() {
                break now;
            }
            if let Some(next) = renew(&store, &secret, at(now)).unwrap() {
                secret = next;
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
        assert!(renew(&store, &old, at(ROTATE_S - 1)).unwrap().is_none());
        let new = renew(&store, &old, at(ROTATE_S)).unwrap().unwrap();
        assert_ne!(new, old);
        let visitor = resume(&store, &new, at(ROTATE_S)).unwrap().unwrap();
        assert_eq!(visitor.csrf.as_deref(), Some(session.csrf.as_str()));
        // What was on its way with the old cookie is still answered, and gets no third one.
        assert!(resume(&store, &old, at(ROTATE_S + GRACE_S - 1)).unwrap().is_some());
        assert!(renew(&store, &old, at(ROTATE_S + GRACE_S - 1)).unwrap().is_none());
        // What took longer is known by its session, for as long as that goes on.
        let late = at(ROTATE_S + GRACE_S);
        assert_eq!(holder(&store, &old, &session.csrf, late).unwrap(), Some(visitor));
        assert!(holder(&store, &old, "another", late).unwrap().is_none());
        assert!(resume(&store, &old, late).unwrap().is_none());
        assert!(resume(&store, &new, late).unwrap().is_some());
        assert!(holder(&store, &old, &session.csrf, late).unwrap().is_some());
        end(&store, &new).unwrap();
        assert!(holder(&store, &old, &session.csrf, late).unwrap().is_none());
    }

    #[test]
    fn signing_out_ends_all_cookies_of_a_session() {
        let (_folder, store, account) = store_with_account();
        let (other, _) = begin(&store, &account, at(0)).unwrap();
        for with_old in [false, true] {
            let (old, _) = begin(&store, &account, at(0)).unwrap();
            let new = renew(&store, &old, at(ROTATE_S)).unwrap().unwrap();
            assert!(
                goes_on(&store, &old, at(ROTATE_S)).unwrap() && goes_on(&store, &new, at(ROTATE_S)).unwrap()
            );
            end(&store, if with_old { &old } else { &new }).unwrap();
            for cookie in [&old, &new] {
                assert!(!goes_on(&store, cookie, at(ROTATE_S)).unwrap());
                assert!(resume(&store, cookie, at(ROTATE_S)).unwrap().is_none());
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
        let (secret, session) = begin(&store, &account, at(0)).unwrap();
        let weaker = AccountChange { role: Some(Role::Viewer), ..AccountChange::default() };
        change(&store, "mika", &weaker, "jun", at(1)).unwrap();
        assert!(!goes_on(&store, &secret, at(2)).unwrap());
        assert!(holder(&store, &secret, &session.csrf, at(2)).unwrap().is_none());
        assert!(resume(&store, &secret, at(2)).unwrap().is_none());
    }
}
