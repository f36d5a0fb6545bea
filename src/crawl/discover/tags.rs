//! A tolerant reader of HTML tags: tags, their attributes and the text of `script` and `title`, in one pass.
//!
//! No tree is built. Media and links are found by tags and attributes alone, and without a tree a hostile page can
//! cost neither depth nor more than linear time. Follows the tokenisation of the HTML standard where pages depend on
//! it: comments, unquoted attributes, raw text elements, character references in attributes and titles.

use std::borrow::Cow;

/// Attributes that are kept of one tag.
const ATTRIBUTES_MAX: usize = 64;
/// Bytes of raw text (a script, a title) that are looked at.
const RAW_TEXT_BYTES_MAX: usize = 4 << 20;

/// A start tag.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tag {
    /// The element's name in lower case.
    pub(super) name: String,
    /// Names in lower case and values with references resolved, in order.
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// Returns the value of an attribute, trimmed, if it is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())?;
        (!value.is_empty()).then_some(value)
    }

    /// Returns all attributes.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// What the reader meets.
#[derive(Debug, PartialEq)]
pub(super) enum Token<'t> {
    /// A start tag.
    Open(Tag),
    /// An end tag's name in lower case.
    Close(String),
    /// The text of a raw text element (`script`, `title` …) that was just opened; references are not resolved.
    Raw(&'t str),
}

/// Reads tokens from `html`.
pub(super) struct Reader<'t> {
    rest: &'t str,
    /// The raw text element whose text comes next.
    raw: Option<&'static str>,
}

const RAW_ELEMENTS: &[&str] =
    &["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"];

impl<'t> Reader<'t> {
    pub(super) const fn new(html: &'t str) -> Self {
        Self { rest: html, raw: None }
    }

    fn raw_text(&mut self, element: &str) -> &'t str {
        let end = find_close(self.rest, element).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        cut(text, RAW_TEXT_BYTES_MAX)
    }

    /// Reads what follows a `<`; `None` where it is no tag and only the `<` is consumed.
    fn markup(&mut self) -> Option<Token<'t>> {
        let after = &self.rest[1..];
        if let Some(comment) = after.strip_prefix("!--") {
            // `<!-->` and `<!--->` are whole comments.
            let skipped = if comment.starts_with('>') {
                0
            } else if comment.starts_with("->") {
                1
            } else {
                comment.find("-->").map_or(comment.len(), |at| at + 2)
            };
            self.rest = comment.get(skipped + 1..).unwrap_or_default();
            return None;
        }
        let first = after.bytes().next()?;
        if first == b'!' || first == b'?' {
            self.rest = after_byte(after, b'>');
            return None;
        }
        if first == b'/' && after.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic) {
            let (name, rest) = take_name(&after[1..]);
            self.rest = after_byte(rest, b'>');
            return Some(Token::Close(name));
        }
        if !first.is_ascii_alphabetic() {
            self.rest = after;
            return None;
        }
        let (name, rest) = take_name(after);
        let (attributes, rest) = take_attributes(rest);
        self.rest = rest;
        self.raw = RAW_ELEMENTS.iter().copied().find(|raw| *raw == name);
        Some(Token::Open(Tag { name, attributes }))
    }
}

impl<'t> Iterator for Reader<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        if let Some(element) = self.raw.take() {
            return Some(Token::Raw(self.raw_text(element)));
        }
        loop {
            let at = self.rest.find('<')?;
            self.rest = &self.rest[at..];
            let before = self.rest.len();
            if let Some(token) = self.markup() {
                return Some(token);
            }
            if self.rest.len() == before {
                self.rest = &self.rest[1..];
            }
        }
    }
}

/// Where `</element` stands, in any case of letters.
fn find_close(text: &str, element: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = text[from..].find("</").map(|at| at + from) {
        let name = bytes.get(at + 2..at + 2 + element.len());
        let ends =
            bytes.get(at + 2 + element.len()).is_none_or(|b| b.is_ascii_whitespace() || b"/>".contains(b));
        if ends && name.is_some_and(|name| name.eq_ignore_ascii_case(element.as_bytes())) {
            return Some(at);
        }
        from = at + 2;
    }
    None
}

fn after_byte(text: &str, byte: u8) -> &str {
    text.find(byte as char).map_or("", |at| &text[at + 1..])
}

