//! Netscape's `cookies.txt`, as browsers' extensions, curl and yt-dlp write it: one cookie a line, seven fields with
//! tabs between them: domain, whether subdomains get it, path, whether only encrypted connections do, seconds since 1970
//! at which it ends (0: with the session), name, value.

use std::io::Read as _;
use std::path::Path;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use url::{Host, Url};

use super::error::Error;

/// The longest file; a browser's whole jar has under 1 MiB.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Lines of one file that are complained of; one message says how many more there are.
const PROBLEMS_MAX: usize = 20;

/// A cookie as a server would have set it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// The host that would have.
    pub(super) url: Url,
    /// The text of its Set-Cookie.
    pub(super) set_cookie: String,
}

/// Reads the file's text; bytes that are no UTF-8 make their own lines useless, not the others.
///
/// # Errors
/// [`Error::Setting`] when it cannot be read or is too long.
pub(super) fn read(path: &Path) -> Result<String, Error> {
    let wrong = |reason: String| Error::Setting {
        key: "cookies_file",
        reason: format!("{}: {reason}", path.display()),
    };
    let file = std::fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(wrong(format!("longer than {FILE_BYTES_MAX} bytes")));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads the cookies of `text`, each with its line number from 1, or what is wrong with the line.
pub(super) fn parse(text: &str) -> impl Iterator<Item = (usize, Result<Given, &'static str>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim_end_matches('\r')));
    lines.filter_map(|(number, line)| {
        let (line, is_http_only) = match line.strip_prefix("#HttpOnly_") {
            Some(rest) => (rest, true),
            None => (line, false),
        };
        let is_cookie = is_http_only || !line.trim_start().starts_with('#');
        (is_cookie && !line.trim().is_empty()).then(|| (number, parse_line(line)))
    })
}

fn parse_line(line: &str) -> Result<Given, &'static str> {
    let fields: Vec<_> = line.splitn(8, '\t').collect();
    let (domain, subdomains, path, secure, ends, name, value) = match fields[..] {
        [domain, subdomains, path, secure, ends, name, value] => {
            (domain, subdomains, path, secure, ends, name, value)
        }
        // Some writers drop the last tab where the value is empty.
        [domain, subdomains, path, secure, ends, name] => (domain, subdomains, path, secure, ends, name, ""),
        _ => return Err("a cookie has seven fields with tabs between them"),
    };
    let domain = domain.trim().trim_start_matches('.');
    // Brackets, ports and paths are no part of a name; the URL standard knows what is.
    let host = match Host::parse(domain) {
        Ok(host) if !domain.is_empty() => host,
        _ => return Err("its first field is no domain"),
    };
    let url = Url::parse(&format!("https://{host}/")).map_err(|_| "its first field is no domain")?;
    let is_text = |text: &str| text.bytes().all(|byte| matches!(byte, 32..=126) && byte != b';');
    if name.trim().is_empty() || name.contains('=') || !is_text(name) {
        return Err("its name is empty or holds characters no cookie may hold");
    }
    if !is_text(value) {
        return Err("its value holds characters no cookie may hold");
    }
    if !path.starts_with('/') || !is_text(path) {
        return Err("its path does not begin with `/`");
    }
    let mut set_cookie = format!("{}={}; Path={path}", name.trim(), value.trim());
    if flag(subdomains)? {
        set_cookie.push_str(&format!("; Domain={host}"));
    }
    if flag(secure)? {
        set_cookie.push_str("; Secure");
    }
    if let Some(date) = end(ends)? {
        set_cookie.push_str(&format!("; Expires={date}"));
    }
    Ok(Given { url, set_cookie })
}

fn flag(text: &str) -> Result<bool, &'static str> {
    match text.trim() {
        text if text.eq_ignore_ascii_case("true") => Ok(true),
        text if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err("its second and fourth field must be TRUE or FALSE"),
    }
}

/// The end as a date; `None` for the end of the session, and for dates beyond the year 9999. Some writers give
/// fractions of seconds.
fn end(text: &str) -> Result<Option<String>, &'static str> {
    let whole = text.trim().split('.').next().unwrap_or_default();
    let seconds: i64 = whole.parse().map_err(|_| "its fifth field is no number of seconds since 1970")?;
    if seconds == 0 {
        return Ok(None);
    }
    let Ok(instant) = Timestamp::from_second(seconds) else { return Ok(None) };
    Ok(DateTimePrinter::new().timestamp_to_rfc9110_string(&instant).ok())
}

/// Adds a complaint about a line, unless there are enough of them.
pub(super) fn tell(problems: &mut Vec<String>, path: &Path, line: usize, reason: &str) {
    if problems.len() < PROBLEMS_MAX {
        problems.push(format!("{}, line {line}: not used: {reason}", path.display()));
    } else if problems.len() == PROBLEMS_MAX {
        problems.push(format!("{}: further lines are not used, from line {line} on", path.display()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_read_or_named() {
        let text = "# Netscape HTTP Cookie File\r\n\n\
            .example.com\tTRUE\t/\tTRUE\t4102444800\tsession\tabc=1\r\n\
            #HttpOnly_www.example.com\tFALSE\t/a\tFALSE\t0\tk\t\n\
            example.com FALSE / FALSE 0 a b\n\
            example.com\tFALSE\t/\tFALSE\t0\tk\tv;w\n\
            example.com\tMAYBE\t/\tFALSE\t0\tk\tv\n\
            example.com\tFALSE\t/\tFALSE\tsoon\tk\tv\n\
            \tFALSE\t/\tFALSE\t0\tk\tv\n\
            example.com/x\tFALSE\t/\tFALSE\t0\tk\tv\n\
            127.0.0.1\tFALSE\t/\tFALSE\t1.5\tk\n";
        let read: Vec<_> = parse(text).collect();
        let numbers: Vec<_> = read.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [3, 4, 5, 6, 7, 8, 9, 10, 11]);
        let texts: Vec<_> = read
            .iter()
            .filter_map(|(_, given)| given.as_ref().ok())
            .map(|given| &given.set_cookie[..])
            .collect();
        assert_eq!(
            texts,
            [
                "session=abc=1; Path=/; Domain=example.com; Secure; Expires=Fri, 01 Jan 2100 00:00:00 GMT",
                "k=; Path=/a",
                "k=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT",
            ]
        );
    }

    #[test]
    fn complaints_are_bounded() {
        let mut problems = Vec::new();
        for line in 1..1000 {
            tell(&mut problems, Path::new("cookies.txt"), line, "no reason");
        }
        assert_eq!(problems.len(), PROBLEMS_MAX + 1);
        assert_eq!(problems[0], "cookies.txt, line 1: not used: no reason");
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(?s).{0,300}|([.a-z#]{0,9}\t(TRUE|FALSE|x)\t/?[a-z;]{0,3}\tFALSE\t-?[0-9.]{0,22}\t\\PC{0,4}\t\\PC{0,9}\n){0,5}") {
            for (number, given) in parse(&text) {
                prop_assert!(number <= text.lines().count());
                if let Ok(given) = given {
                    prop_assert!(!given.set_cookie.contains(['\r', '\n', '\0']));
                }
            }
        }
    }
}
