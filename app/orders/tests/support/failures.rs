//! What fake peers of the service have found wrong with its requests.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Arc, Mutex};
use std::thread;

/// The failures of threads that nobody joins: without this, a test would only see that a connection was closed.
#[derive(Clone, Default)]
pub struct Failures {
    messages: Arc<Mutex<Vec<String>>>,
}

impl Failures {
    /// Runs the work of a thread, and records the message if it panics.
    pub fn watch(&self, work: impl FnOnce()) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let message = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
            self.messages.lock().unwrap().push(message.to_owned());
        }
    }

    /// Fails if there are any; where the test fails already, it only tells them.
    #[track_caller]
    pub fn assert_none(&self) {
        let messages = self.messages.lock().unwrap().clone();
        if thread::panicking() {
            messages
                .iter()
                .for_each(|message| eprintln!("in a fake peer: {message}"));
            return;
        }
        assert!(messages.is_empty(), "in a fake peer: {messages:?}");
    }
}
