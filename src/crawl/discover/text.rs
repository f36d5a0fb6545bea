//! From bytes to text: which encoding a page is in.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;
use url::Url;

use crate::base::encoding_by_name;

/// Bytes at the beginning in which a declaration is looked for; the HTML standard says 1,024, pages are laxer.
const DECLARATION_BYTES_MAX: usize = 4096;
/// Bytes from which the encoding is guessed where none is declared.
const GUESS_BYTES_MAX: usize = 64 << 10;

/// Decodes `bytes`, fetched from `url`: byte order mark, then the Content-Type's charset, then a declaration in the
/// text, then a guess. What cannot be decoded becomes U+FFFD. Gives the encoding too.
pub(super) fn decode(bytes: &[u8], content_type: Option<&str>, url: &Url) -> (String, &'static Encoding) {
    let encoding = Encoding::for_bom(bytes)
        .map(|(encoding, _)| encoding)
        .or_else(|| content_type.and_then(|text| declared(text.as_bytes())))
        .or_else(|| declared(&bytes[..bytes.len().min(DECLARATION_BYTES_MAX)]))
        .unwrap_or_else(|| guess(bytes, url));
    (encoding.decode(bytes).0.into_owned(), encoding)
}

/// Finds `charset=` (HTTP, HTML) or `encoding=` (XML) and the first name behind one that is an encoding.
fn declared(text: &[u8]) -> Option<&'static Encoding> {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    ["charset", "encoding"]
        .iter()
        .find_map(|marker| text.match_indices(marker).find_map(|(at, _)| label(&text[at + marker.len()..])))
}

/// The encoding in `="gbk"`.
fn label(text: &str) -> Option<&'static Encoding> {
    let value = text.trim_start().strip_prefix('=')?;
    let value = value.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'');
    let end = value.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c))).unwrap_or(value.len());
    // A declaration that we could read as ASCII cannot be in UTF-16, whatever it says.
    encoding_by_name(&value[..end]).map(Encoding::output_encoding)
}

/// Guesses from the text's statistics, and from the country of the site where these are close.
fn guess(bytes: &[u8], url: &Url) -> &'static Encoding {
    let country = url.domain().and_then(|name| name.rsplit('.').next());
    let country =
        country.filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()));
    let head = &bytes[..bytes.len().min(GUESS_BYTES_MAX)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(head, head.len() == bytes.len());
    detector.guess(country.map(str::as_bytes), Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn decode(bytes: &[u8], content_type: Option<&str>) -> String {
        super::decode(bytes, content_type, &Url::parse("http://a.example/").unwrap()).0
    }

    #[test]
    fn declared_and_guessed() {
        let gb = encoding_rs::GB18030.encode("<title>未经许可的音乐下载</title>").0.into_owned();
        assert!(decode(&gb, Some("text/html; charset=GB2312")).contains("未经许可"));
        let mut with_meta = b"<meta charset='gbk'>".to_vec();
        with_meta.extend_from_slice(&gb);
        assert!(decode(&with_meta, Some("text/html")).contains("音乐下载"));
        let sjis = encoding_rs::SHIFT_JIS
            .encode("<title>無断転載された楽曲のダウンロードページです</title>")
            .0
            .into_owned();
        assert!(decode(&sjis, None).contains("楽曲"));
        assert_eq!(decode("\u{feff}é".as_bytes(), Some("text/html; charset=gbk")), "é");
        assert_eq!(decode("caf\u{e9} 中文".as_bytes(), None), "café 中文");
    }
}
