//! The list of cases.

use std::sync::Arc;

use askama::Template;

use super::filters;
use super::shell::Shell;
use crate::cases::State;
use crate::web::access::Role;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::{Asked, Cursor, Filter, Order, PAGE, Page, Row, Sort, asked};
use crate::web::fault::Fault;
use crate::web::reply::Reply;
use crate::web::words::DeskWords;

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage<'a> {
    shell: Shell<'a>,
    w: &'static DeskWords,
    filter: Filter,
    order: Order,
    page: Page,
    counts: Vec<(State, usize)>,
    next: Option<String>,
    first: Option<String>,
    may_decide: bool,
    /// What was decided on the way here, to be taken back.
    decided: Option<(String, Vec<String>)>,
}

impl QueuePage<'_> {
    fn state_name(&self, state: &State) -> &'static str {
        DeskWords::state_name(self.shell.lang, *state)
    }

    fn verdict_name(&self, row: &Row) -> &'static str {
        DeskWords::verdict_name(self.shell.lang, row.verdict)
    }

    fn has_state(&self, state: &State) -> bool {
        self.filter.states.contains(state)
    }

    fn value(&self, name: &str) -> String {
        self.filter
            .pairs()
            .into_iter()
            .find(|(key, _)| *key == name)
            .map_or_else(String::new, |(_, value)| value)
    }

    /// The day of an instant in the filter, as a field for dates has it.
    fn day(&self, name: &str) -> String {
        self.value(name).get(..10).unwrap_or_default().to_owned()
    }

    fn sorts(&self) -> [(Sort, &'static str); 4] {
        let w = self.w;
        [
            (Sort::Significance, w.significance),
            (Sort::Created, w.created),
            (Sort::Due, w.due),
            (Sort::Seen, w.seen),
        ]
    }

    fn is_sort(&self, sort: &Sort) -> bool {
        self.order.sort == *sort
    }

    /// The address of a case, which remembers the list it came from.
    fn case_link(&self, row: &Row) -> String {
        let query = address(&self.filter, self.order, None);
        format!("/cases/{}{}", row.case_id, query.strip_prefix("/cases").unwrap_or_default())
    }
}

/// The address of a part of the list.
pub(super) fn address(filter: &Filter, order: Order, after: Option<&Cursor>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(filter.pairs());
    if order != Order::default() {
        query.append_pair("sort", &order.to_string());
    }
    if let Some(after) = after {
        query.append_pair("after", &after.to_string());
    }
    let query = query.finish();
    if query.is_empty() { "/cases".to_owned() } else { format!("/cases?{query}") }
}

pub(super) fn list(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let Asked { filter, order, after } = asked(ask)?;
    let page = app.desk.page(app.store(), &filter, order, after.as_ref(), PAGE)?;
    let counts = app.desk.counts(app.store())?;
    Reply::page(&QueuePage {
        shell: Shell::of(app, ask, "/cases"),
        w: DeskWords::of(ask.lang),
        next: page.next.as_ref().map(|next| address(&filter, order, Some(next))),
        first: after.map(|_| address(&filter, order, None)),
        filter,
        order,
        page,
        counts,
        may_decide: ask.may(Role::Reviewer),
        decided: decided(ask),
    })
}

/// What a decision has said behind the address that it came back to.
fn decided(ask: &Ask) -> Option<(String, Vec<String>)> {
    let at = ask.query("decided_at")?;
    let cases = ask.query.iter().filter(|(name, _)| name == "decided").map(|(_, id)| id.clone());
    Some((at.to_owned(), cases.collect()))
}
