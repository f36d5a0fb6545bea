//! `earwitness cases recheck`: are the addresses of cases live?

use clap::Args;
use serde::Serialize;

use super::case::usage;
use super::case_due::calendars;
use super::scanning::{CheckOptions, Run};
use super::{Context, Exit, output};
use crate::cases::{
    Alive, Calendars, CaseFile, Event, Liveness, State, files, find, known_liveness, load_file,
};
use crate::notice::inert;
use crate::scan::{is_look_due, is_watched, look_at};

pub(super) const HELP: &str = "\
Each address is fetched once, by the rules of the site that it belongs to; robots.txt is obeyed. The same bytes, or others in
which the recording is heard, prove that it is live. An address that does not serve it any more is looked for once more on the
page that led there, as `earwitness check` would. Only 404, 410 and 451, or audio in which the recording is not, count as gone;
no answer, a refusal or a page without audio leave it unclear.

A case whose addresses are all gone becomes `removed`; one that is live after its provider's time, `ignored`. A line for the
machine's cron is

  17 * * * *  earwitness --config /etc/earwitness.toml --quiet cases recheck --due

Exit codes: 0 all told; 3 some addresses are unclear (each named on stderr).";

/// Arguments of `cases recheck`.
#[derive(Debug, Args)]
pub(super) struct RecheckArgs {
    /// The cases' identifiers, or the beginnings of them [default: all that are approved or further, and have not ended]
    id: Vec<String>,
    /// Only those whose provider's time is over, or whose last proof is older than notice.live_within_h
    #[arg(long)]
    due: bool,
    #[command(flatten)]
    options: CheckOptions,
}

/// What became of a case.
#[derive(Serialize)]
struct Rechecked<'a> {
    case_id: &'a str,
    state: State,
    moved: Option<Event>,
    liveness: &'a [Liveness],
}

pub(super) fn run(context: &Context, args: &RecheckArgs) -> anyhow::Result<Exit> {
    let calendars = calendars(context)?;
    let run = Run::new(context, &args.options)?;
    let chosen = choose(context, &run, args, &calendars)?;
    if chosen.is_empty() {
        output::note(context, "no case is to be looked at");
        return Ok(Exit::Done);
    }
    let mut is_unclear = false;
    let mut told = Ok(());
    look_at(&run.runner(), &chosen, &calendars, &mut |file, moved| match tell(context, file, moved) {
        Ok(unclear) => is_unclear |= unclear,
        Err(error) => told = Err(error),
    })?;
    told?;
    Ok(if is_unclear { Exit::SomeFailed } else { Exit::Done })
}

fn choose(
    context: &Context,
    run: &Run<'_>,
    args: &RecheckArgs,
    calendars: &Calendars,
) -> anyhow::Result<Vec<CaseFile>> {
    let store = run.store();
    let mut chosen: Vec<CaseFile> = Vec::new();
    for id in &args.id {
        let case = find(store, id).map_err(usage)?;
        if chosen.iter().all(|known| known.case.case_id != case.case_id) {
            chosen.push(load_file(store, case).map_err(usage)?);
        }
    }
    if args.id.is_empty() {
        chosen = files(store, None).map_err(usage)?;
        chosen.retain(is_watched);
    }
    if args.due {
        let now = context.clock.now();
        let max_age = jiff::SignedDuration::from_hours(i64::from(context.settings.notice.live_within_h));
        chosen.retain(|file| is_look_due(file, now, max_age, calendars));
    }
    Ok(chosen)
}

/// Tells what was seen and what became of the case; returns whether anything is unclear.
fn tell(context: &Context, file: &CaseFile, moved: Option<Event>) -> anyhow::Result<bool> {
    let known = known_liveness(&file.case, &file.liveness);
    let unclear = known.iter().filter(|known| known.alive == Alive::Unclear);
    for known in unclear.clone() {
        let note = known.record.map(|record| record.note.as_str()).unwrap_or_default();
        output::failed(&output::inert(&format!("{}: unclear: {note}", known.url)));
    }
    if context.json {
        let (state, liveness) = (file.case.state, file.liveness.as_slice());
        let case_id = &file.case.case_id;
        output::json(&Rechecked { case_id, state, moved, liveness })?;
    } else {
        let now_so = moved.map(|_| " (moved)").unwrap_or_default();
        output::line(&format!("{} {}{now_so}", file.case.case_id, file.case.state));
        for known in &known {
            let note = known.record.map_or("seen on its page", |record| record.note.as_str());
            output::line(&format!("  {} {} ({})", known.alive.as_str(), inert(known.url), inert(note)));
        }
    }
    Ok(unclear.count() > 0)
}
