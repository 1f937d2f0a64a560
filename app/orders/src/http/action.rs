//! From a request to the action that it asks for.

use std::sync::LazyLock;

use hyper::header::{HeaderValue, CONTENT_TYPE, VARY};
use hyper::Method;
use microservice::http::{Code, Problem, Response, Route as _, Target};
use page::files;

use super::code::{BAD_ID, MISSING_ID};
use super::response::{order_not_found, ResponseStyle};
use super::Route;
use crate::command::{Command, DeadLetterCommand};
use crate::order::{read_draft, read_order, read_orders, Draft, Order};

/// A complete request to this service.
pub type BufferedRequest<'request> = microservice::http::BufferedRequest<'request, Route>;

/// What a request asks for.
#[derive(Debug)]
pub enum Action {
    /// Send this response.
    Response(Response),
    /// Report that the process is alive.
    Health,
    /// Check that the service is ready.
    Readiness,
    /// Report the metrics.
    Metrics,
    /// Migrate the tables.
    Initialise,
    /// Run a command on the orders.
    Command(Command, ResponseStyle),
    /// Request the price of an order, and store it then.
    Price(Draft, Change, ResponseStyle),
    /// Describe the Dapr sidecar.
    Sidecar,
    /// List orders by ascending id.
    List {
        /// The most orders on the page.
        limit: usize,
        /// Only orders with a greater id.
        after: Option<i32>,
    },
    /// Run a command on dead letters.
    DeadLetters(DeadLetterCommand),
    /// List the published events, by this query to their receiver.
    Events(String),
}

/// A change of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Create a new order.
    Create,
    /// Replace the order with the same id.
    Update,
}

impl Change {
    /// The command for this change.
    pub fn into_command(self, order: Order) -> Command {
        match self {
            Change::Create => Command::Create(vec![order]),
            Change::Update => Command::Update(order),
        }
    }
}

/// Where the shipping and the tax of an order come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceSource {
    /// The request must have them.
    Given,
    /// The pricing service computes missing ones.
    Computed,
}

const DEFAULT_LIMIT: usize = 1_000;
const MAX_LIMIT: usize = 10_000;

/// Reads and validates a request.
pub fn read_action(request: &BufferedRequest<'_>, price_source: PriceSource) -> Result<Action, Problem> {
    let Target { route, id } = request.target;
    match route {
        Route::Index if files::accepts_html(request.headers) => Ok(Action::Response(files::html())),
        Route::Index => Ok(Action::Response(route_list_response())),
        Route::PageStyle => Ok(Action::Response(files::style())),
        Route::PageScript => Ok(Action::Response(files::script())),
        Route::SidecarScript => Ok(Action::Response(files::sidecar_script())),
        Route::Echo => Ok(Action::Response(echo_response(request))),
        Route::Init => Ok(Action::Initialise),
        Route::Events => read_events(request),
        Route::DeadLetters => read_dead_letters(request),
        Route::Healthz => Ok(Action::Health),
        Route::Readyz => Ok(Action::Readiness),
        Route::Metrics => Ok(Action::Metrics),
        Route::CreateOrder => read_change(request, price_source, None, Change::Create, |_| ResponseStyle::Status),
        Route::CreateOrders => {
            let orders = read_orders(request.json_body()?)?;
            Ok(Action::Command(Command::Create(orders), ResponseStyle::Status))
        }
        Route::UpdateOrder => read_change(request, price_source, None, Change::Update, |_| ResponseStyle::Status),
        Route::Sidecar => Ok(Action::Sidecar),
        Route::DeleteOrder => {
            let id = request
                .query
                .get("id")
                .ok_or_else(|| Problem::new(MISSING_ID, "say which order: /delete_order?id=1"))?;
            Ok(Action::Command(Command::Delete(read_id(&id)?), ResponseStyle::Status))
        }
        Route::Orders if *request.method == Method::POST => {
            read_change(request, price_source, None, Change::Create, ResponseStyle::Created)
        }
        Route::Orders => read_list(request),
        Route::SingleOrder => read_single_order(request, price_source, read_id(id.unwrap_or_default())?),
    }
}

