//! Pods that the API server does not let in.

use super::*;
use diagnostics::code::rollout::*;

#[test]
fn pods_that_the_api_server_refuses() {
    // Exactly the controller's messages; what is said of them; what is advised.
    let start = "Error creating: pods \"app-1\" is forbidden: ";
    let cases = [
        (
            "pod rejected: RuntimeClass \"not-there\" not found",
            &RUNTIME_CLASS_MISSING,
            ["RuntimeClass \"not-there\" not found", "kind: RuntimeClass"],
        ),
        (
            "exceeded quota: q, requested: requests.cpu=1, used: requests.cpu=0, limited: requests.cpu=10m",
            &QUOTA,
            ["requested: requests.cpu=1", "describe resourcequota"],
        ),
        (
            "violates PodSecurity \"restricted:latest\": runAsNonRoot != true (pod or container \"main\" must set \
             securityContext.runAsNonRoot=true), seccompProfile (pod must set it)",
            &POD_SECURITY,
            [
                "level restricted:latest / runAsNonRoot != true (pod or container \"main\" must set \
                 securityContext.runAsNonRoot=true) / seccompProfile (pod must set it) /",
                "get namespace n --show-labels",
            ],
        ),
        (
            "maximum memory usage per Container is 1Gi, but limit is 2Gi",
            &ADMISSION,
            ["refuses its pods: maximum memory usage", "pod template"],
        ),
    ];
    for (message, code, parts) in cases {
        let mut objects = world();
        event(
            &mut objects,
            "app-new",
            "FailedCreate",
            &format!("{start}{message}"),
            1,
            5,
        );
        blocked(app(&objects, 1), code, &["refuses its pods"]);
        clear(app(&objects, 5), code, &parts);
        // A pod that came later shows that it is over.
        let mut pod = pod("app-1", "app-new", json!({"state": {"running": {}}}));
        pod["metadata"]["creationTimestamp"] = json!(at(3).to_string());
        put(&mut objects.pods, "app-1", pod);
        in_progress(app(&objects, 5), "is starting");
    }
}

/// What a policy refuses, it goes on refusing; what is missing may come.
#[test]
fn the_same_refusal_for_a_minute_is_for_good() {
    let refused = |reason: &str, seconds: i64| {
        let mut objects = world();
        let message = format!("Error creating: pods \"app-1\" is forbidden: {reason}");
        // Each attempt is another pod, and so another event.
        for (number, at) in [1, 2, seconds].into_iter().enumerate() {
            let message = message.replace("app-1", &format!("app-{number}"));
            event(&mut objects, "app-new", "FailedCreate", &message, at, 1);
        }
        app(&objects, seconds)
    };
    let limit = "maximum memory usage per Container is 1Gi, but limit is 2Gi";
    clear(refused(limit, 41), &ADMISSION, &["maximum memory usage"]);
    failed(refused(limit, 82), &ADMISSION, &["maximum memory usage"]);
    failed(
        refused(
            "violates PodSecurity \"restricted:latest\": runAsNonRoot != true (pod must set it)",
            82,
        ),
        &POD_SECURITY,
        &["level restricted:latest"],
    );
    for may_come in [
        "error looking up service account n/builder: serviceaccount \"builder\" not found",
        "no PriorityClass with name urgent was found",
        "failed calling webhook \"inject.example.org\": connect: connection refused",
    ] {
        clear(refused(may_come, 500), &ADMISSION, &[may_come]);
    }
    clear(refused("exceeded quota: q", 500), &QUOTA, &["exceeded quota"]);
}

#[test]
fn a_refusal_from_before_says_nothing_about_now() {
    let mut objects = world();
    event(&mut objects, "app-new", "FailedCreate", "exceeded quota", -30, 5);
    let target = target(TargetKind::Deployment, "app");
    in_progress(app(&objects, 60), "refuses its pods");
    let stale = |objects: &Objects| refused_before(&target, objects, clock(60).since);
    let controller = Controller {
        kind: "ReplicaSet",
        namespace: "n".into(),
        name: "app-new".into(),
    };
    assert_eq!(stale(&objects), Some(controller));
    event(&mut objects, "app-new", "FailedCreate", "exceeded quota", 2, 6);
    assert_eq!(stale(&objects), None, "it has tried again since");
}
