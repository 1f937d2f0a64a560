//! The service: what a request asks for is done, and told.

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
use crate::http::{read_action, response_to_outcome, Action, BufferedRequest, Route};
use crate::retention::remove_forever;
use crate::store::EventTables;

/// About what an event takes in a list.
const USUAL_EVENT: usize = 1024;

/// Whoever sent the request does not share the secret.
const BAD_SIGNATURE: Code = Code::new("bad_signature", StatusCode::UNAUTHORIZED);

/// The events service.
#[derive(Debug)]
pub struct Events {
    context: Arc<Context>,
    database: Database<EventTables>,
    secret: Option<Secret>,
    app_token: Option<AppToken>,
    /// Whether a sidecar delivers the events.
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

    async fn run(&self, command: &Command) -> Result<Outcome, Problem> {
        let outcome = self.database.run(command).await?;
        if let (Command::Store(events), Outcome::Stored { new }) = (command, &outcome) {
            self.new.fetch_add(*new as u64, Ordering::Relaxed);
            let repeated = events.len().saturating_sub(*new);
            self.repeated.fetch_add(repeated as u64, Ordering::Relaxed);
        }
        Ok(outcome)
    }

    /// The signature of a request that brings events, which only who knows the secret may do, if there is one.
    fn check_signature(&self, parts: &BufferedRequest<'_>) -> Result<Option<String>, Problem> {
        let Some(secret) = self.secret.as_ref().filter(|_| brings_events(parts)) else {
            return Ok(None);
        };
        let signature = parts.headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
        match signature.filter(|signature| secret.verify_request(&parts.body, signature)) {
            Some(signature) => Ok(Some(signature.to_owned())),
            None => Err(Problem::new(
                BAD_SIGNATURE,
                "the events are not signed with the secret that their senders share (EVENTS_SECRET)",
            )),
        }
    }

    /// Proves to the sender of a signed request who has answered.
    fn sign(&self, response: Response, request: Option<&str>) -> Response {
        match (&self.secret, request, &response.body) {
            (Some(secret), Some(request), Content::Whole(body)) => {
                let signature = secret.sign_response(request, body);
                response.with_header_text(SIGNATURE, &signature)
            }
            _ => response,
        }
    }

    fn metrics(&self) -> Response {
        let sample = |outcome: &str, counter: &AtomicU64| {
            let labels = format!("{{outcome=\"{outcome}\"}}");
            (labels, counter.load(Ordering::Relaxed) as f64)
        };
        let mut families = self.database.metrics(crate::NAME.name);
        families.push(Family {
            name: "events_received_total".to_owned(),
            kind: "counter",
            help: "Events that this replica took.",
            samples: vec![sample("new", &self.new), sample("repeated", &self.repeated)],
        });
        self.context.metrics(&families)
    }
}

fn brings_events(parts: &BufferedRequest<'_>) -> bool {
    parts.target.route == Route::Events && *parts.method == Method::POST
}

/// Lets a sidecar go on with the next event: one that is refused for good would be delivered for ever, before all others.
/// <https://docs.dapr.io/reference/api/pubsub_api/#provide-routes-for-dapr-to-deliver-topic-events>
fn drop_event(problem: &Problem) -> Response {
    log::event(Level::Error, &format!("an event is dropped: {}", problem.to_json()));
    Response::json(r#"{"status":"DROP"}"#)
}

impl Service for Events {
    type Route = Route;

    async fn handle(&self, parts: BufferedRequest<'_>) -> Result<Response, Problem> {
        if let (Some(token), Route::Events) = (&self.app_token, parts.target.route) {
            token.check(parts.headers)?;
        }
        let signature = self.check_signature(&parts)?;
        let action = match read_action(&parts, &self.context.origins) {
            Err(problem) if self.is_subscriber && brings_events(&parts) => return Ok(drop_event(&problem)),
            read => read?,
        };
        drop(parts);
        match action {
            Action::Response(response) => Ok(response),
            Action::Health => Ok(self.context.health()),
            Action::Readiness => {
                self.database.check_ready().await?;
                Ok(Response::success())
            }
            Action::Metrics => Ok(self.metrics()),
            Action::Command(command) => {
                let _turn = match command {
                    Command::List { limit, .. } => {
                        let about = (limit * USUAL_EVENT).min(MAX_PAGE_BYTES);
                        Some(self.context.memory.buffer(about).await?)
                    }
                    Command::Store(_) => None,
                };
                let outcome = self.run(&command).await?;
                let response = response_to_outcome(&command, &outcome);
                Ok(self.sign(response, signature.as_deref()))
            }
        }
    }

    async fn run_background(&self) {
        tokio::join!(
            self.database.keep_tables_current(),
            remove_forever(&self.database, self.retention_days)
        );
    }
}
