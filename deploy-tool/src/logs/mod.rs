//! Pure: which containers' logs are read, which of them at once, and what a line looks like.

mod follow;
mod line;
mod print;
mod source;
pub mod stream;

pub use follow::{Follow, Key, Opening};
pub use line::{Line, split};
pub use print::print;
pub use source::{Source, State, sources};
