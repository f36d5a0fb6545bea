//! What the owner has: recordings with their licences and cases, and what depends on a licence.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::{RecordingId, Timestamp};
use crate::catalog::{Catalog, Recording};
use crate::config::{Settings, SiteSettings};
use crate::crawl::{SightingRecord, SiteRecord, domain_of};
use crate::rights::{Decision, Licence, LicenceGraph, Question, Right, verdict};
use crate::store::{self, Store};

/// Addresses that are looked through for one licence.
const LOOKED_MAX: usize = 200_000;
/// Addresses that are listed.
const LISTED_MAX: usize = 500;

/// An address whose use is licensed now, and is not once a licence has ended.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::web) struct Turning {
    /// Where the recording was heard.
    pub(in crate::web) media_url: String,
    /// Which recording.
    pub(in crate::web) recording_id: String,
    /// When it was last heard there.
    #[schemars(with = "String")]
    pub(in crate::web) heard_at: Timestamp,
    /// The verdict at the instant of the end.
    pub(in crate::web) then: &'static str,
}

/// What turns at the end of a licence.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(in crate::web) struct AtEnd {
    /// The addresses, at most 500.
    pub(in crate::web) turning: Vec<Turning>,
    /// How many there are.
    pub(in crate::web) count: usize,
    /// How many addresses were looked through.
    pub(in crate::web) looked: usize,
}

/// The licences that may cover a recording.
pub(in crate::web) fn licences_of(graph: &LicenceGraph, recording: &Recording) -> Vec<Licence> {
    graph.licences().filter(|licence| licence.may_cover(recording)).cloned().collect()
}

/// Which addresses that were listened to are licensed now, and no more at `end`, when this licence ends.
///
/// # Errors
/// [`store::Error`] when the store fails.
pub(in crate::web) fn at_end(
    store: &Store,
    settings: &Settings,
    graph: &LicenceGraph,
    licence: &Licence,
    (now, end): (Timestamp, Timestamp),
) -> Result<AtEnd, store::Error> {
    let mut found = AtEnd::default();
    let mut recordings: HashMap<RecordingId, Option<Recording>> = HashMap::new();
    let mut sites: HashMap<String, Option<SiteSettings>> = HashMap::new();
    for sighting in store.scan::<SightingRecord>("")?.take(LOOKED_MAX) {
        let sighting = sighting?;
        found.looked += 1;
        for id in &sighting.heard.recordings {
            if !recordings.contains_key(id) {
                recordings.insert(id.clone(), Catalog::new(store).get(id)?);
            }
            let Some(Some(recording)) = recordings.get(id) else { continue };
            if !licence.may_cover(recording) {
                continue;
            }
            if !sites.contains_key(&sighting.job) {
                let added = store.get::<SiteRecord>(&sighting.job)?.map(|record| record.settings);
                let site = settings.sites.get(&sighting.job).cloned().or(added);
                sites.insert(sighting.job.clone(), site);
            }
            let site = sites.get(&sighting.job).and_then(Option::as_ref);
            let page = sighting.page_url.as_deref().unwrap_or(&sighting.media_url);
            let domain = url::Url::parse(page).ok().map(|url| domain_of(&url));
            let operator = site.and_then(|site| site.operator.clone()).or(domain);
            let territory = site.and_then(|site| site.territory.clone()).or(settings.claim.territory.clone());
            let decided = |at| {
                let question = Question {
                    recording,
                    operator: operator.as_deref(),
                    territory: territory.as_deref(),
                    at,
                    right: Right::MakingAvailable,
                };
                verdict(graph, &question).decision
            };
            let then = decided(end);
            if decided(now) == Decision::Licensed && then != Decision::Licensed {
                found.count += 1;
                if found.turning.len() < LISTED_MAX {
                    found.turning.push(Turning {
                        media_url: sighting.media_url.clone(),
                        recording_id: id.to_string(),
                        heard_at: sighting.unchanged_at.unwrap_or(sighting.captured_at),
                        then: then.as_str(),
                    });
                }
            }
        }
    }
    Ok(found)
}
