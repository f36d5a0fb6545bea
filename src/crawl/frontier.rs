//! What a run still has to do, and what it has seen: kept in the store, of which a few URLs a host are in memory.
//!
//! A URL waits in the queue of its lane (see [`super::pace`]), media before sitemaps before pages; what sitemaps list takes
//! turns with the pages that links lead to, so that neither keeps the other from being read within the run's budget.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::Bound;

use serde::{Deserialize, Serialize};
use url::Url;

use super::address::{self, lane_of};
use super::clearing::clear;
use super::discover::MediaKind;
use super::event::{LeadFound, Skip};
use super::exchanges::Traced;
use super::records::{
    BeyondRecord, JobRecord, JobState, LeadRecord, SeenRecord, ShapeRecord, SkipRecord, TaskRecord,
    VisitRecord, hash, job_key,
};
use super::sighting::Hop;
use crate::base::{Digest, Timestamp};
use crate::store::{self, Batch, Record, Store};

/// URLs that one run may know of; a site that has more is not one.
const TASKS_MAX: u64 = 5_000_000;
/// Hosts that one run may know of.
const LANES_MAX: usize = 20_000;
/// Sitemaps that are taken on in one run.
const SITEMAPS_MAX: u32 = 100;
/// How a URL was learned of that a sitemap lists.
pub(super) const SITEMAP: &str = "sitemap";
/// Tasks of one lane and class that are read from the store at once.
const HEADS: usize = 16;
/// Changes that are collected before they are written even in the middle of a document.
const CHANGES_MAX: usize = 4000;
/// Documents on the way to a task that are told; redirects in circles of scripts could make more.
const WAY_MAX: usize = 40;
/// Skipped URLs that are kept one by one; beyond, they are counted.
const SKIPS_MAX: u64 = 200_000;
/// The longest address that is taken on; a record has a limit, and so has every server.
const URL_BYTES_MAX: usize = 8192;
/// The longest address that is kept of a hop, in characters: a record has a limit.
const HOP_URL_CHARS_MAX: usize = 2000;

/// What a task is to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TaskKind {
    /// A page of the site, whose links are followed.
    Page,
    /// Something that a page plays, shows or lists.
    Media(MediaKind),
    /// A list of the site's pages.
    Sitemap,
}

/// One URL to be fetched.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) url: Url,
    pub(super) kind: TaskKind,
    /// How the URL was learned of.
    pub(super) via: String,
    /// Links from the seed.
    pub(super) depth: u32,
    /// Players and playlists between the page and this.
    pub(super) nesting: u32,
    /// The document that led here, by its number.
    pub(super) from: Option<u64>,
    /// How often it was refused for now.
    pub(super) refusals: u32,
}

impl Task {
    /// The queue within its lane.
    fn class(&self) -> usize {
        match self.kind {
            TaskKind::Media(_) => 0,
            TaskKind::Sitemap => 1,
            TaskKind::Page if self.via == SITEMAP => 3,
            TaskKind::Page => 2,
        }
    }
}

/// A task that somebody works on. It stays in the store until it is [`Frontier::done`].
#[derive(Debug, Clone)]
pub(super) struct InHand {
    pub(super) task: Task,
    key: String,
    lane: String,
}

/// One document that was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Visit {
    pub(super) url: Url,
    pub(super) title: Option<String>,
    /// Whether it is a page, and not a playlist or feed.
    pub(super) is_page: bool,
    pub(super) hops: Vec<Hop>,
    pub(super) from: Option<u64>,
    /// The picture of the page, where it was rendered, under which the store keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) screenshot: Option<Digest>,
    /// What was recorded of its requests, which is kept apart.
    #[serde(skip)]
    pub(super) exchanges: Vec<Traced>,
}

/// Whether a task was taken on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    Yes,
    Known,
    Full,
}

/// The tasks of one lane.
#[derive(Debug, Default)]
struct Queue {
    heads: [VecDeque<TaskRecord>; 4],
    /// The last key that was read from the store, by class.
    read: [String; 4],
    /// Tasks that wait, in memory or not, by class.
    waiting: [u64; 4],
    listed_next: bool,
    /// Tasks that somebody works on.
    in_hand: usize,
}

