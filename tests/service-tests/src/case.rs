//! A service's contract as a table of cases, and what plays them.
//!
//! The same cases run over the pure layers in this process, against the native build, and against any service by its
//! address. They touch only things of ids they chose themselves: `$1` to `$9` stand for them in paths, bodies and
//! expectations.

use std::sync::Mutex;
use std::time::SystemTime;

use crate::http::{Request, Response};

/// The body of most changes that worked.
pub const DONE: &str = r#"{"status":true}"#;
/// The origin that [`Needs::Origin`] cases come from.
pub const ORIGIN: &str = "https://shop.example";

/// One story: steps that follow each other.
#[derive(Clone, Debug)]
pub struct Case {
    /// What the story proves.
    pub name: &'static str,
    /// What it needs beside the routes.
    pub needs: Needs,
    steps: Vec<Step>,
}

/// What a case needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Only the pure layers.
    Nothing,
    /// A real server.
    Server,
    /// A real server that is one process, not several behind one address.
    OneServer,
    /// A service whose `CORS_ALLOW_ORIGIN` lists [`ORIGIN`].
    Origin,
}

/// A request and what must come of it.
#[derive(Clone, Debug)]
pub struct Step {
    request: Request,
    status: u16,
    checks: Vec<Check>,
}

#[derive(Clone, Debug)]
enum Check {
    Body(String),
    Contains(String),
    Error(&'static str, Vec<&'static str>),
    Header(&'static str, String),
    NoHeader(&'static str),
}

/// A story of this name.
pub fn case(name: &'static str, needs: Needs, steps: impl IntoIterator<Item = Step>) -> Case {
    Case {
        name,
        needs,
        steps: steps.into_iter().collect(),
    }
}

/// A request that must be answered with this status.
pub fn step(method: &str, target: &str, body: &str, status: u16) -> Step {
    Step {
        request: Request::new(method, target).with_body(body),
        status,
        checks: Vec::new(),
    }
}

/// A GET that must be answered with this status.
pub fn get(target: &str, status: u16) -> Step {
    step("GET", target, "", status)
}

/// A POST that must be answered with this status.
pub fn post(target: &str, body: &str, status: u16) -> Step {
    step("POST", target, body, status)
}

impl Step {
    /// Sends a header.
    pub fn with(mut self, name: &str, value: &str) -> Step {
        self.request = self.request.header(name, value);
        self
    }

    /// Expects exactly this body.
    pub fn body(self, body: &str) -> Step {
        self.check(Check::Body(body.to_owned()))
    }

    /// Expects this in the body.
    pub fn contains(self, part: &str) -> Step {
        self.check(Check::Contains(part.to_owned()))
    }

    /// Expects an error of this code about these fields.
    pub fn error(self, code: &'static str, fields: &[&'static str]) -> Step {
        self.check(Check::Error(code, fields.to_vec()))
    }

    /// Expects a header.
    pub fn header(self, name: &'static str, value: &str) -> Step {
        self.check(Check::Header(name, value.to_owned()))
    }

    /// Expects that there is no such header.
    pub fn no_header(self, name: &'static str) -> Step {
        self.check(Check::NoHeader(name))
    }

    fn check(mut self, check: Check) -> Step {
        self.checks.push(check);
        self
    }
}

impl Case {
    /// Plays the story with ids above `base` and returns what went wrong.
    fn play(&self, base: i32, send: &mut dyn FnMut(&Request) -> Response) -> Vec<String> {
        let mut wrong = Vec::new();
        for step in &self.steps {
            let fill = |text: &str| fill_ids(text, base);
            let mut request = step.request.clone();
            request.target = fill(&request.target);
            request.body = fill(std::str::from_utf8(&request.body).unwrap()).into_bytes();
            let response = send(&request);

            let mut faults = Vec::new();
            if response.status != step.status {
                faults.push(format!("status is not {}", step.status));
            }
            for check in &step.checks {
                faults.extend(check.judge(&response, &fill));
            }
            for fault in faults {
                let name = self.name;
                let Request { method, target, .. } = &request;
                wrong.push(format!("{name}: {method} {target}: {fault}: {response:?}"));
            }
        }
        wrong
    }
}

impl Check {
    fn judge(&self, response: &Response, fill: &dyn Fn(&str) -> String) -> Option<String> {
        match self {
            Check::Body(body) => {
                let body = fill(body);
                (response.body != body).then(|| format!("body is not {body}"))
            }
            Check::Contains(part) => {
                let part = fill(part);
                (!response.body.contains(&part)).then(|| format!("body lacks {part}"))
            }
            Check::Header(name, value) => {
                let value = fill(value);
                (response.header(name) != Some(&value)).then(|| format!("{name} is not {value}"))
            }
            Check::NoHeader(name) => response.header(name).map(|_| format!("{name} is there")),
            Check::Error(code, fields) => judge_error(response, code, fields),
        }
    }
}

/// The one shape of all errors.
fn judge_error(response: &Response, code: &str, fields: &[&str]) -> Option<String> {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(&response.body) else {
        return Some("body is no JSON".to_owned());
    };
    let error = &json["error"];
    let found: Vec<&str> = error["fields"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|field| field["message"].as_str().is_some_and(|text| !text.is_empty()))
        .filter_map(|field| field["field"].as_str())
        .collect();
    let is_right = json["status"] == false
        && error["code"] == code
        && error["message"].as_str().is_some_and(|text| !text.is_empty())
        && response.header("content-type") == Some("application/json")
        && found == fields;
    (!is_right).then(|| format!("is not the error {code} about {fields:?}"))
}

/// Plays all cases that fit, each with ids of its own above `base`.
pub fn play_all(cases: &[Case], base: i32, fits: impl Fn(&Case) -> bool, send: &mut dyn FnMut(&Request) -> Response) {
    let fitting = cases.iter().filter(|case| fits(case));
    let wrong: Vec<String> = (base..)
        .step_by(10)
        .zip(fitting)
        .flat_map(|(base, case)| case.play(base, send))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A thousand ids that neither people nor another run of these tests use, and others with each call.
pub fn unused_ids() -> i32 {
    static LAST_SLOT: Mutex<u128> = Mutex::new(0);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let mut slot = LAST_SLOT.lock().unwrap();
    *slot = now.as_millis().max(*slot + 1);
    1_000_000_000 + i32::try_from(*slot % 1_000_000).unwrap() * 1_000
}

/// Puts ids in the place of `$1` to `$9`, and the id before them in that of `$0`.
fn fill_ids(text: &str, base: i32) -> String {
    (0..10).fold(text.to_owned(), |text, number| {
        text.replace(&format!("${number}"), &(base + number).to_string())
    })
}
