//! One request of a child: has it the credential, is its target allowed, and then on to it.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::super::client::Client;
use super::super::error::{Error, shown};
use super::log::{Log, Outcome};
use super::meter::{Budget, Metered};
use super::{Place, Policy, ProxyLimits, reach, tunnel_url};
use crate::base::lock;

/// The header of refusals; its value is a secret of the proxy.
pub(super) const MARK_HEADER: &str = "x-earwitness-refused";

/// Headers that concern one connection only (RFC 9110, 7.6.1), besides those that `Connection` names. `Proxy-Authorization`
/// is the important one: it must never reach a server.
const HOP_HEADERS: [&str; 10] = [
    "connection",
    // Answered on this side already.
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Response headers of one server, in bytes of the buffer that takes them.
const RESPONSE_HEAD_BYTES_MAX: usize = 256 << 10;

type Answer = Response<BoxBody<Bytes, hyper::Error>>;

/// What all requests of one proxy share.
pub(super) struct Shared {
    client: Client,
    pub(super) limits: ProxyLimits,
    pub(super) run: Budget,
    total: Budget,
    policy: Policy,
    credential: String,
    mark: HeaderValue,
    requests: AtomicU64,
    log: Mutex<Log>,
    /// Ends every task of the proxy.
    pub(super) ends: CancellationToken,
}

impl Shared {
    pub(super) fn new(
        client: Client,
        limits: ProxyLimits,
        total: Budget,
        policy: Policy,
        (user, password): (&str, &str),
        mark: &str,
        ends: CancellationToken,
    ) -> Self {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        Self {
            client,
            limits,
            run: Budget::new(limits.bytes_max),
            total,
            policy,
            credential: pair,
            mark: HeaderValue::from_str(mark).unwrap_or_else(|_| HeaderValue::from_static("")),
            requests: AtomicU64::new(0),
            log: Mutex::default(),
            ends,
        }
    }

    /// Runs a task that ends with the proxy.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let ends = self.ends.clone();
        tokio::spawn(async move { ends.run_until_cancelled(task).await });
    }

    pub(super) fn take_log(&self) -> Log {
        std::mem::take(&mut *lock(&self.log))
    }

    fn note(&self, target: &str, outcome: Outcome) {
        lock(&self.log).add(target, outcome);
    }

    /// Whether the request carries the credential; takes as long for a good beginning as for a bad one.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::PROXY_AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        let Some((scheme, word)) = given.split_at_checked(6) else { return false };
        let word = word.trim_ascii();
        scheme.eq_ignore_ascii_case(b"basic ")
            && word.len() == self.credential.len()
            && word.iter().zip(self.credential.as_bytes()).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
    }

    /// All that can be said against a target before it is connected to.
    fn judge(&self, url: &Url) -> Result<(), String> {
        if self.requests.fetch_add(1, Ordering::Relaxed) >= self.limits.requests_max {
            return Err(format!("more than {} requests", self.limits.requests_max));
        }
        if self.run.left() == 0 || self.total.left() == 0 {
            return Err("the bytes allowed are used up".to_owned());
        }
        self.client.check(url).map_err(|error| error.to_string())?;
        let host = url.host().ok_or("it names no host")?.to_owned();
        (self.policy)(&host, url.port_or_known_default().unwrap_or(0))
    }

    fn refuse(&self, target: &str, why: String) -> Answer {
        let mut answer = plain(StatusCode::FORBIDDEN, &why);
        answer.headers_mut().insert(HeaderName::from_static(MARK_HEADER), self.mark.clone());
        self.note(target, Outcome::Refused(why));
        answer
    }

    /// Judges and connects; the answer to give where that fails.
    async fn reach(&self, url: &Url) -> Result<Metered, Answer> {
        let target = shown(url);
        if let Err(why) = self.judge(url) {
            return Err(self.refuse(&target, why));
        }
        match reach::connect(&self.client, url).await {
            Ok(stream) => {
                self.note(&target, Outcome::Passed);
                let budgets = [self.run.clone(), self.total.clone()];
                Ok(Metered::new(stream, budgets, self.client.limits.read_timeout))
            }
            Err(error @ (Error::NotPublic { .. } | Error::Url { .. })) => {
                Err(self.refuse(&target, error.to_string()))
            }
            Err(error) => {
                let answer = plain(StatusCode::BAD_GATEWAY, &error.to_string());
                self.note(&target, Outcome::Failed(error.to_string()));
                Err(answer)
            }
        }
    }
}

