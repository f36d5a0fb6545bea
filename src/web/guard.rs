//! Before any handler: is the request for us, is it one too many, who asks, may they, and did they mean to? All but the last is
//! told by the request's head.

use axum::http::{HeaderName, Method, header};

use super::access::{self, Access, has_accounts};
use super::app::{App, without_port};
use super::ask::Ask;
use super::fault::Fault;
use super::forwarded;
use super::reply::Reply;
use super::words::Lang;

/// The header in which scripts of our pages send the session's form token.
const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// Where browsers say from which site a request comes.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where browsers say what an answer is for.
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// A cookie that whoever asked is to be given with the answer.
pub(super) type NewCookie = Option<String>;

/// Checks a request's head against what its route asks, and fills in who asks, from where and in which language.
pub(super) fn admit(app: &App, ask: &mut Ask, access: Access) -> Result<NewCookie, Fault> {
    check_host(app, ask)?;
    ask.lang = language(app, ask);
    let settings = app.settings();
    ask.client = forwarded::client(ask.peer, &ask.headers, &settings.serve.trusted_proxies);
    access::knock(&app.throttle, ask.client, settings.serve.requests_a_second, ask.now)
        .map_err(Fault::wait)?;
    let mut new_cookie = None;
    // Only a page that a person goes to gives a new cookie: a sound's or a picture's answer may be thrown away.
    let may_rotate =
        ask.method == Method::GET && ask.header(FETCH_DEST).is_none_or(|dest| dest == "document");
    if let Some(token) = bearer(ask) {
        // A token that is wrong must not fall back to the cookie: the program would act as somebody else.
        ask.visitor = access::by_token(app.store(), token, ask.now)?;
        if ask.visitor.is_none() {
            return Err(Fault::sign_in());
        }
    } else if let Some(secret) = ask.cookie(app.cookie_name()).map(str::to_owned)
        && let Some((visitor, fresh)) = access::by_cookie(app.store(), &secret, may_rotate, ask.now)?
    {
        ask.visitor = Some(visitor);
        new_cookie = fresh;
    }
    match access {
        Access::Anyone => {}
        Access::FirstRun => check_first_run(app, ask)?,
        Access::Needs(role) => {
            let has = ask.visitor()?.role;
            if has < role {
                return Err(Fault::forbidden(format!("this needs the role {role}, and yours is {has}")));
            }
        }
    }
    check_origin(app, ask)?;
    Ok(new_cookie)
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
