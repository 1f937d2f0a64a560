//! The pure modules of the service in this process, with events in memory.

use std::collections::BTreeMap;

use events::command::{Command, Outcome, Page};
use events::event::Event;
use events::http::{read_action, response_to_outcome, Action, BufferedRequest};
use microservice::http::{self, Origins, Problem};
use service_tests::http::{Request, Response};
use service_tests::in_process;

/// The service without I/O.
#[derive(Default)]
pub struct Memory {
    origins: Origins,
    events: Vec<Event>,
}

impl Memory {
    /// A service that allows these origins.
    pub fn new(origins: Origins) -> Memory {
        Memory {
            origins,
            events: Vec::new(),
        }
    }

    /// Handles a request as the server does.
    pub fn send(&mut self, request: &Request) -> Response {
        let origins = self.origins.clone();
        in_process::send(request, &origins, |parts| self.handle(parts))
    }

    fn handle(&mut self, parts: &BufferedRequest<'_>) -> Result<http::Response, Problem> {
        match read_action(parts)? {
            Action::Response(response) => Ok(response),
            Action::Command(command) => Ok(response_to_outcome(&command, &self.run(&command))),
            Action::Readiness => Ok(http::Response::success()),
            action @ (Action::Health | Action::Metrics) => panic!("{action:?} is of the edges"),
        }
    }

    fn run(&mut self, command: &Command) -> Outcome {
        match command {
            Command::Store(events) => {
                let mut new = 0;
                for event in events {
                    let same = |other: &Event| (&other.source, &other.id) == (&event.source, &event.id);
                    if !self.events.iter().any(same) {
                        self.events.push(event.clone());
                        new += 1;
                    }
                }
                Outcome::Stored { new }
            }
            Command::List { limit, before } => {
                let end = before.map_or(self.events.len(), |before| {
                    usize::try_from(before).unwrap_or(usize::MAX).min(self.events.len())
                });
                let start = end.saturating_sub(*limit);
                let mut counts = BTreeMap::<String, u64>::new();
                for event in &self.events {
                    *counts.entry(event.kind.clone()).or_default() += 1;
                }
                Outcome::Page(Page {
                    events: self.events[start..end]
                        .iter()
                        .rev()
                        .map(|event| event.json.clone())
                        .collect(),
                    next: (start > 0).then_some(start as u64),
                    counts: counts.into_iter().collect(),
                    total: self.events.len() as u64,
                })
            }
        }
    }
}
