//! What each peer holds of the memory for large answers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Exhausted;

/// Bytes of large answers by the peers that have yet to read them.
#[derive(Debug, Default)]
pub(super) struct Peers {
    held: Mutex<HashMap<IpAddr, usize>>,
}

impl Peers {
    /// Counts bytes for a peer, which may hold so many together, or any number of a single answer.
    pub(super) fn take(peers: &Arc<Peers>, peer: IpAddr, bytes: usize, most: usize) -> Result<PeerShare, Exhausted> {
        let mut all = peers.held();
        let held = all.entry(peer).or_default();
        if *held > 0 && *held + bytes > most {
            return Err(Exhausted);
        }
        *held += bytes;
        Ok(PeerShare {
            peers: Some((Arc::clone(peers), peer)),
            bytes,
        })
    }

    pub(super) fn held(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a peer holds until this is dropped.
#[derive(Debug, Default)]
pub struct PeerShare {
    peers: Option<(Arc<Peers>, IpAddr)>,
    bytes: usize,
}

impl Drop for PeerShare {
    fn drop(&mut self) {
        if let Some((peers, peer)) = &self.peers {
            let mut held = peers.held();
            if let Some(bytes) = held.get_mut(peer) {
                *bytes = bytes.saturating_sub(self.bytes);
                if *bytes == 0 {
                    held.remove(peer);
                }
            }
        }
    }
}
