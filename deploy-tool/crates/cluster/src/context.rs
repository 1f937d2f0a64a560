//! Pure: contexts of the kubeconfig, and the kind clusters behind them.

/// Name of the cluster that is made when none is named.
pub const DEFAULT_CLUSTER: &str = "wasm-demo";
/// Its context: kind puts `kind-` in front of the cluster's name.
pub const DEFAULT_CONTEXT: &str = "kind-wasm-demo";

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
    }
}
