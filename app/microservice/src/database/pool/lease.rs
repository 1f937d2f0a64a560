//! A connection that is taken out of the pool for a while.

use std::time::Instant;

use super::queue::ConnectionPermit;
use super::{Connection, IdleConnection, Pool, MAX_IDLE_TIME};

/// A connection in use. It is closed when it is dropped without [`Lease::release`]: its response may not have been read
/// to the end, and must never be taken for the response of the next query.
#[derive(Debug)]
pub struct Lease<'pool> {
    pub(super) connection: Connection,
    pub(super) is_new: bool,
    pub(super) pool: &'pool Pool,
    pub(super) _permit: ConnectionPermit<'pool>,
}

impl Lease<'_> {
    /// The leased connection, for statements.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Whether the connection was opened for this lease.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Removes the connection from the pool, which may open another one instead.
    pub fn detach(self) -> Connection {
        self.connection
    }

    /// Returns the connection to the pool. Its last response must have been read to the end.
    pub fn release(self) {
        if self.connection.is_in_transaction() {
            return;
        }
        let mut state = self.pool.state();
        let now = Instant::now();
        state.idle.push(IdleConnection {
            connection: self.connection,
            idle_since: now,
        });
        let spare = state.idle.len().saturating_sub(self.pool.settings.pool_min);
        let expired = state
            .idle
            .iter()
            .take(spare)
            .take_while(|idle| now.duration_since(idle.idle_since) > MAX_IDLE_TIME)
            .count();
        state.idle.drain(..expired);
    }
}
