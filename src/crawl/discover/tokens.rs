//! A page's text through html5ever's tokenizer, piece by piece, so that a reader can stop where a page costs too much.

use std::cell::Cell;

use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use super::xml::cut;

/// Bytes that the tokenizer is given at a time.
pub(super) const PIECE_BYTES: usize = 1024;

/// Feeds `html` to `sink` while `goes_on` says so; gives the sink back, ended.
///
/// `goes_on` is asked after each piece, with the sink and the comparisons of attribute names that the page may have cost
/// so far: the tokenizer compares each name of a tag with all before it, the square of their number.
pub(super) fn feed<S: TokenSink>(sink: S, html: &str, mut goes_on: impl FnMut(&S, u64) -> bool) -> S {
    let tokenizer = Tokenizer::new(Counted { sink, tokens: Cell::new(0) }, TokenizerOpts::default());
    let input = BufferQueue::default();
    let (mut rest, mut separators, mut comparisons) = (html, 0, 0);
    while !rest.is_empty() {
        let piece = cut(rest, PIECE_BYTES);
        rest = &rest[piece.len()..];
        let tokens_before = tokenizer.sink.tokens.get();
        input.push_back(StrTendril::from_slice(piece));
        while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        // Without a token in between, all this was one tag (or comment): attributes in it follow a separator each.
        if tokenizer.sink.tokens.get() != tokens_before {
            separators = 0;
        }
        let more = attribute_separators(piece);
        comparisons += separators * more;
        separators += more;
        if !goes_on(&tokenizer.sink.sink, comparisons) {
            break;
        }
    }
    tokenizer.end();
    tokenizer.sink.sink
}

/// How many attributes may begin in `piece` at most: each follows a blank, a slash or the quote that ends a value.
fn attribute_separators(piece: &str) -> u64 {
    let (mut blanks, mut quotes) = (0, 0);
    for byte in piece.bytes() {
        blanks += u64::from(byte.is_ascii_whitespace() || byte == b'/');
        quotes += u64::from(byte == b'"' || byte == b'\'');
    }
    blanks + quotes / 2
}

/// Counts the tokens that a sink is given.
struct Counted<S> {
    sink: S,
    /// Tokens so far; parse errors, which come within a tag as well, are none and stay behind.
    tokens: Cell<u64>,
}

impl<S: TokenSink> TokenSink for Counted<S> {
    type Handle = S::Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<S::Handle> {
        if matches!(token, Token::ParseError(_)) {
            return TokenSinkResult::Continue;
        }
        self.tokens.set(self.tokens.get() + 1);
        self.sink.process_token(token, line)
    }

    fn end(&self) {
        self.sink.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.sink.adjusted_current_node_present_but_not_in_html_namespace()
    }
}
