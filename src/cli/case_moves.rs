//! `earwitness cases receive|escalate|close|retract`: what happens to cases after their notices.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::tz::TimeZone;

use super::case::{actor, usage};
use super::case_due::calendars;
use super::{Context, Exit, Usage, output};
use crate::base::Timestamp;
use crate::cases::{CaseFile, Error, Event, Notification, Received, edit, find};
use crate::notice::{Retraction, render_retraction};
use crate::rights::normalise_operator;
use crate::store::Store;

pub(super) const RECEIVE_HELP: &str = "\
A provider's time runs from the instant at which its notice was sent: say so with --sent. After a counter-notice that
provider must not be notified about the item again (Regulation on the Protection of the Right to Network Dissemination of
Information, Art. 17): `notice export` leaves it out, and `cases due` tells until when a complaint or suit must be proved.

Examples:
  earwitness cases receive 3f2a 77b0 --sent --at 2026-03-02T10:00+08:00
  earwitness cases receive 3f2a --counter-notice --note \"says that it has a licence of 2015\"
  earwitness cases receive 3f2a --removed --provider host.example";

/// What has happened to a notice.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Happened {
    /// The notice was sent
    #[arg(long)]
    sent: bool,
    /// The provider has passed the notice on to whoever put the file there
    #[arg(long)]
    forwarded: bool,
    /// The provider has taken the file down, or no longer links to it
    #[arg(long)]
    removed: bool,
    /// A counter-notice arrived, or the provider has passed one on
    #[arg(long)]
    counter_notice: bool,
    /// The provider refused, or did nothing in its time
    #[arg(long)]
    ignored: bool,
    /// The provider was told that the notice is taken back
    #[arg(long)]
    retraction_sent: bool,
}

impl Happened {
    /// The event; `None` for what is no event of a notice's own life.
    const fn event(&self) -> Option<Event> {
        match self {
            Self { sent: true, .. } => Some(Event::Sent),
            Self { forwarded: true, .. } => Some(Event::Forwarded),
            Self { removed: true, .. } => Some(Event::Removed),
            Self { counter_notice: true, .. } => Some(Event::Countered),
            Self { ignored: true, .. } => Some(Event::Ignored),
            _ => None,
        }
    }
}

