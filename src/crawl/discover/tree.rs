//! From a page's text to its tree, at a cost that is bounded whatever the page holds.
//!
//! The HTML standard's algorithm lets a page of megabytes cost the square of its length: elements nested a hundred
//! thousand deep, formatting elements that are opened again in every paragraph, hundreds of thousands of attributes.
//! Therefore the tokens pass through [`Trimmed`] on their way from html5ever's tokenizer to its tree builder: what
//! discovery does not ask for (text of the body, comments, the difference between `<b>` and `<span>`) stays behind,
//! depth and size are limited, and what is dropped beyond a limit is reported. The tree lies in one vector, so
//! neither building nor dropping it recurses.

use std::cell::Cell;

use html5ever::interface::Tracer;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink};
use html5ever::{LocalName, local_name};
use scraper::{Html, HtmlTreeSink, Node};

use super::tokens::feed;

/// The id of a node in the tree.
type NodeId = <HtmlTreeSink as TreeSink>::Handle;

/// Elements that may be open at once. Beyond, an element is closed where it opens: it is still found, only no longer
/// the ancestor of what follows, which hardly matters here. (Browsers do alike from 512 on.)
const OPEN_MAX: usize = 100;
/// Attributes that are kept of one tag.
const ATTRIBUTES_MAX: usize = 64;
/// Nodes and attributes of one tree; some 100 MB at worst. A page of the default cap stays below unless it is made to
/// reach it.
const WEIGHT_MAX: usize = 1_000_000;
/// Repeated `<html>` and `<body>` tags whose attributes are still joined to the first one's.
const ROOT_REPEATS_MAX: u32 = 16;
/// Comparisons of attribute names that one page may cost.
const COMPARISONS_MAX: u64 = 2_000_000_000;

/// A page's tree, and why it is not all of the page, if it is not.
pub(super) struct Parsed {
    pub(super) tree: Html,
    pub(super) problem: Option<String>,
}

/// Builds the tree of `html`: all elements with their attributes, and the text of titles, scripts and the like.
pub(super) fn parse(html: &str) -> Parsed {
    // Without scripting, what stands in `<noscript>` is markup: the player for browsers that run no scripts.
    let options = TreeBuilderOpts { scripting_enabled: false, drop_doctype: true, ..Default::default() };
    let builder = TreeBuilder::new(HtmlTreeSink::new(Html::new_document()), options);
    let mut problem = None;
    let trimmed = feed(Trimmed::new(builder), html, |trimmed, comparisons| {
        problem = trimmed.problem(comparisons);
        problem.is_none()
    });
    Parsed { tree: trimmed.builder.sink.finish(), problem }
}

/// Passes on to the tree builder what discovery needs, within limits.
struct Trimmed {
    builder: TreeBuilder<NodeId, HtmlTreeSink>,
    /// Whether the text that comes is that of a script, title or the like.
    in_raw_text: Cell<bool>,
    root_tags: Cell<u32>,
    nodes: Cell<usize>,
    weight: Cell<usize>,
}

impl Trimmed {
    fn new(builder: TreeBuilder<NodeId, HtmlTreeSink>) -> Self {
        let (in_raw_text, root_tags) = (Cell::new(false), Cell::new(0));
        Self { builder, in_raw_text, root_tags, nodes: Cell::new(0), weight: Cell::new(0) }
    }

    fn problem(&self, comparisons: u64) -> Option<String> {
        if self.weight.get() > WEIGHT_MAX {
            return Some(format!(
                "the page has more than {WEIGHT_MAX} elements and attributes; the rest was not read"
            ));
        }
        (comparisons > COMPARISONS_MAX).then(|| {
            "a tag of the page has too many attributes; the page was not read from there on".to_owned()
        })
    }

    fn start(&self, mut tag: Tag, line: u64) -> TokenSinkResult<NodeId> {
        if matches!(tag.name, local_name!("html") | local_name!("body")) {
            if self.root_tags.get() > ROOT_REPEATS_MAX {
                return TokenSinkResult::Continue;
            }
            self.root_tags.set(self.root_tags.get() + 1);
        }
        tag.attrs.truncate(ATTRIBUTES_MAX);
        let open_before = self.open();
        let name = tag.name.clone();
        let result = self.builder.process_token(Token::TagToken(tag), line);
        let is_raw_text = matches!(result, TokenSinkResult::RawData(_) | TokenSinkResult::Plaintext);
        self.in_raw_text.set(is_raw_text);
        if !is_raw_text && open_before >= OPEN_MAX && self.open() > open_before {
            // What ending an element asks of the tokenizer, the end tags that stand in the page ask as well.
            let _ = self.builder.process_token(Token::TagToken(end_of(name)), line);
        }
        result
    }

    /// How many elements are open or waiting to be opened again.
    fn open(&self) -> usize {
        let counter = Counter(Cell::new(0));
        self.builder.trace_handles(&counter);
        counter.0.get()
    }

