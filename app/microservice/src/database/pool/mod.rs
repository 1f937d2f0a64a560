//! A pool of connections to the database.
//!
//! The driver's own pool is not used: it does not say whether a connection is new or was idle, which the retry rule
//! needs; it closes every connection above its minimum after each use; it resolves the host for each new connection,
//! see [`Resolver`]; and it has no metrics.

mod lease;
mod queue;

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::OptsBuilder;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::connect::{ConnectError, Connector};
use super::session::{self, Connection};
use super::DatabaseError;
use crate::backoff::Backoff;
use crate::config::DatabaseSettings;
use crate::log::{self, Level};
use crate::resolver::Resolver;

pub use lease::Lease;

use queue::{ConnectionPermit, Queue, Waiting};

/// The time to resolve the host, to connect and to log in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that has been idle for longer is pinged before use.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// Connections above the minimum that have been idle for longer are closed.
const MAX_IDLE_TIME: Duration = Duration::from_secs(60);
/// The backoff after a failed attempt to connect, during which requests are refused at once.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// The time to wait for a connection. A request that would have to wait for longer is refused at once: it would time
/// out anyway, after it has delayed others.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(1);

/// All connections are in use, and none will become free in time.
pub(super) const BUSY: DatabaseError =
    DatabaseError::Unavailable("no database connection became free in time; nothing was changed");
const UNREACHABLE_MESSAGE: &str = "the database cannot be reached; nothing was changed";
const UNREACHABLE: DatabaseError = DatabaseError::Unavailable(UNREACHABLE_MESSAGE);

/// A bounded set of connections.
#[derive(Debug)]
pub struct Pool {
    settings: DatabaseSettings,
    connector: Connector,
    resolver: Resolver,
    /// The statements that set up each session.
    session_statements: Vec<String>,
    /// For requests: all connections but one.
    permits: Semaphore,
    /// For probes and locks: the remaining one, so that they do not queue behind requests.
    reserved_permits: Semaphore,
    queue: Queue,
    connect_backoff: Backoff,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The connection that has been idle for the longest comes first.
    idle: Vec<IdleConnection>,
    /// Why the last attempt to connect failed, if clients should know more than that it did.
    client_message: Option<&'static str>,
}

#[derive(Debug)]
struct IdleConnection {
    connection: Connection,
    idle_since: Instant,
}

impl Pool {
    /// A pool without connections. `variables` are set in each session, like `, @name = 1`.
    pub fn new(settings: DatabaseSettings, variables: &str) -> Pool {
        let reserved = usize::from(settings.pool_max > 1);
        Pool {
            permits: Semaphore::new(settings.pool_max - reserved),
            reserved_permits: Semaphore::new(reserved),
            queue: Queue::default(),
            connect_backoff: Backoff::new(FIRST_BACKOFF, MAX_BACKOFF),
            connector: Connector::new(&settings),
            resolver: Resolver::new(settings.host.as_str(), settings.port),
            session_statements: session::statements(variables),
            settings,
            state: Mutex::default(),
        }
    }

    /// The number of connections in use.
    pub fn in_use(&self) -> usize {
        let free = self.permits.available_permits() + self.reserved_permits.available_permits();
        self.settings.pool_max.saturating_sub(free)
    }

    /// The number of idle connections.
    pub fn idle(&self) -> usize {
        self.state().idle.len()
    }

    /// Closes all idle connections, because one of them was broken, and so the others may be. Invalidates the address
    /// as well: the host may have another one by now.
    pub fn close_idle(&self) {
        self.state().idle.clear();
        self.resolver.invalidate();
    }

    /// Whether the next request would have to wait for longer than [`QUEUE_TIMEOUT`].
    pub fn is_overloaded(&self) -> bool {
        self.permits.available_permits() == 0 && self.queue.estimate_wait(self.settings.pool_max) > QUEUE_TIMEOUT
    }

    /// Acquires a working connection for a request.
    pub async fn acquire(&self) -> Result<Lease<'_>, DatabaseError> {
        // Acquiring fails only when the semaphore is closed, which it never is.
        let permit = match self.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) if self.is_overloaded() => return Err(BUSY),
            Err(_) => {
                let _waiting = Waiting::new(&self.queue);
                let acquired = timeout(QUEUE_TIMEOUT, self.permits.acquire()).await;
                acquired.map_err(|_| BUSY)?.map_err(|_| UNREACHABLE)?
            }
        };
        self.lease_with(permit).await
    }

    /// Acquires a working connection for a probe or a lock.
    pub async fn acquire_reserved(&self) -> Result<Lease<'_>, DatabaseError> {
        if self.settings.pool_max == 1 {
            return self.acquire().await;
        }
        let permit = self.reserved_permits.acquire().await.map_err(|_| UNREACHABLE)?;
        self.lease_with(permit).await
    }

    async fn lease_with<'pool>(&'pool self, permit: SemaphorePermit<'pool>) -> Result<Lease<'pool>, DatabaseError> {
        let permit = ConnectionPermit::new(&self.queue, permit);
        let (connection, is_new) = match self.take_idle().await {
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

    /// Takes the connection that has been idle for the shortest time, if it works.
    async fn take_idle(&self) -> Option<Connection> {
        let IdleConnection {
            mut connection,
            idle_since,
        } = self.state().idle.pop()?;
        if idle_since.elapsed() < PING_AFTER_IDLE {
            return Some(connection);
        }
        match timeout(PING_TIMEOUT, connection.ping()).await {
            Ok(Ok(())) => Some(connection),
            _ => {
                self.close_idle();
                None
            }
        }
    }

    async fn connect(&self) -> Result<Connection, DatabaseError> {
        if self.connect_backoff.is_active() {
            return Err(self.unreachable());
        }
        let mut attempted = None;
        let attempt = async {
            let address = self.resolver.resolve().await?;
            attempted = Some(address);
            self.open(address).await
        };
        let error = match timeout(CONNECT_TIMEOUT, attempt).await {
            Ok(Ok(connection)) => {
                self.connect_backoff.reset();
                return Ok(connection);
            }
            Ok(Err(error)) => error,
            Err(_) => format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()).into(),
        };
        let backoff = self.connect_backoff.start();
        if let Some(address) = attempted {
            self.resolver.invalidate_address(address);
        }
        let ConnectError { reason, client_message } = error;
        log::event(
            Level::Warn,
            &format!("database: {reason}; next attempt in {} ms", backoff.as_millis()),
        );
        self.state().client_message = client_message;
        Err(self.unreachable())
    }

    fn unreachable(&self) -> DatabaseError {
        DatabaseError::Unavailable(self.state().client_message.unwrap_or(UNREACHABLE_MESSAGE))
    }

    /// Opens a connection and sets up its session.
    async fn open(&self, address: SocketAddr) -> Result<Connection, ConnectError> {
        let options = OptsBuilder::default()
            .ip_or_hostname(address.ip().to_string())
            .tcp_port(address.port())
            .user(Some(self.settings.user.as_str()))
            .pass(Some(self.settings.password.reveal()))
            .db_name(Some(self.settings.name.as_str()))
            .prefer_socket(false)
            // Otherwise the driver queries the server for it. Only the driver's own pool uses the value.
            .wait_timeout(Some(28_800))
            .init(self.session_statements.clone());
        let connection = self.connector.connect(options).await?;
        Ok(Connection::check(connection).await?)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
