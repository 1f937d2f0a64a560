//! 04xx: the history of a release, and who may write it.

use super::Code;

pub(super) const CODES: &[&Code] = &[];
