//! What stands around every page.

use askama::Template;

use crate::web::access::{Role, Visitor};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::assets::{ICON, SCRIPT, STYLE};
use crate::web::words::{Lang, ShellWords};

/// What stands around every page.
pub(in crate::web) struct Shell<'a> {
    pub(in crate::web) w: &'static ShellWords,
    pub(in crate::web) lang: Lang,
    /// Where we are in the navigation: a path such as `/cases`, or nothing.
    pub(in crate::web) here: &'static str,
    pub(in crate::web) visitor: Option<&'a Visitor>,
    /// What forms must send back.
    pub(in crate::web) csrf: &'a str,
    pub(in crate::web) style: &'static str,
    pub(in crate::web) script: &'static str,
    pub(in crate::web) icon: &'static str,
    /// This page's own address, to come back to after a change of language.
    pub(in crate::web) address: String,
}

impl<'a> Shell<'a> {
    pub(in crate::web) fn of(_: &App, ask: &'a Ask, here: &'static str) -> Self {
        let csrf = ask.visitor.as_ref().and_then(|visitor| visitor.csrf.as_deref());
        Self {
            w: ShellWords::of(ask.lang),
            lang: ask.lang,
            here,
            visitor: ask.visitor.as_ref(),
            csrf: csrf.unwrap_or_default(),
            style: &STYLE.name,
            script: &SCRIPT.name,
            icon: &ICON.name,
            address: address_of(ask),
        }
    }

    /// Links of the navigation: path and text, as far as the visitor may go there.
    pub(in crate::web) fn links(&self) -> Vec<(&'static str, &'static str)> {
        let Some(visitor) = self.visitor else { return Vec::new() };
        let may = |role: Role| visitor.role >= role;
        let all = [
            ("/overview", self.w.dashboard, Role::Viewer),
            ("/cases", self.w.queue, Role::Viewer),
            ("/notices", self.w.notices, Role::Legal),
            ("/recordings", self.w.recordings, Role::Viewer),
            ("/licences", self.w.licences, Role::Viewer),
            ("/crawls", self.w.crawls, Role::Viewer),
            ("/verify", self.w.verify, Role::Viewer),
            ("/accounts", self.w.accounts, Role::Viewer),
            ("/webhooks", self.w.webhooks, Role::Admin),
            ("/api", self.w.api, Role::Viewer),
        ];
        all.into_iter().filter(|(.., role)| may(*role)).map(|(path, text, _)| (path, text)).collect()
    }

    /// The languages, each with where its link leads.
    pub(in crate::web) fn languages(&self) -> Vec<(Lang, String)> {
        let link = |lang: Lang| {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("to", lang.code())
                .append_pair("back", &self.address)
                .finish();
            format!("/language?{query}")
        };
        Lang::ALL.into_iter().map(|lang| (lang, link(lang))).collect()
    }
}

pub(super) fn address_of(ask: &Ask) -> String {
    if ask.query.is_empty() {
        return ask.path.clone();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&ask.query).finish();
    format!("{}?{query}", ask.path)
}

/// A page that says what did not work.
#[derive(Template)]
#[template(path = "fault.html")]
pub(in crate::web) struct FaultPage<'a> {
    pub(in crate::web) shell: Shell<'a>,
    pub(in crate::web) detail: &'a str,
    pub(in crate::web) status: u16,
}
