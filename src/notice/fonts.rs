//! The fonts of PDF documents, compiled in, and which characters they have.

use std::sync::LazyLock;

use typst::foundations::Bytes;
use typst::layout::Abs;
use typst::text::{Font, FontBook, FontInstance, FontVariant, FontVariations};
use typst::utils::LazyHash;

use super::words::Lang;

/// All faces, in the order in which they are looked up after a language's own.
static FACES: [&[u8]; 6] = [
    include_bytes!("../../assets/fonts/OpenSans-Regular.ttf"),
    include_bytes!("../../assets/fonts/OpenSans-Bold.ttf"),
    include_bytes!("../../assets/fonts/MTLc3m.ttf"),
    include_bytes!("../../assets/fonts/DroidSansFallbackFull.ttf"),
    include_bytes!("../../assets/fonts/NanumSquareR.ttf"),
    include_bytes!("../../assets/fonts/DejaVuSans.ttf"),
];

/// The faces and the book that names them.
pub(super) struct Fonts {
    pub(super) faces: Vec<Font>,
    pub(super) book: LazyHash<FontBook>,
}

pub(super) static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let faces: Vec<Font> = FACES.iter().filter_map(|bytes| Font::new(Bytes::new(*bytes), 0)).collect();
    Fonts { book: LazyHash::new(FontBook::from_fonts(&faces)), faces }
});

/// The faces as they are drawn: only so do they tell their pictures.
static INSTANCES: LazyLock<Vec<FontInstance>> = LazyLock::new(|| {
    let drawn = |face: &Font| {
        face.clone().instantiate(FontVariant::default(), Abs::pt(10.0), &FontVariations::default())
    };
    FONTS.faces.iter().map(drawn).collect()
});

/// The families of a language, in the order in which they are tried. Japanese and Chinese write some characters
/// differently, so the face that is made for the document's language comes first.
pub(super) const fn families(lang: Lang) -> [&'static str; 5] {
    match lang {
        Lang::Japanese => ["Open Sans", "MotoyaLCedar", "Droid Sans Fallback", "NanumSquare", "DejaVu Sans"],
        Lang::Chinese | Lang::AmericanEnglish | Lang::English => {
            ["Open Sans", "Droid Sans Fallback", "MotoyaLCedar", "NanumSquare", "DejaVu Sans"]
        }
    }
}

/// Scripts that run from right to left: they would turn what stands next to them around.
const fn runs_leftward(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}' | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// The faces that have `c`, one bit each.
fn faces_with(c: char) -> u32 {
    if runs_leftward(c) {
        return 0;
    }
    // A table of characters may name some for which there is no picture, only the sign for a missing one: glyph 0.
    let has_glyph = |face: &FontInstance| face.ttf().glyph_index(c).is_some_and(|glyph| glyph.0 != 0);
    let has = |face: &FontInstance| {
        u32::from(face.font().info().coverage.contains(u32::from(c)) && has_glyph(face))
    };
    INSTANCES.iter().enumerate().fold(0, |faces, (n, face)| faces | has(face) << n)
}

static MARK: LazyLock<Option<regex::Regex>> = LazyLock::new(|| regex::Regex::new(r"^\p{M}").ok());

/// Whether `c` is drawn together with the character before it: accents, and the later parts of a Hangul syllable.
pub(super) fn joins(c: char) -> bool {
    if c.is_ascii() {
        return false;
    }
    let jamo = matches!(c, '\u{1160}'..='\u{11FF}' | '\u{D7B0}'..='\u{D7FF}');
    jamo || MARK.as_ref().is_some_and(|mark| mark.is_match(c.encode_utf8(&mut [0; 4])))
}

/// Returns text with every character that no font has written as `[U+1F3B5]`. What is drawn together must be in one font.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut faces = 0;
    for c in text.chars() {
        let own = faces_with(c);
        faces = if joins(c) { faces & own } else { own };
        if faces == 0 {
            shown.push_str(&format!("[U+{:04X}]", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_face_is_read_and_named() {
        assert_eq!(FONTS.faces.len(), FACES.len());
        for lang in [Lang::Chinese, Lang::Japanese, Lang::English] {
            for family in families(lang) {
                assert!(FONTS.book.contains_family(&family.to_lowercase()), "{family}");
            }
        }
    }

    #[test]
    fn scripts_of_music_titles_are_there_and_the_rest_is_spelt_out() {
        let titles = "夜明けの駅 东京之夜 東京之夜 한글 각 Őäéñçßłž ẞ ₫ «“”‘’…— ①℗♪《》⟨⟩ Ж Ω ệ";
        assert_eq!(shown(titles), titles);
        assert_eq!(shown("a🎵b"), "a[U+1F3B5]b");
        assert_eq!(shown("אa"), "[U+05D0]a");
        // Named by a font, and not drawn by it.
        assert_eq!(shown("ຉ"), "[U+0E89]");
        // Accents that the base's font lacks.
        assert_eq!(shown("e\u{301}"), "e\u{301}");
        assert_eq!(shown("夜\u{301}a"), "夜[U+0301]a");
    }
}
