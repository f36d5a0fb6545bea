//! A bundle's documents without what is about people: page titles, cookies, passwords and tokens, who of us wrote what.
//!
//! Whatever is taken out is listed with its digest, so that who opens the annex can see that nothing else was.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::capture::Capture;
use super::container::Container;
use super::error::Error;
use super::manifest::SIGNATURE;
use super::section::ReadAt;
use super::withheld::{PLACEHOLDER, Withheld, WithheldItem, WithheldKind, text_digest};
use crate::base::{Digest, without_credentials};

/// No signature's document is longer, in bytes.
const SIGNATURE_BYTES_MAX: u64 = 64 << 10;

/// Who acts where no person does.
const PROGRAM: &str = "earwitness";

/// Headers whose values let somebody in, in lower case; those that end in `-token` do too.
const SECRET_HEADERS: [&str; 8] = [
    "authentication-info",
    "authorization",
    "cookie",
    "cookie2",
    "proxy-authorization",
    "set-cookie",
    "set-cookie2",
    "x-api-key",
];

/// What is taken out of one bundle.
pub struct Redaction {
    /// The document with the signature of the whole bundle: see [`text_digest`].
    signature: Vec<u8>,
    items: Vec<WithheldItem>,
    /// Bytes that are listed already.
    bytes: BTreeSet<(WithheldKind, Digest)>,
}

impl Redaction {
    /// Begins the redaction of a whole bundle.
    ///
    /// # Errors
    /// [`Error::NotABundle`] when the file is none, [`Error::Io`] when it cannot be read.
    pub fn of(whole: &dyn ReadAt) -> Result<Self, Error> {
        let container =
            Container::read(whole).map_err(|fault| Error::NotABundle { what: fault.to_string() })?;
        let missing = || Error::NotABundle { what: format!("it has no {SIGNATURE}") };
        let signature = container.get(SIGNATURE).ok_or_else(missing)?;
        let signature = signature.content.read(SIGNATURE_BYTES_MAX).map_err(Error::io(SIGNATURE))?;
        Ok(Self { signature, items: Vec::new(), bytes: BTreeSet::new() })
    }

    /// Lists bytes that are left out, each once.
    pub(super) fn withhold(&mut self, what: WithheldKind, entry: &str, at: &str, sha256: Digest) {
        if self.bytes.insert((what, sha256)) {
            let (entry, at) = (entry.to_owned(), without_credentials(at));
            self.items.push(WithheldItem { what, entry, at, sha256 });
        }
    }

    /// All that was taken out.
    pub(super) fn finish(self) -> Withheld {
        Withheld::new(self.items)
    }

    /// Returns captures without what is about people.
    pub(super) fn captures(&mut self, entry: &str, captures: &[Capture]) -> Result<Vec<Capture>, Error> {
        self.document(entry, &captures)
    }

    /// Returns a document without what is about people, as a value of the same or of another kind.
    pub(super) fn document<T: Serialize, U: DeserializeOwned>(
        &mut self,
        entry: &str,
        value: &T,
    ) -> Result<U, Error> {
        let json = |source| Error::Json { what: entry.to_owned(), source };
        let mut value = serde_json::to_value(value).map_err(json)?;
        self.walk(entry, &mut String::new(), &mut value);
        serde_json::from_value(value).map_err(json)
    }

