//! A proxy on loopback in front of a registry that fails as it is told, and can want tokens.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::gate::Gate;
use crate::local_server::LocalServer;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is answered with a status, headers and a body, and does not reach the registry.
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    /// The connection closes after so many bytes of a longer request. The registry in the tests gives up such an upload.
    CutRequest(u64),
    /// The same, and the registry has kept these bytes, as the specification wants it: it can be asked how far it is.
    CutAndKept(u64),
    /// The connection closes after the registry has done what was asked for.
    CutAnswer,
    /// No answer ever comes.
    Stall,
    /// A header of the answer is another one.
    Header(&'static str, &'static str),
    /// The first byte of the request's body is another one.
    Damage,
}

/// Which requests fail, and how often.
struct Rule {
    method: &'static str,
    path: &'static str,
    fault: Fault,
    left: usize,
}

#[derive(Default)]
struct State {
    rules: Vec<Rule>,
    passed: Vec<String>,
    /// Where an upload goes on that was cut and kept, by the address that the client knows.
    moved: BTreeMap<String, String>,
    gate: Option<Gate>,
}

/// A running proxy; it ends with its value.
pub struct Proxy {
    /// Host and port.
    pub address: String,
    state: Arc<Mutex<State>>,
    _server: LocalServer,
}

impl Proxy {
    /// Starts a proxy to a registry without TLS.
    pub fn start(registry: &str) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (answering, registry) = (state.clone(), registry.to_owned());
        let server = LocalServer::start(async move {
            move |request| {
                let (registry, state) = (registry.clone(), answering.clone());
                async move { pass(request, &registry, &state).await }
            }
        });
        Self {
            address: server.address.to_string(),
            state,
            _server: server,
        }
    }

    /// Lets the next requests with a method and a part of the path fail.
    pub fn fail(&self, method: &'static str, path: &'static str, fault: Fault, times: usize) {
        let left = times;
        let rule = Rule {
            method,
            path,
            fault,
            left,
        };
        self.state.lock().unwrap().rules.push(rule);
    }

    /// Nothing fails from now on.
    pub fn heal(&self) {
        self.state.lock().unwrap().rules.clear();
    }

    /// Lets nobody in without a token of this gate.
    pub fn guard(&self, gate: Gate) {
        self.state.lock().unwrap().gate = Some(gate);
    }

    /// The gate, with what has happened at it.
    pub fn gate<T>(&self, look: impl Fn(&Gate) -> T) -> T {
        look(self.state.lock().unwrap().gate.as_ref().unwrap())
    }

    /// The requests since the last call: method, path and query.
    pub fn passed(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().passed)
    }

    /// How many faults are still to come.
    pub fn faults_left(&self) -> usize {
        self.state.lock().unwrap().rules.iter().map(|rule| rule.left).sum()
    }
}

/// Answers one request. An error closes its connection without an answer.
async fn pass(
    request: Request<Incoming>,
    registry: &str,
    state: &Mutex<State>,
) -> Result<Response<Either<Incoming, Full<Bytes>>>, Failed> {
    let (method, target) = (request.method().to_string(), request.uri().to_string());
    let header = |name: HeaderName| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let (authorization, host) = (header(AUTHORIZATION).to_owned(), header(hyper::header::HOST).to_owned());
    if target.starts_with("/token") {
        let form = request.into_body().collect().await?.to_bytes();
        let question = format!("{target}{}", String::from_utf8_lossy(&form));
        let token = state
            .lock()
            .unwrap()
            .gate
            .as_mut()
            .and_then(|gate| gate.token(&authorization, &question));
        return Ok(match token {
            Some(token) => answer(200, &[], token),
            None => answer(401, &[], r#"{"details":"incorrect username or password"}"#.to_owned()),
        });
    }
    let length = request.body().size_hint().exact().unwrap_or_default();
    let fault = {
        let mut state = state.lock().unwrap();
        state.passed.push(format!("{method} {target}"));
        if let Some(gate) = &mut state.gate
            && !gate.lets_in(&authorization)
        {
            let challenge = format!(r#"Bearer realm="http://{host}/token",service="test",error="invalid_token""#);
            return Ok(answer(401, &[("www-authenticate", &challenge)], String::new()));
        }
        let fits = |rule: &&mut Rule| {
            let too_short = matches!(rule.fault, Fault::CutRequest(bytes) | Fault::CutAndKept(bytes) if bytes > 0 && length <= bytes);
            rule.left > 0 && rule.method == method && target.contains(rule.path) && !too_short
        };
        state.rules.iter_mut().find(fits).map(|rule| {
            rule.left -= 1;
            rule.fault.clone()
        })
    };
    match &fault {
        Some(Fault::Answer(status, headers, body)) => return Ok(answer(*status, headers, (*body).to_owned())),
        Some(Fault::Stall) => std::future::pending().await,
        _ => {}
    }
    let moved = state.lock().unwrap().moved.get(&target).cloned();
    let mut request = request.map(|body| PassedOn {
        body,
        left: match fault {
            Some(Fault::CutRequest(bytes) | Fault::CutAndKept(bytes)) => Some(bytes),
            _ => None,
        },
        whole: matches!(fault, Some(Fault::CutAndKept(_))),
        damaged: matches!(fault, Some(Fault::Damage)),
    });
    if let Some(moved) = moved {
        *request.uri_mut() = moved.parse()?;
    }
    if let Some(Fault::CutAndKept(bytes)) = fault {
        request
            .headers_mut()
            .insert(hyper::header::CONTENT_LENGTH, bytes.into());
    }
    let stream = TcpStream::connect(registry).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut response = sender.send_request(request).await?;
    match fault {
        Some(Fault::CutAnswer | Fault::CutRequest(_)) => return Err(cut()),
        Some(Fault::CutAndKept(_)) => {
            let location = response.headers()[hyper::header::LOCATION].to_str()?;
            let path = location.split_once(&host).map_or(location, |(_, path)| path);
            state.lock().unwrap().moved.insert(target, path.to_owned());
            return Err(cut());
        }
        Some(Fault::Header(name, value)) => {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        _ => {}
    }
    Ok(response.map(Either::Left))
}

fn cut() -> Failed {
    "cut by the test's proxy".into()
}

fn answer(status: u16, headers: &[(&str, &str)], body: String) -> Response<Either<Incoming, Full<Bytes>>> {
    let mut response = Response::new(Either::Right(Full::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// The body of a request on its way to the registry, and not always to its end.
struct PassedOn {
    body: Incoming,
    /// So many bytes are still passed on.
    left: Option<u64>,
    /// Whether it ends well after these.
    whole: bool,
    damaged: bool,
}

impl Body for PassedOn {
    type Data = Bytes;
    type Error = Failed;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failed>>> {
        let this = self.get_mut();
        match this.left {
            Some(0) if this.whole => return Poll::Ready(None),
            Some(0) => return Poll::Ready(Some(Err(cut()))),
            _ => {}
        }
        let Some(frame) = ready!(Pin::new(&mut this.body).poll_frame(context)) else {
            return Poll::Ready(None);
        };
        let mut data = frame?.into_data().unwrap_or_default();
        if let Some(left) = &mut this.left {
            data.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= data.len() as u64;
        }
        if std::mem::take(&mut this.damaged) {
            let mut bytes = data.to_vec();
            bytes[0] ^= 1;
            data = bytes.into();
        }
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn size_hint(&self) -> SizeHint {
        match self.left.filter(|_| self.whole) {
            Some(left) => SizeHint::with_exact(left),
            None => self.body.size_hint(),
        }
    }
}
