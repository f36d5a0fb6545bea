//! What is still to be fetched, and what has been seen: the whole state of a run, in a form that can be stored.

use std::collections::{HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use url::Url;

use super::address;
use super::discover::MediaKind;
use super::sighting::Hop;

/// URLs that may wait.
const WAITING_MAX: usize = 50_000;
/// URLs from sitemaps that may wait besides.
const LISTED_MAX: usize = 50_000;
/// Sitemaps that are taken on in one run.
const SITEMAPS_MAX: u32 = 100;
/// How a URL was learned of that a sitemap lists.
pub(super) const SITEMAP: &str = "sitemap";
/// URLs that are remembered as seen.
const SEEN_MAX: usize = 500_000;

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
    /// The document that led here, by its place in [`Frontier::visits`].
    pub(super) from: Option<usize>,
    /// How often it was refused for now.
    pub(super) refusals: u32,
}

/// One document that was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Visit {
    pub(super) url: Url,
    pub(super) title: Option<String>,
    /// Whether it is a page, and not a playlist or feed.
    pub(super) is_page: bool,
    pub(super) hops: Vec<Hop>,
    pub(super) from: Option<usize>,
}

/// Whether a task was taken on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    Yes,
    Known,
    Full,
}

/// The state of a run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Frontier {
    /// Media come before pages, so that what a page shows is fetched while its addresses are still valid.
    media: VecDeque<Task>,
    pages: VecDeque<Task>,
    /// What sitemaps list; takes turns with the pages that links lead to, so that neither keeps the other from being
    /// read within the run's limit of requests.
    listed: VecDeque<Task>,
    listed_next: bool,
    sitemaps: VecDeque<Task>,
    sitemaps_taken: u32,
    seen: HashSet<String>,
    visits: Vec<Visit>,
    /// Pages beyond the depth: skipped unless a shorter way to them comes up.
    beyond: Vec<(Url, usize)>,
    /// The task that is being worked on, so that a run that is stopped there loses nothing.
    pub(super) in_hand: Option<Task>,
    /// Requests made so far.
    pub(super) requests: u64,
}

impl Frontier {
    /// Takes on a task, unless its URL was seen before.
    pub(super) fn add(&mut self, task: Task) -> Added {
        let key = address::key(&task.url);
        if self.seen.contains(&key) {
            return Added::Known;
        }
        let is_full = match &task {
            _ if self.seen.len() >= SEEN_MAX => true,
            Task { kind: TaskKind::Sitemap, .. } => self.sitemaps_taken >= SITEMAPS_MAX,
            task if task.via == SITEMAP => self.listed.len() >= LISTED_MAX,
            _ => self.media.len() + self.pages.len() >= WAITING_MAX,
        };
        if is_full {
            return Added::Full;
        }
        self.sitemaps_taken += u32::from(task.kind == TaskKind::Sitemap);
        self.seen.insert(key);
        self.queue(&task).push_back(task);
        Added::Yes
    }

    /// Remembers a URL as seen and returns whether it was new.
    pub(super) fn mark_seen(&mut self, url: &Url) -> bool {
        self.seen.len() < SEEN_MAX && self.seen.insert(address::key(url))
    }

    /// Puts a task back that could not be finished.
    pub(super) fn put_back(&mut self, task: Task) {
        self.queue(&task).push_front(task);
    }

    /// Remembers a page that is too far from the seeds by the way just found.
    pub(super) fn put_beyond(&mut self, url: Url, from: usize) {
        if self.beyond.len() < WAITING_MAX {
            self.beyond.push((url, from));
        }
    }

    /// Gives up the pages that stayed too far from the seeds, each once.
    pub(super) fn take_beyond(&mut self) -> Vec<(Url, usize)> {
        let beyond = std::mem::take(&mut self.beyond);
        beyond.into_iter().filter(|(url, _)| self.mark_seen(url)).collect()
    }

    /// Takes the first task that `is_ready`.
    pub(super) fn take(&mut self, is_ready: impl Fn(&Task) -> bool) -> Option<Task> {
        let listed_first = self.listed_next;
        let (first, second) = match listed_first {
            true => (&mut self.listed, &mut self.pages),
            false => (&mut self.pages, &mut self.listed),
        };
        for (queue, takes_turns) in
            [(&mut self.media, false), (&mut self.sitemaps, false), (first, true), (second, true)]
        {
            if let Some(at) = queue.iter().position(&is_ready) {
                self.listed_next = listed_first != takes_turns;
                return queue.remove(at);
            }
        }
        None
    }

