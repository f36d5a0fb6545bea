//! Doors for the fuzz targets to parsers that nobody else needs to reach.

use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use serde_json::Value;
use tokio::runtime::Runtime;
use url::Url;

use super::RenderLimits;
use super::devtools::{Link, Message};
use super::events::Watch;
use super::page::{Harvest, Task};
use crate::config::{FetchSettings, RenderSettings};
use crate::net::{Budget, Client, GuardedProxy, Policy, ProxyLimits};

/// What a page is rendered with, but for the browser.
struct Around {
    // Keeps the proxy's tasks.
    runtime: Runtime,
    url: Url,
    limits: RenderLimits,
    client: Client,
    proxy: GuardedProxy,
    policy: Policy,
}

static AROUND: LazyLock<Around> = LazyLock::new(|| around().expect("a client and a proxy on loopback"));

fn around() -> Option<Around> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let client = Client::new(&FetchSettings::default()).ok()?;
    let bounds = ProxyLimits {
        connections_max: 1,
        requests_max: 1,
        bytes_max: 1,
        time_max: std::time::Duration::from_secs(1),
    };
    let policy: Policy = Arc::new(|_, _| Ok(()));
    let proxy = GuardedProxy::start(&client, bounds, Budget::new(1), Arc::clone(&policy));
    let proxy = runtime.block_on(proxy).ok()?;
    let url = Url::parse("https://music.example/").ok()?;
    let limits = RenderLimits::from(&RenderSettings::default());
    Some(Around { runtime, url, limits, client, proxy, policy })
}

/// Reads the browser's messages to the end.
fn each(bytes: &[u8], mut take: impl FnMut(Message)) -> u64 {
    let mut link = Link::new(Vec::new(), bytes);
    loop {
        // Memory is never waited for.
        let next = pin!(link.next()).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Ok(message)) = next else { return link.skipped };
        take(message);
    }
}

/// Reads the browser's messages to the end; gives how many there are and how many were skipped.
#[must_use]
pub fn messages(bytes: &[u8]) -> (u64, u64) {
    let mut count = 0;
    let skipped = each(bytes, |_| count += 1);
    (count, skipped)
}

/// What came of the browser's messages.
#[derive(Debug, Default)]
pub struct Heard {
    /// Events.
    pub events: u64,
    /// Requests that were let through.
    pub passed: Vec<String>,
    /// Requests that were announced, and those that were answered one way or the other.
    pub announced: u64,
    /// The same, answered.
    pub answered: u64,
    /// To whom the proxy's password was given: the origins of those that asked.
    pub trusted: Vec<String>,
    /// Media that were seen.
    pub media: Vec<Url>,
    /// Refusals that were noted.
    pub refused: usize,
    /// Problems that were noted.
    pub problems: usize,
    /// The frames' documents, in bytes.
    pub documents: u64,
}

/// Returns the origin of the proxy, which alone is given the password.
#[must_use]
pub fn proxy_origin() -> String {
    format!("http://{}", AROUND.proxy.address())
}

/// Takes messages as a page's rendering does: events are dealt with, answers are read as what a frame says of itself.
#[must_use]
pub fn hear(bytes: &[u8]) -> Heard {
    let around = &*AROUND;
    // The watch asks the runtime's clock.
    let _entered = around.runtime.enter();
    let Around { url, limits, client, proxy, policy, .. } = around;
    let mut watch = Watch::new(Task { url, limits, client, proxy, policy });
    "own".clone_into(&mut watch.own_target);
    "own".clone_into(&mut watch.main_frame);
    let (mut heard, mut harvest) = (Heard::default(), Harvest::default());
    each(bytes, |message| match message {
        Message::Answer { result: Ok(said), .. } => {
            heard.documents += harvest.take(&mut watch, harvest.final_url.is_none(), said);
        }
        Message::Answer { .. } => {}
        Message::Event { session, method, params } => {
            heard.events += 1;
            heard.announced += u64::from(method == "Fetch.requestPaused");
            for order in watch.event(&session, &method, &params) {
                heard.note(order.method, &order.params, &params);
            }
        }
    });
    heard.media = watch.seen.media.iter().map(|(url, _)| url.clone()).collect();
    (heard.refused, heard.problems) = (watch.seen.refused.len(), watch.problems.len());
    // Whatever they say must be safe to ask.
    let _ = (watch.verdict(), watch.is_idle(), watch.frames(), watch.refusal_of(url));
    heard
}

impl Heard {
    fn note(&mut self, order: &str, said: &Value, event: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match order {
            "Fetch.continueRequest" => {
                self.answered += 1;
                self.passed.push(text(&event["request"]["url"]));
            }
            "Fetch.failRequest" => self.answered += 1,
            "Fetch.continueWithAuth" if said["authChallengeResponse"]["response"] == "ProvideCredentials" => {
                self.trusted.push(text(&event["authChallenge"]["origin"]));
            }
            _ => {}
        }
    }
}
