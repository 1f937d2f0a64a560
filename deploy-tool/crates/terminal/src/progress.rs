//! The state of a running step for display. Changes of objects are also printed at once with `--verbose`.

use std::cell::{Ref, RefCell};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::change::Change;
use super::row::Row;
use super::screen::detail;
use super::tracker::Table;

/// An event, and its time.
#[derive(Debug)]
pub(crate) enum ProgressEvent {
    /// An object that is waited for has another row.
    Row(Row),
    /// An object is another one in the cluster.
    Change(Change),
}

/// What a running step wants shown.
#[derive(Debug)]
pub struct Progress {
    start: Instant,
    activity: RefCell<String>,
    outcome: RefCell<Option<String>>,
    table: RefCell<Table>,
    news: RefCell<Vec<(Timestamp, ProgressEvent)>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            activity: RefCell::default(),
            outcome: RefCell::default(),
            table: RefCell::default(),
            news: RefCell::default(),
        }
    }
}

impl Progress {
    /// What the step does right now, or the last line of the program underneath.
    pub fn activity(&self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            text.clone_into(&mut self.activity.borrow_mut());
        }
    }

    /// How far each object is that the step waits for: all of them, each time.
    pub fn rows(&self, rows: Vec<Row>) {
        let changed = self.table.borrow_mut().update(rows, self.start.elapsed());
        let now = Timestamp::now();
        let rows = changed.into_iter().map(|row| (now, ProgressEvent::Row(row)));
        self.news.borrow_mut().extend(rows);
    }

    /// An object was stored, or its deletion was taken.
    pub fn changed(&self, change: Change) {
        detail(&change.to_string());
        self.news
            .borrow_mut()
            .push((Timestamp::now(), ProgressEvent::Change(change)));
    }

    /// The step's line when it is done, in place of its title.
    pub fn outcome(&self, text: impl Into<String>) {
        *self.outcome.borrow_mut() = Some(text.into());
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn table(&self) -> Ref<'_, Table> {
        self.table.borrow()
    }

    pub(crate) fn shown_activity(&self) -> Ref<'_, String> {
        self.activity.borrow()
    }

    pub(crate) fn shown_outcome(&self) -> Option<String> {
        self.outcome.borrow().clone()
    }

    /// All news since the last call, and when they came.
    pub(crate) fn take_events(&self) -> Vec<(Timestamp, ProgressEvent)> {
        self.news.take()
    }
}
