//! The pauses between the attempts of a watch that fails.

use std::time::Duration;

use kube::runtime::utils::Backoff;

/// The pause after the first failure; it doubles with each further one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause: a server that comes back is found soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// The back-off between attempts. That of kube grows to half a minute, which is long for an interactive command.
pub struct WatchBackoff {
    pause: Duration,
    last: Option<std::time::Instant>,
}

impl Default for WatchBackoff {
    fn default() -> Self {
        Self {
            pause: SHORTEST_PAUSE,
            last: None,
        }
    }
}

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let calm = self.last.is_none_or(|last| last.elapsed() > 2 * LONGEST_PAUSE);
        self.pause = if calm {
            SHORTEST_PAUSE
        } else {
            (2 * self.pause).min(LONGEST_PAUSE)
        };
        self.last = Some(std::time::Instant::now());
        Some(self.pause)
    }
}

impl Backoff for WatchBackoff {
    /// kube calls this at the start of each new list, before it is known whether it succeeds: time alone makes calm.
    fn reset(&mut self) {}
}