    /// Returns all waiting tasks.
    pub(super) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.media.iter().chain(&self.sitemaps).chain(&self.pages).chain(&self.listed)
    }

    /// Returns how many tasks wait.
    pub(super) fn waiting(&self) -> usize {
        self.media.len() + self.sitemaps.len() + self.pages.len() + self.listed.len()
    }

    /// Keeps a document that was read and returns its place.
    pub(super) fn visited(&mut self, visit: Visit) -> usize {
        self.visits.push(visit);
        self.visits.len() - 1
    }

    /// Returns the page that a task belongs to: the nearest document on its way that is one.
    pub(super) fn page_of(&self, from: Option<usize>) -> Option<&Visit> {
        self.way(from).find(|visit| visit.is_page)
    }

    /// Returns the requests that led to a task, the seed's first.
    pub(super) fn hops_to(&self, from: Option<usize>) -> Vec<Hop> {
        let mut visits: Vec<_> = self.way(from).collect();
        visits.reverse();
        visits.iter().flat_map(|visit| visit.hops.iter().cloned()).collect()
    }

    /// The documents on the way to a task, the nearest first.
    fn way(&self, from: Option<usize>) -> impl Iterator<Item = &Visit> {
        let mut next = from.and_then(|at| self.visits.get(at));
        std::iter::from_fn(move || {
            let visit = next?;
            next = visit.from.and_then(|at| self.visits.get(at));
            Some(visit)
        })
    }

    fn queue(&mut self, task: &Task) -> &mut VecDeque<Task> {
        match task.kind {
            TaskKind::Sitemap => &mut self.sitemaps,
            _ if task.via == SITEMAP => &mut self.listed,
            TaskKind::Page => &mut self.pages,
            TaskKind::Media(_) => &mut self.media,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn task(url: &str, kind: TaskKind, from: Option<usize>) -> Task {
        let url = Url::parse(url).unwrap();
        Task { url, kind, via: "link".to_owned(), depth: 0, nesting: 0, from, refusals: 0 }
    }

    #[test]
    fn media_first_each_once_and_storable() {
        let mut frontier = Frontier::default();
        assert_eq!(frontier.add(task("http://a.example/1", TaskKind::Page, None)), Added::Yes);
        assert_eq!(frontier.add(task("http://a.example/1#x", TaskKind::Page, None)), Added::Known);
        frontier.add(task("http://a.example/2.mp3", TaskKind::Media(MediaKind::Media), None));
        let stored = serde_json::to_string(&frontier).unwrap();
        let mut frontier: Frontier = serde_json::from_str(&stored).unwrap();
        assert_eq!(frontier.take(|_| true).unwrap().url.path(), "/2.mp3");
        assert_eq!(frontier.take(|_| true).unwrap().url.path(), "/1");
        assert!(frontier.take(|_| true).is_none());
    }

    #[test]
    fn listed_pages_take_turns_with_linked_ones() {
        let mut frontier = Frontier::default();
        for number in 0..3 {
            frontier.add(task(&format!("http://a.example/linked{number}"), TaskKind::Page, None));
            let listed = task(&format!("http://a.example/listed{number}"), TaskKind::Page, None);
            frontier.add(Task { via: SITEMAP.to_owned(), ..listed });
        }
        frontier.add(task("http://a.example/map", TaskKind::Sitemap, None));
        frontier.add(task("http://a.example/2.mp3", TaskKind::Media(MediaKind::Media), None));
        assert_eq!(frontier.waiting(), 8);
        let paths: Vec<_> =
            std::iter::from_fn(|| frontier.take(|_| true)).map(|task| task.url.path().to_owned()).collect();
        assert_eq!(
            paths,
            ["/2.mp3", "/map", "/linked0", "/listed0", "/linked1", "/listed1", "/linked2", "/listed2"]
        );
        for number in 0..=SITEMAPS_MAX {
            let added =
                frontier.add(task(&format!("http://a.example/{number}.xml"), TaskKind::Sitemap, None));
            assert_eq!(added == Added::Full, number >= SITEMAPS_MAX - 1);
        }
    }

    #[test]
    fn the_way_leads_back_to_the_seed() {
        let mut frontier = Frontier::default();
        let mut visit = |path: &str, is_page, from| {
            let url = Url::parse(&format!("http://a.example{path}")).unwrap();
            let hop = Hop {
                url: url.to_string(),
                status: 200,
                peer: None,
                via: "seed".to_owned(),
                at: jiff::Timestamp::UNIX_EPOCH,
            };
            frontier.visited(Visit { url, title: None, is_page, hops: vec![hop], from })
        };
        let page = visit("/", true, None);
        let list = visit("/list.m3u", false, Some(page));
        assert_eq!(frontier.page_of(Some(list)).unwrap().url.path(), "/");
        let urls: Vec<_> = frontier.hops_to(Some(list)).into_iter().map(|hop| hop.url).collect();
        assert_eq!(urls, ["http://a.example/", "http://a.example/list.m3u"]);
    }
}
