//! Pure: which requests are retried, how often, and after which pause.

use std::time::Duration;

use http::StatusCode;

/// How often something is tried again without having come any further.
const MAX_ATTEMPTS: u32 = 6;
/// The first pause; each one after it is twice as long.
const INITIAL_DELAY: Duration = Duration::from_millis(200);
/// No pause of our own is longer.
const MAX_DELAY: Duration = Duration::from_secs(10);
/// A registry that asks for a longer one is not waited for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(120);

/// Whether such an answer may be another one the next time.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-15.6>
pub fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// The pauses between the attempts of one request.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The pause before the next attempt, or none when it is enough. `retry_after` is what the registry asked for with
    /// `Retry-After`, `random` any number: clients that failed together do not come back together.
    pub fn next_delay(&mut self, retry_after: Option<Duration>, random: u8) -> Option<Duration> {
        if self.attempts == MAX_ATTEMPTS || retry_after.is_some_and(|retry_after| retry_after > MAX_RETRY_AFTER) {
            return None;
        }
        let pause = INITIAL_DELAY.saturating_mul(1 << self.attempts).min(MAX_DELAY);
        self.attempts += 1;
        // Between one half and the whole of it.
        let pause = pause.mul_f64(0.5 + f64::from(random) / 510.0);
        Some(retry_after.map_or(pause, |retry_after| retry_after.max(pause)))
    }

    /// It has come further: the next failure counts as the first.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

/// Reads `Retry-After`: seconds, or a date.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>
pub fn parse_retry_after(header: &str, now: jiff::Timestamp) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(header.trim()).ok()?;
    // A date that is over asks for no pause.
    Some(Duration::try_from(date.timestamp().duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let pauses = |random: u8| -> Vec<u128> {
            let mut backoff = Backoff::default();
            std::iter::from_fn(|| backoff.next_delay(None, random).map(|pause| pause.as_millis())).collect()
        };
        assert_eq!(pauses(255), [200, 400, 800, 1600, 3200, 6400]);
        assert_eq!(pauses(0), [100, 200, 400, 800, 1600, 3200]);
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            assert!(backoff.next_delay(None, 7).is_some());
            backoff.reset();
        }
    }

    #[test]
    fn the_registry_may_ask_for_a_longer_pause_within_reason() {
        let pause = |retry_after: u64| Backoff::default().next_delay(Some(Duration::from_secs(retry_after)), 255);
        assert_eq!(pause(0), Some(Duration::from_millis(200)));
        assert_eq!(pause(30), Some(Duration::from_secs(30)));
        assert_eq!(pause(3_600), None);
    }

    #[test]
    fn wishes_are_seconds_or_dates() {
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        let seconds = |header: &str| parse_retry_after(header, now).map(|retry_after| retry_after.as_secs());
        assert_eq!(seconds("7"), Some(7));
        assert_eq!(seconds("Fri, 02 Jan 2026 03:04:35 GMT"), Some(30));
        assert_eq!(seconds("Fri, 02 Jan 2026 03:04:00 GMT"), Some(0));
        assert_eq!(seconds("soon"), None);
    }

    #[test]
    fn refusals_do_not_pass() {
        for status in [429, 500, 503] {
            assert!(is_transient(StatusCode::from_u16(status).unwrap()));
        }
        for status in [400, 401, 403, 404, 413, 501, 507] {
            assert!(!is_transient(StatusCode::from_u16(status).unwrap()));
        }
    }
}
