//! Pages made by scripts, and what known hosts say: further ways to what a page shows.

use std::sync::Arc;

use url::Url;

use super::discover::{Discovered, MediaKind, MediaLink, discover, extension_kind};
use super::engine::{Engine, Stop, off_the_loop};
use super::event::{Event, SkipReason};
use super::frontier::{Task, TaskKind};
use super::known_host;
use super::lanes::Slot;
use super::render::Rendered;
use crate::base::Digest;
use crate::net::{Policy, shown};

/// Refusals and problems of one page that are told.
const TOLD_MAX: usize = 10;

impl<'a> Engine<'a> {
    /// Adds to what a page holds what it shows when its scripts have run; returns the digest of its picture. A page that
    /// cannot be rendered is still what its bytes say.
    pub(super) async fn add_rendered(
        &'a self,
        url: &Url,
        found: &mut Discovered,
    ) -> Result<Option<Digest>, Stop> {
        let Some(browser) = self.browser.filter(|_| self.plan.render) else { return Ok(None) };
        // The browser asks this host as a visitor does; nobody else of us asks it meanwhile.
        let slot = match self.turn(url).await {
            Ok(slot) => slot,
            Err(Stop::Skip(reason)) => {
                found.problems.push(format!("not rendered: {reason}"));
                return Ok(None);
            }
            Err(stop) => return Err(stop),
        };
        let rendered = browser.render(url, &self.plan.render_limits, anywhere()).await;
        drop(slot);
        match rendered {
            Ok(rendered) => {
                self.count_bytes(rendered.bytes);
                self.merge(url, rendered, found).await
            }
            Err(error) => {
                found.problems.push(format!("not rendered: {error}"));
                Ok(None)
            }
        }
    }

    async fn merge(
        &'a self,
        url: &Url,
        rendered: Rendered,
        found: &mut Discovered,
    ) -> Result<Option<Digest>, Stop> {
        let Rendered { final_url, title, html, frames, media, refused, screenshot_png, problems, .. } =
            rendered;
        let mut documents = vec![(final_url, html)];
        documents.extend(frames.into_iter().map(|frame| (frame.url, frame.html)));
        let more = off_the_loop(url, move || {
            let read =
                |(at, html): &(Url, String)| discover(at, Some("text/html; charset=utf-8"), html.as_bytes());
            documents.iter().map(read).collect::<Vec<_>>()
        })
        .await?;
        if found.title.is_none() && !title.is_empty() {
            found.title = Some(title.chars().take(300).collect());
        }
        // What the browser really asked for goes before what documents hint at.
        for (address, content_type) in media {
            let is_list =
                content_type.is_some_and(|text| text.contains("mpegurl") || text.contains("dash+xml"));
            let by_name = extension_kind(address.path()).unwrap_or(MediaKind::Media);
            let kind = if is_list { MediaKind::Playlist } else { by_name };
            add_media(found, MediaLink { url: address, via: "browser".to_owned(), kind });
        }
        for document in more {
            document.media.into_iter().for_each(|link| add_media(found, link));
            for link in document.links {
                if !found.links.contains(&link) {
                    found.links.push(link);
                }
            }
            let new: Vec<_> = document.leads.into_iter().filter(|lead| !found.leads.contains(lead)).collect();
            found.leads.extend(new);
        }
        for (address, why) in refused.into_iter().take(TOLD_MAX) {
            let skip = crate::crawl::Skip {
                url: address,
                page_url: Some(shown(url)),
                reason: SkipReason::Refused { why },
            };
            self.keep_skip(&skip)?;
            self.tell(Event::Skipped(skip)).await?;
        }
        found.problems.extend(problems.into_iter().take(TOLD_MAX));
        if screenshot_png.is_empty() || self.plan.transient {
            return Ok(None);
        }
        self.store.blobs().put(&screenshot_png)?;
        Ok(Some(Digest::of(&screenshot_png)))
    }

    /// Asks `yt-dlp` about a seed, a player or a page, where that is allowed; `None` where it does not know the URL.
    pub(super) async fn ask_known_hosts(
        &'a self,
        task: &Task,
        slot: &mut Option<Slot<'a>>,
    ) -> Result<Option<Discovered>, Stop> {
        let is_asked = match task.kind {
            TaskKind::Media(MediaKind::Embed) => true,
            TaskKind::Page => task.depth == 0,
            _ => false,
        };
        let Some(known_hosts) = self.known_hosts.filter(|_| is_asked) else { return Ok(None) };
        self.ask_robots(&task.url, slot).await?;
        self.spend(&task.url, true, true)?;
        let resolved = match known_hosts.resolve(&task.url, anywhere()).await {
            Ok(resolved) => resolved,
            Err(known_host::Error::Unknown { .. }) => return Ok(None),
            Err(error) => {
                tracing::warn!("{error}");
                return Ok(None);
            }
        };
        self.count_bytes(resolved.bytes);
        let mut found = Discovered { problems: resolved.problems, ..Discovered::default() };
        for media in resolved.media {
            let kind = match media.kind {
                known_host::MediaKind::File => MediaKind::Media,
                _ => MediaKind::Playlist,
            };
            found.title = found.title.or(media.title);
            let via = format!("yt-dlp:{}", resolved.extractor);
            add_media(&mut found, MediaLink { url: media.url, via, kind });
        }
        found.links = resolved.pages;
        Ok(Some(found))
    }
}

/// The guard of the network room judges addresses; beside it a page may load what it likes.
fn anywhere() -> Policy {
    Arc::new(|_, _| Ok(()))
}

fn add_media(found: &mut Discovered, link: MediaLink) {
    if !found.media.iter().any(|known| known.url == link.url) {
        found.media.push(link);
    }
}
