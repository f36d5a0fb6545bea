//! One case: what was found and where, how it was altered, why it is judged so, what happened to it, and what is to be
//! decided.

use std::sync::Arc;

use askama::Template;

use super::filters;
use super::queue;
use super::shell::Shell;
use crate::base::Timestamp;
use crate::cases::{self, Case, CaseFile, Due, Event, Liveness, State, known_liveness};
use crate::catalog::{Catalog, Recording};
use crate::notice;
use crate::rights::{Decision, LicenceGraph, Outcome, Step};
use crate::web::access::Role;
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::desk::{Asked, Choice, NewDecision, NewUndo, asked, decide_cases, undo_cases};
use crate::web::fault::Fault;
use crate::web::reply::Reply;
use crate::web::showing::{Archived, archived, screenshots};
use crate::web::words::{CaseWords, DeskWords, Lang, PaperWords};

/// How far ahead the clocks of a case are shown.
const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 90);

/// Matches of which there are excerpts.
const HEARD_MAX: usize = 3;

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage<'a> {
    shell: Shell<'a>,
    w: &'static CaseWords,
    d: &'static DeskWords,
    p: &'static PaperWords,
    case: Case,
    recording: Recording,
    heard: Vec<Heard>,
    /// Each address with what it served when it was last looked at.
    looked: Vec<(String, Liveness)>,
    due: Vec<Due>,
    path: Vec<Link>,
    steps: Vec<Step>,
    before: Option<String>,
    behind: Option<String>,
    list: String,
    /// The instant of the decision that can be taken back.
    undo: Option<Timestamp>,
    may: May,
    /// Numbers of the pictures of pages.
    pages: Vec<usize>,
    archived: Vec<Archived>,
    /// Numbers of the matches that can be heard.
    ranks: Vec<usize>,
}

/// A match, in words.
struct Heard {
    span: String,
    altered: String,
    chance: f64,
    channel: &'static str,
}

/// One licence on the way that the verdict walked.
struct Link {
    outcome: Outcome,
    licence_id: String,
    parties: String,
    text: String,
}

/// What whoever looks may do with the case as it stands.
struct May {
    approve: bool,
    dismiss: bool,
    review: bool,
    ask: bool,
    needs_note: bool,
    papers: bool,
}

impl CasePage<'_> {
    fn state_name(&self) -> &'static str {
        DeskWords::state_name(self.shell.lang, self.case.state)
    }

    fn verdict_name(&self) -> &'static str {
        DeskWords::verdict_name(self.shell.lang, self.case.verdict.decision)
    }

    /// The pictures, each by its name in addresses and what it shows.
    fn pictures(&self) -> [(&'static str, &'static str); 3] {
        let w = self.w;
        [("coverage", w.coverage), ("spectrograms", w.spectrograms), ("time-map", w.time_map)]
    }

    fn mark(&self, outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Holds => self.w.holds,
            Outcome::Fails => self.w.fails,
            Outcome::Unknown => self.w.unknown,
            Outcome::Note => self.w.remark,
        }
    }

    fn outcome(&self, outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Holds => "holds",
            Outcome::Fails => "fails",
            Outcome::Unknown => "unknown",
            Outcome::Note => "note",
        }
    }

    fn alive(&self, url: &str) -> Option<&Liveness> {
        self.looked.iter().find(|(of, _)| of == url).map(|(_, looked)| looked)
    }
}

pub(super) fn show(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let store = app.store();
    let case = cases::find(store, ask.param("case_id"))?;
    let Asked { filter, order, .. } = asked(ask)?;
    let (before, behind) = app.desk.neighbours(store, &case.case_id, &filter, order)?;
    let list = queue::address(&filter, order, None);
    let beside = |id: Option<Arc<str>>| {
        id.map(|id| format!("/cases/{id}{}", list.strip_prefix("/cases").unwrap_or_default()))
    };
    let file = cases::load_file(store, case)?;
    let recording = Catalog::new(store).get(&file.case.recording_id)?;
    let recording = recording.unwrap_or_else(|| {
        Recording::new(file.case.recording_id.clone(), file.case.recording_id.to_string())
    });
    let due = cases::due(&file, ask.now, AHEAD, &app.desk.calendars());
    let known = known_liveness(&file.case, &file.liveness);
    let looked = known.iter().filter_map(|one| {
        let kept = file.liveness.iter().find(|kept| kept.url == one.url)?;
        Some((one.url.to_owned(), kept.clone()))
    });
    let looked = looked.collect();
    let CaseFile { case, .. } = file;
    let (before, behind) = (beside(before), beside(behind));
    Reply::page(&CasePage {
        shell: Shell::of(app, ask, "/cases"),
        w: CaseWords::of(ask.lang),
        d: DeskWords::of(ask.lang),
        p: PaperWords::of(ask.lang),
        heard: heard(&case, ask.lang),
        looked,
        due,
        path: path(&case, &*app.desk.licences(store)?),
        steps: case.verdict.steps.clone(),
        before,
        behind,
        list,
        undo: case.last_decision().map(|(at, _)| at).filter(|_| ask.may(Role::Reviewer)),
        may: may(&case, ask),
        pages: (1..=screenshots(app, &case.case_id)?.len()).collect(),
        archived: archived(app, &case.case_id)?,
        ranks: (1..=case.matches.len().min(HEARD_MAX)).collect(),
        recording,
        case,
    })
}

