//! Edge: one deploy-tool at a time a cluster, and one compiler at a time a cache.
//!
//! The lock is the operating system's (flock): it goes with the process, however that ends.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};

use crate::cache::Cache;
use diagnostics::{Error, Result};
use terminal::Progress;

/// A lock that is held until the value is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock of a whole cluster, for what makes or ends it.
///
/// # Errors
/// When another process works on it, or the file cannot be opened.
pub fn cluster(cache: &Cache, context: &str, doing: &str) -> Result<Lock> {
    attempt(cache, &format!("cluster-{context}"), doing, File::try_lock)?
        .map_err(|holder| busy(&format!("the cluster of context `{context}`"), &holder))
}

/// Takes the lock of a release of a cluster. Several releases may be worked on at the same time.
///
/// # Errors
/// When another process works on it or on the whole cluster, or a file cannot be opened.
pub fn release(cache: &Cache, context: &str, release: &str, doing: &str) -> Result<(Lock, Lock)> {
    // The lock of the release first: a refusal then does not overwrite the holder's name in the lock of the cluster.
    let name = format!("release-{context}-{release}");
    let lock = attempt(cache, &name, doing, File::try_lock)?
        .map_err(|holder| busy(&format!("release {release} of context `{context}`"), &holder))?;
    let cluster = attempt(cache, &format!("cluster-{context}"), doing, File::try_lock_shared)?
        .map_err(|holder| busy(&format!("the cluster of context `{context}`"), &holder))?;
    Ok((lock, cluster))
}

/// Takes the lock of this host's Docker engine, for what changes its configuration.
///
/// # Errors
/// When another process works on it, or the file cannot be opened.
pub fn docker(cache: &Cache, doing: &str) -> Result<Lock> {
    attempt(cache, "docker-engine", doing, File::try_lock)?.map_err(|holder| busy("the Docker engine", &holder))
}

fn busy(message: &str, holder: &str) -> Error {
    Error::busy(format!("{message} is locked by another deploy-tool"))
        .cause(holder)
        .hint("wait until it has ended, then run the same command again")
}

/// Takes the lock of a builder's task; waits for the holder.
///
/// # Errors
/// When the file cannot be opened.
pub async fn builder(cache: &Cache, progress: &Progress, task: &str) -> Result<Lock> {
    loop {
        match attempt(cache, &format!("builder-{task}"), "build", File::try_lock)? {
            Ok(lock) => return Ok(lock),
            Err(holder) => progress.activity(&format!("waiting: {holder}")),
        }
        // flock has no asynchronous form, so it is polled.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
}

fn attempt(
    cache: &Cache,
    name: &str,
    doing: &str,
    lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<Result<Lock, String>> {
    let safe: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let path = cache.path(format!("locks/{safe}.lock"))?;
    let failure = |error: std::io::Error| Error::file(format!("cannot lock `{}`", path.display()), &error);
    let mut options = File::options();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failure)?;
    match lock(&file) {
        Ok(()) => {
            let text = format!("`deploy-tool {doing}`, process {}", std::process::id());
            file.set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| file.write_all(text.as_bytes()))
                .map_err(failure)?;
            Ok(Ok(Lock { _file: file }))
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder).map_err(failure)?;
            Ok(Err(if holder.is_empty() {
                "it has just started".to_owned()
            } else {
                format!("{holder} holds the lock")
            }))
        }
        Err(TryLockError::Error(error)) => Err(failure(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use diagnostics::ExitStatus;

    /// A lock that was given up: what another test has just started holds a copy of it until it is a program of its own.
    fn free(lock: impl Fn() -> Result<Lock>) -> Lock {
        let start = Instant::now();
        loop {
            match lock() {
                Err(failure) if failure.status == ExitStatus::Busy && start.elapsed() < Duration::from_secs(60) => {
                    std::thread::yield_now();
                }
                result => return result.unwrap(),
            }
        }
    }

    #[test]
    fn one_at_a_time_on_one_cluster() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let held = cluster(&cache, "kind-a/../b", "up").unwrap();
        let failure = cluster(&cache, "kind-a/../b", "down").unwrap_err();
        assert_eq!(failure.status, ExitStatus::Busy);
        assert!(failure.to_string().contains("`deploy-tool up`, process"), "{failure}");
        cluster(&cache, "kind-other", "up").unwrap();
        drop(held);
        free(|| cluster(&cache, "kind-a/../b", "down"));
    }

    #[test]
    fn releases_side_by_side_and_none_while_the_cluster_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path()).unwrap();
        let held = release(&cache, "c", "n/a", "up").unwrap();
        let second = release(&cache, "c", "n/b", "up").unwrap();
        let failure = release(&cache, "c", "n/a", "scale").unwrap_err().to_string();
        assert!(failure.contains("release n/a of context `c`"), "{failure}");
        assert_eq!(
            cluster(&cache, "c", "cluster down").unwrap_err().status,
            ExitStatus::Busy
        );
        drop((held, second));
        let _held = free(|| cluster(&cache, "c", "cluster down"));
        assert!(release(&cache, "c", "n/a", "up").is_err());
    }
}
