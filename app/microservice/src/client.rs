//! Requests to another service, over connections that are kept.

use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use hyper::body::{Body, Bytes, HttpBody};
use hyper::client::conn::{Builder, SendRequest};
use hyper::header::{HeaderName, HeaderValue, CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::{HeaderMap, Method, Request, StatusCode, Uri};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::address::Address;
use crate::log::{self, Level};
use crate::memory::{Buffer, Exhausted, Memory};
use crate::pause::Pause;
use crate::signature::SIGNATURE;

/// The largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// Connections that are kept while they are not used.
const MAX_IDLE: usize = 8;
/// The most of an answer that waits to be looked at.
const READ_BUFFER: usize = 32 * 1024;
/// The time to connect.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// Questions of our own clients that are under way at once, and the time in which one gets its turn.
const MAX_QUESTIONS: usize = 8;
const TURN: Duration = Duration::from_secs(1);
/// Pauses after a connection that failed, in which nobody asks.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The URL of another service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
    authority: HeaderValue,
    path: String,
}

impl Endpoint {
    /// A path on a port of this pod, or of this machine.
    pub(crate) fn local(port: u16, path: String) -> Endpoint {
        const LOOPBACK: &str = "127.0.0.1";
        let authority = HeaderValue::from_str(&format!("{LOOPBACK}:{port}"));
        Endpoint {
            host: LOOPBACK.to_owned(),
            port,
            authority: authority.unwrap_or(HeaderValue::from_static(LOOPBACK)),
            path,
        }
    }

    /// Reads a URL like `http://events.shop.svc.cluster.local/events`, or tells what it must be.
    pub fn parse(url: &str) -> Result<Endpoint, &'static str> {
        const FORM: &str = "must be a URL like http://host:port/path";
        let uri: Uri = url.parse().map_err(|_| FORM)?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err("must begin with http://, since a guest cannot encrypt by itself"),
            _ => return Err(FORM),
        }
        let authority = uri.authority().ok_or(FORM)?;
        if authority.as_str().contains('@') {
            return Err("must not hold a user or a password");
        }
        if uri.query().is_some() {
            return Err("must not hold a query");
        }
        Ok(Endpoint {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            authority: HeaderValue::from_str(authority.as_str()).map_err(|_| FORM)?,
            path: uri.path().to_owned(),
        })
    }
}

/// What another service answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Buffer,
}

impl Answer {
    /// For how long whoever answers asks to be left alone, as seconds or until a date:
    /// <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.headers, SystemTime::now())
    }
}

fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    // As good as for ever, and far from where sums overflow.
    const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let wait = text.parse().map_or(LONGEST, Duration::from_secs);
        return Some(wait.min(LONGEST));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default().min(LONGEST))
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// Nobody was asked, for this reason.
    Unreachable(String),
    /// Somebody may have got the request; what went wrong then.
    Broken(String),
    /// Too much is asked for at once.
    Busy,
}

impl fmt::Display for ClientError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Unreachable(reason) | ClientError::Broken(reason) => formatter.write_str(reason),
            ClientError::Busy => formatter.write_str("too much is asked for at once"),
        }
    }
}

impl From<Exhausted> for ClientError {
    fn from(_: Exhausted) -> ClientError {
        ClientError::Busy
    }
}

/// A client of one other service.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    address: Address,
    /// The time in which an exchange must be done.
    limit: Duration,
    memory: Memory,
    idle: Mutex<Vec<SendRequest<Body>>>,
    questions: Semaphore,
    pause: Pause,
}

impl Client {
    /// A client of this service, which must answer within a time. Nothing is connected yet.
    pub fn new(endpoint: Endpoint, limit: Duration, memory: Memory) -> Client {
        Client {
            address: Address::new(endpoint.host.as_str(), endpoint.port),
            endpoint,
            limit,
            memory,
            idle: Mutex::default(),
            questions: Semaphore::new(MAX_QUESTIONS),
            pause: Pause::new(FIRST_PAUSE, LONGEST_PAUSE),
        }
    }

    /// The endpoint's path.
    pub(crate) fn path(&self) -> &str {
        &self.endpoint.path
    }

    /// GETs the endpoint's path with this query. Few do so at once.
    pub async fn get(&self, query: &str) -> Result<Answer, ClientError> {
        let target = match query {
            "" => self.endpoint.path.clone(),
            query => format!("{}?{query}", self.endpoint.path),
        };
        let _turn = self.turn().await?;
        self.request(Method::GET, &target, &[], &Bytes::new()).await
    }

