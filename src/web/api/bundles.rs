//! Bundles of evidence by the API.

use std::sync::Arc;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::{Endpoint, Param, schema_of};
use crate::base::Digest;
use crate::evidence::{Check, Outcome, Report};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::verify_bundle;
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

pub(super) const VERIFICATION: Endpoint = Endpoint::new(
    "documents",
    "Verify a bundle that was made here, as anybody can offline",
    200,
    schema_of::<Verified>,
);

/// How a bundle stood up to each check.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Verified {
    /// Its file, where it was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
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
    checks: Vec<CheckShown>,
}

/// One check.
#[derive(Debug, Serialize, JsonSchema)]
struct CheckShown {
    /// Its name, the same in every version.
    name: &'static str,
    /// `passed`, `failed` or `not_checked`.
    #[schemars(with = "String")]
    outcome: Outcome,
    /// In words.
    detail: String,
}

impl Verified {
    fn of(name: Option<String>, report: Report) -> Self {
        let passed = report.passed();
        let Report { case_id, root, sha256, checks } = report;
        let shown = |Check { name, outcome, detail }: Check| CheckShown { name, outcome, detail };
        Self { name, passed, case_id, root, sha256, checks: checks.into_iter().map(shown).collect() }
    }
}

/// Verifies the file that was sent.
pub(super) fn verify(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let wanted = Wanted::of(|name| ask.query(name))?;
    let report = verifying::verify(app, ask.file()?, &wanted)?;
    Reply::json(StatusCode::OK, &Verified::of(None, report))
}

/// Verifies a bundle that was made here.
pub(super) fn verification(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let name = ask.param("name").to_owned();
    let report = verify_bundle(app, &name)?;
    Reply::json(StatusCode::OK, &Verified::of(Some(name), report))
}
