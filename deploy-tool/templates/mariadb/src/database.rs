//! The database: connections that are kept, each in a known state, and what its errors mean for a client.

use std::env;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Opts, OptsBuilder, Row};
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

/// The time in which a request, and a probe, has its answer or an error.
const REQUEST_LIMIT: Duration = Duration::from_secs(5);
const PROBE_LIMIT: Duration = Duration::from_secs(3);
/// A database that lets nobody in within this time is away; whoever asks in the pause after it is refused at once.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_secs(1);
/// A connection that was idle for longer is tested before it is used: the database may have been restarted.
const TEST_AFTER_IDLE: Duration = Duration::from_secs(1);
const TEST_LIMIT: Duration = Duration::from_secs(1);

/// What a session needs, whatever the server's defaults are.
const SESSION: [&str; 2] = [
    "SET NAMES utf8mb4",
    "SET SESSION autocommit = 1, sql_mode = 'STRICT_ALL_TABLES', max_statement_time = 5, \
     innodb_lock_wait_timeout = 5, lock_wait_timeout = 5, wait_timeout = 600",
];
/// What must have come of it: a server may be set to overrule its clients.
const CHECK: &str =
    "SELECT CONCAT_WS(' ', @@SESSION.autocommit = 1, @@SESSION.character_set_client, \
    @@SESSION.character_set_connection, @@SESSION.character_set_results, @@SESSION.sql_mode)";
const EXPECTED: &str = "1 utf8mb4 utf8mb4 utf8mb4 STRICT_ALL_TABLES";

const AWAY: DatabaseError =
    DatabaseError::Unavailable("the database cannot be reached; nothing was changed");
const BUSY: DatabaseError = DatabaseError::Unavailable(
    "the database did not answer in time; look before you repeat a change",
);

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum DatabaseError {
    /// The database cannot do it now: trying again later may help.
    Unavailable(&'static str),
    /// The database refuses what this service asks for, whenever it asks; the log says why.
    Fault,
}

/// What is done with a connection: what its methods give back.
pub type QueryFuture<'c, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'c>>;

/// A bounded set of connections.
pub struct Database {
    options: Opts,
    /// For requests: all connections but one.
    permits: Semaphore,
    /// For probes: that one, so that they do not queue behind requests.
    reserved: Semaphore,
    idle: Mutex<Vec<Idle>>,
    paused_until: Mutex<Option<Instant>>,
    /// Wakes what keeps the tables current.
    pub tables_missing: Notify,
}

struct Idle {
    connection: Conn,
    since: Instant,
}

impl Database {
    /// The database that the environment names. Nothing is connected yet.
    pub fn from_environment() -> Result<Self, String> {
        let or = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
        let number = |name: &str, default: &str| {
            let value = or(name, default);
            value
                .parse::<u16>()
                .ok()
                .filter(|number| *number > 0)
                .ok_or(format!("{name}={value}: a number from 1 to 65535"))
        };
        let most = usize::from(number("DATABASE_POOL_MAX", "10")?.max(2));
        let options = OptsBuilder::default()
            .ip_or_hostname(or("DATABASE_HOST", "127.0.0.1"))
            .tcp_port(number("DATABASE_PORT", "3306")?)
            .user(Some(or("DATABASE_USER", "notes")))
            .pass(env::var("DATABASE_PASSWORD").ok())
            .db_name(Some(or("DATABASE_NAME", "notes")))
            .prefer_socket(false)
            .init(SESSION.to_vec());
        Ok(Self {
            options: options.into(),
            permits: Semaphore::new(most - 1),
            reserved: Semaphore::new(1),
            idle: Mutex::default(),
            paused_until: Mutex::default(),
            tables_missing: Notify::new(),
        })
    }

    /// Does what a request asks for.
    pub async fn run<T>(
        &self,
        work: impl for<'c> FnOnce(&'c mut Conn) -> QueryFuture<'c, T>,
    ) -> Result<T, DatabaseError> {
        let done = self.run_with(&self.permits, work);
        timeout(REQUEST_LIMIT, done).await.unwrap_or(Err(BUSY))
    }

    /// The same on the connection that is kept for probes.
    pub async fn probe<T>(
        &self,
        work: impl for<'c> FnOnce(&'c mut Conn) -> QueryFuture<'c, T>,
    ) -> Result<T, DatabaseError> {
        let done = self.run_with(&self.reserved, work);
        timeout(PROBE_LIMIT, done).await.unwrap_or(Err(BUSY))
    }

    async fn run_with<T>(
        &self,
        permits: &Semaphore,
        work: impl for<'c> FnOnce(&'c mut Conn) -> QueryFuture<'c, T>,
    ) -> Result<T, DatabaseError> {
        let _permit = permits.acquire().await.map_err(|_| AWAY)?;
        let mut connection = match self.tested_idle().await {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        // Given up or failed, the connection is closed: nobody knows what it would answer next.
        let answer = work(&mut connection)
            .await
            .map_err(|error| classify(&error))?;
        let since = Instant::now();
        lock(&self.idle).push(Idle { connection, since });
        Ok(answer)
    }

    async fn tested_idle(&self) -> Option<Conn> {
        let Idle {
            mut connection,
            since,
        } = lock(&self.idle).pop()?;
        let is_fresh = since.elapsed() < TEST_AFTER_IDLE;
        if is_fresh || matches!(timeout(TEST_LIMIT, connection.ping()).await, Ok(Ok(()))) {
            return Some(connection);
        }
        // The others have been idle for longer still.
        lock(&self.idle).clear();
        None
    }

    /// A new connection, which counts in no limit.
    pub async fn connect(&self) -> Result<Conn, DatabaseError> {
        if lock(&self.paused_until).is_some_and(|end| Instant::now() < end) {
            return Err(AWAY);
        }
        let error = match timeout(CONNECT_LIMIT, open(self.options.clone())).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error,
            Err(_) => format!("no connection within {} s", CONNECT_LIMIT.as_secs()),
        };
        *lock(&self.paused_until) = Some(Instant::now() + PAUSE);
        eprintln!("database: {error}");
        Err(AWAY)
    }
}

