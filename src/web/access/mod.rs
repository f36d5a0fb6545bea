//! Who is there, and may they? Accounts with roles, sessions of browsers, tokens of programs, and what keeps others out.
//!
//! - [`Role`], [`Access`]: what an account may do, what a route asks.
//! - [`Account`], [`create`], [`change`], [`accounts`]: people.
//! - [`Session`]: their browsers. [`Token`], [`create_token`], [`revoke_token`], [`tokens`]: their programs.
//! - [`Visitor`]: who made a request.
//! - [`Throttle`]: how often anybody may knock.
//!
//! Every change stands in the operation log. Secrets are kept as digests alone.

mod account;
mod password;
mod role;
mod secret;
mod session;
mod throttle;
mod token;

use std::net::IpAddr;

pub use account::{Account, AccountChange, accounts, change, create, has_accounts};
pub use role::{Access, Role};
pub use session::{Session, sweep};
use throttle::Locked;
pub use throttle::{Throttle, network};
pub use token::{NewToken, Token, create_token, revoke_token, tokens};

use crate::base::Timestamp;
use crate::evidence;
use crate::evidence::log::{self, NewEntry};
use crate::store::{self, Kinds, Store};

/// Seconds that a session's cookie lives in the browser.
pub(super) const COOKIE_LIFE_S: i64 = session::LIFE_S;

/// What can go wrong with accounts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The operation log does not work.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// A name that cannot be one.
    #[error(
        "`{name}` is no name: it needs 1 to 60 letters, digits, spaces, or . _ - @, and is not `earwitness`"
    )]
    Name {
        /// What was given, shortened.
        name: String,
    },
    /// A password that is too weak.
    #[error("the password will not do: {what}")]
    Password {
        /// Why.
        what: String,
    },
    /// There is an account of this name.
    #[error("there is an account `{0}` already")]
    Taken(String),
    /// There is none.
    #[error("there is no account `{0}`")]
    NoAccount(String),
    /// There is no such token, for this visitor.
    #[error("there is no token `{0}`")]
    NoToken(String),
    /// Without it nobody could make accounts.
    #[error("`{0}` is the last admin who can sign in; make another one first")]
    LastAdmin(String),
    /// A program with a token wants what only people do.
    #[error("a token cannot do that; sign in in a browser")]
    ByToken,
    /// A role beyond one's own.
    #[error("your role is {has}; a token cannot be {wants}")]
    TooMuch {
        /// What they have.
        has: Role,
        /// What they want.
        wants: Role,
    },
    /// Too many attempts.
    #[error("too many attempts; try again in {wait_s} s")]
    Wait {
        /// Seconds.
        wait_s: u64,
    },
    /// Wrong name or password; which of them is not told.
    #[error("name or password is wrong")]
    Wrong,
}

/// Who made a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The account's name.
    pub name: String,
    /// What they may do in this request.
    pub role: Role,
    /// What their forms must send back; none for programs with a token, whom no other site can make send anything.
    pub csrf: Option<String>,
    /// The token they showed.
    pub token_id: Option<String>,
}

impl Visitor {
    /// Whether a form's token is this session's.
    #[must_use]
    pub fn knows(&self, csrf: &str) -> bool {
        self.csrf.as_deref().is_some_and(|own| secret::is_same(own, csrf))
    }
}

/// Adds this room's kinds of record to those that an import knows. Sessions are not among them.
#[must_use]
pub fn with_kinds(kinds: Kinds) -> Kinds {
    kinds.with::<Account>().with::<Token>()
}

