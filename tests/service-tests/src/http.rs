//! A small HTTP client on plain sockets, so that tests see what is really on the wire.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::scaled;

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A response, with header names in lower case.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(other, _)| other == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// The `code` of an error.
    pub fn error_code(&self) -> Option<String> {
        let json: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        Some(json.get("error")?.get("code")?.as_str()?.to_owned())
    }
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: &str, target: &str) -> Request {
        Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The same request with this body.
    pub fn with_body(mut self, body: &str) -> Request {
        self.body = body.as_bytes().to_vec();
        self
    }

    /// The same request with another header.
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends the request on a connection of its own.
    pub fn send(&self, address: &str) -> Result<Response> {
        let mut stream = connect(address)?;
        stream.write_all(&self.to_bytes(address))?;
        read_response(&mut stream, self.method == "HEAD")
    }

    /// The request as bytes.
    pub fn to_bytes(&self, host: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if self.headers.iter().all(|(name, _)| name != "host") {
            head.push_str(&format!("host: {host}\r\n"));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() || self.method == "POST" || self.method == "PUT" {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        [head.into_bytes(), self.body.clone()].concat()
    }
}

/// A connection that gives up on a service that never answers.
pub fn connect(address: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    let limit = Some(scaled(Duration::from_secs(60)));
    stream.set_read_timeout(limit)?;
    stream.set_write_timeout(limit)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads one response with a known length and leaves the connection open.
pub fn read_response(stream: &mut TcpStream, without_body: bool) -> Result<Response> {
    let broken = |message: &str| Error::new(ErrorKind::InvalidData, message.to_owned());
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).map_err(|_| broken("head is not UTF-8"))?;
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| broken("no status"))?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut response = Response {
        status,
        headers,
        body: String::new(),
    };
    let length = match response.header("content-length") {
        _ if without_body || status == 204 => 0,
        Some(length) => length.parse().map_err(|_| broken("bad content-length"))?,
        None => return Err(broken("no content-length")),
    };
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    response.body = String::from_utf8(body).map_err(|_| broken("body is not UTF-8"))?;
    Ok(response)
}
