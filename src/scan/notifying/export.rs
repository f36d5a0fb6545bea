//! From cases to documents: group, compose, render; nothing is written where anything is missing.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Error;
use super::sift::{Sifted, Unnamed, sift, weigh};
use super::write::{Addressee, Written, write_and_record};
use crate::base::Timestamp;
use crate::cases::{Case, Forum};
use crate::catalog::Recording;
use crate::config::{NoticeSettings, ProviderSettings, Settings};
use crate::evidence;
use crate::notice::{
    Attachment, CaseItem, Document as _, Form, Format, Incomplete, Lang, LeftOut, Notice, NoticeFile,
    NoticeInput, PageDetail, Templates, also_known, compose, files, group,
};
use crate::rights::normalise_operator;
use crate::store::Store;

/// What a run of the command writes.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// The kind of document.
    pub form: Form,
    /// Its formats.
    pub formats: &'a [Format],
    /// Its templates.
    pub templates: &'a Templates,
    /// The documents' date.
    pub date: Date,
    /// The instant that the cases' histories get.
    pub now: Timestamp,
    /// What is said of the pages on which files were seen.
    pub pages: PageDetail,
    /// Who writes: a person's name, or `earwitness`.
    pub actor: &'a str,
    /// The folder.
    pub out: &'a Path,
}

/// A document ready to be written.
pub(super) struct Ready {
    pub(super) notice: Notice,
    pub(super) cases: Vec<Sifted>,
    pub(super) files: Vec<NoticeFile>,
}

/// What a run of the command came to, beside the documents.
#[derive(Debug, Default)]
pub struct Exported {
    /// Addresses of cases that no document is about, and why.
    pub left_out: Vec<LeftOut>,
    /// How many of the accusations are to be expected to be wrong by chance, at most.
    pub expected_wrong: f64,
}

/// Documents that are composed, and not yet files.
struct Composed {
    documents: Vec<(Notice, Vec<Sifted>)>,
    rest: Exported,
}

/// Writes one document to each provider about what may be named of these cases, and records it in them; none where a
/// mandatory field is missing for one. `tell` hears of each.
///
/// # Errors
/// [`Error::Incomplete`] names every mandatory field that is missing; [`Error`] where something cannot be read or written.
pub fn export(
    store: &Store,
    settings: &Settings,
    cases: Vec<Case>,
    batch: &Batch<'_>,
    tell: &mut dyn FnMut(&Written),
) -> Result<Exported, Error> {
    let Composed { documents, rest } = compose_all(store, settings, cases, batch)?;
    let forum_of = |domain: &str| forum(settings, batch.form, domain);
    std::fs::create_dir_all(batch.out)
        .map_err(|source| Error::Write { path: batch.out.to_owned(), source })?;
    // One after the other: the files of a batch are not all held at once.
    for (notice, cases) in documents {
        let files = files(&notice, batch.templates, batch.formats)?;
        let addressee =
            Addressee { forum_of: &forum_of, also_of: &|domain| also_known(domain, &settings.providers) };
        tell(&write_and_record(store, Ready { notice, cases, files }, batch, &addressee)?);
    }
    Ok(rest)
}

/// The documents as they would be now, in the first of the batch's formats; nothing is written.
///
/// # Errors
/// As [`export`].
pub fn preview(
    store: &Store,
    settings: &Settings,
    cases: Vec<Case>,
    batch: &Batch<'_>,
) -> Result<(Vec<NoticeFile>, Exported), Error> {
    let Composed { documents, rest } = compose_all(store, settings, cases, batch)?;
    let formats = batch.formats.get(..1).unwrap_or_default();
    let mut all = Vec::new();
    for (notice, _) in documents {
        all.extend(files(&notice, batch.templates, formats)?);
    }
    Ok((all, rest))
}