/// The state of a run.
pub(super) struct Frontier<'s> {
    pub(super) store: &'s Store,
    /// The run's counts; written with each batch.
    pub(super) job: JobRecord,
    pub(super) prefix: String,
    lanes: BTreeMap<String, Queue>,
    waiting: u64,
    sort_query: bool,
    batch: Batch,
    /// What the batch marks as seen, and what it counts, which the store does not tell yet.
    unwritten: HashSet<String>,
    shapes: BTreeMap<String, u32>,
    /// The lane that the last task was taken from.
    last_lane: String,
    /// The keys of the tasks that somebody works on.
    in_hand: HashSet<String>,
}

impl<'s> Frontier<'s> {
    /// Opens the run of this name: goes on with one that was not done, unless `fresh`; begins a new one otherwise.
    /// Returns also whether it goes on with an old one.
    pub(super) fn open(
        store: &'s Store,
        name: &str,
        sort_query: bool,
        fresh: bool,
        now: Timestamp,
    ) -> Result<(Self, bool), store::Error> {
        let key = job_key(name);
        let old = store.get::<JobRecord>(&key)?.filter(|job| job.state != JobState::Done && !fresh);
        let resumes = old.is_some();
        if !resumes {
            clear(store, name)?;
        }
        // One that was only broken off has its own time still.
        let was_stopped = old.as_ref().is_some_and(|job| job.state == JobState::Stopped && !job.goes_on);
        let mut job = old.unwrap_or_else(|| JobRecord::new(name, now));
        if was_stopped {
            job.resumed_at = Some(now);
        }
        (job.state, job.stopped_because, job.summary.cancelled) = (JobState::Running, None, false);
        job.goes_on = false;
        let mut frontier = Self {
            store,
            job,
            prefix: key,
            lanes: BTreeMap::new(),
            waiting: 0,
            sort_query,
            batch: Batch::new(),
            unwritten: HashSet::new(),
            shapes: BTreeMap::new(),
            last_lane: String::new(),
            in_hand: HashSet::new(),
        };
        for record in store.scan::<TaskRecord>(&format!("{}/", frontier.prefix))? {
            let task = record?.task;
            let lane = frontier.lanes.entry(lane_of(&task.url)).or_default();
            lane.waiting[task.class()] += 1;
            frontier.waiting += 1;
        }
        frontier.commit()?;
        Ok((frontier, resumes))
    }

    /// Takes on a task, unless its URL was seen before.
    pub(super) fn add(&mut self, task: Task) -> Result<Added, store::Error> {
        let lane_name = lane_of(&task.url);
        if task.url.as_str().len() > URL_BYTES_MAX {
            return Ok(Added::Full);
        }
        if self.is_seen(&self.url_key(&task.url))? {
            return Ok(Added::Known);
        }
        let is_full = self.waiting >= TASKS_MAX
            || self.lanes.len() >= LANES_MAX && !self.lanes.contains_key(&lane_name)
            || task.kind == TaskKind::Sitemap && self.job.sitemaps_taken >= SITEMAPS_MAX;
        if is_full {
            return Ok(Added::Full);
        }
        self.job.sitemaps_taken += u32::from(task.kind == TaskKind::Sitemap);
        self.mark_seen(&task.url)?;
        let class = task.class();
        let number = self.number();
        let key = format!("{}/{}/{class}{number:012x}", self.prefix, hash(&lane_name, 12));
        self.batch.put(&TaskRecord { key, task })?;
        self.lanes.entry(lane_name).or_default().waiting[class] += 1;
        self.waiting += 1;
        self.write_if_much()?;
        Ok(Added::Yes)
    }

    /// Remembers a URL as seen and returns whether it was new.
    pub(super) fn mark_seen(&mut self, url: &Url) -> Result<bool, store::Error> {
        let key = self.url_key(url);
        self.mark(key)
    }

    /// Returns whether a URL was seen before.
    pub(super) fn knows(&self, url: &Url) -> Result<bool, store::Error> {
        self.is_seen(&self.url_key(url))
    }

    /// Returns whether a page of this content was read before.
    pub(super) fn knows_content(&self, sha256: &Digest) -> Result<bool, store::Error> {
        self.is_seen(&self.content_key(sha256))
    }

    /// Remembers the content of a page as read.
    pub(super) fn mark_content(&mut self, sha256: &Digest) -> Result<bool, store::Error> {
        self.mark(self.content_key(sha256))
    }

