//! Pure: `bench`. What is measured on whom, how figures of several rounds become one, what they are held against, and how
//! they are shown.
//!
//! Machines are noisy: variants take turns within each round, and what counts is the ratio to the native build's figure of
//! the same round.

mod compare;
mod goal;
pub mod node;
pub mod objects;
pub mod page;
mod plan;
pub mod pods;
mod quantity;
mod report;
mod samples;
mod spread;
mod text;
mod variant;
pub mod wrk;

pub use compare::{Comparison, Worse, compare};
pub use goal::{Goal, State, goals};
pub use plan::Plan;
pub use quantity::{CONNECTIONS, Load, Quantity, Route};
pub use report::{Figure, Machine, Report, SCHEMA, Skipped};
pub use samples::Samples;
pub use spread::Spread;
pub use text::text;
pub use variant::{Form, Variant, variants};
