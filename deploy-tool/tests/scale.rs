//! What `scale` sends to the API server, against a mock of it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod mock;

use deploy_tool::scaling::set as scale;
use deploy_tool::scaling::set::Write;
use deploy_tool::scaling::{Bounds, Change, Edit};
use deploy_tool::workload::{Kind, Workload};
use mock::Asked;
use serde_json::{Value, json};

fn change(kind: Kind, autoscaler: Option<Edit>) -> Change {
    Change {
        workload: Workload {
            kind,
            name: "app".into(),
        },
        before: 1,
        after: 3,
        target: None,
        autoscaler,
    }
}

/// A scale, or an autoscaler: whatever was written.
fn accepted(asked: &Asked) -> (u16, String) {
    let object = if asked.url.contains("/scale?") {
        json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "app"}, "spec": asked.body["spec"]})
    } else {
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "auto"}})
    };
    (200, object.to_string())
}

#[tokio::test]
async fn the_scale_subresource_and_nothing_else_by_a_manager_of_its_own() {
    for (kind, path) in [(Kind::Deployment, "deployments"), (Kind::StatefulSet, "statefulsets")] {
        let (cluster, log) = mock::cluster(accepted);
        scale::change(&cluster, "n", &change(kind, None), Write::Now)
            .await
            .unwrap();
        let asked = log.all();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(asked[0].method, "PATCH");
        assert_eq!(
            asked[0].url,
            format!("/apis/apps/v1/namespaces/n/{path}/app/scale?&fieldManager=deploy-tool-scale")
        );
        assert_eq!(asked[0].body, json!({"spec": {"replicas": 3}}));
    }
}

#[tokio::test]
async fn bounds_come_before_the_count_and_a_dry_run_stores_nothing() {
    let bounds = |minimum, maximum| Bounds { minimum, maximum };
    let edit = Edit {
        name: "auto".into(),
        before: bounds(1, 2),
        after: bounds(3, 3),
    };
    let change = change(Kind::Deployment, Some(edit));
    let (cluster, log) = mock::cluster(accepted);
    scale::change(&cluster, "n", &change, Write::DryRun).await.unwrap();
    assert_eq!((log.all().len(), log.writes().len()), (2, 0));
    scale::change(&cluster, "n", &change, Write::Now).await.unwrap();
    let written = log.writes();
    assert_eq!(
        written[0].url,
        "/apis/autoscaling/v2/namespaces/n/horizontalpodautoscalers/auto?&fieldManager=deploy-tool-scale"
    );
    assert_eq!(written[0].body, json!({"spec": {"minReplicas": 3, "maxReplicas": 3}}));
    assert!(written[1].url.contains("/deployments/app/scale?"), "{written:?}");
}

#[tokio::test]
async fn a_refusal_keeps_the_servers_words() {
    let (cluster, _) = mock::cluster(|_| {
        let status = json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403,
            "message": "deployments.apps \"app\" is forbidden: User \"u\" cannot patch resource \"deployments/scale\""});
        (403, status.to_string())
    });
    let failure = scale::change(&cluster, "n", &change(Kind::Deployment, None), Write::DryRun)
        .await
        .unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("cannot scale Deployment `app`\n  because: deployments.apps \"app\" is forbidden")
    );
}

fn page(names: &[&str], next: &str) -> (u16, String) {
    let items: Vec<Value> = names
        .iter()
        .map(|name| json!({"metadata": {"name": name}, "spec": {"selector": {}, "template": {}}}))
        .collect();
    let list =
        json!({"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": {"continue": next}, "items": items});
    (200, list.to_string())
}

/// Two pages; the second token has expired once: the list starts again.
#[tokio::test]
async fn long_lists_come_in_pages_and_start_again_when_they_are_too_old() {
    let expired = std::sync::atomic::AtomicBool::new(false);
    let (cluster, log) = mock::cluster(move |asked| match asked.url.as_str() {
        url if !url.contains("/deployments?") => page(&[], ""),
        url if !url.contains("continue=") => page(&["a", "b"], "more"),
        _ if !expired.swap(true, std::sync::atomic::Ordering::Relaxed) => {
            let status =
                json!({"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410, "message": "too old"});
            (410, status.to_string())
        }
        _ => page(&["c"], ""),
    });
    let found = scale::read_state(&cluster, "n").await.unwrap();
    let names: Vec<_> = found
        .deployments
        .iter()
        .map(|deployment| deployment.metadata.name.as_deref().unwrap())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    let urls = log.all();
    assert!(
        urls.iter()
            .all(|asked| asked.method == "GET" && asked.url.contains("limit=500")),
        "{urls:?}"
    );
    assert_eq!(
        urls.iter().filter(|asked| asked.url.contains("continue=more")).count(),
        2
    );
}
