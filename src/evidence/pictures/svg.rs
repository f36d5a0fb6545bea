//! Writing SVG: figures with two decimals, text escaped.

use std::fmt::Write as _;

use super::lines::wrapped;
use super::words::Language;
use crate::base::inert;

/// Width of all pictures in their own units; printed over a page's width, a unit is some 0.17 mm.
pub(super) const WIDTH: f64 = 1000.0;
/// Size of the letters: some 8.5 points in print.
pub(super) const LETTER: f64 = 17.0;
/// Where captions begin and end.
const CAPTION_LEFT: f64 = 30.0;
const CAPTION_WIDTH: f64 = WIDTH - 2.0 * CAPTION_LEFT;

/// Ink of text and frames.
pub(super) const INK: &str = "#1b1b1b";
/// Ink of grid lines.
pub(super) const FAINT: &str = "#c9ced6";
/// What both have in common; told from the blue of spectrograms by every eye, and dark enough in grey print.
pub(super) const COMMON: &str = "#d1410c";

/// Where a text is held.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture that is being written.
pub(super) struct Svg {
    language: Language,
    body: String,
}

impl Svg {
    pub(super) fn new(language: Language) -> Self {
        Self { language, body: String::new() }
    }

    pub(super) fn rect(&mut self, [x, y, width, height]: [f64; 4], paint: &str) {
        let (x, y, width, height) = (n(x), n(y), n(width.max(0.0)), n(height.max(0.0)));
        let _ = writeln!(self.body, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" {paint}/>"#);
    }

    pub(super) fn line(&mut self, [x1, y1, x2, y2]: [f64; 4], paint: &str) {
        let (x1, y1, x2, y2) = (n(x1), n(y1), n(x2), n(y2));
        let _ = writeln!(self.body, r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {paint}/>"#);
    }

    pub(super) fn circle(&mut self, x: f64, y: f64, radius: f64, paint: &str) {
        let _ = writeln!(self.body, r#"<circle cx="{}" cy="{}" r="{}" {paint}/>"#, n(x), n(y), n(radius));
    }

    pub(super) fn polygon(&mut self, points: &[(f64, f64)], paint: &str) {
        let points: Vec<String> = points.iter().map(|&(x, y)| format!("{},{}", n(x), n(y))).collect();
        let _ = writeln!(self.body, r#"<polygon points="{}" {paint}/>"#, points.join(" "));
    }

    /// A PNG, stretched over the place.
    pub(super) fn image(&mut self, [x, y, width, height]: [f64; 4], png_base64: &str) {
        let (x, y, width, height) = (n(x), n(y), n(width), n(height));
        let _ = writeln!(
            self.body,
            r#"<image x="{x}" y="{y}" width="{width}" height="{height}" preserveAspectRatio="none" href="data:image/png;base64,{png_base64}"/>"#
        );
    }

    /// A line of text. Text from outside cannot turn what stands beside it around.
    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        self.text_with(x, y, anchor, "", text);
    }

    /// The same with further attributes.
    pub(super) fn text_with(&mut self, x: f64, y: f64, anchor: Anchor, more: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y, text) = (n(x), n(y), escaped(text));
        let _ = writeln!(self.body, r#"<text x="{x}" y="{y}" text-anchor="{anchor}" {more}>{text}</text>"#);
    }

    /// The heading: a title, and a line below it.
    pub(super) fn heading(&mut self, title: &str, below: &str) {
        self.text_with(CAPTION_LEFT, 40.0, Anchor::Start, r#"font-size="23" font-weight="bold""#, title);
        self.text(CAPTION_LEFT, 68.0, Anchor::Start, below);
    }

    /// A caption in as many lines as it takes; gives where the next thing may stand.
    pub(super) fn caption(&mut self, y: f64, text: &str) -> f64 {
        let mut y = y;
        for line in wrapped(text, CAPTION_WIDTH / LETTER) {
            self.text(CAPTION_LEFT, y, Anchor::Start, &line);
            y += 24.0;
        }
        y
    }

    /// Ends the picture. `title` is what reading machines say.
    pub(super) fn finish(self, height: f64, title: &str) -> String {
        let (width, height, fonts, tag) = (n(WIDTH), n(height), self.language.fonts(), self.language.tag());
        let title = escaped(title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             xml:lang=\"{tag}\" lang=\"{tag}\" role=\"img\">\n<title>{title}</title>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
             <g font-family=\"{fonts}\" font-size=\"{LETTER}\" fill=\"{INK}\">\n{}</g>\n</svg>\n",
            self.body
        )
    }
}

/// A figure with two decimals at most; what is none is 0.
fn n(value: f64) -> String {
    let value = if value.is_finite() { value.clamp(-1e6, 1e6) } else { 0.0 };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text as XML allows it: nothing active, no markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in inert(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
