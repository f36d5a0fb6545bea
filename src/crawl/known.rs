//! Visiting again: what an earlier run of the same site read is asked for only where it has changed.
//!
//! A document that has not changed leads where it led; a media object that held nothing of the catalogue holds nothing of
//! the same catalogue. Media in which something was heard are always fetched: a case rests on fresh bytes.

use serde::{Deserialize, Serialize};
use url::Url;

use super::discover::{Discovered, Lead, MediaLink};
use super::engine::{Engine, Stop};
use super::fetch::{Answer, Asked};
use super::frontier::{InHand, Task};
use super::lanes::Slot;
use super::records::{Heard, SightingRecord};
use crate::base::{Digest, lock};
use crate::net::{Kind, Request, Validators, shown};
use crate::store::{self, Record};

/// A document with more links than fit in here is read anew each time: a record has a limit.
const BYTES_MAX: usize = 48 << 10;

/// What is known of a URL from an earlier run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KnownRecord {
    pub(super) key: String,
    pub(super) validators: Validators,
    /// The version of the program that read it: another one may find more in the same bytes.
    pub(super) version: String,
    pub(super) what: KnownAs,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the URL was.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KnownAs {
    /// A document, and what it led to.
    Document {
        sha256: Digest,
        is_page: bool,
        title: Option<String>,
        media: Vec<MediaLink>,
        links: Vec<Url>,
        leads: Vec<Lead>,
    },
    /// A media object in which nothing of this catalogue was heard.
    Stranger {
        /// Which catalogue it is a stranger to.
        catalogue: String,
    },
}

impl Record for KnownRecord {
    const KIND: &'static str = "crawl_known";
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        self.key.clone()
    }
}

impl<'a> Engine<'a> {
    /// What an earlier run knows of a task's URL.
    pub(super) fn known(&self, task: &Task) -> Result<Option<KnownRecord>, store::Error> {
        if self.plan.transient {
            return Ok(None);
        }
        let key = lock(&self.frontier).known_key(&task.url);
        Ok(self.store.get::<KnownRecord>(&key)?.filter(|record| record.version == VERSION))
    }

    /// Remembers a document for the next run, with the next batch.
    pub(super) fn remember_document(
        &self,
        task: &Task,
        validators: Option<Validators>,
        (sha256, is_page): (Digest, bool),
        found: &Discovered,
    ) -> Result<(), store::Error> {
        let Some(validators) = validators.filter(|_| !self.plan.transient && !self.plan.render) else {
            return Ok(());
        };
        let what = KnownAs::Document {
            sha256,
            is_page,
            title: found.title.clone(),
            media: found.media.clone(),
            links: found.links.clone(),
            leads: found.leads.clone(),
        };
        self.remember(task, validators, what)
    }

    /// Remembers a stranger for the next run, with the next batch.
    pub(super) fn remember_stranger(
        &self,
        task: &Task,
        validators: Option<Validators>,
        heard: &Heard,
    ) -> Result<(), store::Error> {
        let is_stranger = heard.recordings.is_empty() && heard.error.is_none() && heard.is_whole;
        let (Some(validators), Some(catalogue)) = (validators, self.plan.catalogue.clone()) else {
            return Ok(());
        };
        if !is_stranger || self.plan.transient {
            return Ok(());
        }
        self.remember(task, validators, KnownAs::Stranger { catalogue })
    }

    fn remember(&self, task: &Task, validators: Validators, what: KnownAs) -> Result<(), store::Error> {
        let mut frontier = lock(&self.frontier);
        let (key, version) = (frontier.known_key(&task.url), VERSION.to_owned());
        let record = KnownRecord { key, validators, version, what };
        // What is too long for a record is asked for anew the next time.
        let is_short = serde_json::to_vec(&record).is_ok_and(|bytes| bytes.len() <= BYTES_MAX);
        if is_short { frontier.keep(&record) } else { Ok(()) }
    }

    /// Asks whether a stranger of an earlier run is still the same; `None` where it is not known as one, or has changed.
    pub(super) async fn visit_stranger_again(
        &'a self,
        in_hand: &InHand,
        slot: &mut Option<Slot<'a>>,
    ) -> Result<Option<()>, Stop> {
        let task = &in_hand.task;
        let Some(KnownRecord { validators, what, .. }) = self.known(task)? else { return Ok(None) };
        let KnownAs::Stranger { catalogue } = what else { return Ok(None) };
        if self.plan.catalogue.as_ref() != Some(&catalogue) {
            return Ok(None);
        }
        let mut request = Request::new(task.url.clone(), Kind::Media);
        request.referer = lock(&self.frontier).page_of(task.from)?.map(|visit| visit.url);
        request.validators = Some(validators);
        let asked = Asked { request, via: &task.via, stays: false, counts: true };
        let Answer { opened, held, .. } = self.ask(asked, slot.take()).await?;
        if !opened.is_not_modified() {
            // The body is left where it is.
            return Ok(None);
        }
        held.end();
        let media_url = shown(&opened.final_url);
        let mut frontier = lock(&self.frontier);
        frontier.job.summary.unchanged += 1;
        // What was heard then is kept as it is, with the day on which it was found unchanged.
        let key = SightingRecord::key_of(&self.plan.name, &media_url);
        if let Some(mut record) = self.store.get::<SightingRecord>(&key)? {
            record.unchanged_at = Some(self.clock.now());
            frontier.keep(&record)?;
        }
        Ok(Some(()))
    }
}
