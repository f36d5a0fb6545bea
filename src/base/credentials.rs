//! Addresses without what lets somebody in: they are locations, and are shown to people who have no business with keys.

/// What stands in the place of a secret.
const WITHHELD: &str = "withheld";

/// The longest name of a parameter that is looked at, in letters.
const NAME_CHARS_MAX: usize = 64;

/// Names of parameters that are secrets, in lower case and without `-`, `_` and `.`.
const NAMES: [&str; 22] = [
    "auth",
    "authorization",
    "awsaccesskeyid",
    "hdnea",
    "hdntl",
    "hdnts",
    "hmac",
    "jsessionid",
    "jwt",
    "keypairid",
    "otp",
    "pass",
    "passwd",
    "phpsessid",
    "policy",
    "pwd",
    "session",
    "sessionid",
    "sid",
    "sig",
    "sign",
    "ticket",
];

/// How names of such parameters end.
const ENDINGS: [&str; 8] =
    ["accesskeyid", "apikey", "authkey", "credential", "password", "secret", "signature", "token"];

/// Returns text with the secrets of all addresses in it left out: user and password before a host, and the values of
/// parameters that are known to let somebody in (`token`, `sig`, `password`, signatures of clouds, sessions), percent-encoded or
/// not. All else stays as it is, so that an address is still the same place.
#[must_use]
pub fn without_credentials(text: &str) -> String {
    let letters = letters(text);
    let mut cuts: Vec<(usize, usize, &str)> = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let (next, cut) =
            user_at(&letters, at).or_else(|| parameter_at(&letters, at)).unwrap_or((at + 1, None));
        cuts.extend(cut);
        at = next;
    }
    let (mut clean, mut done) = (String::with_capacity(text.len()), 0);
    for (from, to, instead) in cuts {
        clean.push_str(text.get(done..from).unwrap_or_default());
        clean.push_str(instead);
        done = to;
    }
    clean.push_str(text.get(done..).unwrap_or_default());
    clean
}

/// Returns an address without user and password before its host; all else stays as it is.
#[must_use]
pub fn without_user(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(mut url) if !url.username().is_empty() || url.password().is_some() => {
            // Only addresses without a host refuse that, and they have neither.
            let _ = url.set_username("").and_then(|()| url.set_password(None));
            url.to_string()
        }
        _ => address.to_owned(),
    }
}

/// A letter of the text as a server reads it, and where it stands.
#[derive(Clone, Copy)]
struct Letter {
    c: char,
    from: usize,
    to: usize,
}

impl Letter {
    /// Whether it stands in the text as it is, and not percent-encoded.
    fn is_plain(self) -> bool {
        self.to - self.from == self.c.len_utf8()
    }

    /// Whether it ends an address in running text. An encoded blank does not.
    fn ends_address(self) -> bool {
        self.is_plain()
            && (self.c.is_whitespace() || self.c.is_control() || matches!(self.c, '"' | '<' | '>'))
    }
}

