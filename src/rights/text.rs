//! Bytes of a table → text: UTF-8 with or without a mark, UTF-16 with one, else the likeliest of the encodings
//! that spreadsheets in China and Japan write.

use encoding_rs::{EUC_JP, Encoding, GB18030, SHIFT_JIS};

/// The text, the encoding's name, and whether some bytes did not fit it.
pub(super) fn decode(bytes: &[u8]) -> (String, &'static str, bool) {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        let (text, malformed) = encoding.decode_with_bom_removal(bytes);
        return (text.into_owned(), encoding.name(), malformed);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), "UTF-8", false);
    }
    let encoding = guess(bytes);
    let (text, malformed) = encoding.decode_without_bom_handling(bytes);
    (text.into_owned(), encoding.name(), malformed)
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guessed = detector.guess(None, chardetng::Utf8Detection::Allow);
    if guessed == SHIFT_JIS || guessed == EUC_JP {
        return guessed;
    }
    // Short tables leave the detector unsure; GB18030 unless only Shift-JIS can read every byte.
    let fits = |encoding: &'static Encoding| !encoding.decode_without_bom_handling(bytes).1;
    if !fits(GB18030) && fits(SHIFT_JIS) { SHIFT_JIS } else { GB18030 }
}
