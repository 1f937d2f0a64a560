//! The objects of a folder of plain YAML: load, resolve the image placeholder, put in order.

mod exported;
mod images;
mod kinds;
mod load;
mod metadata;
mod object;
mod order;
mod other_tool;
mod parse;
mod problem;
mod resolve;
mod secret;
mod sidecar;

pub use images::{Image, PLACEHOLDER};
pub use kinds::{Definition, definitions, unknown_kind};
pub use load::{arguments, left_out, load, refuse_duplicates, release_of, with_subfolders};
pub use object::Object;
pub use order::{Databases, RemovalStep, Wave, removal_step, sort_by_wave};
pub use parse::parse;
pub use resolve::{images, pin, placeholders, refuse_inexact, resolve, running_references, unknown_image};
pub use secret::{GENERATE_ANNOTATION, encode_string_data, generated_keys, with_generated};
pub use sidecar::warning as sidecar_warning;
