use super::*;
use serde_json::{Value, json};

fn line<K: ToObjectStatus + serde::de::DeserializeOwned>(value: Value) -> (String, String) {
    let now = "2026-01-02T12:00:00Z".parse().unwrap();
    let object: K = serde_json::from_value(value).unwrap();
    let shown = object.object_status(now);
    (shown.object, shown.state)
}

fn row(object: &str, state: &str) -> (String, String) {
    (object.to_owned(), state.to_owned())
}

#[test]
fn every_kind_has_a_line() {
    let template = json!({"spec": {"containers": [{"name": "c", "image": "i"}]}});
    let selector = json!({});
    let deployment = json!({"metadata": {"name": "app"}, "spec": {"replicas": 3, "paused": true, "selector": selector, "template": template},
        "status": {"readyReplicas": 2}});
    assert_eq!(
        line::<Deployment>(deployment),
        row("Deployment/app", "2 of 3 ready, paused")
    );
    let set =
        json!({"metadata": {"name": "db"}, "spec": {"serviceName": "db", "selector": selector, "template": template}});
    assert_eq!(line::<StatefulSet>(set), row("StatefulSet/db", "0 of 1 ready"));
    let daemons = json!({"metadata": {"name": "log"}, "status": {"currentNumberScheduled": 2, "desiredNumberScheduled": 2,
        "numberMisscheduled": 0, "numberReady": 2}});
    assert_eq!(line::<DaemonSet>(daemons), row("DaemonSet/log", "2 of 2 ready"));
    let job = |conditions: Value| {
        json!({"metadata": {"name": "j"}, "status": {"active": 1, "conditions": conditions,
        "completionTime": "2026-01-02T11:00:00Z"}})
    };
    assert_eq!(line::<Job>(job(json!([]))), row("Job/j", "1 running"));
    assert_eq!(
        line::<Job>(job(json!([{"type": "Complete", "status": "True"}]))),
        row("Job/j", "done 60m ago")
    );
    assert_eq!(
        line::<Job>(job(
            json!([{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}])
        )),
        row("Job/j", "failed: BackoffLimitExceeded")
    );
    let cron = |status: Value| json!({"metadata": {"name": "dump"}, "spec": {"schedule": "0 3 * * *", "jobTemplate": {}}, "status": status});
    assert_eq!(
        line::<CronJob>(cron(json!({}))),
        row("CronJob/dump", "`0 3 * * *`, has not run yet")
    );
    assert_eq!(
        line::<CronJob>(cron(
            json!({"lastScheduleTime": "2026-01-02T03:00:00Z", "lastSuccessfulTime": "2026-01-01T03:00:05Z", "active": [{}]})
        )),
        row(
            "CronJob/dump",
            "`0 3 * * *`, last run 9h ago, last success 32h ago, 1 running"
        )
    );
    let service = |spec: Value| json!({"metadata": {"name": "app"}, "spec": spec});
    assert_eq!(
        line::<Service>(service(
            json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]})
        )),
        row("Service/app", "NodePort, 80:30080/TCP")
    );
    assert_eq!(
        line::<Service>(service(
            json!({"type": "LoadBalancer", "ports": [{"port": 53, "protocol": "UDP"}]})
        )),
        row("Service/app", "LoadBalancer, 53/UDP, no address yet")
    );
    let ingress = json!({"metadata": {"name": "web"}, "spec": {"ingressClassName": "nginx", "rules": [{"host": "shop.example"}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}});
    assert_eq!(
        line::<Ingress>(ingress),
        row("Ingress/web", "shop.example, class nginx, 192.0.2.7")
    );
    let scaler = json!({"metadata": {"name": "app"}, "spec": {"maxReplicas": 5, "minReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "app"}},
        "status": {"currentReplicas": 3, "desiredReplicas": 3}});
    assert_eq!(
        line::<HorizontalPodAutoscaler>(scaler),
        row("HorizontalPodAutoscaler/app", "2 to 5 of Deployment/app, now 3")
    );
    let going = json!({"metadata": {"name": "app", "deletionTimestamp": "2026-01-02T11:00:00Z"}});
    assert_eq!(line::<Service>(going), row("Service/app", "is being deleted"));
}

#[test]
fn ages_and_names_are_short() {
    let now: Timestamp = "2026-01-02T12:00:00Z".parse().unwrap();
    let cases = [
        ("2026-01-02T11:59:30Z", "30s"),
        ("2026-01-02T11:55:00Z", "5m"),
        ("2026-01-01T13:00:00Z", "23h"),
        ("2025-12-30T12:00:00Z", "3d"),
        ("2026-01-02T12:00:05Z", "0s"),
    ];
    for (created, expected) in cases {
        assert_eq!(age(created.parse().unwrap(), now), expected, "{created}");
    }
    let digits = "0123456789abcdef".repeat(4);
    let cases = [
        ("docker.io/library/mariadb:11.8".to_owned(), "mariadb:11.8"),
        ("docker.io/bitnami/redis:7".to_owned(), "bitnami/redis:7"),
        ("quay.io/x/y:1".to_owned(), "quay.io/x/y:1"),
        (
            format!("localhost/orders:sha256-{digits}"),
            "localhost/orders:sha256-0123456789ab",
        ),
        (format!("quay.io/x@sha256:{digits}"), "quay.io/x@sha256:0123456789ab"),
        ("x:sha256-short".to_owned(), "x:sha256-short"),
    ];
    for (image, expected) in cases {
        assert_eq!(short_image(&image), expected);
    }
}
