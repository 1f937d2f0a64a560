//! The pod of a probe.

use super::*;

#[test]
fn a_probe_is_over_when_nothing_more_is_to_be_seen() {
    let over = |observed: &Observed| is_over(&observed.pod, observed.events.iter());
    assert!(
        over(&healthy())
            && over(&waiting("ImagePullBackOff", ""))
            && over(&warned("no runtime for \"x\" is configured"))
            && over(&warned(
                "OCI runtime create failed: cannot open sd-bus: No such file or directory"
            ))
    );
    assert!(!over(&waiting("PodInitializing", "")) && !over(&warned("no network yet")) && !over(&Observed::default()));
    let still = saying(|seen| {
        let status = seen.pod.status.as_mut().unwrap();
        status.init_container_statuses.as_mut().unwrap()[0].state = Some(read(json!({"running": {}})));
    });
    assert!(!over(&still));
}

#[test]
fn the_probe_is_bounded_and_its_pod_is_found_again() {
    let parts = Probe {
        runtime_class: "crun-wasm",
        image: "a",
        plain_image: "b",
        node: "n",
    };
    let mut pod: Pod = probe(parts).unwrap();
    assert_eq!(
        pod.spec.as_ref().unwrap().active_deadline_seconds,
        Some(i64::from(LIFETIME))
    );
    let labels = pod.metadata.labels.as_ref().unwrap().iter();
    assert_eq!(
        labels
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
            .join(","),
        SELECTOR
    );
    assert!(!is_left_over(&pod, jiff::Timestamp::UNIX_EPOCH));
    pod.metadata.creation_timestamp = Some(read(json!("2026-01-01T00:00:00Z")));
    let at = |time: &str| is_left_over(&pod, time.parse().unwrap());
    assert!(!at("2026-01-01T00:02:30Z") && at("2026-01-01T00:05:00Z"));
}
