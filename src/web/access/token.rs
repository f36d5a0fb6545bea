//! Tokens of programs that use the API.

use serde::{Deserialize, Serialize};

use super::account::Account;
use super::secret::{digest_of, is_same, new_secret};
use super::{Error, Role, Visitor};
use crate::base::{Digest, Timestamp};
use crate::evidence::log::{Log, NewEntry};
use crate::store::{Batch, Record, Store};

/// What a token's text begins with, so that scanners for leaked secrets know it.
const PREFIX: &str = "earwitness_";
/// Characters of a token's identifier.
const ID_CHARS: usize = 10;
/// The longest name of a token, in characters.
const NAME_CHARS_MAX: usize = 100;

/// A token; the secret itself is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its identifier; the token's text is `earwitness_ID_SECRET`.
    pub token_id: String,
    /// What it is for, in its owner's words.
    pub name: String,
    /// Whose it is: it can do no more than they can.
    pub account: String,
    /// What it may do.
    pub role: Role,
    /// The digest of its secret.
    pub secret_sha256: Digest,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl Record for Token {
    const KIND: &'static str = "token";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.token_id.clone()
    }
}

/// What a new token is to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// See [`Token::name`].
    pub name: String,
    /// See [`Token::role`].
    pub role: Role,
    /// See [`Token::expires_at`].
    pub expires_at: Option<Timestamp>,
}

/// Makes a token for whoever asks; gives its text, which is nowhere kept.
///
/// # Errors
/// [`Error::Name`] for a name of no use, [`Error::TooMuch`] for a role that `by` does not have; [`Error::Store`] when the
/// store fails.
pub fn create_token(
    store: &Store,
    new: &NewToken,
    by: &Visitor,
    now: Timestamp,
) -> Result<(String, Token), Error> {
    let name = new.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(Error::Name { name: name.chars().take(NAME_CHARS_MAX).collect() });
    }
    if by.token_id.is_some() {
        // One that leaked must not outlive its end by another.
        return Err(Error::ByToken);
    }
    if new.role > by.role {
        return Err(Error::TooMuch { has: by.role, wants: new.role });
    }
    let secret = new_secret()?;
    // Of another secret: the identifier must tell nothing of this one.
    let token_id: String = digest_of(&new_secret()?).to_string().chars().take(ID_CHARS).collect();
    let token = Token {
        token_id,
        name,
        account: by.name.clone(),
        role: new.role,
        secret_sha256: digest_of(&secret),
        created_at: now,
        expires_at: new.expires_at,
        revoked_at: None,
    };
    put(store, &token, &by.name, now, &format!("made, {}: {}", token.role, token.name))?;
    Ok((format!("{PREFIX}{}_{secret}", token.token_id), token))
}

/// Takes a token back. Its owner may, and an admin.
///
/// # Errors
/// [`Error::NoToken`] where there is none, or it is somebody else's; [`Error::Store`] when the store fails.
pub fn revoke_token(store: &Store, token_id: &str, by: &Visitor, now: Timestamp) -> Result<Token, Error> {
    if by.token_id.as_ref().is_some_and(|own| own != token_id) && by.role != Role::Admin {
        return Err(Error::ByToken);
    }
    let token = store.get::<Token>(token_id)?;
    let token = token.filter(|token| token.account == by.name || by.role == Role::Admin);
    let mut token = token.ok_or_else(|| Error::NoToken(token_id.chars().take(ID_CHARS).collect()))?;
    if token.revoked_at.is_none() {
        token.revoked_at = Some(now);
        put(store, &token, &by.name, now, "taken back")?;
    }
    Ok(token)
}

/// Returns the tokens that `by` may see: their own, or all for an admin.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn tokens(store: &Store, by: &Visitor) -> Result<Vec<Token>, Error> {
    let mut seen = Vec::new();
    for token in store.scan::<Token>("")? {
        let token = token?;
        if token.account == by.name || by.role == Role::Admin {
            seen.push(token);
        }
    }
    Ok(seen)
}