/// Arguments of `cases receive`.
#[derive(Debug, Args)]
pub(super) struct ReceiveArgs {
    /// The cases' identifiers, or the beginnings of them
    #[arg(required = true)]
    id: Vec<String>,
    #[command(flatten)]
    happened: Happened,
    #[command(flatten)]
    who: Who,
    /// What was said, in words
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Arguments of `cases escalate`.
#[derive(Debug, Args)]
pub(super) struct EscalateArgs {
    /// The cases' identifiers, or the beginnings of them
    #[arg(required = true)]
    id: Vec<String>,
    /// With which authority or court it was filed, and under which number
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    who: Who,
}

/// Who, when, and about which provider.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// Which provider's notice, where a case has notices to several
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// When it happened, for example 2026-03-02T10:00+08:00 [default: now]
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
    /// Who says so [default: the user's name]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Arguments of `cases close` and `cases retract`.
#[derive(Debug, Args)]
pub(super) struct EndArgs {
    /// The cases' identifiers, or the beginnings of them
    #[arg(required = true)]
    id: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who decides [default: the user's name]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Arguments of `cases retract`.
#[derive(Debug, Args)]
pub(super) struct RetractArgs {
    #[command(flatten)]
    end: EndArgs,
    /// Write the letters to the providers that were sent a notice into this folder; made where missing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn receive(context: &Context, store: &Store, args: ReceiveArgs) -> anyhow::Result<Exit> {
    let ReceiveArgs { id, happened, who: Who { provider, at, by }, note } = args;
    let now = context.clock.now();
    let (at, actor) = (at.unwrap_or(now), actor(by));
    let Some(event) = happened.event() else {
        let mut untold = Vec::new();
        let files = change(store, &id, &mut |file| {
            if file.tell_retraction(at, now, &actor, note.as_deref()) == 0 {
                untold.push(file.case.case_id.clone());
            }
            Ok(())
        })?;
        if !untold.is_empty() {
            output::note(context, &format!("nothing was taken back that was sent: {}", untold.join(", ")));
        }
        return tell(context, &files);
    };
    let received = Received { event, at, actor, note };
    let files = change(store, &id, &mut |file| {
        let number = file.which(provider.as_deref(), event)?;
        file.receive(number, &received, now)
    })?;
    tell(context, &files)
}

pub(super) fn escalate(context: &Context, store: &Store, args: EscalateArgs) -> anyhow::Result<Exit> {
    let EscalateArgs { id, reason, who: Who { provider, at, by } } = args;
    let reason = said(reason)?;
    let now = context.clock.now();
    let received =
        Received { event: Event::Escalated, at: at.unwrap_or(now), actor: actor(by), note: Some(reason) };
    let files = change(store, &id, &mut |file| {
        let number = match file.which(provider.as_deref(), Event::Escalated) {
            // Nobody was notified: the case itself goes to the authority.
            Err(Error::NoNotification { provider: None, .. }) => None,
            number => Some(number?),
        };
        file.escalate(number, &received, now)
    })?;
    tell(context, &files)
}

pub(super) fn close(context: &Context, store: &Store, args: EndArgs) -> anyhow::Result<Exit> {
    let files = end(context, store, args, Event::Closed)?;
    tell(context, &files)
}

pub(super) fn retract(context: &Context, store: &Store, args: RetractArgs) -> anyhow::Result<Exit> {
    let RetractArgs { end: args, out } = args;
    let reason = args.reason.clone();
    let files = end(context, store, args, Event::Retracted)?;
    let untold: Vec<&Notification> =
        files.iter().flat_map(|file| &file.notifications).filter(|one| one.owes_retraction()).collect();
    if let Some(out) = &out {
        std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        for one in &untold {
            let path = write_letter(context, out, one, &reason)?;
            output::note(
                context,
                &format!("the letter to {}: {}", output::inert(&one.provider), path.display()),
            );
        }
    }
    if !untold.is_empty() {
        output::note(
            context,
            &format!(
                "{} notices were sent: tell their providers; `earwitness cases due` names them",
                untold.len()
            ),
        );
    }
    tell(context, &files)
}

fn end(context: &Context, store: &Store, args: EndArgs, event: Event) -> anyhow::Result<Vec<CaseFile>> {
    let EndArgs { id, reason, by } = args;
    let (reason, actor, now) = (said(reason)?, actor(by), context.clock.now());
    change(store, &id, &mut |file| file.end(event, now, &actor, &reason))
}

/// Writes the letter that takes one notice back; never over another.
fn write_letter(context: &Context, out: &Path, one: &Notification, reason: &str) -> anyhow::Result<PathBuf> {
    let settings = &context.settings;
    let known = settings
        .providers
        .iter()
        .find(|(name, _)| normalise_operator(name) == normalise_operator(&one.provider))
        .and_then(|(_, provider)| provider.name.as_deref());
    let party = settings.claim.agent.as_ref().or(settings.claim.right_holder.as_ref());
    let signature =
        settings.claim.signature.as_deref().or_else(|| party.and_then(|party| party.name.as_deref()));
    let calendars = calendars(context)?;
    // The forum's own day.
    let day = |at: Timestamp| match calendars.get(one.forum.region()) {
        Some(calendar) => calendar.day_of(at),
        None => at.to_zoned(TimeZone::UTC).date(),
    };
    let text = render_retraction(&Retraction {
        notification: one,
        provider: known.unwrap_or(&one.provider),
        sent: day(one.sent_at.unwrap_or(one.written_at)),
        reason,
        signature,
        date: day(context.clock.now()),
    });
    let path = out.join(format!("retraction-{}-{}.txt", one.case_id, one.number));
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create_new(&path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn said(reason: String) -> anyhow::Result<String> {
    if reason.trim().is_empty() { Err(Usage("--reason is empty".to_owned()).into()) } else { Ok(reason) }
}

/// Changes all of the cases, or none.
fn change(
    store: &Store,
    ids: &[String],
    change: &mut dyn FnMut(&mut CaseFile) -> Result<(), Error>,
) -> anyhow::Result<Vec<CaseFile>> {
    let ids = ids
        .iter()
        .map(|id| find(store, id).map(|case| case.case_id))
        .collect::<Result<Vec<_>, _>>()
        .map_err(usage)?;
    edit(store, &ids, change).map_err(usage)
}

fn tell(context: &Context, files: &[CaseFile]) -> anyhow::Result<Exit> {
    for file in files {
        if context.json {
            output::json(&file.case)?;
        } else {
            output::line(&format!("{} {}", file.case.case_id, file.case.state));
        }
    }
    Ok(Exit::Done)
}
