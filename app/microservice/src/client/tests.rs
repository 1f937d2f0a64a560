use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::SystemTime;

use hyper::header::RETRY_AFTER;

use super::retry_after::parse_retry_after;
use super::*;

/// Starts a server that responds to all requests of its first connection with the first status, to those of the second
/// with the second. Returns its URL.
fn start_server(statuses: [u16; 2]) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for status in statuses {
            let (stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            std::thread::spawn(move || {
                for _ in lines.map_while(Result::ok).filter(String::is_empty) {
                    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
                    (&stream).write_all(head.as_bytes()).unwrap();
                }
            });
        }
    });
    Endpoint::parse(&url).unwrap()
}

#[test]
fn keeps_no_connection_to_one_who_may_be_somebody_else() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = Client::new(start_server([404, 204]), Duration::from_secs(60), Memory::default());
        for expected in [404, 204, 204] {
            assert_eq!(client.get("").await.unwrap().status, expected);
        }
    });
}

#[test]
fn reads_how_long_to_wait() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for (text, seconds) in [
        ("0", Some(0)),
        ("120", Some(120)),
        (" 7 ", Some(7)),
        ("99999999999999999999999", Some(u64::from(u32::MAX))),
        ("18446744073709551615", Some(u64::from(u32::MAX))),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(u64::from(u32::MAX))),
        ("Sun, 09 Sep 2001 01:47:40 GMT", Some(60)),
        ("Sun, 09 Sep 2001 01:46:39 GMT", Some(0)),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
        assert_eq!(
            parse_retry_after(&headers, now),
            seconds.map(Duration::from_secs),
            "{text}"
        );
    }
    assert_eq!(parse_retry_after(&HeaderMap::new(), now), None);
}

#[test]
fn reads_urls() {
    let endpoint = Endpoint::parse("http://events.shop.svc.cluster.local/events").unwrap();
    assert_eq!(endpoint.host, "events.shop.svc.cluster.local");
    assert_eq!((endpoint.port, endpoint.path.as_str()), (80, "/events"));
    let endpoint = Endpoint::parse("http://127.0.0.1:8081").unwrap();
    assert_eq!((endpoint.port, endpoint.path.as_str()), (8081, "/"));
    assert_eq!(endpoint.authority, "127.0.0.1:8081");
    assert_eq!(Endpoint::parse("http://[::1]:80/").unwrap().host, "::1");
}

#[test]
fn refuses_what_cannot_work() {
    for (url, reason) in [
        ("events:8080", "like http://host"),
        ("/events", "like http://host"),
        ("", "like http://host"),
        ("ftp://a/", "like http://host"),
        ("https://a/", "cannot encrypt"),
        ("http://user:secret@a/", "user or a password"),
        ("http://a/?b=c", "query"),
    ] {
        let error = Endpoint::parse(url).unwrap_err();
        assert!(error.contains(reason), "{url}: {error}");
    }
}