    /// Weighs the nodes that have come up since the last time.
    fn weigh(&self) {
        let mut tree = self.builder.sink.0.borrow_mut();
        // Nobody reads them, and a page can have millions.
        tree.errors.clear();
        let nodes = tree.tree.values().len();
        let new = tree.tree.values().rev().take(nodes - self.nodes.replace(nodes));
        let weight_of = |node: &Node| node.as_element().map_or(1, |element| 1 + element.attrs.len());
        self.weight.set(self.weight.get() + new.map(weight_of).sum::<usize>());
    }
}

impl TokenSink for Trimmed {
    type Handle = NodeId;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<NodeId> {
        let is_over = self.weight.get() > WEIGHT_MAX && token != Token::EOFToken;
        let result = match token {
            _ if is_over => return TokenSinkResult::Continue,
            Token::CommentToken(_) => return TokenSinkResult::Continue,
            Token::CharacterTokens(_) | Token::NullCharacterToken if !self.in_raw_text.get() => {
                return TokenSinkResult::Continue;
            }
            Token::TagToken(mut tag) => {
                if is_formatting(&tag.name) {
                    tag.name = local_name!("span");
                }
                if tag.kind == TagKind::StartTag {
                    self.start(tag, line)
                } else {
                    self.in_raw_text.set(false);
                    tag.attrs.clear();
                    self.builder.process_token(Token::TagToken(tag), line)
                }
            }
            token => self.builder.process_token(token, line),
        };
        self.weigh();
        result
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

fn end_of(name: LocalName) -> Tag {
    Tag {
        kind: TagKind::EndTag,
        name,
        self_closing: false,
        attrs: Vec::new(),
        had_duplicate_attributes: false,
    }
}

/// The elements that the standard opens again after each end of a paragraph, `<a>` apart: they mean nothing here, and
/// with them a page can grow to the square of itself.
fn is_formatting(name: &LocalName) -> bool {
    matches!(
        &**name,
        "b" | "big"
            | "code"
            | "em"
            | "font"
            | "i"
            | "nobr"
            | "s"
            | "small"
            | "strike"
            | "strong"
            | "tt"
            | "u"
    )
}

/// Counts the tree builder's handles.
struct Counter(Cell<usize>);

impl Tracer for Counter {
    type Handle = NodeId;

    fn trace_handle(&self, _: &NodeId) {
        self.0.set(self.0.get() + 1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use scraper::Selector;

    use super::super::tokens::PIECE_BYTES;
    use super::*;

    fn hrefs(html: &str) -> HashSet<String> {
        let parsed = parse(html);
        assert_eq!(parsed.problem, None);
        let any = Selector::parse("[href]").unwrap();
        parsed.tree.select(&any).filter_map(|element| element.attr("href").map(str::to_owned)).collect()
    }

    #[test]
    fn comments_and_raw_text_hide_tags() {
        let html = "<!-- <a href=1> --><!--><a href=2><script>if (a<b) '<a href=3>' </SCRIPT ><a href=4><?x><!doctype y>\
                    <b href=5>x</i><noscript><a href=6></noscript><title><a href=7></title><textarea><a href=8>";
        assert_eq!(hrefs(html), ["2", "4", "5", "6"].map(str::to_owned).into());
    }

    #[test]
    fn a_tag_across_pieces_is_one_tag() {
        for gap in PIECE_BYTES - 40..PIECE_BYTES + 10 {
            let html =
                format!("{}<a title=\"音{}\" href=\"x音&amp;y\">", " ".repeat(gap), "&amp;".repeat(500));
            assert_eq!(hrefs(&html), ["x音&y".to_owned()].into(), "{gap}");
        }
    }

    #[test]
    fn nothing_is_lost_in_the_depth() {
        for element in ["div", "b", "span x=1", "svg", "table><td", "p><template", "select><option", "ul><li"]
        {
            let html =
                format!("{}<a href=deep></a><script>deep</script>", format!("<{element}>").repeat(2000));
            assert!(hrefs(&html).contains("deep"), "{element}");
            let tree = parse(&html).tree;
            let deepest = tree.tree.nodes().map(|node| node.ancestors().count()).max().unwrap();
            assert!(deepest <= 3 * OPEN_MAX, "{element}: {deepest}");
        }
    }

    #[test]
    fn what_is_beyond_the_limits_is_reported() {
        let parsed = parse(&"<br>".repeat(WEIGHT_MAX + 1000));
        assert!(parsed.problem.unwrap().contains("more than 1000000 elements"));
        assert!(parsed.tree.tree.values().len() < WEIGHT_MAX + PIECE_BYTES);
        let attributes: String = (0..400_000).map(|n| format!(" a{n}=''")).collect();
        let parsed = parse(&format!("<a href=before><div{attributes}><a href=after>"));
        assert!(parsed.problem.unwrap().contains("too many attributes"));
        let wordy = "much ado about nothing ".repeat(10_000);
        assert_eq!(hrefs(&format!("<p data-text='{wordy}'><a href=after>")), ["after".to_owned()].into());
    }
}
