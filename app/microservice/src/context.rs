//! The state that all requests of a process share.

use hyper::header::HeaderValue;
use serde::Serialize;

use crate::config::Settings;
use crate::execution_mode::ExecutionMode;
use crate::http::{Origins, RequestIds, Response};
use crate::log;
use crate::memory::Memory;
use crate::metrics::{Family, Metrics};

/// A service's name and version, known when it is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// The prefix of the metrics, in which `_` replaces the characters that are not allowed there, such as hyphens.
    pub name: &'static str,
    /// The version of the package.
    pub version: &'static str,
}

/// The shared state that does not depend on the service.
#[derive(Debug)]
pub struct Context {
    /// The name and the version of the service.
    pub name: Name,
    instance: String,
    mode: ExecutionMode,
    /// The web sites that may use the service.
    pub origins: Origins,
    /// The metrics of requests.
    pub metrics: Metrics,
    /// The memory that requests may use.
    pub memory: Memory,
    /// Chooses request ids.
    pub request_ids: RequestIds,
    /// The value of the `X-Served-By` header.
    pub served_by: Option<HeaderValue>,
}

impl Context {
    /// The context of this process.
    pub fn new(name: Name, settings: Settings, mode: ExecutionMode) -> Context {
        let instance = settings.instance;
        let served_by = format!("{instance}; build={}; mode={}", mode.build(), mode.name());
        Context {
            name,
            mode,
            origins: settings.origins,
            metrics: Metrics::new(name.name),
            memory: Memory::default(),
            request_ids: RequestIds::default(),
            served_by: HeaderValue::from_str(&served_by).ok(),
            instance,
        }
    }

    /// The response to `/healthz`.
    pub fn health(&self) -> Response {
        let health = Health {
            status: true,
            version: self.name.version,
            instance: &self.instance,
            build: self.mode.build(),
            mode: self.mode.name(),
        };
        // Strings and booleans always have a JSON form.
        Response::json(serde_json::to_string(&health).unwrap_or_default())
    }

    /// The response to `/metrics`, with these metrics of the service.
    pub fn metrics(&self, families: &[Family]) -> Response {
        let build = Family {
            name: format!("{}_build_info", self.name.name),
            kind: "gauge",
            help: "What runs, and how it is executed.",
            samples: vec![(
                format!(
                    "{{version=\"{}\",build=\"{}\",mode=\"{}\"}}",
                    self.name.version,
                    self.mode.build(),
                    self.mode.name(),
                ),
                1.0,
            )],
        };
        let dropped_lines = Family {
            name: format!("{}_log_lines_left_out_total", self.name.name),
            kind: "counter",
            help: "Lines of the log that nobody read in time.",
            samples: vec![(String::new(), log::dropped_lines() as f64)],
        };
        Response::metrics(self.metrics.to_text(families.iter().chain([&build, &dropped_lines])))
    }
}

#[derive(Serialize)]
struct Health<'context> {
    status: bool,
    version: &'static str,
    instance: &'context str,
    build: &'static str,
    mode: &'static str,
}
