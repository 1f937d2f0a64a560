//! The API contract as a table of cases.

mod orders;
mod protocol;

use service_tests::case::Case;

/// All cases.
pub fn all() -> Vec<Case> {
    [orders::cases(), protocol::cases()].concat()
}
