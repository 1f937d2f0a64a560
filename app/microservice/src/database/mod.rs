//! A database of MariaDB: connections that are kept, time limits, tables that are kept current.

mod connect;
mod error;
mod lock;
mod migrate;
mod migrator;
mod pool;
mod row;
mod server_errors;
mod session;

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::config::DatabaseSettings;
use crate::metrics::Family;

pub use error::{is_broken, is_denied, is_duplicate, DatabaseError};
pub use lock::UNUSED;
pub use row::{integer, text};
pub use session::Connection;

use error::classify;
use migrator::Migrator;
use pool::Pool;

/// The time in which a request gets its answer from the database or an error.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(5);

/// The time in which readiness is known: less than the probe waits.
const READY_TIMEOUT: Duration = Duration::from_secs(3);

/// Which connections work may use.
#[derive(Clone, Copy)]
enum Lane {
    /// Those for which requests queue.
    Requests,
    /// The one that is kept for probes, which must not queue behind requests.
    Reserved,
}

/// What came of a statement: the outer error is the database's, the inner one ours.
pub type Answer<T> = Result<Result<T, DatabaseError>, Error>;

/// Something to ask the database.
pub trait Statement: Sync {
    /// What it answers.
    type Answer: Send;

    /// Whether doing it a second time could do harm.
    fn writes(&self) -> bool;

    /// Asks it.
    fn run(&self, connection: &mut Connection) -> impl Future<Output = Answer<Self::Answer>> + Send;
}

/// The tables of a service. Migrations go forward only and never drop a row.
pub trait Tables: Send + Sync + 'static {
    /// The table that records which versions have been reached; also the name of the lock under
    /// which replicas that start together take turns.
    const SCHEMA: &'static str;

    /// The tables that must have transactions, as far as they are there.
    const NAMES: &'static [&'static str];

    /// The version that this build needs, as it is configured.
    fn version(&self) -> u32;

    /// Variables that each session has, like `, @name = 1`.
    fn session_variables(&self) -> &'static str {
        ""
    }

    /// Makes the tables current, from the version that is recorded. Data definition statements
    /// commit by themselves in MariaDB, so a migration may have been cut off between its statement
    /// and the record of its version. Returns what was done, if anything.
    fn migrate(
        &self,
        connection: &mut Conn,
        version: Option<u32>,
    ) -> impl Future<Output = Answer<Option<String>>> + Send;
}

/// A service's database.
#[derive(Debug)]
pub struct Database<T> {
    tables: T,
    pool: Pool,
    migrator: Migrator,
    /// Why the tables were not made current the last time, where trying again does not help.
    obstacle: Mutex<Option<DatabaseError>>,
    /// What the last look at the readiness found, and when.
    readiness: Mutex<Option<(Instant, Result<(), DatabaseError>)>>,
    errors: AtomicU64,
}

impl<T: Tables> Database<T> {
    /// These tables in this database. Nothing is connected yet.
    pub fn new(tables: T, settings: DatabaseSettings) -> Database<T> {
        Database {
            pool: Pool::new(settings, tables.session_variables()),
            tables,
            migrator: Migrator::default(),
            obstacle: Mutex::default(),
            readiness: Mutex::default(),
            errors: AtomicU64::new(0),
        }
    }

    /// Does what a request asks for.
    pub async fn run<S: Statement>(&self, statement: &S) -> Result<S::Answer, DatabaseError> {
        let sent = AtomicBool::new(false);
        let work = self.run_with_retry(statement, Lane::Requests, &sent);
        self.bounded(QUERY_TIMEOUT, &sent, work).await
    }

    /// Refuses a request that would wait for too long, before its body costs time: what is refused must be cheap, or those
    /// that are refused starve the others.
    pub fn check_capacity(&self) -> Result<(), DatabaseError> {
        match self.pool.is_overloaded() {
            true => Err(pool::BUSY),
            false => Ok(()),
        }
    }

    /// Makes the tables current when asked to, rather than by itself.
    pub async fn initialise(&self) -> Result<(), DatabaseError> {
        timeout(QUERY_TIMEOUT, self.migrator.ask())
            .await
            .unwrap_or(Err(migrator::BUSY))
    }

