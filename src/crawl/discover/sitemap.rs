//! Sitemaps (<https://www.sitemaps.org/protocol.html>): XML, plain text, feeds; packed with gzip or not.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use quick_xml::Reader;
use quick_xml::events::Event;
use url::Url;

use super::sink::Sink;
use super::xml::{cut, unescape};
use super::{MediaKind, MediaLink, discover, extension_kind};

/// What the protocol allows one file to hold, unpacked; the rest is dropped.
const BYTES_MAX: u64 = 50 << 20;
/// What the protocol allows one file to list; the rest is dropped.
const URLS_MAX: usize = 50_000;
/// The longest address that is kept.
const URL_BYTES_MAX: usize = 8192;

/// What a sitemap lists.
#[derive(Debug, Default, PartialEq)]
pub(in crate::crawl) struct Sitemap {
    /// Pages.
    pub(in crate::crawl) pages: Vec<Url>,
    /// Media and players.
    pub(in crate::crawl) media: Vec<MediaLink>,
    /// Further sitemaps, where it is an index.
    pub(in crate::crawl) sitemaps: Vec<Url>,
    /// What could not be read.
    pub(in crate::crawl) problems: Vec<String>,
}

/// Reads the sitemap in `bytes`, fetched from `url`. Takes any bytes and keeps what can be read.
pub(in crate::crawl) fn read(url: &Url, bytes: &[u8]) -> Sitemap {
    let mut list = List { sink: Sink::new(url), map: Sitemap::default() };
    let unpacked = list.unpack(bytes);
    let bytes = unpacked.as_deref().unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
    let text = text.trim_start();
    if !text.starts_with('<') {
        text.lines().for_each(|line| list.page(line));
    } else if cut(text, 4096).contains("<rss") || cut(text, 4096).contains("<feed") {
        let found = discover(url, Some("application/xml"), bytes);
        list.map = Sitemap { pages: found.links, media: found.media, problems: found.problems, ..list.map };
    } else {
        list.xml(text);
    }
    list.map
}

struct List {
    sink: Sink,
    map: Sitemap,
}

impl List {
    /// Undoes gzip, up to the cap.
    fn unpack(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if !bytes.starts_with(&[0x1f, 0x8b]) {
            return None;
        }
        let mut unpacked = Vec::new();
        match MultiGzDecoder::new(bytes).take(BYTES_MAX).read_to_end(&mut unpacked) {
            Ok(count) if count as u64 == BYTES_MAX => {
                self.map.problems.push(format!("only its first {BYTES_MAX} bytes were read"));
            }
            Ok(_) => {}
            Err(error) => self.map.problems.push(format!("not whole ({error})")),
        }
        Some(unpacked)
    }

    fn xml(&mut self, text: &str) {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        let (mut is_index, mut content) = (false, String::new());
        loop {
            let piece = match reader.read_event() {
                Ok(Event::Start(element)) => {
                    is_index |= element.local_name().as_ref() == "sitemapindex";
                    content.clear();
                    continue;
                }
                Ok(Event::Text(piece)) => piece.xml10_content().into_owned(),
                Ok(Event::CData(piece)) => piece.xml10_content().into_owned(),
                Ok(Event::GeneralRef(name)) => unescape(&format!("&{};", name.xml10_content())).into_owned(),
                Ok(Event::End(element)) => {
                    self.element(element.name().as_ref(), content.trim(), is_index);
                    content.clear();
                    continue;
                }
                Ok(Event::Eof) => return,
                Ok(_) => continue,
                Err(error) => {
                    let at = reader.error_position();
                    self.map.problems.push(format!("not well-formed XML from byte {at} on ({error})"));
                    return;
                }
            };
            if content.len() < URL_BYTES_MAX {
                content.push_str(cut(&piece, URL_BYTES_MAX));
            }
        }
    }

    fn element(&mut self, name: &str, address: &str, is_index: bool) {
        match name.rsplit_once(':') {
            Some((_, "content_loc")) => self.media(address, MediaKind::Media),
            Some((_, "player_loc")) => self.media(address, MediaKind::Embed),
            // Pictures have a `loc` of their own.
            Some(("image", _)) => {}
            None | Some(_) if name.rsplit(':').next() != Some("loc") => {}
            _ if is_index => {
                if let Some(url) = self.take(address) {
                    self.map.sitemaps.push(url);
                }
            }
            _ => self.page(address),
        }
    }

    fn page(&mut self, address: &str) {
        let Some(url) = self.take(address) else { return };
        match extension_kind(url.path()) {
            Some(kind) => self.map.media.push(MediaLink { url, via: "sitemap".to_owned(), kind }),
            None => self.map.pages.push(url),
        }
    }

