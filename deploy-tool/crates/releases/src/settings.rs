//! Fixed names and limits.

use std::time::Duration;

/// The one field manager of everything that is applied.
pub const FIELD_MANAGER: &str = "deploy-tool";
/// How long a CustomResourceDefinition may take until the API server serves it.
pub const ESTABLISH_TIMEOUT: Duration = Duration::from_secs(30);
