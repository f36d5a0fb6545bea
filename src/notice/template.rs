//! Templates: the wording of each form, which a legal team can replace, and the look of pages.
//!
//! A wording is a TOML file of sections and blocks (`docs/notices.md`). Each text in it is rendered on its own and becomes
//! text of a [`Document`], never markup, so that neither a template nor what is filled in can break a format.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior, context};
use serde::Deserialize;

use super::data::Notice;
use super::document::{Block, Document, Field, LITERAL_BEGINS, LITERAL_ENDS, Lines, Section, Style, lines};
use super::error::Error;
use super::form::{Document as _, Form};
use super::{html, pdf, sample, words};

/// The built-in templates by name.
const BUILT_IN: [(&str, &str); 8] = [
    ("ncac.toml", include_str!("templates/ncac.toml")),
    ("complaint.toml", include_str!("templates/complaint.toml")),
    ("dmca.toml", include_str!("templates/dmca.toml")),
    ("dsa.toml", include_str!("templates/dsa.toml")),
    ("japan.toml", include_str!("templates/japan.toml")),
    ("statement.toml", include_str!("templates/statement.toml")),
    (html::PAGE, include_str!("templates/page.html")),
    (pdf::PAGE, include_str!("templates/page.typ")),
];

/// The longest template that is read: many times the longest built-in one.
const BYTES_MAX: u64 = 1 << 20;

/// All templates, checked.
#[derive(Debug, Clone)]
pub struct Templates {
    wordings: BTreeMap<&'static str, Wording>,
    pages: BTreeMap<&'static str, String>,
}