    fn walk(&mut self, entry: &str, at: &mut String, value: &mut Value) {
        match value {
            Value::String(text) => {
                let clean = without_credentials(text);
                self.replace(entry, at, WithheldKind::Credentials, text, clean);
            }
            Value::Array(values) => {
                for (number, value) in values.iter_mut().enumerate() {
                    self.down(at, &number.to_string(), |own, at| own.walk(entry, at, value));
                }
            }
            Value::Object(fields) => self.object(entry, at, fields),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn object(&mut self, entry: &str, at: &mut String, fields: &mut Map<String, Value>) {
        let is_of_person = fields.get("actor").and_then(Value::as_str).is_some_and(|actor| actor != PROGRAM);
        for (key, value) in fields {
            self.down(at, key, |own, at| match (key.as_str(), &mut *value) {
                ("page_title", Value::String(title)) => {
                    own.tell(entry, at, WithheldKind::PageTitle, title);
                    *value = Value::Null;
                }
                ("request_head" | "response_head", Value::String(head)) => {
                    let clean = without_secrets(head);
                    own.replace(entry, at, WithheldKind::Credentials, head, clean);
                }
                ("actor" | "note", Value::String(text)) if is_of_person => {
                    own.replace(entry, at, WithheldKind::Person, text, PLACEHOLDER.to_owned());
                }
                // The media is in the bundle with its tags, and the replay compares these with them.
                ("copy", _) if entry.ends_with("/tags.json") && at == "/copy" => {}
                // Base64 is no address, whatever it looks like.
                ("certificates", _) => {}
                _ => own.walk(entry, at, value),
            });
        }
    }

    /// Goes a step down in a pointer (RFC 6901) and back.
    fn down(&mut self, at: &mut String, key: &str, step: impl FnOnce(&mut Self, &mut String)) {
        let length = at.len();
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        step(self, at);
        at.truncate(length);
    }

    fn replace(&mut self, entry: &str, at: &str, what: WithheldKind, text: &mut String, clean: String) {
        if *text != clean {
            self.tell(entry, at, what, text);
            *text = clean;
        }
    }

    fn tell(&mut self, entry: &str, at: &str, what: WithheldKind, text: &str) {
        let sha256 = text_digest(&self.signature, text);
        self.items.push(WithheldItem { what, entry: entry.to_owned(), at: at.to_owned(), sha256 });
    }
}

/// A head of HTTP without the values of headers that let somebody in, and without such parts of its addresses.
fn without_secrets(head: &str) -> String {
    let (mut clean, mut is_secret) = (String::with_capacity(head.len()), false);
    for line in head.split_inclusive(['\r', '\n']) {
        let text = line.trim_end_matches(['\r', '\n']);
        let end = line.get(text.len()..).unwrap_or_default();
        // A folded line belongs to the one before.
        let is_folded = text.starts_with([' ', '\t']);
        if text.is_empty() || (is_folded && is_secret) {
            clean.push_str(end);
            continue;
        }
        is_secret = false;
        match text.split_once(':') {
            Some((name, value)) if is_secret_header(name) => {
                is_secret = true;
                let kept = if value.trim() == PLACEHOLDER {
                    text.to_owned()
                } else {
                    format!("{name}: {PLACEHOLDER}")
                };
                clean.push_str(&kept);
            }
            _ => clean.push_str(&without_credentials(text)),
        }
        clean.push_str(end);
    }
    clean
}

fn is_secret_header(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    SECRET_HEADERS.contains(&name.as_str()) || name.ends_with("-token")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn redaction() -> Redaction {
        Redaction { signature: b"signature".to_vec(), items: Vec::new(), bytes: BTreeSet::new() }
    }

    #[test]
    fn heads_lose_cookies_and_tokens_and_nothing_else() {
        let head = "GET /a?token=x&b=1 HTTP/1.1\r\nHost: a.example\r\nCookie: a=b\r\n c=d\r\nX-Auth-Token: y\r\nRange: 1\r\n";
        let clean = without_secrets(head);
        let wanted = "GET /a?token=withheld&b=1 HTTP/1.1\r\nHost: a.example\r\nCookie: (withheld)\r\n\r\n\
                      X-Auth-Token: (withheld)\r\nRange: 1\r\n";
        assert_eq!(clean, wanted);
        assert_eq!(without_secrets(&clean), clean);
    }

    #[test]
    fn a_document_loses_what_is_about_people_and_tells_where() {
        let whole = serde_json::json!({
            "page_title": "by somebody", "url": "https://u:p@a.example/",
            "a/b": [{"actor": "Ann", "event": "approved", "note": "he wrote to me"}, {"actor": "earwitness", "note": "seen"}],
            "certificates": ["MII/auth=x"],
        });
        let mut redaction = redaction();
        let clean: Value = redaction.document("earwitness/x.json", &whole).unwrap();
        let wanted = serde_json::json!({
            "page_title": null, "url": "https://a.example/",
            "a/b": [
                {"actor": "(withheld)", "event": "approved", "note": "(withheld)"}, {"actor": "earwitness", "note": "seen"}
            ],
            "certificates": ["MII/auth=x"],
        });
        assert_eq!(clean, wanted);
        let withheld = redaction.finish();
        assert_eq!(withheld.summary(), "1 page titles, 1 texts with credentials, 2 texts of persons");
        for item in &withheld.items {
            let text = whole.pointer(&item.at).and_then(Value::as_str).unwrap();
            assert_eq!(item.sha256, text_digest(b"signature", text));
            assert_ne!(item.sha256, Digest::of(text.as_bytes()));
        }
    }

    proptest! {
        #[test]
        fn any_head_is_taken_once(head in "([a-zA-Z-]{1,8}|cookie|set-cookie|x-token)?[: \t\r\na-z=?&]{0,40}(\r\ncookie: SECRET)?[a-z\r\n]{0,9}") {
            let clean = without_secrets(&head);
            prop_assert!(!clean.contains("SECRET"), "{:?}", clean);
            prop_assert_eq!(without_secrets(&clean), clean);
        }
    }
}
