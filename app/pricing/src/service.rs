//! The service: what a request asks for is done, and told.

use std::sync::Arc;

use hyper::StatusCode;
use microservice::context::Context;
use microservice::dapr::{AppToken, Trace};
use microservice::http::{Code, Problem, Response};
use microservice::server::Service;

use crate::config::Config;
use crate::http::{read_action, Action, BufferedRequest, Route};
use crate::price::{Goods, Price};
use crate::rule_store::RuleStore;

/// The sum is more than money can be.
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

    async fn price(&self, goods: &Goods, trace: &Trace) -> Result<Response, Problem> {
        let rules = self.rules.rules(trace).await?;
        let price = Price::compute(goods, &rules).ok_or_else(|| {
            let message = "shipping or tax of this would be more than 9999999999.99";
            Problem::new(TOO_EXPENSIVE, message)
        })?;
        Ok(Response::json(price.to_json()))
    }
}

impl Service for Pricing {
    type Route = Route;

    async fn handle(&self, parts: BufferedRequest<'_>) -> Result<Response, Problem> {
        if let (Some(token), Route::Price | Route::Rules) = (&self.app_token, parts.target.route) {
            token.check(parts.headers)?;
        }
        let trace = Trace::from_headers(parts.headers);
        let action = read_action(&parts, &self.context.origins)?;
        drop(parts);
        match action {
            Action::Response(response) => Ok(response),
            Action::Health => Ok(self.context.health()),
            Action::Metrics => Ok(self.context.metrics(&[])),
            Action::Readiness => {
                self.rules.rules(&trace).await?;
                Ok(Response::success())
            }
            Action::Price(goods) => self.price(&goods, &trace).await,
            Action::Rules => Ok(Response::json(self.rules.read(&trace).await?)),
            Action::ChangeRules(json) => {
                self.rules.change(&json, &trace).await?;
                Ok(Response::success())
            }
        }
    }

    async fn run_background(&self) {
        self.rules.fill().await;
    }
}
