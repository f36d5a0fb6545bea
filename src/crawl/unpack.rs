//! Archives: each piece of audio in one is a media object of its own, with the way to its bytes inside.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use url::Url;

use super::archive::{self, Kind, Limits, Member, MemberPath, Outer, Tools, Visited};
use super::engine::{Engine, Stop};
use super::event::{Error, SkipReason};
use super::frontier::InHand;
use super::keep::Kept;
use super::sighting::{Hop, InArchive};
use crate::net::shown;

/// Members that wait to be listened to: the walk waits when there are more.
const WAITING_MAX: usize = 1;

/// Ends the walk when nobody waits for its members any more.
struct Ends(Arc<AtomicBool>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<'a> Engine<'a> {
    /// Goes through an archive and hands each piece of audio in it over.
    pub(super) async fn unpack(
        &'a self,
        in_hand: &InHand,
        kept: Kept,
        hops: Vec<Hop>,
        file: tempfile::TempPath,
    ) -> Result<(), Stop> {
        let (sender, mut receiver) = mpsc::channel(WAITING_MAX);
        let ends = Ends(Arc::new(AtomicBool::new(false)));
        let is_over = Arc::clone(&ends.0);
        let (sha256, work_dir) = (kept.sha256, self.plan.work_dir.clone());
        let name =
            kept.url.path_segments().and_then(|mut all| all.next_back()).unwrap_or_default().to_owned();
        let walking = tokio::task::spawn_blocking(move || {
            let tools = Tools::find(&std::env::var_os("PATH").unwrap_or_default());
            let outer =
                Outer { path: &file, name: &name, sha256, work_dir: work_dir.as_deref(), tools: &tools };
            let cancelled = || is_over.load(Ordering::Relaxed);
            archive::walk(&outer, &Limits::default(), &cancelled, &mut |visited| match sender
                .blocking_send(visited)
            {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            })
        });
        while let Some(visited) = receiver.recv().await {
            match visited {
                Visited::Member(member) => self.hand_over_member(in_hand, &kept, &hops, *member).await?,
                Visited::Skipped(skipped) => {
                    let url = member_url(&kept.url, &skipped.path);
                    let why = skipped.reason.to_string();
                    self.skip(&url, in_hand.task.from, SkipReason::Member { why }).await?;
                }
            }
        }
        let failed = |reason: String| Stop::Fail(Error::Document { url: shown(&kept.url), reason });
        match walking.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(panic) => Err(failed(panic.to_string())),
        }
    }

    async fn hand_over_member(
        &'a self,
        in_hand: &InHand,
        archive: &Kept,
        hops: &[Hop],
        member: Member,
    ) -> Result<(), Stop> {
        let url = member_url(&archive.url, &member.path);
        if member.kind != Kind::Media {
            let why = "a playlist or cue sheet; the audio beside it is listened to".to_owned();
            return self.skip(&url, in_hand.task.from, SkipReason::Member { why }).await;
        }
        let kept = Kept {
            url,
            bytes: member.bytes,
            sha256: member.sha256,
            at: archive.at,
            content_type: None,
            peer: archive.peer.clone(),
            robots: archive.robots.clone(),
            validators: None,
            warnings: member.damage.into_iter().collect(),
            exchanges: archive.exchanges.clone(),
        };
        let inside = InArchive { sha256: archive.sha256, bytes: archive.bytes, path: member.path };
        self.hand_over(in_hand.task.from, kept, hops.to_vec(), Some(inside), member.file).await.map(drop)
    }
}

/// The address of a member: the archive's, with the way inside as its fragment.
fn member_url(archive: &Url, path: &MemberPath) -> Url {
    let mut url = archive.clone();
    let text = path.to_string();
    url.set_fragment((!text.is_empty()).then_some(text.as_str()));
    url
}
