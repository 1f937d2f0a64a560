//! The routes: from a request to its answer. A panic would end the process for every client: return problems instead.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use microservice::config::DatabaseSettings;
use microservice::context::Context;
use microservice::database::Database;
use microservice::http::{self, BufferedRequest, Code, Problem, Response};
use microservice::server::Service;
use serde::{Deserialize, Serialize};

use crate::notes::{Insert, List};
use crate::tables::NoteTables;

const GREETING: &str = "Hello from greeter\n";
/// As migrations/0001_notes.sql has it.
const MOST_CHARACTERS: usize = 1000;

const INVALID_NOTE: Code = Code::new("invalid_note", StatusCode::BAD_REQUEST);

/// The paths.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Index,
    Notes,
    Healthz,
    Readyz,
    Metrics,
}

impl http::Route for Route {
    const ALL: &'static [Route] = &[
        Route::Index,
        Route::Notes,
        Route::Healthz,
        Route::Readyz,
        Route::Metrics,
    ];

    fn path(self) -> &'static str {
        match self {
            Route::Index => "/",
            Route::Notes => "/notes",
            Route::Healthz => "/healthz",
            Route::Readyz => "/readyz",
            Route::Metrics => "/metrics",
        }
    }

    fn allowed_methods(self) -> &'static str {
        match self {
            Route::Notes => "GET, HEAD, POST, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }

    fn body_limit(self) -> usize {
        64 * 1024
    }
}

#[derive(Deserialize)]
struct NewNote {
    text: String,
}

/// What all requests share.
pub struct App {
    context: Arc<Context>,
    database: Database<NoteTables>,
}

impl App {
    pub fn new(context: Arc<Context>, database: DatabaseSettings) -> Self {
        Self {
            context,
            database: Database::new(NoteTables, database),
        }
    }

    async fn add_note(&self, body: &[u8]) -> Result<Response, Problem> {
        let NewNote { text } = serde_json::from_slice(body).map_err(|_| {
            let message = r#"the body must be like {"text": "Buy milk"}"#;
            Problem::new(Code::INVALID_JSON, message)
        })?;
        if !(1..=MOST_CHARACTERS).contains(&text.chars().count()) {
            let message = format!("`text` has 1 to {MOST_CHARACTERS} characters");
            return Err(Problem::new(INVALID_NOTE, message));
        }
        let note = self.database.run(&Insert { text }).await?;
        Ok(Response {
            status: StatusCode::CREATED,
            ..json(&note)?
        })
    }
}

impl Service for App {
    type Route = Route;

    async fn handle(&self, request: BufferedRequest<'_, Route>) -> Result<Response, Problem> {
        match request.target.route {
            Route::Index => Ok(Response::text(GREETING)),
            Route::Notes if *request.method == Method::POST => {
                self.add_note(request.json_body()?).await
            }
            Route::Notes => json(&self.database.run(&List).await?),
            // Alive: a database that is away is no reason to start this process again.
            Route::Healthz => Ok(self.context.health()),
            // Able to work.
            Route::Readyz => {
                self.database.check_ready().await?;
                Ok(Response::success())
            }
            Route::Metrics => {
                let families = self.database.metrics(crate::NAME.name);
                Ok(self.context.metrics(&families))
            }
        }
    }

    async fn run_background(&self) {
        self.database.keep_tables_current().await;
    }
}

fn json(value: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_string(value)
        .map_err(|error| Problem::new(Code::INTERNAL, error.to_string()))?;
    Ok(Response::json(text))
}
