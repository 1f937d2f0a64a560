//! `cluster up --registry` and `up --registry`: images go through a registry with TLS and a password, and the nodes log in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::registry::{Keys, PASSWORD, Registry, USER};
use serde_json::json;

use crate::harness::{
    CommandOutput, Deployment, cluster, context, deploy_tool_command, eventually, kubectl, node_image, object, pods,
    repository, tool_timeout, unique,
};

const PULL_SECRET: &str = "pull";

struct Setting {
    registry: Registry,
    /// What images are called there: `localhost:PORT`.
    prefix: String,
    deployment: Deployment,
    /// The folder of Docker's configuration.
    docker: tempfile::TempDir,
    /// The definition of an image that no other test has, see [`other_image`].
    images: tempfile::TempDir,
}

/// The service's image with one file more. A kubelet lets only pods with the login have an image that it has pulled with
/// one, by whatever name they ask for it: the other tests' image must not become one of these.
/// <https://kubernetes.io/docs/concepts/containers/images/#ensureimagepullcredentialverification>
fn other_image() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (own, new) = (repository().join("oci"), folder.path().join("app"));
    std::fs::create_dir(&new).unwrap();
    std::fs::write(new.join("more"), "through a registry\n").unwrap();
    let text = std::fs::read_to_string(own.join("app/image.yaml")).unwrap();
    let services = own.join("services");
    let text = text.replace("../services", services.to_str().unwrap());
    let workspace = repository().join("app");
    let text = text.replace("../../app", workspace.to_str().unwrap());
    assert!(
        text.trim_end().ends_with(services.to_str().unwrap()),
        "files are the last: {text}"
    );
    std::fs::write(new.join("image.yaml"), text + "- path: /etc/more\n  source: more\n").unwrap();
    folder
}

impl Setting {
    fn new() -> Self {
        let container = unique("registry");
        let registry = Registry::start_named(&container);
        let output = CommandOutput::from(
            deploy_tool_command(&[
                "cluster",
                "up",
                "--name",
                &cluster(),
                "--node-image",
                &node_image("wasm-node"),
                "--registry",
                &container,
                "--registry-ca",
            ])
            .arg(registry.authority())
            .output()
            .unwrap(),
        )
        .success();
        // The port is another one when the container has joined the nodes.
        let prefix = output.stderr.split("up --registry ").nth(1).unwrap();
        let prefix = prefix.split_whitespace().next().unwrap().to_owned();
        // Pulled for each new pod: what the node has already does not help it.
        let deployment = Deployment::new("through-registry", |file, text| {
            Some(match file {
                "app.yaml" => text.replace("imagePullPolicy: IfNotPresent", "imagePullPolicy: Always"),
                _ => text,
            })
        });
        let setting = Self {
            registry,
            prefix,
            deployment,
            docker: tempfile::tempdir().unwrap(),
            images: other_image(),
        };
        setting.log_in(PASSWORD);
        // Where the Secret is made before anything is deployed.
        kubectl(&["create", "namespace", setting.namespace()]).success();
        setting.let_nodes_pull(PASSWORD);
        setting
    }

    /// Makes the Secret that the nodes log in with.
    fn let_nodes_pull(&self, password: &str) {
        let login = [
            "--docker-server",
            &self.prefix,
            "--docker-username",
            USER,
            "--docker-password",
            password,
        ];
        let inside = ["--namespace", self.namespace()];
        kubectl(&[&inside[..], &["delete", "secret", PULL_SECRET, "--ignore-not-found"]].concat()).success();
        kubectl(
            &[
                &inside[..],
                &["create", "secret", "docker-registry", PULL_SECRET],
                &login,
            ]
            .concat(),
        )
        .success();
    }

    /// Logs in, as `docker login` does.
    fn log_in(&self, password: &str) {
        let auth = STANDARD.encode(format!("{USER}:{password}"));
        let configuration = json!({"auths": {self.prefix.as_str(): {"auth": auth}}});
        std::fs::write(self.docker.path().join("config.json"), configuration.to_string()).unwrap();
    }

    /// Runs a verb with these manifests.
    fn tool(&self, verb: &[&str]) -> CommandOutput {
        let context = context();
        let place = ["--context", &context, "--manifests", self.deployment.folder()];
        self.run(&[verb, &place].concat())
    }

    /// Runs the tool, logged in.
    fn run(&self, arguments: &[&str]) -> CommandOutput {
        let mut command = deploy_tool_command(arguments);
        CommandOutput::from(command.env("DOCKER_CONFIG", self.docker.path()).output().unwrap())
    }

    fn namespace(&self) -> &str {
        &self.deployment.namespace.name
    }

