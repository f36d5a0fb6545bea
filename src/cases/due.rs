//! What is due: which of the law's periods end when, and what is left to be done.

use serde::Serialize;

use super::calendar::Calendars;
use super::file::CaseFile;
use super::liveness::{Alive, known_liveness};
use super::notification::{Notification, Running, Standing};
use super::state::{Event, State};
use super::terms::{Owes, Purpose, Starts};
use crate::base::Timestamp;
use crate::rights::Decision;

/// What kind of thing is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DueKind {
    /// The newest verdict is LICENSED, and providers were told otherwise.
    Retract,
    /// A provider that was sent a notice is to be told that it is taken back.
    TellRetraction,
    /// A written notice is to be sent, or it is to be said that it was.
    Send,
    /// A written notice must not be sent any more.
    DoNotSend,
    /// The newest verdict is in doubt since the case was approved: a person is to decide anew.
    Approve,
    /// Our own period after a counter-notice: a complaint or a suit.
    Answer,
    /// A provider's time to act.
    Provider,
    /// A provider's time to act is over, and nobody has looked since.
    Recheck,
    /// The file was seen live after a provider's time, by a calendar that does not know the holidays of the time.
    Calendar,
    /// Until when a provider may keep the file down after a counter-notice.
    Restore,
}

impl DueKind {
    /// Returns the word used in JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retract => "retract",
            Self::TellRetraction => "tell-retraction",
            Self::Send => "send",
            Self::DoNotSend => "do-not-send",
            Self::Approve => "approve",
            Self::Answer => "answer",
            Self::Provider => "provider",
            Self::Recheck => "recheck",
            Self::Calendar => "calendar",
            Self::Restore => "restore",
        }
    }
}

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// Until when.
    pub at: Timestamp,
    /// Which case.
    pub case_id: String,
    /// Which of its notices.
    pub number: Option<u32>,
    /// To whom that went.
    pub provider: Option<String>,
    /// What kind of thing it is.
    pub kind: DueKind,
    /// What is to be done, or waited for.
    pub what: String,
    /// Whether the time is over.
    pub is_overdue: bool,
    /// Whether the law names the length of the period; otherwise it is this program's own measure.
    pub is_fixed: bool,
    /// Whether the calendar knows the holidays of the time.
    pub is_sure: bool,
    /// Where the period stands in the law.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<&'static str>,
}

/// Returns what is due of a case at `now`, and what will be `within` that time from then; the earliest first.
#[must_use]
pub fn due(file: &CaseFile, now: Timestamp, within: jiff::SignedDuration, calendars: &Calendars) -> Vec<Due> {
    let until = now.checked_add(within).unwrap_or(Timestamp::MAX);
    let mut all = Vec::new();
    all.extend(licensed(file, now));
    all.extend(doubted(file, now));
    for one in &file.notifications {
        if one.standing == Standing::Written {
            all.push(to_send(file, one, now));
        }
        if one.owes_retraction() {
            all.push(to_take_back(one, now));
        }
        let clocks = one.clocks(calendars).into_iter().filter(|clock| clock.is_open);
        all.extend(clocks.map(|clock| of_clock(file, one, &clock, now)));
    }
    all.retain(|one| one.at <= until);
    all.sort_by_key(|a| (a.at, a.number, a.kind));
    all
}

/// A written notice: it is to be sent, unless something forbids it since.
fn to_send(file: &CaseFile, one: &Notification, now: Timestamp) -> Due {
    let id = &one.case_id;
    let (kind, what) = match file.may_send(one) {
        Ok(()) => (
            DueKind::Send,
            format!(
                "send it, then `earwitness cases receive {id} --sent`; its provider's time does not run before"
            ),
        ),
        Err(why) => (
            DueKind::DoNotSend,
            format!(
                "do not send it: {why}. If it was sent before, say so: `earwitness cases receive {id} --sent --at …`"
            ),
        ),
    };
    of_notice(one, kind, one.written_at, now, what)
}

