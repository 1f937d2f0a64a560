//! The service: executes the actions of requests.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::LINK;
use hyper::Method;
use microservice::client::{Client, ClientError};
use microservice::context::Context;
use microservice::database::Database;
use microservice::http::{Code, Problem, Response};
use microservice::log::{self, Level};
use microservice::memory::Exhausted;
use microservice::server::Service;
use microservice::trace::Trace;

use crate::command::{Command, DeadLetterCommand, Outcome, PageWriter, TracedCommand};
use crate::config::Config;
use crate::http::{
    add_price, read_action, response_to_dead_letters, response_to_outcome, Action, BufferedRequest, Change,
    PriceSource, ResponseStyle, Route, EVENTS_UNAVAILABLE,
};
use crate::order::Draft;
use crate::outbox_relay::OutboxRelay;
use crate::pricing::Pricing;
use crate::receiver::Receiver;
use crate::sidecar::SidecarInfo;
use crate::store::{Listing, OrderTables};

/// The timeout of requests to the receiver of events.
const EVENTS_TIMEOUT: Duration = Duration::from_secs(5);

/// The usual size of the longest list of dead letters.
const ESTIMATED_DEAD_LETTERS_BYTES: usize = 512 * 1024;

/// The orders service.
#[derive(Debug)]
pub struct Orders {
    context: Arc<Context>,
    database: Database<OrderTables>,
    events: Option<Events>,
    pricing: Option<Pricing>,
    sidecar: Option<SidecarInfo>,
}

/// The service that receives and lists events.
#[derive(Debug)]
struct Events {
    /// The client for listing events.
    list_client: Arc<Client>,
    outbox_relay: OutboxRelay,
}

impl Orders {
    /// The service as it is configured.
    pub fn new(config: Config, context: Arc<Context>) -> Orders {
        let tables = OrderTables {
            publishes_events: config.events.is_some(),
        };
        let client = |endpoint| Arc::new(Client::new(endpoint, EVENTS_TIMEOUT, context.memory.clone()));
        let events = config.events.zip(config.event_list).map(|(receiver, list_client)| {
            let publisher = client(receiver.clone());
            Events {
                // The same client if the endpoints are the same, to share connections.
                list_client: if list_client == receiver {
                    Arc::clone(&publisher)
                } else {
                    client(list_client)
                },
                outbox_relay: OutboxRelay::new(Receiver::new(publisher, config.events_secret)),
            }
        });
        let pricing = config
            .pricing
            .map(|endpoint| Pricing::new(endpoint, context.memory.clone()));
        let sidecar = config
            .sidecar
            .map(|sidecar| SidecarInfo::new(sidecar, context.memory.clone()));
        Orders {
            context,
            database: Database::new(tables, config.database),
            events,
            pricing,
            sidecar,
        }
    }

    async fn run_command(&self, command: Command, trace: Trace) -> Result<Outcome, Problem> {
        // Without events, nobody reads it.
        let trace = self.events.as_ref().map(|_| trace).unwrap_or_default();
        let outcome = self.database.run(&TracedCommand { command, trace }).await?;
        if let (Some(events), Outcome::Done) = (&self.events, &outcome) {
            events.outbox_relay.wake();
        }
        Ok(outcome)
    }

    /// Requests the price of an order, and then stores the order.
    async fn price_and_store(
        &self,
        draft: &Draft,
        change: Change,
        style: ResponseStyle,
        trace: Trace,
    ) -> Result<Response, Problem> {
        let not_configured = || {
            Problem::new(
                Code::INTERNAL,
                "an order without a price was taken where nobody computes prices",
            )
        };
        let priced = self
            .pricing
            .as_ref()
            .ok_or_else(not_configured)?
            .compute_price(draft, &trace)
            .await?;
        let order = draft.complete(&priced.price);
        let outcome = self.run_command(change.into_command(order.clone()), trace).await?;
        let response = response_to_outcome(outcome, style)?;
        Ok(add_price(response, &order, priced.price, priced.instance))
    }

    async fn describe_sidecar(&self) -> Result<Response, Problem> {
        match &self.sidecar {
            Some(sidecar) => sidecar.describe().await,
            None => Err(Problem::new(
                Code::NOT_FOUND,
                "no DAPR_HTTP_PORT is set, so there is no sidecar",
            )),
        }
    }