    fn up(&self, more: &[&str]) -> CommandOutput {
        let authority = self.registry.authority();
        let registry = [
            "--registry",
            &self.prefix,
            "--registry-ca",
            authority.to_str().unwrap(),
            "--pull-secret",
            PULL_SECRET,
        ];
        let images = ["--images", self.images.path().to_str().unwrap()];
        self.tool(
            &[
                ["up", "--timeout", &tool_timeout()].as_slice(),
                &images,
                &registry,
                more,
            ]
            .concat(),
        )
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn images_go_through_a_registry() {
    let setting = Setting::new();
    let namespace = setting.namespace();
    let output = setting.up(&[]).success();
    assert!(output.stderr.contains("uploaded"), "{}", output.stderr);

    let template = object(namespace, "deployment/app")["spec"]["template"]["spec"].clone();
    let image = template["containers"][0]["image"].as_str().unwrap().to_owned();
    assert!(
        image.starts_with(&format!("{}/orders@sha256:", setting.prefix)),
        "{image}"
    );
    assert_eq!(template["imagePullSecrets"][0]["name"], PULL_SECRET);
    // What may push stays here: neither a Secret nor a revision has it.
    let secrets = kubectl(&["--namespace", namespace, "get", "secrets", "--output", "name"]).success();
    let is_login = |secret: &str| secret.ends_with("-registry");
    assert!(!secrets.stdout.lines().any(is_login), "{}", secrets.stdout);
    assert!(ready_pod(namespace, &image), "no pod runs the pushed image");
    // The images of others need no login of ours.
    let database = object(namespace, "statefulset/mariadb")["spec"]["template"]["spec"]["imagePullSecrets"].clone();
    assert!(database.is_null(), "{database}");

    // Nothing moves a second time, and the verbs that build nothing keep image and login.
    let output = setting.up(&[]).success();
    assert!(output.stderr.contains("it was there already"), "{}", output.stderr);
    assert!(output.stderr.contains("nothing changed"), "{}", output.stderr);
    let output = setting.tool(&["apply"]).success();
    assert!(output.stderr.contains("nothing changed"), "{}", output.stderr);
    setting.tool(&["plan", "--no-build", "--exit-code"]).success();

    only_what_is_signed(&setting, &image);

    // Another password: the old one is refused before anything is built, the new one reaches the nodes.
    setting.registry.set_password("another-one");
    let output = setting.up(&[]).failure(2, &["DT0702"]);
    assert!(!output.stderr.contains("Wasm module"), "{}", output.stderr);
    setting.log_in("another-one");
    setting.let_nodes_pull("another-one");
    setting.up(&[]).success();
    kubectl(&[
        "--namespace",
        namespace,
        "delete",
        "pod",
        "--selector",
        "app=app",
        "--wait=false",
    ])
    .success();
    eventually("a new pod is pulled with the new password", || {
        ready_pod(namespace, &image).then_some(())
    });
}

/// What a key has not signed is not deployed, and what it has signed is.
fn only_what_is_signed(setting: &Setting, image: &str) {
    let (keys, foreign_keys, authority) = (Keys::new(), Keys::new(), setting.registry.authority());
    let trust = ["--registry-ca", authority.to_str().unwrap()];
    let (private, public, foreign_public) = (keys.private(), keys.public(), foreign_keys.public());
    let signed = ["--require-signature", public.to_str().unwrap()];
    let but_the_database = [signed.as_slice(), &["--allow-unsigned", "docker.io/library/*"]].concat();
    setting.up(&but_the_database).failure(1, &["DT0716", image, "sign it"]);
    setting
        .run(&[["sign", image, "--key", private.to_str().unwrap()].as_slice(), &trust].concat())
        .success();
    let output = setting.up(&but_the_database).success();
    assert!(
        output.stderr.contains("1 image is signed by the key, 1 need not be"),
        "{}",
        output.stderr
    );
    setting
        .tool(&[["apply"].as_slice(), &but_the_database, &trust].concat())
        .success();
    // Another key is another signer, and what is in no registry is signed by nobody.
    let others = [
        "--require-signature",
        foreign_public.to_str().unwrap(),
        "--allow-unsigned",
        "docker.io/library/*",
    ];
    setting.up(&others).failure(1, &["DT0717"]);
    setting
        .tool(&[["up"].as_slice(), &but_the_database].concat())
        .failure(1, &["DT0716", "in no registry"]);
}

/// Whether a pod of the service that stays is ready, and was told to run that image.
fn ready_pod(namespace: &str, image: &str) -> bool {
    pods(namespace, "app=app").iter().any(|pod| {
        pod["metadata"]["deletionTimestamp"].is_null()
            && pod["spec"]["containers"][0]["image"] == image
            && pod["status"]["containerStatuses"][0]["ready"] == true
    })
}
