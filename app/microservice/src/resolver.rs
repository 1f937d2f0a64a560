//! Resolves the host name of another service, with a cache.
//!
//! The WASI socket crate resolves names synchronously, so a lookup blocks the whole single-threaded guest. Therefore an
//! address that works is cached until it is invalidated, and a failed lookup is not repeated before a backoff is over.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use crate::backoff::Backoff;

/// The time for a lookup in the native build. A guest blocks for as long as the pod's `dnsConfig` says.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(3);
/// The backoff after a lookup that failed.
const FIRST_BACKOFF: Duration = Duration::from_secs(5);
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// A host and a port, with the cached addresses of the host.
#[derive(Debug)]
pub struct Resolver {
    host: String,
    port: u16,
    cache: Mutex<Cache>,
    /// Held during a lookup, so that there is one at a time.
    lookup_lock: tokio::sync::Mutex<()>,
    backoff: Backoff,
}

#[derive(Debug, Default)]
struct Cache {
    /// The addresses of the last successful lookup. Their order may differ between lookups.
    addresses: Vec<IpAddr>,
    /// The address that is used.
    current: Option<IpAddr>,
    /// Whether connecting to `current` failed.
    is_stale: bool,
    /// Addresses that connecting failed to; emptied when that holds for all of them.
    unreachable: Vec<IpAddr>,
    /// Why the last lookup failed.
    error: String,
}

impl Cache {
    /// The address that is used, unless it has been invalidated.
    fn fresh_address(&self) -> Option<IpAddr> {
        self.current.filter(|_| !self.is_stale)
    }

    /// Fails over to an address that has not been tried yet. When all have been, it starts again with any other than
    /// the current one.
    fn select_next(&mut self) {
        if let Some(stale) = self.current.filter(|_| self.is_stale) {
            self.unreachable.push(stale);
        }
        if self.addresses.iter().all(|address| self.unreachable.contains(address)) {
            self.unreachable.clear();
            self.unreachable.extend(self.current);
        }
        let mut untried = self
            .addresses
            .iter()
            .filter(|address| !self.unreachable.contains(address));
        self.current = untried.next().or(self.addresses.first()).copied();
    }

    /// Stores the result of a lookup.
    fn replace(&mut self, addresses: Vec<IpAddr>) {
        self.unreachable.retain(|address| addresses.contains(address));
        self.addresses = addresses;
        self.select_next();
        self.is_stale = false;
    }
}

impl Resolver {
    /// A resolver of a host name or an IP address. Nothing is looked up yet.
    pub fn new(host: impl Into<String>, port: u16) -> Resolver {
        Resolver {
            host: host.into(),
            port,
            cache: Mutex::default(),
            lookup_lock: tokio::sync::Mutex::default(),
            backoff: Backoff::new(FIRST_BACKOFF, MAX_BACKOFF),
        }
    }

    /// The cached address, or the result of a lookup if there is none or it has been invalidated. When the lookup
    /// fails, or its backoff is active, the cached addresses are used in turn. The error is a sentence for the log.
    pub async fn resolve(&self) -> Result<SocketAddr, String> {
        if let Some(address) = self.cache().fresh_address() {
            return Ok(SocketAddr::new(address, self.port));
        }
        let _lookup = self.lookup_lock.lock().await;
        // Another task may have looked it up while this one waited for the lock.
        if self.cache().fresh_address().is_none() {
            let is_resolved = !self.backoff.is_active() && self.look_up_host().await;
            if !is_resolved {
                self.cache().select_next();
            }
        }
        let cache = self.cache();
        match cache.current {
            Some(address) => Ok(SocketAddr::new(address, self.port)),
            None => Err(cache.error.clone()),
        }
    }

