//! Bytes to text: which encoding a table is in.

use encoding_rs::{Encoding, GB18030, GBK, SHIFT_JIS, UTF_8};

/// A table's text, and how its bytes were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedText {
    /// The text, without a byte order mark; what could not be decoded is U+FFFD.
    pub text: String,
    /// The encoding's name: `UTF-8`, `gb18030`, `Shift_JIS`, ….
    pub encoding: &'static str,
    /// Whether some bytes did not fit the encoding.
    pub malformed: bool,
}

/// Returns the encoding with a label such as `shift-jis` or `gb18030`; `None` for an unknown label.
#[must_use]
pub fn encoding_by_name(label: &str) -> Option<&'static Encoding> {
    match label.trim().to_ascii_lowercase().as_str() {
        // Names that people use and the WHATWG list lacks.
        "cp936" => Some(GB18030),
        "cp932" => Some(SHIFT_JIS),
        "cp949" => Some(encoding_rs::EUC_KR),
        "cp950" => Some(encoding_rs::BIG5),
        label => Encoding::for_label(label.as_bytes()),
    }
}

/// Decodes `bytes`: as `wanted` where given, else as a byte order mark says, else as UTF-8 if it is that, else as
/// what its statistics look like. What cannot be decoded becomes U+FFFD.
#[must_use]
pub fn decode_text(bytes: &[u8], wanted: Option<&'static Encoding>) -> DecodedText {
    let marked = Encoding::for_bom(bytes);
    let encoding = wanted.or(marked.map(|(encoding, _)| encoding)).unwrap_or_else(|| detect(bytes));
    // The mark itself is removed when it is this encoding's.
    let (text, malformed) = encoding.decode_with_bom_removal(bytes);
    DecodedText { text: text.into_owned(), encoding: encoding.name(), malformed }
}

fn detect(bytes: &[u8]) -> &'static Encoding {
    if is_mostly_utf8(bytes) {
        return UTF_8;
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guess = detector.guess(None, chardetng::Utf8Detection::Deny);
    // GB18030 is the superset that today's Chinese spreadsheets write.
    let guess = if guess == GBK { GB18030 } else { guess };
    // Short tables leave the statistics unsure; what cannot read every byte gives way to what can.
    let fits = |encoding: &&'static Encoding| !encoding.decode_without_bom_handling(bytes).1;
    [guess, GB18030, SHIFT_JIS].into_iter().find(fits).unwrap_or(guess)
}

/// Returns whether this is UTF-8, perhaps with a few broken places. One broken byte in a long table must not turn
/// all of it into another encoding's garbage; text in other encodings hardly ever forms whole UTF-8 sequences.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut whole, mut broken) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    broken == 0 || whole >= 10 * broken
}

#[cfg(test)]
mod tests {
    use super::*;

    const JAPANESE: &str =
        "recording_id,title,artist\nJP-1,夜に駆ける,ヨアソビ\nJP-2,さくらの季節,東京少年合唱団\n";
    const CHINESE: &str =
        "recording_id,title,artist\nCN-1,月亮代表我的心,邓丽君\nCN-2,茉莉花,中央民族乐团合唱队\n";

    #[test]
    fn detects_the_encodings_of_east_asian_spreadsheets() {
        for (text, encoding) in [(JAPANESE, SHIFT_JIS), (CHINESE, GB18030)] {
            let (bytes, _, broken) = encoding.encode(text);
            assert!(!broken);
            let decoded = DecodedText { text: text.to_owned(), encoding: encoding.name(), malformed: false };
            assert_eq!(decode_text(&bytes, None), decoded);
            assert_eq!(decode_text(text.as_bytes(), None).encoding, "UTF-8");
            let marked = format!("\u{feff}{text}");
            assert_eq!(decode_text(marked.as_bytes(), None).text, text);
        }
    }

    #[test]
    fn reads_utf_16_with_a_mark() {
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend(JAPANESE.encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(decode_text(&bytes, None).text, JAPANESE);
    }

    #[test]
    fn a_broken_byte_leaves_the_rest_of_utf_8_alone() {
        let mut bytes = CHINESE.as_bytes().to_vec();
        bytes.extend(b"CN-3,\xff,x\n");
        let decoded = decode_text(&bytes, None);
        assert_eq!((decoded.encoding, decoded.malformed), ("UTF-8", true));
        assert!(decoded.text.starts_with(CHINESE));
        assert!(decoded.text.contains('\u{fffd}'));
    }

    #[test]
    fn names() {
        for (name, encoding) in
            [("Shift-JIS", "Shift_JIS"), ("cp936", "gb18030"), ("GB18030", "gb18030"), ("utf8", "UTF-8")]
        {
            assert_eq!(encoding_by_name(name).map(Encoding::name), Some(encoding), "{name}");
        }
        assert_eq!(encoding_by_name("klingon"), None);
    }
}
