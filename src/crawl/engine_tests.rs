//! What a run's record says of its end.

#![allow(clippy::unwrap_used)]

use std::sync::OnceLock;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{JobState, Lanes, Plan, Run, ask_to_stop, crawl, jobs};
use crate::base::{Clock, FixedClock, Timestamp};
use crate::config::{FetchSettings, SiteSettings};
use crate::net::Client;
use crate::store::Store;

/// Asks for the end of a run whenever that looks at the clock.
struct Asking<'a>(&'a Store);

impl Clock for Asking<'_> {
    fn now(&self) -> Timestamp {
        // Not yet before it has begun.
        let _ = ask_to_stop(self.0.path(), "site");
        Timestamp::UNIX_EPOCH
    }
}

/// How a run is recorded that is cancelled because of `failure`, or by somebody; `(goes_on, stopped_because)`.
fn recorded(failure: Option<&str>, is_paused: bool, is_asked: bool) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let seeds = vec!["http://127.0.0.1:9/".to_owned()];
    let mut plan = Plan::for_site("site", &SiteSettings { seeds, ..SiteSettings::default() }).unwrap();
    plan.follow_links = false;
    let (failed, cancel) = (OnceLock::new(), CancellationToken::new());
    if let Some(failure) = failure {
        failed.set(failure.to_owned()).unwrap();
    }
    if is_paused {
        plan.pause.cancel();
    }
    cancel.cancel();
    let (asking, fixed) = (Asking(&store), FixedClock(Timestamp::UNIX_EPOCH));
    let clock: &dyn Clock = if is_asked { &asking } else { &fixed };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::new(&FetchSettings::default()).unwrap();
        let lanes = Lanes::new();
        let run = Run {
            plan: &plan,
            client: &client,
            store: &store,
            clock,
            lanes: &lanes,
            browser: None,
            known_hosts: None,
            failure: Some(&failed),
        };
        let (events, _receiver) = mpsc::channel(16);
        assert!(Box::pin(crawl(run, events, &cancel)).await.unwrap().cancelled);
    });
    let job = jobs(&store).unwrap().remove(0);
    assert_eq!(job.state, JobState::Stopped);
    (job.goes_on, job.stopped_because.unwrap())
}

#[test]
fn a_failure_of_ours_is_told_as_one_and_the_run_goes_on_by_itself() {
    let told = |goes_on: bool, why: &str| (goes_on, why.to_owned());
    assert_eq!(recorded(None, false, false), told(false, "somebody stopped it"));
    assert_eq!(recorded(None, true, false), told(true, "it goes on by itself"));
    assert_eq!(recorded(Some("no ears"), false, false), told(true, "it failed: no ears"));
    // A person's word counts more.
    assert_eq!(recorded(Some("no ears"), false, true), told(false, "somebody stopped it"));
}
