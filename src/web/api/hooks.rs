//! Webhooks by the API.

use std::sync::Arc;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::{Endpoint, Param, schema_of};
use super::people::List;
use crate::base::Timestamp;
use crate::evidence::log;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::fault::Fault;
use crate::web::hooks::{Change, NewWebhook, OVERLAP_H, Outcome, Paused, Standing, Tried, Webhook};
use crate::web::reply::Reply;

pub(super) const LIST: Endpoint =
    Endpoint::new("webhooks", "List webhooks, and how each stands", 200, schema_of::<List<WebhookShown>>);
pub(super) const CREATE: Endpoint =
    Endpoint::new("webhooks", "Make a webhook; its secret is told this once", 201, schema_of::<WebhookMade>)
        .with_body(schema_of::<WebhookWanted>);
pub(super) const CHANGE: Endpoint =
    Endpoint::new("webhooks", "Change, pause or resume a webhook", 200, schema_of::<WebhookShown>)
        .with_body(schema_of::<WebhookChange>);
pub(super) const REMOVE: Endpoint =
    Endpoint::new("webhooks", "Remove a webhook; answers it as it was", 200, schema_of::<WebhookShown>);
pub(super) const TEST: Endpoint =
    Endpoint::new("webhooks", "Send a `ping` now, and tell the answer", 200, schema_of::<TestAnswer>);
pub(super) const RENEW: Endpoint = Endpoint::new(
    "webhooks",
    "Make a new secret, told this once; for a while the old one signs too",
    200,
    schema_of::<WebhookMade>,
)
.with_query(&[Param {
    name: "overlap_h",
    about: "For how many hours messages are signed with the old secret too, 0 to 72; 24 where nothing is said",
    kind: "integer",
}]);

/// A webhook that is to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookWanted {
    /// Where to: https, or http to a place of the own network that `[fetch]` allows.
    url: String,
    /// Of which events of cases, such as `approved`; of all where there are none.
    #[serde(default)]
    events: Vec<String>,
}

/// What is to be changed of a webhook.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookChange {
    /// Another address.
    #[serde(default)]
    url: Option<String>,
    /// Other events; an empty list for all.
    #[serde(default)]
    events: Option<Vec<String>>,
    /// Whether nothing is to be sent; false has it go on from where it was.
    #[serde(default)]
    is_paused: Option<bool>,
}

/// A webhook, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct WebhookShown {
    /// Its identifier.
    webhook_id: String,
    /// Where messages are sent.
    url: String,
    /// Of which events; of all where there are none.
    events: Vec<&'static str>,
    /// Whether nothing is sent.
    is_paused: bool,
    /// Why, since when and by whom, where that is so.
    paused: Option<PausedShown>,
    /// Who made it.
    created_by: String,
    /// When it was made.
    #[schemars(with = "String")]
    created_at: Timestamp,
    /// Until when messages are signed with the secret before this one too, where that is so.
    #[schemars(with = "Option<String>")]
    former_secret_until: Option<Timestamp>,
    /// How it stands.
    standing: StandingShown,
}

/// That nothing is sent.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PausedShown {
    /// Since when.
    #[schemars(with = "String")]
    at: Timestamp,
    /// A person's name, or `earwitness`.
    by: String,
    /// Why, where it was no person.
    why: Option<&'static str>,
}

/// How a webhook stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct StandingShown {
    /// The last entry of the operation log that was delivered or passed over.
    number: u64,
    /// How many entries are behind that.
    waiting: u64,
    /// Failures in a row.
    failures: u32,
    /// Before when nothing is tried.
    #[schemars(with = "Option<String>")]
    next_try: Option<Timestamp>,
    /// When the last try was over.
    #[schemars(with = "Option<String>")]
    tried_at: Option<Timestamp>,
    /// The status that it was answered with.
    status: Option<u16>,
    /// Why there was no answer.
    error: Option<String>,
}

/// A webhook with its secret.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct WebhookMade {
    /// What signatures are verified with; it is not told again.
    secret: String,
    /// The webhook.
    webhook: WebhookShown,
}

/// What came of a test.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TestAnswer {
    /// Whether the receiver took it.
    is_taken: bool,
    /// The status that it was answered with.
    status: Option<u16>,
    /// Why there was no answer.
    error: Option<String>,
}

