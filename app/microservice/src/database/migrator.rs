//! A background task that migrates the tables.
//!
//! It migrates at the start, as soon as the database can be reached, so that a rollout becomes ready by itself; when
//! `/init` is called; and when a request finds the tables missing, such as after the volume of the database was
//! replaced. `/readyz` only reads the version and triggers the task: a probe must not wait for a migration.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot, Mutex};
use tokio::time::timeout;

use super::{Database, DatabaseError, Tables};
use crate::log::{self, Level};

/// The pause after a failed attempt.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// The most requests that wait for a migration.
const MAX_WAITING: usize = 64;

/// The migration takes longer than a request may wait.
pub(super) const MIGRATION_PENDING: DatabaseError =
    DatabaseError::Unavailable("the tables are being prepared; try again soon");

type Reply = oneshot::Sender<Result<(), DatabaseError>>;

/// Sends requests to the task.
#[derive(Debug)]
pub(super) struct Migrator {
    requests: mpsc::Sender<Option<Reply>>,
    /// Taken by the task when it starts.
    inbox: Mutex<Option<mpsc::Receiver<Option<Reply>>>>,
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
}

impl<T: Tables> Database<T> {
    /// Runs the task, for as long as the service runs.
    pub async fn keep_tables_current(&self) {
        let Some(mut inbox) = self.migrator.inbox.lock().await.take() else {
            return;
        };
        let mut waiting: Vec<Reply> = Vec::new();
        loop {
            let result = self.migrate().await;
            *self.schema_error.lock().await = match &result {
                Err(schema_error @ (DatabaseError::SchemaRefused(reason) | DatabaseError::SchemaFailed(reason))) => {
                    log::event(Level::Error, reason);
                    Some(schema_error.clone())
                }
                _ => None,
            };
            for reply in waiting.drain(..) {
                // The request may have timed out.
                let _ = reply.send(result.clone());
            }
            let request = match result {
                Err(DatabaseError::Unavailable(_) | DatabaseError::Timeout) => {
                    timeout(RETRY_INTERVAL, inbox.recv()).await.unwrap_or(Some(None))
                }
                _ => inbox.recv().await,
            };
            waiting.extend(request.flatten());
            while let Ok(more) = inbox.try_recv() {
                waiting.extend(more);
            }
        }
    }
}
