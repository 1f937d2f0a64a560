//! Probes and readiness gates.

use super::*;
use diagnostics::code::rollout::*;

#[test]
fn running_but_not_ready() {
    let container = || json!({"state": {"running": {"startedAt": APPLIED}}, "started": true});
    in_progress(with_container(container(), 10), "is starting");
    in_progress(with_container(container(), 40), "runs, but is not ready");
    let problem = clear(
        with_container(container(), 41),
        &READINESS_PROBE,
        &["not ready", "its probes give it 41 s"],
    );
    let address = "8080/readyz".to_owned();
    assert_eq!(
        problem.evidence,
        [Evidence::Answer {
            namespace: "n".into(),
            pod: "app-1".into(),
            is_https: false,
            address
        }]
    );
}

#[test]
fn the_path_of_a_probe_is_asked_for_as_the_kubelet_does() {
    let evidence = |get: Value| {
        let objects = story::app_with(story::runs_since(0), json!({"readinessProbe": {"httpGet": get}}));
        let problem = clear(app(&objects, 41), &READINESS_PROBE, &["not ready"]);
        problem.evidence.into_iter().next().unwrap()
    };
    for (get, is_https, address) in [
        (json!({"port": "http", "path": "/readyz"}), false, "8080/readyz"),
        (json!({"port": "http", "path": "readyz"}), false, "8080/readyz"),
        (json!({"port": 8443, "scheme": "HTTPS"}), true, "8443/"),
        (
            json!({"port": 8080, "scheme": "HTTP", "path": "/a/b"}),
            false,
            "8080/a/b",
        ),
    ] {
        let expected = Evidence::Answer {
            namespace: "n".into(),
            pod: "app-1".into(),
            is_https,
            address: address.into(),
        };
        assert_eq!(evidence(get), expected, "{address}");
    }
    let elsewhere = evidence(json!({"port": 8080, "path": "/", "host": "192.0.2.1"}));
    assert!(matches!(elsewhere, Evidence::Logs(_)), "{elsewhere:?}");
}

#[test]
fn a_startup_probe_has_a_limit_of_its_own() {
    let mut objects = world();
    let running = json!({"state": {"running": {"startedAt": APPLIED}}, "started": false});
    let mut pod = pod("app-1", "app-new", running);
    pod["spec"]["containers"][0]["startupProbe"] = json!({"failureThreshold": 60});
    put(&mut objects.pods, "app-1", pod.clone());
    in_progress(app(&objects, 900), "not ready");
    // Until it is over, readiness is not asked for: its budget begins then at the latest.
    pod["status"]["containerStatuses"][0]["started"] = json!(true);
    put(&mut objects.pods, "app-1", pod);
    in_progress(app(&objects, 640), "not ready");
    clear(app(&objects, 642), &READINESS_PROBE, &["its probes give it 642 s"]);
}

#[test]
fn a_closed_readiness_gate_is_named() {
    let mut objects = world();
    let mut pod = pod(
        "app-1",
        "app-new",
        json!({"ready": true, "state": {"running": {"startedAt": APPLIED}}}),
    );
    pod["status"]["conditions"][1]["status"] = json!("False");
    pod["spec"]["readinessGates"] = json!([{"conditionType": "example.org/balanced"}]);
    put(&mut objects.pods, "app-1", pod);
    blocked(
        app(&objects, 60),
        &READINESS_GATE,
        &["gate example.org/balanced is closed"],
    );
}

#[test]
fn each_probe_is_told_with_its_own_answer() {
    let container = story::crashed(3, 9, "20s");
    let probes = json!({"livenessProbe": {"httpGet": {"port": 9, "path": "/live"}, "periodSeconds": 1, "failureThreshold": 2},
        "readinessProbe": {"tcpSocket": {"port": 9}, "periodSeconds": 1}});
    let mut objects = story::app_with(container, probes);
    let mut tell =
        |reason: &str, message: &str, seconds: i64| event(&mut objects, "app-1", reason, message, seconds, 3);
    tell("Killing", "Container app failed liveness probe, will be restarted", 9);
    tell("Unhealthy", "Liveness probe failed: Get \"http://192.0.2.1:9/live\"", 9);
    // The readiness probe fails more often, and later.
    tell("Unhealthy", "Readiness probe failed: dial tcp 192.0.2.1:9", 10);
    let diagnosis = clear(app(&objects, 11), &LIVENESS_PROBE, &[":9/live"]);
    assert_eq!(
        diagnosis.lines,
        ["Liveness probe failed: Get \"http://192.0.2.1:9/live\""]
    );
}

#[test]
fn what_a_liveness_probe_ends_before_it_is_ready_is_told_by_that() {
    let mut container = story::runs_since(20);
    container["restartCount"] = json!(2);
    container["lastState"] = story::run(10, 19, 137);
    let probes = json!({"livenessProbe": {"httpGet": {"port": 9, "path": "/live"}, "periodSeconds": 1, "failureThreshold": 2},
        "readinessProbe": {"tcpSocket": {"port": 9}, "periodSeconds": 1}});
    let killed = |seconds: i64| {
        let mut objects = story::app_with(container.clone(), probes.clone());
        let message = "Container app failed liveness probe, will be restarted";
        event(&mut objects, "app-1", "Killing", message, seconds, 2);
        event(
            &mut objects,
            "app-1",
            "Unhealthy",
            "Readiness probe failed: dial tcp 192.0.2.1:9",
            28,
            3,
        );
        app(&objects, 29)
    };
    clear(killed(19), &LIVENESS_PROBE, &["was ended 2 times by the kubelet"]);
    // Another run of it, long ago.
    clear(killed(1), &READINESS_PROBE, &["192.0.2.1:9"]);
}
