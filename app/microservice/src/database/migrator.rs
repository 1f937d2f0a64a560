//! Requests to the background task that migrates the tables.

use tokio::sync::{mpsc, oneshot, Mutex};

use super::DatabaseError;

/// The most requests that wait for a migration.
const MAX_WAITING: usize = 64;

/// The migration takes longer than a request may wait.
pub(super) const MIGRATION_PENDING: DatabaseError =
    DatabaseError::Unavailable("the tables are being prepared; try again soon");

/// Where the result of a migration is sent.
pub(super) type Reply = oneshot::Sender<Result<(), DatabaseError>>;

/// The requests, as the task receives them: some wait for the result.
pub(super) type Inbox = mpsc::Receiver<Option<Reply>>;

/// Sends requests to the task.
#[derive(Debug)]
pub(super) struct Migrator {
    requests: mpsc::Sender<Option<Reply>>,
    /// Taken by the task when it starts.
    inbox: Mutex<Option<Inbox>>,
}

impl Default for Migrator {
    fn default() -> Self {
        let (requests, inbox) = mpsc::channel(MAX_WAITING);
        Migrator {
            requests,
            inbox: Mutex::new(Some(inbox)),
        }
    }
}

impl Migrator {
    /// Requests a migration and waits for its result.
    pub(super) async fn migrate_now(&self) -> Result<(), DatabaseError> {
        let (reply, response) = oneshot::channel();
        self.requests.try_send(Some(reply)).map_err(|_| MIGRATION_PENDING)?;
        response.await.unwrap_or(Err(MIGRATION_PENDING))
    }

    /// Requests a migration. If the channel is full, there are such requests already.
    pub(super) fn request_migration(&self) {
        let _ = self.requests.try_send(None);
    }

    /// The requests, for the task; `None` if it runs already.
    pub(super) async fn take_inbox(&self) -> Option<Inbox> {
        self.inbox.lock().await.take()
    }
}
