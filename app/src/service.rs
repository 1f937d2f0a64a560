//! The service: what a request asks for is done, and told.

use std::sync::Arc;

use microservice::config::DatabaseSettings;
use microservice::context::Context;
use microservice::database::Database;
use microservice::http::{Problem, Reply};
use microservice::server::Service;

use crate::http::{answer_size, read_action, reply_to_outcome, Action, Parts, Route};
use crate::store::OrderTables;

/// The orders service.
#[derive(Debug)]
pub struct Orders {
    context: Arc<Context>,
    database: Database<OrderTables>,
}

impl Orders {
    /// The service on this database.
    pub fn new(database: DatabaseSettings, context: Arc<Context>) -> Orders {
        Orders {
            context,
            database: Database::new(OrderTables, database),
        }
    }
}

impl Service for Orders {
    type Route = Route;

    async fn answer(&self, parts: &Parts<'_>) -> Result<Reply, Problem> {
        match read_action(parts, &self.context.origins)? {
            Action::Reply(reply) => Ok(reply),
            Action::Health => Ok(self.context.health()),
            Action::Readiness => {
                self.database.check_ready().await?;
                Ok(Reply::done())
            }
            Action::Metrics => Ok(self.context.metrics(&self.database.metrics(crate::NAME.name))),
            Action::Initialise => {
                self.database.initialise().await?;
                Ok(Reply::done())
            }
            Action::Command(command, style) => {
                let outcome = self.database.run(&command).await?;
                reply_to_outcome(outcome, style)
            }
        }
    }

    fn answer_size(parts: &Parts<'_>) -> usize {
        answer_size(parts)
    }

    async fn work(&self) {
        self.database.keep_tables_current().await;
    }
}
