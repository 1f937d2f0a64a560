//! Pure: whether an object is up to date, as far as that is known without a dry run.
//!
//! It is when the fields of this manager in `managedFields` are exactly those of the manifest, and each has the manifest's
//! value: server-side apply would change nothing. Doubtful cases, such as `0.5` that is stored as `500m`, need a dry run.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/>

use kube::api::DynamicObject;
use serde_json::{Map, Value};

use super::managed_fields::{branches, is_item, is_whole, same_version, tree};
use crate::manifest::{self, Object};

/// Fields of the object's identity. No manager owns them, so managedFields does not contain them.
const IDENTITY: [&str; 2] = ["name", "namespace"];

/// Whether applying the object would change nothing for sure.
pub fn is_applied(object: &Object, live: &DynamicObject) -> bool {
    // Its values are not in the manifest.
    let generated = !manifest::generated_keys(object).is_empty();
    let version = object.value.types.as_ref().map(|types| types.api_version.as_str());
    if generated || !same_version(live, version) {
        return false;
    }
    let (Ok(mut wanted), Ok(stored)) = (serde_json::to_value(&object.value), serde_json::to_value(live)) else {
        return false;
    };
    without_identity(&mut wanted);
    matches_exactly(&wanted, &stored, tree(live))
}

fn without_identity(object: &mut Value) {
    let Some(fields) = object.as_object_mut() else { return };
    fields.retain(|name, _| name != "apiVersion" && name != "kind");
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| !IDENTITY.contains(&name.as_str()));
    }
}

/// Whether the branches of a tree are exactly the wanted fields, and the stored values are the wanted ones.
fn matches_exactly(wanted: &Value, stored: &Value, tree: Option<&Value>) -> bool {
    if tree.is_none() || is_whole(tree) {
        return tree.is_some() && wanted == stored;
    }
    let inner = |branch: &str| tree.and_then(|tree| tree.get(branch));
    match wanted {
        Value::Object(fields) => {
            branches(tree).count() == fields.len()
                && fields.iter().all(|(name, wanted)| {
                    let stored = stored.get(name);
                    stored.is_some_and(|stored| matches_exactly(wanted, stored, inner(&format!("f:{name}"))))
                })
        }
        Value::Array(items) => {
            let Some(stored) = stored.as_array() else { return false };
            let mut rest = stored.iter();
            branches(tree).count() == items.len()
                && items.iter().all(|item| {
                    let mut fitting = branches(tree).filter(|branch| may_be_branch_of(item, branch));
                    let (Some(branch), None) = (fitting.next(), fitting.next()) else {
                        return false;
                    };
                    // The order counts: applying puts the items into that of the manifest.
                    rest.find(|stored| is_item(stored, branch))
                        .is_some_and(|stored| matches_exactly(item, stored, inner(branch)))
                })
        }
        _ => false,
    }
}

/// Whether a wanted item may be that of a branch. A key that it leaves out gets the server's default: had it been stated
/// before, the record would have it as a field, too.
fn may_be_branch_of(item: &Value, branch: &str) -> bool {
    let fits = |(key, value): (&String, &Value)| item.get(key).is_none_or(|own| own == value);
    match branch_keys(branch) {
        Some(keys) => item.is_object() && keys.iter().all(fits),
        None => is_item(item, branch),
    }
}