fn may(case: &Case, ask: &Ask) -> May {
    let is_reviewer = ask.may(Role::Reviewer);
    let can = |event| is_reviewer && case.state.after(event).is_some();
    May {
        approve: can(Event::Approved)
            && case.state != State::Approved
            && case.verdict.decision != Decision::Licensed,
        dismiss: can(Event::Dismissed) && case.state != State::Dismissed,
        review: can(Event::Review) && case.state != State::Review,
        ask: can(Event::Asked),
        needs_note: case.verdict.decision == Decision::Undetermined,
        papers: ask.may(Role::Legal),
    }
}

fn heard(case: &Case, lang: Lang) -> Vec<Heard> {
    let lang = match lang {
        Lang::English => notice::Lang::English,
        Lang::Chinese => notice::Lang::Chinese,
        Lang::Japanese => notice::Lang::Japanese,
    };
    let one = |found: &cases::Match| Heard {
        span: notice::spans(lang, found),
        altered: notice::alteration(lang, found),
        chance: found.log10_false_match,
        channel: found.channel.as_str(),
    };
    case.matches.iter().map(one).collect()
}

/// The licences that the verdict's walk came to, in its order, each with how it came out there.
fn path(case: &Case, licences: &LicenceGraph) -> Vec<Link> {
    let mut path: Vec<Link> = Vec::new();
    for step in &case.verdict.steps {
        let Some(licence_id) = &step.licence_id else { continue };
        if path.iter().any(|link| link.licence_id == *licence_id) {
            continue;
        }
        let parties = licences.get(licence_id).map(crate::rights::Licence::parties).unwrap_or_default();
        let (outcome, text) = (step.outcome, step.text.clone());
        path.push(Link { outcome, licence_id: licence_id.clone(), parties, text });
    }
    path
}

/// Decides one case or many, and goes back to where the form was.
pub(super) fn decide(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    let who = ask.visitor()?;
    let new = NewDecision {
        cases: form.all("case").map(str::to_owned).collect(),
        decision: form.get("decision").unwrap_or_default().parse().map_err(Fault::bad_request)?,
        note: form.get("note").map(str::to_owned),
    };
    let done = decide_cases(app.store(), &new, (&who.name, ask.now), &mut |_, _| Ok(()))?;
    let back = super::door::own_path(form.get("back"));
    if new.decision == Choice::Ask {
        // A question is not taken back.
        return Ok(Reply::see_other(&without_decided(back)));
    }
    let at = done.decided_at.to_string();
    let mut said = url::form_urlencoded::Serializer::new(String::new());
    said.append_pair("decided_at", &at);
    // The list of what was decided is short enough for an address, or the case itself is shown.
    for case in done.cases.iter().take(100) {
        said.append_pair("decided", &case.case_id);
    }
    let joint = if back.contains('?') { '&' } else { '?' };
    let back = without_decided(back);
    Ok(Reply::see_other(&format!("{back}{joint}{}", said.finish())))
}

/// An address without what an earlier decision added to it.
fn without_decided(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else { return address.to_owned() };
    let kept = url::form_urlencoded::parse(query.as_bytes());
    let kept = kept.filter(|(name, _)| name != "decided" && name != "decided_at");
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
    if query.is_empty() { format!("{path}?_=") } else { format!("{path}?{query}") }
}

/// Takes a decision back.
pub(super) fn undo(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let form = ask.form()?;
    let who = ask.visitor()?;
    let decided_at = form.get("decided_at").unwrap_or_default().parse();
    let decided_at = decided_at.map_err(|_| Fault::bad_request("decided_at: no instant"))?;
    let new = NewUndo { cases: form.all("case").map(str::to_owned).collect(), decided_at };
    undo_cases(app.store(), &new, (&who.name, ask.now), &mut |_, _| Ok(()))?;
    Ok(Reply::see_other(&without_decided(super::door::own_path(form.get("back")))))
}
