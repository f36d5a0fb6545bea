//! Walks the operation log for each webhook, and delivers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::keep::Standings;
use super::message::{Message, event_told, of_entry};
use super::{Error, Standing, Webhook};
use crate::cases::Case;
use crate::evidence::log::{self, LogEntry};
use crate::store::Store;
use crate::web::app::App;

/// How often is asked what is to be delivered, where nothing else happens.
const TICK: Duration = Duration::from_secs(1);
/// Entries that are read in one go.
const ENTRIES_MAX: usize = 500;
/// For how long a webhook rests when what it needs of the store cannot be read or written.
const REST: Duration = Duration::from_secs(30);
/// For how long deliveries under way are waited for at the end; those that are cut off are made again at the next start.
const GRACE: Duration = Duration::from_secs(2);

/// Delivers events to webhooks. Its thread ends when `stop` is cancelled.
pub struct Dispatcher {
    app: Arc<App>,
    runtime: Handle,
    stop: CancellationToken,
}

/// What a webhook's next step is.
enum Next {
    /// Entry `number` is to be delivered.
    Deliver(u64, Message),
    /// Up to here nothing concerns it.
    Pass(u64),
}

impl Dispatcher {
    /// Makes one that delivers from the store of `app`.
    #[must_use]
    pub fn new(app: &Arc<App>, runtime: Handle, stop: CancellationToken) -> Self {
        Self { app: Arc::clone(app), runtime, stop }
    }

    /// Delivers until the end. Blocks: for a thread of its own.
    pub fn run(&self) {
        self.runtime.block_on(self.deliver());
    }

    /// Each webhook has one delivery under way at most, and none waits for another's: there are few of them.
    async fn deliver(&self) {
        let mut under_way = FuturesUnordered::new();
        let mut busy: BTreeSet<String> = BTreeSet::new();
        while !self.stop.is_cancelled() {
            match self.due(&busy) {
                Ok(due) => {
                    for (webhook, standing) in due {
                        busy.insert(webhook.webhook_id.clone());
                        under_way.push(self.step(webhook, standing));
                    }
                }
                Err(error) => tracing::error!("webhooks cannot be read: {error}"),
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                Some(webhook_id) = under_way.next() => {
                    busy.remove(&webhook_id);
                }
                () = tokio::time::sleep(TICK) => {}
            }
        }
        let rest = async { while under_way.next().await.is_some() {} };
        let _ = tokio::time::timeout(GRACE, rest).await;
    }

    /// The webhooks that have something to do now.
    fn due(&self, busy: &BTreeSet<String>) -> Result<Standings, Error> {
        let now = self.app.now();
        let (mut all, head) = self.app.hooks.list(self.app.store())?;
        all.retain(|(webhook, standing)| {
            webhook.paused.is_none() && !busy.contains(&webhook.webhook_id) && standing.is_due(head, now)
        });
        Ok(all)
    }

    /// One step of one webhook; gives which.
    async fn step(&self, webhook: Webhook, standing: Standing) -> String {
        if let Err(error) = self.try_step(&webhook, &standing).await {
            tracing::error!("webhook {}: {error}", webhook.webhook_id);
            tokio::select! { () = self.stop.cancelled() => {}, () = tokio::time::sleep(REST) => {} }
        }
        webhook.webhook_id
    }

    async fn try_step(&self, webhook: &Webhook, standing: &Standing) -> Result<(), Error> {
        let store = self.app.store();
        let (number, message) = match next(store, webhook, standing)? {
            Next::Pass(number) => return self.app.hooks.pass(store, webhook, number),
            Next::Deliver(number, message) => (number, message),
        };
        let settings = self.app.settings();
        let sent = self.app.hooks.sender.send(&settings, webhook, message, self.app.now()).await;
        self.app.metrics.webhook_tried(sent.outcome.is_taken());
        let paused = self.app.hooks.note(store, webhook, (number, &sent), self.app.now())?;
        if !sent.outcome.is_taken() {
            tracing::warn!(
                "webhook {}: entry {number} was not taken: {}",
                webhook.webhook_id,
                sent.outcome.text()
            );
        }
        if let Some(why) = paused {
            tracing::error!("webhook {} is paused: {}", webhook.webhook_id, why.as_str());
        }
        Ok(())
    }
}

/// Reads on in the log from where the webhook stands.
fn next(store: &Store, webhook: &Webhook, standing: &Standing) -> Result<Next, Error> {
    let mut passed = standing.number;
    for entry in log::entries_after(store, standing.number, ENTRIES_MAX)? {
        if let Some(message) = message_of(store, webhook, &entry)? {
            return Ok(Next::Deliver(entry.number, message));
        }
        passed = entry.number;
    }
    Ok(Next::Pass(passed))
}

/// What is sent of an entry; none where it does not concern the webhook.
fn message_of(store: &Store, webhook: &Webhook, entry: &LogEntry) -> Result<Option<Message>, Error> {
    let Some(event) = event_told(entry).filter(|event| webhook.wants(*event)) else { return Ok(None) };
    let case = store.get::<Case>(&entry.subject)?;
    if case.is_none() {
        tracing::warn!("entry {} of the log is about {}, which is not there", entry.number, entry.subject);
    }
    Ok(case.map(|case| of_entry(&webhook.webhook_id, entry, event, &case)))
}
