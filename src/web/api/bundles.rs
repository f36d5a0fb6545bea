//! Bundles of evidence by the API.

use std::sync::Arc;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::{Endpoint, Param, schema_of};
use crate::base::Digest;
use crate::evidence::{Check, Report};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::fault::Fault;
use crate::web::reply::Reply;
use crate::web::verifying::{self, Wanted};

pub(super) const VERIFY: Endpoint =
    Endpoint::new("evidence", "Verify a bundle of evidence, whoever made it", 200, schema_of::<Verified>)
        .with_query(&[
            Param {
                name: "root",
                about: "The Merkle root that it must have, in hexadecimal",
                kind: "string",
            },
            Param { name: "key", about: "The public key that must have signed it (PEM)", kind: "string" },
            Param {
                name: "known",
                about: "`yes`: it must be the newest of its case that was made here",
                kind: "string",
            },
        ])
        .with_file("application/zip");

/// What came of verifying a bundle.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Verified {
    /// Whether no check failed.
    passed: bool,
    /// The case that it is about, as it says.
    case_id: Option<String>,
    /// Its Merkle root, as computed.
    #[schemars(with = "Option<String>")]
    root: Option<Digest>,
    /// SHA-256 of the file.
    #[schemars(with = "Option<String>")]
    sha256: Option<Digest>,
    /// The checks, in their order, as `earwitness evidence verify --json` tells them.
    #[schemars(with = "Vec<CheckTold>")]
    checks: Vec<Check>,
}

/// One check.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes what another type is written as")]
struct CheckTold {
    /// Its name, the same in every version.
    name: String,
    /// `passed`, `failed`, or `not_checked`.
    outcome: String,
    /// In words.
    detail: String,
}

impl From<Report> for Verified {
    fn from(report: Report) -> Self {
        let passed = report.passed();
        let Report { case_id, root, sha256, checks } = report;
        Self { passed, case_id, root, sha256, checks }
    }
}

/// Verifies the file that was sent.
pub(super) fn verify(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let wanted = Wanted::of(|name| ask.query(name))?;
    let report = verifying::verify(app, ask.file()?, &wanted)?;
    Reply::json(StatusCode::OK, &Verified::from(report))
}
