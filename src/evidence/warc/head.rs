//! Heads of requests and answers as WARC readers take them.

use super::writer::one_line;

/// The longest head that is written or read, in bytes; `net` takes no longer ones.
pub(super) const HEAD_BYTES_MAX: usize = 1 << 20;

/// The head of an answer with the empty line behind it.
///
/// Whatever was spoken, the status line is that of HTTP/1.1, as the format has no other. `Transfer-Encoding` tells how the
/// bytes were cut up on the wire; they are kept whole here, so the field's name gets the usual `x-orig-` before it, lest
/// readers join them again.
pub(super) fn response(head: &str, status: u16) -> Vec<u8> {
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let rest = first.split_once(' ').filter(|(version, _)| version.starts_with("HTTP/"));
    let status_line = match rest {
        Some((_, rest)) => format!("HTTP/1.1 {}", one_line(rest)),
        None => format!("HTTP/1.1 {status}"),
    };
    whole(
        &status_line,
        lines.map(|line| match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("transfer-encoding") => {
                format!("x-orig-{name}:{value}")
            }
            _ => line.to_owned(),
        }),
    )
}

/// The head of a request with the empty line behind it.
pub(super) fn request(head: &str) -> Vec<u8> {
    let mut lines = head.split("\r\n");
    let first = one_line(lines.next().unwrap_or_default());
    whole(&first, lines.map(str::to_owned))
}

fn whole(first: &str, lines: impl Iterator<Item = String>) -> Vec<u8> {
    let mut text = format!("{first}\r\n");
    for line in lines.map(|line| one_line(&line)).filter(|line| !line.is_empty()) {
        text.push_str(&line);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes()
}
