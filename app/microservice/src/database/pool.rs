//! Connections to the database, kept open between requests.
//!
//! The driver's own pool is not used: it does not tell whether a connection is new or was idle, on
//! which the retry rule depends; it closes every connection above its minimum after each use; it
//! looks up the database's name for each, see [`Address`]; and it cannot be counted.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::OptsBuilder;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::connect::{Connector, Failure};
use super::session::{self, Connection};
use super::DatabaseError;
use crate::address::Address;
use crate::config::DatabaseSettings;
use crate::log::{self, Level};
use crate::pause::Pause;

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

/// The time in which a request gets a connection. What comes to wait for longer is refused at once: it would only be
/// given up later, when it has taken the place of others.
const QUEUE_LIMIT: Duration = Duration::from_secs(1);

/// The answer to more requests than the connections can do in time.
pub(super) const BUSY: DatabaseError =
    DatabaseError::Unavailable("no database connection became free in time; nothing was changed");
const UNREACHABLE: &str = "the database cannot be reached; nothing was changed";
const AWAY: DatabaseError = DatabaseError::Unavailable(UNREACHABLE);

/// A bounded set of connections.
#[derive(Debug)]
pub struct Pool {
    database: DatabaseSettings,
    connector: Connector,
    address: Address,
    /// What begins each session.
    session: Vec<String>,
    /// For requests: all connections but one.
    permits: Semaphore,
    /// For probes and locks: that one, so that they do not queue behind requests.
    reserved: Semaphore,
    queue: Queue,
    pause: Pause,
    state: Mutex<State>,
}

/// Those who wait for a connection.
#[derive(Debug, Default)]
struct Queue {
    waiting: AtomicUsize,
    /// For how long a connection was held of late, in microseconds.
    usual_hold: AtomicU64,
}

impl Queue {
    /// How long who comes now has to wait for one of so many connections.
    fn wait(&self, connections: usize) -> Duration {
        let waiting = self.waiting.load(Ordering::Relaxed) as u64;
        let hold = self.usual_hold.load(Ordering::Relaxed);
        Duration::from_micros(waiting.saturating_mul(hold) / connections.max(1) as u64)
    }

    fn note_hold(&self, hold: Duration) {
        let hold = u64::try_from(hold.as_micros()).unwrap_or(u64::MAX);
        let usual = self.usual_hold.load(Ordering::Relaxed);
        let next = (usual / 8).saturating_mul(7).saturating_add(hold / 8);
        self.usual_hold.store(next, Ordering::Relaxed);
    }
}

/// Counts one who waits, until it is dropped.
struct Waiting<'queue>(&'queue Queue);

impl<'queue> Waiting<'queue> {
    fn new(queue: &'queue Queue) -> Self {
        queue.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(queue)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A turn with a connection, until it is dropped.
#[derive(Debug)]
struct Turn<'pool> {
    queue: &'pool Queue,
    since: Instant,
    _permit: SemaphorePermit<'pool>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.queue.note_hold(self.since.elapsed());
    }
}

#[derive(Debug, Default)]
struct State {
    /// Idle connections, the longest idle first.
    idle: Vec<Idle>,
    /// Why the last attempt to connect failed, where clients are told.
    told: Option<&'static str>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection in use. Dropped without [`Lease::give_back`] it is closed, so that an answer that
/// nobody waited for can never be taken for that of the next query.
#[derive(Debug)]
pub struct Lease<'pool> {
    connection: Connection,
    is_new: bool,
    pool: &'pool Pool,
    _turn: Turn<'pool>,
}

