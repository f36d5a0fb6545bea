//! A service without a network and with a clock of its own, for tests.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, Method, Response, header};
use axum::{Extension, Router};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio_util::sync::CancellationToken;

use super::access::{self, Role, Session, Visitor};
use super::app::App;
use super::ask::Ask;
use super::server::router;
use super::words::Lang;
use crate::base::{Clock, Timestamp, lock};
use crate::cases::Calendars;
use crate::config::Settings;
use crate::scan::Library;
use crate::store::Store;

/// The password of all accounts here.
pub(super) const PASSWORD: &str = "correct horse battery";
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A clock that goes when it is told to.
pub(super) struct Watch(Mutex<Timestamp>);

impl Watch {
    pub(super) fn pass(&self, seconds: i64) {
        let mut now = lock(&self.0);
        *now = now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
    }
}

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        *lock(&self.0)
    }
}

/// A service whose first account is `mika`, an admin.
pub(super) struct House {
    _folder: tempfile::TempDir,
    pub(super) app: Arc<App>,
    pub(super) watch: Arc<Watch>,
    router: Router,
}

impl House {
    pub(super) fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let watch = Arc::new(Watch(Mutex::new(Timestamp::from_second(1_800_000_000).unwrap())));
        access::create(&store, ("mika", Role::Admin, PASSWORD), "setup", watch.now()).unwrap();
        let of = (Library::open(store).unwrap(), Calendars::built_in().unwrap());
        let (hosts, stop) = (vec!["localhost".to_owned()], CancellationToken::new());
        let clock: Arc<dyn Clock> = Arc::<Watch>::clone(&watch);
        let app = Arc::new(App::new(of, settings, None, clock, hosts, stop).unwrap());
        let router = router(&app).layer(Extension(ConnectInfo(SocketAddr::new(CLIENT, 4711))));
        Self { _folder: folder, app, watch, router }
    }

    /// Makes an account.
    pub(super) fn create(&self, name: &str, role: Role) {
        access::create(self.app.store(), (name, role, PASSWORD), "mika", self.watch.now()).unwrap();
    }

    /// Signs somebody in; gives the cookie's secret.
    pub(super) fn sign_in(&self, name: &str) -> (String, Session) {
        let (app, who) = (&self.app, (name, PASSWORD, None));
        access::sign_in(app.store(), &app.throttle, who, CLIENT, self.watch.now()).unwrap()
    }

    /// Answers a request; `headers` beside what a browser on the desk's own pages sends.
    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Response<Body> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        *request.uri_mut() = path.parse().unwrap();
        let all = request.headers_mut();
        for (name, value) in [("host", "localhost"), ("origin", "http://localhost")].iter().chain(headers) {
            all.insert(header::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let service = TowerToHyperService::new(self.router.clone());
        runtime.block_on(async { service.call(request).await.unwrap() })
    }
}

/// A request as a handler sees it, of an admin's token.
pub(super) fn ask(method: &str, path: &str) -> Ask {
    let visitor =
        Visitor { name: "mika".to_owned(), role: Role::Admin, csrf: None, token_id: Some("t".to_owned()) };
    Ask {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        path: path.to_owned(),
        params: BTreeMap::new(),
        query: Vec::new(),
        headers: HeaderMap::new(),
        body: Vec::new(),
        upload: None,
        peer: CLIENT,
        client: CLIENT,
        now: Timestamp::from_second(1_800_000_000).unwrap(),
        lang: Lang::English,
        visitor: Some(visitor),
    }
}
