//! The XML of a manifest as a small tree: names without prefix, attributes, text. Bounded in size and depth.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::crawl::discover::xml::{cut, unescape};

/// Elements of one manifest; a timeline or list of segments has one for each.
const NODES_MAX: usize = 50_000;
/// Elements inside one another; manifests have seven.
const DEPTH_MAX: usize = 16;
/// Attributes of one element.
const ATTRIBUTES_MAX: usize = 40;
/// The longest text and attribute value that is kept.
const TEXT_BYTES_MAX: usize = 8192;

/// One element.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    pub(super) children: Vec<Self>,
    text: String,
}

impl Node {
    fn new(element: &BytesStart<'_>) -> Self {
        let mut attributes = element.attributes();
        // Looking for repeated names costs the square of their number.
        attributes.with_checks(false);
        let attributes = attributes.flatten().take(ATTRIBUTES_MAX).map(|attribute| {
            let value = unescape(cut(&attribute.value, TEXT_BYTES_MAX)).into_owned();
            (attribute.key.local_name().as_ref().to_owned(), value)
        });
        let name = element.local_name().as_ref().to_owned();
        Self { name, attributes: attributes.collect(), children: Vec::new(), text: String::new() }
    }

    /// The value of an attribute, trimmed.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim())
    }

    /// The value of an attribute that is a number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    pub(super) fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'n Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub(super) fn first(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    fn push_text(&mut self, piece: &str) {
        let room = TEXT_BYTES_MAX.saturating_sub(self.text.len());
        self.text.push_str(cut(piece, room));
    }
}

/// Reads `xml` up to the first place that is not XML, or to the limits; the second value says why it ends there.
pub(super) fn read(xml: &str) -> (Option<Node>, Option<String>) {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    // The element that holds the root, so that there is always one that is open.
    let mut open = vec![Node::default()];
    let (mut nodes, mut problem) = (0, None);
    loop {
        match reader.read_event() {
            Ok(event @ (Event::Start(_) | Event::Empty(_))) => {
                nodes += 1;
                if nodes > NODES_MAX || open.len() > DEPTH_MAX {
                    problem = Some(format!("only the manifest's first {nodes} elements were read"));
                    break;
                }
                let is_empty = matches!(event, Event::Empty(_));
                if let Event::Start(element) | Event::Empty(element) = event {
                    open.push(Node::new(&element));
                }
                if is_empty {
                    close(&mut open);
                }
            }
            Ok(Event::End(_)) => close(&mut open),
            Ok(Event::Text(piece)) => add_text(&mut open, &piece.xml10_content()),
            Ok(Event::CData(piece)) => add_text(&mut open, &piece.xml10_content()),
            Ok(Event::GeneralRef(name)) => {
                add_text(&mut open, &unescape(&format!("&{};", name.xml10_content())));
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                problem =
                    Some(format!("not well-formed XML from byte {} on ({error})", reader.error_position()));
                break;
            }
        }
    }
    while open.len() > 1 {
        close(&mut open);
    }
    let root = open.pop().and_then(|holder| holder.children.into_iter().find(|node| node.name == "MPD"));
    (root, problem)
}

/// Ends the innermost element.
fn close(open: &mut Vec<Node>) {
    if open.len() > 1
        && let Some(node) = open.pop()
        && let Some(parent) = open.last_mut()
    {
        parent.children.push(node);
    }
}

fn add_text(open: &mut [Node], piece: &str) {
    if let Some(node) = open.last_mut() {
        node.push_text(piece);
    }
}
