//! Requests to servers of this host.

use std::time::Duration;

/// A client that asks no proxy which the shell names: it does not reach this host's loopback.
#[must_use]
pub fn client(timeout: Option<Duration>) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(timeout)
        .proxy(None)
        .build()
        .into()
}