    /// POSTs a body to the endpoint's path, with a signature if there is one. The other service may get it twice: when a
    /// kept connection breaks, nobody knows whether it has arrived.
    pub async fn post(
        &self,
        content_type: &'static str,
        body: Bytes,
        signature: Option<&str>,
    ) -> Result<Answer, ClientError> {
        let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static(content_type))];
        if let Some(signature) = signature.and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.push((SIGNATURE, signature));
        }
        self.request(Method::POST, &self.endpoint.path, &headers, &body).await
    }

    /// Waits for its turn among the questions of our own clients.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, ClientError> {
        let turn = timeout(TURN, self.questions.acquire()).await;
        turn.map_err(|_| ClientError::Busy)?.map_err(|_| ClientError::Busy)
    }

    /// Sends a request to a path that begins with the endpoint's, with these headers.
    pub(crate) async fn request(
        &self,
        method: Method,
        target: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: &Bytes,
    ) -> Result<Answer, ClientError> {
        self.send(|| {
            let mut request = Request::builder()
                .method(method.clone())
                .uri(target)
                .header(HOST, self.endpoint.authority.clone())
                .body(Body::from(body.clone()))
                .map_err(|error| ClientError::Unreachable(error.to_string()))?;
            request.headers_mut().extend(headers.iter().cloned());
            Ok(request)
        })
        .await
    }

    /// Sends a request, a second time on a new connection if a kept one turns out to be closed.
    /// The error tells for the log what went wrong.
    async fn send(&self, request: impl Fn() -> Result<Request<Body>, ClientError>) -> Result<Answer, ClientError> {
        let exchange = async {
            let kept = self.idle().pop();
            if let Some(connection) = kept {
                match self.exchange(connection, request()?).await {
                    Err(ClientError::Broken(_)) => {}
                    answered => return answered,
                }
            }
            let connection = self.connect().await?;
            self.exchange(connection, request()?).await
        };
        let result = timeout(self.limit, exchange).await.unwrap_or_else(|_| {
            let reason = format!("no answer within {} s", self.limit.as_secs());
            Err(ClientError::Broken(reason))
        });
        if matches!(result, Err(ClientError::Broken(_))) {
            self.address.doubt();
        }
        result
    }

    async fn connect(&self) -> Result<SendRequest<Body>, ClientError> {
        if self.pause.is_on() {
            return Err(ClientError::Unreachable(
                "it could not be reached a moment ago".to_owned(),
            ));
        }
        let mut tried = None;
        let attempt = async {
            let address = self.address.find().await?;
            tried = Some(address);
            open(address).await
        };
        let reason = match timeout(CONNECT_LIMIT, attempt).await {
            Ok(Ok(connection)) => {
                self.pause.end();
                return Ok(connection);
            }
            Ok(Err(reason)) => reason,
            Err(_) => format!("no connection within {} s", CONNECT_LIMIT.as_secs()),
        };
        self.pause.begin();
        if let Some(address) = tried {
            self.address.doubt_this(address);
        }
        Err(ClientError::Unreachable(reason))
    }

    async fn exchange(&self, mut connection: SendRequest<Body>, request: Request<Body>) -> Result<Answer, ClientError> {
        let broken = |error: hyper::Error| ClientError::Broken(error.to_string());
        poll_fn(|context| connection.poll_ready(context))
            .await
            .map_err(broken)?;
        let response = connection.send_request(request).await.map_err(broken)?;
        let (head, mut body) = response.into_parts();
        let mut bytes = self.memory.buffer(0).await?;
        while let Some(chunk) = body.data().await {
            let chunk = chunk.map_err(broken)?;
            if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
                let reason = format!("its answer is larger than {MAX_ANSWER_BYTES} bytes");
                return Err(ClientError::Broken(reason));
            }
            bytes.push(&chunk)?;
        }
        // Who answers otherwise may be somebody else, for good: where a Service has no ready pod, a node refuses the first
        // packet of a connection, but lets the second one out of the cluster, where anybody answers in the Service's name.
        let mut idle = self.idle();
        if head.status.is_success() && idle.len() < MAX_IDLE {
            idle.push(connection);
        }
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: bytes,
        })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SendRequest<Body>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn open(address: SocketAddr) -> Result<SendRequest<Body>, String> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("cannot connect to {address}: {error}"))?;
    // Some systems lack the option; answers are awaited one by one, so little is lost.
    let _ = stream.set_nodelay(true);
    let (sender, connection) = Builder::new()
        // The guest's sockets send only the first of several buffers at once.
        .http1_writev(false)
        .http1_max_buf_size(READ_BUFFER)
        .handshake(stream)
        .await
        .map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            log::event(Level::Debug, &format!("a connection to another service ended: {error}"));
        }
    });
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use super::*;

    /// Answers all requests of its first connection with the first status, and so on.
    fn server(statuses: [u16; 2]) -> Endpoint {
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
            let client = Client::new(server([404, 204]), Duration::from_secs(60), Memory::default());
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
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
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
}
