//! What a release owns, how it goes back, and what becomes of a deployment that is interrupted.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Said, context, deploy_tool_command, eventually, kubectl, object};

const IMAGE: &str = "docker.io/library/mariadb:11.8";
/// Port 9 of the node itself (discard): refused at once, and nothing leaves the machine.
const NO_IMAGE: &str = "127.0.0.1:9/nobody/has-this:1";

/// A release in a namespace of its own, which goes with the value.
struct Release {
    namespace: &'static str,
    cache: tempfile::TempDir,
    folder: tempfile::TempDir,
}

impl Release {
    fn new(namespace: &'static str) -> Self {
        kubectl(&["delete", "namespace", namespace, "--ignore-not-found"]).success();
        Self {
            namespace,
            cache: tempfile::tempdir().unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The same release, as somebody with another cache sees it.
    fn command(&self, cache: &tempfile::TempDir, verb: &[&str]) -> std::process::Command {
        let (context, folder) = (context(), self.folder.path().to_str().unwrap());
        let mut arguments = verb.to_vec();
        arguments.extend(["--context", &context, "--namespace", self.namespace, "-f", folder]);
        let mut command = deploy_tool_command(&arguments);
        command.env("DEPLOY_TOOL_CACHE", cache.path());
        command
    }

    fn run(&self, verb: &[&str]) -> Said {
        let said = Said::from(self.command(&self.cache, verb).output().unwrap());
        println!("{verb:?}: {}\n{}", said.code, said.stderr.trim_end());
        said
    }

    /// Takes the place of the manifests: a Deployment, and ConfigMaps with a value each.
    fn write(&self, image: &str, command: &[&str], settings: &[(&str, &str)], more: &[Value]) {
        let container = json!({"name": "main", "image": image, "command": command});
        let mut items = vec![
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}},
                    "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}}}}),
        ];
        items.extend(settings.iter().map(|(name, value)| {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}})
        }));
        items.extend(more.iter().cloned());
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        std::fs::write(self.folder.path().join("objects.json"), list.to_string()).unwrap();
    }

    /// State and reason of each revision, the oldest first.
    fn history(&self) -> Vec<(String, String)> {
        let said = self.run(&["history", "--output", "json"]).success();
        let listing: Value = serde_json::from_str(&said.stdout).unwrap();
        let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        let revisions = listing["revisions"].as_array().unwrap().iter();
        revisions
            .map(|one| {
                let message = text(one, "message");
                let why = if message.is_empty() { "reason" } else { "message" };
                (text(one, "state"), text(one, why))
            })
            .collect()
    }

    fn exists(&self, name: &str) -> bool {
        let said = kubectl(&[
            "--namespace",
            self.namespace,
            "get",
            name,
            "--ignore-not-found",
            "--output",
            "name",
        ]);
        !said.success().stdout.is_empty()
    }

    fn object(&self, name: &str) -> Value {
        object(self.namespace, name)
    }

    fn kubectl(&self, arguments: &[&str]) {
        let mut all = vec!["--namespace", self.namespace];
        all.extend(arguments);
        kubectl(&all).success();
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        kubectl(&[
            "delete",
            "namespace",
            self.namespace,
            "--ignore-not-found",
            "--wait=false",
        ]);
    }
}

const SLEEP: [&str; 2] = ["sleep", "infinity"];

fn claim(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}})
}

/// A StatefulSet, whose claim only its controller makes.
fn database() -> Value {
    let container = json!({"name": "main", "image": IMAGE, "command": SLEEP,
        "volumeMounts": [{"name": "files", "mountPath": "/files"}]});
    let mut template = claim("files");
    template
        .as_object_mut()
        .unwrap()
        .retain(|key, _| key == "metadata" || key == "spec");
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
        "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "volumeClaimTemplates": [template],
        "template": {"metadata": {"labels": {"app": "db"}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}}}})
}

