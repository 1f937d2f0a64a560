//! From the outcome of a command to the answer.

use hyper::header::{LINK, LOCATION};
use hyper::StatusCode;
use microservice::http::{Code, Problem, Reply};

use super::code::DUPLICATE_ORDER;
use super::Style;
use crate::command::Outcome;
use crate::order::{orders_as_json, Order};

/// The answer for the outcome of a command.
pub fn reply_to_outcome(outcome: Outcome, style: Style) -> Result<Reply, Problem> {
    match (outcome, style) {
        (Outcome::Done, Style::Created(id)) => Ok(created(id)),
        (Outcome::Done, Style::NoContent) => Ok(Reply::no_content()),
        (Outcome::Done, _) => Ok(Reply::done()),
        (Outcome::Orders(orders), Style::Page(limit)) => Ok(page(orders, limit)),
        (Outcome::Orders(orders), _) => orders.first().map(one).ok_or_else(no_order),
        (Outcome::Missing, _) => Err(no_order()),
        (Outcome::Exists(ids), _) => Err(exists(&ids)),
    }
}

/// The problem of an id that no order has.
pub fn no_order() -> Problem {
    Problem::new(Code::NOT_FOUND, "there is no order with this id")
}

fn exists(ids: &[i32]) -> Problem {
    let names: Vec<String> = ids.iter().map(i32::to_string).collect();
    let message = match names.as_slice() {
        // Deleted again by somebody else between the refusal and the look at what is there.
        [] => "an order with one of these ids existed; nothing was stored".to_owned(),
        [id] => format!("an order with the id {id} exists; nothing was stored"),
        ids => format!("orders with these ids exist: {}; nothing was stored", ids.join(", ")),
    };
    Problem::new(DUPLICATE_ORDER, message)
}

/// 201 with the path of the new order.
fn created(order_id: i32) -> Reply {
    let mut reply = Reply::done();
    reply.status = StatusCode::CREATED;
    reply.with_text(LOCATION, &format!("/orders/{order_id}"))
}

fn one(order: &Order) -> Reply {
    let mut body = String::new();
    order.write_json(&mut body);
    Reply::json(body)
}

/// One page of orders, of which `orders` may hold one more than `limit` to tell that there is a
/// next page.
fn page(mut orders: Vec<Order>, limit: usize) -> Reply {
    let more = orders.len() > limit;
    orders.truncate(limit);
    let reply = Reply::json(orders_as_json(&orders));
    match orders.last() {
        Some(last) if more => {
            let next = format!("</orders?limit={limit}&after={}>; rel=\"next\"", last.order_id);
            reply.with_text(LINK, &next)
        }
        _ => reply,
    }
}
