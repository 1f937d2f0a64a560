//! From the outcome of a command to the answer.

use hyper::header::{LINK, LOCATION};
use hyper::StatusCode;
use microservice::http::{Code, Problem, Response};

use serde::Serialize;

use super::code::DUPLICATE_ORDER;
use super::Style;
use crate::command::{DeadLetters, DeadLettersDone, Outcome, Page};
use crate::order::{Order, Price};

/// The answer for the outcome of a command.
pub fn response_to_outcome(outcome: Outcome, style: Style) -> Result<Response, Problem> {
    match (outcome, style) {
        (Outcome::Done, Style::Created(id)) => Ok(created(id)),
        (Outcome::Done, Style::NoContent) => Ok(Response::no_content()),
        (Outcome::Done, _) => Ok(Response::success()),
        (Outcome::Page(page), Style::Page(limit)) => Ok(response_to_page(page, limit)),
        (Outcome::Page(page), _) => Ok(Response::json(page.json)),
        (Outcome::Order(order), _) => Ok(response_of_order(&order)),
        (Outcome::Missing, _) => Err(no_order()),
        (Outcome::Exists(ids), _) => Err(exists(&ids)),
    }
}

/// By whom an order was priced, as its answer and the page name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PricedBy {
    /// The replica of the pricing service.
    pub instance: String,
    /// The region whose rules held; none for the general ones.
    pub region: Option<String>,
}

/// The answer to a change that was priced: what the order got, and from whom.
pub fn with_price(response: Response, order: &Order, price: Price, instance: String) -> Response {
    let by = PricedBy {
        instance,
        region: price.region,
    };
    // Strings always have a JSON form.
    let by = serde_json::to_string(&by).unwrap_or_default();
    let (shipping, tax) = (order.shipping, order.tax);
    let body = format!(r#"{{"status":true,"price":{{"shipping":{shipping},"tax":{tax},"by":{by}}}}}"#);
    Response {
        body: body.into(),
        ..response
    }
}

/// The answer for what was done with dead letters.
pub fn response_to_dead_letters(asked: DeadLetters, done: &DeadLettersDone) -> Result<Response, Problem> {
    match (asked, done) {
        (_, DeadLettersDone::List(letters)) => {
            // Strings and numbers always have a JSON form.
            let list = serde_json::to_string(letters).unwrap_or_default();
            Ok(Response::json(format!(r#"{{"dead_letters":{list}}}"#)))
        }
        (DeadLetters::SendAgain(Some(_)) | DeadLetters::Drop(_), DeadLettersDone::Changed(0)) => {
            Err(Problem::new(Code::NOT_FOUND, "there is no dead letter with this id"))
        }
        (_, DeadLettersDone::Changed(count)) => Ok(Response::json(format!(r#"{{"status":true,"changed":{count}}}"#))),
    }
}

/// The problem of an id that no order has.
pub fn no_order() -> Problem {
    Problem::new(Code::NOT_FOUND, "there is no order with this id")
}

/// The most ids that a problem names.
const MAX_NAMED: usize = 100;

fn exists(ids: &[i32]) -> Problem {
    let names: Vec<String> = ids.iter().take(MAX_NAMED).map(i32::to_string).collect();
    let message = match names.as_slice() {
        // Deleted again by somebody else between the refusal and the look at what is there, or not about the id at all.
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
fn created(order_id: i32) -> Response {
    let mut response = Response::success();
    response.status = StatusCode::CREATED;
    response.with_header_text(LOCATION, &format!("/orders/{order_id}"))
}

fn response_of_order(order: &Order) -> Response {
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