fn read_change(
    request: &BufferedRequest<'_>,
    price_source: PriceSource,
    id: Option<i32>,
    change: Change,
    style: impl Fn(i32) -> ResponseStyle,
) -> Result<Action, Problem> {
    let body = request.json_body()?;
    let order = match price_source {
        PriceSource::Given => read_order(body, id)?,
        PriceSource::Computed => {
            let draft = read_draft(body, id)?;
            match draft.to_order() {
                Some(order) => order,
                None => {
                    let style = style(draft.order_id);
                    return Ok(Action::Price(draft, change, style));
                }
            }
        }
    };
    let style = style(order.order_id);
    Ok(Action::Command(change.into_command(order), style))
}

fn read_single_order(request: &BufferedRequest<'_>, price_source: PriceSource, id: i32) -> Result<Action, Problem> {
    Ok(match *request.method {
        Method::PUT => {
            return read_change(request, price_source, Some(id), Change::Update, |_| {
                ResponseStyle::Status
            })
        }
        Method::DELETE => Action::Command(Command::Delete(id), ResponseStyle::NoContent),
        _ => Action::Command(Command::Find(id), ResponseStyle::Order),
    })
}

fn read_list(request: &BufferedRequest<'_>) -> Result<Action, Problem> {
    let limit = request.parse_limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let after = request.query.get("after").map(|id| read_bound(&id)).transpose()?;
    Ok(Action::List { limit, after })
}

/// Forwards only the parameters that the receiver supports.
fn read_events(request: &BufferedRequest<'_>) -> Result<Action, Problem> {
    const DEFAULT_LIMIT: usize = 100;
    const MAX_LIMIT: usize = 1_000;
    let limit = request.parse_limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let mut query = format!("limit={limit}");
    if let Some(before) = request.query.get("before") {
        let before: u64 = before
            .parse()
            .map_err(|_| Problem::new(Code::INVALID_QUERY, "before must be a position among the events"))?;
        query.push_str(&format!("&before={before}"));
    }
    Ok(Action::Events(query))
}

fn read_dead_letters(request: &BufferedRequest<'_>) -> Result<Action, Problem> {
    let id = request.query.get("id").map(|id| {
        id.parse()
            .map_err(|_| Problem::new(BAD_ID, "the id of a dead letter is a whole number"))
    });
    let id: Option<i64> = id.transpose()?;
    Ok(Action::DeadLetters(match (request.method, id) {
        (&Method::POST, id) => DeadLetterCommand::Resend(id),
        (&Method::DELETE, Some(id)) => DeadLetterCommand::Drop(id),
        (&Method::DELETE, None) => {
            let message = "say which dead letter: /dead_letters?id=1";
            return Err(Problem::new(MISSING_ID, message));
        }
        _ => DeadLetterCommand::List,
    }))
}

/// Parses an order id. A whole number out of range is valid, but no order has it.
fn read_id(text: &str) -> Result<i32, Problem> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = "an order id is a whole number";
        return Err(Problem::new(BAD_ID, message));
    }
    text.parse().map_err(|_| order_not_found())
}

/// Parses an id to list orders after. Ids out of range are clamped.
fn read_bound(text: &str) -> Result<i32, Problem> {
    match read_id(text) {
        Err(problem) if problem.code == Code::NOT_FOUND => Ok(if text.starts_with('-') { i32::MIN } else { i32::MAX }),
        read => read,
    }
}

fn echo_response(request: &BufferedRequest<'_>) -> Response {
    let mut response = Response::text(request.body.clone());
    match request.headers.get(CONTENT_TYPE) {
        Some(content_type) => response.with_header(CONTENT_TYPE, content_type.clone()),
        None => {
            response.headers.remove(CONTENT_TYPE);
            response
        }
    }
}

fn route_list_response() -> Response {
    static ROUTES: LazyLock<String> = LazyLock::new(Route::list);
    Response::text(ROUTES.as_str()).with_header(VARY, HeaderValue::from_static("accept"))
}
