//! Edge: scripts that run on a node of a kind cluster, in its container.

use diagnostics::Result;
use host::cleanup::{Cleanup, CleanupGuard};
use host::docker;
use nodes::kind;

/// Removes the images with these digests, under all their names.
const REMOVE: &str = r#"for digest in "$@"; do
  ctr --namespace k8s.io images list | awk -v digest="$digest" '$3 == digest { print $1 }' |
    xargs --no-run-if-empty ctr --namespace k8s.io images remove --sync
done"#;

/// Runs a script. All of them end by themselves, also when nobody waits any more.
///
/// # Errors
/// When it fails.
pub async fn run(node: &str, what: &str, script: &str, arguments: &[&str]) -> Result<String> {
    let command = ["exec", node, "bash", "-c", script, "bench"];
    docker::run(what, command.iter().chain(arguments)).await
}

/// Removes images of a node, if they are there.
///
/// # Errors
/// When containerd refuses.
pub async fn remove(node: &str, digests: &[String]) -> Result<()> {
    let digests: Vec<&str> = digests.iter().map(String::as_str).collect();
    run(node, "cannot remove the images of the run", REMOVE, &digests)
        .await
        .map(|_| ())
}

/// Images of all nodes of a cluster that are removed when the value is dropped.
///
/// # Errors
/// When Docker cannot be asked for the nodes.
pub async fn remove_at_end(cleanup: &Cleanup, cluster: &str, digests: Vec<String>) -> Result<CleanupGuard> {
    let nodes = kind::nodes(cluster).await?;
    Ok(cleanup.guard(async move {
        let all = nodes.iter().map(|node| remove(&node.name, &digests));
        futures::future::try_join_all(all).await.map(|_| ())
    }))
}
