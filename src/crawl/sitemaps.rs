//! Sitemaps as further seeds: what the robots.txt of the seeds' hosts names is read, and what that lists is crawled.

use super::address::trap;
use super::discover::sitemap::{self, Sitemap};
use super::engine::{Engine, Stop, off_the_loop};
use super::event::{Event, PageRead};
use super::fetch::Answer;
use super::frontier::{Added, Frontier, InHand, SITEMAP, Task, TaskKind, Visit};
use super::read::other_extension;
use crate::base::lock;
use crate::net::shown;
use crate::store;

/// How far indexes lead: from robots.txt to an index, and from there to the sitemaps.
const INDEX_DEPTH_MAX: u32 = 1;

impl<'a> Engine<'a> {
    /// Takes on the sitemaps that the robots.txt of the seeds' hosts name.
    pub(super) async fn sow_sitemaps(&'a self) -> Result<(), Stop> {
        if !self.plan.follow_links {
            return Ok(());
        }
        for seed in &self.plan.seeds {
            // Why a host cannot be reached, or not at all, its seed's own visit tells.
            match self.ask_robots(seed, &mut None).await {
                Err(stop @ (Stop::Store(_) | Stop::Deaf)) => return Err(stop),
                Err(_) => continue,
                Ok(_) => {}
            }
            let written = lock(&self.gate).sitemaps(seed);
            let mut frontier = lock(&self.frontier);
            for text in written {
                let Ok(url) = seed.join(&text) else { continue };
                let (kind, via) = (TaskKind::Sitemap, SITEMAP.to_owned());
                frontier.add(Task { url, kind, via, depth: 0, nesting: 0, from: None, refusals: 0 })?;
            }
        }
        Ok(())
    }

    /// Reads a sitemap and takes on what it lists.
    pub(super) async fn read_sitemap(&'a self, in_hand: &InHand, answer: Answer<'a>) -> Result<(), Stop> {
        let Answer { opened, hops, held, tracing, .. } = answer;
        tracing.trace.want_body(0);
        let url = opened.final_url.clone();
        let bytes = opened.body.collect().await.map_err(|error| Stop::Fail(error.into()))?;
        held.end();
        let (exchanges, _) = tracing.take();
        let at = url.clone();
        let map = off_the_loop(&url, move || sitemap::read(&at, &bytes)).await?;
        let (media, links) = (map.media.len(), map.pages.len());
        let problems = {
            let mut frontier = lock(&self.frontier);
            let from = in_hand.task.from;
            let url = url.clone();
            let visit = Visit { url, title: None, is_page: false, hops, from, screenshot: None, exchanges };
            let from = frontier.visited(visit)?;
            frontier.job.summary.pages += 1;
            let problems = self.take_listed(&mut frontier, &in_hand.task, from, map)?;
            frontier.done(in_hand);
            frontier.commit()?;
            problems
        };
        self.tell(Event::Page(PageRead { url: shown(&url), title: None, media, links, problems })).await
    }

    /// Takes on what a sitemap lists and returns what is to be said of it. One event for each of fifty thousand
    /// addresses of another site would help nobody, so that these are counted only.
    fn take_listed(
        &self,
        frontier: &mut Frontier<'_>,
        task: &Task,
        from: u64,
        map: Sitemap,
    ) -> Result<Vec<String>, store::Error> {
        let mut problems = map.problems;
        let (mut outside, mut full, mut nested) = (0_u32, 0_u32, 0_u32);
        let mut take = |url, kind, nesting| {
            let (via, depth, from) = (SITEMAP.to_owned(), 0, Some(from));
            let added = frontier.add(Task { url, kind, via, depth, nesting, from, refusals: 0 })?;
            full += u32::from(added == Added::Full);
            Ok::<(), store::Error>(())
        };
        for url in map.sitemaps {
            if task.nesting < INDEX_DEPTH_MAX {
                take(url, TaskKind::Sitemap, task.nesting + 1)?;
            } else {
                nested += 1;
            }
        }
        for link in map.media {
            take(link.url, TaskKind::Media(link.kind), 0)?;
        }
        for url in map.pages {
            let scope = &self.plan.scope;
            if !scope.holds(&url) || other_extension(url.path()).is_some() || trap(&url).is_some() {
                outside += 1;
            } else {
                take(url, TaskKind::Page, 0)?;
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
        Ok(problems)
    }
}
