//! One message on its way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use url::Url;

use super::keep::enter_test;
use super::message::{Message, ping};
use super::webhook::origin_of;
use super::{Error, Hooks, Outcome, Sent, Webhook};
use crate::base::{Timestamp, lock};
use crate::config::{FetchSettings, Settings};
use crate::net::{self, Client, Kind, Request, Upload, shown};
use crate::store::Store;

/// For how long a try may take, from the name's look-up to the answer's head, a second try of a broken connection within.
const TRY_MOST: Duration = Duration::from_secs(15);
/// For how long, and up to how many bytes, the rest of an answer is read: only so that the connection can be used again.
const REST_MOST: Duration = Duration::from_secs(1);
const REST_BYTES: usize = 4 << 10;
/// The longest reason of a failure that is kept, in characters.
const REASON_CHARS_MAX: usize = 300;

/// Sends messages, by a client that is made once for each state of the settings.
#[derive(Default)]
pub(super) struct Sender {
    made: Mutex<Option<(Arc<Settings>, Client)>>,
}

impl Sender {
    fn client(&self, settings: &Arc<Settings>) -> Result<Client, net::Error> {
        let mut made = lock(&self.made);
        if let Some((of, client)) = &*made
            && Arc::ptr_eq(of, settings)
        {
            return Ok(client.clone());
        }
        // What the crawler calls itself is for sites.
        let own = FetchSettings::default().user_agent;
        let client = Client::new(&FetchSettings { user_agent: own, ..settings.fetch.clone() })?;
        *made = Some((Arc::clone(settings), client.clone()));
        Ok(client)
    }

    /// Sends a message to the webhook's receiver, once.
    pub(super) async fn send(
        &self,
        settings: &Arc<Settings>,
        webhook: &Webhook,
        message: Message,
        now: Timestamp,
    ) -> Sent {
        let Ok(url) = Url::parse(&webhook.url) else {
            return Outcome::Failed("the address is damaged; give it again".to_owned()).into();
        };
        let Some(signature) = webhook.sign(&message.id, now, &message.body) else {
            return Outcome::Failed("the secret is damaged; make a new one".to_owned()).into();
        };
        let headers = vec![
            ("webhook-id", message.id),
            ("webhook-timestamp", now.as_second().to_string()),
            ("webhook-signature", signature),
        ];
        let upload = Upload { content_type: "application/json", body: message.body, headers };
        let mut request = Request::new(url.clone(), Kind::Receipt);
        request.upload = Some(upload.into());
        let sent = async { answer(&self.client(settings)?, request, now).await };
        match tokio::time::timeout(TRY_MOST + REST_MOST, sent).await {
            Ok(Ok(sent)) => sent,
            Ok(Err(error)) => Outcome::Failed(reason(&error, &url)).into(),
            Err(_) => Outcome::Failed(no_answer()).into(),
        }
    }
}

fn no_answer() -> String {
    format!("no answer within {} s", TRY_MOST.as_secs())
}

/// What a request is answered. A redirect is an answer like any other: whoever is named there was named by nobody here.
async fn answer(client: &Client, request: Request, now: Timestamp) -> Result<Sent, net::Error> {
    let url = shown(&request.url);
    let opened = tokio::time::timeout(TRY_MOST, client.open(request)).await.unwrap_or_else(|_| {
        let seconds = TRY_MOST.as_secs();
        Err(net::Error::Timeout { url, deadline: net::Deadline::Total, seconds })
    })?;
    let outcome = Outcome::Answered(opened.status);
    let asked = opened.headers.get("retry-after").and_then(|text| text.to_str().ok());
    let retry_after = asked.and_then(|text| net::retry_after(text, now));
    let _ = tokio::time::timeout(REST_MOST, opened.body.collect_first(REST_BYTES)).await;
    Ok(Sent { outcome, retry_after })
}

/// What went wrong, without the path of the address, which may be secret.
fn reason(error: &net::Error, url: &Url) -> String {
    let said = error.to_string().replace(&shown(url), &origin_of(url.as_str()));
    crate::base::inert(&said.chars().take(REASON_CHARS_MAX).collect::<String>())
}

impl Hooks {
    /// Sends a test to a webhook's receiver, paused or not, and waits for what comes of it. Nothing else is changed by it. Blocks,
    /// in a thread that a runtime gives to blocking work.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is none; [`Error`] when the store fails.
    pub(in crate::web) fn test(
        &self,
        store: &Store,
        settings: &Arc<Settings>,
        webhook_id: &str,
        (by, now): (&str, Timestamp),
    ) -> Result<Outcome, Error> {
        let (webhook, _) = Self::get(store, webhook_id)?;
        let message = ping(webhook_id, now);
        let runtime = tokio::runtime::Handle::current();
        let Sent { outcome, .. } = runtime.block_on(self.sender.send(settings, &webhook, message, now));
        enter_test(store, &webhook, (by, now), &outcome)?;
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reasons_hold_no_path_and_have_an_end() {
        let url = Url::parse("https://hooks.example/services/T0/secret?key=hidden").unwrap();
        let error =
            net::Error::Connect { url: shown(&url), reason: format!("refused\u{202E}{}", "x".repeat(999)) };
        let told = reason(&error, &url);
        assert!(told.starts_with("https://hooks.example: cannot connect (refused⟨U+202E⟩x"), "{told}");
        assert!(!told.contains("secret") && told.chars().count() < 400);
    }
}
