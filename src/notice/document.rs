//! A document as blocks, the same for all formats that people read.

use serde::Serialize;

use super::words::Lang;

/// Begins a [literal](Run::literal) run; `inert` text holds no control characters, so none can come from outside.
pub(super) const LITERAL_BEGINS: char = '\u{2}';
/// Ends a literal run.
pub(super) const LITERAL_ENDS: char = '\u{3}';

/// A document as blocks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Document {
    /// Its language.
    pub(super) language: Lang,
    /// Its title.
    pub(super) title: String,
    /// A line under the title; may be empty.
    pub(super) subtitle: String,
    /// What stands in the foot of each page.
    pub(super) footer: String,
    /// Its parts.
    pub(super) sections: Vec<Section>,
}

/// A part of a document that begins a page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Section {
    /// Whether its pages are lying.
    pub(super) landscape: bool,
    /// What it holds.
    pub(super) blocks: Vec<Block>,
}

/// A block of text.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Block {
    /// The title of a part.
    Title { lines: Lines },
    /// A heading.
    Heading { lines: Lines },
    /// Paragraphs.
    Text { style: Style, lines: Lines },
    /// A form: a name and a value in each row.
    Fields { rows: Vec<Field>, tall: bool },
    /// A numbered list.
    List { items: Vec<Lines> },
    /// A table with a head that is repeated on each page.
    Table { head: Vec<Lines>, widths: Vec<u16>, rows: Vec<Vec<Lines>> },
}

/// How paragraphs stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Style {
    /// As text.
    #[default]
    Plain,
    /// Smaller.
    Note,
    /// In the middle.
    Center,
    /// At the right.
    Right,
}

/// One row of a form.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Field {
    /// Its name.
    pub(super) label: Lines,
    /// Whether the form marks it as mandatory.
    pub(super) must: bool,
    /// Its value.
    pub(super) value: Lines,
}

/// Lines of text.
pub(super) type Lines = Vec<Vec<Run>>;

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Run {
    /// Whether it is an address or a digest, which is read letter by letter and may break anywhere.
    pub(super) literal: bool,
    /// The text.
    pub(super) text: String,
}

/// Splits rendered text into lines and runs. Empty lines are dropped, so that what a template leaves out leaves no gap.
pub(super) fn lines(text: &str) -> Lines {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(runs).collect()
}

fn runs(line: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut literal = false;
    for text in line.split([LITERAL_BEGINS, LITERAL_ENDS]) {
        if !text.is_empty() {
            runs.push(Run { literal, text: text.to_owned() });
        }
        literal = !literal;
    }
    runs
}

/// The text of lines, joined by spaces.
pub(super) fn plain(lines: &Lines) -> String {
    let texts = lines.iter().map(|runs| runs.iter().map(|run| run.text.as_str()).collect::<String>());
    texts.collect::<Vec<_>>().join(" ")
}

impl Document {
    /// The document as plain text, one line a paragraph.
    pub(super) fn plain_text(&self) -> String {
        let mut text = String::new();
        let mut push = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        for block in self.sections.iter().flat_map(|section| &section.blocks) {
            match block {
                Block::Title { lines } | Block::Heading { lines } => push(&plain(lines)),
                Block::Text { lines, .. } => lines.iter().for_each(|line| push(&plain(&vec![line.clone()]))),
                Block::Fields { rows, .. } => {
                    rows.iter()
                        .for_each(|row| push(&format!("{}: {}", plain(&row.label), plain(&row.value))));
                }
                Block::List { items } => {
                    items
                        .iter()
                        .enumerate()
                        .for_each(|(n, item)| push(&format!("{}. {}", n + 1, plain(item))));
                }
                Block::Table { rows, .. } => {
                    rows.iter().for_each(|row| push(&row.iter().map(plain).collect::<Vec<_>>().join("; ")));
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_literals_are_told_apart() {
        let text = format!("a {LITERAL_BEGINS}http://x{LITERAL_ENDS} b\n\n  \nc");
        let run = |literal, text: &str| Run { literal, text: text.to_owned() };
        assert_eq!(
            lines(&text),
            [vec![run(false, "a "), run(true, "http://x"), run(false, " b")], vec![run(false, "c")]]
        );
        assert_eq!(plain(&lines(&text)), "a http://x b c");
    }
}
