//! Documents and bundles that were made here, in a folder of the store's: listed by time, and opened by name.

use std::cmp::Reverse;
use std::fs::File;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::Timestamp;
use crate::notice::Form;
use crate::web::app::App;
use crate::web::fault::Fault;

pub(super) fn folder(app: &App) -> PathBuf {
    app.store().path().join(crate::web::PAPERS_FOLDER)
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::web) enum Kind {
    /// A bundle of evidence.
    Bundle,
    /// A file of a notice.
    Notice,
    /// Something else that was put there.
    Other,
}

/// A document that was made here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(in crate::web) struct Document {
    /// Its file's name.
    pub(in crate::web) name: String,
    /// What it is.
    pub(in crate::web) kind: Kind,
    /// Of a notice, its form.
    pub(in crate::web) form: Option<Form>,
    /// Its length.
    pub(in crate::web) bytes: u64,
    /// When it was written.
    #[schemars(with = "String")]
    pub(in crate::web) made_at: Timestamp,
}

/// Where a part of the list ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::web) struct DocumentCursor {
    made_at: Reverse<Timestamp>,
    name: String,
}

impl std::fmt::Display for DocumentCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}~{}", self.made_at.0, self.name)
    }
}

impl FromStr for DocumentCursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "after: it is not one that was given out; leave it away to begin anew".to_owned();
        let (made_at, name) = text.split_once('~').ok_or_else(wrong)?;
        let made_at = Reverse(made_at.parse().map_err(|_| wrong())?);
        if is_name(name) { Ok(Self { made_at, name: name.to_owned() }) } else { Err(wrong()) }
    }
}

impl Document {
    fn cursor(&self) -> DocumentCursor {
        DocumentCursor { made_at: Reverse(self.made_at), name: self.name.clone() }
    }

    fn of(name: String, bytes: u64, made_at: Timestamp) -> Self {
        let form = form_of(&name);
        let kind = match form {
            _ if name.ends_with(".wacz") => Kind::Bundle,
            Some(_) => Kind::Notice,
            None => Kind::Other,
        };
        Self { name, kind, form, bytes, made_at }
    }
}

/// The form of the notice that a file belongs to: its name ends with it, perhaps with numbers and the format behind it.
fn form_of(name: &str) -> Option<Form> {
    let mut parts = name.rsplit(['-', '.']).skip(1);
    parts.find(|part| part.parse::<u32>().is_err())?.parse().ok()
}

/// A part of the list of documents, the newest first.
pub(in crate::web) struct DocumentPage {
    pub(in crate::web) items: Vec<Document>,
    /// Where the list goes on; none at its end.
    pub(in crate::web) next: Option<DocumentCursor>,
}

/// The documents behind `after`, the newest first; at most `most`.
///
/// # Errors
/// [`Fault`] where the folder cannot be read.
pub(in crate::web) fn documents(
    app: &App,
    after: Option<&DocumentCursor>,
    most: usize,
) -> Result<DocumentPage, Fault> {
    let files = match std::fs::read_dir(folder(app)) {
        Ok(files) => files,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(DocumentPage { items: Vec::new(), next: None });
        }
        Err(error) => return Err(Fault::internal(&error)),
    };
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let file = file.ok()?;
        let name = file.file_name().into_string().ok().filter(|name| is_name(name))?;
        let about = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some(Document::of(name, about.len(), Timestamp::try_from(about.modified().ok()?).ok()?))
    };
    let all: Vec<Document> = files.filter_map(read).collect();
    Ok(page(all, after, most))
}

fn page(mut all: Vec<Document>, after: Option<&DocumentCursor>, most: usize) -> DocumentPage {
    all.sort_by_cached_key(Document::cursor);
    let mut items: Vec<Document> = all
        .into_iter()
        .filter(|one| after.is_none_or(|after| one.cursor() > *after))
        .take(most + 1)
        .collect();
    let is_more = items.len() > most;
    items.truncate(most);
    let next = items.last().filter(|_| is_more).map(Document::cursor);
    DocumentPage { items, next }
}

/// Whether a name is one that documents here have: nothing in it leads elsewhere.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.len() < 250
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
}

/// Opens a document.
///
/// # Errors
/// [`Fault`] where there is none of this name.
pub(in crate::web) fn open_document(app: &App, name: &str) -> Result<File, Fault> {
    let missing = || Fault::not_found("there is no such document");
    if !is_name(name) {
        return Err(missing());
    }
    let path = folder(app).join(name);
    if path.is_file() { File::open(path).map_err(|_| missing()) } else { Err(missing()) }
}

/// The type that a document is given as, by its name.
pub(in crate::web) fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("pdf") => "application/pdf",
        Some("json") => "application/json",
        Some("csv") => "text/csv; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wacz" | "docx" | "xlsx") => "application/zip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for bad in ["../store.json", ".hidden", "a/b.pdf", "a\\b.pdf", "", "a b.pdf", "a%2fb", "ä.pdf"] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_name("2026-11-26-example.com-ncac.pdf"));
    }

    #[test]
    fn a_name_tells_the_form() {
        for (name, form) in [
            ("2026-11-26-example.com-ncac.pdf", Some(Form::Ncac)),
            ("2026-11-26-example.com-dmca-2.docx", Some(Form::Dmca)),
            ("2026-11-26-example.com-google.2.txt", Some(Form::Google)),
            ("2026-11-26-example.com-google-3.2.txt", Some(Form::Google)),
            ("C-0123456789.wacz", None),
            ("notes.txt", None),
            ("", None),
        ] {
            assert_eq!(form_of(name), form, "{name}");
        }
    }

    proptest! {
        #[test]
        fn pages_put_together_are_all_documents_by_time(
            made in prop::collection::btree_map("[a-c]{1,3}", 0i64..4, 0..30), most in 1usize..6,
        ) {
            let at = |second: i64| Timestamp::from_second(second).unwrap();
            let all: Vec<Document> =
                made.iter().map(|(name, second)| Document::of(name.clone(), 1, at(*second))).collect();
            let (mut seen, mut after) = (Vec::new(), None::<DocumentCursor>);
            loop {
                let part = page(all.clone(), after.as_ref(), most);
                seen.extend(part.items);
                let Some(next) = part.next else { break };
                // As it stands in an address.
                after = Some(next.to_string().parse().unwrap());
            }
            prop_assert_eq!(seen.len(), all.len());
            prop_assert!(seen.windows(2).all(|two| two[0].made_at > two[1].made_at
                || (two[0].made_at == two[1].made_at && two[0].name < two[1].name)));
        }
    }
}
