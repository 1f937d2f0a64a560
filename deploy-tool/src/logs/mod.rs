//! Pure: which containers' logs are read, which of them at once, and what a line looks like.

mod follow;
mod line;
mod print;
mod selection;
mod source;
pub mod stream;
mod watched_pods;

pub use follow::{Follow, Key, Opening};
pub use line::{Line, split};
pub use print::print;
pub use selection::{JOB_LABEL, Selection, select_pods};
pub use source::{Source, State, is_transient, sources};
pub use watched_pods::{Change, WatchedPods};