/// Signs somebody in; gives the secret for their cookie. An old session of the same browser ends.
///
/// # Errors
/// [`Error::Wait`] after too many attempts, [`Error::Wrong`] for a wrong name or password; [`Error::Store`] when the store
/// fails.
pub fn sign_in(
    store: &Store,
    throttle: &Throttle,
    (name, password, old): (&str, &str, Option<&str>),
    client: IpAddr,
    now: Timestamp,
) -> Result<(String, Session), Error> {
    let name: String = name.trim().chars().take(100).collect();
    throttle.sign_in(client, &name, now).map_err(|wait_s| Error::Wait { wait_s })?;
    let account = if name.is_empty() { None } else { store.get::<Account>(&name)? };
    let hashed =
        account.as_ref().filter(|account| !account.is_disabled).map(|account| account.password.as_str());
    if !password::is_right(password, hashed) {
        match throttle.failed(client, &name, now) {
            Some(locked) if account.is_some() => tell_lock(store, &name, locked, client, now)?,
            // Names that nobody has are without number, and the log is kept for ever.
            Some(_) => tracing::info!("a name that is no account is locked for {client}"),
            None => {}
        }
        return Err(Error::Wrong);
    }
    let account = account.ok_or(Error::Wrong)?;
    throttle.succeeded(client, &name, now);
    if let Some(old) = old {
        session::end(store, old)?;
    }
    let subject = format!("account {name}");
    let note = format!("from {client}");
    log::append(
        store,
        &NewEntry { at: now, what: "sign-in", subject: &subject, actor: &name, sha256: None, note: &note },
    )?;
    session::begin(store, &account, now)
}

/// Writes into the operation log what failed attempts have led to.
fn tell_lock(store: &Store, name: &str, locked: Locked, client: IpAddr, at: Timestamp) -> Result<(), Error> {
    let note = match locked {
        Locked::Here(lock_s) => format!("locked for {lock_s} s after failed attempts from {client}"),
        Locked::Everywhere(_) => {
            format!(
                "locked but for where it was signed in from, after failed attempts of many, the last from {client}"
            )
        }
    };
    let subject = format!("account {name}");
    let actor = "earwitness";
    log::append(store, &NewEntry { at, what: "lock", subject: &subject, actor, sha256: None, note: &note })?;
    Ok(())
}

/// Ends the session of a cookie, whether another cookie has taken its place meanwhile or it has taken another's.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn sign_out(store: &Store, secret: &str) -> Result<(), Error> {
    session::end(store, secret)
}

/// Who shows this cookie.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn by_cookie(store: &Store, secret: &str, now: Timestamp) -> Result<Option<Visitor>, Error> {
    session::resume(store, secret, now)
}

/// Who has the session with the form token `csrf` by now, of which this cookie was shown a while ago; nobody where it has
/// ended.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn by_session(store: &Store, secret: &str, csrf: &str, now: Timestamp) -> Result<Option<Visitor>, Error> {
    session::holder(store, secret, csrf, now)
}

/// Another secret for a session's cookie, where it is time for one; the old one dies a minute later.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn renew_cookie(store: &Store, secret: &str, now: Timestamp) -> Result<Option<String>, Error> {
    session::renew(store, secret, now)
}

/// Whether a session goes on that showed this cookie, which is no use of it.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn goes_on(store: &Store, secret: &str, now: Timestamp) -> Result<bool, Error> {
    session::goes_on(store, secret, now)
}

/// Who shows this token.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn by_token(store: &Store, text: &str, now: Timestamp) -> Result<Option<Visitor>, Error> {
    token::bearer(store, text, now)
}

/// Counts a request of an address, of which `a_second` are allowed, any number where that is 0.
///
/// # Errors
/// How many seconds to wait where it has made too many.
pub fn knock(throttle: &Throttle, client: IpAddr, a_second: u32, now: Timestamp) -> Result<(), u64> {
    throttle.request(client, a_second, now)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_strangers_make_up_does_not_fill_the_operation_log() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        create(&store, ("mika", Role::Admin, "correct horse battery"), "setup", now).unwrap();
        let throttle = Throttle::default();
        let client = IpAddr::from([192, 0, 2, 1]);
        for name in ["mika", "nobody"] {
            for _ in 0..5 {
                let tried = sign_in(&store, &throttle, (name, "a wrong guess", None), client, now);
                assert!(matches!(tried, Err(Error::Wrong)));
            }
            let tried = sign_in(&store, &throttle, (name, "a wrong guess", None), client, now);
            assert!(matches!(tried, Err(Error::Wait { .. })), "{name} is locked");
        }
        let notes = |name: &str| log::entries_about(&store, &format!("account {name}")).unwrap();
        assert_eq!(notes("mika").iter().filter(|entry| entry.what == "lock").count(), 1);
        assert!(notes("nobody").is_empty());
    }
}
