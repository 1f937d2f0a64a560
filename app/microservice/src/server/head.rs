//! Parses the head of a request: the method, the target, the headers, and the length of the body.
//!
//! Rejects everything that two parsers could interpret differently, because there may be a proxy in front of this
//! server ("request smuggling", <https://www.rfc-editor.org/rfc/rfc9112#section-11.2>).

use std::ops::Range;

use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue, CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use hyper::{HeaderMap, Method, Uri};

use super::malformed::malformed;
use super::target::{check_host, check_target};
use crate::http::{Code, Problem};

/// The most bytes of a head.
pub const MAX_HEAD_BYTES: usize = 32 * 1024;
/// The most headers.
const MAX_HEADERS: usize = 100;

/// The head of a request.
#[derive(Clone, Debug)]
pub struct Head {
    /// The method, known or not.
    pub method: Method,
    /// The target: a path and perhaps a query.
    pub uri: Uri,
    /// All headers, in which names are in lower case.
    pub headers: HeaderMap,
    /// The length of the body.
    pub length: BodyLength,
    /// Whether the connection stays open after the response.
    pub keeps_alive: bool,
    /// Whether the client uses HTTP/1.0.
    pub is_http_10: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
}

/// The length of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// So many bytes.
    Known(u64),
    /// The body is chunked.
    Chunked,
}

/// Finds the end of a head that may arrive in parts. Each byte is scanned once.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeadSearch {
    /// Where the head begins: empty lines before it are skipped.
    start: usize,
    line: usize,
    position: usize,
}

impl HeadSearch {
    /// The range of the head in the received bytes, once it is complete.
    pub fn find_head(&mut self, received: &[u8]) -> Result<Option<Range<usize>>, Problem> {
        while let Some(found) = received
            .get(self.position..)
            .and_then(|rest| rest.iter().position(|byte| *byte == b'\n'))
        {
            let end = self.position + found;
            let line = received.get(self.line..end).unwrap_or_default();
            let Some(line) = line.strip_suffix(b"\r") else {
                return Err(malformed("a line that does not end with CR LF"));
            };
            self.position = end + 1;
            match (line.is_empty(), self.line == self.start) {
                (true, true) => self.start = self.position,
                (true, false) => return Ok(Some(self.start..self.position)),
                (false, _) => {}
            }
            self.line = self.position;
            if self.position > MAX_HEAD_BYTES {
                return Err(too_large());
            }
        }
        self.position = received.len();
        if self.position > MAX_HEAD_BYTES {
            return Err(too_large());
        }
        // Not a request line, such as a TLS handshake: there may never be an end of a line.
        match received.get(self.start) {
            Some(byte) if !byte.is_ascii_graphic() && *byte != b'\r' => Err(malformed("no request line")),
            _ => Ok(None),
        }
    }
}

/// Parses a complete head.
pub fn parse_head(bytes: &Bytes) -> Result<Head, Problem> {
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
        length: body_length(&headers, is_http_10)?,
        keeps_alive: if is_http_10 {
            connection_has_token(&headers, "keep-alive")
        } else {
            !connection_has_token(&headers, "close")
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

/// <https://www.rfc-editor.org/rfc/rfc9112#section-6.3>, without its rules for recovering from invalid messages.
fn body_length(headers: &HeaderMap, is_http_10: bool) -> Result<BodyLength, Problem> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    match (codings.next(), codings.next(), lengths.next(), lengths.next()) {
        (None, _, None, _) => Ok(BodyLength::Known(0)),
        (None, _, Some(length), None) => parse_length(length.as_bytes())
            .map(BodyLength::Known)
            .ok_or_else(|| malformed("a wrong Content-Length")),
        (Some(coding), None, None, _) if !is_http_10 && coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            Ok(BodyLength::Chunked)
        }
        (None, ..) => Err(malformed("more than one Content-Length")),
        (_, _, None, _) => Err(malformed("a Transfer-Encoding other than chunked")),
        _ => Err(malformed("both Transfer-Encoding and Content-Length")),
    }
}

fn parse_length(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

fn connection_has_token(headers: &HeaderMap, token: &str) -> bool {
    let mut tokens = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    tokens.any(|found| found.trim().eq_ignore_ascii_case(token))
}

fn too_large() -> Problem {
    Problem::new(
        Code::HEAD_TOO_LARGE,
        format!("the request's head has more than {MAX_HEAD_BYTES} bytes or {MAX_HEADERS} headers"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> Result<Option<Range<usize>>, Problem> {
        HeadSearch::default().find_head(text.as_bytes())
    }

    fn head(lines: &str) -> Result<Head, Problem> {
        let host = if lines.contains("host") { "" } else { "host: a\r\n" };
        let text = format!("POST /a?b HTTP/1.1\r\n{host}{lines}\r\n");
        let range = find(&text)?.unwrap();
        parse_head(&Bytes::from(text).slice(range))
    }

    #[test]
    fn finds_the_end_in_any_pieces() {
        let text = "\r\n\r\nGET / HTTP/1.1\r\na: b\r\n\r\nrest\n";
        let expected = 4..text.len() - 5;
        assert_eq!(find(text), Ok(Some(expected.clone())));
        let mut search = HeadSearch::default();
        for end in 0..expected.end {
            assert_eq!(search.find_head(&text.as_bytes()[..end]), Ok(None), "{end}");
        }
        assert_eq!(search.find_head(&text.as_bytes()[..expected.end]), Ok(Some(expected)));
    }

    #[test]
    fn gives_up_what_cannot_become_a_head() {
        for text in ["\n", "GET / HTTP/1.1\n", "\u{16}\u{3}", "\0"] {
            assert_eq!(find(text).unwrap_err().code, Code::BAD_REQUEST, "{text:?}");
        }
        let endless = "a".repeat(MAX_HEAD_BYTES + 1);
        let empty_lines = "\r\n".repeat(MAX_HEAD_BYTES);
        let no_end = "a: b\r\n".repeat(MAX_HEAD_BYTES);
        for text in [&endless, &empty_lines, &no_end] {
            assert_eq!(find(text).unwrap_err().code, Code::HEAD_TOO_LARGE);
        }
        let many = "a: b\r\n".repeat(MAX_HEADERS + 1);
        assert_eq!(head(&many).unwrap_err().code, Code::HEAD_TOO_LARGE);
    }

    #[test]
    fn reads_how_long_the_body_is() {
        for (lines, length) in [
            ("", BodyLength::Known(0)),
            ("content-length: 0\r\n", BodyLength::Known(0)),
            ("Content-Length: 12\r\n", BodyLength::Known(12)),
            (
                "content-length: 99999999999999999999999\r\n",
                BodyLength::Known(u64::MAX),
            ),
            ("Transfer-Encoding: Chunked\r\n", BodyLength::Chunked),
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
        assert!(parse_head(&old).is_err());
        for line in [
            "GET /",
            "GET / HTTP/2.0",
            "GET  / HTTP/1.1",
            "GET /a b HTTP/1.1",
            "G\u{e4}T / HTTP/1.1",
        ] {
            let text = format!("{line}\r\nhost: a\r\n\r\n");
            assert!(parse_head(&Bytes::from(text)).is_err(), "{line}");
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
            let head = parse_head(&Bytes::from(format!("GET / HTTP/{version}\r\nhost: a\r\n{lines}\r\n"))).unwrap();
            assert_eq!(head.keeps_alive, kept, "{version} {lines}");
        }
    }
}
