//! The table of routes: which address, who may, who answers. Router, guard, tests of access and the API's own description
//! all read this one table.

use std::sync::Arc;

use axum::http::Method;

use super::access::{Access, Role};
use super::api::Endpoint;
use super::app::App;
use super::ask::Ask;
use super::fault::Fault;
use super::pages;
use super::reply::Reply;
use super::{api, assets, metrics};

/// Answers a request that the guard has let in.
pub(super) type Handler = fn(&Arc<App>, &Ask) -> Result<Reply, Fault>;

/// One route.
#[derive(Clone, Copy)]
pub(super) struct Route {
    pub(super) method: &'static Method,
    /// The path, with `{names}` for what varies.
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) handler: Handler,
    /// What the API's description says of it; none for pages.
    pub(super) endpoint: Option<&'static Endpoint>,
}

impl Route {
    pub(super) const fn get(path: &'static str, access: Access, handler: Handler) -> Self {
        Self { method: &Method::GET, path, access, handler, endpoint: None }
    }

    pub(super) const fn post(path: &'static str, access: Access, handler: Handler) -> Self {
        Self { method: &Method::POST, path, access, handler, endpoint: None }
    }

    pub(super) const fn put(path: &'static str, access: Access, handler: Handler) -> Self {
        Self { method: &Method::PUT, path, access, handler, endpoint: None }
    }

    pub(super) const fn delete(path: &'static str, access: Access, handler: Handler) -> Self {
        Self { method: &Method::DELETE, path, access, handler, endpoint: None }
    }

    pub(super) const fn patch(path: &'static str, access: Access, handler: Handler) -> Self {
        Self { method: &Method::PATCH, path, access, handler, endpoint: None }
    }

    /// Describes it.
    pub(super) const fn told(self, endpoint: &'static Endpoint) -> Self {
        Self { endpoint: Some(endpoint), ..self }
    }
}

const ANYONE: Access = Access::Anyone;
const VIEWER: Access = Access::Needs(Role::Viewer);

/// The routes of the service itself.
const OWN: [Route; 4] = [
    Route::get("/healthz", ANYONE, |_, _| Ok(Reply::text("text/plain; charset=utf-8", "ok\n".to_owned()))),
    Route::get("/readyz", ANYONE, |app, _| {
        app.store().count::<crate::web::access::Account>()?;
        Ok(Reply::text("text/plain; charset=utf-8", "ready\n".to_owned()))
    }),
    Route::get("/metrics", VIEWER, |app, _| {
        Ok(Reply::text("application/openmetrics-text; version=1.0.0; charset=utf-8", metrics::text(app)?))
    }),
    Route::get("/assets/{name}", ANYONE, |_, ask| assets::get(ask.param("name"))),
];

/// All routes.
pub(super) fn routes() -> Vec<Route> {
    [OWN.as_slice(), pages::ROUTES, api::ROUTES].concat()
}
