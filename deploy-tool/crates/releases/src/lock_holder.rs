//! Edge: who this process is, for the others that work on the same release.

use crate::password;
use crate::release::HolderIdentity;
use diagnostics::Result;
use host::cache::Cache;

/// Where Linux keeps the host's name.
const HOST_NAME_FILE: &str = "/proc/sys/kernel/hostname";
/// A number that each start of a kernel has for itself. <https://www.kernel.org/doc/html/latest/admin-guide/sysctl/kernel.html>
const BOOT_ID_FILE: &str = "/proc/sys/kernel/random/boot_id";
/// The file of the cache folder's own number.
const CACHE_ID_FILE: &str = "id";

/// This process. User, host and path are for people: two machines that were made from one image have the same.
///
/// # Errors
/// When the cache folder cannot be read or written.
pub fn current(cache: &Cache) -> Result<HolderIdentity> {
    let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let user = variable("USER").or_else(|| variable("LOGNAME"));
    // Without this file of the kernel, the identity matches no other: other processes wait for the heartbeats to stop.
    let read = |file| std::fs::read_to_string(file).unwrap_or_default().trim().to_owned();
    let cache_id = cache.write_once(&cache.path(CACHE_ID_FILE)?, password::new()?.as_bytes())?;
    Ok(HolderIdentity {
        host: format!("{}@{}", user.as_deref().unwrap_or("somebody"), read(HOST_NAME_FILE)),
        cache_id: String::from_utf8_lossy(&cache_id).trim().to_owned(),
        boot_id: read(BOOT_ID_FILE),
        process: std::process::id(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_folder_has_a_number_of_its_own() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let holder = |folder: &tempfile::TempDir| current(&Cache::at(folder.path()).unwrap()).unwrap();
        let (first, again, second) = (holder(&folders[0]), holder(&folders[0]), holder(&folders[1]));
        assert_eq!(first, again);
        assert_eq!(first.cache_id.len(), 32);
        assert_ne!(first.cache_id, second.cache_id);
        assert!(first.shares_locks_with(&again) && !first.shares_locks_with(&second));
    }
}
