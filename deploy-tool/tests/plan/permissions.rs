//! What the user may do is found out before anything is written.

use releases::api::preflight;
use serde_json::json;

use crate::mock::Asked;
use crate::support::{asked, cluster, config_maps, number, ok, planned, status, stored};

/// A server that answers reviews by a function of the verb, resource and namespace.
fn review(asked: &Asked, allowed: impl Fn(&str, &str) -> bool) -> Option<(u16, String)> {
    if !asked
        .url
        .starts_with("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
    {
        return None;
    }
    let attributes = &asked.body["spec"]["resourceAttributes"];
    let text = |field: &str| attributes[field].as_str().unwrap_or_default().to_owned();
    let mut answer = asked.body.clone();
    answer["status"] = json!({"allowed": allowed(&text("verb"), &text("resource"))});
    Some(ok(&answer))
}

#[tokio::test]
async fn an_administrator_is_asked_once_and_others_for_each_permission() {
    for (everything, expected) in [(true, 1), (false, 9)] {
        let (cluster, mut kinds, log) = cluster(move |asked| {
            review(asked, |verb, _| everything || verb != "*").unwrap_or_else(|| match asked.method.as_str() {
                "GET" => status(404, "NotFound", "not found"),
                _ => ok(&stored("a", "value")),
            })
        })
        .await;
        let plan = planned(&cluster, &mut kinds, config_maps(&["a"]), &[].into(), false)
            .await
            .unwrap();
        preflight::require_permissions(&cluster, &kinds, &plan).await.unwrap();
        let reviews = asked(&log).into_iter().filter(|(method, _)| method == "POST").count();
        assert_eq!(reviews, expected);
    }
}

#[tokio::test]
async fn all_missing_permissions_are_listed_before_anything_is_written() {
    let (cluster, mut kinds, log) = cluster(|asked| {
        let may = |verb: &str, resource: &str| verb != "*" && (resource != "configmaps" || verb == "get");
        review(asked, may).unwrap_or_else(|| match asked.method.as_str() {
            "GET" => status(404, "NotFound", "not found"),
            _ => status(
                403,
                "Forbidden",
                "configmaps \"a\" is forbidden: User \"eve\" cannot patch resource \"configmaps\"",
            ),
        })
    })
    .await;
    let failure = planned(&cluster, &mut kinds, config_maps(&["a"]), &[].into(), false)
        .await
        .unwrap_err();
    assert_eq!(number(&failure), 204);
    let text = failure.to_string();
    assert!(
        text.contains("configmaps  create, patch  in namespace shop") && text.contains("kind: Role"),
        "{text}"
    );
    let written: Vec<_> = log
        .writes()
        .into_iter()
        .filter(|asked| asked.method != "POST")
        .collect();
    assert!(written.is_empty(), "{written:?}");
}
