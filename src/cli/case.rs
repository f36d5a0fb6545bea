//! `earwitness cases`: suspected infringements under review.

use clap::{Args, Subcommand};

use super::{Context, Exit, Usage, case_due, case_moves, case_recheck, output};
use crate::base::Timestamp;
use crate::cases::{
    Case, CaseFile, Comparison, Decided, Error, Event, Sign, State, decide, find, list, load_file, save,
    state_information,
};
use crate::catalog::Recording;
use crate::notice::inert;
use crate::store::Store;

/// Suspected infringements under review, and what came of their notices.
#[derive(Debug, Args)]
pub(super) struct CasesArgs {
    #[command(subcommand)]
    command: CasesCommand,
}

#[derive(Debug, Subcommand)]
enum CasesCommand {
    /// List cases, the oldest first
    List {
        /// Only those in this state: queued, undetermined, review, approved, dismissed, noticed, forwarded, removed, countered,
        /// ignored, escalated, closed, retracted
        #[arg(long)]
        state: Option<State>,
    },
    /// Show one case with its sightings, matches, verdict, history, notices and their clocks
    Show {
        /// The case's identifier, or the beginning of it
        id: String,
    },
    /// Say that somebody looks into cases
    Review {
        /// The cases' identifiers, or the beginnings of them
        #[arg(required = true)]
        id: Vec<String>,
        /// Who looks [default: the user's name]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Why, or what is to be found out
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Ask for licence data, without which cases cannot be decided; they stay where they are
    Ask {
        /// The cases' identifiers, or the beginnings of them
        #[arg(required = true)]
        id: Vec<String>,
        /// Who asks [default: the user's name]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// What is to be found out [default: the verdict's first reason]
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Hold cases for infringements, so that notices can be written about them
    Approve {
        /// The cases' identifiers, or the beginnings of them
        #[arg(required = true)]
        id: Vec<String>,
        /// Who decides [default: the user's name]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Why; needed where the verdict was UNDETERMINED
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        /// Whether notices state that rights information was removed or altered, whatever the signs say
        #[arg(long, value_name = "yes|no", value_parser = clap::builder::BoolishValueParser::new())]
        rights_information: Option<bool>,
    },
    /// Hold cases for none, or not worth pursuing
    Dismiss {
        /// The cases' identifiers, or the beginnings of them
        #[arg(required = true)]
        id: Vec<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Who decides [default: the user's name]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Enter what happened to cases' notices: sent, passed on, taken down, countered, ignored
    #[command(after_help = case_moves::RECEIVE_HELP)]
    Receive(case_moves::ReceiveArgs),
    /// Enter that a complaint or a suit was filed
    Escalate(case_moves::EscalateArgs),
    /// End cases: nothing more will be done
    Close(case_moves::EndArgs),
    /// Take back what was claimed; `cases due` then names the providers that are to be told
    Retract(case_moves::RetractArgs),
    /// List what is due: periods of the law, notices to be sent, addresses to be looked at again
    Due {
        /// Also what will be due within so many days
        #[arg(long, value_name = "DAYS", default_value_t = 7)]
        within: u16,
    },
    /// Fetch cases' addresses again: prove that they are live, and move what is gone or was ignored
    #[command(after_help = case_recheck::HELP)]
    Recheck(case_recheck::RecheckArgs),
    /// Rank operators with several cases, and what is the same in several places
    Offenders,
}

pub(super) fn run(context: &Context, args: CasesArgs) -> anyhow::Result<Exit> {
    if let CasesCommand::Recheck(args) = &args.command {
        return case_recheck::run(context, args);
    }
    let store = context.open_store()?;
    match args.command {
        CasesCommand::List { state } => print_list(context, &store, state),
        CasesCommand::Receive(args) => case_moves::receive(context, &store, args),
        CasesCommand::Escalate(args) => case_moves::escalate(context, &store, args),
        CasesCommand::Close(args) => case_moves::close(context, &store, args),
        CasesCommand::Retract(args) => case_moves::retract(context, &store, args),
        CasesCommand::Due { within } => case_due::due(context, &store, within),
        CasesCommand::Offenders => case_due::offenders(context, &store),
        CasesCommand::Recheck(_) => Ok(Exit::Done),
        CasesCommand::Review { id, by, note } => {
            decide_all(context, &store, &id, &Decided { event: Event::Review, actor: actor(by), note }, None)
        }
        CasesCommand::Ask { id, by, note } => {
            decide_all(context, &store, &id, &Decided { event: Event::Asked, actor: actor(by), note }, None)
        }
        CasesCommand::Show { id } => show(context, &store, &id),
        CasesCommand::Approve { id, by, note, rights_information } => {
            let decided = Decided { event: Event::Approved, actor: actor(by), note };
            decide_all(context, &store, &id, &decided, rights_information)
        }
        CasesCommand::Dismiss { id, reason, by } => {
            let decided = Decided { event: Event::Dismissed, actor: actor(by), note: Some(reason) };
            decide_all(context, &store, &id, &decided, None)
        }
    }
}

/// Who acts: as given, else the machine's user.
pub(super) fn actor(by: Option<String>) -> String {
    let user = || std::env::var("USER").or_else(|_| std::env::var("USERNAME")).ok();
    by.or_else(user).filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

fn print_list(context: &Context, store: &Store, state: Option<State>) -> anyhow::Result<Exit> {
    let cases = list(store, state)?;
    let header = [
        "case",
        "state",
        "recording",
        "title",
        "operator",
        "where",
        "verdict",
        "log10 p",
        "seen",
        "last seen",
    ];
    let mut table = output::table(context, &header);
    for case in &cases {
        if context.json {
            output::json(case)?;
            continue;
        }
        let title = store.get::<Recording>(case.recording_id.as_str())?.map(|recording| recording.title);
        table.add_row(vec![
            case.case_id.clone(),
            case.state.to_string(),
            case.recording_id.to_string(),
            title.as_deref().map(inert).unwrap_or_default(),
            case.domain.clone(),
            case.territory.clone().unwrap_or_else(|| "?".to_owned()),
            case.verdict.decision.as_str().to_owned(),
            case.log10_false_match().map_or_else(String::new, |log10| format!("{log10:.1}")),
            format!("{}×", case.sightings.iter().map(|sighting| sighting.times_seen).sum::<u64>()),
            case.last_seen().map(to_seconds).unwrap_or_default(),
        ]);
    }
    if !context.json {
        if !cases.is_empty() {
            output::line(&table.to_string());
        }
        output::note(context, &format!("{} cases", cases.len()));
    }
    Ok(Exit::Done)
}

fn show(context: &Context, store: &Store, id: &str) -> anyhow::Result<Exit> {
    let file = load_file(store, find(store, id).map_err(usage)?).map_err(usage)?;
    let calendars = case_due::calendars(context)?;
    let CaseFile { case, .. } = &file;
    if context.json {
        let is_distributed = context.settings.claim.rights_information_distributed;
        output::json(&case_due::Shown::new(&file, &calendars, is_distributed))?;
        return Ok(Exit::Done);
    }
    let recording = store.get::<Recording>(case.recording_id.as_str())?;
    print_head(case, recording.as_ref());
    output::line("Sightings");
    for sighting in &case.sightings {
        output::line(&format!("  {}", inert(&sighting.media_url)));
        if let Some(page) = &sighting.page_url {
            let title = sighting.page_title.as_deref().map(|title| format!(" “{}”", inert(title)));
            output::line(&format!("    on page {}{}", inert(page), title.unwrap_or_default()));
        }
        output::line(&format!(
            "    captured {}, last seen {} ({}×), {} bytes, from {}",
            sighting.captured_at,
            sighting.last_seen,
            sighting.times_seen,
            sighting.bytes,
            sighting.peer.as_deref().unwrap_or("an unknown address")
        ));
    }
    if case.sightings_unlisted > 0 {
        output::line(&format!("  and {} more", case.sightings_unlisted));
    }
    if let Some(comparison) = &file.information {
        print_information(context, case, comparison);
    }
    print_tail(case);
    case_due::print_notices(&file, &calendars);
    Ok(Exit::Done)
}

fn print_head(case: &Case, recording: Option<&Recording>) {
    let title = recording.map_or_else(
        || "(no longer in the catalogue)".to_owned(),
        |recording| {
            let artist = recording.artist.as_deref().map(|artist| format!(" – {}", inert(artist)));
            format!("“{}”{}", inert(&recording.title), artist.unwrap_or_default())
        },
    );
    output::line(&format!("Case {}  {}", case.case_id, case.state));
    output::line(&format!("  recording  {} {title}", case.recording_id));
    output::line(&format!("  operator   {}", inert(&case.domain)));
    output::line(&format!("  territory  {}", case.territory.as_deref().unwrap_or("not known")));
    output::line(&format!("  SHA-256    {}", case.sha256));
    output::line(&format!("  opened     {}", case.created_at));
    if let Some(old) = &case.reupload_of {
        output::line(&format!("  again      after case {old}, whose media was gone"));
    }
}

/// The tags of both files, side by side, and how far they go.
fn print_information(context: &Context, case: &Case, comparison: &Comparison) {
    output::line("Rights information (the owner's file, the copy)");
    for line in output::information_table(context, comparison).to_string().lines() {
        output::line(&format!("  {line}"));
    }
    for caveat in &comparison.caveats {
        output::line(&format!("  but: {}", caveat.as_str()));
    }
    let is_distributed = context.settings.claim.rights_information_distributed;
    let states = case.claims_information(comparison, is_distributed);
    let told = match (comparison.sign(), states) {
        (Sign::None, _) => "gives no second ground",
        (_, true) => "notices state it as a second ground",
        (_, false) if !is_distributed => {
            "not stated: claim.rights_information_distributed does not say that distributed files carry it"
        }
        (_, false) if case.states_information == Some(false) => "not stated: so decided",
        (_, false) => "not stated, unless whoever approves says so (cases approve --rights-information yes)",
    };
    output::line(&format!("  {told}"));
}

fn print_tail(case: &Case) {
    output::line("Matches (seconds in the file = seconds in the recording)");
    for found in &case.matches {
        output::line(&format!(
            "  {:.1}–{:.1} = {:.1}–{:.1}, speed {:.3}, tempo {:.3}, pitch {:+.2}, {}, {} peaks, log10 p {:.1}",
            found.query_start_s,
            found.query_end_s,
            found.reference_start_s,
            found.reference_end_s,
            found.speed,
            found.tempo,
            found.pitch_semitones,
            found.channel.as_str(),
            found.matched_peaks,
            found.log10_false_match
        ));
    }
    output::line(&format!("Verdict {} at {}", case.verdict.decision.as_str(), case.verdict.at));
    for reason in &case.verdict.reasons {
        output::line(&format!("  - {}", inert(reason)));
    }
    output::line("History");
    for entry in &case.history {
        let note = entry.note.as_deref().map(|note| format!(": {}", inert(note))).unwrap_or_default();
        output::line(&format!("  {} {} by {}{note}", entry.at, entry.event.as_str(), inert(&entry.actor)));
    }
}

/// Decides several cases together or, when one of them cannot be decided so, none. `states_information` is a person's word on
/// their rights information.
fn decide_all(
    context: &Context,
    store: &Store,
    ids: &[String],
    decided: &Decided,
    states_information: Option<bool>,
) -> anyhow::Result<Exit> {
    if decided.event == Event::Dismissed && decided.note.as_deref().unwrap_or_default().trim().is_empty() {
        return Err(Usage("--reason is empty".to_owned()).into());
    }
    let now = context.clock.now();
    let mut cases: Vec<Case> = Vec::new();
    for id in ids {
        let mut case = find(store, id).map_err(usage)?;
        if cases.iter().any(|known| known.case_id == case.case_id) {
            continue;
        }
        decide(&mut case, now, decided).map_err(usage)?;
        if let Some(states) = states_information {
            let file = load_file(store, case.clone()).map_err(usage)?;
            let by = (now, decided.actor.as_str());
            state_information(&mut case, file.information.as_ref(), by, states).map_err(usage)?;
        }
        cases.push(case);
    }
    save(store, &cases)?;
    for case in &cases {
        if context.json {
            output::json(case)?;
        } else {
            output::line(&format!("{} {}", case.case_id, case.state));
        }
    }
    Ok(Exit::Done)
}

/// What the caller got wrong ends with exit code 2; a failing store does not.
pub(super) fn usage(error: Error) -> anyhow::Error {
    match error {
        Error::Store(error) => error.into(),
        other => Usage(other.to_string()).into(),
    }
}

fn to_seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}
