//! A new project: its name, its files, and how they get into a folder.

mod create;
mod name;
pub mod template;

pub use create::create;
pub use name::{NameError, ProjectName};
pub use template::Template;
