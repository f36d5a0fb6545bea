//! The eight kinds of document, and the formats each is written in.

use serde::{Deserialize, Serialize};

use super::words::Lang;
pub use crate::cases::Form;

/// A format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// PDF/A-2b, all fonts embedded.
    Pdf,
    /// For word processors.
    Docx,
    /// One page to print, without outside resources.
    Html,
    /// The data behind the document.
    Json,
    /// List of works and addresses, comma-separated, UTF-8 with a byte order mark.
    Csv,
    /// The same list as a workbook.
    Xlsx,
    /// XML message.
    Xml,
    /// Plain text.
    Txt,
}

/// What a form is as a document.
pub trait Document: Copy {
    /// Returns the language that the document is in.
    fn lang(self) -> Lang;
    /// Returns the formats that the document exists in.
    fn formats(self) -> &'static [Format];
    /// Returns the name of the template of its wording.
    fn template(self) -> &'static str;
    /// Returns whether the addressee is an authority, and the provider what is complained of.
    fn is_complaint(self) -> bool;
}

impl Document for Form {
    fn lang(self) -> Lang {
        match self {
            Self::Ncac | Self::Complaint => Lang::Chinese,
            Self::Japan => Lang::Japanese,
            Self::Dmca => Lang::AmericanEnglish,
            Self::Dsa | Self::Acns | Self::Lumen | Self::Google => Lang::English,
        }
    }

    fn formats(self) -> &'static [Format] {
        match self {
            Self::Acns => &[Format::Xml, Format::Json],
            Self::Lumen => &[Format::Json],
            Self::Google => &[Format::Txt, Format::Json],
            _ => &[Format::Pdf, Format::Docx, Format::Html, Format::Json, Format::Csv, Format::Xlsx],
        }
    }

    fn template(self) -> &'static str {
        match self {
            Self::Ncac => "ncac.toml",
            Self::Complaint => "complaint.toml",
            Self::Dmca => "dmca.toml",
            Self::Dsa => "dsa.toml",
            Self::Japan => "japan.toml",
            Self::Acns | Self::Lumen | Self::Google => "statement.toml",
        }
    }

    fn is_complaint(self) -> bool {
        matches!(self, Self::Complaint)
    }
}

impl Format {
    /// Returns the ending of file names, which is also the word of the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Docx => "docx",
            Self::Html => "html",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Xml => "xml",
            Self::Txt => "txt",
        }
    }
}
