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
pub use report::{ImportReport, LayerReport, ModuleReport, PlatformReport, Report, Seen, Warning};
pub use subject::{OnDisk, Subject, subject};
