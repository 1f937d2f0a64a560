//! Where another service is.
//!
//! A lookup stops the whole guest until it is answered, because the socket crate resolves synchronously. So an address
//! that works is kept, and a lookup that fails is not repeated at once.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as Turn;
use tokio::time::timeout;

use crate::pause::Pause;

/// The time in which a name must be found. A guest waits as long as the pod's `dnsConfig` says.
const LIMIT: Duration = Duration::from_secs(3);
/// Pauses after a lookup, whatever came of it: the shortest, and the longest after several that failed.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A host and a port, and the address they were found at.
#[derive(Debug)]
pub struct Address {
    host: String,
    port: u16,
    found: Mutex<Found>,
    /// One lookup at a time.
    turn: Turn<()>,
    pause: Pause,
}

#[derive(Debug, Default)]
struct Found {
    /// The last good address.
    address: Option<IpAddr>,
    /// Whether nobody answered there.
    is_doubted: bool,
    /// Why the last lookup failed.
    failure: String,
}

impl Address {
    /// The address of a host name or an IP address.
    pub fn new(host: impl Into<String>, port: u16) -> Address {
        Address {
            host: host.into(),
            port,
            found: Mutex::default(),
            turn: Turn::default(),
            pause: Pause::new(FIRST_PAUSE, LONGEST_PAUSE),
        }
    }

    /// Finds the address, or tells for the log why it cannot be found.
    pub async fn find(&self) -> Result<SocketAddr, String> {
        let is_good = |found: &Found| found.address.filter(|_| !found.is_doubted);
        if let Some(address) = is_good(&self.found()) {
            return Ok(SocketAddr::new(address, self.port));
        }
        let _turn = self.turn.lock().await;
        // Another one may have found it meanwhile.
        if is_good(&self.found()).is_none() && !self.pause.is_on() {
            self.look_up().await;
        }
        let found = self.found();
        match found.address {
            Some(address) => Ok(SocketAddr::new(address, self.port)),
            None => Err(found.failure.clone()),
        }
    }

    async fn look_up(&self) {
        let answer = match timeout(LIMIT, tokio::net::lookup_host((self.host.as_str(), self.port))).await {
            Ok(Ok(addresses)) => addresses
                // IPv4 first, natively too: the guest's resolver knows nothing else.
                .min_by_key(SocketAddr::is_ipv6)
                // The guest's resolver asks the system for the service `http` and does not tell its error.
                .ok_or_else(|| "has no address (a guest also needs an /etc/services with `http 80/tcp`)".to_owned()),
            Ok(Err(error)) => Err(format!("cannot be resolved: {error}")),
            Err(_) => Err(format!("cannot be resolved within {} s", LIMIT.as_secs())),
        };
        let mut found = self.found();
        match answer {
            Ok(address) => {
                found.address = Some(address.ip());
                found.is_doubted = false;
                self.pause.end();
            }
            Err(reason) => {
                found.failure = format!("the name `{}` {reason}", self.host);
                self.pause.begin();
            }
        }
    }

    /// Has the address looked up again, since nobody answered there. It is used until another one is found.
    pub fn doubt(&self) {
        self.found().is_doubted = true;
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lookup_that_fails_is_remembered_and_the_last_address_used() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let unknown = Address::new("no such name", 80);
            let first = unknown.find().await.unwrap_err();
            assert!(unknown.pause.is_on());
            assert_eq!(unknown.find().await, Err(first));

            let known = Address::new("127.0.0.1", 80);
            let address = known.find().await.unwrap();
            known.doubt();
            known.pause.begin();
            assert_eq!(known.find().await, Ok(address));
            known.pause.end();
            assert_eq!(known.find().await, Ok(address));
            assert!(!known.found().is_doubted);
        });
    }
}
