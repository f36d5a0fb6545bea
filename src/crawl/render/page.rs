//! One page in the browser: loaded, left to settle, played, written down.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::devtools::Message;
use super::events::Watch;
use super::process::BrowserLink;
use super::{Error, Frame, RenderLimits};
use crate::net::{Client, GuardedProxy, Policy, shown};

/// Without a request for so long, a page has come to rest.
const QUIET: Duration = Duration::from_millis(700);
/// Time that a page has to come to rest; some never do. A third of the whole at most.
const SETTLE_TIME_MAX: Duration = Duration::from_secs(15);
/// Time for a page to react to play. A sixth of the whole at most.
const PLAY_TIME_MAX: Duration = Duration::from_secs(6);
/// Time for the browser to answer a command. A sixth of the whole at most.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(8);
/// Time for a download to be told, after the page that began it was given up.
const DOWNLOAD_TIME_MAX: Duration = Duration::from_secs(2);
/// Frames of a page that are played and written down.
const FRAMES_MAX: usize = 16;
/// The window, and so the picture: what fits most screens.
const WINDOW_PIXELS: (u32, u32) = (1280, 1024);
/// Bytes of a picture. A window full of noise makes 5 MB.
const SCREENSHOT_BYTES_MAX: usize = 8 << 20;

const PREPARE: &str = include_str!("prepare.js");
const PLAY: &str = include_str!("play.js");
const HARVEST: &str = include_str!("harvest.js");

/// What one page is rendered with.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) url: &'a Url,
    pub(super) limits: &'a RenderLimits,
    pub(super) client: &'a Client,
    pub(super) proxy: &'a GuardedProxy,
    pub(super) policy: &'a Policy,
}

/// What a page came to.
#[derive(Debug, Default)]
pub(super) struct Harvest {
    pub(super) final_url: Option<Url>,
    pub(super) title: String,
    pub(super) html: String,
    pub(super) frames: Vec<Frame>,
    pub(super) screenshot_png: Vec<u8>,
}

impl Harvest {
    /// Takes what the script of ours says of one frame; returns the document's bytes.
    pub(super) fn take(&mut self, watch: &mut Watch<'_>, is_main: bool, said: Value) -> u64 {
        let Value::Object(mut said) = said else { return 0 };
        let Some(Value::String(html)) = said.remove("html") else { return 0 };
        if said.get("cut").and_then(Value::as_bool) == Some(true) {
            watch.problem(
                "the document is longer than render.document_bytes_max; the rest was left out".to_owned(),
            );
        }
        let bytes = html.len() as u64;
        let text = |key: &str| said.get(key).and_then(Value::as_str).unwrap_or_default();
        for source in said.get("media").and_then(Value::as_array).into_iter().flatten() {
            watch.seen.take(source.as_str().unwrap_or_default(), None, "Media");
        }
        let url = Url::parse(text("url")).ok();
        if is_main {
            self.final_url = url;
            text("title").clone_into(&mut self.title);
            self.html = html;
        } else if let Some(url) = url {
            self.frames.push(Frame { url, html });
        }
        bytes
    }
}

/// A page that is being rendered.
pub(super) struct Page<'a> {
    task: Task<'a>,
    link: BrowserLink,
    session: String,
    pub(super) watch: Watch<'a>,
    began: Instant,
    /// How long an answer may take.
    patience: Duration,
}

impl<'a> Page<'a> {
    pub(super) fn new(task: Task<'a>, link: BrowserLink) -> Self {
        let watch = Watch::new(task);
        // The browser has to start first, which takes its time on a busy machine.
        let patience = task.limits.time_max / 2;
        Self { task, link, session: String::new(), watch, began: Instant::now(), patience }
    }

    /// Renders the page; what was seen until then stays in [`Self::watch`] where it fails.
    pub(super) async fn render(&mut self) -> Result<Harvest, Error> {
        self.open().await?;
        self.patience = self.share(6, ANSWER_TIME_MAX);
        self.navigate().await?;
        self.settle(self.share(3, SETTLE_TIME_MAX)).await?;
        let mut harvest = Harvest::default();
        if self.play().await? {
            self.settle(self.share(6, PLAY_TIME_MAX)).await?;
        }
        self.harvest(&mut harvest).await?;
        if self.task.limits.screenshot {
            self.screenshot(&mut harvest).await?;
        }
        if self.link.skipped > 0 {
            self.watch
                .problem(format!("{} messages of the browser were too long to be read", self.link.skipped));
        }
        Ok(harvest)
    }

    fn share(&self, part: u32, most: Duration) -> Duration {
        most.min(self.task.limits.time_max / part)
    }