fn take_name(text: &str) -> (String, &str) {
    let end = text.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>').unwrap_or(text.len());
    (cut(&text[..end], 64).to_ascii_lowercase(), &text[end..])
}

/// Reads attributes up to and with the tag's `>`.
fn take_attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return (attributes, rest);
        }
        if let Some(rest) = rest.strip_prefix('>') {
            return (attributes, rest);
        }
        // A `=` here begins a name, oddly, by the standard.
        let skip = usize::from(rest.starts_with('='));
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=');
        let end = rest[skip..].find(ends).map_or(rest.len(), |at| at + skip);
        let name = cut(&rest[..end], 64).to_ascii_lowercase();
        rest = rest[end..].trim_start_matches(|c: char| c.is_ascii_whitespace());
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            (value, rest) = take_value(after.trim_start_matches(|c: char| c.is_ascii_whitespace()));
        }
        if attributes.len() < ATTRIBUTES_MAX && !attributes.iter().any(|(known, _)| *known == name) {
            attributes.push((name, unescape(value).into_owned()));
        }
    }
}

fn take_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let end = text.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(text.len());
    text.split_at(end)
}

/// Returns at most `bytes_max` bytes of `text`, whole characters.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let end = (0..=bytes_max).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    &text[..end]
}

/// The longest name of a character reference in HTML, `&CounterClockwiseContourIntegral;`.
const REFERENCE_BYTES_MAX: usize = 33;

/// Resolves character references (`&amp;`, `&#x27;`); what is none stays as it is.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let name_end = rest.bytes().take(REFERENCE_BYTES_MAX).position(|byte| byte == b';');
        let resolved = name_end.and_then(|end| Some((resolve(&rest[1..end])?, end)));
        if let Some((character, end)) = resolved {
            out.push_str(&character);
            rest = &rest[end + 1..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn resolve(reference: &str) -> Option<Cow<'static, str>> {
    let Some(number) = reference.strip_prefix('#') else {
        return quick_xml::escape::resolve_html5_entity(reference).map(Cow::Borrowed);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    char::from_u32(code.ok()?).filter(|c| *c != '\0').map(|c| Cow::Owned(c.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(html: &str) -> Vec<Tag> {
        let open = |token| match token {
            Token::Open(tag) => Some(tag),
            _ => None,
        };
        Reader::new(html).filter_map(open).collect()
    }

    #[test]
    fn attributes_in_every_form() {
        let tags =
            opened("<AUDIO src=a.mp3 data-x='1&amp;2' controls title=\"a > b\" SRC=b.mp3 / ><p\n id=x>");
        assert_eq!(tags.len(), 2);
        assert_eq!(tags[0].name, "audio");
        assert_eq!(tags[0].get("src"), Some("a.mp3"));
        assert_eq!(tags[0].get("data-x"), Some("1&2"));
        assert_eq!(tags[0].get("title"), Some("a > b"));
        assert_eq!(tags[0].get("controls"), None);
        assert_eq!(tags[1].get("id"), Some("x"));
    }

    #[test]
    fn comments_and_raw_text_hide_tags() {
        let html = "<!-- <a href=1> --><!--><a href=2><script>if (a<b) '<a href=3>' </SCRIPT ><a href=4><?x><!doctype y>";
        let hrefs: Vec<_> =
            opened(html).iter().filter_map(|tag| tag.get("href").map(str::to_owned)).collect();
        assert_eq!(hrefs, ["2", "4"]);
        let raw: Vec<_> = Reader::new("<title>A &amp; B</title>")
            .filter_map(
                |token| if let Token::Raw(text) = token { Some(unescape(text).into_owned()) } else { None },
            )
            .collect();
        assert_eq!(raw, ["A & B"]);
    }

    #[test]
    fn references() {
        assert_eq!(
            unescape("a&b=1&copy=2&lt;&eacute;&#x4e2d;&#20013;&#0;&nosuch;&"),
            "a&b=1&copy=2<é中中&#0;&nosuch;&"
        );
    }

    proptest::proptest! {
        #[test]
        fn ends_on_any_text(html in "[<>a-c/=\"'!\\-&;# \\PC]{0,200}") {
            for token in Reader::new(&html) {
                std::hint::black_box(token);
            }
        }
    }
}
