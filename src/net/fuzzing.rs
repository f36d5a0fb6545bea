//! Doors for the fuzz targets to parsers that nobody else needs to reach.

use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use url::Url;

use super::cookies::Jar;
use super::cookies_txt;
use super::icy::{Metadata, end_of_head, read_head};
use super::inflate::{Inflater, Out, codings};
use super::opened::header_text;

/// What an ICY head says: its status, `content-type` and `icy-metaint`.
pub type IcyHead = (u16, Option<String>, Option<String>);

/// Reads the head of an ICY answer; also gives where it ends.
#[must_use]
pub fn icy_head(bytes: &[u8]) -> (Option<usize>, Option<IcyHead>) {
    let head = read_head(bytes).map(|head| {
        let text = |name| header_text(&head.headers, name);
        (head.status, text("content-type"), text("icy-metaint"))
    });
    (end_of_head(bytes), head)
}

/// Takes the titles out of a stream that comes in pieces; `None` where the distance makes no sense.
pub fn without_titles<'a>(distance: &str, pieces: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut metadata = Metadata::every(distance)?;
    Some(pieces.flat_map(|piece| metadata.strip(piece)).collect())
}

/// Reads a `cookies.txt` and what `url` sets beside; gives how many lines of the file were taken, and the header that
/// `url` is sent.
pub fn cookies<'t>(file: &str, url: &Url, set: impl Iterator<Item = &'t str>) -> (usize, Option<String>) {
    let mut jar = Jar::default();
    let lines = cookies_txt::parse(file).filter_map(|(_, line)| line.ok());
    let taken = lines.filter(|given| jar.add(given).is_ok()).count();
    jar.keep(url, set);
    (taken, jar.header(url))
}

/// Takes content codings off; gives what came out, up to `bytes_max`, or what is wrong.
///
/// # Errors
/// What is wrong with the codings or the data.
pub fn inflate<'a>(
    content_encoding: &str,
    mut pieces: impl Iterator<Item = &'a [u8]>,
    room: usize,
    bytes_max: usize,
) -> Result<Vec<u8>, String> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(content_encoding).map_err(|error| error.to_string())?;
    headers.insert(CONTENT_ENCODING, value);
    let Some(mut inflater) = Inflater::new(&codings(&headers)?) else { return Ok(Vec::new()) };
    let (mut all, mut buffer) = (Vec::new(), vec![0; room.max(1)]);
    while all.len() < bytes_max {
        match inflater.step(&mut buffer)? {
            Out::Bytes(count) => all.extend_from_slice(&buffer[..count]),
            Out::End => break,
            Out::Hungry => match pieces.next() {
                Some(piece) => inflater.feed(piece.to_vec()),
                None => inflater.end(),
            },
        }
    }
    all.truncate(bytes_max);
    Ok(all)
}

/// Reads the authority of a request for a tunnel through the guarded proxy: the URL that is judged and connected to.
#[must_use]
pub fn tunnel(authority: &str) -> Option<Url> {
    super::proxy::tunnel_url(authority)
}
