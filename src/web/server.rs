//! The network's side: connections in bounded number, of all and of one network, and in bounded time, with TLS or without; and an
//! end that waits for what is in hand, but not for ever.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, RawPathParams, Request};
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::access::network;
use super::answer::answer;
use super::app::App;
use super::crowd::Crowd;
use super::impatient::{Impatient, Pace};
use super::pages;
use super::routes::routes;

/// Connections at a time; more wait in the system's queue.
const CONNECTIONS_MAX: usize = 512;
/// Connections of one network (an address of IPv4, a customer's /64 of IPv6) at a time; more are closed at once.
const CONNECTIONS_OF_ONE_MAX: usize = 64;
/// For how long a connection may take to say what it wants, the first time and each time after an answer, and to shake hands.
const HEAD_WAIT: Duration = Duration::from_secs(15);
/// How slowly a client may read what is sent to it: 1 KiB a second, over a minute of waiting.
const READING: Pace = Pace { stretch: Duration::from_secs(60), bytes_min: 60 << 10 };

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
    let crowd: Arc<Crowd<IpAddr>> = Arc::default();
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
        let most = if is_proxy(&app, peer.ip()) { CONNECTIONS_MAX } else { CONNECTIONS_OF_ONE_MAX };
        let Some(inside) = crowd.enter(network(peer.ip()), most) else {
            tracing::debug!("{peer} has {most} connections already");
            continue;
        };
        let (router, tls, watcher) = (router.clone(), tls.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _held = (permit, inside);
            let router = router.layer(Extension(ConnectInfo(peer)));
            welcome(stream, tls, router, watcher).await;
        });
    }
    drop(listener);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some answers were not finished within {} s", drain.as_secs());
    }
    Ok(())
}

/// Whether all browsers may be behind this address: of a proxy that stands before us by our settings.
fn is_proxy(app: &App, peer: IpAddr) -> bool {
    let serve = &app.settings().serve;
    serve.plain_http || serve.trusted_proxies.iter().any(|network| network.contains(peer))
}

/// Shakes hands where that is to be, and serves the connection to its end.
async fn welcome(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, watcher: Watcher) {
    let _ = stream.set_nodelay(true);
    let stream = Impatient::new(stream, READING);
    let Some(tls) = tls else { return connection(TokioIo::new(stream), router, watcher).await };
    if let Ok(Ok(stream)) = tokio::time::timeout(HEAD_WAIT, tls.accept(stream)).await {
        connection(TokioIo::new(stream), router, watcher).await;
    }
}

async fn connection<I>(io: I, router: Router, watcher: Watcher)
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
