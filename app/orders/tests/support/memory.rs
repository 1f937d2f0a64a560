//! The pure modules of the service in this process, with orders in memory.

use std::collections::BTreeMap;

use app::command::{Command, Outcome, PageWriter};
use app::http::{read_action, response_to_outcome, Action, BufferedRequest, PriceSource, ResponseStyle};
use app::order::Order;
use microservice::http::{self, Origins, Problem};
use microservice::memory::Buffer;
use service_tests::http::{Request, Response};
use service_tests::in_process;

/// The service without I/O.
#[derive(Default)]
pub struct Memory {
    origins: Origins,
    orders: BTreeMap<i32, Order>,
}

impl Memory {
    /// A service that allows these origins.
    pub fn new(origins: Origins) -> Memory {
        Memory {
            origins,
            orders: BTreeMap::new(),
        }
    }

    /// Handles a request as the server does.
    pub fn send(&mut self, request: &Request) -> Response {
        let origins = self.origins.clone();
        in_process::send(request, &origins, |parts| self.handle(parts))
    }

    fn handle(&mut self, parts: &BufferedRequest<'_>) -> Result<http::Response, Problem> {
        match read_action(parts, PriceSource::Given)? {
            Action::Response(response) => Ok(response),
            Action::Command(command, style) => response_to_outcome(self.run(command), style),
            Action::List { limit, after } => response_to_outcome(self.list(limit, after), ResponseStyle::Page(limit)),
            Action::Initialise | Action::Readiness => Ok(http::Response::success()),
            action @ (Action::Health
            | Action::Metrics
            | Action::Events(_)
            | Action::DeadLetters(_)
            | Action::Price(..)
            | Action::Sidecar) => {
                panic!("{action:?} is of the edges")
            }
        }
    }

    fn list(&self, limit: usize, after: Option<i32>) -> Outcome {
        let after = after.unwrap_or(i32::MIN);
        let mut page = PageWriter::new(Memory::buffer(), limit);
        for order in self.orders.values().filter(|order| order.order_id > after) {
            page.push(order).unwrap();
        }
        Outcome::Page(page.finish().unwrap())
    }

    fn buffer() -> Buffer {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let memory = microservice::memory::Memory::default();
        runtime.unwrap().block_on(memory.buffer(0)).unwrap()
    }

    fn run(&mut self, command: Command) -> Outcome {
        match command {
            Command::Create(new) => {
                let ids = new.iter().map(|order| order.order_id);
                let existing: Vec<i32> = ids.filter(|id| self.orders.contains_key(id)).collect();
                if !existing.is_empty() {
                    return Outcome::Duplicate(existing);
                }
                self.orders.extend(new.into_iter().map(|order| (order.order_id, order)));
                Outcome::Done
            }
            Command::Find(id) => match self.orders.get(&id) {
                Some(order) => Outcome::Order(order.clone()),
                None => Outcome::NotFound,
            },
            Command::Update(order) => match self.orders.get_mut(&order.order_id) {
                Some(stored) => {
                    *stored = order;
                    Outcome::Done
                }
                None => Outcome::NotFound,
            },
            Command::Delete(id) => match self.orders.remove(&id) {
                Some(_) => Outcome::Done,
                None => Outcome::NotFound,
            },
        }
    }
}
