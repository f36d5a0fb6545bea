//! From cases to documents: group, compose, render; nothing is written where anything is missing.

use std::path::Path;

use anyhow::Context as _;
use jiff::civil::Date;

use super::super::Usage;
use super::write::{Written, write_and_record};
use crate::base::Timestamp;
use crate::cases::Case;
use crate::catalog::Recording;
use crate::config::{ProviderSettings, Settings};
use crate::notice::{
    CaseItem, Form, Format, Incomplete, Notice, NoticeFile, NoticeInput, Templates, compose, files, group,
};
use crate::rights::normalise_operator;
use crate::store::Store;

/// What a run of the command writes.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Batch<'a> {
    /// The kind of document.
    pub(in crate::cli) form: Form,
    /// Its formats.
    pub(in crate::cli) formats: &'a [Format],
    /// Its templates.
    pub(in crate::cli) templates: &'a Templates,
    /// The documents' date.
    pub(in crate::cli) date: Date,
    /// The instant that the cases' histories get.
    pub(in crate::cli) now: Timestamp,
    /// Whether what is about uploaders is left out.
    pub(in crate::cli) redact: bool,
    /// The folder.
    pub(in crate::cli) out: &'a Path,
}

/// A document ready to be written.
pub(super) struct Ready {
    pub(super) notice: Notice,
    pub(super) cases: Vec<Case>,
    pub(super) files: Vec<NoticeFile>,
}

/// Writes one document to each provider about these cases and records it in their histories; none where a mandatory
/// field is missing for one. `tell` hears of each.
pub(in crate::cli) fn export(
    store: &Store,
    settings: &Settings,
    cases: Vec<Case>,
    batch: &Batch<'_>,
    tell: &mut dyn FnMut(&Written) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let provider_of = |domain: &str| provider(settings, domain);
    let mut incomplete: Option<Incomplete> = None;
    let mut composed = Vec::new();
    for cases in group(batch.form, cases, &provider_of) {
        match compose_one(store, settings, &cases, batch)? {
            Ok(notice) => composed.push((notice, cases)),
            // The sender's fields are the same for every provider: each key is named once.
            Err(lacks) => match &mut incomplete {
                Some(known) => known.join(lacks),
                None => incomplete = Some(lacks),
            },
        }
    }
    if let Some(incomplete) = incomplete {
        return Err(Usage(incomplete.to_string()).into());
    }
    std::fs::create_dir_all(batch.out).with_context(|| format!("cannot make {}", batch.out.display()))?;
    // One after the other: the files of a batch are not all held at once.
    for (notice, cases) in composed {
        let files = files(&notice, batch.templates, batch.formats)?;
        tell(&write_and_record(store, Ready { notice, cases, files }, batch)?)?;
    }
    Ok(())
}

fn provider<'a>(settings: &'a Settings, domain: &str) -> Option<&'a ProviderSettings> {
    let known =
        settings.providers.iter().find(|(name, _)| normalise_operator(name) == normalise_operator(domain));
    known.map(|(_, provider)| provider)
}

fn compose_one(
    store: &Store,
    settings: &Settings,
    cases: &[Case],
    batch: &Batch<'_>,
) -> anyhow::Result<Result<Notice, Incomplete>> {
    let mut recordings: Vec<Recording> = Vec::new();
    for case in cases {
        let id = &case.recording_id;
        let recording = store.get::<Recording>(id.as_str())?;
        recordings.push(recording.ok_or_else(|| {
            Usage(format!(
                "recording {id} of case {} is no longer in the catalogue; import it again",
                case.case_id
            ))
        })?);
    }
    let items = cases.iter().zip(&recordings);
    let items: Vec<CaseItem<'_>> =
        items.map(|(case, recording)| CaseItem { case, recording, urls: None }).collect();
    Ok(compose(&NoticeInput {
        form: batch.form,
        items: &items,
        claim: &settings.claim,
        provider_of: &|domain| provider(settings, domain),
        settings: &settings.notice,
        date: batch.date,
        attachments: &[],
        left_out: &[],
        redact: batch.redact,
    }))
}
