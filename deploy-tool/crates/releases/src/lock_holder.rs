//! Edge: who this process is, for the others that work on the same release.

use crate::release::HolderIdentity;
use host::cache::Cache;

/// Where Linux keeps the host's name.
const HOST_NAME_FILE: &str = "/proc/sys/kernel/hostname";

/// This process.
pub fn current(cache: &Cache) -> HolderIdentity {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let user = variable("USER").or_else(|| variable("LOGNAME"));
    // Only names: where they cannot be had, nobody is taken for somebody else, because the cache's path counts as well.
    let host = std::fs::read_to_string(HOST_NAME_FILE).unwrap_or_default();
    HolderIdentity {
        host: format!("{}@{}", user.as_deref().unwrap_or("somebody"), host.trim()),
        cache: cache.folder().display().to_string(),
        process: std::process::id(),
    }
}
