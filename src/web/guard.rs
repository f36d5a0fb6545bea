//! Before any handler: is the request one too many, is it for us, who asks, may they, and did they mean to? All but the last is
//! told by the request's head; before something is written, who asks and what they may is asked again, since a body may take long.

use axum::http::{HeaderName, Method, header};

use super::access::{self, Access, has_accounts};
use super::app::{App, without_port};
use super::ask::Ask;
use super::fault::Fault;
use super::forwarded;
use super::permits::Effort;
use super::reply::Reply;
use super::words::Lang;

/// The header in which scripts of our pages send the session's form token.
const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// Where browsers say from which site a request comes.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where browsers say what an answer is for.
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Checks a request's head against what its route asks, and fills in who asks, from where and in which language.
pub(super) fn admit(app: &App, ask: &mut Ask, access: Access) -> Result<(), Fault> {
    ask.lang = language(app, ask);
    let settings = app.settings();
    ask.client = forwarded::client(ask.peer, &ask.headers, &settings.serve.trusted_proxies);
    access::knock(&app.throttle, ask.client, settings.serve.requests_a_second, ask.now)
        .map_err(Fault::wait)?;
    check_host(app, ask)?;
    ask.visitor = match Credentials::of(app, ask) {
        // A token that is wrong must not fall back to the cookie: the program would act as somebody else.
        Credentials::Token(token) => {
            Some(access::by_token(app.store(), &token, ask.now)?.ok_or_else(Fault::sign_in)?)
        }
        Credentials::Cookie(secret) => access::by_cookie(app.store(), &secret, ask.now)?,
        Credentials::None => None,
    };
    check_rights(app, ask, access)?;
    check_origin(app, ask)
}

