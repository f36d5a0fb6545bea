//! What can go wrong when documents are written.

use std::path::PathBuf;

/// A document could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A template, or the folder of templates, cannot be read.
    #[error("template {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file in the folder of templates has the name of none.
    #[error(
        "{name} is no template: their names are ncac.toml, complaint.toml, dmca.toml, dsa.toml, japan.toml, statement.toml, page.html and page.typ"
    )]
    Unknown {
        /// The name.
        name: String,
    },
    /// A template does not work.
    #[error("template {name}: {what}")]
    Template {
        /// The template.
        name: String,
        /// Where, and what is wrong.
        what: String,
    },
    /// A page cannot be laid out.
    #[error("template page.typ: the PDF cannot be made: {0}")]
    Pdf(String),
    /// A word processor's file cannot be made.
    #[error("the DOCX file cannot be made: {0}")]
    Docx(String),
    /// A table cannot be made.
    #[error("the list of works and addresses cannot be made: {0}")]
    Table(String),
    /// A value cannot be written as JSON.
    #[error("the JSON file cannot be made: {0}")]
    Json(#[from] serde_json::Error),
    /// An address or a recording's description alone is longer than a file may be.
    #[error("recording {recording_id} alone fills more than {max} bytes of a list")]
    TooLong {
        /// The recording.
        recording_id: String,
        /// The limit.
        max: usize,
    },
}

impl Error {
    pub(super) fn template(name: &str, what: &impl std::fmt::Display) -> Self {
        Self::Template { name: name.to_owned(), what: what.to_string().trim_end().to_owned() }
    }
}
