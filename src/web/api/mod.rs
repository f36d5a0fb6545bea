//! The API: what the pages can do, as JSON, under `/api/v1`. Faults are `problem+json` (RFC 9457), lists are paged by
//! cursors, writes may carry an `Idempotency-Key`. Its description is made of the same table as the router.

mod bundles;
mod cases;
mod endpoint;
mod hooks;
mod once;
mod openapi;
mod owned;
mod papers;
mod people;
mod sites;

use super::access::{Access, Role};
use super::routes::Route;
use super::shown::{self, Sounds};
pub(super) use endpoint::Endpoint;
use endpoint::schema_of;
pub(super) use once::{Answered, sweep};
pub(super) use openapi::description;

const VIEWER: Access = Access::Needs(Role::Viewer);
const REVIEWER: Access = Access::Needs(Role::Reviewer);
const LEGAL: Access = Access::Needs(Role::Legal);
const ADMIN: Access = Access::Needs(Role::Admin);

/// The description itself; anybody who may ask for something may read what there is.
const OPENAPI: Endpoint = Endpoint::new(
    "service",
    "Describe the API (OpenAPI 3.1)",
    200,
    schema_of::<serde_json::Map<String, serde_json::Value>>,
);
// What else is answered in both ways stands beside pages and API.
const SOUNDS: Endpoint =
    Endpoint::new("cases", "List what can be heard and seen of a case", 200, schema_of::<Sounds>);
const SOUND: Endpoint = Endpoint::of_bytes(
    "cases",
    "Give an excerpt: side `suspect` or `reference`, rank 1 to 3",
    &["audio/wav"],
)
.ranged();
const PICTURE: Endpoint = Endpoint::of_bytes(
    "cases",
    "Give a drawing of the match: `coverage`, `spectrograms` or `time-map`",
    &["image/svg+xml"],
);
const PAGE_PICTURE: Endpoint =
    Endpoint::of_bytes("cases", "Give the picture of a page that led to the file, from 1 on", &["image/png"]);

/// The routes of the API.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/api/v1/openapi.json", VIEWER, openapi::get).told(&OPENAPI),
    Route::get("/api/v1/cases", VIEWER, cases::list).told(&cases::LIST),
    Route::get("/api/v1/cases/{case_id}", VIEWER, cases::show).told(&cases::SHOW),
    Route::get("/api/v1/cases/{case_id}/sounds", VIEWER, shown::sounds).shown().told(&SOUNDS),
    Route::get("/api/v1/cases/{case_id}/sound/{side}/{rank}", VIEWER, shown::sound).shown().told(&SOUND),
    Route::get("/api/v1/cases/{case_id}/picture/{kind}", VIEWER, shown::picture).shown().told(&PICTURE),
    Route::get("/api/v1/cases/{case_id}/page/{number}", VIEWER, shown::page_picture)
        .shown()
        .told(&PAGE_PICTURE),
    Route::post("/api/v1/cases/{case_id}/bundles", LEGAL, papers::bundle).slow().told(&papers::BUNDLE),
    Route::post("/api/v1/decisions", REVIEWER, cases::decide).told(&cases::DECIDE),
    Route::post("/api/v1/decisions/undo", REVIEWER, cases::undo).told(&cases::UNDO),
    Route::post("/api/v1/bundles/verify", VIEWER, bundles::verify).upload().told(&bundles::VERIFY),
    Route::get("/api/v1/figures", VIEWER, owned::figures).told(&owned::FIGURES),
    Route::get("/api/v1/recordings", VIEWER, owned::recordings).told(&owned::RECORDINGS),
    Route::get("/api/v1/recordings/{recording_id}", VIEWER, owned::recording).told(&owned::RECORDING),
    Route::get("/api/v1/licences", VIEWER, owned::licences).told(&owned::LICENCES),
    Route::get("/api/v1/licences/{licence_id}", VIEWER, owned::licence).told(&owned::LICENCE),
    Route::get("/api/v1/sites", VIEWER, sites::list).told(&sites::LIST),
    Route::post("/api/v1/sites", ADMIN, sites::make).told(&sites::MAKE),
    Route::get("/api/v1/sites/{site}", VIEWER, sites::show).told(&sites::SHOW),
    Route::put("/api/v1/sites/{site}", ADMIN, sites::change).told(&sites::CHANGE),
    Route::delete("/api/v1/sites/{site}", ADMIN, sites::remove).told(&sites::REMOVE),
    Route::post("/api/v1/sites/{site}/runs", ADMIN, sites::begin).told(&sites::BEGIN),
    Route::delete("/api/v1/sites/{site}/runs", ADMIN, sites::stop).told(&sites::STOP),
    Route::put("/api/v1/sites/{site}/pause", ADMIN, sites::pause).told(&sites::PAUSE),
    Route::delete("/api/v1/sites/{site}/pause", ADMIN, sites::resume).told(&sites::RESUME),
    Route::post("/api/v1/notices/preview", LEGAL, papers::preview).slow().told(&papers::PREVIEW),
    Route::post("/api/v1/notices", LEGAL, papers::write).slow().told(&papers::WRITE),
    Route::get("/api/v1/documents", LEGAL, papers::documents).told(&papers::DOCUMENTS),
    Route::get("/api/v1/documents/{name}", LEGAL, shown::document).told(&papers::DOCUMENT),
    Route::get("/api/v1/bundles/{name}/verification", LEGAL, bundles::verification)
        .slow()
        .told(&bundles::VERIFICATION),
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
