//! The service: executes the actions of requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use hyper::{Method, StatusCode};
use microservice::context::Context;
use microservice::dapr::AppToken;
use microservice::database::Database;
use microservice::http::{Code, Content, Problem, Response};
use microservice::log::{self, Level};
use microservice::metrics::Family;
use microservice::server::Service;
use microservice::signature::{Secret, SIGNATURE};

use crate::command::{Command, Outcome, MAX_PAGE_BYTES};
use crate::config::Config;
use crate::event::describe_event;
use crate::http::{read_action, response_to_outcome, Action, BufferedRequest, Route};
use crate::retention::delete_expired_events;
use crate::store::EventTables;

/// The usual size of an event in a list.
const ESTIMATED_EVENT_BYTES: usize = 1024;

/// The request is not signed with the shared secret.
const BAD_SIGNATURE: Code = Code::new("bad_signature", StatusCode::UNAUTHORIZED);

/// The events service.
#[derive(Debug)]
pub struct Events {
    context: Arc<Context>,
    database: Database<EventTables>,
    secret: Option<Secret>,
    app_token: Option<AppToken>,
    /// Whether a Dapr sidecar delivers the events.
    is_subscriber: bool,
    retention_days: u32,
    new: AtomicU64,
    repeated: AtomicU64,
}

impl Events {
    /// The service as it is configured.
    pub fn new(config: Config, context: Arc<Context>) -> Events {
        Events {
            context,
            database: Database::new(EventTables, config.database),
            secret: config.secret,
            app_token: config.app_token,
            is_subscriber: config.sidecar.is_some(),
            retention_days: config.retention_days,
            new: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
        }
    }

    async fn run_command(&self, command: &Command) -> Result<Outcome, Problem> {
        let outcome = self.database.run(command).await?;
        if let (Command::Store(events), Outcome::Stored { new }) = (command, &outcome) {
            self.new.fetch_add(*new as u64, Ordering::Relaxed);
            let repeated = events.len().saturating_sub(*new);
            self.repeated.fetch_add(repeated as u64, Ordering::Relaxed);
        }
        Ok(outcome)
    }

    /// Verifies the signature of a request that delivers events, if there is a shared secret. Returns the signature.
    fn check_signature(&self, request: &BufferedRequest<'_>) -> Result<Option<String>, Problem> {
        let Some(secret) = self.secret.as_ref().filter(|_| is_delivery(request)) else {
            return Ok(None);
        };
        let signature = request.headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
        match signature.filter(|signature| secret.verify_request(&request.body, signature)) {
            Some(signature) => Ok(Some(signature.to_owned())),
            None => Err(Problem::new(
                BAD_SIGNATURE,
                "the events are not signed with the secret that their senders share (EVENTS_SECRET)",
            )),
        }
    }

    /// Signs the response to a signed request.
    fn add_signature(&self, response: Response, request_signature: Option<&str>) -> Response {
        match (&self.secret, request_signature, &response.body) {
            (Some(secret), Some(request_signature), Content::Whole(body)) => {
                let signature = secret.sign_response(request_signature, body);
                response.with_header_text(SIGNATURE, &signature)
            }
            _ => response,
        }
    }

    async fn run_action(&self, action: Action, request_signature: Option<&str>) -> Result<Response, Problem> {
        match action {
            Action::Response(response) => Ok(response),
            Action::Health => Ok(self.context.health()),
            Action::Readiness => {
                self.database.check_ready().await?;
                Ok(Response::success())
            }
            Action::Metrics => Ok(self.metrics()),
            Action::Command(command) => {
                let _memory = match command {
                    Command::List { limit, .. } => {
                        let estimated_bytes = (limit * ESTIMATED_EVENT_BYTES).min(MAX_PAGE_BYTES);
                        Some(self.context.memory.buffer(estimated_bytes).await?)
                    }
                    Command::Store(_) => None,
                };
                let outcome = self.run_command(&command).await?;
                let response = response_to_outcome(&command, &outcome);
                Ok(self.add_signature(response, request_signature))
            }
        }
    }

    fn metrics(&self) -> Response {
        let sample = |outcome: &str, counter: &AtomicU64| {
            let labels = format!("{{outcome=\"{outcome}\"}}");
            (labels, counter.load(Ordering::Relaxed) as f64)
        };
        let mut families = self.database.metrics(self.context.name.name);
        families.push(Family {
            name: "events_received_total".to_owned(),
            kind: "counter",
            help: "Events that this replica took.",
            samples: vec![sample("new", &self.new), sample("repeated", &self.repeated)],
        });
        self.context.metrics(&families)
    }
}

fn is_delivery(request: &BufferedRequest<'_>) -> bool {
    request.target.route == Route::Events && *request.method == Method::POST
}

/// Logs an event that breaks a rule of this service, and makes the sidecar drop it. Otherwise the sidecar would deliver
/// it again and again, before all others.
/// <https://docs.dapr.io/reference/api/pubsub_api/#provide-routes-for-dapr-to-deliver-topic-events>
fn drop_event_response(body: &[u8], problem: &Problem) -> Response {
    let (source, id) = describe_event(body);
    let problem = problem.to_json();
    log::event(
        Level::Error,
        &format!("an event is dropped: source {source}, id {id}: {problem}"),
    );
    Response::json(r#"{"status":"DROP"}"#)
}

/// The problem of an event that breaks none, where the database refuses it: an administrator may change that, so the
/// sidecar delivers it again.
fn undelivered_problem(problem: Problem) -> Problem {
    if !problem.code.status.is_client_error() {
        return problem;
    }
    log::event(
        Level::Error,
        &format!(
            "the database refuses an event, which comes again: {}",
            problem.to_json()
        ),
    );
    Problem::new(Code::DATABASE_UNAVAILABLE, problem.message)
}

impl Service for Events {
    type Route = Route;

    async fn handle(&self, request: BufferedRequest<'_>) -> Result<Response, Problem> {
        if let (Some(token), Route::Events) = (&self.app_token, request.target.route) {
            token.check(request.headers)?;
        }
        let signature = self.check_signature(&request)?;
        let is_from_sidecar = self.is_subscriber && is_delivery(&request);
        let action = match read_action(&request) {
            Err(problem) if is_from_sidecar && problem.code.status.is_client_error() => {
                return Ok(drop_event_response(&request.body, &problem));
            }
            action => action?,
        };
        drop(request);
        let result = self.run_action(action, signature.as_deref()).await;
        if is_from_sidecar {
            result.map_err(undelivered_problem)
        } else {
            result
        }
    }

    async fn run_background(&self) {
        tokio::join!(
            self.database.keep_tables_current(),
            delete_expired_events(&self.database, self.retention_days)
        );
    }
}
