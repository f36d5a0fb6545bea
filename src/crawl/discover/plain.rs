//! What a page says to its reader, as text alone: for people who must see what stood there without opening it.

use std::cell::{Cell, RefCell};

use html5ever::local_name;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, states};
use url::Url;

use super::text;
use super::tokens::feed;

/// Bytes of a page that are read.
const PAGE_BYTES_MAX: usize = 512 << 10;
/// Comparisons of attribute names that one page may cost.
const COMPARISONS_MAX: u64 = 50_000_000;

/// The text of an HTML page's body and title, at most `chars_max` characters: scripts and styles are left out, and each
/// paragraph, row or item has a line of its own. Takes any bytes.
///
/// ```
/// use earwitness::crawl::discover::page_text;
///
/// let page = b"<title>New</title><script>x()</script><p>Free <b>music</b></p><p>Take it</p>";
/// let url = "https://music.example/".parse()?;
/// assert_eq!(page_text(&url, Some("text/html"), page, 1000), "New\nFree music\nTake it");
/// # Ok::<(), url::ParseError>(())
/// ```
#[must_use]
pub fn page_text(url: &Url, content_type: Option<&str>, bytes: &[u8], chars_max: usize) -> String {
    let bytes = bytes.get(..PAGE_BYTES_MAX).unwrap_or(bytes);
    let (html, _) = text::decode(bytes, content_type, url);
    let reader = feed(Reader::new(chars_max), &html, |reader, comparisons| {
        reader.left.get() > 0 && comparisons < COMPARISONS_MAX
    });
    reader.text.into_inner().trim_end().to_owned()
}

/// Collects text.
struct Reader {
    text: RefCell<String>,
    /// Characters that may still be taken.
    left: Cell<usize>,
    /// Whether what comes is a script's or a style's.
    is_hidden: Cell<bool>,
}

impl Reader {
    fn new(chars_max: usize) -> Self {
        let left = Cell::new(chars_max);
        Self { text: RefCell::default(), left, is_hidden: Cell::new(false) }
    }

    /// Takes text, with each run of white space as one blank.
    fn take(&self, text: &str) {
        let mut taken = self.text.borrow_mut();
        for c in text.chars() {
            if self.left.get() == 0 {
                return;
            }
            let is_blank = c.is_whitespace();
            if is_blank && (taken.is_empty() || taken.ends_with([' ', '\n'])) {
                continue;
            }
            taken.push(if is_blank { ' ' } else { c });
            self.left.set(self.left.get() - 1);
        }
    }

    fn end_line(&self) {
        let mut taken = self.text.borrow_mut();
        let length = taken.trim_end_matches(' ').len();
        taken.truncate(length);
        if !taken.is_empty() && !taken.ends_with('\n') {
            taken.push('\n');
        }
    }

    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        let raw = match tag.name {
            local_name!("script") => Some(states::ScriptData),
            local_name!("style") | local_name!("noframes") | local_name!("iframe") => Some(states::Rawtext),
            _ => None,
        };
        if let Some(raw) = raw {
            let begins = tag.kind == TagKind::StartTag && !tag.self_closing;
            self.is_hidden.set(begins);
            return if begins { TokenSinkResult::RawData(raw) } else { TokenSinkResult::Continue };
        }
        if !is_within_line(tag) {
            self.end_line();
        }
        if tag.kind == TagKind::StartTag && tag.name == local_name!("title") {
            return TokenSinkResult::RawData(states::Rcdata);
        }
        TokenSinkResult::Continue
    }
}

/// Whether an element stands within a line of text.
fn is_within_line(tag: &Tag) -> bool {
    matches!(
        tag.name,
        local_name!("a")
            | local_name!("b")
            | local_name!("i")
            | local_name!("u")
            | local_name!("em")
            | local_name!("strong")
            | local_name!("span")
            | local_name!("font")
            | local_name!("small")
            | local_name!("sub")
            | local_name!("sup")
            | local_name!("img")
            | local_name!("abbr")
            | local_name!("bdi")
            | local_name!("bdo")
            | local_name!("code")
            | local_name!("label")
            | local_name!("ruby")
            | local_name!("rt")
            | local_name!("wbr")
    )
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => return self.tag(&tag),
            Token::CharacterTokens(text) if !self.is_hidden.get() => self.take(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn read(page: &[u8], chars_max: usize) -> String {
        page_text(&Url::parse("http://a.example/").unwrap(), None, page, chars_max)
    }

    #[test]
    fn only_what_a_reader_sees_is_taken() {
        let page = "<!doctype html><title>夜に <x></title><style>p{color:red}</style><!-- no --><p>a<br>b &amp; c</p>\
                    <ul><li>one<li>two</ul><script>if (1 < 2) { document.write('<p>no</p>') }</script>\
                    <table><tr><td>1<td>2</table><textarea>typed</textarea>";
        assert_eq!(read(page.as_bytes(), 1000), "夜に <x>\na\nb & c\none\ntwo\n1\n2\ntyped");
        assert_eq!(read(b"<p>0123456789", 4), "0123");
        let (gbk, ..) = encoding_rs::GBK.encode("<meta charset=gbk><p>免费音乐");
        assert_eq!(read(&gbk, 100), "免费音乐");
    }

    #[test]
    fn a_tag_of_very_many_attributes_ends_the_reading() {
        let many: String = (0..100_000).map(|number| format!(" a{number}")).collect();
        assert_eq!(read(format!("<p>before<p{many}>behind").as_bytes(), 100), "before");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_within_the_limit(page in prop::collection::vec(any::<u8>(), 0..2000), most in 0usize..50) {
            // Line ends that are put in are no characters of the page.
            prop_assert!(read(&page, most).chars().filter(|c| *c != '\n').count() <= most);
        }
    }
}
