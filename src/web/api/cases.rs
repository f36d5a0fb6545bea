//! Cases by the API.

use std::sync::Arc;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::{AFTER, Endpoint, LIMIT, Param, schema_of};
use super::once::once;
use crate::base::Timestamp;
use crate::cases::{self, Due, Liveness, Notification};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::{Asked, Done, NewDecision, NewUndo, Row, asked, decide_cases, most, undo_cases};
use crate::web::fault::Fault;
use crate::web::reply::Reply;

/// How far ahead the clocks of a case are told.
const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 365);

/// Values of the query of a list of cases.
const FILTER: &[Param] = &[
    Param { name: "state", about: "One state or several, joined by commas", kind: "string" },
    Param { name: "operator", about: "Cases at this operator", kind: "string" },
    Param { name: "territory", about: "Judged for this territory, ISO 3166-1 alpha-2", kind: "string" },
    Param { name: "recording", about: "About this recording", kind: "string" },
    Param {
        name: "log10_max",
        about: "At least this sure: the chance of error is at most 10 to this",
        kind: "number",
    },
    Param { name: "created_from", about: "Opened at this instant or later", kind: "string" },
    Param { name: "created_before", about: "Opened before this instant", kind: "string" },
    Param { name: "due_before", about: "With a period that ends before this instant", kind: "string" },
    Param { name: "asked", about: "`yes`: with licence data asked for", kind: "string" },
    Param { name: "q", about: "Words that identifier, title, operator or recording hold", kind: "string" },
    Param {
        name: "sort",
        about: "significance, created, due or seen; with - before it the other way round",
        kind: "string",
    },
    AFTER,
    LIMIT,
];

pub(super) const LIST: Endpoint =
    Endpoint::new("cases", "List cases", 200, schema_of::<CaseList>).with_query(FILTER);
pub(super) const SHOW: Endpoint =
    Endpoint::new("cases", "Show a case with its clocks", 200, schema_of::<CaseShown>);
pub(super) const DECIDE: Endpoint =
    Endpoint::new("cases", "Decide cases: all, or none", 200, schema_of::<Done>)
        .with_body(schema_of::<NewDecision>)
        .once();
pub(super) const UNDO: Endpoint =
    Endpoint::new("cases", "Take a decision back that nothing has followed", 200, schema_of::<Done>)
        .with_body(schema_of::<NewUndo>)
        .once();

/// A part of the list of cases.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CaseList {
    /// The cases.
    items: Vec<Row>,
    /// What `after` is to be for the next part; null at the end.
    next: Option<String>,
    /// How many cases fit the filter.
    total: usize,
}

/// A case with all that belongs to it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CaseShown {
    /// The case, as `earwitness cases show --json` tells it.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    case: cases::Case,
    /// Its notices, and how they stand with each provider.
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    notifications: Vec<Notification>,
    /// What its addresses served when they were last looked at.
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    liveness: Vec<Liveness>,
    /// What is due within a year.
    #[schemars(with = "Vec<serde_json::Map<String, serde_json::Value>>")]
    due: Vec<Due>,
    /// The instant of the decision that can be taken back.
    #[schemars(with = "Option<String>")]
    decided_at: Option<Timestamp>,
}

pub(super) fn list(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let Asked { filter, order, after } = asked(ask)?;
    let page = app.desk.page(app.store(), &filter, order, after.as_ref(), most(ask)?)?;
    let next = page.next.map(|next| next.to_string());
    Reply::json(StatusCode::OK, &CaseList { items: page.rows, next, total: page.total })
}

pub(super) fn show(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let case = app.store().get::<cases::Case>(ask.param("case_id"))?;
    let case = case.ok_or_else(|| Fault::not_found("there is no such case"))?;
    let file = cases::load_file(app.store(), case)?;
    let due = cases::due(&file, ask.now, AHEAD, &app.desk.calendars());
    let decided_at = file.case.last_decision().map(|(at, _)| at);
    let cases::CaseFile { case, notifications, liveness, .. } = file;
    Reply::json(StatusCode::OK, &CaseShown { case, notifications, liveness, due, decided_at })
}

pub(super) fn decide(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let (new, who): (NewDecision, _) = (ask.json()?, ask.visitor()?);
    once(app.store(), ask, StatusCode::OK, |beside| {
        decide_cases(app.store(), &new, (&who.name, ask.now), beside)
    })
}

pub(super) fn undo(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let (new, who): (NewUndo, _) = (ask.json()?, ask.visitor()?);
    once(app.store(), ask, StatusCode::OK, |beside| {
        undo_cases(app.store(), &new, (&who.name, ask.now), beside)
    })
}