    async fn list_orders(&self, limit: usize, after: Option<i32>) -> Result<Response, Problem> {
        // Waits for memory before it takes a connection of the database.
        let buffer = self
            .context
            .memory
            .buffer(limit * PageWriter::ESTIMATED_ORDER_BYTES)
            .await?;
        let listing = Listing::new(limit, after, buffer);
        response_to_outcome(self.database.run(&listing).await?, ResponseStyle::Page(limit))
    }

    /// Forwards the request to the receiver of events, because the page can reach this service only.
    async fn list_events(&self, query: &str) -> Result<Response, Problem> {
        let events = self.require_events()?;
        let reason = match events.list_client.get(query).await {
            Ok(upstream) if upstream.status.is_success() => {
                let response = Response::json(upstream.body);
                return Ok(match upstream.headers.get(LINK) {
                    Some(next) => response.with_header(LINK, next.clone()),
                    None => response,
                });
            }
            Ok(upstream) => format!("status {}", upstream.status),
            Err(ClientError::Busy | ClientError::NoMemory) => return Err(Exhausted.into()),
            Err(ClientError::TooLarge) => {
                let message = "these events take more than 1 MiB; ask for a smaller limit";
                return Err(Problem::new(Code::ANSWER_TOO_LARGE, message));
            }
            Err(error) => error.to_string(),
        };
        log::event(Level::Warn, &format!("events cannot be listed: {reason}"));
        Err(Problem::new(EVENTS_UNAVAILABLE, "the events cannot be listed just now"))
    }

    async fn run_dead_letter_command(&self, command: DeadLetterCommand) -> Result<Response, Problem> {
        let events = self.require_events()?;
        let _memory = match command {
            DeadLetterCommand::List => Some(self.context.memory.buffer(ESTIMATED_DEAD_LETTERS_BYTES).await?),
            _ => None,
        };
        let outcome = self.database.run(&command).await?;
        if matches!(command, DeadLetterCommand::Resend(_)) {
            events.outbox_relay.wake();
        }
        response_to_dead_letters(command, &outcome)
    }

    fn require_events(&self) -> Result<&Events, Problem> {
        let not_configured = || {
            Problem::new(
                Code::NOT_FOUND,
                "neither EVENTS_URL nor DAPR_HTTP_PORT is set, so there are no events",
            )
        };
        self.events.as_ref().ok_or_else(not_configured)
    }

    fn metrics(&self) -> Response {
        let mut families = self.database.metrics(self.context.name.name);
        families.extend(self.events.iter().flat_map(|events| events.outbox_relay.metrics()));
        self.context.metrics(&families)
    }
}

impl Service for Orders {
    type Route = Route;

    async fn handle(&self, request: BufferedRequest<'_>) -> Result<Response, Problem> {
        if request.target.route == Route::CreateOrders && *request.method == Method::POST {
            self.database.check_capacity()?;
        }
        let price_source = match self.pricing {
            Some(_) => PriceSource::Computed,
            None => PriceSource::Given,
        };
        let action = read_action(&request, price_source)?;
        let trace = Trace::from_headers(request.headers);
        drop(request);
        match action {
            Action::Response(response) => Ok(response),
            Action::Health => Ok(self.context.health()),
            Action::Readiness => {
                self.database.check_ready().await?;
                Ok(Response::success())
            }
            Action::Metrics => Ok(self.metrics()),
            Action::Initialise => {
                self.database.initialise().await?;
                Ok(Response::success())
            }
            Action::Command(command, style) => response_to_outcome(self.run_command(command, trace).await?, style),
            Action::Price(draft, change, style) => self.price_and_store(&draft, change, style, trace).await,
            Action::Sidecar => self.describe_sidecar().await,
            Action::List { limit, after } => self.list_orders(limit, after).await,
            Action::DeadLetters(command) => self.run_dead_letter_command(command).await,
            Action::Events(query) => self.list_events(&query).await,
        }
    }

    async fn run_background(&self) {
        let relay_events = async {
            if let Some(events) = &self.events {
                events.outbox_relay.run(&self.database).await;
            }
        };
        tokio::join!(self.database.keep_tables_current(), relay_events);
    }
}