fn branch_keys(branch: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(branch.strip_prefix("k:")?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;
    use serde_json::json;

    const MANIFEST: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: shop, labels: {app: app}, annotations: {deploy-tool.dev/release: shop/shop}}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - name: app
        image: i:1
        args: [a, b]
        ports: [{containerPort: 80}]
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
      volumes: [{name: tmp, emptyDir: {}}]
"#;

    /// As Kubernetes 1.36 stores and records it.
    fn live() -> Value {
        let container = json!({"f:args": {}, "f:image": {}, "f:name": {}, ".": {},
            "f:env": {".": {},
                "k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}},
                "k:{\"name\":\"B\"}": {".": {}, "f:name": {}, "f:value": {}}},
            "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}});
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "app", "namespace": "shop", "uid": "u", "labels": {"app": "app", "theirs": "x"},
                "annotations": {"deploy-tool.dev/release": "shop/shop", "deployment.kubernetes.io/revision": "1"},
                "managedFields": [{"manager": "deploy-tool", "operation": "Apply", "apiVersion": "apps/v1",
                    "fieldsType": "FieldsV1", "fieldsV1": {
                        "f:metadata": {"f:annotations": {"f:deploy-tool.dev/release": {}}, "f:labels": {"f:app": {}}},
                        "f:spec": {"f:replicas": {}, "f:selector": {}, "f:template": {
                            "f:metadata": {"f:labels": {"f:app": {}}},
                            "f:spec": {"f:containers": {"k:{\"name\":\"app\"}": container},
                                "f:volumes": {"k:{\"name\":\"tmp\"}": {".": {}, "f:emptyDir": {}, "f:name": {}}}}}}}}]},
            "spec": {"replicas": 2, "progressDeadlineSeconds": 600, "selector": {"matchLabels": {"app": "app"}},
                "template": {"metadata": {"labels": {"app": "app"}}, "spec": {"restartPolicy": "Always",
                    "volumes": [{"name": "tmp", "emptyDir": {}}],
                    "containers": [{"name": "app", "image": "i:1", "args": ["a", "b"], "imagePullPolicy": "IfNotPresent",
                        "ports": [{"containerPort": 80, "protocol": "TCP"}],
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]}}},
            "status": {"readyReplicas": 2}})
    }

    fn applied(manifest: &str, live: &Value) -> bool {
        let object = parse("x", manifest).unwrap().remove(0);
        is_applied(&object, &serde_json::from_value(live.clone()).unwrap())
    }

    #[test]
    fn what_is_stored_and_recorded_as_the_manifest_says_is_applied() {
        assert!(applied(MANIFEST, &live()));
    }

    #[test]
    fn any_difference_is_left_to_the_server() {
        for (from, to) in [
            ("replicas: 2", "replicas: 3"),
            ("  replicas: 2\n", ""),
            ("i:1", "i:2"),
            ("[a, b]", "[b, a]"),
            ("containerPort: 80", "containerPort: 81"),
            ("containerPort: 80", "containerPort: 80, protocol: TCP"),
            ("containerPort: 80", "containerPort: 80, protocol: UDP"),
            (
                "{name: A, value: \"1\"}, {name: B, value: \"2\"}",
                "{name: B, value: \"2\"}, {name: A, value: \"1\"}",
            ),
            (", {name: B, value: \"2\"}", ""),
            ("emptyDir: {}", "emptyDir: {medium: Memory}"),
            ("labels: {app: app}, ann", "labels: {app: app, more: x}, ann"),
            ("labels: {app: app}, ann", "labels: {app: app, theirs: x}, ann"),
            ("apps/v1", "apps/v1beta1"),
        ] {
            let changed = MANIFEST.replacen(from, to, 1);
            assert_ne!(changed, MANIFEST, "{from}");
            assert!(!applied(&changed, &live()), "{to}");
        }
    }

    #[test]
    fn what_others_have_done_to_our_fields_is_left_to_the_server() {
        let mut claimed = live();
        let fields = claimed
            .pointer_mut("/metadata/managedFields/0/fieldsV1/f:spec")
            .unwrap();
        fields.as_object_mut().unwrap().remove("f:replicas");
        assert!(!applied(MANIFEST, &claimed));
        let mut changed = live();
        changed["spec"]["replicas"] = json!(5);
        assert!(!applied(MANIFEST, &changed));
        let mut never_ours = live();
        never_ours["metadata"]["managedFields"] = json!([]);
        assert!(!applied(MANIFEST, &never_ours));
    }
}
