//! The service: what a request asks for is done, and told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use microservice::config::DatabaseSettings;
use microservice::context::Context;
use microservice::database::Database;
use microservice::http::{Problem, Reply};
use microservice::metrics::Family;
use microservice::server::Service;

use crate::command::{Command, Outcome, MAX_PAGE_BYTES};
use crate::http::{read_action, reply_to_outcome, Action, Parts, Route};
use crate::store::EventTables;

/// About what an event takes in a list.
const USUAL_EVENT: usize = 1024;

/// The events service.
#[derive(Debug)]
pub struct Events {
    context: Arc<Context>,
    database: Database<EventTables>,
    new: AtomicU64,
    repeated: AtomicU64,
}

impl Events {
    /// The service on this database.
    pub fn new(database: DatabaseSettings, context: Arc<Context>) -> Events {
        Events {
            context,
            database: Database::new(EventTables, database),
            new: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
        }
    }

    async fn run(&self, command: &Command) -> Result<Outcome, Problem> {
        let outcome = self.database.run(command).await?;
        if let Outcome::Stored { new } = outcome {
            let counter = if new { &self.new } else { &self.repeated };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Ok(outcome)
    }

    fn metrics(&self) -> Reply {
        let sample = |outcome: &str, counter: &AtomicU64| {
            let labels = format!("{{outcome=\"{outcome}\"}}");
            (labels, counter.load(Ordering::Relaxed) as f64)
        };
        let mut families = self.database.metrics(crate::NAME.name);
        families.push(Family {
            name: "events_received_total".to_owned(),
            kind: "counter",
            help: "Events that this replica took.",
            samples: vec![sample("new", &self.new), sample("repeated", &self.repeated)],
        });
        self.context.metrics(&families)
    }
}

impl Service for Events {
    type Route = Route;

    async fn answer(&self, parts: Parts<'_>) -> Result<Reply, Problem> {
        let action = read_action(&parts, &self.context.origins)?;
        drop(parts);
        match action {
            Action::Reply(reply) => Ok(reply),
            Action::Health => Ok(self.context.health()),
            Action::Readiness => {
                self.database.check_ready().await?;
                Ok(Reply::done())
            }
            Action::Metrics => Ok(self.metrics()),
            Action::Command(command) => {
                let _turn = match command {
                    Command::List { limit, .. } => {
                        let about = (limit * USUAL_EVENT).min(MAX_PAGE_BYTES);
                        Some(self.context.memory.buffer(about).await?)
                    }
                    Command::Store(_) => None,
                };
                let outcome = self.run(&command).await?;
                Ok(reply_to_outcome(&command, &outcome))
            }
        }
    }

    async fn work(&self) {
        self.database.keep_tables_current().await;
    }
}
