//! Malformed, ambiguous, incomplete and oversized requests.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::thread;

use service_tests::http::{connect, read_response, Request};

use crate::{abuse_service, read_to_end};

#[test]
fn requests_in_one_packet_are_answered_in_order() {
    abuse_service(|address| {
        let mut stream = connect(address).unwrap();
        let echo = |text: &str| Request::new("POST", "/echo").with_body(text).to_bytes(address);
        let count = 100;
        let all: Vec<u8> = (0..count).flat_map(|number| echo(&number.to_string())).collect();
        stream.write_all(&all).unwrap();
        for number in 0..count {
            let response = read_response(&mut stream, false).unwrap();
            assert_eq!(response.body, number.to_string());
        }
    });
}

#[test]
fn chunked_bodies_are_read() {
    abuse_service(|address| {
        let mut stream = connect(address).unwrap();
        let head = "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n").unwrap();
        assert_eq!(read_response(&mut stream, false).unwrap().body, "abcde");
    });
}

#[test]
fn endless_bodies_are_refused() {
    abuse_service(|address| {
        let mut stream = connect(address).unwrap();
        let head = "POST /create_order HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
        let mut reader = stream.try_clone().unwrap();
        let writer = thread::spawn(move || while stream.write_all(&chunk).is_ok() {});
        let answer = read_to_end(&mut reader);
        writer.join().unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    });
}

#[test]
fn a_huge_announced_body_is_refused_at_once() {
    abuse_service(|address| {
        let mut stream = connect(address).unwrap();
        let head = "POST /create_order HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        assert_eq!(read_response(&mut stream, false).unwrap().status, 413);
    });
}

#[test]
fn what_is_no_http_is_refused() {
    abuse_service(|address| {
        for bytes in [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
            b"\0\0\0\0\0\0\0\0\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET /\xff\xfe HTTP/1.1\r\nhost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\n: \r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a@b\r\n\r\n",
            b"GET /#a HTTP/1.1\r\nhost: a\r\n\r\n",
            b"GET healthz HTTP/1.1\r\nhost: a\r\n\r\n",
            b"CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n",
            b"GET http://a@b/ HTTP/1.1\r\nhost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\n host: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\nx\0: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n",
            b"GET\t/\tHTTP/1.1\r\nhost: a\r\n\r\n",
            b"GET / HTTP/1.1 \r\nhost: a\r\n\r\n",
            b"GET / HTTP/1.1\rhost: a\r\n\r\n",
            b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ] {
            let mut stream = connect(address).unwrap();
            stream.write_all(bytes).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let answer = read_to_end(&mut stream);
            let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
            assert!(refused, "{bytes:?}: {answer}");
        }
    });
}

