//! What is still to be done when a run ends, however it ends: a signal drops the command's future, and nothing that stands
//! behind an await in it is done any more.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use tokio::task::JoinHandle;

use diagnostics::{Failure, Outcome};

/// Nobody waits longer than this for a command to end that was told to.
const LIMIT: Duration = Duration::from_secs(10);

/// What has begun.
static BEGUN: Mutex<Vec<JoinHandle<Outcome<()>>>> = Mutex::new(Vec::new());

/// Work that begins when this is dropped, and that the process waits for.
pub struct Parting(Option<BoxFuture<'static, Outcome<()>>>);

impl Parting {
    /// Nothing is done yet.
    pub fn new(work: impl Future<Output = Outcome<()>> + Send + 'static) -> Self {
        Self(Some(work.boxed()))
    }

    /// It is not needed any more.
    pub fn cancel(mut self) {
        self.0 = None;
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            let mut begun = BEGUN.lock().unwrap_or_else(PoisonError::into_inner);
            begun.push(tokio::spawn(work));
        }
    }
}

/// Waits for all that has begun, though not for long. What could not be done is told.
pub async fn done() -> Vec<Failure> {
    let begun = std::mem::take(&mut *BEGUN.lock().unwrap_or_else(PoisonError::into_inner));
    let all = futures::future::join_all(begun);
    match tokio::time::timeout(LIMIT, all).await {
        Ok(ended) => ended.into_iter().flatten().filter_map(Result::err).collect(),
        Err(_) => vec![Failure::cluster("not everything could be put away in time")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_begins_when_it_is_dropped_and_is_waited_for() {
        let parting = Parting::new(async {
            tokio::task::yield_now().await;
            Err(Failure::cluster("not there"))
        });
        assert_eq!(done().await, []);
        drop(parting);
        let failures = done().await;
        assert_eq!(failures.iter().map(Failure::what).collect::<Vec<_>>(), ["not there"]);
        assert_eq!(done().await, []);
        Parting::new(async { Err(Failure::cluster("not needed")) }).cancel();
        assert_eq!(done().await, []);
    }
}