    /// Whether the database answers and its tables are current. Those who ask while somebody else looks are told what that
    /// one finds: any number of them costs the database no more than one, and none of them queues behind the others.
    pub async fn check_ready(&self) -> Result<(), DatabaseError> {
        let asked = Instant::now();
        let mut last = self.readiness.lock().await;
        match &*last {
            Some((found_at, found)) if *found_at >= asked => found.clone(),
            _ => {
                let found = self.look_whether_ready().await;
                *last = Some((Instant::now(), found.clone()));
                found
            }
        }
    }

    async fn look_whether_ready(&self) -> Result<(), DatabaseError> {
        let sent = AtomicBool::new(false);
        let version = RecordedVersion(T::SCHEMA);
        let work = self.run_with_retry(&version, Lane::Reserved, &sent);
        let result = match self.bounded(READY_TIMEOUT, &sent, work).await {
            Ok(version) if version >= Some(self.tables.version()) => Ok(()),
            Ok(_) => Err(DatabaseError::SchemaBehind),
            Err(error) => Err(error),
        };
        match (result, self.obstacle.lock().await.clone()) {
            (Ok(()), Some(refusal @ DatabaseError::SchemaRefused(_))) => {
                self.migrator.wake();
                Err(refusal)
            }
            (Err(DatabaseError::SchemaBehind), obstacle) => {
                self.migrator.wake();
                Err(obstacle.unwrap_or(DatabaseError::SchemaBehind))
            }
            (result, _) => result,
        }
    }

    /// Metrics of the pool and the database, for a service of this name.
    pub fn metrics(&self, name: &str) -> Vec<Family> {
        let connections = |state: &str, count: usize| (format!("{{state=\"{state}\"}}"), count as f64);
        vec![
            Family {
                name: format!("{name}_database_connections"),
                kind: "gauge",
                help: "Connections of the pool.",
                samples: vec![
                    connections("in_use", self.pool.in_use()),
                    connections("idle", self.pool.idle()),
                ],
            },
            Family {
                name: format!("{name}_database_errors_total"),
                kind: "counter",
                help: "Failures of the database.",
                samples: vec![(String::new(), self.errors.load(Ordering::Relaxed) as f64)],
            },
        ]
    }

    /// Holds work to a limit. Work that was never sent to the database cannot have happened, which the client may know.
    async fn bounded<A>(
        &self,
        limit: Duration,
        sent: &AtomicBool,
        work: impl Future<Output = Result<A, DatabaseError>>,
    ) -> Result<A, DatabaseError> {
        let result = match timeout(limit, work).await {
            Ok(result) => result,
            Err(_) if sent.load(Ordering::Relaxed) => Err(DatabaseError::Timeout),
            Err(_) => Err(pool::BUSY),
        };
        match result {
            Err(DatabaseError::SchemaBehind) => {
                self.migrator.wake();
                let obstacle = self.obstacle.lock().await.clone();
                Err(obstacle.unwrap_or(DatabaseError::SchemaBehind))
            }
            Err(error) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                Err(error)
            }
            done => done,
        }
    }

    /// A pooled connection may have gone stale: the database was restarted while it lay idle. What
    /// only reads is then tried once more on a new connection. What writes is never sent twice,
    /// since a connection that breaks does not tell whether the database has done the work.
    async fn run_with_retry<S: Statement>(
        &self,
        statement: &S,
        lane: Lane,
        sent: &AtomicBool,
    ) -> Result<S::Answer, DatabaseError> {
        let mut may_retry = !statement.writes();
        loop {
            let mut lease = match lane {
                Lane::Requests => self.pool.acquire().await?,
                Lane::Reserved => self.pool.acquire_reserved().await?,
            };
            sent.store(true, Ordering::Relaxed);
            let error = match statement.run(lease.connection()).await {
                Ok(answer) => {
                    lease.release();
                    return answer;
                }
                Err(error) => error,
            };
            if !is_broken(&error) {
                lease.release();
                return Err(classify(&error));
            }
            self.pool.close_idle();
            if !may_retry || lease.is_new() {
                return Err(classify(&error));
            }
            may_retry = false;
        }
    }
}

/// Reads the version that a table records.
struct RecordedVersion(&'static str);

impl Statement for RecordedVersion {
    type Answer = Option<u32>;

    fn writes(&self) -> bool {
        false
    }

    async fn run(&self, connection: &mut Connection) -> Answer<Option<u32>> {
        let statement = format!("SELECT MAX(version) FROM {}", self.0);
        let rows: Vec<Row> = connection.exec(statement, ()).await?;
        Ok(Ok(rows.first().and_then(|row| integer(row, 0))))
    }
}
