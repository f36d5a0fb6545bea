//! The pages of the review desk: made here, whole, from templates that are checked when the program is compiled. They work
//! without scripts but for the players; everything that came from outside stands in them as text.

mod case;
mod crawls;
mod door;
mod filters;
mod hooks;
mod overview;
mod owned;
mod papers;
mod people;
mod queue;
mod reference;
mod report;
mod shell;
mod site_form;
mod verify;

use std::sync::Arc;

use axum::http::{Method, StatusCode};

use super::access::{Access, Role};
use super::app::App;
use super::ask::Ask;
use super::fault::Fault;
use super::reply::Reply;
use super::routes::Route;
use super::shown;
use shell::{FaultPage, Shell};

const ANYONE: Access = Access::Anyone;
const VIEWER: Access = Access::Needs(Role::Viewer);
const REVIEWER: Access = Access::Needs(Role::Reviewer);
const LEGAL: Access = Access::Needs(Role::Legal);
const ADMIN: Access = Access::Needs(Role::Admin);

/// The routes of all pages.
pub(super) const ROUTES: &[Route] = &[
    Route::get("/", ANYONE, door::home),
    Route::get("/sign-in", ANYONE, door::sign_in_page),
    Route::post("/sign-in", ANYONE, door::sign_in).hashing(),
    Route::post("/sign-out", ANYONE, door::sign_out),
    Route::get("/set-up", Access::FirstRun, door::set_up_page),
    Route::post("/set-up", Access::FirstRun, door::set_up).hashing(),
    Route::get("/language", ANYONE, door::language),
    Route::get("/overview", VIEWER, overview::page),
    Route::get("/cases", VIEWER, queue::list),
    Route::get("/cases/{case_id}", VIEWER, case::show),
    Route::get("/cases/{case_id}/sounds", VIEWER, shown::sounds).shown(),
    Route::get("/cases/{case_id}/sound/{side}/{rank}", VIEWER, shown::sound).shown(),
    Route::get("/cases/{case_id}/picture/{kind}", VIEWER, shown::picture).shown(),
    Route::get("/cases/{case_id}/page/{number}", VIEWER, shown::page_picture).shown(),
    Route::post("/cases/decide", REVIEWER, case::decide),
    Route::post("/cases/undo", REVIEWER, case::undo),
    Route::post("/cases/{case_id}/bundle", LEGAL, papers::bundle).slow(),
    Route::get("/bundles/{name}", LEGAL, papers::verified).slow(),
    Route::get("/notices", LEGAL, papers::page).slow(),
    Route::get("/notices/preview", LEGAL, papers::preview).slow(),
    Route::post("/notices", LEGAL, papers::write).slow(),
    Route::get("/papers/{name}", LEGAL, shown::document),
    Route::get("/verify", VIEWER, verify::page),
    Route::post("/verify", VIEWER, verify::verify).upload(),
    Route::get("/crawls", VIEWER, crawls::list),
    Route::get("/crawls/events", VIEWER, crawls::events),
    Route::post("/crawls", ADMIN, crawls::make),
    Route::get("/crawls/{site}", VIEWER, crawls::show),
    Route::post("/crawls/{site}", ADMIN, crawls::change),
    Route::get("/crawls/{site}/remove", ADMIN, crawls::ask_removal),
    Route::post("/crawls/{site}/remove", ADMIN, crawls::remove),
    Route::post("/crawls/act", ADMIN, crawls::act),
    Route::get("/recordings", VIEWER, owned::recordings),
    Route::get("/recordings/{recording_id}", VIEWER, owned::recording),
    Route::get("/licences", VIEWER, owned::licences),
    Route::get("/licences/{licence_id}", VIEWER, owned::licence),
    Route::get("/accounts", VIEWER, people::page),
    Route::post("/accounts/create", ADMIN, people::create).hashing(),
    Route::post("/accounts/change", ADMIN, people::change).hashing(),
    Route::post("/account/password", VIEWER, people::change_own).hashing(),
    Route::post("/tokens/create", VIEWER, people::create_token),
    Route::post("/tokens/revoke", VIEWER, people::revoke_token),
    Route::get("/webhooks", ADMIN, hooks::page),
    Route::post("/webhooks/create", ADMIN, hooks::create),
    Route::post("/webhooks/act", ADMIN, hooks::act),
    Route::get("/api", VIEWER, reference::page),
];

/// What answers where no route does.
pub(super) const MISSING: Route = Route::get("(none)", ANYONE, missing);

fn missing(_: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let path: String = ask.path.chars().take(200).collect();
    Err(Fault::not_found(format!("there is nothing at {path}")))
}

/// A fault as a page; whoever is not signed in is sent to the door.
pub(super) fn fault(app: &Arc<App>, ask: &Ask, fault: &Fault) -> Reply {
    if fault.status == StatusCode::UNAUTHORIZED && ask.method == Method::GET && ask.path != "/sign-in" {
        return Reply::see_other(&door::sign_in_address(ask));
    }
    let page =
        FaultPage { shell: Shell::of(app, ask, ""), detail: &fault.detail, status: fault.status.as_u16() };
    Reply::page_with(fault.status, &page).unwrap_or_else(|fault| Reply::problem(&fault))
}
