//! From a complete request to what it asks for, and from the outcome to the answer.

use std::sync::LazyLock;

use hyper::header::{HeaderValue, CONTENT_TYPE, VARY};
use hyper::Method;
use microservice::http::{Code, Origins, Problem, Response, Route as _, Target};
use page::files;

use super::answer::no_order;
use super::code::{BAD_ID, MISSING_ID};
use super::Route;
use crate::command::{Command, DeadLetters};
use crate::order::{read_draft, read_order, read_orders, Draft, Order};

/// A complete request to this service.
pub type BufferedRequest<'request> = microservice::http::BufferedRequest<'request, Route>;

/// What a request asks for.
#[derive(Debug)]
pub enum Action {
    /// Nothing but this answer.
    Response(Response),
    /// Whether the process serves.
    Health,
    /// Whether the service can work.
    Readiness,
    /// The counters.
    Metrics,
    /// The tables, current.
    Initialise,
    /// Something to do with the orders.
    Command(Command, Style),
    /// An order whose price has to be completed first, then to be stored.
    Price(Draft, Change, Style),
    /// What the service reaches others through.
    Sidecar,
    /// Orders by ascending id.
    List {
        /// The most orders on the page.
        limit: usize,
        /// Only orders with a greater id.
        after: Option<i32>,
    },
    /// Something to do with events that were set aside.
    DeadLetters(DeadLetters),
    /// The events that were announced, by this query to their receiver.
    Events(String),
}

/// What is done with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Create,
    /// It takes the place of the one with the same id.
    Update,
}

impl Change {
    /// The command that does it.
    pub fn into_command(self, order: Order) -> Command {
        match self {
            Change::Create => Command::Create(vec![order]),
            Change::Update => Command::Update(order),
        }
    }
}

/// Whether an order must come with its shipping and tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prices {
    /// It must.
    Given,
    /// The pricing service completes them.
    Computed,
}

/// How the outcome of a command is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// 200 and a status, as the published demo answers.
    Status,
    /// 201 with a location, for the new order of this id.
    Created(i32),
    /// 204.
    NoContent,
    /// The one order that was asked for.
    One,
    /// A page of at most so many orders.
    Page(usize),
}

const DEFAULT_LIMIT: usize = 1_000;
const MAX_LIMIT: usize = 10_000;

/// Reads what a request asks for. Every wrong input ends here.
pub fn read_action(parts: &BufferedRequest<'_>, origins: &Origins, prices: Prices) -> Result<Action, Problem> {
    let Target { route, id } = parts.target;
    if *parts.method == Method::OPTIONS {
        return Ok(Action::Response(origins.preflight(route, parts.headers)));
    }
    match route {
        Route::Index if files::wants_page(parts.headers) => Ok(Action::Response(files::html())),
        Route::Index => Ok(Action::Response(list_of_routes())),
        Route::PageStyle => Ok(Action::Response(files::style())),
        Route::PageScript => Ok(Action::Response(files::script())),
        Route::SidecarScript => Ok(Action::Response(files::sidecar_script())),
        Route::Echo => Ok(Action::Response(echo(parts))),
        Route::Init => Ok(Action::Initialise),
        Route::Events => events(parts),
        Route::DeadLetters => dead_letters(parts),
        Route::Healthz => Ok(Action::Health),
        Route::Readyz => Ok(Action::Readiness),
        Route::Metrics => Ok(Action::Metrics),
        Route::CreateOrder => change(parts, prices, None, Change::Create, |_| Style::Status),
        Route::CreateOrders => {
            let orders = read_orders(parts.json_body()?)?;
            Ok(Action::Command(Command::Create(orders), Style::Status))
        }
        Route::UpdateOrder => change(parts, prices, None, Change::Update, |_| Style::Status),
        Route::Sidecar => Ok(Action::Sidecar),
        Route::DeleteOrder => {
            let id = parts
                .query
                .get("id")
                .ok_or_else(|| Problem::new(MISSING_ID, "say which order: /delete_order?id=1"))?;
            Ok(Action::Command(Command::Delete(read_id(&id)?), Style::Status))
        }
        Route::Orders if *parts.method == Method::POST => change(parts, prices, None, Change::Create, Style::Created),
        Route::Orders => list(parts),
        Route::OneOrder => one_order(parts, prices, read_id(id.unwrap_or_default())?),
    }
}

