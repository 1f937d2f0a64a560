//! Where the rules are kept: the state of the Dapr sidecar, or in the program itself where there is none.

use std::time::Duration;

use hyper::StatusCode;
use microservice::client::ClientError;
use microservice::dapr::{Sidecar, StateStore, Trace};
use microservice::http::{Code, Problem};
use microservice::log::{self, Level};
use microservice::memory::{Exhausted, Memory};
use tokio::time::sleep;

use crate::rules::{Rules, BUILT_IN};

/// The state store, as manifests call it, and the rules' key there.
const STORE: &str = "statestore";
const KEY: &str = "rules";

/// The pause before rules are stored for the first time again.
const PAUSE: Duration = Duration::from_secs(1);

/// The rules cannot be read or changed just now.
const RULES_UNAVAILABLE: Code = Code::new("rules_unavailable", StatusCode::SERVICE_UNAVAILABLE);
/// There is no state that could hold other rules.
const RULES_ARE_FIXED: Code = Code::new("rules_are_fixed", StatusCode::CONFLICT);

/// The place of the rules.
#[derive(Debug)]
pub struct RuleStore {
    state: Option<StateStore>,
}

impl RuleStore {
    /// The rules in the state of this sidecar, if there is one.
    pub fn new(sidecar: Option<Sidecar>, memory: &Memory) -> RuleStore {
        RuleStore {
            state: sidecar.map(|sidecar| StateStore::new(sidecar, STORE, memory.clone())),
        }
    }

    /// The rules as they are kept. Read anew each time: a change holds for all replicas at once.
    pub async fn read(&self, trace: &Trace) -> Result<String, Problem> {
        let Some(state) = &self.state else {
            return Ok(BUILT_IN.to_owned());
        };
        match state.get(KEY, trace).await {
            Ok(Some(json)) => Ok(String::from_utf8_lossy(&json).into_owned()),
            // Nobody has stored any yet.
            Ok(None) => Ok(BUILT_IN.to_owned()),
            Err(failure) => Err(unavailable(&failure)),
        }
    }

    /// The rules, read and understood.
    pub async fn rules(&self, trace: &Trace) -> Result<Rules, Problem> {
        let json = self.read(trace).await?;
        Rules::parse(&json).map_err(|reason| {
            log::event(Level::Error, &format!("the stored rules are no rules: {reason}"));
            Problem::new(RULES_UNAVAILABLE, "the stored rules cannot be understood")
        })
    }

    /// Keeps other rules.
    pub async fn change(&self, json: &str, trace: &Trace) -> Result<(), Problem> {
        let Some(state) = &self.state else {
            let message = "there is no state that could hold other rules than those built in (DAPR_HTTP_PORT)";
            return Err(Problem::new(RULES_ARE_FIXED, message));
        };
        state
            .put(KEY, json, trace)
            .await
            .map_err(|failure| unavailable(&failure))
    }

    /// Stores the rules that are built in, unless there are others, so that whoever wants others finds some to change.
    pub async fn fill(&self) {
        let Some(state) = &self.state else { return };
        while let Err(failure) = state.put_if_absent(KEY, BUILT_IN).await {
            log::event(Level::Warn, &format!("the rules cannot be stored yet: {failure}"));
            sleep(PAUSE).await;
        }
    }
}

fn unavailable(failure: &ClientError) -> Problem {
    if *failure == ClientError::Busy {
        return Exhausted.into();
    }
    log::event(
        Level::Warn,
        &format!("the state of the rules cannot be used: {failure}"),
    );
    Problem::new(RULES_UNAVAILABLE, "the rules are not to be had just now")
}