    fn content_key(&self, sha256: &Digest) -> String {
        format!("{}/content {}", self.prefix, &sha256.to_string()[..32])
    }

    /// Remembers that a URL is passed over, and returns whether that is new. It may still be taken on, as something else.
    pub(super) fn mark_skipped(&mut self, url: &Url) -> Result<bool, store::Error> {
        if self.knows(url)? {
            return Ok(false);
        }
        let key = format!("{}/skip {}", self.prefix, hash(&address::site_key(url, self.sort_query), 24));
        self.mark(key)
    }

    fn mark(&mut self, key: String) -> Result<bool, store::Error> {
        if self.is_seen(&key)? {
            return Ok(false);
        }
        self.batch.put(&SeenRecord { key: key.clone() })?;
        self.unwritten.insert(key);
        Ok(true)
    }

    fn is_seen(&self, key: &str) -> Result<bool, store::Error> {
        Ok(self.unwritten.contains(key) || self.store.get::<SeenRecord>(key)?.is_some())
    }

    fn url_key(&self, url: &Url) -> String {
        format!("{}/{}", self.prefix, hash(&address::site_key(url, self.sort_query), 24))
    }

    /// The key under which a URL is known from run to run.
    pub(super) fn known_key(&self, url: &Url) -> String {
        self.url_key(url)
    }

    /// Counts one more URL of a shape and returns how many there were.
    pub(super) fn count_shape(&mut self, shape: &str) -> Result<u32, store::Error> {
        let key = format!("{}/{}", self.prefix, hash(shape, 24));
        let before = match self.shapes.get(&key) {
            Some(&count) => count,
            None => self.store.get::<ShapeRecord>(&key)?.map_or(0, |record| record.count),
        };
        let count = before.saturating_add(1);
        self.batch.put(&ShapeRecord { key: key.clone(), count })?;
        self.shapes.insert(key, count);
        Ok(count)
    }

    /// Puts a task back that could not be finished, to be the next of its kind.
    pub(super) fn put_back(&mut self, in_hand: InHand) -> Result<(), store::Error> {
        self.gives_back(&in_hand);
        let InHand { task, key, lane } = in_hand;
        let class = task.class();
        let record = TaskRecord { key, task };
        self.batch.put(&record)?;
        let queue = self.lanes.entry(lane).or_default();
        queue.heads[class].push_front(record);
        queue.waiting[class] += 1;
        self.waiting += 1;
        Ok(())
    }

    /// Ends a task, with whatever else was told since the last [`Frontier::commit`].
    pub(super) fn done(&mut self, in_hand: &InHand) {
        self.gives_back(in_hand);
        self.batch.delete::<TaskRecord>(&in_hand.key);
    }

    fn gives_back(&mut self, in_hand: &InHand) {
        if self.in_hand.remove(&in_hand.key)
            && let Some(queue) = self.lanes.get_mut(&in_hand.lane)
        {
            queue.in_hand = queue.in_hand.saturating_sub(1);
        }
    }

    /// Remembers a page that is too far from the seeds by the way just found.
    pub(super) fn put_beyond(&mut self, url: Url, from: u64) -> Result<(), store::Error> {
        let key = self.url_key(&url);
        if self.is_seen(&key)? {
            return Ok(());
        }
        self.batch.put(&BeyondRecord { key, url, from })?;
        self.write_if_much()
    }

    /// Gives up to a thousand pages that stayed too far from the seeds, each once; `None` when there are no more.
    pub(super) fn take_beyond(&mut self) -> Result<Option<Vec<(Url, u64)>>, store::Error> {
        self.commit()?;
        let records: Vec<BeyondRecord> =
            self.store.scan(&format!("{}/", self.prefix))?.take(1000).collect::<Result<_, _>>()?;
        if records.is_empty() {
            return Ok(None);
        }
        let mut taken = Vec::new();
        for record in records {
            self.batch.delete::<BeyondRecord>(&record.key);
            if self.mark_seen(&record.url)? {
                taken.push((record.url, record.from));
            }
        }
        Ok(Some(taken))
    }

