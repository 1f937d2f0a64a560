//! The service: what a request asks for is done, and told.

use std::time::SystemTime;

use serde::Serialize;

use crate::config::Config;
use crate::http::{read_action, reply_to_outcome, Action, Origins, Parts, Problem, Reply, RequestIds};
use crate::metrics::Metrics;
use crate::mode::Mode;
use crate::store::Store;

/// Everything that requests share.
#[derive(Debug)]
pub struct Service {
    mode: Mode,
    store: Store,
    /// Sites whose pages may use the service.
    pub origins: Origins,
    /// The counters.
    pub metrics: Metrics,
    /// Where request ids come from.
    pub request_ids: RequestIds,
}

impl Service {
    /// A service with this configuration, in this process.
    pub fn new(config: Config, mode: Mode) -> Service {
        Service {
            mode,
            store: Store::new(config.database),
            origins: config.origins,
            metrics: Metrics::new(mode, SystemTime::now()),
            request_ids: RequestIds::default(),
        }
    }

    /// Keeps the tables current for as long as the service runs.
    pub async fn keep_schema_current(&self) {
        self.store.keep_schema_current().await;
    }

    /// Answers a complete request.
    pub async fn answer(&self, parts: &Parts<'_>) -> Result<Reply, Problem> {
        match read_action(parts, &self.origins)? {
            Action::Reply(reply) => Ok(reply),
            Action::Health => Ok(Reply::json(self.health())),
            Action::Readiness => {
                self.store.check_ready().await?;
                Ok(Reply::done())
            }
            Action::Metrics => Ok(Reply::metrics(self.metrics.to_text(self.store.counts()))),
            Action::Initialise => {
                self.store.initialise().await?;
                Ok(Reply::done())
            }
            Action::Store(command, style) => {
                let outcome = self.store.run(&command).await?;
                reply_to_outcome(outcome, style)
            }
        }
    }

    fn health(&self) -> String {
        let health = Health {
            status: true,
            version: crate::VERSION,
            build: self.mode.build(),
            mode: self.mode.name(),
        };
        // Strings and booleans always have a JSON form.
        serde_json::to_string(&health).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Health {
    status: bool,
    version: &'static str,
    build: &'static str,
    mode: &'static str,
}