async fn open(options: Opts) -> Result<Conn, String> {
    let text = |error: Error| error.to_string();
    let mut connection = Conn::new(options).await.map_err(text)?;
    let row: Option<Row> = connection.query_first(CHECK).await.map_err(text)?;
    // Not by the driver's own conversions, which panic at a type that they do not expect.
    let found = row.and_then(|row| row.get_opt::<String, _>(0)?.ok());
    match found.as_deref() {
        Some(EXPECTED) => Ok(connection),
        found => Err(format!(
            "the session has {found:?}, and must have {EXPECTED:?}"
        )),
    }
}

/// What an error means, after it has been logged.
/// <https://mariadb.com/docs/server/reference/error-codes/mariadb-error-code-reference>
pub fn classify(error: &Error) -> DatabaseError {
    eprintln!("database: {error}");
    let is_fault = match error {
        Error::Server(error) => match error.code {
            // Full, read-only, denied, no such database, no such table yet, a limit, a lock that others hold.
            1021 | 1036 | 1037 | 1038 | 1044 | 1049 | 1114 | 1146 | 1203 | 1205 | 1226 | 1290
            | 1836 => false,
            // Connection, transaction state, authorization, rollback, resources, operator, system, interrupted.
            _ => !matches!(
                error.state.get(..2),
                Some("08" | "25" | "28" | "40" | "53" | "57" | "58" | "70")
            ),
        },
        _ => false,
    };
    if is_fault {
        DatabaseError::Fault
    } else {
        DatabaseError::Unavailable(
            "the database could not finish it; look before you repeat a change",
        )
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mysql_async::ServerError;

    #[test]
    fn only_what_will_never_work_is_a_fault() {
        let meant = |code: u16, state: &str| {
            classify(&Error::Server(ServerError {
                code,
                message: String::new(),
                state: state.to_owned(),
            }))
        };
        for (code, state) in [
            (1040, "08004"),
            (1045, "28000"),
            (1146, "42S02"),
            (1205, "HY000"),
            (1969, "70100"),
        ] {
            assert_ne!(meant(code, state), DatabaseError::Fault, "{code}");
        }
        for (code, state) in [(1054, "42S22"), (1064, "42000"), (1406, "22001")] {
            assert_eq!(meant(code, state), DatabaseError::Fault, "{code}");
        }
    }
}
