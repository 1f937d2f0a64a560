//! The head of a request: from bytes to a method, a target, headers, and the form of the body that follows.
//!
//! Whatever two readers could take for two different requests is refused, since one of them may be a proxy before us
//! ("request smuggling", <https://www.rfc-editor.org/rfc/rfc9112#section-11.2>).

use std::ops::Range;

use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue, CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use hyper::{HeaderMap, Method, Uri};

use super::target::{check_host, check_target};
use crate::http::{Code, Problem};

/// The most bytes of a head.
pub const MAX_BYTES: usize = 32 * 1024;
/// The most headers.
const MAX_HEADERS: usize = 100;

/// A complete head.
#[derive(Clone, Debug)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The target: a path and perhaps a query.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// How long the body is.
    pub length: Length,
    /// Whether the client may send another request on this connection.
    pub keeps_alive: bool,
    /// Whether the client must be told that its connection is kept.
    pub is_http_10: bool,
    /// Whether the client waits for a word before it sends the body.
    pub expects_continue: bool,
}

/// The length of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many bytes.
    Known(u64),
    /// Its chunks tell.
    Chunked,
}

/// Finds the end of a head in what has been received, whatever the pieces in which it comes: each byte is looked at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Search {
    /// Empty lines before the request are left out.
    start: usize,
    line: usize,
    at: usize,
}

impl Search {
    /// Where the head is, once it is complete.
    pub fn look(&mut self, received: &[u8]) -> Result<Option<Range<usize>>, Problem> {
        while let Some(found) = received
            .get(self.at..)
            .and_then(|rest| rest.iter().position(|byte| *byte == b'\n'))
        {
            let end = self.at + found;
            let line = received.get(self.line..end).unwrap_or_default();
            let Some(line) = line.strip_suffix(b"\r") else {
                return Err(malformed("a line that does not end with CR LF"));
            };
            self.at = end + 1;
            match (line.is_empty(), self.line == self.start) {
                (true, true) => self.start = self.at,
                (true, false) => return Ok(Some(self.start..self.at)),
                (false, _) => {}
            }
            self.line = self.at;
            if self.at > MAX_BYTES {
                return Err(too_large());
            }
        }
        self.at = received.len();
        if self.at > MAX_BYTES {
            return Err(too_large());
        }
        // TLS, say, which has no lines to wait for.
        match received.get(self.start) {
            Some(byte) if !byte.is_ascii_graphic() && *byte != b'\r' => Err(malformed("no request line")),
            _ => Ok(None),
        }
    }
}

/// Reads a complete head.
pub fn read(bytes: &Bytes) -> Result<Head, Problem> {
    let mut space = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut space);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(malformed("no end of its head")),
        Err(httparse::Error::TooManyHeaders) => return Err(too_large()),
        Err(error) => return Err(malformed(error)),
    }
    let method = request.method.unwrap_or_default();
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| malformed("no known form of a method"))?;
    let target = request.path.unwrap_or_default();
    let uri = Uri::from_maybe_shared(bytes.slice_ref(target.as_bytes())).map_err(|_| malformed("a wrong target"))?;
    check_target(target, &uri)?;
    let is_http_10 = request.version == Some(0);

    let mut headers = HeaderMap::with_capacity(request.headers.len());
    for header in request.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| malformed("a wrong header name"))?;
        let value = match header.value {
            [] => Ok(HeaderValue::from_static("")),
            value => HeaderValue::from_maybe_shared(bytes.slice_ref(value)),
        };
        headers.append(name, value.map_err(|_| malformed("a wrong header value"))?);
    }
    check_host(&headers, is_http_10)?;
    Ok(Head {
        length: length(&headers, is_http_10)?,
        keeps_alive: match is_http_10 {
            true => lists(&headers, "keep-alive"),
            false => !lists(&headers, "close"),
        },
        expects_continue: !is_http_10
            && headers
                .get(EXPECT)
                .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")),
        is_http_10,
        method,
        uri,
        headers,
    })
}

/// <https://www.rfc-editor.org/rfc/rfc9112#section-6.3>, without its ways to repair what is wrong.
fn length(headers: &HeaderMap, is_http_10: bool) -> Result<Length, Problem> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (codings.next(), codings.next(), lengths.next(), lengths.next()) {
        (None, _, None, _) => Ok(Length::Known(0)),
        (None, _, Some(length), None) => digits(length.as_bytes())
            .map(Length::Known)
            .ok_or_else(|| malformed("a wrong Content-Length")),
        (Some(coding), None, None, _) if !is_http_10 && coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            Ok(Length::Chunked)
        }
        (None, ..) => Err(malformed("more than one Content-Length")),
        (_, _, None, _) => Err(malformed("a Transfer-Encoding other than chunked")),
        _ => Err(malformed("both Transfer-Encoding and Content-Length")),
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().unwrap_or(u64::MAX))
}

