//! Names and namespaces that no other test has, and no run that was killed.

use std::fs::File;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::{cluster, kubectl, kubectl_with_input};

/// Between what a namespace is for and what makes its name unique.
const MARK: &str = "-test-";
/// Of the number at the end.
const DIGITS: usize = 10;

/// A name that nothing else has: what is kept for all namespaces, such as a RuntimeClass, may be left by another run.
pub fn unique(name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let number = (now << 4) + COUNT.fetch_add(1, Ordering::Relaxed) % 16;
    format!("{name}{MARK}{:0DIGITS$x}", number % (1 << (4 * DIGITS)))
}

/// A namespace with a name of its own. It is deleted with its value, and explains itself when the test fails.
pub struct Namespace {
    /// Its name.
    pub name: String,
}

impl Namespace {
    /// The name alone: what is deployed makes the namespace.
    pub fn named(purpose: &str) -> Self {
        /// Shared by the test programs of a cluster while they run.
        static LOCK: OnceLock<File> = OnceLock::new();
        LOCK.get_or_init(delete_those_of_earlier_runs);
        Self { name: unique(purpose) }
    }

    /// Makes it, with labels.
    pub fn create(purpose: &str, labels: &[(&str, &str)]) -> Self {
        let namespace = Self::named(purpose);
        let labels: Value = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(value)))
            .collect();
        let object = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": namespace.name, "labels": labels}});
        kubectl_with_input(&["create", "--filename", "-"], &object.to_string()).success();
        namespace
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let output = kubectl(&["--namespace", &self.name, "get", "pods,events", "--output", "wide"]);
            eprintln!("namespace {} when the test failed:\n{}", self.name, output.stdout);
        }
        delete(&[&self.name]);
    }
}

/// Whether a name is one that [`unique`] gives.
fn is_unique(name: &str) -> bool {
    let end = name.rsplit_once(MARK).map(|(_, end)| end);
    end.is_some_and(|end| end.len() == DIGITS && end.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Their pods would take the nodes' memory. Where another test program runs on the cluster, it has done so, and some are its own.
fn delete_those_of_earlier_runs() -> File {
    let path = std::env::temp_dir().join(format!("e2e-{}.lock", cluster()));
    // Another user's is only read: the kernel lets nobody else create it there again.
    let lock = File::open(&path).or_else(|_| File::create(path)).unwrap();
    if lock.try_lock().is_ok() {
        delete_all();
    }
    lock.lock_shared().unwrap();
    lock
}

fn delete_all() {
    let listed = kubectl(&["get", "namespaces", "--output", "jsonpath={.items[*].metadata.name}"]).success();
    let left: Vec<&str> = listed
        .stdout
        .split_whitespace()
        .filter(|name| is_unique(name))
        .collect();
    if !left.is_empty() {
        delete(&left);
    }
}

fn delete(names: &[&str]) {
    kubectl(&[&["delete", "namespace", "--ignore-not-found", "--wait=false"], names].concat());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tests_differ_and_are_told_from_others() {
        let names = [unique("plan"), unique("plan")];
        assert_ne!(names[0], names[1]);
        assert!(names.iter().all(|name| is_unique(name) && name.len() < 30), "{names:?}");
        assert!(
            !["orders", "kube-system", "load-test-plan"]
                .iter()
                .any(|name| is_unique(name))
        );
    }
}