impl Lease<'_> {
    /// The connection.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Whether the connection was opened for this lease.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Takes the connection out of the pool, which may open another in its place.
    pub fn keep(self) -> Connection {
        self.connection
    }

    /// Puts the connection back; its last answer has been read to the end.
    pub fn give_back(self) {
        if self.connection.is_in_transaction() {
            return;
        }
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
        let reserved = usize::from(database.pool_max > 1);
        Pool {
            permits: Semaphore::new(database.pool_max - reserved),
            reserved: Semaphore::new(reserved),
            queue: Queue::default(),
            pause: Pause::new(FIRST_PAUSE, LONGEST_PAUSE),
            connector: Connector::new(&database),
            address: Address::new(database.host.as_str(), database.port),
            session: session::statements(variables),
            database,
            state: Mutex::default(),
        }
    }

    /// The number of leases.
    pub fn in_use(&self) -> usize {
        let free = self.permits.available_permits() + self.reserved.available_permits();
        self.database.pool_max.saturating_sub(free)
    }

    /// The number of idle connections.
    pub fn idle(&self) -> usize {
        self.state().idle.len()
    }

    /// Closes all idle connections, because one that is as old was found broken. Another node may be there by now.
    pub fn forget_idle(&self) {
        self.state().idle.clear();
        self.address.doubt();
    }

    /// Whether a request that comes now would have to wait for too long.
    pub fn is_overloaded(&self) -> bool {
        self.permits.available_permits() == 0 && self.queue.wait(self.database.pool_max) > QUEUE_LIMIT
    }

    /// Waits for a connection that works, for a request.
    pub async fn lease(&self) -> Result<Lease<'_>, DatabaseError> {
        // Fails only when the semaphore is closed, which nobody does.
        let permit = match self.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) if self.is_overloaded() => return Err(BUSY),
            Err(_) => {
                let _waiting = Waiting::new(&self.queue);
                let acquired = timeout(QUEUE_LIMIT, self.permits.acquire()).await;
                acquired.map_err(|_| BUSY)?.map_err(|_| AWAY)?
            }
        };
        self.lease_with(permit).await
    }

    /// Waits for a connection that works, for a probe or a lock.
    pub async fn lease_reserved(&self) -> Result<Lease<'_>, DatabaseError> {
        if self.database.pool_max == 1 {
            return self.lease().await;
        }
        let permit = self.reserved.acquire().await.map_err(|_| AWAY)?;
        self.lease_with(permit).await
    }

    async fn lease_with<'pool>(&'pool self, permit: SemaphorePermit<'pool>) -> Result<Lease<'pool>, DatabaseError> {
        let turn = Turn {
            queue: &self.queue,
            since: Instant::now(),
            _permit: permit,
        };
        let (connection, is_new) = match self.tested_idle().await {
            Some(connection) => (connection, false),
            None => (self.connect().await?, true),
        };
        Ok(Lease {
            connection,
            is_new,
            pool: self,
            _turn: turn,
        })
    }

    async fn tested_idle(&self) -> Option<Connection> {
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

    async fn connect(&self) -> Result<Connection, DatabaseError> {
        if self.pause.is_on() {
            return Err(self.away());
        }
        let mut tried = None;
        let attempt = async {
            let address = self.address.find().await?;
            tried = Some(address);
            self.open(address).await
        };
        let failure = match timeout(CONNECT_TIMEOUT, attempt).await {
            Ok(Ok(connection)) => {
                self.pause.end();
                return Ok(connection);
            }
            Ok(Err(failure)) => failure,
            Err(_) => format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()).into(),
        };
        let pause = self.pause.begin();
        if let Some(address) = tried {
            self.address.doubt_this(address);
        }
        let Failure { reason, told } = failure;
        log::event(
            Level::Warn,
            &format!("database: {reason}; next attempt in {} ms", pause.as_millis()),
        );
        self.state().told = told;
        Err(self.away())
    }

    fn away(&self) -> DatabaseError {
        DatabaseError::Unavailable(self.state().told.unwrap_or(UNREACHABLE))
    }

    /// A connection whose session is set up.
    async fn open(&self, address: SocketAddr) -> Result<Connection, Failure> {
        let options = OptsBuilder::default()
            .ip_or_hostname(address.ip().to_string())
            .tcp_port(address.port())
            .user(Some(self.database.user.as_str()))
            .pass(Some(self.database.password.reveal()))
            .db_name(Some(self.database.name.as_str()))
            .prefer_socket(false)
            // Only the driver's own pool looks at it, and would ask the server otherwise.
            .wait_timeout(Some(28_800))
            .init(self.session.clone());
        let connection = self.connector.connect(options).await?;
        Ok(Connection::check(connection).await?)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
