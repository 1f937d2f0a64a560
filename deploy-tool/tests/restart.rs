//! What `restart` sends to the API server, against a mock of it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod mock;

use deploy_tool::workload::{Kind, Workload};
use deploy_tool::workload::{list as workloads, restart};
use serde_json::json;

#[tokio::test]
async fn one_annotation_of_the_template_by_a_manager_of_its_own() {
    let cases = [
        (Kind::Deployment, "deployments"),
        (Kind::StatefulSet, "statefulsets"),
        (Kind::DaemonSet, "daemonsets"),
    ];
    for (kind, path) in cases {
        let stored = json!({"apiVersion": "apps/v1", "kind": "X", "metadata": {"name": "a", "generation": 7}});
        let (cluster, log) = mock::cluster(move |_| (200, stored.to_string()));
        let workload = Workload { kind, name: "a".into() };
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let stored = restart::restart(&cluster, "n", &workload, at).await.unwrap();
        assert_eq!(stored.metadata.generation, Some(7));
        let asked = log.all();
        assert_eq!((asked.len(), asked[0].method.as_str()), (1, "PATCH"));
        assert_eq!(
            asked[0].url,
            format!("/apis/apps/v1/namespaces/n/{path}/a?&fieldManager=deploy-tool-restart")
        );
        let annotations = json!({"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"});
        assert_eq!(
            asked[0].body,
            json!({"spec": {"template": {"metadata": {"annotations": annotations}}}})
        );
    }
}

#[tokio::test]
async fn looking_for_workloads_only_reads() {
    let (cluster, log) = mock::cluster(|asked| {
        let items = if asked.url.contains("/statefulsets?") {
            json!([{"metadata": {"name": "db", "namespace": "n"}, "spec": {"selector": {"matchLabels": {"app": "db"}}}}])
        } else {
            json!([])
        };
        (
            200,
            json!({"apiVersion": "apps/v1", "kind": "List", "metadata": {}, "items": items}).to_string(),
        )
    });
    let all = workloads::all(&cluster, "n", &[Kind::StatefulSet, Kind::Deployment])
        .await
        .unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(
        (all[0].workload.to_string().as_str(), all[0].selector.as_deref()),
        ("StatefulSet `db`", Some("app=db"))
    );
    assert_eq!(log.all().len(), 2);
    assert!(log.writes().is_empty());
}
