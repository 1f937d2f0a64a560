//! The fields of a live workload that matter for its pods.

use kube::ResourceExt;
use kube::api::DynamicObject;
use serde_json::{Value, json};

use super::{Kind, Reference, Workload, list_names};
use diagnostics::code;
use diagnostics::{Error, Result};
use releases::release;
use releases::release::RELEASE_ANNOTATION;
use rollout::label_selector;

/// One workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadInfo {
    /// Its kind and name.
    pub workload: Workload,
    /// The release that it belongs to, if it does: `namespace/name`.
    pub release: Option<String>,
    /// The labels of its pods.
    pub selector: Option<String>,
    /// Why a change of its template does not reach all of its pods, and how to change that.
    pub blocked_by: Option<RolloutBlock>,
}

/// What keeps a change from the pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutBlock {
    /// What it is.
    pub because: &'static str,
    /// What to do about it.
    pub hint: String,
}

impl WorkloadInfo {
    /// What matters of an object.
    pub fn from_object(kind: Kind, object: &DynamicObject) -> Self {
        let workload = Workload {
            kind,
            name: object.name_any(),
        };
        Self {
            release: object.annotations().get(RELEASE_ANNOTATION).cloned(),
            selector: pods(kind, &object.data),
            blocked_by: rollout_block(&workload, &object.namespace().unwrap_or_default(), &object.data),
            workload,
        }
    }
}

/// How the pods are found. A CronJob has none of its own: its Jobs have.
fn pods(kind: Kind, object: &Value) -> Option<String> {
    let selector = object.pointer("/spec/selector")?;
    match kind {
        // <https://kubernetes.io/docs/concepts/services-networking/service/#services-in-kubernetes>
        Kind::Service => label_selector(&json!({"matchLabels": selector})),
        _ => label_selector(selector),
    }
}

/// <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies>
fn rollout_block(workload: &Workload, namespace: &str, object: &Value) -> Option<RolloutBlock> {
    let argument = workload.argument();
    let at = |pointer: &str| object.pointer(pointer);
    if at("/spec/paused") == Some(&Value::Bool(true)) {
        return Some(RolloutBlock {
            because: "its rollout is paused (`spec.paused`)",
            hint: format!("let it go on: `kubectl --namespace {namespace} rollout resume {argument}`"),
        });
    }
    if at("/spec/updateStrategy/type").is_some_and(|strategy| strategy == "OnDelete") {
        return Some(RolloutBlock {
            because: "its update strategy is OnDelete: pods are replaced when they are deleted",
            hint: format!("delete its pods, or set the `updateStrategy` of {argument} to RollingUpdate"),
        });
    }
    let partition = at("/spec/updateStrategy/rollingUpdate/partition").and_then(Value::as_i64);
    (partition > Some(0)).then(|| RolloutBlock {
        because: "its update strategy has a partition: pods below that number are left as they are",
        hint: format!("set the `partition` of {argument} to 0"),
    })
}

