//! Raw bytes on a connection: the server itself, its parsers, the router, the checks of a request, and every
//! way to tell an outcome. Only the database is left out.

use std::sync::Arc;

use app::command::{Command, Outcome, PageWriter};
use app::config::Config;
use app::http::{Action, BufferedRequest, PriceSource, ResponseStyle, Route, read_action, response_to_outcome};
use app::order::{Money, Order, Price};
use microservice::context::Context;
use microservice::execution_mode::ExecutionMode;
use microservice::http::{Code, Problem, Response};
use microservice::log;
use microservice::memory::Buffer;
use microservice::server::{Service, Shared, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};
use tokio::runtime::{Builder, Runtime};

/// The bytes of one connection from its first to its last.
pub fn request(bytes: &[u8]) {
    thread_local! {
        static SERVER: (Runtime, Arc<Shared<Pure>>) = (Builder::new_current_thread().enable_time().build().unwrap(), start());
    }
    let answers = SERVER.with(|(runtime, shared)| runtime.block_on(converse(bytes, Arc::clone(shared))));
    assert!(answers.is_empty() || answers.starts_with(b"HTTP/1."));
}

fn start() -> Arc<Shared<Pure>> {
    log::set_level(log::Level::Off);
    let config = Config::read(|name| match name {
        "DATABASE_URL" => Some("mysql://orders@nowhere/orders".to_owned()),
        "CORS_ALLOW_ORIGIN" => Some("https://shop.example".to_owned()),
        _ => None,
    });
    let context = Arc::new(Context::new(app::NAME, config.unwrap().settings, ExecutionMode::Native));
    Arc::new(Shared::new(Pure(Arc::clone(&context)), context))
}

/// Sends the bytes and reads until the server has nothing more to say.
async fn converse(bytes: &[u8], shared: Arc<Shared<Pure>>) -> Vec<u8> {
    let (client, server) = duplex(64 * 1024);
    let (mut reader, mut writer) = split(client);
    let send = async move {
        // The server may close the connection before it has read everything.
        let _ = writer.write_all(bytes).await;
        let _ = writer.shutdown().await;
    };
    let mut answers = Vec::new();
    let guest = shared.admit_connection().await;
    let (.., read) = tokio::join!(
        send,
        serve(server, None, guest, shared),
        reader.read_to_end(&mut answers)
    );
    read.unwrap();
    answers
}

/// The orders service over a store without a memory, in which the orders of even ids exist.
struct Pure(Arc<Context>);

impl Service for Pure {
    type Route = Route;

    async fn handle(&self, parts: BufferedRequest<'_>) -> Result<Response, Problem> {
        let buffer = self.0.memory.buffer(0).await?;
        let answer = read_action(&parts, PriceSource::Computed).and_then(|action| match action {
            Action::Response(response) => Ok(response),
            Action::Health => Ok(self.0.health()),
            Action::Metrics => Ok(self.0.metrics(&[])),
            Action::Readiness | Action::Initialise | Action::DeadLetters(_) | Action::Sidecar => {
                Ok(Response::success())
            }
            Action::Command(command, style) => {
                check(&command);
                response_to_outcome(outcome(command), style)
            }
            Action::Price(draft, change, style) => {
                // Another service of ours reads it as JSON.
                let question: serde_json::Value = serde_json::from_str(&draft.pricing_request()).unwrap();
                assert_eq!(question["shipping_address"], *draft.shipping_address);
                let price = Price {
                    shipping: Money::default(),
                    tax: Money::MAX,
                    region: None,
                };
                let command = change.into_command(draft.complete(&price));
                check(&command);
                response_to_outcome(outcome(command), style)
            }
            Action::List { limit, after } => {
                response_to_outcome(list(limit, after, buffer), ResponseStyle::Page(limit))
            }
            Action::Events(query) => {
                // What another service is asked must not hold anything but what we know.
                assert!(
                    query
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"=&".contains(&byte))
                );
                Ok(Response::json(query))
            }
        });
        if let Err(problem) = &answer {
            assert!(problem.code != Code::INTERNAL && !problem.message.is_empty());
            let json: serde_json::Value = serde_json::from_str(&problem.to_json()).unwrap();
            assert_eq!(json["error"]["message"], *problem.message);
        }
        answer
    }

    async fn run_background(&self) {}
}

/// Nothing reaches the database that it would not take.
fn check(command: &Command) {
    match command {
        Command::Create(orders) => assert!(!orders.is_empty() && orders.iter().all(|order| order.order_id > 0)),
        // The id of a path may be any number: no row has one below 1, so there is nothing to change.
        Command::Update(order) => assert!(order.product_id > 0 && order.quantity > 0),
        Command::Find(_) | Command::Delete(_) => {}
    }
}

fn exists(id: i32) -> bool {
    id % 2 == 0
}

fn list(limit: usize, after: Option<i32>, buffer: Buffer) -> Outcome {
    let first = after.unwrap_or_default().saturating_add(1);
    let ids = (first..=i32::MAX).filter(|id| exists(*id));
    let mut page = PageWriter::new(buffer, limit);
    ids.take(limit.min(5)).for_each(|id| page.push(&order(id)).unwrap());
    Outcome::Page(page.finish().unwrap())
}

fn outcome(command: Command) -> Outcome {
    match command {
        Command::Create(orders) => {
            let ids = orders.iter().map(|order| order.order_id);
            let existing: Vec<i32> = ids.filter(|id| exists(*id)).collect();
            if existing.is_empty() {
                Outcome::Done
            } else {
                Outcome::Duplicate(existing)
            }
        }
        Command::Find(id) if exists(id) => Outcome::Order(order(id)),
        Command::Update(Order { order_id: id, .. }) | Command::Delete(id) if exists(id) => Outcome::Done,
        Command::Find(_) | Command::Update(_) | Command::Delete(_) => Outcome::NotFound,
    }
}

fn order(order_id: i32) -> Order {
    Order {
        order_id,
        product_id: 1,
        quantity: 1,
        amount: Money::MAX,
        shipping: Money::default(),
        tax: Money::default(),
        shipping_address: "\"\\\u{7f}\u{2028}".to_owned(),
    }
}
