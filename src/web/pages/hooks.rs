//! Webhooks: which there are, how each stands, and what an admin does with them.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;

use super::filters;
use super::shell::Shell;
use crate::base::Timestamp;
use crate::cases::Event;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::fault::Fault;
use crate::web::hooks::{Change, Error, NewWebhook, OVERLAP_H, Outcome, Paused, Standing, Webhook, Why};
use crate::web::reply::Reply;
use crate::web::words::HookWords;

#[derive(Template)]
#[template(path = "hooks.html")]
struct HooksPage<'a> {
    shell: Shell<'a>,
    w: &'static HookWords,
    webhooks: Vec<(Webhook, Standing)>,
    /// The number of the operation log's last entry.
    head: u64,
    now: Timestamp,
    said: Said,
}

/// What is told above the list.
#[derive(Default)]
struct Said {
    /// A secret that was just made.
    secret: Option<String>,
    /// What came of a test.
    tested: Option<Outcome>,
    trouble: Option<String>,
}

impl HooksPage<'_> {
    fn all_events(&self) -> &'static [Event] {
        &Event::ALL
    }

    fn events_of(&self, webhook: &Webhook) -> String {
        if webhook.events.is_empty() {
            return self.w.all.to_owned();
        }
        webhook.events.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// How many entries of the log a webhook has before it.
    fn waiting(&self, standing: &Standing) -> u64 {
        self.head.saturating_sub(standing.number)
    }

    fn why(&self, paused: &Paused) -> &'static str {
        match paused.why {
            None => "",
            Some(Why::Gone) => self.w.gone,
            Some(Why::Untaken) => self.w.untaken,
        }
    }
}

fn show(app: &Arc<App>, ask: &Ask, status: StatusCode, said: Said) -> Result<Reply, Fault> {
    let (webhooks, head) = app.hooks.list(app.store())?;
    let (shell, w) = (Shell::of(app, ask, "/webhooks"), HookWords::of(ask.lang));
    Reply::page_with(status, &HooksPage { shell, w, webhooks, head, now: ask.now, said })
}

pub(super) fn page(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    show(app, ask, StatusCode::OK, Said::default())
}

/// Shows the page again with what went wrong, where a person can mend it.
fn or_trouble<T>(
    app: &Arc<App>,
    ask: &Ask,
    tried: Result<T, Error>,
    done: impl FnOnce(T) -> Result<Reply, Fault>,
) -> Result<Reply, Fault> {
    let fault = match tried {
        Ok(value) => return done(value),
        Err(error) => Fault::from(error),
    };
    if fault.status.is_server_error() {
        return Err(fault);
    }
    show(app, ask, fault.status, Said { trouble: Some(fault.detail), ..Said::default() })
}

/// Shows the secret of a webhook, once.
fn show_secret(app: &Arc<App>, ask: &Ask, status: StatusCode, webhook: &Webhook) -> Result<Reply, Fault> {
    let secret = Some(webhook.secret.text().to_owned());
    show(app, ask, status, Said { secret, ..Said::default() })
}

pub(super) fn create(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    let events = form.all("event").map(str::to_owned).collect();
    let new = NewWebhook { url: form.get("url").unwrap_or_default().to_owned(), events };
    let by = (ask.visitor()?.name.as_str(), ask.now);
    let tried = app.hooks.create(app.store(), &app.settings().fetch, &new, by);
    or_trouble(app, ask, tried, |(webhook, _)| show_secret(app, ask, StatusCode::CREATED, &webhook))
}

/// What a person does with a webhook.
pub(super) fn act(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    let (store, settings) = (app.store(), app.settings());
    let by = (ask.visitor()?.name.as_str(), ask.now);
    let id = form.get("webhook_id").unwrap_or_default();
    let back = |_| Ok(Reply::see_other("/webhooks"));
    match form.get("what").unwrap_or_default() {
        what @ ("pause" | "resume") => {
            let change = Change { is_paused: Some(what == "pause"), ..Change::default() };
            or_trouble(app, ask, app.hooks.change(store, &settings.fetch, id, &change, by), back)
        }
        "remove" => or_trouble(app, ask, app.hooks.remove(store, id, by), back),
        what @ ("secret" | "secret_at_once") => {
            let overlap_h = if what == "secret" { OVERLAP_H } else { 0 };
            or_trouble(app, ask, app.hooks.renew(store, id, overlap_h, by), |(webhook, _)| {
                show_secret(app, ask, StatusCode::OK, &webhook)
            })
        }
        "test" => or_trouble(app, ask, app.hooks.test(store, &settings, id, by), |outcome| {
            show(app, ask, StatusCode::OK, Said { tested: Some(outcome), ..Said::default() })
        }),
        _ => Err(Fault::bad_request("what: pause, resume, test, secret, secret_at_once or remove")),
    }
}
