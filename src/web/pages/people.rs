//! Accounts and tokens, for those who look after them, and each for their own.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;

use super::filters;
use super::shell::Shell;
use crate::base::Timestamp;
use crate::web::access::{self, Account, AccountChange, NewToken, Role, Token};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::fault::Fault;
use crate::web::reply::Reply;
use crate::web::words::PeopleWords;

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage<'a> {
    shell: Shell<'a>,
    w: &'static PeopleWords,
    name: &'a str,
    role: Role,
    /// All accounts, for an admin.
    accounts: Vec<Account>,
    tokens: Vec<Token>,
    /// The text of a token that was just made.
    made: Option<String>,
    trouble: Option<String>,
}

impl PeoplePage<'_> {
    fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// The roles that a token of this visitor may have.
    fn own_roles(&self) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| *role <= self.role).collect()
    }

    fn all_roles(&self) -> [Role; 4] {
        Role::ALL
    }
}

pub(super) fn page(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    show(app, ask, StatusCode::OK, None, None)
}

fn show(
    app: &Arc<App>,
    ask: &Ask,
    status: StatusCode,
    made: Option<String>,
    trouble: Option<String>,
) -> Result<Reply, Fault> {
    let visitor = ask.visitor()?;
    let is_admin = visitor.role == Role::Admin;
    let page = PeoplePage {
        shell: Shell::of(app, ask, "/accounts"),
        w: PeopleWords::of(ask.lang),
        name: &visitor.name,
        role: visitor.role,
        accounts: if is_admin { access::accounts(app.store())? } else { Vec::new() },
        tokens: access::tokens(app.store(), visitor)?,
        made,
        trouble,
    };
    Reply::page_with(status, &page)
}

/// Shows the page again with what went wrong, where a person can mend it.
fn or_trouble<T>(
    app: &Arc<App>,
    ask: &Ask,
    tried: Result<T, access::Error>,
    done: impl FnOnce(T) -> Result<Reply, Fault>,
) -> Result<Reply, Fault> {
    match tried {
        Ok(value) => done(value),
        Err(error) => {
            let fault = Fault::from(error);
            if fault.status.is_server_error() {
                return Err(fault);
            }
            show(app, ask, fault.status, None, Some(fault.detail))
        }
    }
}

pub(super) fn create(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    let role = form.get("role").unwrap_or_default().parse().map_err(Fault::bad_request)?;
    let made = (form.get("name").unwrap_or_default(), role, form.raw("password"));
    let tried = access::create(app.store(), made, &ask.visitor()?.name, ask.now);
    or_trouble(app, ask, tried, |_| Ok(Reply::see_other("/accounts")))
}

pub(super) fn change(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    let change = AccountChange {
        role: form.get("role").map(str::parse).transpose().map_err(Fault::bad_request)?,
        password: Some(form.raw("password").to_owned()).filter(|password| !password.is_empty()),
        is_disabled: form.get("is_disabled").map(|text| text == "yes"),
    };
    let name = form.get("name").unwrap_or_default();
    let tried = access::change(app.store(), name, &change, &ask.visitor()?.name, ask.now);
    or_trouble(app, ask, tried, |_| Ok(Reply::see_other("/accounts")))
}

/// Everybody changes their own password, and shows the old one for it; the session ends with it.
pub(super) fn change_own(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let (form, visitor) = (ask.form()?, ask.visitor()?);
    if visitor.token_id.is_some() {
        return Err(access::Error::ByToken.into());
    }
    let who = (visitor.name.as_str(), form.raw("old"), None);
    let change =
        AccountChange { password: Some(form.raw("password").to_owned()), ..AccountChange::default() };
    let tried = access::sign_in(app.store(), &app.throttle, who, ask.client, ask.now)
        .and_then(|_| access::change(app.store(), &visitor.name, &change, &visitor.name, ask.now));
    or_trouble(app, ask, tried, |_| Ok(Reply::see_other("/sign-in")))
}

pub(super) fn create_token(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    let expires_at: Option<Timestamp> = form
        .get("expires_at")
        .map(|day| format!("{day}T00:00:00Z").parse())
        .transpose()
        .map_err(|_| Fault::bad_request("expires_at: a date"))?;
    let role = form.get("role").unwrap_or_default().parse().map_err(Fault::bad_request)?;
    let new = NewToken { name: form.get("name").unwrap_or_default().to_owned(), role, expires_at };
    let tried = access::create_token(app.store(), &new, ask.visitor()?, ask.now);
    or_trouble(app, ask, tried, |(text, _)| show(app, ask, StatusCode::CREATED, Some(text), None))
}

pub(super) fn revoke_token(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    let token_id = form.get("token_id").unwrap_or_default();
    let tried = access::revoke_token(app.store(), token_id, ask.visitor()?, ask.now);
    or_trouble(app, ask, tried, |_| Ok(Reply::see_other("/accounts")))
}
