//! Deployments that are killed before the first object, while they wait, and while they prune.

use std::process::Stdio;

use serde_json::Value;

use super::{IMAGE, NO_IMAGE, Release, SLEEP, deployed, kill_at};

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_next_one_goes_on_from_wherever_a_deployment_was_killed() {
    let release = Release::new("release-killed");
    release.write(IMAGE, &SLEEP, &[("settings", "0"), ("held", "x")], &[]);
    release.run(&["apply"]).success();
    // With a finalizer, prune takes until the process is killed.
    let finalizers = |value: &str| format!(r#"{{"metadata":{{"finalizers":{value}}}}}"#);
    release.kubectl(&[
        "patch",
        "configmap",
        "held",
        "--type=merge",
        "--patch",
        &finalizers(r#"["release.example/hold"]"#),
    ]);
    let name = &release.namespace.name;
    let started = |step: String| move |event: &Value| event["type"] == "step-started" && event["step"] == step;
    let waiting = |event: &Value| event["type"] == "object" && event["step"] == "ready" && event["state"] == "waiting";
    type Wanted = Box<dyn Fn(&Value) -> bool>;
    let phases: [(&str, &str, Wanted); 3] = [
        (
            "the first objects",
            NO_IMAGE,
            Box::new(started(format!("objects of release {name}/{name}"))),
        ),
        ("waiting", NO_IMAGE, Box::new(waiting)),
        (
            "prune",
            IMAGE,
            Box::new(started("what the manifests have no longer".to_owned())),
        ),
    ];
    for (phase, image, wanted) in phases {
        let settings: &[(&str, &str)] = match phase {
            "prune" => &[("settings", phase)],
            _ => &[("settings", phase), ("held", "x")],
        };
        let before = release.history().len();
        release.write(image, &SLEEP, settings, &[]);
        let mut command = release.command(&release.cache, &["apply", "--output", "json"]);
        kill_at(
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap(),
            phase,
            wanted,
        );
        assert_eq!(release.history()[before].0, "pending", "{phase}");
        if phase == "prune" {
            release.kubectl(&[
                "patch",
                "configmap",
                "held",
                "--type=merge",
                "--patch",
                &finalizers("null"),
            ]);
        }
        release.write(IMAGE, &SLEEP, settings, &[]);
        release.run(&["apply"]).success();
        let history = release.history();
        assert_eq!(
            history[before],
            ("failed".to_owned(), "interrupted".to_owned()),
            "{phase}"
        );
        assert_eq!(history[before + 1], deployed("apply"), "{phase}");
        assert_eq!(release.object("configmap/settings")["data"]["value"], phase);
        release.run(&["apply"]).success();
        assert_eq!(release.history().len(), before + 2, "{phase}: nothing is left to do");
    }
    assert!(!release.exists("configmap/held"));
}
