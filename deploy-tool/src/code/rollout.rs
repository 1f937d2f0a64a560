//! 03xx: what was applied does not come up.

use super::Code;

pub(super) const CODES: &[&Code] = &[];
