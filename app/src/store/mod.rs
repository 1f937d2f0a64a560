//! The store: orders in MariaDB. Everything that speaks to the database is in this folder.

mod failure;
mod keeper;
mod migrate;
mod pool;
mod statements;

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::command::{Command, Failure, Outcome};
use crate::config::Database;
use crate::schema::CURRENT_VERSION;

use failure::{classify, is_broken};
use keeper::Keeper;
use pool::Pool;

/// The time in which a request gets its answer from the database or an error.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(5);

/// The orders in the database.
#[derive(Debug)]
pub struct Store {
    pool: Pool,
    keeper: Keeper,
    /// What keeps the schema current refuses to do, until it has been mended.
    refusal: Mutex<Option<String>>,
    errors: AtomicU64,
}

/// Numbers about the pool and the database, for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Connections that a request uses just now.
    pub connections_in_use: usize,
    /// Open connections that wait for a request.
    pub connections_idle: usize,
    /// Times the database failed to do what it was asked.
    pub errors: u64,
}

impl Store {
    /// A store on this database. Nothing is connected yet.
    pub fn new(database: Database) -> Store {
        Store {
            pool: Pool::new(database),
            keeper: Keeper::default(),
            refusal: Mutex::default(),
            errors: AtomicU64::new(0),
        }
    }

    /// Does what a request asks for.
    pub async fn run(&self, command: &Command) -> Result<Outcome, Failure> {
        let sent = AtomicBool::new(false);
        self.bounded(&sent, self.run_with_retry(command, &sent)).await
    }

    /// Makes the tables current; the answer to `/init`.
    pub async fn initialise(&self) -> Result<(), Failure> {
        timeout(QUERY_TIMEOUT, self.keeper.ask())
            .await
            .unwrap_or(Err(keeper::BUSY))
    }

    /// Whether the database answers and its tables are current.
    pub async fn check_ready(&self) -> Result<(), Failure> {
        let sent = AtomicBool::new(false);
        let result = self.bounded(&sent, self.check_version()).await;
        if result == Err(Failure::SchemaBehind) {
            if let Some(reason) = self.refusal.lock().await.clone() {
                return Err(Failure::SchemaRefused(reason));
            }
        }
        result
    }

    /// Numbers for the metrics.
    pub fn counts(&self) -> StoreCounts {
        StoreCounts {
            connections_in_use: self.pool.in_use(),
            connections_idle: self.pool.idle(),
            errors: self.errors.load(Ordering::Relaxed),
        }
    }

    /// Holds work to [`QUERY_TIMEOUT`]. Work that was never sent to the database cannot have
    /// happened, which the client may know.
    async fn bounded<T>(
        &self,
        sent: &AtomicBool,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let result = match timeout(QUERY_TIMEOUT, work).await {
            Ok(result) => result,
            Err(_) if sent.load(Ordering::Relaxed) => Err(Failure::Timeout),
            Err(_) => Err(Failure::Unavailable(
                "no database connection became free in time; nothing was changed",
            )),
        };
        match &result {
            Err(Failure::SchemaBehind) => self.keeper.wake(),
            Err(_) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
            }
            Ok(_) => {}
        }
        result
    }

    /// A pooled connection may have gone stale: the database was restarted while it lay idle. What
    /// only reads is then tried once more on a new connection. What writes is never sent twice,
    /// since a connection that breaks does not tell whether the database has done the work.
    async fn run_with_retry(&self, command: &Command, sent: &AtomicBool) -> Result<Outcome, Failure> {
        let mut may_retry = !command.writes();
        loop {
            let mut lease = self.pool.lease().await?;
            sent.store(true, Ordering::Relaxed);
            let error = match statements::run(lease.connection(), command).await {
                Ok(outcome) => {
                    lease.give_back();
                    return outcome;
                }
                Err(error) => error,
            };
            if !is_broken(&error) {
                lease.give_back();
                return Err(classify(&error));
            }
            self.pool.forget_idle();
            if !may_retry || lease.is_new() {
                return Err(classify(&error));
            }
            may_retry = false;
        }
    }

    async fn check_version(&self) -> Result<(), Failure> {
        let mut lease = self.pool.lease().await?;
        match statements::schema_version(lease.connection()).await {
            Ok(version) => {
                lease.give_back();
                if version >= Some(CURRENT_VERSION) {
                    Ok(())
                } else {
                    Err(Failure::SchemaBehind)
                }
            }
            Err(error) => {
                if is_broken(&error) {
                    self.pool.forget_idle();
                } else {
                    lease.give_back();
                }
                Err(classify(&error))
            }
        }
    }
}
