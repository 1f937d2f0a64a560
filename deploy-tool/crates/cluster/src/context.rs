//! Contexts: those of the kubeconfig, the kind clusters behind them, and the cluster around a pod.

/// Name of the cluster that is made when none is named.
pub const DEFAULT_CLUSTER: &str = "wasm-demo";
/// Its context: kind puts `kind-` in front of the cluster's name.
pub const DEFAULT_CONTEXT: &str = "kind-wasm-demo";

/// The name for the cluster whose pod this runs in. No kubeconfig is needed for it.
pub const IN_CLUSTER: &str = "in-cluster";

/// The command that brings a kind cluster up.
pub(crate) fn cluster_hint(context: &str) -> Option<String> {
    let name = kind_cluster(context)?;
    let argument = if name == DEFAULT_CLUSTER {
        String::new()
    } else {
        format!(" --name {name}")
    };
    Some(format!(
        "create or start the cluster: run `deploy-tool cluster up{argument}`"
    ))
}

/// The cluster behind a context that kind made.
pub fn kind_cluster(context: &str) -> Option<&str> {
    context.strip_prefix("kind-").filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_contexts_of_kind_have_a_kind_cluster() {
        assert_eq!(kind_cluster("kind-wasm-demo"), Some("wasm-demo"));
        assert_eq!(kind_cluster("kind-"), None);
        assert_eq!(kind_cluster("production"), None);
        assert!(cluster_hint("kind-x").unwrap().contains("--name x"));
        assert_eq!(cluster_hint("production"), None);
    }
}