/// Who shows this token; nobody where it is not one, or no longer.
pub(super) fn bearer(store: &Store, text: &str, now: Timestamp) -> Result<Option<Visitor>, Error> {
    let Some((token_id, secret)) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')) else {
        return Ok(None);
    };
    if token_id.len() != ID_CHARS || !token_id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let Some(token) = store.get::<Token>(token_id)? else { return Ok(None) };
    let is_right = is_same(&token.secret_sha256.to_string(), &digest_of(secret).to_string());
    let is_over = token.revoked_at.is_some() || token.expires_at.is_some_and(|at| at <= now);
    if !is_right || is_over {
        return Ok(None);
    }
    let account = store.get::<Account>(&token.account)?.filter(|account| !account.is_disabled);
    Ok(account.map(|account| Visitor {
        name: account.name,
        role: token.role.min(account.role),
        csrf: None,
        token_id: Some(token.token_id),
    }))
}

fn put(store: &Store, token: &Token, actor: &str, at: Timestamp, note: &str) -> Result<(), Error> {
    let mut log = Log::open(store)?;
    let mut batch = Batch::new();
    batch.put(token)?;
    let subject = format!("token {}", token.token_id);
    let entry = NewEntry { at, what: "token", subject: &subject, actor, sha256: None, note };
    log.add(&mut batch, &entry)?;
    Ok(store.commit(batch)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::web::access::account::{AccountChange, change, create};

    #[test]
    fn a_token_can_do_no_more_than_its_owner_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let later = Timestamp::from_second(1_800_000_060).unwrap();
        let long = "correct horse battery";
        create(&store, ("jun", Role::Admin, long), "setup", now).unwrap();
        create(&store, ("mika", Role::Legal, long), "jun", now).unwrap();
        let visitor = |name: &str, role| Visitor { name: name.to_owned(), role, csrf: None, token_id: None };
        let mika = visitor("mika", Role::Legal);
        let new = |role, expires_at| NewToken { name: "nightly".to_owned(), role, expires_at };
        assert!(matches!(
            create_token(&store, &new(Role::Admin, None), &mika, now),
            Err(Error::TooMuch { .. })
        ));
        let (text, token) = create_token(&store, &new(Role::Legal, None), &mika, now).unwrap();
        let stored = serde_json::to_string(&token).unwrap();
        // `earwitness`, the identifier, and the secret, which may hold the sign that parts them.
        let secret = text.splitn(3, '_').nth(2).unwrap();
        assert!(secret.len() > 30 && !stored.contains(secret), "{}", secret.len());
        assert_eq!(bearer(&store, &text, now).unwrap().unwrap().role, Role::Legal);
        let other = format!("{}x", &text[..text.len() - 1]);
        assert!(bearer(&store, &other, now).unwrap().is_none());
        for odd in ["", "earwitness_", "earwitness__", "earwitness_\u{0}_x", "earwitness_0123456789_"] {
            assert!(bearer(&store, odd, now).unwrap().is_none());
        }
        let weaker = AccountChange { role: Some(Role::Viewer), ..AccountChange::default() };
        change(&store, "mika", &weaker, "jun", now).unwrap();
        assert_eq!(bearer(&store, &text, now).unwrap().unwrap().role, Role::Viewer);
        let (short, _) = create_token(&store, &new(Role::Viewer, Some(later)), &mika, now).unwrap();
        assert!(bearer(&store, &short, now).unwrap().is_some());
        assert!(bearer(&store, &short, later).unwrap().is_none());
        let stranger = visitor("stranger", Role::Legal);
        assert!(matches!(revoke_token(&store, &token.token_id, &stranger, now), Err(Error::NoToken(_))));
        revoke_token(&store, &token.token_id, &visitor("jun", Role::Admin), now).unwrap();
        assert!(bearer(&store, &text, now).unwrap().is_none());
        assert_eq!(tokens(&store, &stranger).unwrap().len(), 0);
        assert_eq!(tokens(&store, &mika).unwrap().len(), 2);
    }
}
