//! 01xx: arguments, settings and manifests that cannot be used.

use super::Code;

pub(super) const CODES: &[&Code] = &[];
