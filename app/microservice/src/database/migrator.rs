//! A task that keeps the tables current.
//!
//! It migrates when the service starts and the database can be reached, so that a rollout becomes
//! ready by itself; when `/init` asks; and when a request finds the tables missing, say after the
//! database's volume was replaced. `/readyz` only looks: a probe must not change a database, and
//! must not wait for a migration either.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot, Mutex};
use tokio::time::timeout;

use super::{Database, DatabaseError, Tables};
use crate::log::{self, Level};

/// The pause before the next attempt after one that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// Requests that may wait for a migration at once.
const WAITING: usize = 64;

/// The answer while a migration takes longer than a request may wait.
pub(super) const BUSY: DatabaseError = DatabaseError::Unavailable("the tables are being prepared; try again soon");

type Answer = oneshot::Sender<Result<(), DatabaseError>>;

/// The way to ask for current tables.
#[derive(Debug)]
pub(super) struct Migrator {
    requests: mpsc::Sender<Option<Answer>>,
    /// Taken by the task when it starts.
    inbox: Mutex<Option<mpsc::Receiver<Option<Answer>>>>,
}

impl Default for Migrator {
    fn default() -> Self {
        let (requests, inbox) = mpsc::channel(WAITING);
        Migrator {
            requests,
            inbox: Mutex::new(Some(inbox)),
        }
    }
}

impl Migrator {
    /// Asks for current tables and waits for them.
    pub(super) async fn ask(&self) -> Result<(), DatabaseError> {
        let (answer, answered) = oneshot::channel();
        self.requests.try_send(Some(answer)).map_err(|_| BUSY)?;
        answered.await.unwrap_or(Err(BUSY))
    }

    /// Asks for current tables. A full inbox means that it has been asked already.
    pub(super) fn wake(&self) {
        let _ = self.requests.try_send(None);
    }
}

impl<T: Tables> Database<T> {
    /// Keeps the tables current for as long as the service runs.
    pub async fn keep_tables_current(&self) {
        let Some(mut inbox) = self.migrator.inbox.lock().await.take() else {
            return;
        };
        let mut waiting: Vec<Answer> = Vec::new();
        loop {
            let result = self.migrate().await;
            *self.obstacle.lock().await = match &result {
                Err(obstacle @ (DatabaseError::SchemaRefused(reason) | DatabaseError::SchemaFailed(reason))) => {
                    log::event(Level::Error, reason);
                    Some(obstacle.clone())
                }
                _ => None,
            };
            for answer in waiting.drain(..) {
                // Whoever asked may have stopped waiting.
                let _ = answer.send(result.clone());
            }
            let asked = match result {
                Err(DatabaseError::Unavailable(_) | DatabaseError::Timeout) => {
                    timeout(PAUSE, inbox.recv()).await.unwrap_or(Some(None))
                }
                _ => inbox.recv().await,
            };
            waiting.extend(asked.flatten());
            while let Ok(more) = inbox.try_recv() {
                waiting.extend(more);
            }
        }
    }
}