    /// Looks the host up and caches the result. Returns whether it has an address.
    async fn look_up_host(&self) -> bool {
        let result = match timeout(LOOKUP_TIMEOUT, look_up(&self.host)).await {
            Ok(Ok(addresses)) if addresses.is_empty() => {
                // WasmEdge calls getaddrinfo with the service name `http`, and does not report its error.
                Err("has no address (a guest also needs an /etc/services with `http 80/tcp`)".to_owned())
            }
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(format!("cannot be resolved: {error}")),
            Err(_) => Err(format!("cannot be resolved within {} s", LOOKUP_TIMEOUT.as_secs())),
        };
        let mut cache = self.cache();
        match result {
            Ok(mut addresses) => {
                // IPv4 first in the native build as well: the guest resolves IPv4 only.
                addresses.sort_by_key(IpAddr::is_ipv6);
                addresses.dedup();
                cache.replace(addresses);
                self.backoff.reset();
                true
            }
            Err(reason) => {
                cache.error = format!("the name `{}` {reason}", self.host);
                self.backoff.start();
                false
            }
        }
    }

    /// Invalidates the current address, because the connection to it failed: the next call of [`Resolver::resolve`]
    /// looks the host up again, and fails over to another of its addresses, if it has any.
    pub fn invalidate(&self) {
        self.cache().is_stale = true;
    }

    /// Invalidates this address, unless another one has become the current one meanwhile.
    pub fn invalidate_address(&self, address: SocketAddr) {
        let mut cache = self.cache();
        if cache.current == Some(address.ip()) {
            cache.is_stale = true;
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All addresses of a host.
#[cfg(not(target_os = "wasi"))]
async fn look_up(host: &str) -> std::io::Result<Vec<IpAddr>> {
    let addresses = tokio::net::lookup_host((host, 0)).await?;
    Ok(addresses.map(|address| address.ip()).collect())
}

/// All addresses of a host. Not through `tokio_wasi`, which returns the first address only.
#[cfg(target_os = "wasi")]
async fn look_up(host: &str) -> std::io::Result<Vec<IpAddr>> {
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
            let unknown = Resolver::new("no such name", 80);
            let first = unknown.resolve().await.unwrap_err();
            assert!(unknown.backoff.is_active());
            assert_eq!(unknown.resolve().await, Err(first));

            let known = Resolver::new("127.0.0.1", 80);
            let address = known.resolve().await.unwrap();
            known.invalidate();
            known.backoff.start();
            assert_eq!(known.resolve().await, Ok(address));
            known.backoff.reset();
            assert_eq!(known.resolve().await, Ok(address));
            assert!(!known.cache().is_stale);
        });
    }

    fn addresses(last_octets: &[u8]) -> Vec<IpAddr> {
        last_octets
            .iter()
            .map(|octet| IpAddr::from([10, 0, 0, *octet]))
            .collect()
    }

    #[test]
    fn all_addresses_of_a_name_are_tried() {
        let mut cache = Cache::default();
        cache.replace(addresses(&[1, 2, 3]));
        let mut tried = Vec::new();
        // In whatever order a lookup returns them.
        for order in [[3, 1, 2], [2, 1, 3], [1, 2, 3], [3, 2, 1]] {
            tried.extend(cache.current);
            cache.is_stale = true;
            cache.replace(addresses(&order));
        }
        assert_eq!(tried, addresses(&[1, 3, 2, 1]));
        for _ in 0..2 {
            cache.is_stale = true;
            cache.replace(addresses(&[9]));
            assert_eq!(cache.current, addresses(&[9]).pop());
        }
        assert!(cache.unreachable.len() <= 1);
    }

    #[test]
    fn without_a_lookup_the_known_addresses_are_used_in_turn() {
        block_on(async {
            let known = Resolver::new("no such name", 80);
            known.cache().replace(addresses(&[1, 2]));
            let first = known.resolve().await.unwrap();
            // An address that is no longer the current one is not invalidated.
            known.invalidate_address(SocketAddr::new(addresses(&[2])[0], 80));
            assert_eq!(known.resolve().await, Ok(first));
            known.invalidate_address(first);
            known.backoff.start();
            let second = known.resolve().await.unwrap();
            assert_ne!(first, second);
            assert_eq!(known.resolve().await, Ok(first));
        });
    }
}
