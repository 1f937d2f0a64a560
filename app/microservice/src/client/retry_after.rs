//! The `Retry-After` header, as seconds or as a date: <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>.

use std::time::{Duration, SystemTime};

use hyper::header::RETRY_AFTER;
use hyper::HeaderMap;

/// The delay that the headers ask for; zero for a date in the past, `None` for a missing or an invalid header.
pub(super) fn parse_retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    // Longer delays are cut to 136 years, so that adding one to an instant cannot overflow.
    const MAX_DELAY: Duration = Duration::from_secs(u32::MAX as u64);
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let delay = text.parse().map_or(MAX_DELAY, Duration::from_secs);
        return Some(delay.min(MAX_DELAY));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default().min(MAX_DELAY))
}
