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
    /// What the last good lookup found, in its order, which may be another one each time.
    addresses: Vec<IpAddr>,
    /// Which of them is used.
    current: Option<IpAddr>,
    /// Whether nobody answered there.
    is_doubted: bool,
    /// Those where nobody answered, until all have been tried.
    silent: Vec<IpAddr>,
    /// Why the last lookup failed.
    failure: String,
}

impl Found {
    /// Of several addresses, another than the doubted one, and none twice before all have been tried.
    fn choose(&mut self) {
        if let Some(doubted) = self.current.filter(|_| self.is_doubted) {
            self.silent.push(doubted);
        }
        if self.addresses.iter().all(|address| self.silent.contains(address)) {
            self.silent.clear();
            self.silent.extend(self.current);
        }
        let mut others = self.addresses.iter().filter(|address| !self.silent.contains(address));
        self.current = others.next().or(self.addresses.first()).copied();
    }

    /// Takes what a lookup found.
    fn replace(&mut self, addresses: Vec<IpAddr>) {
        self.silent.retain(|address| addresses.contains(address));
        self.addresses = addresses;
        self.choose();
        self.is_doubted = false;
    }
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
        let is_good = |found: &Found| found.current.filter(|_| !found.is_doubted);
        if let Some(address) = is_good(&self.found()) {
            return Ok(SocketAddr::new(address, self.port));
        }
        let _turn = self.turn.lock().await;
        // Another one may have found it meanwhile.
        if is_good(&self.found()).is_none() {
            let is_found = !self.pause.is_on() && self.look_up().await;
            if !is_found {
                self.found().choose();
            }
        }
        let found = self.found();
        match found.current {
            Some(address) => Ok(SocketAddr::new(address, self.port)),
            None => Err(found.failure.clone()),
        }
    }

    /// Returns whether the name has an address.
    async fn look_up(&self) -> bool {
        let answer = match timeout(LIMIT, resolve(&self.host)).await {
            Ok(Ok(addresses)) if addresses.is_empty() => {
                // The guest's engine asks the system for the service `http` and does not tell its error.
                Err("has no address (a guest also needs an /etc/services with `http 80/tcp`)".to_owned())
            }
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(format!("cannot be resolved: {error}")),
            Err(_) => Err(format!("cannot be resolved within {} s", LIMIT.as_secs())),
        };
        let mut found = self.found();
        match answer {
            Ok(mut addresses) => {
                // IPv4 first, natively too: the guest's resolver knows nothing else.
                addresses.sort_by_key(IpAddr::is_ipv6);
                addresses.dedup();
                found.replace(addresses);
                self.pause.end();
                true
            }
            Err(reason) => {
                found.failure = format!("the name `{}` {reason}", self.host);
                self.pause.begin();
                false
            }
        }
    }

    /// Has the address looked up again, since nobody answered there. Until then, the other addresses of the name are used
    /// in turn, or this one where it has no other.
    pub fn doubt(&self) {
        self.found().is_doubted = true;
    }

    /// The same, unless another address has taken the place of this one meanwhile.
    pub fn doubt_this(&self, address: SocketAddr) {
        let mut found = self.found();
        if found.current == Some(address.ip()) {
            found.is_doubted = true;
        }
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All addresses of a host.
#[cfg(not(target_os = "wasi"))]
async fn resolve(host: &str) -> std::io::Result<Vec<IpAddr>> {
    let addresses = tokio::net::lookup_host((host, 0)).await?;
    Ok(addresses.map(|address| address.ip()).collect())
}

/// All addresses of a host. Not through `tokio`, whose fork gives the first alone.
#[cfg(target_os = "wasi")]
async fn resolve(host: &str) -> std::io::Result<Vec<IpAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let addresses = wasmedge_wasi_socket::nslookup(host, "http")?;
    Ok(addresses.iter().map(std::net::SocketAddr::ip).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on(future: impl std::future::Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(future);
    }

    #[test]
    fn a_lookup_that_fails_is_remembered_and_the_last_address_used() {
        block_on(async {
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

    fn addresses(last: &[u8]) -> Vec<IpAddr> {
        last.iter().map(|last| IpAddr::from([10, 0, 0, *last])).collect()
    }

    #[test]
    fn all_addresses_of_a_name_are_tried() {
        let mut found = Found::default();
        found.replace(addresses(&[1, 2, 3]));
        let mut tried = Vec::new();
        // In whatever order they are told.
        for told in [[3, 1, 2], [2, 1, 3], [1, 2, 3], [3, 2, 1]] {
            tried.extend(found.current);
            found.is_doubted = true;
            found.replace(addresses(&told));
        }
        assert_eq!(tried, addresses(&[1, 3, 2, 1]));
        for _ in 0..2 {
            found.is_doubted = true;
            found.replace(addresses(&[9]));
            assert_eq!(found.current, addresses(&[9]).pop());
        }
        assert!(found.silent.len() <= 1);
    }

    #[test]
    fn without_a_lookup_the_known_addresses_are_used_in_turn() {
        block_on(async {
            let known = Address::new("no such name", 80);
            known.found().replace(addresses(&[1, 2]));
            let first = known.find().await.unwrap();
            // Who comes late doubts what is no longer used.
            known.doubt_this(SocketAddr::new(addresses(&[2])[0], 80));
            assert_eq!(known.find().await, Ok(first));
            known.doubt_this(first);
            known.pause.begin();
            let second = known.find().await.unwrap();
            assert_ne!(first, second);
            assert_eq!(known.find().await, Ok(first));
        });
    }
}
