//! The objects of a folder of plain YAML: load, resolve the image placeholder, put in order.

mod load;
mod object;
mod order;
mod resolve;
mod secret;

pub use load::{load, release_of};
pub use object::{Object, ObjectError, parse};
pub use order::in_order;
pub use resolve::{PLACEHOLDER, images, placeholders, refuse_inexact, resolve};
pub use secret::{generated_keys, with_generated};

#[cfg(test)]
mod committed;
