//! Pure: which requests are retried when the connection is lost before their answer, and after which pause.
//!
//! The server may have executed such a request, so only idempotent ones are retried: reads, dry runs, server-side apply with
//! the same body, and deletions with the uid as a precondition. Other deletions could hit an object that was created since;
//! a patch with a resourceVersion and a creation would conflict with their own first attempt. Only the creation of a
//! revision is retried, as its Secret is recognized.
//! <https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2>

use std::error::Error;
use std::io;
use std::time::Duration;

use http::header::{CONTENT_TYPE, UPGRADE};
use http::request::Parts;
use serde_json::Value;

/// The pauses before the attempts: long enough for a failover of a load balancer, and short for an unreachable server.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_millis(1_000),
];
/// <https://kubernetes.io/docs/reference/using-api/server-side-apply/>
const APPLY: &str = "application/apply-patch+yaml";

/// What to wait before a request is sent again that has failed so many times; nothing when it was the last time.
pub fn pause(failures: usize) -> Option<Duration> {
    PAUSES.get(failures.checked_sub(1)?).copied()
}

/// Whether a request may be carried out twice, and its answer is read as a whole: not that of a watch, of logs, of a pod.
pub fn is_repeatable(request: &Parts, body: &[u8]) -> bool {
    let (path, query) = (request.uri.path(), request.uri.query().unwrap_or_default());
    let asks = |parameter: &str| query.split('&').any(|part| part == parameter);
    let streams = asks("watch=true") || path.ends_with("/log") || request.headers.contains_key(UPGRADE);
    if streams || path.ends_with("/proxy") || path.contains("/proxy/") {
        return false;
    }
    match request.method.as_str() {
        "GET" => true,
        _ if asks("dryRun=All") => true,
        "PATCH" => request.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == APPLY),
        "POST" => path.ends_with("/selfsubjectaccessreviews") || path.ends_with("/secrets"),
        "DELETE" => has_uid_precondition(body),
        _ => false,
    }
}

/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/>
fn has_uid_precondition(body: &[u8]) -> bool {
    let options: Option<Value> = serde_json::from_slice(body).ok();
    options.is_some_and(|options| options.pointer("/preconditions/uid").is_some_and(Value::is_string))
}

/// Whether the connection is what failed. A certificate that is wrong, and a server that keeps silent, stay as they are.
pub fn is_lost_connection(error: &kube::Error) -> bool {
    let first: &(dyn Error + 'static) = match error {
        kube::Error::Service(error) => error.as_ref(),
        kube::Error::HyperError(error) => error,
        _ => return false,
    };
    let causes = std::iter::successors(Some(first), |&error| error.source());
    let mut io_errors = causes.filter_map(|error| error.downcast_ref::<io::Error>());
    !io_errors.any(|error| matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::TimedOut))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(method: &str, uri: &str, content_type: &str) -> Parts {
        let request = http::Request::builder().method(method).uri(uri);
        let request = request.header(CONTENT_TYPE, content_type).body(());
        request.unwrap().into_parts().0
    }

    #[test]
    fn only_what_may_be_carried_out_twice_is_sent_again() {
        let json = "application/json";
        let table = [
            (true, "GET", "/api/v1/namespaces/a/configmaps/b", json),
            (true, "GET", "/api/v1/pods?limit=500", json),
            (false, "GET", "/api/v1/pods?watch=true&timeoutSeconds=30", json),
            (false, "GET", "/api/v1/namespaces/a/pods/b/log?follow=true", json),
            (false, "GET", "/api/v1/namespaces/a/pods/b:8080/proxy/health", json),
            (true, "PATCH", "/api/v1/namespaces/a/configmaps/b?fieldManager=c", APPLY),
            (
                false,
                "PATCH",
                "/api/v1/namespaces/a/secrets/b",
                "application/merge-patch+json",
            ),
            (
                true,
                "PATCH",
                "/api/v1/namespaces/a/secrets/b?dryRun=All",
                "application/merge-patch+json",
            ),
            (true, "POST", "/api/v1/namespaces/a/secrets", json),
            (false, "POST", "/api/v1/namespaces/a/configmaps", json),
            (
                true,
                "POST",
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                json,
            ),
            (false, "PUT", "/api/v1/namespaces/a/secrets/b", json),
            (false, "DELETE", "/api/v1/namespaces/a/secrets/b", json),
        ];
        for (expected, method, uri, content_type) in table {
            let request = parts(method, uri, content_type);
            assert_eq!(is_repeatable(&request, b""), expected, "{method} {uri} {content_type}");
        }
        let mut shell = parts("GET", "/api/v1/namespaces/a/pods/b/portforward", json);
        shell.headers.insert(UPGRADE, "websocket".parse().unwrap());
        assert!(!is_repeatable(&shell, b""));
        let delete = parts("DELETE", "/api/v1/namespaces/a/secrets/b", json);
        for (expected, options) in [
            (
                true,
                r#"{"preconditions":{"uid":"u"},"propagationPolicy":"Foreground"}"#,
            ),
            (false, r#"{"preconditions":{"resourceVersion":"7"}}"#),
            (false, "{}"),
        ] {
            assert_eq!(is_repeatable(&delete, options.as_bytes()), expected, "{options}");
        }
    }

    #[test]
    fn only_a_lost_connection_is_tried_again() {
        let service = |kind: io::ErrorKind| kube::Error::Service(Box::new(io::Error::new(kind, "as the test says")));
        for (expected, error) in [
            (true, service(io::ErrorKind::ConnectionReset)),
            (true, service(io::ErrorKind::ConnectionRefused)),
            (true, service(io::ErrorKind::UnexpectedEof)),
            (
                true,
                kube::Error::Service("connection closed before message completed".into()),
            ),
            (false, service(io::ErrorKind::TimedOut)),
            (false, service(io::ErrorKind::InvalidData)),
            (false, kube::Error::TlsRequired),
        ] {
            assert_eq!(is_lost_connection(&error), expected, "{error:?}");
        }
    }

    #[test]
    fn it_ends_within_two_seconds() {
        let pauses: Vec<Duration> = (1..).map_while(pause).collect();
        assert!(pauses.is_sorted() && pauses.iter().sum::<Duration>() < Duration::from_secs(2));
        assert_eq!(pauses.len(), 3);
    }
}
