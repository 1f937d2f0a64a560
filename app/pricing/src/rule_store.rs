//! Stores the rules in the state store of the Dapr sidecar. Without a sidecar, the built-in rules apply.

use std::time::Duration;

use hyper::StatusCode;
use microservice::client::ClientError;
use microservice::dapr::{Sidecar, StateStore};
use microservice::http::{Code, Problem};
use microservice::log::{self, Level};
use microservice::memory::{Exhausted, Memory};
use microservice::trace::Trace;
use tokio::time::{sleep, timeout};

use crate::rules::{Rules, BUILT_IN};

/// The name of the state store in the manifests, and the key of the rules.
const STORE: &str = "statestore";
const KEY: &str = "rules";

/// How long reading the rules may take, retries included. The callers of this service give up an attempt after two
/// seconds and start another one: work that goes on for longer is lost, and keeps the permits that others wait for.
const READ_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The interval at which storing the built-in rules is retried.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The rules cannot be read or changed at the moment.
const RULES_UNAVAILABLE: Code = Code::new("rules_unavailable", StatusCode::SERVICE_UNAVAILABLE);
/// There is no state store for other rules.
const RULES_ARE_FIXED: Code = Code::new("rules_are_fixed", StatusCode::CONFLICT);

/// The store of the rules.
#[derive(Debug)]
pub struct RuleStore {
    state: Option<StateStore>,
}

impl RuleStore {
    /// The rules in the state store of this sidecar, if there is one.
    pub fn new(sidecar: Option<Sidecar>, memory: &Memory) -> RuleStore {
        RuleStore {
            state: sidecar.map(|sidecar| StateStore::new(sidecar, STORE, memory.clone())),
        }
    }

    /// The rules as JSON. Not cached, so that a change applies to all replicas at once.
    pub async fn read_json(&self, trace: &Trace) -> Result<String, Problem> {
        let Some(state) = &self.state else {
            return Ok(BUILT_IN.to_owned());
        };
        let read = timeout(READ_TIMEOUT, state.get(KEY, trace)).await;
        match read.unwrap_or_else(|_| Err(ClientError::Failed(format!("no answer within {READ_TIMEOUT:?}")))) {
            Ok(Some(json)) => Ok(String::from_utf8_lossy(&json).into_owned()),
            // No rules have been stored yet.
            Ok(None) => Ok(BUILT_IN.to_owned()),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Reads and parses the rules.
    pub async fn load(&self, trace: &Trace) -> Result<Rules, Problem> {
        let json = self.read_json(trace).await?;
        Rules::parse(&json).map_err(|reason| {
            log::event(Level::Error, &format!("the stored rules are no rules: {reason}"));
            Problem::new(RULES_UNAVAILABLE, "the stored rules cannot be understood")
        })
    }

    /// Stores other rules.
    pub async fn replace(&self, json: &str, trace: &Trace) -> Result<(), Problem> {
        let Some(state) = &self.state else {
            let message = "there is no state that could hold other rules than those built in (DAPR_HTTP_PORT)";
            return Err(Problem::new(RULES_ARE_FIXED, message));
        };
        state.put(KEY, json, trace).await.map_err(|error| unavailable(&error))
    }

    /// Stores the built-in rules unless there are rules, so that users find rules that they can edit.
    pub async fn store_built_in(&self) {
        let Some(state) = &self.state else { return };
        while let Err(error) = state.put_if_absent(KEY, BUILT_IN).await {
            log::event(Level::Warn, &format!("the rules cannot be stored yet: {error}"));
            sleep(RETRY_INTERVAL).await;
        }
    }
}

fn unavailable(error: &ClientError) -> Problem {
    if matches!(error, ClientError::Busy | ClientError::NoMemory) {
        return Exhausted.into();
    }
    log::event(Level::Warn, &format!("the state of the rules cannot be used: {error}"));
    Problem::new(RULES_UNAVAILABLE, "the rules are unavailable at the moment")
}
