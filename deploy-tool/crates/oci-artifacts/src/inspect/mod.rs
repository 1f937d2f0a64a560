//! Pure: what an image, or a module alone, is, and which known traps it has fallen into.

mod attached;
mod configuration;
mod examine;
mod report;
mod subject;
mod warning;

pub use crate::image::SERVICES;
pub use attached::Attached;
pub use configuration::Configuration;
pub use examine::{image, images, module};
pub use report::{ImportReport, LayerReport, ModuleReport, PlatformContents, PlatformReport, Report, Warning};
pub use subject::{LocalFile, Subject, subject};
