//! Edge: cleanup at the end of a run, also after a failure or a signal: removes what was created elsewhere.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use diagnostics::{Error, Result};

/// Time limit of the cleanup after a signal.
const LIMIT: Duration = Duration::from_secs(10);

/// The cleanup of a run: the tasks that its guards have started.
#[derive(Clone, Debug, Default)]
pub struct Cleanup {
    begun: Arc<Mutex<Vec<JoinHandle<Result<()>>>>>,
}

impl Cleanup {
    /// Work that begins when the guard is dropped, also when that is because the run is stopped.
    #[must_use]
    pub fn guard(&self, work: impl Future<Output = Result<()>> + Send + 'static) -> CleanupGuard {
        CleanupGuard {
            cleanup: self.clone(),
            work: Some(Box::pin(work)),
        }
    }

    /// Waits for all that has begun, though not for long. What could not be done is returned.
    pub async fn finish(&self) -> Vec<Error> {
        let begun = std::mem::take(&mut *self.begun.lock().unwrap_or_else(PoisonError::into_inner));
        let mut failures = Vec::new();
        let all = async {
            for task in begun {
                // A task that panicked has said so itself.
                failures.extend(task.await.ok().and_then(Result::err));
            }
        };
        if tokio::time::timeout(LIMIT, all).await.is_err() {
            let text = format!("the cleanup was not finished within {} s", LIMIT.as_secs());
            failures.push(Error::cluster(text));
        }
        failures
    }
}

/// Begins its work when it is dropped.
pub struct CleanupGuard {
    cleanup: Cleanup,
    work: Option<Pin<Box<dyn Future<Output = Result<()>> + Send>>>,
}

impl CleanupGuard {
    /// There is nothing to do any more.
    pub fn cancel(mut self) {
        self.work = None;
    }
}

impl Drop for CleanupGuard {
    fn drop(&mut self) {
        // Without a tokio runtime, the task cannot be started.
        if let (Some(work), Ok(runtime)) = (self.work.take(), Handle::try_current()) {
            let mut begun = self.cleanup.begun.lock().unwrap_or_else(PoisonError::into_inner);
            begun.push(runtime.spawn(work));
        }
    }
}

impl fmt::Debug for CleanupGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CleanupGuard")
            .field("is_pending", &self.work.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_begins_when_its_guard_is_dropped_and_is_waited_for() {
        let cleanup = Cleanup::default();
        let guard = cleanup.guard(async {
            tokio::task::yield_now().await;
            Err(Error::cluster("not there"))
        });
        assert_eq!(cleanup.finish().await, []);
        drop(guard);
        let failures = cleanup.finish().await;
        assert_eq!(failures.iter().map(Error::message).collect::<Vec<_>>(), ["not there"]);
        assert_eq!(cleanup.finish().await, []);
        cleanup.guard(async { Err(Error::cluster("not needed")) }).cancel();
        assert_eq!(cleanup.finish().await, []);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_hangs_does_not_hold_the_run_up() {
        let cleanup = Cleanup::default();
        drop(cleanup.guard(std::future::pending()));
        let failures = cleanup.finish().await;
        assert!(failures[0].message().contains("within 10 s"), "{failures:?}");
    }
}