    /// Makes a tab with a profile of its own, and sets it up before it does anything.
    async fn open(&mut self) -> Result<(), Error> {
        let context = self.ask("Target.createBrowserContext", json!({ "disposeOnDetach": true })).await?;
        let context = context["browserContextId"].clone();
        let deny = json!({ "behavior": "deny", "browserContextId": context, "eventsEnabled": true });
        self.ask("Browser.setDownloadBehavior", deny).await?;
        let attach = json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true });
        let target = json!({ "url": "about:blank", "browserContextId": context });
        let target = self.ask("Target.createTarget", target).await?;
        let target = target["targetId"].as_str().unwrap_or_default().to_owned();
        self.watch.own_target.clone_from(&target);
        // The main frame goes by its tab's name, and is spoken of before navigation says so.
        self.watch.main_frame.clone_from(&target);
        let session =
            self.ask("Target.attachToTarget", json!({ "targetId": target, "flatten": true })).await?;
        session["sessionId"].as_str().unwrap_or_default().clone_into(&mut self.session);
        self.watch.session.clone_from(&self.session);
        // From now on every other tab and worker is stopped at its start, until it is told what becomes of it.
        let session = std::mem::take(&mut self.session);
        self.ask("Target.setAutoAttach", attach.clone()).await?;
        self.session = session;
        let (width, height) = WINDOW_PIXELS;
        let window = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        for (command, params) in [
            ("Page.enable", json!({})),
            ("Network.enable", json!({ "maxPostDataSize": 0 })),
            ("Fetch.enable", json!({ "handleAuthRequests": true })),
            ("Network.setBypassServiceWorker", json!({ "bypass": true })),
            ("Inspector.enable", json!({})),
            ("Emulation.setDeviceMetricsOverride", window),
            ("Page.addScriptToEvaluateOnNewDocument", json!({ "source": PREPARE })),
            ("Target.setAutoAttach", attach),
        ] {
            self.ask(command, params).await?;
        }
        Ok(())
    }

    async fn navigate(&mut self) -> Result<(), Error> {
        let url = self.task.url;
        let params = json!({ "url": url.as_str() });
        let until = self.began + self.task.limits.time_max;
        let answer = self.ask_until("Page.navigate", params, until).await?;
        if let Some(frame) = answer["frameId"].as_str() {
            frame.clone_into(&mut self.watch.main_frame);
        }
        let Some(reason) = answer["errorText"].as_str().filter(|text| !text.is_empty()) else {
            return self.watch.verdict();
        };
        if reason == "net::ERR_ABORTED" {
            // It is a download, mostly, which is told a moment later.
            self.settle(DOWNLOAD_TIME_MAX).await?;
        }
        // The proxy knows better than the browser why.
        self.watch.read_proxy_log();
        self.watch.verdict()?;
        if let Some(reason) = self.watch.refusal_of(url) {
            return Err(Error::Refused { url: shown(url), reason });
        }
        Err(Error::Load { url: shown(url), reason: reason.chars().take(200).collect() })
    }

    /// Waits until the page has come to rest, `most` at most.
    async fn settle(&mut self, most: Duration) -> Result<(), Error> {
        let ends = Instant::now() + most;
        self.watch.changed = Instant::now();
        loop {
            let rests_at = if self.watch.is_idle() { self.watch.changed + QUIET } else { ends };
            match timeout_at(rests_at.min(ends), self.link.next()).await {
                Err(_) => return Ok(()),
                Ok(message) => self.take(message).await.map(|_| ())?,
            }
            self.watch.verdict()?;
        }
    }

    /// Presses play in every frame; whether there was anything to press.
    async fn play(&mut self) -> Result<bool, Error> {
        let mut pressed = false;
        for frame in self.frames() {
            let done = self.run(&frame, PLAY).await?;
            pressed |= done["played"].as_u64().unwrap_or(0) + done["pressed"].as_u64().unwrap_or(0) > 0;
        }
        Ok(pressed)
    }

    /// Writes down every frame.
    async fn harvest(&mut self, harvest: &mut Harvest) -> Result<(), Error> {
        let mut left = self.task.limits.document_bytes_max;
        for (number, frame) in self.frames().into_iter().enumerate() {
            // Characters of the script are UTF-16 units, of which none becomes more than three bytes.
            let script = format!("{HARVEST}({})", left / 3);
            let done = self.run(&frame, &script).await?;
            left = left.saturating_sub(harvest.take(&mut self.watch, number == 0, done));
        }
        Ok(())
    }

    async fn screenshot(&mut self, harvest: &mut Harvest) -> Result<(), Error> {
        use base64::Engine as _;
        let params = json!({ "format": "png", "optimizeForSpeed": false });
        let picture = match self.ask("Page.captureScreenshot", params).await {
            Ok(picture) => picture,
            Err(error @ (Error::Protocol { .. } | Error::Hangs { .. })) => {
                self.watch.problem(format!("no picture was taken: {error}"));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let text = picture["data"].as_str().unwrap_or_default();
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default();
        if bytes.len() <= SCREENSHOT_BYTES_MAX {
            harvest.screenshot_png = bytes;
        } else {
            self.watch.problem(format!("the picture of {} bytes is too large to be kept", bytes.len()));
        }
        Ok(())
    }

    /// The frames of the page, the main one first.
    fn frames(&mut self) -> Vec<String> {
        let all = self.watch.frames();
        if all.len() > FRAMES_MAX {
            self.watch.problem(format!("of {} frames only the first {FRAMES_MAX} were looked at", all.len()));
        }
        all.into_iter().take(FRAMES_MAX).collect()
    }

    /// Runs a script of ours in a frame, apart from the page's scripts; null where the frame is gone. A script of the page
    /// that does not end is stopped.
    async fn run(&mut self, frame: &str, script: &str) -> Result<Value, Error> {
        let world = json!({ "frameId": frame, "worldName": "earwitness" });
        let world = match self.ask("Page.createIsolatedWorld", world).await {
            Err(Error::Hangs { .. }) => {
                self.stop_scripts().await?;
                return Box::pin(self.run_once(frame, script)).await;
            }
            Err(Error::Protocol { .. }) => return Ok(Value::Null),
            world => world?,
        };
        let context = world["executionContextId"].clone();
        let evaluate = json!({ "expression": script, "contextId": context, "returnByValue": true });
        match self.ask("Runtime.evaluate", evaluate).await {
            Err(Error::Hangs { .. }) => {
                self.stop_scripts().await?;
                self.run_once(frame, script).await
            }
            Err(Error::Protocol { .. }) => Ok(Value::Null),
            answer => Ok(answer?["result"]["value"].take()),
        }
    }

    async fn run_once(&mut self, frame: &str, script: &str) -> Result<Value, Error> {
        let world = json!({ "frameId": frame, "worldName": "earwitness" });
        let context = self.ask("Page.createIsolatedWorld", world).await?["executionContextId"].take();
        let evaluate = json!({ "expression": script, "contextId": context, "returnByValue": true });
        Ok(self.ask("Runtime.evaluate", evaluate).await?["result"]["value"].take())
    }

    async fn stop_scripts(&mut self) -> Result<(), Error> {
        self.watch.problem("a script of the page did not end and was stopped".to_owned());
        self.ask("Runtime.terminateExecution", json!({})).await.map(|_| ())
    }

    async fn ask(&mut self, command: &'static str, params: Value) -> Result<Value, Error> {
        self.ask_until(command, params, Instant::now() + self.patience).await
    }

    /// Sends a command and waits for its answer; what happens meanwhile is taken care of.
    async fn ask_until(
        &mut self,
        command: &'static str,
        params: Value,
        until: Instant,
    ) -> Result<Value, Error> {
        let session = self.session.clone();
        let sent = self.link.send(&session, command, &params).await;
        let id = sent.map_err(|error| self.lost(&error))?;
        loop {
            let Ok(message) = timeout_at(until, self.link.next()).await else {
                let seconds = self.patience.as_secs();
                return Err(Error::Hangs { url: shown(self.task.url), seconds });
            };
            if let Some((answered, result)) = self.take(message).await?
                && answered == id
            {
                let url = || shown(self.task.url);
                return result.map_err(|reason| Error::Protocol { url: url(), command, reason });
            }
            self.watch.verdict()?;
        }
    }

    /// Takes the next message: an answer is returned, an event dealt with.
    async fn take(
        &mut self,
        message: std::io::Result<Message>,
    ) -> Result<Option<(u64, Result<Value, String>)>, Error> {
        match message.map_err(|error| self.lost(&error))? {
            Message::Answer { id, result } => Ok(Some((id, result))),
            Message::Event { session, method, params } => {
                for order in self.watch.event(&session, &method, &params) {
                    let sent = self.link.send(&order.session, order.method, &order.params).await;
                    sent.map_err(|error| self.lost(&error))?;
                }
                Ok(None)
            }
        }
    }

    fn lost(&self, error: &std::io::Error) -> Error {
        Error::Crashed { url: shown(self.task.url), reason: format!("its pipe: {error}") }
    }
}