fn change(
    parts: &BufferedRequest<'_>,
    prices: Prices,
    id: Option<i32>,
    change: Change,
    style: impl Fn(i32) -> Style,
) -> Result<Action, Problem> {
    let body = parts.json_body()?;
    let order = match prices {
        Prices::Given => read_order(body, id)?,
        Prices::Computed => {
            let draft = read_draft(body, id)?;
            match draft.order() {
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

fn one_order(parts: &BufferedRequest<'_>, prices: Prices, id: i32) -> Result<Action, Problem> {
    Ok(match *parts.method {
        Method::PUT => return change(parts, prices, Some(id), Change::Update, |_| Style::Status),
        Method::DELETE => Action::Command(Command::Delete(id), Style::NoContent),
        _ => Action::Command(Command::Find(id), Style::One),
    })
}

fn list(parts: &BufferedRequest<'_>) -> Result<Action, Problem> {
    let limit = parts.parse_limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let after = parts.query.get("after").map(|id| read_bound(&id)).transpose()?;
    Ok(Action::List { limit, after })
}

/// Hands on what the receiver understands, and nothing else a client may have written.
fn events(parts: &BufferedRequest<'_>) -> Result<Action, Problem> {
    const DEFAULT_LIMIT: usize = 100;
    const MAX_LIMIT: usize = 1_000;
    let limit = parts.parse_limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let mut query = format!("limit={limit}");
    if let Some(before) = parts.query.get("before") {
        let before: u64 = before
            .parse()
            .map_err(|_| Problem::new(Code::INVALID_QUERY, "before must be a position among the events"))?;
        query.push_str(&format!("&before={before}"));
    }
    Ok(Action::Events(query))
}

fn dead_letters(parts: &BufferedRequest<'_>) -> Result<Action, Problem> {
    let id = parts.query.get("id").map(|id| {
        id.parse()
            .map_err(|_| Problem::new(BAD_ID, "the id of a dead letter is a whole number"))
    });
    let id: Option<i64> = id.transpose()?;
    Ok(Action::DeadLetters(match (parts.method, id) {
        (&Method::POST, id) => DeadLetters::SendAgain(id),
        (&Method::DELETE, Some(id)) => DeadLetters::Drop(id),
        (&Method::DELETE, None) => {
            let message = "say which dead letter: /dead_letters?id=1";
            return Err(Problem::new(MISSING_ID, message));
        }
        _ => DeadLetters::List,
    }))
}

/// An order id. A whole number that is too large for one is a number still: no order has it.
fn read_id(text: &str) -> Result<i32, Problem> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = "an order id is a whole number";
        return Err(Problem::new(BAD_ID, message));
    }
    text.parse().map_err(|_| no_order())
}

/// An id that orders are listed after. Of all that are larger than any order's, or smaller, one is as good as the other.
fn read_bound(text: &str) -> Result<i32, Problem> {
    match read_id(text) {
        Err(problem) if problem.code == Code::NOT_FOUND => Ok(if text.starts_with('-') { i32::MIN } else { i32::MAX }),
        read => read,
    }
}

fn echo(parts: &BufferedRequest<'_>) -> Response {
    let mut response = Response::text(parts.body.clone());
    match parts.headers.get(CONTENT_TYPE) {
        Some(content_type) => response.with_header(CONTENT_TYPE, content_type.clone()),
        None => {
            response.headers.remove(CONTENT_TYPE);
            response
        }
    }
}

fn list_of_routes() -> Response {
    static LIST: LazyLock<String> = LazyLock::new(Route::list);
    Response::text(LIST.as_str()).with_header(VARY, HeaderValue::from_static("accept"))
}
