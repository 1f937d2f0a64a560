//! From a complete request to what it asks for, and from the outcome to the answer.

use hyper::body::Bytes;
use hyper::header::{HeaderValue, CONTENT_TYPE, VARY};
use hyper::{HeaderMap, Method};

use super::{page, Code, Origins, Problem, Query, Reply, Route, Target};
use crate::command::{Command, Outcome};
use crate::order::{read_order, read_orders};

/// A request whose body has been read.
#[derive(Clone, Debug)]
pub struct Parts<'request> {
    /// The route, which takes this method.
    pub target: Target<'request>,
    /// The method.
    pub method: &'request Method,
    /// The query string.
    pub query: Query<'request>,
    /// The headers.
    pub headers: &'request HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// What a request asks for.
#[derive(Clone, Debug)]
pub enum Action {
    /// Nothing but this answer.
    Reply(Reply),
    /// Whether the process serves.
    Health,
    /// Whether the service can work.
    Readiness,
    /// The counters.
    Metrics,
    /// The tables, current.
    Initialise,
    /// Something from the store.
    Store(Command, Style),
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
pub fn read_action(parts: &Parts<'_>, origins: &Origins) -> Result<Action, Problem> {
    let Target { route, id } = parts.target;
    if *parts.method == Method::OPTIONS {
        return Ok(Action::Reply(origins.preflight(route, parts.headers)));
    }
    match route {
        Route::Index if page::wants_page(parts.headers) => Ok(Action::Reply(page::html())),
        Route::Index => Ok(Action::Reply(list_of_routes())),
        Route::PageStyle => Ok(Action::Reply(page::style())),
        Route::PageScript => Ok(Action::Reply(page::script())),
        Route::Echo => Ok(Action::Reply(echo(parts))),
        Route::Init => Ok(Action::Initialise),
        Route::Healthz => Ok(Action::Health),
        Route::Readyz => Ok(Action::Readiness),
        Route::Metrics => Ok(Action::Metrics),
        Route::CreateOrder => create(parts, |_| Style::Status),
        Route::CreateOrders => {
            let orders = read_orders(json_body(parts)?)?;
            Ok(Action::Store(Command::Create(orders), Style::Status))
        }
        Route::UpdateOrder => {
            let order = read_order(json_body(parts)?, None)?;
            Ok(Action::Store(Command::Update(order), Style::Status))
        }
        Route::DeleteOrder => {
            let id = parts
                .query
                .get("id")
                .ok_or_else(|| Problem::new(Code::MissingId, "say which order: /delete_order?id=1"))?;
            Ok(Action::Store(Command::Delete(read_id(&id)?), Style::Status))
        }
        Route::Orders if *parts.method == Method::POST => create(parts, Style::Created),
        Route::Orders => list(parts.query),
        Route::OneOrder => one_order(parts, read_id(id.unwrap_or_default())?),
    }
}

/// The answer for the outcome of a command.
pub fn reply_to_outcome(outcome: Outcome, style: Style) -> Result<Reply, Problem> {
    match (outcome, style) {
        (Outcome::Done, Style::Created(id)) => Ok(Reply::created(id)),
        (Outcome::Done, Style::NoContent) => Ok(Reply::no_content()),
        (Outcome::Done, _) => Ok(Reply::done()),
        (Outcome::Orders(orders), Style::Page(limit)) => Ok(Reply::orders(orders, limit)),
        (Outcome::Orders(orders), _) => orders.first().map(Reply::order).ok_or_else(no_order),
        (Outcome::Missing, _) => Err(no_order()),
        (Outcome::Exists(ids), _) => Err(exists(&ids)),
    }
}

fn no_order() -> Problem {
    Problem::new(Code::NotFound, "there is no order with this id")
}

fn exists(ids: &[i32]) -> Problem {
    let names: Vec<String> = ids.iter().map(i32::to_string).collect();
    let message = match names.as_slice() {
        // Deleted again by somebody else between the refusal and the look at what is there.
        [] => "an order with one of these ids existed; nothing was stored".to_owned(),
        [id] => format!("an order with the id {id} exists; nothing was stored"),
        ids => format!("orders with these ids exist: {}; nothing was stored", ids.join(", ")),
    };
    Problem::new(Code::DuplicateOrder, message)
}

fn create(parts: &Parts<'_>, style: impl Fn(i32) -> Style) -> Result<Action, Problem> {
    let order = read_order(json_body(parts)?, None)?;
    let style = style(order.order_id);
    Ok(Action::Store(Command::Create(vec![order]), style))
}

fn one_order(parts: &Parts<'_>, id: i32) -> Result<Action, Problem> {
    Ok(match *parts.method {
        Method::PUT => {
            let order = read_order(json_body(parts)?, Some(id))?;
            Action::Store(Command::Update(order), Style::Status)
        }
        Method::DELETE => Action::Store(Command::Delete(id), Style::NoContent),
        _ => Action::Store(Command::Find(id), Style::One),
    })
}

fn list(query: Query<'_>) -> Result<Action, Problem> {
    let limit = limit(query)?;
    let after = query.get("after").map(|id| read_id(&id)).transpose()?;
    let command = Command::List {
        // One more than asked for, to learn whether there is a next page.
        limit: limit + 1,
        after,
    };
    Ok(Action::Store(command, Style::Page(limit)))
}

fn limit(query: Query<'_>) -> Result<usize, Problem> {
    match query.get("limit") {
        None => Ok(DEFAULT_LIMIT),
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
            .ok_or_else(|| Problem::new(Code::InvalidQuery, "limit must be 1 to 10000")),
    }
}

/// About how many bytes the answer may have, as far as the request tells: lists of orders count.
pub fn answer_size(parts: &Parts<'_>) -> usize {
    const ORDER: usize = 1024;
    if parts.target.route == Route::Orders && *parts.method == Method::GET {
        limit(parts.query).map_or(0, |limit| limit * ORDER)
    } else {
        0
    }
}

/// An order id. A whole number that is too large for one is a number still: no order has it.
fn read_id(text: &str) -> Result<i32, Problem> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = "an order id is a whole number";
        return Err(Problem::new(Code::BadId, message));
    }
    text.parse().map_err(|_| no_order())
}

/// The body of a request that must be JSON.
///
/// `application/x-www-form-urlencoded` is taken for JSON because `curl -d` says so of any body,
/// and the published demo's walk-through uses just that.
fn json_body<'parts>(parts: &'parts Parts<'_>) -> Result<&'parts [u8], Problem> {
    let is_json = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
        let media_type = text.split(';').next().unwrap_or_default().trim();
        matches!(
            media_type,
            "" | "application/json" | "text/json" | "application/x-www-form-urlencoded"
        ) || media_type.ends_with("+json")
    };
    match parts.headers.get(CONTENT_TYPE) {
        Some(value) if !is_json(value) => Err(Problem::new(
            Code::UnsupportedMediaType,
            "the body must be application/json",
        )),
        _ => Ok(&parts.body),
    }
}

fn echo(parts: &Parts<'_>) -> Reply {
    let mut reply = Reply::text(parts.body.clone());
    match parts.headers.get(CONTENT_TYPE) {
        Some(content_type) => reply.with(CONTENT_TYPE, content_type.clone()),
        None => {
            reply.headers.remove(CONTENT_TYPE);
            reply
        }
    }
}

fn list_of_routes() -> Reply {
    let lines = Route::ALL.map(|route| format!("{} {}\n", route.path(), route.allow()));
    Reply::text(lines.concat()).with(VARY, HeaderValue::from_static("accept"))
}