impl WebhookShown {
    fn of((webhook, standing): (Webhook, Standing), head: u64, now: Timestamp) -> Self {
        let former_secret_until = webhook.former_until(now);
        let Webhook { webhook_id, url, events, paused, created_at, created_by, secret: _, former: _ } =
            webhook;
        Self {
            webhook_id,
            url,
            events: events.into_iter().map(crate::cases::Event::as_str).collect(),
            is_paused: paused.is_some(),
            paused: paused.map(PausedShown::from),
            created_by,
            created_at,
            former_secret_until,
            standing: StandingShown::of(standing, head),
        }
    }
}

impl From<Paused> for PausedShown {
    fn from(Paused { at, by, why }: Paused) -> Self {
        Self { at, by, why: why.map(crate::web::hooks::Why::as_str) }
    }
}

impl StandingShown {
    fn of(standing: Standing, head: u64) -> Self {
        let Standing { number, failures, next_try, last, .. } = standing;
        let waiting = head.saturating_sub(number);
        let (tried_at, outcome) = last.map(|Tried { at, outcome }| (at, outcome)).unzip();
        let status = outcome.as_ref().and_then(Outcome::status);
        Self { number, waiting, failures, next_try, tried_at, status, error: outcome.and_then(error_of) }
    }
}

fn error_of(outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::Answered(_) => None,
        Outcome::Failed(why) => Some(why),
    }
}

fn shown(app: &App, webhook: (Webhook, Standing)) -> Result<WebhookShown, Fault> {
    Ok(WebhookShown::of(webhook, log::head(app.store())?.number, app.now()))
}

fn made(app: &App, status: StatusCode, webhook: (Webhook, Standing)) -> Result<Reply, Fault> {
    let secret = webhook.0.secret.text().to_owned();
    Reply::json(status, &WebhookMade { secret, webhook: shown(app, webhook)? })
}

pub(super) fn list(app: &Arc<App>, _: &Ask) -> Result<Reply, Fault> {
    let (all, head) = app.hooks.list(app.store())?;
    let items: Vec<WebhookShown> =
        all.into_iter().map(|one| WebhookShown::of(one, head, app.now())).collect();
    Reply::json(StatusCode::OK, &List { items })
}

pub(super) fn create(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let WebhookWanted { url, events } = ask.json()?;
    let by = (ask.visitor()?.name.as_str(), ask.now);
    let new = NewWebhook { url, events };
    let webhook = app.hooks.create(app.store(), &app.settings().fetch, &new, by)?;
    made(app, StatusCode::CREATED, webhook)
}

pub(super) fn change(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let WebhookChange { url, events, is_paused } = ask.json()?;
    let by = (ask.visitor()?.name.as_str(), ask.now);
    let change = Change { url, events, is_paused };
    let id = ask.param("webhook_id");
    let webhook = app.hooks.change(app.store(), &app.settings().fetch, id, &change, by)?;
    Reply::json(StatusCode::OK, &shown(app, webhook)?)
}

pub(super) fn remove(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let by = (ask.visitor()?.name.as_str(), ask.now);
    let webhook = app.hooks.remove(app.store(), ask.param("webhook_id"), by)?;
    Reply::json(StatusCode::OK, &shown(app, webhook)?)
}

pub(super) fn test(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let by = (ask.visitor()?.name.as_str(), ask.now);
    let outcome = app.hooks.test(app.store(), &app.settings(), ask.param("webhook_id"), by)?;
    let (is_taken, status) = (outcome.is_taken(), outcome.status());
    Reply::json(StatusCode::OK, &TestAnswer { is_taken, status, error: error_of(outcome) })
}

pub(super) fn renew(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let by = (ask.visitor()?.name.as_str(), ask.now);
    let overlap_h = ask.query("overlap_h").map_or(Ok(OVERLAP_H), str::parse);
    let overlap_h = overlap_h.map_err(|_| Fault::bad_request("overlap_h: a number of hours, 0 to 72"))?;
    let webhook = app.hooks.renew(app.store(), ask.param("webhook_id"), overlap_h, by)?;
    made(app, StatusCode::OK, webhook)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::web::hooks::Hooks;

    #[test]
    fn nothing_that_is_shown_holds_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::Store::open(folder.path()).unwrap();
        let new = NewWebhook { url: "https://a.example/".to_owned(), events: Vec::new() };
        let fetch = crate::config::FetchSettings::default();
        let by = ("mika", Timestamp::UNIX_EPOCH);
        let made = Hooks::default().create(&store, &fetch, &new, by).unwrap();
        let secret = made.0.secret.text().to_owned();
        let shown = serde_json::to_string(&WebhookShown::of(made, 9, by.1)).unwrap();
        assert!(shown.contains("https://a.example/") && !shown.contains(&secret), "{shown}");
    }
}
