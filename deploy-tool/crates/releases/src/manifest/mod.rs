//! The objects of a folder of plain YAML: load, resolve the image placeholder, put in order.

mod kinds;
mod load;
mod object;
mod order;
mod resolve;
mod secret;

pub use kinds::{Definition, definitions, unknown_kind};
pub use load::{load, release_of};
pub use object::{Object, ObjectError, parse};
pub use order::{Databases, RemovalStep, Wave, in_order, removal_step};
pub use resolve::{PLACEHOLDER, images, pin, placeholders, refuse_inexact, resolve, running_references};
pub use secret::{GENERATE_ANNOTATION, generated_keys, with_generated, without_plain_text};
