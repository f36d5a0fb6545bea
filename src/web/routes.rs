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
use super::permits::Effort;
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
    /// What its handler costs.
    pub(super) effort: Effort,
    /// Whether its body is put into a file: see [`Ask::upload`].
    pub(super) is_upload: bool,
}

impl Route {
    const fn new(method: &'static Method, path: &'static str, access: Access, handler: Handler) -> Self {
        Self { method, path, access, handler, endpoint: None, effort: Effort::Quick, is_upload: false }
    }

    pub(super) const fn get(path: &'static str, access: Access, handler: Handler) -> Self {
        Self::new(&Method::GET, path, access, handler)
    }

    pub(super) const fn post(path: &'static str, access: Access, handler: Handler) -> Self {
        Self::new(&Method::POST, path, access, handler)
    }

    pub(super) const fn put(path: &'static str, access: Access, handler: Handler) -> Self {
        Self::new(&Method::PUT, path, access, handler)
    }

    pub(super) const fn delete(path: &'static str, access: Access, handler: Handler) -> Self {
        Self::new(&Method::DELETE, path, access, handler)
    }

    pub(super) const fn patch(path: &'static str, access: Access, handler: Handler) -> Self {
        Self::new(&Method::PATCH, path, access, handler)
    }

    /// Describes it.
    pub(super) const fn told(self, endpoint: &'static Endpoint) -> Self {
        Self { endpoint: Some(endpoint), ..self }
    }

    /// Its handler hashes a password.
    pub(super) const fn hashing(self) -> Self {
        Self { effort: Effort::Hashing, ..self }
    }

    /// Its handler makes sounds and pictures of a case.
    pub(super) const fn shown(self) -> Self {
        Self { effort: Effort::Shown, ..self }
    }

    /// Its handler works for seconds or longer.
    pub(super) const fn slow(self) -> Self {
        Self { effort: Effort::Slow, ..self }
    }

    /// Its body is a file, alone or in a form; its handler works for long.
    pub(super) const fn upload(self) -> Self {
        Self { is_upload: true, ..self.slow() }
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
