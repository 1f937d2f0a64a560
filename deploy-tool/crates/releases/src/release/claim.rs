//! Claims of releases on cluster-scoped objects: several releases may use the same object, and the last one deletes it.
//!
//! Each release sets its own annotation with its own field manager, so that they do not conflict, and none needs access to
//! the records of another.

use std::collections::BTreeSet;

use kube::api::DynamicObject;

use super::Name;
use crate::FIELD_MANAGER;

/// What follows the name and the namespace of a release.
const SUFFIX: &str = ".release.deploy-tool.dev/claimed";

/// The annotation with the claim of a release: `web.shop.release.deploy-tool.dev/claimed`.
pub fn claim_annotation(release: &Name) -> String {
    format!("{}.{}{SUFFIX}", release.name, release.namespace)
}

/// The field manager of that annotation. It may have 128 letters, and a release has at most 107.
pub fn claim_manager(release: &Name) -> String {
    format!("{FIELD_MANAGER}/{}/{}", release.namespace, release.name)
}

/// The releases that have an object.
pub fn claiming_releases(object: &DynamicObject) -> BTreeSet<Name> {
    let annotations = object.metadata.annotations.iter().flatten();
    let claims = annotations.filter_map(|(name, _)| {
        let (name, namespace) = name.strip_suffix(SUFFIX)?.split_once('.')?;
        Some(Name {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    });
    claims.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_release_has_an_annotation_of_its_own() {
        let release = |namespace: &str, name: &str| Name {
            namespace: namespace.into(),
            name: name.into(),
        };
        let (shop, bank) = (release("shop", "web"), release("bank", "bank"));
        let annotations = json!({claim_annotation(&shop): "true", claim_annotation(&bank): "true", "team": "a",
            "deploy-tool.dev/release": "x/y"});
        let object = serde_json::from_value(json!({"metadata": {"annotations": annotations}})).unwrap();
        assert_eq!(claiming_releases(&object), [shop.clone(), bank].into());
        assert_eq!(
            claiming_releases(&serde_json::from_value(json!({"metadata": {}})).unwrap()),
            [].into()
        );
        assert_eq!(claim_manager(&shop), "deploy-tool/shop/web");
        // As long as both may be, each part of the annotation is a DNS label, and the manager is short enough.
        let longest = release(&"n".repeat(53), &"m".repeat(53));
        assert!(claim_annotation(&longest).len() < 253 && claim_manager(&longest).len() < 128);
    }
}