    /// Takes the next task of a lane that `is_ready`, and of which fewer than `in_lane_max` are in hand; the lanes take
    /// turns.
    pub(super) fn take(
        &mut self,
        in_lane_max: usize,
        mut is_ready: impl FnMut(&Url) -> bool,
    ) -> Result<Option<InHand>, store::Error> {
        let after = (Bound::Excluded(self.last_lane.clone()), Bound::Unbounded);
        let until = (Bound::Unbounded, Bound::Included(self.last_lane.clone()));
        let names: Vec<String> = self
            .lanes
            .range::<String, _>(after)
            .chain(self.lanes.range::<String, _>(until))
            .filter(|(_, queue)| {
                queue.in_hand < in_lane_max && queue.waiting.iter().any(|&waiting| waiting > 0)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            let Some(class) = self.peek(&name)? else { continue };
            let Some(queue) = self.lanes.get_mut(&name) else { continue };
            let is_ready = queue.heads[class].front().is_some_and(|record| is_ready(&record.task.url));
            if !is_ready {
                continue;
            }
            let Some(TaskRecord { key, task }) = queue.heads[class].pop_front() else { continue };
            queue.waiting[class] = queue.waiting[class].saturating_sub(1);
            queue.in_hand += 1;
            queue.listed_next = if class == 2 { true } else { queue.listed_next && class != 3 };
            self.waiting = self.waiting.saturating_sub(1);
            self.last_lane.clone_from(&name);
            self.in_hand.insert(key.clone());
            return Ok(Some(InHand { task, key, lane: name }));
        }
        Ok(None)
    }

    /// Returns the URLs that are next in their lanes.
    pub(super) fn nexts(&mut self) -> Result<Vec<Url>, store::Error> {
        let names: Vec<String> = self.lanes.keys().cloned().collect();
        let mut urls = Vec::new();
        for name in names {
            if let Some(class) = self.peek(&name)? {
                let head = self.lanes.get(&name).and_then(|queue| queue.heads[class].front());
                urls.extend(head.map(|record| record.task.url.clone()));
            }
        }
        Ok(urls)
    }

    /// Reads the next tasks of a lane where none is in memory; returns the class of the next one.
    fn peek(&mut self, name: &str) -> Result<Option<usize>, store::Error> {
        let Some(queue) = self.lanes.get_mut(name) else { return Ok(None) };
        let order = if queue.listed_next { [0, 1, 3, 2] } else { [0, 1, 2, 3] };
        let Some(class) = order.into_iter().find(|&class| queue.waiting[class] > 0) else { return Ok(None) };
        if !queue.heads[class].is_empty() {
            return Ok(Some(class));
        }
        if !self.batch.is_empty() {
            self.commit()?;
        }
        let prefix = format!("{}/{}/{class}", self.prefix, hash(name, 12));
        let Some(queue) = self.lanes.get_mut(name) else { return Ok(None) };
        for record in self.store.scan_after::<TaskRecord>(&prefix, &queue.read[class])?.take(HEADS) {
            let record = record?;
            queue.read[class].clone_from(&record.key);
            // Two lanes whose names' hashes agree share their keys.
            if lane_of(&record.task.url) == name {
                queue.heads[class].push_back(record);
            }
        }
        if queue.heads[class].is_empty() {
            self.waiting = self.waiting.saturating_sub(queue.waiting[class]);
            queue.waiting[class] = 0;
            return self.peek(name);
        }
        Ok(Some(class))
    }

    /// Drops all that waits in a lane, in the store too, and returns how many there were.
    pub(super) fn drop_lane(&mut self, name: &str) -> Result<u64, store::Error> {
        self.commit()?;
        let prefix = format!("{}/{}/", self.prefix, hash(name, 12));
        let mut dropped = 0;
        for record in self.store.scan::<TaskRecord>(&prefix)? {
            let TaskRecord { key, task } = record?;
            if lane_of(&task.url) == name && !self.in_hand.contains(&key) {
                self.batch.delete::<TaskRecord>(&key);
                dropped += 1;
                self.write_if_much()?;
            }
        }
        if let Some(queue) = self.lanes.remove(name) {
            self.waiting = self.waiting.saturating_sub(queue.waiting.iter().sum());
        }
        Ok(dropped)
    }

    /// Returns how many tasks wait.
    pub(super) const fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Returns how many tasks wait in each lane.
    pub(super) fn waiting_by_lane(&self) -> impl Iterator<Item = (&str, u64)> {
        self.lanes.iter().map(|(name, queue)| (name.as_str(), queue.waiting.iter().sum()))
    }

    /// Keeps a document that was read and returns its number.
    pub(super) fn visited(&mut self, mut visit: Visit) -> Result<u64, store::Error> {
        for hop in &mut visit.hops {
            if let Some((end, _)) = hop.url.char_indices().nth(HOP_URL_CHARS_MAX) {
                hop.url.truncate(end);
                hop.url.push('…');
            }
        }
        let number = self.number();
        self.keep_exchanges(number, std::mem::take(&mut visit.exchanges))?;
        self.batch.put(&VisitRecord { key: self.visit_key(number), visit })?;
        Ok(number)
    }

    fn visit_key(&self, number: u64) -> String {
        format!("{}/{number:012x}", self.prefix)
    }

    /// Returns the page that a task belongs to: the nearest document on its way that is one.
    pub(super) fn page_of(&mut self, from: Option<u64>) -> Result<Option<Visit>, store::Error> {
        Ok(self.way(from)?.into_iter().map(|(_, visit)| visit).find(|visit| visit.is_page))
    }

    /// Returns the requests that led to a task, the seed's first.
    pub(super) fn hops_to(&mut self, from: Option<u64>) -> Result<Vec<Hop>, store::Error> {
        let way = self.way(from)?;
        Ok(way.into_iter().rev().flat_map(|(_, visit)| visit.hops).collect())
    }

    /// Returns the numbers of the documents that led to a task, the seed's first.
    pub(super) fn numbers_to(&mut self, from: Option<u64>) -> Result<Vec<u64>, store::Error> {
        Ok(self.way(from)?.into_iter().rev().map(|(number, _)| number).collect())
    }

    /// The documents on the way to a task with their numbers, the nearest first.
    fn way(&mut self, from: Option<u64>) -> Result<Vec<(u64, Visit)>, store::Error> {
        if !self.batch.is_empty() {
            self.commit()?;
        }
        let (mut way, mut next) = (Vec::new(), from);
        while let Some(number) = next.filter(|_| way.len() < WAY_MAX) {
            let Some(record) = self.store.get::<VisitRecord>(&self.visit_key(number))? else { break };
            next = record.visit.from;
            way.push((number, record.visit));
        }
        Ok(way)
    }

    /// Keeps a skip with its reason, and counts it.
    pub(super) fn skipped(&mut self, skip: &Skip) -> Result<(), store::Error> {
        self.job.summary.skipped += 1;
        *self.job.skipped.entry(skip.reason.name().to_owned()).or_default() += 1;
        if self.job.summary.skipped <= SKIPS_MAX {
            let number = self.number();
            let key = format!("{}/{number:012x}", self.prefix);
            self.batch.put(&SkipRecord { key, skip: skip.clone() })?;
        }
        self.write_if_much()
    }

    /// Keeps a lead, unless the run has it already; returns whether it was new.
    pub(super) fn lead(&mut self, found: &LeadFound) -> Result<bool, store::Error> {
        let key = format!("{}/{}", self.prefix, hash(&found.lead.target, 24));
        if !self.mark(format!("{}/lead {}", self.prefix, hash(&found.lead.target, 24)))? {
            return Ok(false);
        }
        self.job.summary.leads += 1;
        if self.job.summary.leads <= SKIPS_MAX {
            self.batch.put(&LeadRecord { key, found: found.clone() })?;
        }
        Ok(true)
    }

    /// Keeps a record of another kind with the next batch.
    pub(super) fn keep<R: Record>(&mut self, record: &R) -> Result<(), store::Error> {
        self.batch.put(record)
    }

    /// Writes all that was told since the last time, as one.
    pub(super) fn commit(&mut self) -> Result<(), store::Error> {
        let mut batch = std::mem::take(&mut self.batch);
        batch.put(&self.job)?;
        self.unwritten.clear();
        self.shapes.clear();
        self.store.commit(batch)
    }

    fn write_if_much(&mut self) -> Result<(), store::Error> {
        if self.batch.len() >= CHANGES_MAX { self.commit() } else { Ok(()) }
    }

    /// The next number of the run.
    pub(super) const fn number(&mut self) -> u64 {
        self.job.next_number += 1;
        self.job.next_number
    }
}
