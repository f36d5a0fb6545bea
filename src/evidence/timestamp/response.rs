//! The answer around a token (RFC 3161, section 2.4.2).

use std::fmt::Write as _;

use der::{Decode as _, Tag};

use super::error::Error;
use super::parts::{Part, Parts};
use crate::base::inert;

/// Why an authority refuses, by the bit that says so.
const FAILURES: [(usize, &str); 8] = [
    (0, "it does not know the algorithm (badAlg)"),
    (2, "the transaction is not allowed (badRequest)"),
    (5, "it cannot read the request (badDataFormat)"),
    (14, "its clock is not available (timeNotAvailable)"),
    (15, "it does not follow the policy asked for (unacceptedPolicy)"),
    (16, "it does not know an extension (unacceptedExtension)"),
    (17, "it lacks what was asked for (addInfoNotAvailable)"),
    (25, "a failure of its own (systemFailure)"),
];

/// Lines of text that an authority may add.
const TEXTS_MAX: usize = 8;
/// Characters of them that are repeated.
const TEXT_CHARS_MAX: usize = 200;

/// A token with what stood around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Granted<'a> {
    /// The token (a CMS `ContentInfo`).
    pub(super) token: &'a [u8],
    /// Whether the authority says that it changed something of what was asked for.
    pub(super) is_modified: bool,
}

/// Finds the token in `bytes`: a response, or a token alone.
pub(super) fn open(bytes: &[u8]) -> Result<Granted<'_>, Error> {
    let wrong = Error::malformed("time-stamp response");
    let whole = Part::only(bytes).and_then(|part| part.tagged(Tag::Sequence)).map_err(&wrong)?;
    let mut parts = whole.parts().map_err(&wrong)?;
    let first = parts.next().map_err(&wrong)?;
    if first.tag == Tag::ObjectIdentifier {
        return Ok(Granted { token: whole.whole, is_modified: false });
    }
    let status = Status::read(first).map_err(&wrong)?;
    if status.number > 1 {
        return Err(Error::Refused(status.words()));
    }
    let token = parts.optional(Tag::Sequence).map_err(&wrong)?.ok_or(Error::NoToken)?;
    parts.end().map_err(&wrong)?;
    Ok(Granted { token: token.whole, is_modified: status.number == 1 })
}

/// `PKIStatusInfo`.
struct Status {
    number: u32,
    texts: Vec<String>,
    failures: Vec<u8>,
}

impl Status {
    fn read(part: Part<'_>) -> der::Result<Self> {
        let mut parts = part.tagged(Tag::Sequence)?.parts()?;
        let number = u32::from_der(parts.tagged(Tag::Integer)?.whole)?;
        let texts = match parts.optional(Tag::Sequence)? {
            None => Vec::new(),
            Some(list) => texts(list.parts()?)?,
        };
        // The first byte counts the unused bits of the last.
        let failures =
            parts.optional(Tag::BitString)?.map(|bits| bits.value.iter().skip(1).copied().collect());
        parts.end()?;
        Ok(Self { number, texts, failures: failures.unwrap_or_default() })
    }

    fn words(&self) -> String {
        let mut words = match self.number {
            2 => "rejection".to_owned(),
            3 => "waiting (it wants to be asked again later, which RFC 3161 over HTTP has no way for)"
                .to_owned(),
            4 => "a revocation of its certificate is near".to_owned(),
            5 => "its certificate is revoked".to_owned(),
            other => format!("status {other}"),
        };
        for (bit, meaning) in FAILURES {
            if self.failures.get(bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0) {
                let _ = write!(words, ", {meaning}");
            }
        }
        for text in &self.texts {
            let _ = write!(words, ", “{text}”");
        }
        words
    }
}

/// The texts of an authority, which come from outside: shortened, and made harmless to show.
fn texts(parts: Parts<'_>) -> der::Result<Vec<String>> {
    let text = |part: Part<'_>| -> String {
        let text = String::from_utf8_lossy(part.value);
        inert(&text.chars().take(TEXT_CHARS_MAX).collect::<String>())
    };
    Ok(parts.rest(TEXTS_MAX)?.into_iter().map(text).collect())
}