/// Answers one request.
pub(super) async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    place: Place,
) -> Result<Answer, Infallible> {
    if !shared.knows(request.headers()) {
        let mut answer = plain(StatusCode::PROXY_AUTHENTICATION_REQUIRED, "this proxy is not for everybody");
        let challenge = HeaderValue::from_static("Basic realm=\"earwitness\"");
        answer.headers_mut().insert(header::PROXY_AUTHENTICATE, challenge);
        return Ok(answer);
    }
    let answered = if request.method() == Method::CONNECT {
        tunnel(&shared, request, place).await
    } else {
        forward(&shared, request, place).await
    };
    Ok(answered.unwrap_or_else(|answer| answer))
}

/// Opens a tunnel (RFC 9110, 9.3.6).
async fn tunnel(shared: &Arc<Shared>, request: Request<Incoming>, place: Place) -> Result<Answer, Answer> {
    let authority = request.uri().authority().map(hyper::http::uri::Authority::as_str).unwrap_or_default();
    let Some(url) = tunnel_url(authority) else {
        return Err(plain(StatusCode::BAD_REQUEST, "a tunnel is asked for by host:port"));
    };
    let mut outside = shared.reach(&url).await?;
    shared.spawn(async move {
        let _place = place;
        if let Ok(inside) = hyper::upgrade::on(request).await {
            // Either side may end it, or the count.
            let _ = tokio::io::copy_bidirectional(&mut TokioIo::new(inside), &mut outside).await;
        }
    });
    Ok(plain(StatusCode::OK, ""))
}

/// Passes on a plain HTTP request, on a connection of its own: none is kept, so that none is shared between hosts.
async fn forward(
    shared: &Arc<Shared>,
    mut request: Request<Incoming>,
    place: Place,
) -> Result<Answer, Answer> {
    let url = match Url::parse(&request.uri().to_string()) {
        Ok(url) if url.scheme() == "http" && url.has_host() => url,
        _ => {
            return Err(plain(StatusCode::BAD_REQUEST, "only whole http:// addresses and tunnels are taken"));
        }
    };
    let outside = shared.reach(&url).await?;
    let failed = |error: hyper::Error| plain(StatusCode::BAD_GATEWAY, &super::super::client::deepest(&error));
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(RESPONSE_HEAD_BYTES_MAX)
        .handshake(TokioIo::new(outside))
        .await
        .map_err(failed)?;
    shared.spawn(async move {
        let _place = place;
        let _ = connection.await;
    });
    address_to(&mut request, &url).ok_or_else(|| plain(StatusCode::BAD_REQUEST, "no such address"))?;
    let mut response = sender.send_request(request).await.map_err(failed)?;
    // A protocol that nobody asked for, and a demand for what is the proxy's alone.
    if matches!(
        response.status(),
        StatusCode::SWITCHING_PROTOCOLS | StatusCode::PROXY_AUTHENTICATION_REQUIRED
    ) {
        return Err(plain(StatusCode::BAD_GATEWAY, "the server answers as only a proxy may"));
    }
    strip(response.headers_mut());
    response.headers_mut().remove(MARK_HEADER);
    Ok(response.map(BodyExt::boxed))
}

/// Makes of a request to a proxy one to the server of `url`.
fn address_to(request: &mut Request<Incoming>, url: &Url) -> Option<()> {
    strip(request.headers_mut());
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    *request.uri_mut() = format!("{}{query}", url.path()).parse().ok()?;
    *request.version_mut() = hyper::Version::HTTP_11;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let host = format!("{}{port}", url.host_str()?);
    request.headers_mut().insert(header::HOST, HeaderValue::from_str(&host).ok()?);
    Some(())
}

/// Takes out the headers that concern the connection on this side.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(|name| name.trim().to_ascii_lowercase()))
        .collect();
    for name in HOP_HEADERS.into_iter().chain(named.iter().map(String::as_str)) {
        headers.remove(name);
    }
}

fn plain(status: StatusCode, text: &str) -> Answer {
    let body = Full::new(Bytes::from(text.to_owned())).map_err(|never| match never {}).boxed();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}
