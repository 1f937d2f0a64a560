//! The pure layers in this process, over orders in memory.

use std::collections::BTreeMap;

use app::command::{Command, Outcome};
use app::http::{read_action, reply_to_outcome, Action, Parts};
use app::order::Order;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Uri};
use microservice::http::{Origins, Problem, Query, Reply, Target};

use super::http::{Request, Response};

/// The service without its edges.
#[derive(Default)]
pub struct Memory {
    origins: Origins,
    orders: BTreeMap<i32, Order>,
}

impl Memory {
    /// A service that lets pages of these origins in.
    pub fn new(origins: Origins) -> Memory {
        Memory {
            origins,
            orders: BTreeMap::new(),
        }
    }

    /// Answers a request as the server would.
    pub fn send(&mut self, request: &Request) -> Response {
        let method: Method = request.method.parse().unwrap();
        let uri: Uri = request.target.parse().unwrap();
        let headers: HeaderMap = request
            .headers
            .iter()
            .map(|(name, value)| {
                let name: HeaderName = name.parse().unwrap();
                (name, HeaderValue::from_str(value).unwrap())
            })
            .collect();
        let reply = Target::find(&method, uri.path())
            .and_then(|target| {
                self.origins.check(target.route, &method, &headers)?;
                self.answer(&Parts {
                    target,
                    method: &method,
                    query: Query::new(uri.query()),
                    headers: &headers,
                    body: request.body.clone().into(),
                })
            })
            .unwrap_or_else(Reply::from);
        to_response(self.origins.mark(reply, &headers), method == Method::HEAD)
    }

    fn answer(&mut self, parts: &Parts<'_>) -> Result<Reply, Problem> {
        match read_action(parts, &self.origins)? {
            Action::Reply(reply) => Ok(reply),
            Action::Command(command, style) => reply_to_outcome(self.run(command), style),
            Action::Initialise | Action::Readiness => Ok(Reply::done()),
            action @ (Action::Health | Action::Metrics | Action::Events(_)) => panic!("{action:?} is of the edges"),
        }
    }

    fn run(&mut self, command: Command) -> Outcome {
        match command {
            Command::Create(new) => {
                let ids = new.iter().map(|order| order.order_id);
                let existing: Vec<i32> = ids.filter(|id| self.orders.contains_key(id)).collect();
                if !existing.is_empty() {
                    return Outcome::Exists(existing);
                }
                self.orders.extend(new.into_iter().map(|order| (order.order_id, order)));
                Outcome::Done
            }
            Command::List { limit, after } => {
                let after = after.unwrap_or(i32::MIN);
                let rows = self.orders.values().filter(|order| order.order_id > after);
                Outcome::Orders(rows.take(limit).cloned().collect())
            }
            Command::Find(id) => match self.orders.get(&id) {
                Some(order) => Outcome::Orders(vec![order.clone()]),
                None => Outcome::Missing,
            },
            Command::Update(order) => match self.orders.get_mut(&order.order_id) {
                Some(stored) => {
                    *stored = order;
                    Outcome::Done
                }
                None => Outcome::Missing,
            },
            Command::Delete(id) => match self.orders.remove(&id) {
                Some(_) => Outcome::Done,
                None => Outcome::Missing,
            },
        }
    }
}

fn to_response(reply: Reply, without_body: bool) -> Response {
    let body = match without_body {
        true => String::new(),
        false => String::from_utf8(reply.body.to_vec()).unwrap(),
    };
    let headers = reply.headers.iter();
    Response {
        status: reply.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body,
    }
}
