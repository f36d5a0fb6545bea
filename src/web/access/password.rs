//! Passwords, kept as Argon2id (RFC 9106) in the text form of its reference implementation.

use std::sync::Mutex;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use super::Error;
use crate::base::lock;

/// The shortest password, in characters (NIST SP 800-63B-4 asks 15 where it stands alone).
pub(super) const CHARS_MIN: usize = 15;
/// The longest, in bytes: hashing must not be made to work for nothing.
pub(super) const BYTES_MAX: usize = 1024;

/// 19 MiB, two passes, one lane: what OWASP's password storage cheat sheet asks of Argon2id.
const MEMORY_KIB: u32 = 19 << 10;
const PASSES: u32 = 2;

/// One hash at a time: a crowd at the door must not take the machine's memory.
static TURN: Mutex<()> = Mutex::new(());

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Says what is wrong with a new password; `name` is the account's.
pub(super) fn check(password: &str, name: &str) -> Result<(), Error> {
    let wrong = |what: String| Err(Error::Password { what });
    let chars = password.chars().count();
    if chars < CHARS_MIN {
        return wrong(format!(
            "it has {chars} characters, and needs at least {CHARS_MIN}; several words will do"
        ));
    }
    if password.len() > BYTES_MAX {
        return wrong(format!("it is longer than {BYTES_MAX} bytes"));
    }
    let distinct = password.chars().collect::<std::collections::BTreeSet<char>>().len();
    if distinct < 5 {
        return wrong("it is made of too few different characters".to_owned());
    }
    let plain = password.to_lowercase().replace(&name.to_lowercase(), "");
    if plain.chars().count() < CHARS_MIN / 2 {
        return wrong("it is made of the account's name".to_owned());
    }
    Ok(())
}

/// Hashes a password that was checked.
pub(super) fn hash(password: &str) -> Result<String, Error> {
    let _one_at_a_time = lock(&TURN);
    argon2().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|_| Error::Random)
}

/// Whether a password is the one that was hashed. Where there is no account, `hashed` is `None`, and the answer takes as long.
pub(super) fn is_right(password: &str, hashed: Option<&str>) -> bool {
    /// Of no password: 32 zero bytes are nobody's digest.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    if password.len() > BYTES_MAX {
        return false;
    }
    let _one_at_a_time = lock(&TURN);
    PasswordHash::new(hashed.unwrap_or(NOBODY))
        .is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
        && hashed.is_some()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let hashed = hash("correct horse battery").unwrap();
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(is_right("correct horse battery", Some(&hashed)));
        assert!(!is_right("correct horse batterY", Some(&hashed)));
        assert!(!is_right("correct horse battery", None));
        assert!(!is_right("correct horse battery", Some("plain text")));
        assert_ne!(hashed, hash("correct horse battery").unwrap());
    }

    #[test]
    fn weak_passwords_are_refused() {
        assert!(check("夜に駆ける夜に駆ける夜に駆ける夜に駆ける", "mika").is_ok());
        for weak in ["short", "aaaaaaaaaaaaaaaaaaaaaa", "mikamikamikamika1", &"long words ".repeat(200)] {
            assert!(check(weak, "mika").is_err(), "{weak}");
        }
    }
}
