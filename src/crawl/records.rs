//! What a crawl keeps in the store: its job, the URLs that wait and those that were seen, the documents read, what was
//! skipped and found, and the ledger of manners. All keys begin with the job's, so that one scan finds what is its own.
//!
//! A task leaves the store in the same batch that brings what came of it, so that a run that is killed anywhere goes on
//! where it was: at most what was in hand is asked for again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::event::{LeadFound, Skip};
use super::exchanges::{ExchangeRecord, TlsRecord};
use super::frontier::{Task, Visit};
use super::known::KnownRecord;
use super::sighting::Sighting;
use crate::base::{Digest, RecordingId, Timestamp};
use crate::config::SiteSettings;
use crate::store::{Hold, Kinds, Pin, Record};

/// Adds the kinds of record that a crawl keeps to those that an import is checked against.
#[must_use]
pub fn with_kinds(kinds: Kinds) -> Kinds {
    kinds
        .with::<SiteRecord>()
        .with::<JobRecord>()
        .with::<TaskRecord>()
        .with::<SeenRecord>()
        .with::<VisitRecord>()
        .with::<BeyondRecord>()
        .with::<ShapeRecord>()
        .with::<SkipRecord>()
        .with::<LeadRecord>()
        .with::<SightingRecord>()
        .with::<HostRecord>()
        .with::<KnownRecord>()
        .with::<ExchangeRecord>()
        .with::<TlsRecord>()
        .with::<Hold>()
        .with::<Pin>()
}

/// Returns the key of the job of this name: sixteen hexadecimal digits, whatever characters the name holds.
#[must_use]
pub fn job_key(name: &str) -> String {
    hash(name, 16)
}

/// The first `digits` hexadecimal digits of a text's SHA-256.
pub(super) fn hash(text: &str, digits: usize) -> String {
    let mut all = Digest::of(text.as_bytes()).to_string();
    all.truncate(digits);
    all
}

/// A site that was added on the command line or at the review desk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SiteRecord {
    /// What it is called.
    pub name: String,
    /// How it is crawled.
    pub settings: SiteSettings,
}

impl Record for SiteRecord {
    const KIND: &'static str = "site";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.name.clone()
    }
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Under way, or killed while it was.
    Running,
    /// Stopped before its end, by a person, a budget, a failure, or the end of a service; `crawl resume` goes on.
    Stopped,
    /// All was done.
    Done,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Requests made, redirects included; those for robots.txt and the segments of streams are counted by host only.
    pub requests: u64,
    /// Documents read.
    pub pages: u64,
    /// Media objects handed over.
    pub found: u64,
    /// Media objects that windows of them showed to be strangers.
    pub probed: u64,
    /// Media objects and documents that had not changed since an earlier run.
    #[serde(default)]
    pub unchanged: u64,
    /// URLs passed over.
    pub skipped: u64,
    /// URLs that failed.
    pub failed: u64,
    /// Links to what is not followed: magnet links, shares of net disks.
    #[serde(default)]
    pub leads: u64,
    /// Bytes of bodies.
    pub bytes: u64,
    /// Whether the run was stopped before its end.
    pub cancelled: bool,
}

/// One run of one site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The site's name, or the URL that the run began at.
    pub name: String,
    /// How it stands.
    pub state: JobState,
    /// When the run began.
    pub began_at: Timestamp,
    /// When it last went on.
    pub changed_at: Timestamp,
    /// What came of it so far.
    pub summary: Summary,
    /// Seconds of audio that were listened to.
    #[serde(default)]
    pub media_s: f64,
    /// Seconds that it was under way.
    #[serde(default)]
    pub wall_s: f64,
    /// URLs passed over, by reason.
    #[serde(default)]
    pub skipped: BTreeMap<String, u64>,
    /// Whether it is a single check, of which nothing is kept.
    #[serde(default)]
    pub transient: bool,
    /// Why it is stopped.
    #[serde(default)]
    pub stopped_because: Option<String>,
    /// Whether it is stopped only until the service that carried it out can go on with it: that ended, or something failed.
    #[serde(default)]
    pub goes_on: bool,
    /// When it went on last after it had been stopped.
    #[serde(default)]
    pub resumed_at: Option<Timestamp>,
    pub(super) next_number: u64,
    pub(super) sitemaps_taken: u32,
}

impl JobRecord {
    pub(super) fn new(name: &str, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            state: JobState::Running,
            began_at: now,
            changed_at: now,
            summary: Summary::default(),
            media_s: 0.0,
            wall_s: 0.0,
            skipped: BTreeMap::new(),
            transient: false,
            stopped_because: None,
            goes_on: false,
            resumed_at: None,
            next_number: 0,
            sitemaps_taken: 0,
        }
    }
}

impl Record for JobRecord {
    const KIND: &'static str = "crawl_job";
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        job_key(&self.name)
    }
}

/// A URL that waits, or is in hand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TaskRecord {
    pub(super) key: String,
    pub(super) task: Task,
}

impl Record for TaskRecord {
    const KIND: &'static str = "crawl_task";
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        self.key.clone()
    }
}

/// Something that need not be looked at again in this run: a URL, the content of a page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SeenRecord {
    pub(super) key: String,
}

impl Record for SeenRecord {
    const KIND: &'static str = "crawl_seen";
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        self.key.clone()
    }
}

/// A document that was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct VisitRecord {
    pub(super) key: String,
    pub(super) visit: Visit,
}

impl Record for VisitRecord {
    const KIND: &'static str = "crawl_visit";
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        self.key.clone()
    }
}

