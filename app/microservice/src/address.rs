//! Where another service is.
//!
//! A lookup stops the whole guest until it is answered, because the socket crate resolves
//! synchronously. So an address that has been found is kept for a while.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an address is believed; [`Address::forget`] ends that at once.
const LIFETIME: Duration = Duration::from_secs(30);

/// A host and a port, and the address they were found at.
#[derive(Debug)]
pub struct Address {
    host: String,
    port: u16,
    found: Mutex<Option<(IpAddr, Instant)>>,
}

impl Address {
    /// The address of a host name or an IP address.
    pub fn new(host: impl Into<String>, port: u16) -> Address {
        Address {
            host: host.into(),
            port,
            found: Mutex::default(),
        }
    }

    /// Finds the address, or tells for the log why it cannot be found.
    pub async fn find(&self) -> Result<SocketAddr, String> {
        if let Some((address, since)) = *self.found() {
            if since.elapsed() < LIFETIME {
                return Ok(SocketAddr::new(address, self.port));
            }
        }
        let unknown = |reason: &str| format!("the name `{}` {reason}", self.host);
        let found = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|error| unknown(&format!("cannot be resolved: {error}")))?
            // IPv4 first, natively too: the guest's resolver knows nothing else.
            .min_by_key(SocketAddr::is_ipv6)
            // The guest's resolver asks the system for the service `http` and does not tell its error.
            .ok_or_else(|| unknown("has no address (a guest also needs an /etc/services with `http 80/tcp`)"))?;
        *self.found() = Some((found.ip(), Instant::now()));
        Ok(SocketAddr::new(found.ip(), self.port))
    }

    /// Has the address looked up again, since nobody answered there.
    pub fn forget(&self) {
        *self.found() = None;
    }

    fn found(&self) -> MutexGuard<'_, Option<(IpAddr, Instant)>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
