//! The routes: from a request to its answer. A panic would end the process for every client: return errors instead.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::{Body, HttpBody};
use hyper::header::{HeaderValue, ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use hyper::{Request, Response, StatusCode};
use mysql_async::prelude::Queryable;
use mysql_async::{from_row_opt, Row};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::database::{Database, DatabaseError};
use crate::migrations;

const GREETING: &str = "Hello from greeter\n";
const MOST_BODY_BYTES: usize = 64 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// The age from which a connection is closed after its answer. Less than preStop in the manifests: no client that keeps
/// one is still there when its pod is ended.
const MOST_AGE: Duration = Duration::from_secs(2);
/// As migrations/0001_notes.sql has it.
const MOST_CHARACTERS: usize = 1000;

#[derive(Serialize)]
struct Note {
    id: u64,
    text: String,
}

#[derive(Deserialize)]
struct NewNote {
    text: String,
}

/// What goes instead of an answer.
struct Refusal(StatusCode, &'static str);

impl From<DatabaseError> for Refusal {
    fn from(failure: DatabaseError) -> Self {
        match failure {
            DatabaseError::Unavailable(reason) => Self(StatusCode::SERVICE_UNAVAILABLE, reason),
            DatabaseError::Fault => {
                Self(StatusCode::INTERNAL_SERVER_ERROR, "the log has the reason")
            }
        }
    }
}

/// Answers a request of a connection that was opened then.
pub async fn answer(
    database: Arc<Database>,
    opened: Instant,
    request: Request<Body>,
) -> Result<Response<Body>, Infallible> {
    let mut response = route(&database, request).await.unwrap_or_else(refuse);
    if opened.elapsed() > MOST_AGE {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    Ok(response)
}

async fn route(database: &Database, request: Request<Body>) -> Result<Response<Body>, Refusal> {
    let (head, body) = request.into_parts();
    match (head.method.as_str(), head.uri.path()) {
        ("GET" | "HEAD", "/") => Ok(Response::new(GREETING.into())),
        // Alive: a database that is away is no reason to start this process again.
        ("GET" | "HEAD", "/healthz") => Ok(Response::new("ok\n".into())),
        // Able to work.
        ("GET" | "HEAD", "/readyz") => {
            migrations::check(database).await?;
            Ok(Response::new("ok\n".into()))
        }
        ("GET" | "HEAD", "/notes") => json(StatusCode::OK, &list(database).await?),
        ("POST", "/notes") => {
            let note = parse(&read(body).await?)?;
            json(StatusCode::CREATED, &insert(database, note).await?)
        }
        (_, "/" | "/healthz" | "/readyz") => Ok(not_allowed("GET, HEAD")),
        (_, "/notes") => Ok(not_allowed("GET, HEAD, POST")),
        _ => Err(Refusal(StatusCode::NOT_FOUND, "not found")),
    }
}

/// The last notes, the newest first.
async fn list(database: &Database) -> Result<Vec<Note>, DatabaseError> {
    const STATEMENT: &str = "SELECT id, text FROM notes ORDER BY id DESC LIMIT 100";
    let rows: Vec<Row> = database
        .run(|connection| connection.query(STATEMENT))
        .await?;
    rows.into_iter().map(note).collect()
}

async fn insert(database: &Database, new: NewNote) -> Result<Note, DatabaseError> {
    const STATEMENT: &str = "INSERT INTO notes (text) VALUES (?) RETURNING id, text";
    let row: Option<Row> = database
        .run(|connection| connection.exec_first(STATEMENT, (new.text,)))
        .await?;
    row.map_or(Err(DatabaseError::Fault), note)
}

fn note(row: Row) -> Result<Note, DatabaseError> {
    // `from_row` would panic.
    let (id, text) = from_row_opt(row).map_err(|_| DatabaseError::Fault)?;
    Ok(Note { id, text })
}

fn parse(bytes: &[u8]) -> Result<NewNote, Refusal> {
    let bad = |reason| Refusal(StatusCode::BAD_REQUEST, reason);
    let note: NewNote = serde_json::from_slice(bytes)
        .map_err(|_| bad(r#"the body must be like {"text": "Buy milk"}"#))?;
    match note.text.chars().count() {
        1..=MOST_CHARACTERS => Ok(note),
        _ => Err(bad("`text` has 1 to 1000 characters")),
    }
}

/// Reads a body up to the limit.
async fn read(mut body: Body) -> Result<Vec<u8>, Refusal> {
    let all = async {
        let mut bytes = Vec::new();
        while let Some(part) = body.data().await {
            let part =
                part.map_err(|_| Refusal(StatusCode::BAD_REQUEST, "the body cannot be read"))?;
            if bytes.len() + part.len() > MOST_BODY_BYTES {
                return Err(Refusal(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "the body is too large",
                ));
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    };
    let late = Refusal(
        StatusCode::REQUEST_TIMEOUT,
        "the body did not arrive in time",
    );
    timeout(BODY_TIMEOUT, all).await.unwrap_or(Err(late))
}

fn json(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>, Refusal> {
    let text = serde_json::to_vec(value).map_err(|_| DatabaseError::Fault)?;
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

fn not_allowed(methods: &'static str) -> Response<Body> {
    let mut response = refuse(Refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        "method not allowed",
    ));
    let allow = HeaderValue::from_static(methods);
    response.headers_mut().insert(ALLOW, allow);
    response
}

fn refuse(Refusal(status, reason): Refusal) -> Response<Body> {
    let mut response = Response::new(format!("{reason}\n").into());
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}