fn compose_all(
    store: &Store,
    settings: &Settings,
    cases: Vec<Case>,
    batch: &Batch<'_>,
) -> Result<Composed, Error> {
    let (kept, mut left_out) = sift(store, settings, batch.form, cases, batch.now)?;
    let expected_wrong = weigh(store, &settings.notice, batch.form, &kept)?;
    let provider_of = |domain: &str| provider(settings, domain);
    for one in &kept {
        forum(settings, batch.form, &one.case.domain)?;
    }
    let (cases, mut sifted): (Vec<Case>, BTreeMap<String, Sifted>) =
        kept.into_iter().map(|one| (one.case.clone(), (one.case.case_id.clone(), one))).unzip();
    let mut incomplete: Option<Incomplete> = None;
    let mut documents = Vec::new();
    for cases in group(batch.form, cases, &provider_of) {
        let cases: Vec<Sifted> = cases.iter().filter_map(|case| sifted.remove(&case.case_id)).collect();
        let is_own = |one: &Unnamed| cases.iter().any(|sifted| sifted.case.case_id == one.told.case_id);
        let own: Vec<Unnamed> = left_out.extract_if(.., |one| is_own(one)).collect();
        // The provider is told what is gone, and nothing of our other reasons.
        let gone: Vec<LeftOut> = own.iter().filter(|one| one.is_gone).map(|one| one.told.clone()).collect();
        match compose_one(store, settings, &cases, &gone, batch)? {
            Ok(notice) => {
                left_out.extend(own.into_iter().filter(|one| !one.is_gone));
                documents.push((notice, cases));
            }
            // The sender's fields are the same for every provider: each key is named once.
            Err(lacks) => match &mut incomplete {
                Some(known) => known.join(lacks),
                None => incomplete = Some(lacks),
            },
        }
    }
    if let Some(incomplete) = incomplete {
        return Err(incomplete.into());
    }
    let left_out = left_out.into_iter().map(|one| one.told).collect();
    Ok(Composed { documents, rest: Exported { left_out, expected_wrong } })
}

/// The templates that the configuration names.
///
/// # Errors
/// [`Error::Unfit`] where it names a form that there is not, [`Error::Notice`] where a template does not work.
pub fn templates(settings: &NoticeSettings) -> Result<Templates, Error> {
    let strange = settings.confirmed.iter().find(|name| Form::ALL.iter().all(|form| form.as_str() != *name));
    if let Some(name) = strange {
        return Err(Error::Unfit(format!("notice.confirmed: there is no form `{name}`")));
    }
    Ok(Templates::load(settings.templates.as_deref())?)
}

/// Today where documents of a form go: in China, in Japan, else by UTC.
#[must_use]
pub fn today(form: Form, now: Timestamp) -> Date {
    let hours = match form {
        Form::Ncac | Form::Complaint => 8,
        Form::Japan => 9,
        _ => 0,
    };
    now.to_zoned(TimeZone::fixed(jiff::tz::offset(hours))).date()
}

/// What is configured of who runs a site.
#[must_use]
pub fn provider<'a>(settings: &'a Settings, domain: &str) -> Option<&'a ProviderSettings> {
    let known =
        settings.providers.iter().find(|(name, _)| normalise_operator(name) == normalise_operator(domain));
    known.map(|(_, provider)| provider)
}

/// Under which law a site's provider is notified.
fn forum(settings: &Settings, form: Form, domain: &str) -> Result<Forum, Error> {
    let named = provider(settings, domain).and_then(|provider| provider.forum.as_deref());
    let Some(named) = named else { return Ok(form.forum()) };
    named.parse().map_err(|error| Error::Unfit(format!("providers.\"{domain}\".forum: {error}")))
}

fn compose_one(
    store: &Store,
    settings: &Settings,
    cases: &[Sifted],
    left_out: &[LeftOut],
    batch: &Batch<'_>,
) -> Result<Result<Notice, Incomplete>, Error> {
    let mut recordings: Vec<Recording> = Vec::new();
    let mut attachments = Vec::new();
    for Sifted { case, .. } in cases {
        let id = &case.recording_id;
        let recording = store.get::<Recording>(id.as_str())?;
        recordings.push(recording.ok_or_else(|| {
            Error::Unfit(format!(
                "recording {id} of case {} is no longer in the catalogue; import it again",
                case.case_id
            ))
        })?);
        attachments.extend(bundle(store, batch.form, &case.case_id)?);
    }
    let items = cases.iter().zip(&recordings);
    let items: Vec<CaseItem<'_>> = items
        .map(|(one, recording)| CaseItem {
            case: &one.case,
            recording,
            urls: Some(&one.urls),
            information: one.information.as_ref(),
        })
        .collect();
    Ok(compose(&NoticeInput {
        form: batch.form,
        items: &items,
        claim: &settings.claim,
        provider_of: &|domain| provider(settings, domain),
        settings: &settings.notice,
        date: batch.date,
        attachments: &attachments,
        left_out,
        pages: batch.pages,
    }))
}

/// The newest bundle of evidence that was made of a case, as an enclosure.
fn bundle(store: &Store, form: Form, case_id: &str) -> Result<Option<Attachment>, Error> {
    let about = match form.lang() {
        Lang::Chinese => "证据包（WACZ），可离线核验",
        Lang::Japanese => "証拠一式（WACZ）、オフラインで検証可能",
        Lang::AmericanEnglish | Lang::English => "bundle of evidence (WACZ), verifiable offline",
    };
    Ok(evidence::newest_bundle(store, case_id)?.map(|made| Attachment {
        name: format!("{case_id}{}.wacz", if made.is_redacted() { "-redacted" } else { "" }),
        sha256: made.bundle_sha256,
        about: about.to_owned(),
    }))
}
