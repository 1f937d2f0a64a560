//! What `down` deletes, and what it leaves.

use std::time::Duration;

use serde_json::{Value, json};

use super::{IMAGE, Release, SLEEP, claim};
use crate::harness::{eventually, scaled};

/// A StatefulSet, whose claim only its controller makes.
fn database() -> Value {
    let container = json!({"name": "main", "image": IMAGE, "command": SLEEP,
        "volumeMounts": [{"name": "files", "mountPath": "/files"}]});
    let mut template = claim("files");
    template
        .as_object_mut()
        .unwrap()
        .retain(|key, _| key == "metadata" || key == "spec");
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
        "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "volumeClaimTemplates": [template],
        "template": {"metadata": {"labels": {"app": "db"}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}}}})
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn down_removes_what_is_ours_and_names_what_it_leaves() {
    let release = Release::new("release-down");
    release.write(IMAGE, &SLEEP, &[("held", "x")], &[claim("data"), database()]);
    release.run(&["apply"]).success();
    let finalizers = |value: &str| format!(r#"{{"metadata":{{"finalizers":{value}}}}}"#);
    release.kubectl(&[
        "patch",
        "configmap",
        "held",
        "--type=merge",
        "--patch",
        &finalizers(r#"["release.example/hold"]"#),
    ]);
    // So that nothing else takes long.
    release.kubectl(&["scale", "deployment/web", "statefulset/db", "--replicas=0"]);
    eventually("no pod is left", || (!release.exists("pods")).then_some(()));
    let soon = format!("{}s", scaled(Duration::from_secs(10)).as_secs());
    release
        .run(&["down", "--timeout", &soon])
        .failure(2, &["error DT", "ConfigMap `held`", "release.example/hold"]);
    release.kubectl(&[
        "patch",
        "configmap",
        "held",
        "--type=merge",
        "--patch",
        &finalizers("null"),
    ]);

    let output = release.run(&["down"]).success();
    // The StatefulSet is gone since the first attempt; its claim is known all the same.
    for name in ["data", "files-db-0"] {
        let title = format!("PersistentVolumeClaim `{name}`");
        assert!(output.stderr.contains(&title), "{title}: {}", output.stderr);
    }
    assert!(!release.exists("deployment/web") && !release.exists("configmap/held"));
    assert!(release.exists("persistentvolumeclaim/data"));
    let before = release.history();
    let output = release.run(&["down"]).success();
    assert!(output.stderr.contains("nothing to remove"), "{}", output.stderr);
    assert_eq!(release.history(), before);

    release.kubectl(&["create", "configmap", "foreign"]);
    let output = release.run(&["down", "--delete-data"]).success();
    assert!(output.stderr.contains("ConfigMap `foreign`"), "{}", output.stderr);
    eventually("the claims are gone", || {
        let left = ["data", "files-db-0"].map(|name| release.exists(&format!("persistentvolumeclaim/{name}")));
        (left == [false, false]).then_some(())
    });
    assert!(release.exists("configmap/foreign") && release.history().is_empty());
    let output = release.run(&["down", "--delete-data"]).success();
    assert!(output.stderr.contains("nothing to remove"), "{}", output.stderr);
}
