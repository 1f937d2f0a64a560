//! Connections to the database, kept open between requests.
//!
//! The driver's own pool is not used: it does not tell whether a connection is new or was idle, on
//! which the retry rule depends; it closes every connection above its minimum after each use; it
//! looks up the database's name for each, see [`Address`]; and it cannot be counted.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::Failure;
use crate::address::Address;
use crate::config::DatabaseSettings;
use crate::log::{self, Level};

/// A database that does not let us in within this time is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Idle for longer, a connection is tested before use; a busy one proves itself by its work.
const TEST_AFTER_IDLE: Duration = Duration::from_secs(1);
/// The answer to a test is one packet.
const TEST_TIMEOUT: Duration = Duration::from_secs(1);
/// Idle for longer, connections above the minimum are closed.
const CLOSE_AFTER_IDLE: Duration = Duration::from_secs(60);
/// Pauses between attempts to connect, during which requests are refused at once: the first after
/// a failure, doubled with each further one up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

const AWAY: Failure = Failure::Unavailable("the database cannot be reached; nothing was changed");

/// A bounded set of connections.
#[derive(Debug)]
pub struct Pool {
    database: DatabaseSettings,
    address: Address,
    /// What is set in each session.
    session: String,
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Idle connections, the longest idle first.
    idle: Vec<Idle>,
    pause: Option<(Duration, Instant)>,
}

#[derive(Debug)]
struct Idle {
    connection: Conn,
    since: Instant,
}

/// A connection in use. Dropped without [`Lease::give_back`] it is closed, so that an answer that
/// nobody waited for can never be taken for that of the next query.
#[derive(Debug)]
pub struct Lease<'pool> {
    connection: Conn,
    is_new: bool,
    pool: &'pool Pool,
    _permit: SemaphorePermit<'pool>,
}

impl Lease<'_> {
    /// The connection.
    pub fn connection(&mut self) -> &mut Conn {
        &mut self.connection
    }

    /// Whether the connection was opened for this lease.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Takes the connection out of the pool, which may open another in its place.
    pub fn keep(self) -> Conn {
        self.connection
    }

    /// Puts the connection back; its last answer has been read to the end.
    pub fn give_back(self) {
        let mut state = self.pool.state();
        let now = Instant::now();
        state.idle.push(Idle {
            connection: self.connection,
            since: now,
        });
        let spare = state.idle.len().saturating_sub(self.pool.database.pool_min);
        let expired = state
            .idle
            .iter()
            .take(spare)
            .take_while(|idle| now.duration_since(idle.since) > CLOSE_AFTER_IDLE)
            .count();
        state.idle.drain(..expired);
    }
}

impl Pool {
    /// A pool without connections.
    /// `variables` are set in each session, like `, @name = 1`.
    pub fn new(database: DatabaseSettings, variables: &str) -> Pool {
        Pool {
            permits: Semaphore::new(database.pool_max),
            address: Address::new(database.host.as_str(), database.port),
            session: format!("{SESSION}{variables}"),
            database,
            state: Mutex::default(),
        }
    }

    /// The number of leases.
    pub fn in_use(&self) -> usize {
        self.database.pool_max.saturating_sub(self.permits.available_permits())
    }

    /// The number of idle connections.
    pub fn idle(&self) -> usize {
        self.state().idle.len()
    }

    /// Closes all idle connections, because one that is as old was found broken.
    pub fn forget_idle(&self) {
        self.state().idle.clear();
    }

    /// Waits for a connection that works.
    pub async fn lease(&self) -> Result<Lease<'_>, Failure> {
        // Fails only when the semaphore is closed, which nobody does.
        let permit = self.permits.acquire().await.map_err(|_| AWAY)?;
        let (connection, is_new) = match self.tested_idle().await {
            Some(connection) => (connection, false),
            None => (self.connect().await?, true),
        };
        Ok(Lease {
            connection,
            is_new,
            pool: self,
            _permit: permit,
        })
    }

    async fn tested_idle(&self) -> Option<Conn> {
        let Idle { mut connection, since } = self.state().idle.pop()?;
        if since.elapsed() < TEST_AFTER_IDLE {
            return Some(connection);
        }
        match timeout(TEST_TIMEOUT, connection.ping()).await {
            Ok(Ok(())) => Some(connection),
            _ => {
                // The others have been idle for longer still.
                self.forget_idle();
                None
            }
        }
    }

    async fn connect(&self) -> Result<Conn, Failure> {
        if self.state().pause.is_some_and(|(_, end)| Instant::now() < end) {
            return Err(AWAY);
        }
        let error = match timeout(CONNECT_TIMEOUT, self.try_connect()).await {
            Ok(Ok(connection)) => {
                self.state().pause = None;
                return Ok(connection);
            }
            Ok(Err(reason)) => reason,
            Err(_) => format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()),
        };
        let pause = {
            let mut state = self.state();
            let pause = match state.pause {
                None => FIRST_PAUSE,
                Some((pause, _)) => LONGEST_PAUSE.min(pause * 2),
            };
            state.pause = Some((pause, Instant::now() + pause));
            pause
        };
        self.address.forget();
        log::event(
            Level::Warn,
            &format!("database: {error}; next attempt in {} ms", pause.as_millis()),
        );
        Err(AWAY)
    }

    /// A connection, or the reason for the log why there is none.
    async fn try_connect(&self) -> Result<Conn, String> {
        let address = self.address.find().await?;
        let options = OptsBuilder::default()
            .ip_or_hostname(address.ip().to_string())
            .tcp_port(address.port())
            .user(Some(self.database.user.as_str()))
            .pass(Some(self.database.password.reveal()))
            .db_name(Some(self.database.name.as_str()))
            .prefer_socket(false)
            // Only the driver's own pool looks at it, and would ask the server otherwise.
            .wait_timeout(Some(28_800))
            .init(vec![self.session.as_str()]);
        Conn::new(options).await.map_err(|error| error.to_string())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Strict, so that no value is ever cut to fit; and a limit on the server's side, so that work
/// whose client has gone ends there too. The comment is read by MariaDB alone.
const SESSION: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES' /*M!, max_statement_time = 5 */";
