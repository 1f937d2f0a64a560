//! Pure: what goes wrong, how often, and how it looks to the client.

use std::time::Duration;

use hyper::Response;
use serde_json::{Value, json};

use crate::random::Random;

/// One request of so many goes wrong.
const ONE_OF: usize = 12;

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with that status, and does not reach the API server.
    Refuse(u16),
    /// The connection closes before the request has reached the API server.
    CutBefore,
    /// The connection closes after the API server has done what was asked for.
    CutAfter,
    /// The connection closes in the middle of the answer, after so many bytes.
    CutWithin(usize),
    /// It takes longer.
    Delay(Duration),
    /// A watch ends after a while because its version is too old.
    Expire(Duration),
}

/// Whether the next request goes wrong, and how.
pub fn draw(random: &mut Random, watch: bool) -> Option<Fault> {
    // Watches are few, and live long enough to have more happen to them.
    if random.below(if watch { 3 } else { ONE_OF }) != 0 {
        return None;
    }
    let pause = Duration::from_millis(random.below(1_500) as u64);
    Some(match random.below(8) {
        _ if watch => Fault::Expire(pause),
        0 => Fault::Refuse(429),
        1 => Fault::Refuse(500),
        2 => Fault::Refuse(503),
        3 => Fault::CutBefore,
        4 => Fault::CutAfter,
        5 | 6 => Fault::CutWithin(random.below(400)),
        _ => Fault::Delay(pause),
    })
}

/// The API server's own form of a refusal.
pub fn refusal(status: u16) -> Response<String> {
    let reason = match status {
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    let text = self::status(status, reason).to_string();
    let mut response = Response::new(text);
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap();
    let headers = response.headers_mut();
    headers.insert("content-type", "application/json".parse().unwrap());
    if status == 429 {
        headers.insert("retry-after", "1".parse().unwrap());
    }
    response
}

/// The last line of a watch whose version is too old.
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>
pub fn expired() -> String {
    format!("{}\n", json!({"type": "ERROR", "object": status(410, "Expired")}))
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "reason": reason,
        "message": "made to fail by the test's proxy"})
}

/// The error that closes a connection.
pub fn cut() -> kube::Error {
    kube::Error::Service("cut by the test's proxy".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_comes_and_most_requests_pass() {
        let mut random = Random::new(1);
        let drawn: Vec<Fault> = (0..2_000).filter_map(|_| draw(&mut random, false)).collect();
        assert!((80..300).contains(&drawn.len()), "{}", drawn.len());
        for fault in [
            Fault::Refuse(429),
            Fault::Refuse(500),
            Fault::Refuse(503),
            Fault::CutBefore,
            Fault::CutAfter,
        ] {
            assert!(drawn.contains(&fault), "{fault:?}");
        }
        assert!(drawn.iter().any(|fault| matches!(fault, Fault::CutWithin(_))));
        assert!(drawn.iter().any(|fault| matches!(fault, Fault::Delay(_))));
        assert!(matches!(
            (0..50).find_map(|_| draw(&mut random, true)),
            Some(Fault::Expire(_))
        ));
    }
}