/// Request smuggling: a proxy could parse such a body differently.
#[test]
fn what_can_be_read_in_two_ways_is_one_request_at_the_most() {
    abuse_service(|address| {
        let chunked = "transfer-encoding: chunked\r\n";
        let extension = format!("1;{}\r\nx\r\n0\r\n\r\n", "a".repeat(30_000));
        let extensions = format!("1;{}\r\nx\r\n", "a".repeat(100)).repeat(1_000);
        for (headers, body) in [
            (chunked, "\r\n\r\n"),
            (chunked, ";a=b\r\n\r\n"),
            (chunked, " \r\n\r\n"),
            (chunked, "\t0\r\n\r\n"),
            (chunked, "0 \r\n\r\n"),
            (chunked, "+0\r\n\r\n"),
            (chunked, "0x0\r\n\r\n"),
            (chunked, "0\n\n"),
            (chunked, "0\r\n\n"),
            (chunked, "1\r\nab\r\n0\r\n\r\n"),
            (chunked, "00000000000000000\r\n\r\n"),
            (chunked, "fffffffffffffffff\r\n\r\n"),
            (chunked, "0\r\nGET /healthz HTTP/1.1\r\n\r\n"),
            (chunked, "0\r\n a: b\r\n\r\n"),
            (chunked, "0\r\na: b\n\r\n"),
            (chunked, "1 ;a\r\nx\r\n0\r\n\r\n"),
            (chunked, "1;a\rb\r\nx\r\n0\r\n\r\n"),
            (chunked, "1\rX\nx\r\n0\r\n\r\n"),
            (chunked, "-1\r\nx\r\n0\r\n\r\n"),
            (chunked, "1_0\r\nx\r\n0\r\n\r\n"),
            (chunked, &extension),
            (chunked, &extensions),
            ("content-length: 5\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"),
            (
                "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
                "0\r\n\r\n",
            ),
            ("transfer-encoding: chunked, identity\r\n", "0\r\n\r\n"),
            ("transfer-encoding: chunked, chunked\r\n", "0\r\n\r\n"),
            ("transfer-encoding: \x0bchunked\r\n", "0\r\n\r\n"),
            ("transfer-encoding: chunked;a=b\r\n", "0\r\n\r\n"),
            ("transfer-encoding: \"chunked\"\r\n", "0\r\n\r\n"),
            ("transfer-encoding: ,chunked\r\n", "0\r\n\r\n"),
            ("transfer-encoding:\r\n", "0\r\n\r\n"),
            ("transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"),
            ("transfer-encoding: chunked\r\ncontent-length: 0\r\n", "0\r\n\r\n"),
            (" transfer-encoding: chunked\r\n", "0\r\n\r\n"),
            ("x: y\r\n\ttransfer-encoding: chunked\r\n", "0\r\n\r\n"),
            ("transfer-encoding : chunked\r\n", "0\r\n\r\n"),
            ("transfer-encoding:\r\n chunked\r\n", "0\r\n\r\n"),
            ("content-length: 0\r\ncontent-length: 0\r\n", ""),
            ("content-length: +0\r\n", ""),
            ("content-length: 0, 0\r\n", ""),
            ("content-length:\r\n", ""),
            ("content-length: 0x0\r\n", ""),
            ("content-length: 0 0\r\n", ""),
            ("content-length: -0\r\n", ""),
            ("content-length: 0;a\r\n", ""),
            ("content-length: \u{660}\r\n", ""),
            ("content-length : 0\r\n", ""),
            ("content-length: 0\r\ncontent-length:\r\n", ""),
            ("a: b\nc: d\r\n", ""),
            ("a: b\rc: d\r\n", ""),
            ("a: b\r\n\r c: d\r\n", ""),
            ("a\r\n", ""),
            ("a b: c\r\n", ""),
            ("host: a\r\n", ""),
        ] {
            let mut stream = connect(address).unwrap();
            let smuggled = "GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
            let bytes = format!("POST /echo HTTP/1.1\r\nhost: a\r\n{headers}\r\n{body}{smuggled}");
            // The service may have rejected it before all of it was sent.
            let _ = stream.write_all(bytes.as_bytes());
            let answer = read_to_end(&mut stream);
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{headers}{body:.40}: {answer}");
            assert!(answer.starts_with("HTTP/1.1 400 "), "{headers}{body:.40}: {answer}");
            assert!(answer.contains("\"code\":\""), "{answer}");
        }
    });
}

