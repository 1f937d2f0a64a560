//! Plans that are saved and applied later.

use releases::api::apply::apply_wave;
use releases::api::saved;
use releases::manifest::Wave;
use releases::plan::saved::Saved;
use serde_json::json;
use terminal::Progress;

use crate::support::{cluster, config_maps, name_of, number, ok, planned, status, stored};

#[tokio::test]
async fn a_saved_plan_is_applied_exactly_or_not_at_all() {
    // The object's value now, and whether it is there at all.
    let now = std::sync::Arc::new(std::sync::Mutex::new(Some("old")));
    let live = now.clone();
    let (cluster, mut kinds, log) = cluster(move |asked| match (asked.method.as_str(), name_of(&asked.url)) {
        ("GET", "kube-system") => {
            ok(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": "c1"}}))
        }
        ("GET", _) => match *live.lock().unwrap() {
            Some(value) => ok(&stored("a", value)),
            None => status(404, "NotFound", "not found"),
        },
        _ => ok(&stored("a", "value")),
    })
    .await;
    let plan = planned(&cluster, &mut kinds, config_maps(&["a"]), &[].into(), false)
        .await
        .unwrap();
    let made = "2026-11-22T20:00:00Z".parse().unwrap();
    let saved = |cluster: &str| Saved::new("mock", Some(cluster.to_owned()), made, plan.clone());

    let exact = saved::refuse_stale(&cluster, &mut kinds, saved("c1")).await.unwrap();
    apply_wave(&cluster, &mut kinds, &exact, Wave::Configuration, &Progress::default())
        .await
        .unwrap();
    assert_eq!(log.writes()[0].body["metadata"]["resourceVersion"], "7");

    let failure = saved::refuse_stale(&cluster, &mut kinds, saved("c2"))
        .await
        .unwrap_err();
    assert_eq!(number(&failure), 208);
    for (value, output) in [(Some("newer"), "changed"), (None, "deleted")] {
        *now.lock().unwrap() = value;
        let failure = saved::refuse_stale(&cluster, &mut kinds, saved("c1"))
            .await
            .unwrap_err();
        assert_eq!(number(&failure), 207);
        assert!(
            failure
                .to_string()
                .contains(&format!("ConfigMap `a` has been {output} since")),
            "{failure}"
        );
        // The same when it happens between the check and the write.
        let applied = apply_wave(&cluster, &mut kinds, &exact, Wave::Configuration, &Progress::default()).await;
        assert_eq!(number(&applied.unwrap_err()), 207);
    }
    assert_eq!(log.writes().len(), 1);
}

/// Without an answer, a plan of another cluster could pass.
#[tokio::test]
async fn only_who_may_not_read_the_identity_of_the_cluster_goes_without_it() {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": "c1"}});
    for (answer, expected) in [
        (ok(&namespace), Ok(Some("c1".to_owned()))),
        (status(403, "Forbidden", "not allowed"), Ok(None)),
        (status(500, "InternalError", "etcd"), Err(())),
    ] {
        let (cluster, ..) = cluster(move |_| answer.clone()).await;
        assert_eq!(saved::read_cluster_identity(&cluster).await.map_err(drop), expected);
    }
}
