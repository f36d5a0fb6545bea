//! Sitemaps as further seeds: what the robots.txt of the seeds' hosts names is read, and what that lists is crawled.

use super::address::trap;
use super::discover::sitemap::{self, Sitemap};
use super::engine::{Engine, Stop, off_the_loop, other_extension};
use super::event::{Event, PageRead, SkipReason};
use super::fetch::Answer;
use super::frontier::{Added, SITEMAP, Task, TaskKind, Visit};
use crate::net::shown;

/// How far indexes lead: from robots.txt to an index, and from there to the sitemaps.
const INDEX_DEPTH_MAX: u32 = 1;

impl Engine<'_> {
    /// Takes on the sitemaps that the robots.txt of the seeds' hosts name.
    pub(super) async fn sow_sitemaps(&mut self) {
        if !self.plan.follow_links {
            return;
        }
        for seed in &self.plan.seeds {
            // Why a host cannot be reached, or not at all, its seed's own visit tells.
            if self.client.check(seed).is_err() || self.gate.decide(seed).await.is_err() {
                continue;
            }
            for written in self.gate.sitemaps(seed) {
                let Ok(url) = seed.join(&written) else { continue };
                let (kind, via) = (TaskKind::Sitemap, SITEMAP.to_owned());
                self.frontier.add(Task { url, kind, via, depth: 0, nesting: 0, from: None, refusals: 0 });
            }
        }
    }

    /// Reads a sitemap and takes on what it lists.
    pub(super) async fn read_sitemap(&mut self, task: &Task, answer: Answer) -> Result<(), Stop> {
        let Answer { opened, hops, .. } = answer;
        let url = opened.final_url.clone();
        let bytes = opened.body.collect().await.map_err(|error| Stop::Fail(error.into()))?;
        let at = url.clone();
        let map = off_the_loop(&url, move || sitemap::read(&at, &bytes)).await?;
        let visit = Visit { url: url.clone(), title: None, is_page: false, hops, from: task.from };
        let from = self.frontier.visited(visit);
        self.summary.pages += 1;
        let (media, links) = (map.media.len(), map.pages.len());
        let problems = self.take_listed(task, from, map);
        self.tell(Event::Page(PageRead { url: shown(&url), title: None, media, links, problems })).await
    }

    /// Takes on what a sitemap lists and returns what is to be said of it. One event for each of fifty thousand
    /// addresses of another site would help nobody, so that these are counted only.
    fn take_listed(&mut self, task: &Task, from: usize, map: Sitemap) -> Vec<String> {
        let mut problems = map.problems;
        let (mut outside, mut full, mut nested) = (0_u32, 0_u32, 0_u32);
        let mut take = |engine: &mut Self, url, kind, nesting| {
            let (via, depth, from) = (SITEMAP.to_owned(), 0, Some(from));
            let added = engine.frontier.add(Task { url, kind, via, depth, nesting, from, refusals: 0 });
            full += u32::from(added == Added::Full);
        };
        for url in map.sitemaps {
            if task.nesting < INDEX_DEPTH_MAX {
                take(self, url, TaskKind::Sitemap, task.nesting + 1);
            } else {
                nested += 1;
            }
        }
        for link in map.media {
            take(self, link.url, TaskKind::Media(link.kind), 0);
        }
        for url in map.pages {
            if !self.in_scope(&url) || other_extension(url.path()).is_some() || trap(&url).is_some() {
                outside += 1;
            } else {
                take(self, url, TaskKind::Page, 0);
            }
        }
        for (count, what) in [
            (outside, "lead out of the site or to no page"),
            (nested, "are sitemaps of an index in an index"),
            (full, "are more than can be kept in mind"),
        ] {
            if count > 0 {
                problems.push(format!("{count} of its addresses {what}"));
            }
        }
        problems
    }

    /// Tells that a sitemap could not be read: no failure of the run, since nobody asked for it.
    pub(super) async fn skip_sitemap(&mut self, task: &Task, reason: &super::Error) -> Result<(), Stop> {
        let reason = SkipReason::NoSitemap { reason: reason.to_string() };
        self.skip(&task.url, task.from, reason).await
    }
}
