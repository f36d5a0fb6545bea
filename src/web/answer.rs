//! From a request to its answer: who asks is known before the body is read, and the handler has its turn before it works.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{Method, Response, StatusCode, header};
use tokio::sync::OwnedSemaphorePermit;

use super::app::App;
use super::ask::Ask;
use super::fault::Fault;
use super::guard;
use super::permits::Effort;
use super::reply::Reply;
use super::routes::Route;
use super::words::Lang;
use super::{body, pages, upload};

/// The longest query, in bytes, and the most values in it.
const QUERY_BYTES_MAX: usize = 16 << 10;
const QUERY_VALUES_MAX: usize = 200;

/// Answers one request.
pub(super) async fn answer(
    app: Arc<App>,
    route: Route,
    peer: IpAddr,
    params: RawPathParams,
    request: Request,
) -> Response<Body> {
    let began = tokio::time::Instant::now();
    let method = request.method().clone();
    let (parts, body) = request.into_parts();
    let response = match read_head(&app, peer, &params, parts) {
        Ok(ask) => respond(&app, route, ask, body).await,
        Err(fault) => Reply::problem(&fault).into_response(),
    };
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD];
    let name = known.iter().find(|one| **one == method).map_or("other", |one| match *one {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "HEAD",
    });
    let (seconds, status) = (began.elapsed().as_secs_f64(), response.status().as_u16());
    app.metrics.answered(route.path, name, status, seconds);
    // By its route: what exactly was asked for may be about somebody, or hold what somebody typed.
    tracing::info!(method = name, route = route.path, status, ms = seconds * 1000.0, "request");
    response
}

/// What a request's head says.
fn read_head(app: &App, peer: IpAddr, params: &RawPathParams, parts: Parts) -> Result<Ask, Fault> {
    let query = parts.uri.query().unwrap_or_default();
    if query.len() > QUERY_BYTES_MAX {
        return Err(Fault::bad_request(format!("a query has at most {QUERY_BYTES_MAX} bytes")));
    }
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().take(QUERY_VALUES_MAX).collect();
    let params: BTreeMap<String, String> =
        params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(Ask {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        params,
        query,
        headers: parts.headers,
        body: Vec::new(),
        upload: None,
        peer,
        client: peer,
        now: app.now(),
        lang: Lang::English,
        visitor: None,
    })
}

async fn respond(app: &Arc<App>, route: Route, mut ask: Ask, body: Body) -> Response<Body> {
    let permit = match app.permits.take(Effort::Quick).await {
        Ok(permit) => permit,
        Err(fault) => return refuse(app, &ask, &fault),
    };
    let let_in = on_thread(app, route, permit, move |app| {
        let admitted = guard::admit(app, &mut ask, route.access);
        (ask, admitted)
    });
    let mut ask = match let_in.await {
        Ok((ask, Ok(()))) => ask,
        Ok((ask, Err(fault))) => return refuse(app, &ask, &fault),
        Err(fault) => return Reply::problem(&fault).into_response(),
    };
    let read = if route.is_upload {
        upload::receive(app, &mut ask, body).await
    } else {
        body::read(&mut ask, body).await
    };
    if let Err(fault) = read {
        return refuse(app, &ask, &fault);
    }
    let permit = match app.permits.take(route.effort).await {
        Ok(permit) => permit,
        Err(fault) => return refuse(app, &ask, &fault),
    };
    let handled = on_thread(app, route, permit, move |app| handle(app, route, ask));
    handled.await.unwrap_or_else(|fault| Reply::problem(&fault).into_response())
}

/// Does work on a thread that may block; the permit is given back when it is done, also where nobody waits for it any more.
async fn on_thread<T: Send + 'static>(
    app: &Arc<App>,
    route: Route,
    permit: OwnedSemaphorePermit,
    work: impl FnOnce(&Arc<App>) -> T + Send + 'static,
) -> Result<T, Fault> {
    let app = Arc::clone(app);
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work(&app)
    });
    done.await.map_err(|error| {
        tracing::error!("a request to {} failed: {error}", route.path);
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "something failed here")
    })
}

/// May they still, and did they mean it? Then the handler; a fault becomes a page or a problem.
fn handle(app: &Arc<App>, route: Route, mut ask: Ask) -> Response<Body> {
    let handled = guard::confirm(app, &mut ask, route.access)
        .and_then(|()| guard::check_intent(app, &ask))
        .and_then(|()| (route.handler)(app, &ask));
    let reply = handled.unwrap_or_else(|fault| told(app, &ask, &fault));
    guard::with_renewed(app, &ask, route.effort, reply).into_response()
}

fn refuse(app: &Arc<App>, ask: &Ask, fault: &Fault) -> Response<Body> {
    told(app, ask, fault).into_response()
}

/// A fault for whoever asked: a page for people, a problem for programs.
fn told(app: &Arc<App>, ask: &Ask, fault: &Fault) -> Reply {
    let mut reply = if ask.is_api() { Reply::problem(fault) } else { pages::fault(app, ask, fault) };
    if let Some(seconds) = fault.retry_after_s {
        reply = reply.with_text(header::RETRY_AFTER, &seconds.to_string());
    }
    if fault.status == StatusCode::UNAUTHORIZED && ask.is_api() {
        reply = reply.with_text(header::WWW_AUTHENTICATE, "Bearer");
    }
    reply
}
