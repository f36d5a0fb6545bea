//! Accounts of people.

use serde::{Deserialize, Serialize};

use super::{Error, Role, password};
use crate::base::Timestamp;
use crate::evidence::log::{Log, NewEntry};
use crate::store::{Batch, Record, Store};

/// The longest name of an account, in characters.
const NAME_CHARS_MAX: usize = 60;

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What they sign in as; stands in the histories of cases.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Argon2id of the password, in its usual text form.
    pub password: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether they may sign in no more.
    #[serde(default)]
    pub is_disabled: bool,
    /// Counts changes of password, role and standing: sessions from before one end with it.
    #[serde(default)]
    pub generation: u64,
}

impl Record for Account {
    const KIND: &'static str = "account";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// What is to be changed of an account.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// Another role.
    pub role: Option<Role>,
    /// Another password.
    pub password: Option<String>,
    /// Whether it is disabled.
    pub is_disabled: Option<bool>,
}

/// Whether there is any account: before that, the first one can be made from this machine.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn has_accounts(store: &Store) -> Result<bool, Error> {
    Ok(store.scan::<Account>("")?.next().transpose()?.is_some())
}

/// Returns all accounts by name.
///
/// # Errors
/// [`Error::Store`] when the store fails.
pub fn accounts(store: &Store) -> Result<Vec<Account>, Error> {
    Ok(store.scan::<Account>("")?.collect::<Result<_, _>>()?)
}

/// Makes an account.
///
/// # Errors
/// [`Error::Name`], [`Error::Password`], [`Error::Taken`]; [`Error::Store`] when the store fails.
pub fn create(
    store: &Store,
    (name, role, password): (&str, Role, &str),
    by: &str,
    now: Timestamp,
) -> Result<Account, Error> {
    let name = checked_name(name)?;
    password::check(password, &name)?;
    let password = password::hash(password)?;
    let account = Account { name, role, password, created_at: now, is_disabled: false, generation: 0 };
    let mut log = Log::open(store)?;
    if store.get::<Account>(&account.name)?.is_some() {
        return Err(Error::Taken(account.name));
    }
    let note = format!("made, {role}");
    put(store, &mut log, &account, (by, now, &note))?;
    Ok(account)
}

/// Changes an account. The last admin who can sign in stays one.
///
/// # Errors
/// [`Error::NoAccount`], [`Error::Password`], [`Error::LastAdmin`]; [`Error::Store`] when the store fails.
pub fn change(
    store: &Store,
    name: &str,
    change: &AccountChange,
    by: &str,
    now: Timestamp,
) -> Result<Account, Error> {
    // Hashing takes its time: before the log is held.
    let hashed = match &change.password {
        Some(password) => {
            password::check(password, name)?;
            Some(password::hash(password)?)
        }
        None => None,
    };
    let mut log = Log::open(store)?;
    let before = store.get::<Account>(name)?.ok_or_else(|| Error::NoAccount(name.to_owned()))?;
    let mut account = before.clone();
    account.role = change.role.unwrap_or(before.role);
    account.is_disabled = change.is_disabled.unwrap_or(before.is_disabled);
    if let Some(hashed) = hashed {
        account.password = hashed;
    }
    if account == before {
        return Ok(account);
    }
    let is_admin = |account: &Account| account.role == Role::Admin && !account.is_disabled;
    if is_admin(&before)
        && !is_admin(&account)
        && accounts(store)?.iter().filter(|one| is_admin(one)).count() < 2
    {
        return Err(Error::LastAdmin(name.to_owned()));
    }
    account.generation += 1;
    let told = [
        (account.role != before.role).then(|| format!("role {} → {}", before.role, account.role)),
        (account.is_disabled != before.is_disabled)
            .then(|| if account.is_disabled { "disabled" } else { "enabled" }.to_owned()),
        (account.password != before.password).then(|| "another password".to_owned()),
    ];
    let note = told.into_iter().flatten().collect::<Vec<_>>().join(", ");
    put(store, &mut log, &account, (by, now, &note))?;
    Ok(account)
}

fn put(
    store: &Store,
    log: &mut Log,
    account: &Account,
    (actor, at, note): (&str, Timestamp, &str),
) -> Result<(), Error> {
    let mut batch = Batch::new();
    batch.put(account)?;
    let subject = format!("account {}", account.name);
    let entry = NewEntry { at, what: "account", subject: &subject, actor, sha256: None, note };
    log.add(&mut batch, &entry)?;
    Ok(store.commit(batch)?)
}

/// A name without outer white space: letters, digits and `. _ - @`, so that it can be told from another.
fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    let is_fit = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | ' ');
    let count = name.chars().count();
    if count == 0 || count > NAME_CHARS_MAX || !name.chars().all(is_fit) || name == "earwitness" {
        return Err(Error::Name { name: name.chars().take(NAME_CHARS_MAX).collect() });
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::evidence::log;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const LONG: &str = "correct horse battery";

    #[test]
    fn accounts_are_made_and_changed_and_the_log_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(!has_accounts(&store).unwrap());
        create(&store, ("mika", Role::Admin, LONG), "setup", NOW).unwrap();
        assert!(has_accounts(&store).unwrap());
        assert!(matches!(create(&store, ("mika", Role::Viewer, LONG), "mika", NOW), Err(Error::Taken(_))));
        for name in ["", "a\u{202e}b", "x\ny", "earwitness", &"n".repeat(61)] {
            assert!(matches!(
                create(&store, (name, Role::Viewer, LONG), "mika", NOW),
                Err(Error::Name { .. })
            ));
        }
        let weaker = AccountChange { role: Some(Role::Viewer), ..AccountChange::default() };
        assert!(matches!(change(&store, "mika", &weaker, "mika", NOW), Err(Error::LastAdmin(_))));
        create(&store, ("jun", Role::Admin, LONG), "mika", NOW).unwrap();
        let changed = change(&store, "mika", &weaker, "jun", NOW).unwrap();
        assert_eq!((changed.role, changed.generation), (Role::Viewer, 1));
        let notes: Vec<_> = log::entries_about(&store, "account mika").unwrap();
        let notes: Vec<_> = notes.iter().map(|one| (one.actor.as_str(), one.note.as_str())).collect();
        assert_eq!(notes, [("setup", "made, admin"), ("jun", "role admin → viewer")]);
    }
}
