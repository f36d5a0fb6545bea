//! Crawling and listening side by side: one thread drives the network, others listen to what it brings, and never more
//! files lie on disk than are being fetched.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::pipeline::{Checked, Error, Pipeline, Told};
use crate::base::{chain, lock};
use crate::crawl::known_host::KnownHosts;
use crate::crawl::render::Browser;
use crate::crawl::{self, Event, Found, Heard, Hearing, Lanes, Plan, Probe, Summary};
use crate::net::Client;

/// Events that wait to be told: the crawl waits when there are more.
const WAITING_MAX: usize = 16;
/// Characters of a failure that stand in the run's record.
const FAILURE_CHARS_MAX: usize = 300;

/// How many files are listened to at once, over all runs of a process.
#[derive(Debug)]
pub struct Ears {
    free: Mutex<usize>,
    changed: Condvar,
    count: usize,
}

impl Ears {
    /// One for each core.
    #[must_use]
    pub fn one_per_core() -> Self {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        Self { free: Mutex::new(count), changed: Condvar::new(), count }
    }

    /// Waits for one, and uses it.
    fn with<T>(&self, listen: impl FnOnce() -> T) -> T {
        let mut free = lock(&self.free);
        while *free == 0 {
            free = self.changed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        drop(free);
        let back = Back(self);
        let heard = listen();
        drop(back);
        heard
    }
}

/// Gives one back, whatever happens.
struct Back<'e>(&'e Ears);

impl Drop for Back<'_> {
    fn drop(&mut self) {
        *lock(&self.0.free) += 1;
        self.0.changed.notify_one();
    }
}

/// What the runs of one process share.
pub struct Together {
    /// The turns at hosts.
    pub lanes: Lanes,
    /// Who listens.
    pub ears: Ears,
    /// Renders the pages of sites that want it.
    pub browser: Option<Browser>,
    /// Knows the media of known hosts.
    pub known_hosts: Option<KnownHosts>,
}

impl Default for Together {
    fn default() -> Self {
        Self { lanes: Lanes::new(), ears: Ears::one_per_core(), browser: None, known_hosts: None }
    }
}

/// Something to be listened to, and where to say what was heard.
enum Job {
    Found(Box<Found>, Hearing),
    Probe(Box<Probe>, Hearing),
}

impl Pipeline<'_> {
    /// Carries out a crawl plan and checks all that it finds; `tell` hears of everything, one thing at a time.
    ///
    /// Blocks; `runtime` drives the network meanwhile, so that this must not be called on one of its own threads but
    /// inside `block_in_place`.
    ///
    /// # Errors
    /// [`Error`] when the store fails; the crawl is then stopped.
    pub fn crawl(
        &self,
        plan: &Plan,
        client: &Client,
        together: &Together,
        runtime: &Handle,
        cancel: &CancellationToken,
        tell: &mut (dyn FnMut(Told<'_>) + Send),
    ) -> Result<Summary, Error> {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let why = OnceLock::new();
        let run = crawl::Run {
            plan,
            client,
            store: self.library.store(),
            clock: self.clock,
            lanes: &together.lanes,
            browser: together.browser.as_ref(),
            known_hosts: together.known_hosts.as_ref(),
            failure: Some(&why),
        };
        // Told before the run ends by it: its record is to say so.
        let fail = |what: &str| {
            let _ = why.set(what.chars().take(FAILURE_CHARS_MAX).collect());
            cancel.cancel();
        };
        let (tell, failure, panicked) = (Mutex::new(tell), Mutex::new(None), Mutex::new(None));
        // As many wait as can be listened to; more would only hold files.
        let (jobs, waiting) = std::sync::mpsc::sync_channel(0);
        let waiting = Mutex::new(waiting);
        let summary = std::thread::scope(|scope| {
            let crawling = scope.spawn(|| runtime.block_on(Box::pin(crawl::crawl(run, sender, cancel))));
            for _ in 0..together.ears.count {
                scope.spawn(|| {
                    loop {
                        let job = lock(&waiting).recv();
                        let Ok(job) = job else { return };
                        // A listener that panics must not leave its job's sender waiting for ever.
                        let listening = AssertUnwindSafe(|| together.ears.with(|| self.listen(job, &tell)));
                        match catch_unwind(listening) {
                            Ok(Ok(())) => {}
                            Ok(Err(error)) => {
                                fail(&chain(&error));
                                *lock(&failure) = Some(error);
                            }
                            Err(panic) => {
                                fail("who listened panicked; the log says where");
                                *lock(&panicked) = Some(panic);
                            }
                        }
                    }
                });
            }
            hand_out(receiver, &jobs, &tell);
            drop(jobs);
            crawling.join()
        });
        if let Some(panic) = panicked.into_inner().unwrap_or_else(PoisonError::into_inner) {
            resume_unwind(panic);
        }
        if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        match summary {
            Ok(summary) => Ok(summary?),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Listens to one file. Where that fails nothing is answered, so that the file's URL stays to be done.
    fn listen(&self, job: Job, tell: &Mutex<&mut (dyn FnMut(Told<'_>) + Send)>) -> Result<(), Error> {
        match job {
            Job::Found(found, hearing) => {
                let checked = self.check_found(&found)?;
                lock(tell)(Told::Checked(&checked));
                hearing.heard(heard(&checked));
            }
            Job::Probe(probe, hearing) => hearing.heard(heard(&self.check_probe(&probe)?)),
        }
        Ok(())
    }
}

/// Gives what is to be listened to, to whoever is free, and tells the rest.
fn hand_out(
    mut receiver: mpsc::Receiver<Event>,
    jobs: &std::sync::mpsc::SyncSender<Job>,
    tell: &Mutex<&mut (dyn FnMut(Told<'_>) + Send)>,
) {
    while let Some(event) = receiver.blocking_recv() {
        let sent = match event {
            Event::Found(found, hearing) => jobs.send(Job::Found(found, hearing)),
            Event::Probe(probe, hearing) => jobs.send(Job::Probe(probe, hearing)),
            other => {
                lock(tell)(Told::Crawl(&other));
                Ok(())
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

fn heard(checked: &Checked) -> Heard {
    Heard {
        recordings: checked.findings.iter().map(|finding| finding.recording_id.clone()).collect(),
        media_s: checked.media.as_ref().map_or(0.0, |media| media.duration_s),
        error: checked.error.clone(),
        // Every warning tells of something that was not heard: the end of a file, damage, a search that was cut short.
        is_whole: checked.media.as_ref().is_some_and(|media| media.warnings.is_empty()),
    }
}
