//! A MariaDB database: a pool of connections, time limits, migrations.

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

pub use error::{is_broken, is_denied, is_duplicate, DatabaseError, QueryResult};
pub use lock::LOCK_IDLE_TIMEOUT;
pub use row::{get_integer, get_text};
pub use session::Connection;

use error::log_error;
use migrator::Migrator;
use pool::Pool;

/// The time limit of the statement of a request, with waiting for a connection.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(5);

/// The time limit of a readiness check: less than the timeout of the probe.
const READINESS_TIMEOUT: Duration = Duration::from_secs(3);

/// Which connections a statement may use.
#[derive(Clone, Copy)]
enum Lane {
    /// Those that requests queue for.
    Requests,
    /// The one reserved for probes, which must not queue behind requests.
    Reserved,
}

/// A statement, or several, with a result.
pub trait Statement: Sync {
    /// What it returns when it succeeds.
    type Output: Send;

    /// Whether it may be executed a second time if the first connection breaks.
    fn is_retryable(&self) -> bool;

    /// Executes it on a connection whose session is set up.
    fn run(&self, connection: &mut Connection) -> impl Future<Output = QueryResult<Self::Output>> + Send;
}

/// The tables of a service. Migrations go forward only and never drop a row.
pub trait Tables: Send + Sync + 'static {
    /// The table of the schema versions; also the name of the lock that migrations hold.
    const SCHEMA: &'static str;

    /// The tables whose storage engine must have transactions.
    const NAMES: &'static [&'static str];

    /// The tables without which the version counts as none, whatever is recorded: an administrator may have dropped
    /// one, or restored a backup without it. [`Tables::migrate`] must make them then.
    const REQUIRED: &'static [&'static str] = &[];

    /// The schema version that this build needs, as it is configured.
    fn version(&self) -> u32;

    /// Variables to set in each session, like `, @name = 1`.
    fn session_variables(&self) -> &'static str {
        ""
    }

    /// Migrates the tables from the recorded version. Data definition statements commit implicitly in MariaDB, so an
    /// earlier migration may have been interrupted before its version was recorded. Returns the changes for the log, if
    /// any.
    fn migrate(
        &self,
        connection: &mut Conn,
        version: Option<u32>,
    ) -> impl Future<Output = QueryResult<Option<String>>> + Send;
}

/// A service's database.
#[derive(Debug)]
pub struct Database<T> {
    tables: T,
    pool: Pool,
    migrator: Migrator,
    /// Why the last migration failed, if the error is permanent.
    schema_error: Mutex<Option<DatabaseError>>,
    /// The time and the result of the last readiness check.
    readiness: Mutex<Option<(Instant, Result<(), DatabaseError>)>>,
    errors: AtomicU64,
}

impl<T: Tables> Database<T> {
    /// A database with these tables. It connects with the first statement.
    pub fn new(tables: T, settings: DatabaseSettings) -> Database<T> {
        Database {
            pool: Pool::new(settings, tables.session_variables()),
            tables,
            migrator: Migrator::default(),
            schema_error: Mutex::default(),
            readiness: Mutex::default(),
            errors: AtomicU64::new(0),
        }
    }

    /// Executes the statement of a request.
    pub async fn run<S: Statement>(&self, statement: &S) -> Result<S::Output, DatabaseError> {
        let is_sent = AtomicBool::new(false);
        let work = self.run_with_retry(statement, Lane::Requests, &is_sent);
        self.run_with_timeout(QUERY_TIMEOUT, &is_sent, work).await
    }

    /// Refuses a request that would wait for a connection for too long, before its body is parsed: if refusing were
    /// expensive, the refused requests would starve the others.
    pub fn check_capacity(&self) -> Result<(), DatabaseError> {
        if self.pool.is_overloaded() {
            Err(pool::BUSY)
        } else {
            Ok(())
        }
    }

    /// Migrates the tables for `/init`.
    pub async fn initialise(&self) -> Result<(), DatabaseError> {
        timeout(QUERY_TIMEOUT, self.migrator.migrate_now())
            .await
            .unwrap_or(Err(migrator::MIGRATION_PENDING))
    }

    /// Checks that the database responds and its schema is current. Concurrent calls share one check, so that they
    /// neither load the database nor queue for the reserved connection.
    pub async fn check_ready(&self) -> Result<(), DatabaseError> {
        let requested_at = Instant::now();
        let mut last = self.readiness.lock().await;
        match &*last {
            Some((checked_at, result)) if *checked_at >= requested_at => result.clone(),
            _ => {
                let result = self.query_readiness().await;
                *last = Some((Instant::now(), result.clone()));
                result
            }
        }
    }