/// A page beyond the depth, unless a shorter way to it comes up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct BeyondRecord {
    pub(super) key: String,
    pub(super) url: Url,
    pub(super) from: u64,
}

impl Record for BeyondRecord {
    const KIND: &'static str = "crawl_beyond";
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        self.key.clone()
    }
}

/// How many URLs of one shape there were, for the rules against pages that are made without end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ShapeRecord {
    pub(super) key: String,
    pub(super) count: u32,
}

impl Record for ShapeRecord {
    const KIND: &'static str = "crawl_shape";
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        self.key.clone()
    }
}

/// A URL that was passed over, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SkipRecord {
    pub(super) key: String,
    /// What was passed over.
    pub skip: Skip,
}

impl Record for SkipRecord {
    const KIND: &'static str = "crawl_skip";
    const JOURNALLED: bool = false;

    fn key(&self) -> String {
        self.key.clone()
    }
}

/// A pointer to music that is not followed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LeadRecord {
    pub(super) key: String,
    /// What, and where it stood.
    pub found: LeadFound,
}

impl Record for LeadRecord {
    const KIND: &'static str = "crawl_lead";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.key.clone()
    }
}

/// What was heard in a media object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// Recordings of the catalogue, sorted.
    pub recordings: Vec<RecordingId>,
    /// Seconds of audio that were listened to.
    pub media_s: f64,
    /// Why it could not be listened to.
    pub error: Option<String>,
    /// Whether all of it was listened to, and the whole catalogue was asked.
    #[serde(default)]
    pub is_whole: bool,
}

/// A window of a media object that was listened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its first byte.
    pub first: u64,
    /// Its number of bytes.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
}

/// A media object that a run came across, and what was heard in it: kept, so that it can be told afterwards what was
/// listened to and what not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SightingRecord {
    pub(super) key: String,
    /// The name of the run's site.
    pub job: String,
    /// Where it was.
    pub media_url: String,
    /// The page that led there.
    pub page_url: Option<String>,
    /// When it was fetched.
    pub captured_at: Timestamp,
    /// When it was last found not to have changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchanged_at: Option<Timestamp>,
    /// SHA-256 of its bytes; of a media object that was listened to in windows only, `None`.
    pub sha256: Option<Digest>,
    /// Its length in bytes.
    pub bytes: u64,
    /// The windows that were listened to, where it was not fetched whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// What was heard.
    pub heard: Heard,
}

impl SightingRecord {
    pub(super) fn of(job: &str, sighting: &Sighting, heard: Heard) -> Self {
        Self {
            key: Self::key_of(job, &sighting.media_url),
            job: job.to_owned(),
            media_url: sighting.media_url.clone(),
            page_url: sighting.page_url.clone(),
            captured_at: sighting.captured_at,
            unchanged_at: None,
            sha256: Some(sighting.sha256),
            bytes: sighting.bytes,
            windows: Vec::new(),
            heard,
        }
    }

    pub(super) fn key_of(job: &str, media_url: &str) -> String {
        format!("{}/{}", job_key(job), hash(media_url, 24))
    }
}

impl Record for SightingRecord {
    const KIND: &'static str = "crawl_sighting";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        self.key.clone()
    }
}

/// What passed between a run and one host: the ledger of manners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostRecord {
    /// The name of the run's site.
    pub job: String,
    /// Scheme, host and port.
    pub authority: String,
    /// The lane that it waits in: the registrable domain, or host and port.
    pub lane: String,
    /// What its robots.txt came to.
    #[serde(default)]
    pub robots: Option<RobotsFetched>,
    /// Requests made, robots.txt and segments included.
    pub requests: u64,
    /// Bytes of bodies taken.
    pub bytes: u64,
    /// Answers by status.
    #[serde(default)]
    pub statuses: BTreeMap<u16, u64>,
    /// Connections that failed.
    #[serde(default)]
    pub failures: u64,
    /// The shortest pause between an answer's end and the next request, in milliseconds.
    #[serde(default)]
    pub pause_ms_min: Option<u64>,
    /// Milliseconds that the last answer took to begin.
    #[serde(default)]
    pub latency_ms: Option<u64>,
    /// When it was last asked.
    pub asked_at: Option<Timestamp>,
    /// Until when it was let alone because it asked for that, or did not answer.
    #[serde(default)]
    pub back_off_until: Option<Timestamp>,
    /// Why it was given up.
    #[serde(default)]
    pub given_up: Option<String>,
}

/// How a robots.txt was fetched, and what it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RobotsFetched {
    /// When.
    pub at: Timestamp,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// SHA-256 of its text, under which the store keeps it.
    pub sha256: Option<Digest>,
    /// What follows where it holds no rules.
    pub note: Option<String>,
    /// The pause that it asks for, in seconds.
    pub crawl_delay_s: Option<f64>,
}

impl HostRecord {
    pub(super) fn new(job: &str, authority: &str, lane: &str) -> Self {
        Self {
            job: job.to_owned(),
            authority: authority.to_owned(),
            lane: lane.to_owned(),
            robots: None,
            requests: 0,
            bytes: 0,
            statuses: BTreeMap::new(),
            failures: 0,
            pause_ms_min: None,
            latency_ms: None,
            asked_at: None,
            back_off_until: None,
            given_up: None,
        }
    }
}

impl Record for HostRecord {
    const KIND: &'static str = "crawl_host";
    const JOURNALLED: bool = true;

    fn key(&self) -> String {
        format!("{}/{}", job_key(&self.job), hash(&self.authority, 24))
    }
}
