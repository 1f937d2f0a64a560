//! From the outcome of a command to the response.

use hyper::header::{LINK, LOCATION};
use hyper::StatusCode;
use microservice::http::{Code, Problem, Response};
use serde::Serialize;

use super::code::DUPLICATE_ORDER;
use crate::command::{DeadLetterCommand, DeadLetterOutcome, Outcome, Page};
use crate::order::{Order, Price};

/// The form of a successful response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseStyle {
    /// 200 with a status, as in the published demo.
    Status,
    /// 201 with the location of the new order with this id.
    Created(i32),
    /// 204.
    NoContent,
    /// 200 with the order.
    Order,
    /// 200 with a page of at most so many orders.
    Page(usize),
}

/// The response to the outcome of a command.
pub fn response_to_outcome(outcome: Outcome, style: ResponseStyle) -> Result<Response, Problem> {
    match (outcome, style) {
        (Outcome::Done, ResponseStyle::Created(id)) => Ok(created_response(id)),
        (Outcome::Done, ResponseStyle::NoContent) => Ok(Response::no_content()),
        (Outcome::Done, _) => Ok(Response::success()),
        (Outcome::Page(page), ResponseStyle::Page(limit)) => Ok(response_to_page(page, limit)),
        (Outcome::Page(page), _) => Ok(Response::json(page.json)),
        (Outcome::Order(order), _) => Ok(response_to_order(&order)),
        (Outcome::NotFound, _) => Err(order_not_found()),
        (Outcome::Duplicate(ids), _) => Err(duplicate_orders(&ids)),
    }
}

/// Who computed the price of an order, for the response and the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PricedBy {
    /// The replica of the pricing service.
    pub instance: String,
    /// The region whose rules were applied; `None` for the general rules.
    pub region: Option<String>,
}

/// Adds the computed price to a response, and who computed it.
pub fn add_price(response: Response, order: &Order, price: Price, instance: String) -> Response {
    let priced_by = PricedBy {
        instance,
        region: price.region,
    };
    // Strings always have a JSON form.
    let priced_by = serde_json::to_string(&priced_by).unwrap_or_default();
    let (shipping, tax) = (order.shipping, order.tax);
    let body = format!(r#"{{"status":true,"price":{{"shipping":{shipping},"tax":{tax},"by":{priced_by}}}}}"#);
    Response {
        body: body.into(),
        ..response
    }
}

/// The response to the outcome of a command on dead letters.
pub fn response_to_dead_letters(command: DeadLetterCommand, outcome: &DeadLetterOutcome) -> Result<Response, Problem> {
    match (command, outcome) {
        (_, DeadLetterOutcome::List(letters)) => {
            // Strings and numbers always have a JSON form.
            let list = serde_json::to_string(letters).unwrap_or_default();
            Ok(Response::json(format!(r#"{{"dead_letters":{list}}}"#)))
        }
        (DeadLetterCommand::Resend(Some(_)) | DeadLetterCommand::Drop(_), DeadLetterOutcome::Changed(0)) => {
            Err(Problem::new(Code::NOT_FOUND, "there is no dead letter with this id"))
        }
        (_, DeadLetterOutcome::Changed(count)) => Ok(Response::json(format!(r#"{{"status":true,"changed":{count}}}"#))),
    }
}

/// The problem if no order has the id.
pub fn order_not_found() -> Problem {
    Problem::new(Code::NOT_FOUND, "there is no order with this id")
}

/// The most ids that a problem lists.
const MAX_LISTED_IDS: usize = 100;

fn duplicate_orders(ids: &[i32]) -> Problem {
    let names: Vec<String> = ids.iter().take(MAX_LISTED_IDS).map(i32::to_string).collect();
    let message = match names.as_slice() {
        // The order was deleted before the query for existing ids, or another unique key is violated.
        [] => "an order had the same value where each must have its own; nothing was stored".to_owned(),
        [id] => format!("an order with the id {id} exists; nothing was stored"),
        names => {
            let more = match ids.len() - names.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!(
                "orders with these ids exist: {}{more}; nothing was stored",
                names.join(", ")
            )
        }
    };
    Problem::new(DUPLICATE_ORDER, message)
}

/// 201 with the path of the new order.
fn created_response(order_id: i32) -> Response {
    let mut response = Response::success();
    response.status = StatusCode::CREATED;
    response.with_header_text(LOCATION, &format!("/orders/{order_id}"))
}

fn response_to_order(order: &Order) -> Response {
    let mut body = String::new();
    order.write_json(&mut body);
    Response::json(body)
}

fn response_to_page(page: Page, limit: usize) -> Response {
    let response = Response::json(page.json);
    match page.next_after {
        Some(last) => response.with_header_text(LINK, &format!("</orders?limit={limit}&after={last}>; rel=\"next\"")),
        None => response,
    }
}
