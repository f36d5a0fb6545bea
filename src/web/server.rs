//! The network's side: connections in bounded number and time, with TLS or without, each request through the guard to its
//! handler on a blocking thread; and an end that waits for what is in hand, but not for ever.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, RawPathParams, Request};
use axum::http::{Method, Response, StatusCode};
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::app::App;
use super::ask::Ask;
use super::fault::Fault;
use super::guard;
use super::pages;
use super::reply::Reply;
use super::routes::{Route, routes};
use super::words::Lang;

/// Connections at a time; more wait in the system's queue.
const CONNECTIONS_MAX: usize = 512;
/// For how long a connection may take to say what it wants, and to shake hands.
const HEAD_WAIT: Duration = Duration::from_secs(15);
/// For how long a body may take to arrive.
const BODY_WAIT: Duration = Duration::from_secs(60);
/// The longest body, in bytes.
const BODY_BYTES_MAX: usize = 4 << 20;
/// The longest query, in bytes, and the most values in it.
const QUERY_BYTES_MAX: usize = 16 << 10;
const QUERY_VALUES_MAX: usize = 200;

/// Makes the router of all routes.
pub(super) fn router(app: &Arc<App>) -> Router {
    let mut by_path: BTreeMap<&'static str, MethodRouter> = BTreeMap::new();
    for route in routes() {
        let filter = if route.method == Method::GET {
            MethodFilter::GET
        } else if route.method == Method::DELETE {
            MethodFilter::DELETE
        } else if route.method == Method::PUT {
            MethodFilter::PUT
        } else if route.method == Method::PATCH {
            MethodFilter::PATCH
        } else {
            MethodFilter::POST
        };
        let app = Arc::clone(app);
        let handler =
            move |peer: Extension<ConnectInfo<SocketAddr>>, params: RawPathParams, request: Request| {
                let app = Arc::clone(&app);
                async move { answer(app, route, peer.0.0.ip(), params, request).await }
            };
        let known = by_path.remove(route.path).unwrap_or_default();
        by_path.insert(route.path, known.merge(on(filter, handler)));
    }
    let app = Arc::clone(app);
    let missing = move |peer: Extension<ConnectInfo<SocketAddr>>, params: RawPathParams, request: Request| {
        let app = Arc::clone(&app);
        async move { answer(app, pages::MISSING, peer.0.0.ip(), params, request).await }
    };
    let router = by_path.into_iter().fold(Router::new(), |router, (path, routes)| router.route(path, routes));
    router.fallback(missing)
}

/// Answers one request.
async fn answer(
    app: Arc<App>,
    route: Route,
    peer: IpAddr,
    params: RawPathParams,
    request: Request,
) -> Response<Body> {
    let began = tokio::time::Instant::now();
    let method = request.method().clone();
    let ask = read(&app, peer, &params, request).await;
    let worker = Arc::clone(&app);
    let handled = tokio::task::spawn_blocking(move || match ask {
        Ok(mut ask) => handle(&worker, route, &mut ask),
        Err(fault) => Reply::problem(&fault).into_response(),
    });
    let response = handled.await.unwrap_or_else(|error| {
        tracing::error!("a request to {} failed: {error}", route.path);
        let fault = Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "something failed here");
        Reply::problem(&fault).into_response()
    });
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD];
    let name = known.iter().find(|one| **one == method).map_or("other", |one| match *one {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "HEAD",
    });
    let seconds = began.elapsed().as_secs_f64();
    app.metrics.answered(route.path, name, response.status().as_u16(), seconds);
    response
}

/// Reads a request's body, and what else a handler wants of it.
async fn read(app: &App, peer: IpAddr, params: &RawPathParams, request: Request) -> Result<Ask, Fault> {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    if query.len() > QUERY_BYTES_MAX {
        return Err(Fault::bad_request(format!("a query has at most {QUERY_BYTES_MAX} bytes")));
    }
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().take(QUERY_VALUES_MAX).collect();
    let read = tokio::time::timeout(BODY_WAIT, axum::body::to_bytes(body, BODY_BYTES_MAX)).await;
    let body = match read {
        Ok(Ok(bytes)) => bytes.to_vec(),
        Ok(Err(_)) => {
            let detail = format!("the body is cut off, or longer than {BODY_BYTES_MAX} bytes");
            return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        Err(_) => return Err(Fault::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")),
    };
    Ok(Ask {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        params: params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        query,
        headers: parts.headers,
        body,
        peer,
        now: app.now(),
        lang: Lang::English,
        visitor: None,
    })
}

/// Guard and handler; a fault becomes a page or a problem.
fn handle(app: &Arc<App>, route: Route, ask: &mut Ask) -> Response<Body> {
    let admitted = guard::admit(app, ask, route.access);
    let (cookie, outcome) = match admitted {
        Ok(cookie) => (cookie, (route.handler)(app, ask)),
        Err(fault) => (None, Err(fault)),
    };
    let reply = outcome.unwrap_or_else(|fault| {
        let mut reply = if ask.is_api() { Reply::problem(&fault) } else { pages::fault(app, ask, &fault) };
        if let Some(seconds) = fault.retry_after_s {
            reply = reply.with_text(axum::http::header::RETRY_AFTER, &seconds.to_string());
        }
        if fault.status == StatusCode::UNAUTHORIZED && ask.is_api() {
            reply = reply.with_text(axum::http::header::WWW_AUTHENTICATE, "Bearer");
        }
        reply
    });
    let has_own = reply.headers.iter().any(|(name, _)| name == axum::http::header::SET_COOKIE);
    let reply = match cookie.filter(|_| !has_own) {
        Some(secret) => guard::with_cookie(app, reply, &secret),
        None => reply,
    };
    reply.into_response()
}

/// Serves until `stop`, then finishes what is in hand for at most `drain`.
///
/// # Errors
/// What the system says where it accepts no connections any more.
pub(super) async fn serve(
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
    drain: Duration,
) -> std::io::Result<()> {
    let router = router(&app);
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = Arc::clone(&permits).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { break };
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Too many open files, a connection that is gone already: the next may do.
                    tracing::warn!("a connection was not accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let (router, tls, watcher) = (router.clone(), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _permit = permit;
            let _ = stream.set_nodelay(true);
            let router = router.layer(Extension(ConnectInfo(peer)));
            match tls {
                None => connection(TokioIo::new(stream), router, watcher).await,
                Some(tls) => {
                    let shaken = tokio::time::timeout(HEAD_WAIT, tls.accept(stream)).await;
                    if let Ok(Ok(stream)) = shaken {
                        connection(TokioIo::new(stream), router, watcher).await;
                    }
                }
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some answers were not finished within {} s", drain.as_secs());
    }
    Ok(())
}

async fn connection<I>(io: I, router: Router, watcher: hyper_util::server::graceful::Watcher)
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WAIT).max_headers(100);
    let served = watcher.watch(builder.serve_connection(io, TowerToHyperService::new(router))).await;
    if let Err(error) = served {
        tracing::debug!("a connection ended: {error}");
    }
}