fn lists(headers: &HeaderMap, token: &str) -> bool {
    let mut tokens = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    tokens.any(|found| found.trim().eq_ignore_ascii_case(token))
}

/// The problem of a request that is no HTTP/1.1.
pub fn malformed(what: impl std::fmt::Display) -> Problem {
    Problem::new(
        Code::BAD_REQUEST,
        format!("this is no valid HTTP request: it has {what}"),
    )
}

fn too_large() -> Problem {
    Problem::new(
        Code::HEAD_TOO_LARGE,
        format!("the request's head has more than {MAX_BYTES} bytes or {MAX_HEADERS} headers"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Result<Option<Range<usize>>, Problem> {
        Search::default().look(text.as_bytes())
    }

    fn head(lines: &str) -> Result<Head, Problem> {
        let host = if lines.contains("host") { "" } else { "host: a\r\n" };
        let text = format!("POST /a?b HTTP/1.1\r\n{host}{lines}\r\n");
        let range = find(&text)?.unwrap();
        read(&Bytes::from(text).slice(range))
    }

    #[test]
    fn finds_the_end_in_any_pieces() {
        let text = "\r\n\r\nGET / HTTP/1.1\r\na: b\r\n\r\nrest\n";
        let expected = 4..text.len() - 5;
        assert_eq!(find(text), Ok(Some(expected.clone())));
        let mut search = Search::default();
        for end in 0..expected.end {
            assert_eq!(search.look(&text.as_bytes()[..end]), Ok(None), "{end}");
        }
        assert_eq!(search.look(&text.as_bytes()[..expected.end]), Ok(Some(expected)));
    }

    #[test]
    fn gives_up_what_cannot_become_a_head() {
        for text in ["\n", "GET / HTTP/1.1\n", "\u{16}\u{3}", "\0"] {
            assert_eq!(find(text).unwrap_err().code, Code::BAD_REQUEST, "{text:?}");
        }
        let endless = "a".repeat(MAX_BYTES + 1);
        let empty_lines = "\r\n".repeat(MAX_BYTES);
        let no_end = "a: b\r\n".repeat(MAX_BYTES);
        for text in [&endless, &empty_lines, &no_end] {
            assert_eq!(find(text).unwrap_err().code, Code::HEAD_TOO_LARGE);
        }
        let many = "a: b\r\n".repeat(MAX_HEADERS + 1);
        assert_eq!(head(&many).unwrap_err().code, Code::HEAD_TOO_LARGE);
    }

    #[test]
    fn reads_how_long_the_body_is() {
        for (lines, length) in [
            ("", Length::Known(0)),
            ("content-length: 0\r\n", Length::Known(0)),
            ("Content-Length: 12\r\n", Length::Known(12)),
            ("content-length: 99999999999999999999999\r\n", Length::Known(u64::MAX)),
            ("Transfer-Encoding: Chunked\r\n", Length::Chunked),
        ] {
            assert_eq!(head(lines).unwrap().length, length, "{lines}");
        }
    }

    #[test]
    fn refuses_what_can_be_read_in_two_ways() {
        for lines in [
            "content-length: 1\r\ncontent-length: 1\r\n",
            "content-length: 1, 1\r\n",
            "content-length: +1\r\n",
            "content-length: 0x1\r\n",
            "content-length:\r\n",
            "content-length: 1\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: gzip, chunked\r\n",
            "transfer-encoding: identity\r\n",
            "transfer-encoding: xchunked\r\n",
            "transfer-encoding : chunked\r\n",
            "transfer-encoding:\r\n chunked\r\n",
            "host: a\r\nhost: b\r\n",
            "a\r\n",
            "a: \u{1}\r\n",
            ": a\r\n",
        ] {
            assert_eq!(
                head(lines).map(|head| head.length),
                Err(head(lines).unwrap_err()),
                "{lines}"
            );
        }
        let old = Bytes::from("POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n");
        assert!(read(&old).is_err());
        for line in [
            "GET /",
            "GET / HTTP/2.0",
            "GET  / HTTP/1.1",
            "GET /a b HTTP/1.1",
            "G\u{e4}T / HTTP/1.1",
        ] {
            let text = format!("{line}\r\nhost: a\r\n\r\n");
            assert!(read(&Bytes::from(text)).is_err(), "{line}");
        }
    }

    #[test]
    fn knows_whether_the_connection_is_kept() {
        for (version, lines, kept) in [
            ("1.1", "", true),
            ("1.1", "connection: Close\r\n", false),
            ("1.1", "connection: a, close\r\n", false),
            ("1.0", "", false),
            ("1.0", "connection: keep-alive\r\n", true),
        ] {
            let head = read(&Bytes::from(format!("GET / HTTP/{version}\r\nhost: a\r\n{lines}\r\n"))).unwrap();
            assert_eq!(head.keeps_alive, kept, "{version} {lines}");
        }
    }
}