    async fn query_readiness(&self) -> Result<(), DatabaseError> {
        let is_sent = AtomicBool::new(false);
        let version = RecordedVersion::for_tables::<T>();
        let work = self.run_with_retry(&version, Lane::Reserved, &is_sent);
        let result = match self.run_with_timeout(READINESS_TIMEOUT, &is_sent, work).await {
            Ok(version) if version >= Some(self.tables.version()) => Ok(()),
            Ok(_) => Err(DatabaseError::SchemaBehind),
            Err(error) => Err(error),
        };
        match (result, self.schema_error.lock().await.clone()) {
            (Ok(()), Some(refusal @ DatabaseError::SchemaRefused(_))) => {
                self.migrator.request_migration();
                Err(refusal)
            }
            (Err(DatabaseError::SchemaBehind), schema_error) => {
                self.migrator.request_migration();
                Err(schema_error.unwrap_or(DatabaseError::SchemaBehind))
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

    /// Runs work with a time limit. A timeout before a statement was sent is another error, because nothing can have
    /// changed.
    async fn run_with_timeout<A>(
        &self,
        limit: Duration,
        is_sent: &AtomicBool,
        work: impl Future<Output = Result<A, DatabaseError>>,
    ) -> Result<A, DatabaseError> {
        let result = match timeout(limit, work).await {
            Ok(result) => result,
            Err(_) if is_sent.load(Ordering::Relaxed) => Err(DatabaseError::Timeout),
            Err(_) => Err(pool::BUSY),
        };
        match result {
            Err(DatabaseError::SchemaBehind) => {
                self.migrator.request_migration();
                let schema_error = self.schema_error.lock().await.clone();
                Err(schema_error.unwrap_or(DatabaseError::SchemaBehind))
            }
            Err(error) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                Err(error)
            }
            done => done,
        }
    }

    /// An idle connection may be broken, such as by a restart of the database. A retryable statement is then executed
    /// once more on a new connection. Others are never sent twice, because it is not known whether the database
    /// executed them.
    async fn run_with_retry<S: Statement>(
        &self,
        statement: &S,
        lane: Lane,
        is_sent: &AtomicBool,
    ) -> Result<S::Output, DatabaseError> {
        let mut may_retry = statement.is_retryable();
        loop {
            let mut lease = match lane {
                Lane::Requests => self.pool.acquire().await?,
                Lane::Reserved => self.pool.acquire_reserved().await?,
            };
            is_sent.store(true, Ordering::Relaxed);
            let error = match statement.run(lease.connection()).await {
                Ok(answer) => {
                    lease.release();
                    return answer;
                }
                Err(error) => error,
            };
            if !is_broken(&error) {
                lease.release();
                return Err(log_error(&error));
            }
            self.pool.close_idle();
            if !may_retry || lease.is_new() {
                return Err(log_error(&error));
            }
            may_retry = false;
        }
    }
}

/// Reads the recorded schema version: `None` while a required table is missing.
struct RecordedVersion {
    schema: &'static str,
    required: &'static [&'static str],
}

impl RecordedVersion {
    fn for_tables<T: Tables>() -> RecordedVersion {
        RecordedVersion {
            schema: T::SCHEMA,
            required: T::REQUIRED,
        }
    }
}

impl Statement for RecordedVersion {
    type Output = Option<u32>;

    fn is_retryable(&self) -> bool {
        true
    }

    async fn run(&self, connection: &mut Connection) -> QueryResult<Option<u32>> {
        if !has_tables(connection, self.required).await? {
            return Ok(Ok(None));
        }
        let statement = format!("SELECT MAX(version) FROM {}", self.schema);
        let rows: Vec<Row> = connection.exec(statement, ()).await?;
        Ok(Ok(rows.first().and_then(|row| get_integer(row, 0))))
    }
}

async fn has_tables(connection: &mut Connection, names: &[&str]) -> Result<bool, Error> {
    if names.is_empty() {
        return Ok(true);
    }
    let statement = format!(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN ('{}')",
        names.join("', '")
    );
    let rows: Vec<Row> = connection.query(statement).await?;
    let found: Option<usize> = rows.first().and_then(|row| get_integer(row, 0));
    Ok(found >= Some(names.len()))
}
