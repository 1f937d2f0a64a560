//! What a running step wants shown. Only what it writes is told here, and at once, to those who want every detail.

use std::cell::{Ref, RefCell};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::screen::detail;
use super::table::Table;
use super::written::Written;
use rollout::Row;

/// Something that programs are told of, and when it came.
#[derive(Debug)]
pub(super) enum News {
    /// An object that is waited for has another row.
    Row(Row),
    /// An object is another one in the cluster.
    Written(Written),
}

/// What a running step wants shown.
#[derive(Debug)]
pub struct Progress {
    start: Instant,
    activity: RefCell<String>,
    outcome: RefCell<Option<String>>,
    table: RefCell<Table>,
    news: RefCell<Vec<(Timestamp, News)>>,
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
        let rows = changed.into_iter().map(|row| (now, News::Row(row)));
        self.news.borrow_mut().extend(rows);
    }

    /// The server has stored an object, or has taken its deletion.
    pub fn written(&self, written: Written) {
        detail(&written.to_string());
        self.news.borrow_mut().push((Timestamp::now(), News::Written(written)));
    }

    /// The step's line when it is done, in place of its title.
    pub fn outcome(&self, text: impl Into<String>) {
        *self.outcome.borrow_mut() = Some(text.into());
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn table(&self) -> Ref<'_, Table> {
        self.table.borrow()
    }

    pub(super) fn shown_activity(&self) -> Ref<'_, String> {
        self.activity.borrow()
    }

    pub(super) fn shown_outcome(&self) -> Option<String> {
        self.outcome.borrow().clone()
    }

    /// All news since the last call, and when they came.
    pub(super) fn take_news(&self) -> Vec<(Timestamp, News)> {
        self.news.take()
    }
}
