//! 05xx: scaling, logs and connections to pods.

use super::Code;

pub(super) const CODES: &[&Code] = &[];
