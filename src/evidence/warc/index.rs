//! The index of an archive (CDXJ) and its pages, both wholly made from what else is in the bundle.

use serde::Serialize;
use url::Url;

use super::reader::Record;
use crate::base::{Digest, Timestamp};
use crate::evidence::capture::Capture;

/// The archive's place in the bundle, as the index names it.
const FILE: &str = "data.warc";

/// One line of the index, behind its key.
#[derive(Serialize)]
struct Place<'a> {
    url: &'a str,
    mime: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    digest: String,
    length: String,
    offset: String,
    filename: &'static str,
}

/// Returns the index: a line for each answer, in the order of the keys (host backwards, then path; then the instant).
pub(in crate::evidence) fn index(records: &[Record<'_>]) -> String {
    let mut lines: Vec<String> = records.iter().filter_map(line).collect();
    lines.sort();
    lines.into_iter().map(|line| line + "\n").collect()
}

fn line(record: &Record<'_>) -> Option<String> {
    if !matches!(record.kind.as_str(), "response" | "revisit" | "resource") {
        return None;
    }
    let url = record.uri.as_deref()?;
    let mime =
        if record.kind == "revisit" { "warc/revisit" } else { record.mime.as_deref().unwrap_or("unk") };
    let place = Place {
        url,
        mime,
        status: record.status.map(|status| status.to_string()),
        digest: format!("sha256:{}", record.sha256),
        length: record.bytes.to_string(),
        offset: record.offset.to_string(),
        filename: FILE,
    };
    let json = serde_json::to_string(&place).ok()?;
    Some(format!("{} {} {json}", key(url), fourteen(record.date)))
}

/// The instant as the 14 digits of an archive's index.
fn fourteen(at: Timestamp) -> String {
    at.strftime("%Y%m%d%H%M%S").to_string()
}

/// The key of an address: `com,example)/path?a=1&b=2`.
fn key(url: &str) -> String {
    let lower = url.to_lowercase();
    let parsed = Url::parse(&lower).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some((url, host)) = parsed.and_then(|url| Some((url.clone(), url.host_str()?.to_owned()))) else {
        return lower.replace(' ', "%20");
    };
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let mut key: String = host.split('.').rev().collect::<Vec<_>>().join(",");
    if let Some(port) = url.port() {
        key.push_str(&format!(":{port}"));
    }
    key.push(')');
    key.push_str(url.path());
    if let Some(query) = url.query().filter(|query| !query.is_empty()) {
        let mut parts: Vec<&str> = query.split('&').collect();
        parts.sort_unstable();
        key.push('?');
        key.push_str(&parts.join("&"));
    }
    key
}

/// A page that the media was on; the media itself where there was no page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::evidence) struct Page {
    id: String,
    pub(in crate::evidence) url: String,
    pub(in crate::evidence) ts: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

/// Returns the pages of captures, each address once for each instant.
pub(in crate::evidence) fn pages_of(captures: &[Capture]) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    for Capture { sighting, exchanges } in captures {
        let url = sighting.page_url.as_ref().unwrap_or(&sighting.media_url);
        // The instant of the page's own answer, under which a reader finds it.
        let asked = exchanges.iter().find(|exchange| exchange.url == *url).map(|exchange| exchange.asked_at);
        let ts = asked.unwrap_or(sighting.captured_at);
        let name = Digest::of(format!("{url}\n{ts}\n").as_bytes()).to_string();
        let page = Page {
            id: name.get(..16).unwrap_or_default().to_owned(),
            url: url.clone(),
            ts,
            title: sighting.page_title.clone(),
        };
        if !pages.contains(&page) {
            pages.push(page);
        }
    }
    pages
}

/// Returns the list of pages as JSON Lines.
pub(in crate::evidence) fn pages(pages: &[Page]) -> String {
    let head = r#"{"format":"json-pages-1.0","id":"pages","title":"All Pages"}"#.to_owned();
    let lines = pages.iter().filter_map(|page| serde_json::to_string(page).ok());
    std::iter::once(head).chain(lines).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_other_archivers() {
        for (url, wanted) in [
            ("https://www.Example.com/A/b.mp3?z=1&a=2", "com,example)/a/b.mp3?a=2&z=1"),
            ("http://127.0.0.1:8080/x", "1,0,0,127:8080)/x"),
            ("urn:sha256:AB", "urn:sha256:ab"),
            ("http://a.b/?", "b,a)/"),
        ] {
            assert_eq!(key(url), wanted);
        }
    }
}