    fn media(&mut self, address: &str, kind: MediaKind) {
        if let Some(url) = self.take(address) {
            self.map.media.push(MediaLink { url, via: "sitemap".to_owned(), kind });
        }
    }

    fn take(&mut self, address: &str) -> Option<Url> {
        let url = self.sink.resolve(address)?;
        let taken = self.map.pages.len() + self.map.media.len() + self.map.sitemaps.len();
        if taken < URLS_MAX {
            return Some(url);
        }
        let problem = format!("only its first {URLS_MAX} addresses were taken");
        if !self.map.problems.contains(&problem) {
            self.map.problems.push(problem);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn read_text(text: &str) -> Sitemap {
        read(&Url::parse("https://a.example/maps/s.xml").unwrap(), text.as_bytes())
    }

    fn paths(urls: &[Url]) -> Vec<&str> {
        urls.iter().map(Url::path).collect()
    }

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    const MAP: &str = r#"<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
        <url><loc> https://a.example/song?a=1&amp;b=2 </loc><lastmod>2026-01-01</lastmod>
        <image:image><image:loc>https://a.example/cover.jpg</image:loc></image:image>
        <video:video><video:content_loc>/clip</video:content_loc><video:player_loc>/play</video:player_loc></video:video></url>
        <url><loc><![CDATA[https://a.example/2.mp3]]></loc></url><url><loc>ftp://a.example/</loc></url></urlset>"#;

    #[test]
    fn pages_media_and_players() {
        let map = read_text(MAP);
        assert_eq!(map.pages, [Url::parse("https://a.example/song?a=1&b=2").unwrap()]);
        let media: Vec<_> = map.media.iter().map(|link| (link.url.path(), link.kind)).collect();
        let wanted = [("/clip", MediaKind::Media), ("/play", MediaKind::Embed), ("/2.mp3", MediaKind::Media)];
        assert_eq!(media, wanted);
        assert!(map.sitemaps.is_empty() && map.problems.is_empty());
    }

    #[test]
    fn packed_plain_feed_and_index() {
        let url = Url::parse("https://a.example/s.xml.gz").unwrap();
        assert_eq!(read(&url, &packed(MAP.as_bytes())).media, read_text(MAP).media);
        let torn = packed(MAP.as_bytes());
        // What was unpacked until then is read, and may be torn in the middle of a tag, which is told too.
        let problems = read(&url, &torn[..torn.len() / 2]).problems;
        assert!(problems[0].starts_with("not whole") && problems.len() <= 2, "{problems:?}");
        let plain = read_text("\u{feff}https://a.example/1\r\nhttps://a.example/2.ogg\n\nnot an address\n");
        assert_eq!((paths(&plain.pages)[0], plain.media.len()), ("/1", 1));
        let feed =
            read_text("<rss><channel><item><link>/ep</link><enclosure url='/1.mp3'/></item></channel></rss>");
        assert_eq!((paths(&feed.pages), feed.media.len()), (vec!["/ep"], 1));
        let index =
            read_text("<s:sitemapindex><s:sitemap><s:loc>/1.xml.gz</s:loc></s:sitemap></s:sitemapindex>");
        assert_eq!((paths(&index.sitemaps), index.pages.len()), (vec!["/1.xml.gz"], 0));
    }

    #[test]
    fn what_is_too_much_is_dropped_and_reported() {
        let many: String = (0..URLS_MAX + 10).map(|n| format!("<loc>/{n}</loc>")).collect();
        let map = read_text(&format!("<urlset>{many}"));
        assert_eq!((map.pages.len(), map.problems.len()), (URLS_MAX, 1));
        let url = Url::parse("https://a.example/s").unwrap();
        let bomb = read(&url, &packed(&vec![b'\n'; (60 << 20) as usize]));
        assert_eq!((bomb.pages.len(), bomb.problems.len()), (0, 1));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(
            bytes: Vec<u8>,
            start in prop_oneof![
                Just(""), Just("\u{1f}"), Just("<urlset><loc>"), Just("<rss"), Just("<sitemapindex><loc>"), Just("http://a/"),
            ],
            is_packed: bool,
        ) {
            let mut bytes = [start.as_bytes(), &bytes].concat();
            if is_packed {
                bytes.splice(..0, [0x1f, 0x8b, 8, 0]);
            }
            let map = read(&Url::parse("https://a.example/s").unwrap(), &bytes);
            prop_assert!(map.pages.iter().all(|url| matches!(url.scheme(), "http" | "https")));
        }
    }
}
