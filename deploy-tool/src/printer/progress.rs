//! What a running step wants shown. Nothing is printed here.

use std::cell::{Ref, RefCell};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::table::Table;
use crate::rollout::Row;

/// What a running step wants shown.
#[derive(Debug)]
pub struct Progress {
    start: Instant,
    activity: RefCell<String>,
    outcome: RefCell<Option<String>>,
    table: RefCell<Table>,
    changes: RefCell<Vec<(Timestamp, Row)>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            activity: RefCell::default(),
            outcome: RefCell::default(),
            table: RefCell::default(),
            changes: RefCell::default(),
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
        self.changes
            .borrow_mut()
            .extend(changed.into_iter().map(|row| (now, row)));
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

    /// Every change of a row since the last call, and when it came.
    pub(super) fn take_changes(&self) -> Vec<(Timestamp, Row)> {
        self.changes.take()
    }
}
