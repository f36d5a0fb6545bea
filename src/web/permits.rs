//! How many handlers work at once: bounded by kind, so that slow ones leave room for quick ones, and all of them together
//! leave threads for the crawls.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::crowd::{Crowd, Inside};
use super::fault::Fault;

/// Handlers of each kind at a time: 76 together, of the 512 threads that block in a runtime of tokio.
const QUICK: usize = 64;
const HASHING: usize = 4;
const SHOWN: usize = 4;
const SLOW: usize = 4;
/// Uploads under way at a time, and of one account.
const UPLOADS: usize = 8;
const UPLOADS_OF_ONE: usize = 2;
/// For how long a request waits for its turn. A case's sounds and pictures are made one case at a time, in seconds, and a page
/// asks for all of them at once.
const TURN_WAIT: Duration = Duration::from_secs(20);

/// What a handler costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// A look at the store, a page.
    Quick,
    /// A password is hashed.
    Hashing,
    /// Sounds and pictures of a case are made.
    Shown,
    /// Media are decoded or documents laid out: seconds to minutes.
    Slow,
}

/// Who may work now.
pub(super) struct Permits {
    quick: Arc<Semaphore>,
    hashing: Arc<Semaphore>,
    shown: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
    uploading: Arc<Crowd<String>>,
    wait: Duration,
}

/// A place for an upload, until dropped.
pub(super) struct Uploading {
    _place: OwnedSemaphorePermit,
    _of_account: Inside<String>,
}

impl Default for Permits {
    fn default() -> Self {
        Self::waiting(TURN_WAIT)
    }
}

impl Permits {
    fn waiting(wait: Duration) -> Self {
        let places = |count: usize| Arc::new(Semaphore::new(count));
        Self {
            quick: places(QUICK),
            hashing: places(HASHING),
            shown: places(SHOWN),
            slow: places(SLOW),
            uploads: places(UPLOADS),
            uploading: Arc::default(),
            wait,
        }
    }

    /// Waits for a turn, but not for ever. To be held until the handler has returned, whether somebody waits for its answer or not.
    ///
    /// # Errors
    /// [`Fault::busy`] where there was none in time.
    pub(super) async fn take(&self, effort: Effort) -> Result<OwnedSemaphorePermit, Fault> {
        let places = match effort {
            Effort::Quick => &self.quick,
            Effort::Hashing => &self.hashing,
            Effort::Shown => &self.shown,
            Effort::Slow => &self.slow,
        };
        let taken = tokio::time::timeout(self.wait, Arc::clone(places).acquire_owned()).await;
        taken.ok().and_then(Result::ok).ok_or_else(|| Fault::busy(self.wait.as_secs().max(1)))
    }

    /// A place for an upload of an account.
    ///
    /// # Errors
    /// [`Fault::busy`] where there are too many, of all or of this account.
    pub(super) fn upload(&self, account: &str) -> Result<Uploading, Fault> {
        let busy = || Fault::busy(self.wait.as_secs().max(1));
        let of_account = self.uploading.enter(account.to_owned(), UPLOADS_OF_ONE).ok_or_else(busy)?;
        let place = Arc::clone(&self.uploads).try_acquire_owned().map_err(|_| busy())?;
        Ok(Uploading { _place: place, _of_account: of_account })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn slow_work_leaves_room_for_quick_work() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let permits = Permits::waiting(Duration::from_millis(10));
        runtime.block_on(async {
            let mut held = Vec::new();
            for _ in 0..SLOW {
                held.push(permits.take(Effort::Slow).await.unwrap());
            }
            let refused = permits.take(Effort::Slow).await.unwrap_err();
            assert_eq!((refused.status.as_u16(), refused.retry_after_s), (503, Some(1)));
            assert!(permits.take(Effort::Quick).await.is_ok());
            assert!(permits.take(Effort::Shown).await.is_ok());
            held.pop();
            assert!(permits.take(Effort::Slow).await.is_ok());
        });
    }

    #[test]
    fn one_account_does_not_take_all_places_of_uploads() {
        let permits = Permits::default();
        let held: Vec<_> = (0..UPLOADS_OF_ONE).map(|_| permits.upload("mika").unwrap()).collect();
        assert_eq!(permits.upload("mika").err().unwrap().status.as_u16(), 503);
        let others: Vec<_> =
            (UPLOADS_OF_ONE..UPLOADS).map(|n| permits.upload(&n.to_string()).unwrap()).collect();
        assert!(permits.upload("jun").is_err());
        drop(held);
        assert!(permits.upload("jun").is_ok());
        drop(others);
    }
}