/// Whether who was let in for a write may still do it, now that its body has come.
pub(super) fn confirm(app: &App, ask: &mut Ask, access: Access) -> Result<(), Fault> {
    if matches!(ask.method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    ask.now = app.now();
    if let Some(before) = ask.visitor.take() {
        ask.visitor = match (Credentials::of(app, ask), &before.csrf) {
            (Credentials::Token(token), _) => access::by_token(app.store(), &token, ask.now)?,
            (Credentials::Cookie(secret), Some(csrf)) => {
                access::by_session(app.store(), &secret, csrf, ask.now)?
            }
            _ => None,
        };
    }
    check_rights(app, ask, access)
}

/// May they?
fn check_rights(app: &App, ask: &Ask, access: Access) -> Result<(), Fault> {
    match access {
        Access::Anyone => Ok(()),
        Access::FirstRun => check_first_run(app, ask),
        Access::Needs(role) => {
            let has = ask.visitor()?.role;
            if has < role {
                return Err(Fault::forbidden(format!("this needs the role {role}, and yours is {has}")));
            }
            Ok(())
        }
    }
}

/// Gives a browser another cookie with a page that a person went to, where it is time for one. To be asked last, since the old one
/// dies: the answer must go out, and soon. A sound's or a picture's may be thrown away.
pub(super) fn with_renewed(app: &App, ask: &Ask, effort: Effort, reply: Reply) -> Reply {
    let is_page = ask.method == Method::GET && ask.header(FETCH_DEST).is_none_or(|dest| dest == "document");
    let has_session = ask.visitor.as_ref().is_some_and(|visitor| visitor.csrf.is_some());
    let has_own = reply.headers.iter().any(|(name, _)| name == header::SET_COOKIE);
    if !is_page || !has_session || has_own || effort != Effort::Quick {
        return reply;
    }
    let Some(secret) = ask.cookie(app.cookie_name()) else { return reply };
    match access::renew_cookie(app.store(), secret, ask.now) {
        Ok(Some(secret)) => with_cookie(app, reply, &secret),
        Ok(None) => reply,
        Err(error) => {
            tracing::warn!("a session keeps its cookie: {error}");
            reply
        }
    }
}

/// A page of another name that resolves to this machine must not talk to us.
fn check_host(app: &App, ask: &Ask) -> Result<(), Fault> {
    let host = ask.header(header::HOST).map(|host| without_port(host).to_lowercase());
    if host.is_some_and(|host| app.hosts.contains(&host)) {
        return Ok(());
    }
    let detail = "this service is not known by that name; add it to serve.hosts of its configuration";
    Err(Fault::new(axum::http::StatusCode::MISDIRECTED_REQUEST, detail))
}

/// The first account is made by somebody at this machine, not through a proxy.
fn check_first_run(app: &App, ask: &Ask) -> Result<(), Fault> {
    let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
    let is_forwarded = forwarded.iter().any(|name| ask.headers.contains_key(*name));
    let host = ask.header(header::HOST).map(|host| without_port(host).to_lowercase()).unwrap_or_default();
    let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
    // Behind a proxy on this machine everybody seems to be here.
    let serve = &app.settings().serve;
    let is_behind_proxy =
        serve.plain_http || serve.trusted_proxies.iter().any(|network| network.contains(ask.peer));
    if !ask.peer.to_canonical().is_loopback() || is_forwarded || !is_here || is_behind_proxy {
        return Err(Fault::forbidden(
            "the first account can only be made from the machine that the service runs on, at http://localhost, and not while \
             serve.plain_http is set or through a proxy that serve.trusted_proxies names",
        ));
    }
    if has_accounts(app.store())? {
        return Err(Fault::not_found("there are accounts already; sign in"));
    }
    Ok(())
}

/// Whether a request writes, and is a browser's: programs with a token are made to send nothing by another site.
fn is_browsers_write(ask: &Ask) -> bool {
    let is_by_token = ask.visitor.as_ref().is_some_and(|visitor| visitor.token_id.is_some());
    !is_by_token && !matches!(ask.method, Method::GET | Method::HEAD)
}

fn not_meant() -> Fault {
    Fault::forbidden("the form is not from this desk, or is too old; load the page again")
}

/// Another site must not make a browser write here: browsers say where a request comes from.
fn check_origin(app: &App, ask: &Ask) -> Result<(), Fault> {
    if !is_browsers_write(ask) {
        return Ok(());
    }
    let site = ask.header(FETCH_SITE);
    let origin = ask.header(header::ORIGIN);
    let is_own_site = site.is_none_or(|site| site == "same-origin");
    // A browser that keeps a page's address to itself says `null`; what it says of the site then decides.
    let origin = origin.filter(|origin| *origin != "null" || site != Some("same-origin"));
    let is_own_origin = origin.is_none_or(|origin| {
        let name = url::Url::parse(origin).ok().and_then(|url| url.host_str().map(str::to_lowercase));
        let own = ask.header(header::HOST).map(|host| without_port(host).to_lowercase());
        name.is_some() && name == own && name.is_some_and(|name| app.hosts.contains(&name))
    });
    let is_told = site.is_some() || origin.is_some();
    if is_own_site && is_own_origin && is_told { Ok(()) } else { Err(not_meant()) }
}

/// Another site's form does not know the session's token, which stands in a header, or in the form: to be asked once that was
/// read, and before anything is made of it.
pub(super) fn check_intent(app: &App, ask: &Ask) -> Result<(), Fault> {
    if !is_browsers_write(ask) {
        return Ok(());
    }
    check_origin(app, ask)?;
    let Some(visitor) = &ask.visitor else { return Ok(()) };
    let in_header = ask.header(CSRF_HEADER).is_some_and(|token| visitor.knows(token));
    let in_form = || ask.form().is_ok_and(|form| visitor.knows(form.raw("csrf")));
    if in_header || in_form() { Ok(()) } else { Err(not_meant()) }
}

/// What somebody showed who was let in, to be looked at again while their answer goes on.
pub(super) enum Credentials {
    Token(String),
    Cookie(String),
    None,
}

impl Credentials {
    pub(super) fn of(app: &App, ask: &Ask) -> Self {
        match (bearer(ask), ask.cookie(app.cookie_name())) {
            (Some(token), _) => Self::Token(token.to_owned()),
            (None, Some(secret)) => Self::Cookie(secret.to_owned()),
            (None, None) => Self::None,
        }
    }

    /// Whether they would still be let in; not where the store cannot say.
    pub(super) fn are_good(&self, app: &App) -> bool {
        let good = match self {
            Self::Token(text) => {
                access::by_token(app.store(), text, app.now()).map(|visitor| visitor.is_some())
            }
            Self::Cookie(secret) => access::goes_on(app.store(), secret, app.now()),
            Self::None => Ok(false),
        };
        good.unwrap_or(false)
    }
}

/// The token that a program shows; empty where it shows something else.
fn bearer(ask: &Ask) -> Option<&str> {
    let text = ask.header(header::AUTHORIZATION)?;
    Some(text.strip_prefix("Bearer ").unwrap_or_default().trim())
}

/// What a person chose, else what their browser asks for, else what is configured.
fn language(app: &App, ask: &Ask) -> Lang {
    let chosen = ask.cookie("lang").and_then(Lang::of_code);
    let asked = || {
        let header = ask.header(header::ACCEPT_LANGUAGE)?;
        let mut wanted: Vec<(&str, f32)> = header.split(',').take(20).filter_map(weighed).collect();
        wanted.sort_by(|a, b| b.1.total_cmp(&a.1));
        wanted.into_iter().find_map(|(tag, _)| Lang::of_code(tag.split('-').next()?))
    };
    chosen.or_else(asked).or_else(|| Lang::of_code(&app.settings().serve.language)).unwrap_or(Lang::English)
}

/// A language tag with its weight; none where it is unwanted.
fn weighed(item: &str) -> Option<(&str, f32)> {
    let (tag, rest) = item.split_once(';').unwrap_or((item, ""));
    let weight = rest.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.trim().parse().ok())?;
    (weight > 0.0).then_some((tag.trim(), weight))
}

