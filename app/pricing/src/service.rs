//! The service: executes the actions of requests.

use std::sync::Arc;

use hyper::StatusCode;
use microservice::context::Context;
use microservice::dapr::AppToken;
use microservice::http::{Code, Problem, Response};
use microservice::server::Service;
use microservice::trace::Trace;

use crate::config::Config;
use crate::http::{read_action, Action, BufferedRequest, Route};
use crate::price::{Goods, Price};
use crate::rule_store::RuleStore;

/// The sum is above the largest amount.
const TOO_EXPENSIVE: Code = Code::new("too_expensive", StatusCode::UNPROCESSABLE_ENTITY);

/// The pricing service.
#[derive(Debug)]
pub struct Pricing {
    context: Arc<Context>,
    rules: RuleStore,
    app_token: Option<AppToken>,
}

impl Pricing {
    /// The service as it is configured.
    pub fn new(config: Config, context: Arc<Context>) -> Pricing {
        Pricing {
            rules: RuleStore::new(config.sidecar, &context.memory),
            app_token: config.app_token,
            context,
        }
    }

    async fn compute_price(&self, goods: &Goods, trace: &Trace) -> Result<Response, Problem> {
        let rules = self.rules.load(trace).await?;
        let price = Price::compute(goods, &rules).ok_or_else(|| {
            let message = "shipping or tax of this would be more than 9999999999.99";
            Problem::new(TOO_EXPENSIVE, message)
        })?;
        Ok(Response::json(price.to_json()))
    }
}

impl Service for Pricing {
    type Route = Route;

    async fn handle(&self, request: BufferedRequest<'_>) -> Result<Response, Problem> {
        if let (Some(token), Route::Price | Route::Rules) = (&self.app_token, request.target.route) {
            token.check(request.headers)?;
        }
        let trace = Trace::from_headers(request.headers);
        let action = read_action(&request)?;
        drop(request);
        match action {
            Action::Response(response) => Ok(response),
            Action::Health => Ok(self.context.health()),
            Action::Metrics => Ok(self.context.metrics(&[])),
            Action::Readiness => {
                self.rules.load(&trace).await?;
                Ok(Response::success())
            }
            Action::Price(goods) => self.compute_price(&goods, &trace).await,
            Action::Rules => Ok(Response::json(self.rules.read_json(&trace).await?)),
            Action::ChangeRules(json) => {
                self.rules.replace(&json, &trace).await?;
                Ok(Response::success())
            }
        }
    }

    async fn run_background(&self) {
        self.rules.store_built_in().await;
    }
}
