//! `cluster up --registry` and `up --registry`: images go through a registry with TLS and a password, and the nodes log in.

use std::time::Duration;

use e2e::registry::{PASSWORD, Registry, USER};

use crate::harness::{Deployment, Said, cluster, context, deploy_tool_command, eventually, kubectl, object, pods};

const CONTAINER: &str = "deploy-tool-test-registry";
const NAMESPACE: &str = "through-registry";

struct Setting {
    registry: Registry,
    /// What images are called there: `localhost:PORT`.
    prefix: String,
    deployment: Deployment,
}

impl Setting {
    fn new() -> Self {
        let registry = Registry::start_named(CONTAINER);
        let said = Said::from(
            deploy_tool_command(&[
                "cluster",
                "up",
                "--name",
                &cluster(),
                "--registry",
                CONTAINER,
                "--registry-ca",
            ])
            .arg(registry.authority())
            .output()
            .unwrap(),
        )
        .success();
        // The port is another one when the container has joined the nodes.
        let prefix = said.stderr.split("up --registry ").nth(1).unwrap();
        let prefix = prefix.split_whitespace().next().unwrap().to_owned();
        // Pulled for each new pod: what the node has already does not help it.
        let deployment = Deployment::new(NAMESPACE, |file, text| {
            Some(match file {
                "app.yaml" => text.replace("imagePullPolicy: IfNotPresent", "imagePullPolicy: Always"),
                _ => text,
            })
        });
        Self {
            registry,
            prefix,
            deployment,
        }
    }

    /// Runs a verb with these manifests and a password.
    fn tool(&self, verb: &[&str], password: &str) -> Said {
        let context = context();
        let place = ["--context", &context, "--manifests", self.deployment.folder()];
        let output = deploy_tool_command(&[verb, &place].concat())
            .envs([("REGISTRY_USERNAME", USER), ("REGISTRY_PASSWORD", password)])
            .output()
            .unwrap();
        let said = Said::from(output);
        assert!(
            !format!("{}{}", said.stdout, said.stderr).contains(password),
            "it shows the password"
        );
        said
    }

    fn up(&self, password: &str) -> Said {
        let authority = self.registry.authority();
        let verb = ["up", "--timeout", "4m", "--registry", &self.prefix, "--registry-ca"];
        self.tool(&[verb.as_slice(), &[authority.to_str().unwrap()]].concat(), password)
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn images_go_through_a_registry() {
    let setting = Setting::new();
    let said = setting.up(PASSWORD).success();
    assert!(said.stderr.contains("uploaded"), "{}", said.stderr);

    let template = object(NAMESPACE, "deployment/app")["spec"]["template"]["spec"].clone();
    let image = template["containers"][0]["image"].as_str().unwrap().to_owned();
    assert!(
        image.starts_with(&format!("{}/orders@sha256:", setting.prefix)),
        "{image}"
    );
    assert_eq!(template["imagePullSecrets"][0]["name"], format!("{NAMESPACE}-registry"));
    let secret = object(NAMESPACE, &format!("secret/{NAMESPACE}-registry"));
    assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
    assert!(ready_pod(&image), "no pod runs the pushed image");
    // The images of others need no login of ours.
    let database = object(NAMESPACE, "statefulset/mariadb")["spec"]["template"]["spec"]["imagePullSecrets"].clone();
    assert!(database.is_null(), "{database}");

    // Nothing moves a second time, and the verbs that build nothing keep image and login.
    let said = setting.up(PASSWORD).success();
    assert!(said.stderr.contains("it was there already"), "{}", said.stderr);
    assert!(said.stderr.contains("nothing changed"), "{}", said.stderr);
    let said = setting.tool(&["apply"], PASSWORD).success();
    assert!(said.stderr.contains("nothing changed"), "{}", said.stderr);
    setting.tool(&["plan", "--no-build", "--exit-code"], PASSWORD).success();

    // Another password: the old one is refused before anything is built, the new one reaches the nodes.
    setting.registry.set_password("another-one");
    let said = setting.up(PASSWORD).failure(2, &["DT0702"]);
    assert!(!said.stderr.contains("Wasm module"), "{}", said.stderr);
    setting.up("another-one").success();
    assert_ne!(
        object(NAMESPACE, &format!("secret/{NAMESPACE}-registry"))["data"],
        secret["data"]
    );
    kubectl(&[
        "--namespace",
        NAMESPACE,
        "delete",
        "pod",
        "--selector",
        "app=app",
        "--wait=false",
    ])
    .success();
    eventually(
        "a new pod is pulled with the new password",
        Duration::from_secs(120),
        || ready_pod(&image).then_some(()),
    );
}

/// Whether a pod of the service that stays is ready, and runs that image. On the node it may have an older name as well.
fn ready_pod(image: &str) -> bool {
    let digest = image.rsplit('@').next().unwrap();
    pods(NAMESPACE, "app=app").iter().any(|pod| {
        let container = &pod["status"]["containerStatuses"][0];
        pod["metadata"]["deletionTimestamp"].is_null()
            && container["ready"] == true
            && container["imageID"].as_str().unwrap().ends_with(digest)
    })
}