/// A template of a form's wording.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wording {
    title: String,
    #[serde(default)]
    subtitle: String,
    /// What counsel is to confirm, one line each.
    #[serde(default)]
    counsel: String,
    section: Vec<SectionTemplate>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SectionTemplate {
    when: Option<String>,
    #[serde(default)]
    landscape: bool,
    block: Vec<BlockTemplate>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockTemplate {
    when: Option<String>,
    each: Option<String>,
    title: Option<String>,
    heading: Option<String>,
    text: Option<String>,
    #[serde(default)]
    style: Style,
    /// Name, value and, for mandatory ones, `*`.
    fields: Option<Vec<Vec<String>>>,
    #[serde(default)]
    tall: bool,
    list: Option<String>,
    /// Heading and width of each column.
    columns: Option<Vec<(String, u16)>>,
    cells: Option<Vec<String>>,
}

impl Templates {
    /// Loads the templates: those in `folder`, if one is given, go before the built-in ones of the same name. All are
    /// checked by writing sample notices with them.
    ///
    /// # Errors
    /// [`Error`] names the file that cannot be read, has a name that is none, or does not work, and where in it.
    pub fn load(folder: Option<&Path>) -> Result<Self, Error> {
        let mut own = folder.map(read_folder).transpose()?.unwrap_or_default();
        // What was not changed needs no check.
        own.retain(|name, text| !BUILT_IN.iter().any(|known| known.0 == name && known.1 == text));
        let mut templates = Self { wordings: BTreeMap::new(), pages: BTreeMap::new() };
        for (name, built_in) in BUILT_IN {
            let text = own.get(name).map_or(built_in, String::as_str);
            if name.ends_with(".toml") {
                let wording = toml::from_str(text).map_err(|error| Error::template(name, &error))?;
                templates.wordings.insert(name, wording);
            } else {
                templates.pages.insert(name, text.to_owned());
            }
        }
        templates.check(&own)?;
        Ok(templates)
    }

    /// Returns the built-in templates by name, for whoever wants to begin with them.
    #[must_use]
    pub const fn built_in() -> &'static [(&'static str, &'static str)] {
        &BUILT_IN
    }

    /// Writes samples with everything that is not built in.
    fn check(&self, own: &BTreeMap<String, String>) -> Result<(), Error> {
        for &form in Form::ALL {
            let changed = [form.template(), html::PAGE, pdf::PAGE].map(|name| own.contains_key(name));
            if !changed.contains(&true) {
                continue;
            }
            for full in [true, false] {
                let document = self.document(&sample::notice(form, full))?;
                html::render(self.page(html::PAGE), &document)?;
                if full && own.contains_key(pdf::PAGE) {
                    pdf::render(self.page(pdf::PAGE), &document, sample::DATE)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn page(&self, name: &str) -> &str {
        self.pages.get(name).map_or("", String::as_str)
    }

    /// Renders a notice into blocks.
    pub(super) fn document(&self, notice: &Notice) -> Result<Document, Error> {
        let name = notice.form.template();
        let wording = self.wordings.get(name).ok_or_else(|| Error::Unknown { name: name.to_owned() })?;
        let renderer = Renderer { name, environment: environment(), root: Value::from(Serde(notice)) };
        let mut sections = Vec::new();
        for (n, section) in wording.section.iter().enumerate() {
            let place = format!("section {}", n + 1);
            if renderer.holds(section.when.as_deref(), &place, &renderer.root)? {
                sections.push(renderer.section(section, &place)?);
            }
        }
        let notes = renderer.lines(&wording.counsel, "counsel", &renderer.root)?;
        if !notes.is_empty() && !notice.confirmed {
            sections.push(for_counsel(notice, notes));
        }
        let line = |text, place| renderer.text(text, place, &renderer.root);
        let title = line(&wording.title, "title")?;
        Ok(Document {
            language: notice.language,
            subtitle: line(&wording.subtitle, "subtitle")?,
            footer: notice.number.clone(),
            title,
            sections,
        })
    }
}

/// The last page, which is not a part of the document.
fn for_counsel(notice: &Notice, notes: Lines) -> Section {
    let (heading, about) = words::draft(notice.language);
    Section {
        landscape: false,
        blocks: vec![
            Block::Title { lines: lines(heading) },
            Block::Text { style: Style::Note, lines: lines(about) },
            Block::List { items: notes.into_iter().map(|line| vec![line]).collect() },
        ],
    }
}

fn read_folder(folder: &Path) -> Result<BTreeMap<String, String>, Error> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    let mut own = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if !matches!(ending, Some("toml" | "html" | "typ")) {
            continue;
        }
        // A misspelt name would silently do nothing.
        if !BUILT_IN.iter().any(|(known, _)| *known == name) {
            return Err(Error::Unknown { name: path.display().to_string() });
        }
        own.insert(name, read(&path)?);
    }
    Ok(own)
}

fn read(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(Error::template(&path.display().to_string(), &format!("longer than {BYTES_MAX} bytes")));
    }
    Ok(text)
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(|out, _, value| {
        if value.is_undefined() {
            return Err(minijinja::ErrorKind::UndefinedError.into());
        }
        if value.is_none() { Ok(()) } else { Ok(write!(out, "{value}")?) }
    });
    environment.add_filter("literal", |value: &Value| {
        if value.is_none() { String::new() } else { format!("{LITERAL_BEGINS}{value}{LITERAL_ENDS}") }
    });
    environment
}

struct Renderer {
    name: &'static str,
    environment: Environment<'static>,
    root: Value,
}

impl Renderer {
    fn failed(&self, place: &str, error: &minijinja::Error) -> Error {
        // The place is told by section and block: the engine counts lines from the begin of each text.
        let kind = error.kind();
        let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
        let line = error.line().map_or_else(String::new, |line| format!(", line {line} of the text"));
        Error::template(self.name, &format!("{place}{line}: {kind}{detail}"))
    }

    fn text(&self, text: &str, place: &str, data: &Value) -> Result<String, Error> {
        let rendered = self.environment.render_named_str(self.name, text, data);
        rendered.map_err(|error| self.failed(place, &error))
    }

    fn lines(&self, text: &str, place: &str, data: &Value) -> Result<Lines, Error> {
        Ok(lines(&self.text(text, place, data)?))
    }

    fn value(&self, expression: &str, place: &str, data: &Value) -> Result<Value, Error> {
        let value = self.environment.compile_expression(expression).and_then(|compiled| compiled.eval(data));
        let value = value.map_err(|error| self.failed(place, &error))?;
        if value.is_undefined() {
            return Err(Error::template(self.name, &format!("{place}: `{expression}` is not known")));
        }
        Ok(value)
    }

    fn holds(&self, when: Option<&str>, place: &str, data: &Value) -> Result<bool, Error> {
        when.map_or(Ok(true), |when| Ok(self.value(when, place, data)?.is_true()))
    }

    /// The data of each turn of a block that is repeated: all, and this turn's value as `it`.
    fn turns(&self, each: &str, place: &str) -> Result<Vec<Value>, Error> {
        let list = self.value(each, place, &self.root)?;
        let values = list.try_iter().map_err(|error| self.failed(place, &error))?;
        let root = &self.root;
        Ok(values.enumerate().map(|(n, it)| context! { it, n => n + 1, ..root.clone() }).collect())
    }

    fn section(&self, section: &SectionTemplate, place: &str) -> Result<Section, Error> {
        let mut blocks = Vec::new();
        for (n, block) in section.block.iter().enumerate() {
            let place = format!("{place}, block {}", n + 1);
            if !self.holds(block.when.as_deref(), &place, &self.root)? {
                continue;
            }
            match (&block.each, &block.columns) {
                (Some(each), None) => {
                    for data in self.turns(each, &place)? {
                        blocks.push(self.block(block, &place, &data)?);
                    }
                }
                _ => blocks.push(self.block(block, &place, &self.root)?),
            }
        }
        Ok(Section { landscape: section.landscape, blocks })
    }

    fn block(&self, block: &BlockTemplate, place: &str, data: &Value) -> Result<Block, Error> {
        let BlockTemplate { title, heading, text, fields, list, columns, .. } = block;
        match (title, heading, text, fields, list, columns) {
            (Some(title), None, None, None, None, None) => {
                Ok(Block::Title { lines: self.lines(title, place, data)? })
            }
            (None, Some(heading), None, None, None, None) => {
                Ok(Block::Heading { lines: self.lines(heading, place, data)? })
            }
            (None, None, Some(text), None, None, None) => {
                Ok(Block::Text { style: block.style, lines: self.lines(text, place, data)? })
            }
            (None, None, None, Some(fields), None, None) => self.fields(fields, block.tall, place, data),
            (None, None, None, None, Some(list), None) => {
                let items = self.lines(list, place, data)?;
                Ok(Block::List { items: items.into_iter().map(|line| vec![line]).collect() })
            }
            (None, None, None, None, None, Some(columns)) => self.table(block, columns, place),
            _ => Err(Error::template(
                self.name,
                &format!("{place}: a block is one of title, heading, text, fields, list, columns"),
            )),
        }
    }

    fn fields(&self, fields: &[Vec<String>], tall: bool, place: &str, data: &Value) -> Result<Block, Error> {
        let mut rows = Vec::new();
        for field in fields {
            let (label, value, must) = match field.as_slice() {
                [label, value] => (label, value, false),
                [label, value, must] if must == "*" => (label, value, true),
                _ => {
                    let told = format!("{place}: a field is [name, value] or [name, value, \"*\"]");
                    return Err(Error::template(self.name, &told));
                }
            };
            let mut value = self.lines(value, place, data)?;
            if value.is_empty() && !tall {
                value = lines("—");
            }
            rows.push(Field { label: self.lines(label, place, data)?, must, value });
        }
        Ok(Block::Fields { rows, tall })
    }

    fn table(&self, block: &BlockTemplate, columns: &[(String, u16)], place: &str) -> Result<Block, Error> {
        let (Some(each), Some(cells)) = (&block.each, &block.cells) else {
            return Err(Error::template(self.name, &format!("{place}: a table needs each and cells")));
        };
        if cells.len() != columns.len() {
            let told = format!("{place}: {} columns, but {} cells", columns.len(), cells.len());
            return Err(Error::template(self.name, &told));
        }
        let failed = |error: &minijinja::Error| self.failed(place, error);
        let compiled = cells.iter().map(|cell| self.environment.template_from_named_str(self.name, cell));
        let compiled: Vec<_> = compiled.collect::<Result<_, _>>().map_err(|error| failed(&error))?;
        let mut rows = Vec::new();
        for data in self.turns(each, place)? {
            let mut row = Vec::new();
            for cell in &compiled {
                row.push(lines(&cell.render(&data).map_err(|error| failed(&error))?));
            }
            rows.push(row);
        }
        let head = columns.iter().map(|(heading, _)| self.lines(heading, place, &self.root));
        let head = head.collect::<Result<_, _>>()?;
        Ok(Block::Table { head, widths: columns.iter().map(|(_, width)| *width).collect(), rows })
    }
}
