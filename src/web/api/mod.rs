//! The API: what the pages can do, as JSON, under `/api/v1`. Faults are `problem+json` (RFC 9457), lists are paged by
//! cursors, writes may carry an `Idempotency-Key`. Its description is made of the same table as the router.

mod bundles;
mod cases;
mod endpoint;
mod hooks;
mod once;
mod openapi;
mod people;

use axum::http::StatusCode;

use super::access::{Access, Role};
use super::routes::Route;
pub(super) use endpoint::Endpoint;
pub(super) use once::{Answered, sweep};
pub(super) use openapi::description;

const VIEWER: Access = Access::Needs(Role::Viewer);
const REVIEWER: Access = Access::Needs(Role::Reviewer);
const ADMIN: Access = Access::Needs(Role::Admin);

/// The description itself; anybody who may ask for something may read what there is.
const OPENAPI: Endpoint = Endpoint {
    summary: "Describe the API (OpenAPI 3.1)",
    tag: "service",
    query: &[],
    body: None,
    file: None,
    status: StatusCode::OK.as_u16(),
    answer: Some(endpoint::schema_of::<serde_json::Map<String, serde_json::Value>>),
    is_once: false,
};

/// The routes of the API.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/api/v1/openapi.json", VIEWER, openapi::get).told(&OPENAPI),
    Route::get("/api/v1/cases", VIEWER, cases::list).told(&cases::LIST),
    Route::get("/api/v1/cases/{case_id}", VIEWER, cases::show).told(&cases::SHOW),
    Route::post("/api/v1/decisions", REVIEWER, cases::decide).told(&cases::DECIDE),
    Route::post("/api/v1/decisions/undo", REVIEWER, cases::undo).told(&cases::UNDO),
    Route::post("/api/v1/bundles/verify", VIEWER, bundles::verify).upload().told(&bundles::VERIFY),
    Route::get("/api/v1/me", VIEWER, people::me).told(&people::ME),
    Route::get("/api/v1/accounts", ADMIN, people::accounts).told(&people::ACCOUNTS),
    Route::post("/api/v1/accounts", ADMIN, people::create_account).hashing().told(&people::CREATE_ACCOUNT),
    Route::patch("/api/v1/accounts/{name}", ADMIN, people::change_account)
        .hashing()
        .told(&people::CHANGE_ACCOUNT),
    Route::get("/api/v1/tokens", VIEWER, people::tokens).told(&people::TOKENS),
    Route::post("/api/v1/tokens", VIEWER, people::create_token).told(&people::CREATE_TOKEN),
    Route::delete("/api/v1/tokens/{token_id}", VIEWER, people::revoke_token).told(&people::REVOKE_TOKEN),
    Route::get("/api/v1/webhooks", ADMIN, hooks::list).told(&hooks::LIST),
    Route::post("/api/v1/webhooks", ADMIN, hooks::create).told(&hooks::CREATE),
    Route::patch("/api/v1/webhooks/{webhook_id}", ADMIN, hooks::change).told(&hooks::CHANGE),
    Route::delete("/api/v1/webhooks/{webhook_id}", ADMIN, hooks::remove).told(&hooks::REMOVE),
    Route::post("/api/v1/webhooks/{webhook_id}/test", ADMIN, hooks::test).told(&hooks::TEST),
    Route::post("/api/v1/webhooks/{webhook_id}/secret", ADMIN, hooks::renew).told(&hooks::RENEW),
];