fn to_take_back(one: &Notification, now: Timestamp) -> Due {
    let (whom, what) = match one.purpose {
        Purpose::Takedown => ("provider", "notice"),
        Purpose::Complaint => ("authority", "complaint"),
    };
    let what = format!(
        "tell the {whom} that the {what} is taken back, then `earwitness cases receive {} --retraction-sent`",
        one.case_id
    );
    of_notice(one, DueKind::TellRetraction, retracted_at(one).unwrap_or(now), now, what)
}

fn of_notice(one: &Notification, kind: DueKind, at: Timestamp, now: Timestamp, what: String) -> Due {
    Due {
        at,
        case_id: one.case_id.clone(),
        number: Some(one.number),
        provider: Some(one.provider.clone()),
        kind,
        what,
        is_overdue: at <= now,
        is_fixed: true,
        is_sure: true,
        source: None,
    }
}

fn of_clock(file: &CaseFile, one: &Notification, clock: &Running, now: Timestamp) -> Due {
    let (ends, term) = (clock.ends, clock.term);
    let is_over = ends.at <= now;
    let id = &one.case_id;
    let (kind, what) = match (term.starts, term.owes) {
        (Starts::Countered, Owes::Us) => (
            DueKind::Answer,
            format!("{}; then `earwitness cases escalate {id} --reason …`, or `cases close`", term.what),
        ),
        (Starts::Countered, Owes::Provider) => (DueKind::Restore, term.what.to_owned()),
        (Starts::Sent, _) if !is_over => (DueKind::Provider, term.what.to_owned()),
        (Starts::Sent, _) if !ends.is_sure && seen_live_after(file, one, ends.at) => (
            DueKind::Calendar,
            format!(
                "the file is still live, but the calendar does not know this year's holidays; add them (notice.calendars), \
                 or `earwitness cases receive {id} --ignored`"
            ),
        ),
        (Starts::Sent, _) => {
            (DueKind::Recheck, format!("the provider's time is over: `earwitness cases recheck {id}`"))
        }
    };
    Due {
        is_fixed: term.is_fixed,
        is_sure: ends.is_sure,
        source: Some(term.source),
        ..of_notice(one, kind, ends.at, now, what)
    }
}

fn seen_live_after(file: &CaseFile, one: &Notification, end: Timestamp) -> bool {
    known_liveness(&file.case, &file.liveness).iter().any(|known| {
        known.alive == Alive::Yes && known.at >= end && one.urls.iter().any(|url| url == known.url)
    })
}

/// A licence that became known after a notice was sent.
fn licensed(file: &CaseFile, now: Timestamp) -> Option<Due> {
    let case = &file.case;
    let was_told = file.notifications.iter().any(|one| one.sent_at.is_some() && !is_over(one));
    (case.verdict.decision == Decision::Licensed && was_told).then(|| Due {
        at: case.verdict.at,
        case_id: case.case_id.clone(),
        number: None,
        provider: None,
        kind: DueKind::Retract,
        what: format!(
            "the newest verdict is LICENSED: `earwitness cases retract {} --reason …`, unless it is wrong",
            case.case_id
        ),
        is_overdue: case.verdict.at <= now,
        is_fixed: true,
        is_sure: true,
        source: None,
    })
}

/// A doubt that came after the approval, while something may still be sent about the case.
fn doubted(file: &CaseFile, now: Timestamp) -> Option<Due> {
    let case = &file.case;
    let counts = matches!(case.state, State::Approved | State::Noticed | State::Forwarded | State::Ignored);
    let at = case.doubted_since().filter(|_| counts)?;
    Some(Due {
        at,
        case_id: case.case_id.clone(),
        number: None,
        provider: None,
        kind: DueKind::Approve,
        what: format!(
            "the newest verdict is UNDETERMINED, and younger than the approval: `earwitness cases approve {} --note …`, or \
             dismiss or retract it",
            case.case_id
        ),
        is_overdue: at <= now,
        is_fixed: true,
        is_sure: true,
        source: None,
    })
}

const fn is_over(one: &Notification) -> bool {
    matches!(one.standing, Standing::Closed | Standing::Retracted)
}

fn retracted_at(one: &Notification) -> Option<Timestamp> {
    one.events.iter().rev().find(|entry| entry.event == Event::Retracted).map(|entry| entry.at)
}