/// Gives a browser its session's cookie.
pub(super) fn with_cookie(app: &App, reply: Reply, secret: &str) -> Reply {
    let secure = if app.is_secure { "; Secure" } else { "" };
    let (name, life) = (app.cookie_name(), access::COOKIE_LIFE_S);
    reply.with_text(
        header::SET_COOKIE,
        &format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={life}{secure}"),
    )
}

/// Takes a browser's cookie away.
pub(super) fn without_cookie(app: &App, reply: Reply) -> Reply {
    let secure = if app.is_secure { "; Secure" } else { "" };
    let name = app.cookie_name();
    reply
        .with_text(header::SET_COOKIE, &format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use axum::body::{Body, Bytes};
    use axum::http::{Response, header};
    use futures_util::stream;

    use crate::config::Settings;
    use crate::web::access::{self, AccountChange, NewToken, Role, Visitor};
    use crate::web::testing::{House, PASSWORD};

    /// The session's secret that an answer gives.
    fn given(answer: &Response<Body>) -> Option<String> {
        let cookies = answer.headers().get_all(header::SET_COOKIE).iter();
        let mut texts = cookies.filter_map(|value| value.to_str().ok()?.strip_prefix("earwitness="));
        texts.next().map(|text| text.split(';').next().unwrap_or_default().to_owned())
    }

    fn cookie(secret: &str) -> String {
        format!("earwitness={secret}")
    }

    #[test]
    fn a_cookie_is_renewed_only_where_the_new_one_goes_out() {
        let house = House::with(Settings::default());
        house.create("vera", Role::Viewer);
        let (secret, _) = house.sign_in("vera");
        let cookie = cookie(&secret);
        let get = |path: &str, headers: &[(&str, &str)]| {
            house.send("GET", path, &[&[("cookie", cookie.as_str())], headers].concat(), Body::empty())
        };
        house.watch.pass(2 * 3600);
        // Refused: by role, by first run, by name; or slow, or no page.
        for (path, headers, status) in [
            ("/webhooks", vec![], 403),
            ("/set-up", vec![], 404),
            ("/overview", vec![("host", "evil.example")], 421),
            ("/cases/C-0123456789/sounds", vec![], 404),
            ("/cases", vec![("sec-fetch-dest", "image")], 200),
        ] {
            let answer = get(path, &headers);
            assert_eq!((answer.status().as_u16(), given(&answer)), (status, None), "{path}");
        }
        // Had one of them had it renewed, it would be dead by now.
        house.watch.pass(3600);
        // What is not found is an answer as good as another.
        let answer = get("/cases/C-0123456789", &[]);
        assert_eq!(answer.status().as_u16(), 404);
        let new = given(&answer).unwrap();
        house.watch.pass(61);
        assert_eq!(get("/cases", &[]).status().as_u16(), 303, "the old one is dead");
        let now = self::cookie(&new);
        assert_eq!(house.send("GET", "/cases", &[("cookie", &now)], Body::empty()).status().as_u16(), 200);
    }

    /// A body of which something happens on its way.
    fn slow(body: String, meanwhile: impl FnOnce() + Send + 'static) -> Body {
        Body::from_stream(stream::once(async move {
            meanwhile();
            Ok::<_, std::io::Error>(Bytes::from(body))
        }))
    }

    #[test]
    fn rights_that_are_lost_while_a_body_comes_are_lost() {
        let house = House::with(Settings::default());
        house.create("jun", Role::Admin);
        let (app, now) = (Arc::clone(&house.app), house.app.now());
        let jun = Visitor { name: "jun".to_owned(), role: Role::Admin, csrf: None, token_id: None };
        let new = NewToken { name: "nightly".to_owned(), role: Role::Admin, expires_at: None };
        let (token, _) = access::create_token(app.store(), &new, &jun, now).unwrap();
        let (secret, session) = house.sign_in("jun");
        let weaken = move || {
            let change = AccountChange { role: Some(Role::Viewer), ..AccountChange::default() };
            access::change(app.store(), "jun", &change, "mika", app.now()).unwrap();
        };
        let form = |name: &str| format!("csrf={}&name={name}&role=viewer&password={PASSWORD}", session.csrf);
        let cookie = cookie(&secret);
        let headers = [("cookie", cookie.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        let made = house.send("POST", "/accounts/create", &headers, Body::from(form("first")));
        assert_eq!(made.status().as_u16(), 303);
        let refused = house.send("POST", "/accounts/create", &headers, slow(form("second"), weaken));
        assert_eq!(refused.status().as_u16(), 401);
        let bearer = format!("Bearer {token}");
        let app = Arc::clone(&house.app);
        let strengthen = AccountChange { role: Some(Role::Admin), ..AccountChange::default() };
        access::change(app.store(), "jun", &strengthen, "mika", app.now()).unwrap();
        let weaken = move || {
            let change = AccountChange { role: Some(Role::Viewer), ..AccountChange::default() };
            access::change(app.store(), "jun", &change, "mika", app.now()).unwrap();
        };
        let json = format!(r#"{{"name": "third", "role": "viewer", "password": "{PASSWORD}"}}"#);
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let refused = house.send("POST", "/api/v1/accounts", &headers, slow(json, weaken));
        assert_eq!(refused.status().as_u16(), 403);
        let accounts = access::accounts(house.app.store()).unwrap();
        let names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
        assert_eq!(names, ["first", "jun", "mika"]);
    }

    #[test]
    fn what_took_long_is_written_at_its_end_by_who_is_still_signed_in() {
        let house = House::with(Settings::default());
        let (secret, session) = house.sign_in("mika");
        house.watch.pass(3600);
        let (app, watch, old) = (Arc::clone(&house.app), Arc::clone(&house.watch), secret.clone());
        // Meanwhile another page of this browser gets another cookie, and this one dies.
        let meanwhile = move || {
            assert!(access::renew_cookie(app.store(), &old, app.now()).unwrap().is_some());
            watch.pass(600);
        };
        let form = format!("csrf={}&name=late&role=viewer&password={PASSWORD}", session.csrf);
        let cookie = cookie(&secret);
        let headers = [("cookie", cookie.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        let made = house.send("POST", "/accounts/create", &headers, slow(form, meanwhile));
        assert_eq!(made.status().as_u16(), 303);
        let accounts = access::accounts(house.app.store()).unwrap();
        let late = accounts.iter().find(|account| account.name == "late").unwrap();
        assert_eq!(late.created_at, house.app.now());
    }

    #[test]
    fn requests_for_other_names_are_counted_too() {
        let mut settings = Settings::default();
        settings.serve.requests_a_second = 1;
        let house = House::with(settings);
        let statuses: Vec<u16> = (0..8)
            .map(|_| house.send("GET", "/", &[("host", "evil.example")], Body::empty()).status().as_u16())
            .collect();
        assert_eq!(statuses, [421, 421, 421, 421, 421, 421, 429, 429]);
    }
}
