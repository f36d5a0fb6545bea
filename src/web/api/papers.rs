//! Notices, bundles and documents by the API.

use std::sync::Arc;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::{AFTER, Endpoint, LIMIT, schema_of};
use super::once::once_after;
use crate::base::Digest;
use crate::cases;
use crate::evidence::Sealed;
use crate::notice::{Form, Format, LeftOut, NoticeFile};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::{
    Document, DocumentCursor, Noticed, WrittenNotice, documents as list_documents, make_bundle, most,
    preview as preview_notices, write_notices,
};
use crate::web::fault::Fault;
use crate::web::reply::Reply;

pub(super) const PREVIEW: Endpoint = Endpoint::new(
    "notices",
    "Show notices as they would be, and what is missing for them; nothing is written",
    200,
    schema_of::<Previewed>,
)
.with_body(schema_of::<NewPreview>);
pub(super) const WRITE: Endpoint =
    Endpoint::new("notices", "Write notices, and record them in their cases", 200, schema_of::<WrittenAll>)
        .with_body(schema_of::<NewNotices>)
        .once();
pub(super) const DOCUMENTS: Endpoint = Endpoint::new(
    "documents",
    "List documents and bundles, the newest first",
    200,
    schema_of::<DocumentList>,
)
.with_query(&[AFTER, LIMIT]);
pub(super) const DOCUMENT: Endpoint = Endpoint::of_bytes(
    "documents",
    "Give a document or a bundle; that it was taken stands in the log",
    &[
        "application/pdf",
        "application/json",
        "text/csv",
        "text/plain",
        "application/zip",
        "application/octet-stream",
    ],
);
pub(super) const BUNDLE: Endpoint =
    Endpoint::new("documents", "Make the evidence bundle of a case", 201, schema_of::<BundleMade>).once();

/// Notices that are to be written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNotices {
    /// Which kind of document.
    form: Form,
    /// About which cases, at most 500; all that are approved where none is named.
    #[serde(default)]
    cases: Vec<String>,
}

/// How a notice is shown before it is written.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Shown {
    /// Its data.
    #[default]
    Json,
    /// Its text, as a page; its data where the form has none.
    Html,
}

/// Notices that are to be shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPreview {
    /// Which kind of document.
    form: Form,
    /// About which cases, at most 500; all that are approved where none is named.
    #[serde(default)]
    cases: Vec<String>,
    /// How they are shown.
    #[serde(default)]
    shown: Shown,
}

/// A notice as it would be.
#[derive(Debug, Serialize, JsonSchema)]
struct PreviewedNotice {
    /// `json` or `html`.
    format: String,
    /// Its data; null for a page.
    data: Option<serde_json::Value>,
    /// Its text; null for data.
    text: Option<String>,
}

impl PreviewedNotice {
    fn of(file: &NoticeFile) -> Result<Self, Fault> {
        let format = file.format.as_str().to_owned();
        if file.format == Format::Json {
            let data = serde_json::from_slice(&file.bytes).map_err(|error| Fault::internal(&error))?;
            return Ok(Self { format, data: Some(data), text: None });
        }
        Ok(Self { format, data: None, text: Some(String::from_utf8_lossy(&file.bytes).into_owned()) })
    }
}

/// What notices would be.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Previewed {
    /// The documents, one for each provider; none where something is missing.
    documents: Vec<PreviewedNotice>,
    /// Mandatory fields that nothing gives: keys of the configuration, or `recordings.ID.FIELD` of the catalogue.
    missing: Vec<String>,
    /// Cases that cannot be in it, one sentence each.
    unfit: Vec<String>,
    /// Addresses that no document is about, and why.
    left_out: Vec<LeftOut>,
    /// How many of the accusations are to be expected to be wrong by chance, at most.
    expected_wrong: Option<f64>,
}

/// What came of writing notices.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct WrittenAll {
    /// The notices, one for each provider, with the names of their files.
    documents: Vec<WrittenNotice>,
    /// Addresses that no document is about, and why.
    left_out: Vec<LeftOut>,
    /// How many of the accusations are to be expected to be wrong by chance, at most.
    expected_wrong: Option<f64>,
}

/// A part of the list of documents.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DocumentList {
    /// The documents, the newest first.
    items: Vec<Document>,
    /// What `after` is to be for the next part; null at the end.
    next: Option<String>,
}

/// A bundle that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct BundleMade {
    /// Its file's name, for `/api/v1/documents/{name}`.
    name: String,
    /// The case.
    case_id: String,
    /// Its Merkle root.
    #[schemars(with = "String")]
    root: Digest,
    /// SHA-256 of the file.
    #[schemars(with = "String")]
    sha256: Digest,
    /// The file's length.
    bytes: u64,
    /// The key that signed it.
    #[schemars(with = "String")]
    key_id: Digest,
    /// Why there is no time-stamp, where one is configured.
    timestamp_error: Option<String>,
}

impl From<Sealed> for BundleMade {
    fn from(sealed: Sealed) -> Self {
        let name = sealed.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Sealed { case_id, bytes, sha256, root, key_id, timestamp_error, .. } = sealed;
        Self { name, case_id, root, sha256, bytes, key_id, timestamp_error }
    }
}

pub(super) fn preview(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let NewPreview { form, cases, shown } = ask.json()?;
    let wanted: &[Format] = match shown {
        Shown::Json => &[Format::Json],
        Shown::Html => &[Format::Html, Format::Json],
    };
    let by = (ask.visitor()?.name.as_str(), ask.now);
    let previewed = match preview_notices(app, (form, &cases), wanted, by)? {
        Ok(Noticed { documents, rest }) => Previewed {
            documents: documents.iter().map(PreviewedNotice::of).collect::<Result<_, _>>()?,
            left_out: rest.left_out,
            expected_wrong: Some(rest.expected_wrong),
            ..Previewed::default()
        },
        Err(lacks) => Previewed { missing: lacks.missing, unfit: lacks.unfit, ..Previewed::default() },
    };
    Reply::json(StatusCode::OK, &previewed)
}

pub(super) fn write(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let NewNotices { form, cases } = ask.json()?;
    let by = (ask.visitor()?.name.as_str(), ask.now);
    once_after(app.store(), ask, StatusCode::OK, || {
        let Noticed { documents, rest } = write_notices(app, (form, &cases), by)?;
        let expected_wrong = Some(rest.expected_wrong);
        Ok(WrittenAll { documents, left_out: rest.left_out, expected_wrong })
    })
}

pub(super) fn documents(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let after: Option<DocumentCursor> =
        ask.query("after").map(str::parse).transpose().map_err(Fault::bad_request)?;
    let page = list_documents(app, after.as_ref(), most(ask)?)?;
    let next = page.next.map(|next| next.to_string());
    Reply::json(StatusCode::OK, &DocumentList { items: page.items, next })
}

pub(super) fn bundle(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let case = cases::find(app.store(), ask.param("case_id"))?;
    once_after(app.store(), ask, StatusCode::CREATED, || {
        Ok(BundleMade::from(make_bundle(app, &case, ask.now)?))
    })
}