/// What is to be cut out: from, to, and what is put in its place.
type Cut = (usize, usize, &'static str);

/// The letters, percent-encoded ASCII decoded: a nested address hides nothing.
fn letters(text: &str) -> Vec<Letter> {
    let mut letters = Vec::with_capacity(text.len());
    let mut rest = text.char_indices();
    while let Some((from, c)) = rest.next() {
        let hex =
            text.get(from + 1..from + 3).filter(|hex| c == '%' && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let decoded = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii);
        match decoded {
            Some(byte) => {
                letters.push(Letter { c: char::from(byte), from, to: from + 3 });
                rest.nth(1);
            }
            None => letters.push(Letter { c, from, to: from + c.len_utf8() }),
        }
    }
    letters
}

/// User and password, where an authority begins here.
fn user_at(letters: &[Letter], at: usize) -> Option<(usize, Option<Cut>)> {
    let is = |n: usize, c: char| letters.get(at + n).is_some_and(|letter| letter.c == c);
    if !(is(0, ':') && is(1, '/') && is(2, '/')) {
        return None;
    }
    let begin = at + 3;
    // Within a query the next parameter may hold an `@` of its own.
    let word = letters.get(..at)?.rsplit(|letter| letter.ends_address()).next()?;
    let in_query = word.iter().any(|letter| letter.c == '?');
    // What is encoded ends a part only of an address that is encoded as a whole.
    let is_nested = !letters.get(at)?.is_plain();
    let ends = |letter: &Letter| {
        let is_end = matches!(letter.c, '/' | '?' | '#' | '\\') || (in_query && letter.c == '&');
        letter.ends_address() || (is_end && (is_nested || letter.is_plain()))
    };
    let authority = letters.get(begin..)?.split(ends).next()?;
    let user = authority.iter().rposition(|letter| letter.c == '@');
    let cut = user.and_then(|last| Some((authority.first()?.from, authority.get(last)?.to, "")));
    Some((begin + user.map_or(0, |last| last + 1), cut))
}

/// The value of a secret parameter, where one begins here.
fn parameter_at(letters: &[Letter], at: usize) -> Option<(usize, Option<Cut>)> {
    let before = letters.get(at)?.c;
    if !matches!(before, '?' | '&' | '#' | ';' | '/') {
        return None;
    }
    let rest = letters.get(at + 1..)?;
    let length = rest.iter().take(NAME_CHARS_MAX + 1).position(|letter| letter.c == '=')?;
    let name = rest.get(..length)?;
    if !name
        .iter()
        .all(|letter| letter.c.is_ascii_alphanumeric() || matches!(letter.c, '-' | '_' | '.' | '[' | ']'))
    {
        return None;
    }
    let name: String =
        name.iter().map(|letter| letter.c.to_ascii_lowercase()).filter(char::is_ascii_alphanumeric).collect();
    if !NAMES.contains(&name.as_str()) && !ENDINGS.iter().any(|ending| name.ends_with(ending)) {
        return None;
    }
    // In a path a value ends with its part.
    let in_path = matches!(before, ';' | '/');
    let is_nested = !rest.get(length)?.is_plain();
    let ends = |letter: &Letter| {
        let is_end = matches!(letter.c, '&' | '#') || (in_path && matches!(letter.c, '/' | ';' | '?'));
        letter.ends_address() || (is_end && (is_nested || letter.is_plain()))
    };
    let value = rest.get(length + 1..)?.split(ends).next()?;
    let cut = value.first().zip(value.last()).map(|(first, last)| (first.from, last.to, WITHHELD));
    Some((at + length + 2 + value.len(), cut))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_lets_somebody_in_is_left_out_and_the_place_stays() {
        for (address, wanted) in [
            ("https://user:pass@a.example/x.mp3", "https://a.example/x.mp3"),
            ("https://user@a.example:8080/x?y=1", "https://a.example:8080/x?y=1"),
            ("https://a.example/@user/x.mp3?t=u@b", "https://a.example/@user/x.mp3?t=u@b"),
            ("https://a.example/x?id=7&token=abc&n=1#t=3", "https://a.example/x?id=7&token=withheld&n=1#t=3"),
            (
                "https://a.example/x?X-Amz-Signature=0f&X-Amz-Date=1",
                "https://a.example/x?X-Amz-Signature=withheld&X-Amz-Date=1",
            ),
            ("https://a.example/x;jsessionid=AB?y=1", "https://a.example/x;jsessionid=withheld?y=1"),
            ("https://a.example/hls/token=ab/seg.ts", "https://a.example/hls/token=withheld/seg.ts"),
            ("https://a.example/x#access_token=ab", "https://a.example/x#access_token=withheld"),
            ("https://a.example/x?%74oken=ab", "https://a.example/x?%74oken=withheld"),
            (
                "https://a.example/?u=https%3A%2F%2Fc%3Ad%40b.example%2F%3Fsig%3Dab%26n%3D1&m=e@f",
                "https://a.example/?u=https%3A%2F%2Fb.example%2F%3Fsig%3Dwithheld%26n%3D1&m=e@f",
            ),
            ("see https://u:p@a.example/ and ?sig=1 there", "see https://a.example/ and ?sig=withheld there"),
            ("https://a.example/design=1?assign=2&sigh=3", "https://a.example/design=1?assign=2&sigh=3"),
            ("urn:sha256:ab", "urn:sha256:ab"),
            ("https://a.example/x?token=", "https://a.example/x?token="),
        ] {
            assert_eq!(without_credentials(address), wanted);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_and_clean_text_stays(text in any::<String>()) {
            let clean = without_credentials(&text);
            prop_assert_eq!(without_credentials(&clean), clean);
        }

        #[test]
        fn no_secret_is_left(
            secret in "SECRET[A-Za-z0-9%._~-]{0,20}", name in prop::sample::select(vec!["token", "SIG", "Access_Token", "pwd"]),
            before in "[a-z0-9/]{0,12}(\\?[a-z]=[0-9]{1,3}&)?", after in "(&[a-z]=[a-z]{0,5})?",
        ) {
            let lead = if before.contains('?') { "" } else { "?" };
            let address = format!("https://u:{secret}@a.example/{before}{lead}{name}={secret}{after}");
            let clean = without_credentials(&address);
            prop_assert!(!clean.contains("SECRET"), "{}", clean);
            prop_assert!(clean.starts_with("https://a.example/") && clean.ends_with(&after), "{}", clean);
        }
    }
}
