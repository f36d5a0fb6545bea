//! What happens in the browser while a page is rendered, and what is said to it: requests judged one by one, the proxy's
//! password given, dialogs dismissed, windows closed.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::Error;
use super::page::Task;
use super::seen::Seen;
use crate::net::{Outcome, shown};

/// Dialogs of one page that are dismissed.
const DIALOGS_MAX: u32 = 20;
/// Pages that one may lead on to by script; real ones lead to one or two.
const PAGES_MAX: u32 = 10;
/// Requests that are waited for at a time; more are not remembered.
const OPEN_MAX: usize = 10_000;
/// Frames of one page that are remembered.
const FRAMES_KEPT_MAX: usize = 1000;
/// Times that one request may ask for the proxy's password: the second time it is wrong.
const PASSWORDS_MAX: u32 = 2;
/// Problems of one page that are told.
const PROBLEMS_MAX: usize = 50;

/// A command that wants no answer.
pub(super) struct Order {
    pub(super) session: String,
    pub(super) method: &'static str,
    pub(super) params: Value,
}

/// What was seen so far.
pub(super) struct Watch<'a> {
    task: Task<'a>,
    pub(super) seen: Seen,
    pub(super) problems: Vec<String>,
    /// The tab, its session and its main frame.
    pub(super) own_target: String,
    pub(super) session: String,
    pub(super) main_frame: String,
    /// When a request began or ended last.
    pub(super) changed: Instant,
    pub(super) requests: u64,
    is_loaded: bool,
    /// The frames within the main one, as they were attached.
    frames: Vec<String>,
    open: HashSet<String>,
    passwords: HashMap<String, u32>,
    dialogs: u32,
    pages: u32,
    last_page: String,
    is_refused: bool,
    is_download: bool,
    has_crashed: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(task: Task<'a>) -> Self {
        Self {
            task,
            seen: Seen::default(),
            problems: Vec::new(),
            own_target: String::new(),
            session: String::new(),
            main_frame: String::new(),
            changed: Instant::now(),
            requests: 0,
            is_loaded: false,
            frames: Vec::new(),
            open: HashSet::new(),
            passwords: HashMap::new(),
            dialogs: 0,
            pages: 0,
            last_page: String::new(),
            is_refused: false,
            is_download: false,
            has_crashed: false,
        }
    }

    /// Notes a problem that does not end the rendering.
    pub(super) fn problem(&mut self, text: String) {
        if self.problems.len() < PROBLEMS_MAX && !self.problems.contains(&text) {
            self.problems.push(text);
        }
    }

    /// Whether the page is loaded and waits for nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.is_loaded && self.open.is_empty()
    }

    /// The page's frames, the main one first. They are known from events, since an answer that lists them is nested as
    /// they are, and a page can nest them deeper than a message may be.
    pub(super) fn frames(&self) -> Vec<String> {
        std::iter::once(&self.main_frame).chain(&self.frames).cloned().collect()
    }

    /// Whether it is worth going on.
    pub(super) fn verdict(&self) -> Result<(), Error> {
        let url = || shown(self.task.url);
        if self.has_crashed {
            return Err(Error::Crashed { url: url(), reason: "the page's process".to_owned() });
        }
        if self.dialogs > DIALOGS_MAX {
            return Err(Error::Dialogs { url: url(), count: DIALOGS_MAX });
        }
        if self.pages > PAGES_MAX {
            return Err(Error::Wanders { url: url(), count: self.pages, last: self.last_page.clone() });
        }
        if self.is_refused {
            let reason = self.refusal_of(self.task.url).unwrap_or_else(|| "by the guard".to_owned());
            return Err(Error::Refused { url: url(), reason });
        }
        if self.is_download {
            return Err(Error::Download { url: url() });
        }
        Ok(())
    }

    /// Takes over what the proxy refused.
    pub(super) fn read_proxy_log(&mut self) {
        for asked in self.task.proxy.take_log().asked {
            match asked.outcome {
                Outcome::Refused(why) => self.seen.refuse(&asked.target, &why),
                Outcome::Failed(why) => self.problem(why),
                Outcome::Passed => {}
            }
        }
    }

    /// Why `url`, or the tunnel to its host, was refused.
    pub(super) fn refusal_of(&self, url: &Url) -> Option<String> {
        let (text, origin) = (shown(url), url.origin());
        let is_meant = |target: &str| {
            target == text || Url::parse(target).is_ok_and(|one| one.path() == "/" && one.origin() == origin)
        };
        self.seen.refused.iter().find(|(target, _)| is_meant(target)).map(|(_, why)| why.clone())
    }

    /// Takes an event; returns what is to be said to the browser.
    pub(super) fn event(&mut self, session: &str, method: &str, params: &Value) -> Vec<Order> {
        let text = |key: &str| params[key].as_str().unwrap_or_default();
        let order = |method, params| vec![Order { session: session.to_owned(), method, params }];
        match method {
            "Fetch.requestPaused" => {
                let id = &params["requestId"];
                let url = params["request"]["url"].as_str().unwrap_or_default();
                return match self.judge(url) {
                    Ok(()) => order("Fetch.continueRequest", json!({ "requestId": id })),
                    Err(why) => {
                        self.refuse(url, &why, params);
                        // Of a frame's document no end is told.
                        self.open.remove(&format!("{session}/{}", text("networkId")));
                        order(
                            "Fetch.failRequest",
                            json!({ "requestId": id, "errorReason": "BlockedByClient" }),
                        )
                    }
                };
            }
            "Fetch.authRequired" => {
                let answer = self.password(text("requestId"), &params["authChallenge"]);
                let params = json!({ "requestId": params["requestId"], "authChallengeResponse": answer });
                return order("Fetch.continueWithAuth", params);
            }
            "Page.javascriptDialogOpening" => {
                self.dialogs += 1;
                self.problem("the page opened a dialog, which was dismissed".to_owned());
                // A page that asks whether it may be left may.
                let accept = text("type") == "beforeunload";
                return order("Page.handleJavaScriptDialog", json!({ "accept": accept }));
            }
            "Target.attachedToTarget" => {
                return self.attached(session, text("sessionId"), &params["targetInfo"]);
            }
            "Inspector.targetCrashed" if session == self.session => self.has_crashed = true,
            "Page.windowOpen" => self.seen.refuse(text("url"), POPUP),
            "Page.frameAttached" if self.frames.len() < FRAMES_KEPT_MAX => {
                self.frames.push(text("frameId").to_owned());
            }
            "Page.frameDetached" => self.frames.retain(|frame| frame != text("frameId")),
            "Page.loadEventFired" => self.is_loaded = true,
            "Page.frameNavigated" if params["frame"]["parentId"].is_null() => {
                self.pages += 1;
                self.is_loaded = false;
                self.last_page =
                    params["frame"]["url"].as_str().unwrap_or_default().chars().take(300).collect();
            }
            "Browser.downloadWillBegin" => self.download(text("url")),
            _ => self.network(session, method, params),
        }
        Vec::new()
    }

    /// The requests' beginnings and ends.
    fn network(&mut self, session: &str, method: &str, params: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let id = format!("{session}/{}", text(&params["requestId"]));
        let kind = text(&params["type"]);
        match method {
            "Network.requestWillBeSent" => {
                let url = text(&params["request"]["url"]);
                self.seen.take(&url, None, &kind);
                if self.open.len() < OPEN_MAX && !url.starts_with("data:") {
                    self.open.insert(id);
                }
            }
            "Network.responseReceived" => {
                let response = &params["response"];
                self.seen.take(&text(&response["url"]), response["mimeType"].as_str(), &kind);
                if kind == "Document" && params["frameId"] == self.main_frame.as_str() {
                    self.is_refused |= self.is_proxy_speaking(response);
                }
                // These may go on for ever.
                if matches!(kind.as_str(), "Media" | "EventSource" | "WebSocket" | "Ping") {
                    self.open.remove(&id);
                }
            }
            "Network.loadingFinished" | "Network.loadingFailed" => {
                self.open.remove(&id);
            }
            _ => return,
        }
        self.changed = Instant::now();
    }

    /// Whether the answer to a plain request is the proxy's own refusal.
    fn is_proxy_speaking(&mut self, response: &Value) -> bool {
        let headers = response["headers"].as_object();
        let is_refusal = headers
            .into_iter()
            .flatten()
            .any(|(name, value)| self.task.proxy.is_refusal(name, value.as_str().unwrap_or_default()));
        if is_refusal {
            self.read_proxy_log();
        }
        is_refusal
    }

    /// What can be said of a request before its host is resolved; the proxy says the rest.
    fn judge(&mut self, url: &str) -> Result<(), String> {
        self.requests += 1;
        let requests_max = self.task.limits.requests_max;
        if self.requests > requests_max {
            self.problem(format!("the page made more than {requests_max} requests (render.requests_max)"));
            return Err(format!("more than {requests_max} requests"));
        }
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        self.task.client.check(&url).map_err(|error| error.to_string())?;
        let host = url.host().ok_or("it names no host")?.to_owned();
        (self.task.policy)(&host, url.port_or_known_default().unwrap_or(0))
    }

    fn refuse(&mut self, url: &str, why: &str, params: &Value) {
        self.seen.refuse(url, why);
        // Of the page itself (also where it leads on to), not of what it loads.
        let is_page = params["resourceType"] == "Document" && params["frameId"] == self.main_frame.as_str();
        if is_page && self.pages == 0 && url == self.task.url.as_str() {
            self.is_refused = true;
        }
    }

    /// The password goes to the proxy alone, and twice at most.
    fn password(&mut self, id: &str, challenge: &Value) -> Value {
        let proxy = self.task.proxy;
        let origin = challenge["origin"].as_str().unwrap_or_default();
        let is_ours = challenge["source"] == "Proxy" && origin == format!("http://{}", proxy.address());
        if self.passwords.len() > OPEN_MAX {
            self.passwords.clear();
        }
        let times = self.passwords.entry(id.to_owned()).or_default();
        *times += 1;
        if !is_ours || *times > PASSWORDS_MAX {
            return json!({ "response": "CancelAuth" });
        }
        json!({ "response": "ProvideCredentials", "username": proxy.user(), "password": proxy.password() })
    }

    /// Another tab is closed; a worker or a frame of its own comes under the same watch before it runs.
    fn attached(&mut self, session: &str, new_session: &str, target: &Value) -> Vec<Order> {
        let id = target["targetId"].as_str().unwrap_or_default();
        let is_own = id == self.own_target;
        if !is_own && (session.is_empty() || target["type"] == "page") {
            if target["type"] == "page" {
                self.seen.refuse(target["url"].as_str().unwrap_or_default(), POPUP);
            }
            let params = json!({ "targetId": id });
            return vec![Order { session: String::new(), method: "Target.closeTarget", params }];
        }
        let attach = json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true });
        let mut orders = vec![
            ("Network.enable", json!({ "maxPostDataSize": 0 })),
            ("Fetch.enable", json!({ "handleAuthRequests": true })),
            ("Target.setAutoAttach", attach),
            ("Runtime.runIfWaitingForDebugger", json!({})),
        ];
        if is_own {
            // Its session is the one that we opened.
            orders.drain(..3);
        }
        let to = |(method, params)| Order { session: new_session.to_owned(), method, params };
        orders.into_iter().map(to).collect()
    }

    /// A download is denied, but its address is worth a look.
    fn download(&mut self, url: &str) {
        if self.pages == 0 {
            self.is_download = true;
        }
        if let Ok(url) = Url::parse(url)
            && matches!(url.scheme(), "http" | "https")
        {
            self.problem(format!("the page began a download, which was denied: {}", shown(&url)));
            self.seen.add(url, None);
        }
    }
}

const POPUP: &str = "windows that a page opens are closed";
