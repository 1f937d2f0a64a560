//! The service: what a request asks for is done, and told.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::LINK;
use hyper::Method;
use microservice::client::{Client, ClientError};
use microservice::context::Context;
use microservice::dapr::Trace;
use microservice::database::Database;
use microservice::http::{Code, Problem, Response};
use microservice::log::{self, Level};
use microservice::memory::Exhausted;
use microservice::server::Service;

use crate::command::{Command, DeadLetters, Outcome, PageWriter};
use crate::config::Config;
use crate::http::{
    read_action, response_to_dead_letters, response_to_outcome, with_price, Action, BufferedRequest, Change, Prices,
    Route, Style, EVENTS_UNAVAILABLE,
};
use crate::order::Draft;
use crate::outbox_relay::OutboxRelay;
use crate::pricing::Pricing;
use crate::receiver::Receiver;
use crate::sidecar::OwnSidecar;
use crate::store::{Listing, OrderTables};

/// The time in which the receiver of events must answer.
const EVENTS_TIMEOUT: Duration = Duration::from_secs(5);

/// About what the longest list of dead letters takes.
const USUAL_LETTERS: usize = 512 * 1024;

/// The orders service.
#[derive(Debug)]
pub struct Orders {
    context: Arc<Context>,
    database: Database<OrderTables>,
    events: Option<Events>,
    pricing: Option<Pricing>,
    sidecar: Option<OwnSidecar>,
}

/// The other service, which receives events and lists them.
#[derive(Debug)]
struct Events {
    /// Where they are listed.
    list: Arc<Client>,
    outbox_relay: OutboxRelay,
}

impl Orders {
    /// The service as it is configured.
    pub fn new(config: Config, context: Arc<Context>) -> Orders {
        let tables = OrderTables {
            announces: config.events.is_some(),
        };
        let client = |endpoint| Arc::new(Client::new(endpoint, EVENTS_TIMEOUT, context.memory.clone()));
        let events = config.events.zip(config.event_list).map(|(receiver, list)| {
            let announced = client(receiver.clone());
            Events {
                // Where both are the same, they share connections.
                list: match list == receiver {
                    true => Arc::clone(&announced),
                    false => client(list),
                },
                outbox_relay: OutboxRelay::new(Receiver::new(announced, config.events_secret)),
            }
        });
        let pricing = config
            .pricing
            .map(|endpoint| Pricing::new(endpoint, context.memory.clone()));
        let sidecar = config
            .sidecar
            .map(|sidecar| OwnSidecar::new(sidecar, context.memory.clone()));
        Orders {
            context,
            database: Database::new(tables, config.database),
            events,
            pricing,
            sidecar,
        }
    }

    async fn run(&self, command: Command) -> Result<Outcome, Problem> {
        let outcome = self.database.run(&command).await?;
        if let (Some(events), Outcome::Done) = (&self.events, &outcome) {
            events.outbox_relay.wake();
        }
        Ok(outcome)
    }

    /// Completes an order before anything is stored: without a price there is no order.
    async fn price(&self, draft: &Draft, change: Change, style: Style, trace: &Trace) -> Result<Response, Problem> {
        let none = || {
            Problem::new(
                Code::INTERNAL,
                "an order without a price was taken where nobody computes prices",
            )
        };
        let priced = self.pricing.as_ref().ok_or_else(none)?.price(draft, trace).await?;
        let order = draft.priced(&priced.price);
        let response = response_to_outcome(self.run(change.into_command(order.clone())).await?, style)?;
        Ok(with_price(response, &order, priced.price, priced.instance))
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

    async fn list(&self, limit: usize, after: Option<i32>) -> Result<Response, Problem> {
        // The turn is waited for without a connection of the database.
        let buffer = self.context.memory.buffer(limit * PageWriter::USUAL_ORDER).await?;
        let listing = Listing::new(limit, after, buffer);
        response_to_outcome(self.database.run(&listing).await?, Style::Page(limit))
    }

    /// Passes a question on to the receiver of events, so that the page can ask its own service.
    async fn list_events(&self, query: &str) -> Result<Response, Problem> {
        let events = self.events()?;
        let reason = match events.list.get(query).await {
            Ok(answer) if answer.status.is_success() => {
                let response = Response::json(answer.body);
                return Ok(match answer.headers.get(LINK) {
                    Some(next) => response.with_header(LINK, next.clone()),
                    None => response,
                });
            }
            Ok(answer) => format!("status {}", answer.status),
            Err(ClientError::Busy) => return Err(Exhausted.into()),
            Err(failure) => failure.to_string(),
        };
        log::event(Level::Warn, &format!("events cannot be listed: {reason}"));
        Err(Problem::new(EVENTS_UNAVAILABLE, "the events cannot be listed just now"))
    }

    async fn dead_letters(&self, asked: DeadLetters) -> Result<Response, Problem> {
        let events = self.events()?;
        let _turn = match asked {
            DeadLetters::List => Some(self.context.memory.buffer(USUAL_LETTERS).await?),
            _ => None,
        };
        let done = self.database.run(&asked).await?;
        events.outbox_relay.wake();
        response_to_dead_letters(asked, &done)
    }

    fn events(&self) -> Result<&Events, Problem> {
        let none = || {
            Problem::new(
                Code::NOT_FOUND,
                "neither EVENTS_URL nor DAPR_HTTP_PORT is set, so there are no events",
            )
        };
        self.events.as_ref().ok_or_else(none)
    }

    fn metrics(&self) -> Response {
        let mut families = self.database.metrics(crate::NAME.name);
        families.extend(self.events.iter().flat_map(|events| events.outbox_relay.metrics()));
        self.context.metrics(&families)
    }
}

impl Service for Orders {
    type Route = Route;

    async fn handle(&self, parts: BufferedRequest<'_>) -> Result<Response, Problem> {
        if parts.target.route == Route::CreateOrders && *parts.method == Method::POST {
            self.database.check_capacity()?;
        }
        let prices = match self.pricing {
            Some(_) => Prices::Computed,
            None => Prices::Given,
        };
        let action = read_action(&parts, &self.context.origins, prices)?;
        let trace = Trace::from_headers(parts.headers);
        drop(parts);
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
            Action::Command(command, style) => response_to_outcome(self.run(command).await?, style),
            Action::Price(draft, change, style) => self.price(&draft, change, style, &trace).await,
            Action::Sidecar => self.describe_sidecar().await,
            Action::List { limit, after } => self.list(limit, after).await,
            Action::DeadLetters(asked) => self.dead_letters(asked).await,
            Action::Events(query) => self.list_events(&query).await,
        }
    }

    async fn run_background(&self) {
        let announce = async {
            if let Some(events) = &self.events {
                events.outbox_relay.run(&self.database).await;
            }
        };
        tokio::join!(self.database.keep_tables_current(), announce);
    }
}