#[test]
fn a_client_is_told_to_go_on() {
    abuse_service(|address| {
        for (length, word) in [("5", "HTTP/1.1 100 Continue\r\n\r\n"), ("2000000", "HTTP/1.1 413 ")] {
            let mut stream = connect(address).unwrap();
            let head =
                format!("POST /echo HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = vec![0; word.len()];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(String::from_utf8_lossy(&answer), word);
            if length == "5" {
                stream.write_all(b"hello").unwrap();
                assert_eq!(read_response(&mut stream, false).unwrap().body, "hello");
            }
        }
    });
}

#[test]
fn packed_bodies_are_refused() {
    abuse_service(|address| {
        for (encoding, status) in [
            ("gzip", 415),
            ("br", 415),
            ("deflate", 415),
            ("gzip, gzip", 415),
            ("identity, zstd", 415),
            ("\u{e4}", 415),
            ("identity", 200),
            ("Identity", 200),
            ("", 200),
        ] {
            let request = Request::new("POST", "/echo")
                .header("content-encoding", encoding)
                .with_body("x");
            let response = request.send(address).unwrap();
            assert_eq!(response.status, status, "{encoding}");
            if status == 415 {
                assert_eq!(response.header("accept-encoding"), Some("identity"));
                assert_eq!(response.error_code().as_deref(), Some("unsupported_media_type"));
            }
        }
    });
}

#[test]
fn odd_targets_are_answered() {
    abuse_service(|address| {
        for (target, status) in [
            ("*", 404),
            ("http://other/healthz", 200),
            ("/healthz?%", 200),
            ("/delete_order?id=%00", 400),
            ("/delete_order?id=%ff%fe", 400),
            ("/orders/%c3%28", 400),
            ("/orders/-", 400),
            ("/orders/2147483648", 404),
        ] {
            let response = Request::new("GET", target).send(address).unwrap();
            assert_eq!(response.status, status, "{target}: {response:?}");
        }
        let long = format!("/healthz?{}", "a".repeat(20_000));
        assert_eq!(Request::new("GET", &long).send(address).unwrap().status, 200);
    });
}

/// Unsupported features that a client requests are ignored.
#[test]
fn requests_with_wishes_are_answered_once() {
    abuse_service(|address| {
        for (line, headers, status) in [
            ("GET /healthz HTTP/1.1", "host: a\r\nupgrade: h2c\r\nconnection: upgrade, http2-settings, close\r\nhttp2-settings: AAMAAABkAARAAAAA\r\n", 200),
            ("GET /healthz HTTP/1.1", "host: a\r\nupgrade: websocket\r\nconnection: upgrade, close\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n", 200),
            ("GET /healthz HTTP/1.1", "host: a\r\nexpect: 100-continue\r\nconnection: close\r\n", 200),
            ("GET /healthz HTTP/1.1", "host: a\r\nexpect: the moon\r\nconnection: close\r\n", 200),
            ("GET /healthz HTTP/1.1", "host: a\r\nte: trailers\r\ntrailer: host\r\nconnection: close\r\n", 200),
            ("GET /healthz HTTP/1.1", "host: a\r\nrange: bytes=0-1\r\nconnection: close\r\n", 200),
            ("GET /healthz HTTP/1.1", "host: a\r\nx-http-method-override: DELETE\r\nx-original-url: /init\r\nconnection: close\r\n", 200),
            ("GET /healthz HTTP/1.0", "", 200),
            ("GET /healthz HTTP/1.0", "connection: close\r\n", 200),
            ("TRACE / HTTP/1.1", "host: a\r\nconnection: close\r\n", 405),
            ("get / HTTP/1.1", "host: a\r\nconnection: close\r\n", 405),
            ("OPTIONS * HTTP/1.1", "host: a\r\nconnection: close\r\n", 404),
        ] {
            let mut stream = connect(address).unwrap();
            stream.write_all(format!("{line}\r\n{headers}\r\n").as_bytes()).unwrap();
            let answer = read_to_end(&mut stream);
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{line} {headers}: {answer}");
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line} {headers}: {answer}");
        }
    });
}

#[test]
fn large_heads_are_refused() {
    abuse_service(|address| {
        let many = (0..200).fold(Request::new("GET", "/"), |request, number| {
            request.header(&format!("x-{number}"), "y")
        });
        let large = Request::new("GET", "/").header("x", &"y".repeat(300_000));
        for request in [many, large] {
            let mut stream = connect(address).unwrap();
            // The service may have rejected it before all of it was sent.
            let _ = stream.write_all(&request.to_bytes(address));
            let answer = read_to_end(&mut stream);
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
        }
    });
}

#[test]
fn truncated_requests_are_dropped() {
    abuse_service(|address| {
        let whole = Request::new("POST", "/echo").with_body("whole body").to_bytes(address);
        for length in 1..whole.len() {
            let mut stream = connect(address).unwrap();
            stream.write_all(&whole[..length]).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let answer = read_to_end(&mut stream);
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
        }
    });
}