fn deployed(reason: &str) -> (String, String) {
    ("deployed".to_owned(), reason.to_owned())
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn history_grows_prune_keeps_data_and_a_rollback_brings_everything_back() {
    let release = Release::new("release-history");
    release.write(IMAGE, &SLEEP, &[("kept", "one"), ("gone", "x")], &[claim("data")]);
    release.run(&["apply"]).success();
    release.run(&["apply"]).success();
    assert_eq!(release.history(), [deployed("apply")], "the second run writes nothing");

    // Without `gone` and the claim, with `new` and another command.
    release.write(IMAGE, &["sleep", "86400"], &[("kept", "two"), ("new", "y")], &[]);
    release.run(&["apply"]).success();
    assert!(!release.exists("configmap/gone"));
    assert!(release.exists("configmap/new") && release.exists("persistentvolumeclaim/data"));
    assert_eq!(release.object("configmap/kept")["data"]["value"], "two");

    release.run(&["rollback"]).success();
    assert_eq!(release.object("configmap/kept")["data"]["value"], "one");
    let web = release.object("deployment/web");
    assert_eq!(
        web["spec"]["template"]["spec"]["containers"][0]["command"],
        json!(SLEEP)
    );
    assert!(release.exists("configmap/gone") && !release.exists("configmap/new"));
    assert_eq!(
        release.history(),
        [deployed("apply"), deployed("apply"), deployed("rollback to 1")]
    );
    for number in 0..9 {
        release.write(IMAGE, &SLEEP, &[("kept", &number.to_string())], &[]);
        release.run(&["apply"]).success();
    }
    assert_eq!(release.history().len(), 10);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_does_not_come_up_is_taken_back() {
    let release = Release::new("release-failure");
    release.write(IMAGE, &SLEEP, &[("settings", "one")], &[]);
    release.run(&["apply"]).success();
    release.write(NO_IMAGE, &SLEEP, &[("settings", "two"), ("new", "x")], &[]);
    release
        .run(&["apply", "--rollback-on-failure"])
        .failure(2, &["error DT0304", "revision 1 runs again"]);
    let web = release.object("deployment/web");
    assert_eq!(web["spec"]["template"]["spec"]["containers"][0]["image"], IMAGE);
    assert_eq!(web["status"]["readyReplicas"], 1);
    assert_eq!(release.object("configmap/settings")["data"]["value"], "one");
    assert!(!release.exists("configmap/new"));
    let history = release.history();
    assert_eq!(history[0], deployed("apply"));
    assert_eq!(history[1].0, "failed");
    assert!(history[1].1.contains(NO_IMAGE), "{history:?}");
    assert_eq!(history[2], deployed("rollback to 1 after failure of 2"));
}

/// Reads events until one is as wanted, then kills the process as the kernel would.
fn kill_at(mut child: Child, what: &str, wanted: impl Fn(&Value) -> bool) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let found = lines
        .by_ref()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .any(|event| wanted(&event));
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(found, "it ended without {what}: {status}");
    assert_eq!(status.code(), None, "killed, not ended");
    drop::<std::io::Lines<BufReader<ChildStdout>>>(lines);
}

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
    let started = |step: &'static str| move |event: &Value| event["type"] == "step-started" && event["step"] == step;
    let waiting = |event: &Value| event["type"] == "object" && event["step"] == "ready" && event["state"] == "waiting";
    type Wanted = Box<dyn Fn(&Value) -> bool>;
    let phases: [(&str, &str, Wanted); 3] = [
        (
            "the first objects",
            NO_IMAGE,
            Box::new(started("objects of release release-killed/release-killed")),
        ),
        ("waiting", NO_IMAGE, Box::new(waiting)),
        ("prune", IMAGE, Box::new(started("what the manifests have no longer"))),
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

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn two_deployers_at_once_leave_one_result() {
    let release = Release::new("release-two");
    release.write(IMAGE, &SLEEP, &[("settings", "one")], &[]);
    let other = tempfile::tempdir().unwrap();
    let spawn = |cache| {
        let mut command = release.command(cache, &["apply"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [spawn(&release.cache), spawn(&other)].map(|child| Said::from(child.wait_with_output().unwrap()));
    let codes = both.each_ref().map(|said| said.code);
    assert!(codes.contains(&0), "{}\n{}", both[0].stderr, both[1].stderr);
    for said in both {
        if said.code != 0 {
            said.failure(4, &["another deploy-tool is at work"]);
        }
    }
    let before = release.history();
    assert!(before.iter().all(|one| *one == deployed("apply")), "{before:?}");
    release.run(&["apply"]).success();
    assert_eq!(release.history(), before);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn down_removes_what_is_ours_and_names_what_it_leaves() {
    let release = Release::new("release-down");
    release.write(IMAGE, &SLEEP, &[("held", "x")], &[claim("data"), database()]);
    release.run(&["apply"]).success();
    let finalizers = |value: &str| format!(r#"{{"metadata":{{"finalizers":{value}}}}}"#);
    release.kubectl(&[
        "patch",
        "configmap",
        "held",
        "--type=merge",
        "--patch",
        &finalizers(r#"["release.example/hold"]"#),
    ]);
    release
        .run(&["down", "--timeout", "5s"])
        .failure(2, &["error DT", "ConfigMap `held`", "release.example/hold"]);
    release.kubectl(&[
        "patch",
        "configmap",
        "held",
        "--type=merge",
        "--patch",
        &finalizers("null"),
    ]);

    let said = release.run(&["down"]).success();
    // The StatefulSet is gone since the first attempt; its claim is known all the same.
    for name in ["data", "files-db-0"] {
        let title = format!("PersistentVolumeClaim `{name}`");
        assert!(said.stderr.contains(&title), "{title}: {}", said.stderr);
    }
    assert!(!release.exists("deployment/web") && !release.exists("configmap/held"));
    assert!(release.exists("persistentvolumeclaim/data"));
    let before = release.history();
    let said = release.run(&["down"]).success();
    assert!(said.stderr.contains("nothing to remove"), "{}", said.stderr);
    assert_eq!(release.history(), before);

    release.kubectl(&["create", "configmap", "foreign"]);
    let said = release.run(&["down", "--delete-data"]).success();
    assert!(said.stderr.contains("ConfigMap `foreign`"), "{}", said.stderr);
    eventually("the claims are gone", Duration::from_secs(5), || {
        let left = ["data", "files-db-0"].map(|name| release.exists(&format!("persistentvolumeclaim/{name}")));
        (left == [false, false]).then_some(())
    });
    assert!(release.exists("configmap/foreign") && release.history().is_empty());
    let said = release.run(&["down", "--delete-data"]).success();
    assert!(said.stderr.contains("nothing to remove"), "{}", said.stderr);
}
