//! In and out: signing in and out, the first account, the language.

use std::sync::Arc;

use askama::Template;
use axum::http::{StatusCode, header};

use super::shell::Shell;
use crate::web::access::{self, Role, has_accounts};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::fault::Fault;
use crate::web::guard::{with_cookie, without_cookie};
use crate::web::reply::Reply;
use crate::web::words::Lang;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    shell: Shell<'a>,
    name: &'a str,
    to: &'a str,
    trouble: Option<String>,
    is_first: bool,
}

/// The first page: the list of cases, the door, or the first account.
pub(super) fn home(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let to = if ask.visitor.is_some() {
        "/overview"
    } else if has_accounts(app.store())? {
        "/sign-in"
    } else {
        "/set-up"
    };
    Ok(Reply::see_other(to))
}

/// Where somebody signs in who wanted to see something.
pub(super) fn sign_in_address(ask: &Ask) -> String {
    let back = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("to", &super::shell::address_of(ask))
        .finish();
    format!("/sign-in?{back}")
}

/// A path of this desk, for going there; anything else is the list of cases.
pub(super) fn own_path(to: Option<&str>) -> &str {
    to.filter(|to| {
        to.starts_with('/')
            && !to.starts_with("//")
            && !to.contains('\\')
            && to.len() < 4000
            && !to.chars().any(char::is_control)
    })
    .unwrap_or("/cases")
}

pub(super) fn sign_in_page(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    if !has_accounts(app.store())? {
        return Ok(Reply::see_other("/set-up"));
    }
    let to = own_path(ask.query("to"));
    Reply::page(&SignInPage { shell: Shell::of(app, ask, ""), name: "", to, trouble: None, is_first: false })
}

pub(super) fn sign_in(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    let (name, to) = (form.get("name").unwrap_or_default(), own_path(form.get("to")));
    let old = ask.cookie(app.cookie_name());
    let tried =
        access::sign_in(app.store(), &app.throttle, (name, form.raw("password"), old), ask.client, ask.now);
    match tried {
        Ok((secret, _)) => Ok(with_cookie(app, Reply::see_other(to), &secret)),
        Err(error @ (access::Error::Wrong | access::Error::Wait { .. })) => {
            app.metrics.sign_in_failed();
            let fault = Fault::from(error);
            let shell = Shell::of(app, ask, "");
            let page = SignInPage { shell, name, to, trouble: Some(fault.detail.clone()), is_first: false };
            Reply::page_with(fault.status, &page)
        }
        Err(other) => Err(other.into()),
    }
}

pub(super) fn sign_out(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    if let Some(secret) = ask.cookie(app.cookie_name()) {
        access::sign_out(app.store(), secret)?;
    }
    Ok(without_cookie(app, Reply::see_other("/sign-in")))
}

pub(super) fn set_up_page(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let shell = Shell::of(app, ask, "");
    Reply::page(&SignInPage { shell, name: "", to: "/cases", trouble: None, is_first: true })
}

/// Makes the first account, and signs it in.
pub(super) fn set_up(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    let (name, password) = (form.get("name").unwrap_or_default(), form.raw("password"));
    match access::create(app.store(), (name, Role::Admin, password), "first run", ask.now) {
        Ok(account) => {
            let who = (account.name.as_str(), password, None);
            let (secret, _) = access::sign_in(app.store(), &app.throttle, who, ask.client, ask.now)?;
            Ok(with_cookie(app, Reply::see_other("/cases"), &secret))
        }
        Err(error @ (access::Error::Name { .. } | access::Error::Password { .. })) => {
            let shell = Shell::of(app, ask, "");
            let trouble = Some(error.to_string());
            let page = SignInPage { shell, name, to: "/cases", trouble, is_first: true };
            Reply::page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(other) => Err(other.into()),
    }
}

/// Remembers the language that somebody chose, and goes back.
pub(super) fn language(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let lang = ask.query("to").and_then(Lang::of_code);
    let lang = lang.ok_or_else(|| Fault::bad_request("to: en, zh or ja"))?;
    let secure = if app.is_secure { "; Secure" } else { "" };
    let cookie = format!("lang={}; Path=/; SameSite=Lax; Max-Age=31536000{secure}", lang.code());
    Ok(Reply::see_other(own_path(ask.query("back"))).with_text(header::SET_COOKIE, &cookie))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for bad in ["//evil.example", "https://evil.example", "/\\evil.example", "", "evil", "/a\nb"] {
            assert_eq!(own_path(Some(bad)), "/cases", "{bad:?}");
        }
        assert_eq!(own_path(Some("/cases/C-1?x=//y")), "/cases/C-1?x=//y");
    }
}
