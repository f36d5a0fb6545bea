//! The eight kinds of document, and the formats each is written in.

use serde::{Deserialize, Serialize};

use super::words::Lang;

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// "Notice requesting deletion or de-linking of infringing network content", the model form of NCAC Announcement
    /// No. 1 of 2007, in Chinese.
    Ncac,
    /// Administrative complaint to a copyright authority of China, in Chinese.
    Complaint,
    /// Notification under 17 U.S.C. § 512(c)(3).
    Dmca,
    /// Notice under Article 16 of Regulation (EU) 2022/2065, the Digital Services Act.
    Dsa,
    /// Request by form A of the Japanese copyright guideline, in Japanese.
    Japan,
    /// ACNS 2.0 message for machines.
    Acns,
    /// Report to the Lumen database.
    Lumen,
    /// Bulk list for Google's Trusted Copyright Removal Program.
    Google,
}

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

impl Form {
    /// All kinds, in the order of the command's help.
    pub const ALL: [Self; 8] = [
        Self::Ncac,
        Self::Complaint,
        Self::Dmca,
        Self::Dsa,
        Self::Japan,
        Self::Acns,
        Self::Lumen,
        Self::Google,
    ];

    /// Returns the word of the command line, file names and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ncac => "ncac",
            Self::Complaint => "complaint",
            Self::Dmca => "dmca",
            Self::Dsa => "dsa",
            Self::Japan => "japan",
            Self::Acns => "acns",
            Self::Lumen => "lumen",
            Self::Google => "google",
        }
    }

    /// Returns the language that the document is in.
    #[must_use]
    pub const fn lang(self) -> Lang {
        match self {
            Self::Ncac | Self::Complaint => Lang::Chinese,
            Self::Japan => Lang::Japanese,
            Self::Dmca => Lang::AmericanEnglish,
            Self::Dsa | Self::Acns | Self::Lumen | Self::Google => Lang::English,
        }
    }

    /// Returns the formats that the document exists in.
    #[must_use]
    pub const fn formats(self) -> &'static [Format] {
        match self {
            Self::Acns => &[Format::Xml, Format::Json],
            Self::Lumen => &[Format::Json],
            Self::Google => &[Format::Txt, Format::Json],
            _ => &[Format::Pdf, Format::Docx, Format::Html, Format::Json, Format::Csv, Format::Xlsx],
        }
    }

    /// Returns the name of the template of its wording.
    #[must_use]
    pub const fn template(self) -> &'static str {
        match self {
            Self::Ncac => "ncac.toml",
            Self::Complaint => "complaint.toml",
            Self::Dmca => "dmca.toml",
            Self::Dsa => "dsa.toml",
            Self::Japan => "japan.toml",
            Self::Acns | Self::Lumen | Self::Google => "statement.toml",
        }
    }

    /// Returns whether the document tells the provider; a complaint goes to an authority, a report to a database.
    #[must_use]
    pub const fn notifies(self) -> bool {
        !matches!(self, Self::Complaint | Self::Lumen)
    }

    /// Returns whether the addressee is an authority, and the provider what is complained of.
    #[must_use]
    pub const fn is_complaint(self) -> bool {
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

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