/// The workloads that arguments mean, each once; all of them when there are none. `release` leaves out what belongs to
/// others.
///
/// # Errors
/// When one of the arguments means nothing, or there is nothing at all.
pub fn choose<'a>(
    references: &[Reference],
    all: &'a [WorkloadInfo],
    release: Option<&release::Name>,
    location: &str,
) -> Result<Vec<&'a WorkloadInfo>> {
    let release = release.map(ToString::to_string);
    let all: Vec<&WorkloadInfo> = all
        .iter()
        .filter(|info| release.is_none() || info.release == release)
        .collect();
    let unknown = |message: String| {
        let known: Vec<Workload> = all.iter().map(|info| info.workload.clone()).collect();
        let failure = Error::input(format!("there is no {message} in {location}")).code(&code::scale::NO_SUCH_WORKLOAD);
        failure
            .cause(list_names(&known))
            .hint("deploy it first: run `deploy-tool up`; or name another one, or another --namespace")
    };
    if references.is_empty() && all.is_empty() {
        return Err(unknown("workload".to_owned()));
    }
    for reference in references {
        if !all.iter().any(|info| reference.matches(&info.workload)) {
            return Err(unknown(format!("workload {reference}")));
        }
    }
    let is_named = |info: &&WorkloadInfo| {
        references.is_empty() || references.iter().any(|reference| reference.matches(&info.workload))
    };
    Ok(all.into_iter().filter(is_named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(kind: Kind, spec: &Value) -> WorkloadInfo {
        let object = json!({"metadata": {"name": "a", "namespace": "n",
            "annotations": {"deploy-tool.dev/release": "n/r"}}, "spec": spec});
        WorkloadInfo::from_object(kind, &serde_json::from_value(object).unwrap())
    }

    #[test]
    fn pods_by_labels_and_expressions() {
        let selector = |selector: Value| info(Kind::Job, &json!({"selector": selector})).selector;
        assert_eq!(
            selector(json!({"matchLabels": {"app": "a", "tier": "b"}})).unwrap(),
            "app=a,tier=b"
        );
        let expression = json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]});
        assert_eq!(selector(expression).unwrap(), "app in (a,b)");
        assert_eq!(selector(json!({})), None);
        let service = info(Kind::Service, &json!({"selector": {"app": "a"}})).selector;
        assert_eq!(service.as_deref(), Some("app=a"));
        assert_eq!(info(Kind::Service, &json!({})).selector, None);
    }

    #[test]
    fn what_holds_a_roll_out() {
        let cases = [
            (
                Kind::Deployment,
                json!({"paused": true}),
                Some("rollout resume deployment/a"),
            ),
            (
                Kind::DaemonSet,
                json!({"updateStrategy": {"type": "OnDelete"}}),
                Some("delete its pods"),
            ),
            (
                Kind::StatefulSet,
                json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}}),
                Some("`partition` of statefulset/a"),
            ),
            (
                Kind::StatefulSet,
                json!({"updateStrategy": {"rollingUpdate": {"partition": 0}}}),
                None,
            ),
            (Kind::Deployment, json!({"paused": false}), None),
        ];
        for (kind, spec, next) in cases {
            let held = info(kind, &spec).blocked_by.map(|held| held.hint);
            match next {
                Some(next) => assert!(held.as_ref().unwrap().contains(next), "{held:?}"),
                None => assert_eq!(held, None, "{spec}"),
            }
        }
    }

    #[test]
    fn all_those_of_a_release_or_those_that_are_named() {
        let named = |kind, name: &str, release: Option<&str>| WorkloadInfo {
            workload: Workload {
                kind,
                name: name.into(),
            },
            release: release.map(str::to_owned),
            selector: None,
            blocked_by: None,
        };
        let all = [
            named(Kind::Deployment, "app", Some("n/shop")),
            named(Kind::StatefulSet, "app", None),
            named(Kind::DaemonSet, "agent", Some("n/other")),
        ];
        let shop = release::Name {
            namespace: "n".into(),
            name: "shop".into(),
        };
        let chosen = |arguments: &[&str], release: Option<&release::Name>| {
            let references: Vec<Reference> = arguments.iter().map(|text| text.parse().unwrap()).collect();
            let chosen = choose(&references, &all, release, "namespace `n`");
            chosen.map(|chosen| {
                chosen
                    .iter()
                    .map(|info| info.workload.argument())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
        };
        assert_eq!(
            chosen(&[], None).unwrap(),
            "deployment/app statefulset/app daemonset/agent"
        );
        assert_eq!(chosen(&[], Some(&shop)).unwrap(), "deployment/app");
        assert_eq!(
            chosen(&["ds/agent", "sts/app", "sts/app"], None).unwrap(),
            "statefulset/app daemonset/agent"
        );
        assert_eq!(chosen(&["app"], None).unwrap(), "deployment/app statefulset/app");
        for (arguments, release) in [
            (vec!["no"], None),
            (vec!["app", "sts/agent"], None),
            (vec!["agent"], Some(&shop)),
        ] {
            let failure = chosen(&arguments, release).unwrap_err();
            assert_eq!(failure.number().unwrap().number, 501, "{arguments:?}");
        }
        assert!(
            choose(&[], &[], None, "here")
                .unwrap_err()
                .to_string()
                .contains("it has none at all")
        );
    }
}
