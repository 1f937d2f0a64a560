//! Plans against a real API server: what is shown is what would change, what is refused is refused before any write.

use std::process::Command;

use serde_json::Value;

use crate::harness::{CommandOutput, Namespace, cluster, deploy_tool, deploy_tool_command, kubectl, object, unique};

/// A namespace of its own with plain objects, deleted at the end.
struct Release {
    namespace: Namespace,
    folder: tempfile::TempDir,
}

impl Release {
    fn new(purpose: &str) -> Self {
        let release = Self {
            namespace: Namespace::named(purpose),
            folder: tempfile::tempdir().unwrap(),
        };
        let namespace = release.name();
        release.write(
            "namespace.yaml",
            &format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n"),
        );
        release
    }

    /// The namespace, which is the release's name as well.
    fn name(&self) -> &str {
        &self.namespace.name
    }

    /// A Deployment without pods: it is rolled out as soon as it is seen.
    fn with_deployment(purpose: &str) -> Self {
        let release = Self::new(purpose);
        release.deployment("3306", "");
        release
    }

    fn deployment(&self, port: &str, more: &str) {
        self.write(
            "app.yaml",
            &format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app}}\nspec:\n  replicas: 0\n{more}  \
                 selector: {{matchLabels: {{app: app}}}}\n  template:\n    metadata: {{labels: {{app: app}}}}\n    spec:\n      \
                 containers:\n      - name: app\n        image: docker.io/library/mariadb:11.8\n        \
                 env: [{{name: DATABASE_PORT, value: \"{port}\"}}]\n"
            ),
        );
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&self, arguments: &[&str]) -> CommandOutput {
        let place = [
            "--manifests",
            self.folder.path().to_str().unwrap(),
            "--namespace",
            self.name(),
        ];
        deploy_tool(&[arguments, &place].concat())
    }
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_plan_of_the_demo_has_nothing_to_do() {
    let output = deploy_tool(&["plan", "--no-build", "--exit-code"]).success();
    assert!(
        output.stdout.contains("nothing to do for release orders/orders"),
        "{}",
        output.stdout
    );
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn an_edit_shows_exactly_its_field_and_writes_nothing() {
    let release = Release::with_deployment("plan-edit");
    release.run(&["plan", "--exit-code"]).failure(10, &[]);
    release.run(&["apply"]).success();
    release.run(&["plan", "--exit-code"]).success();
    let before = object(release.name(), "deployment/app")["metadata"]["resourceVersion"].clone();

    release.deployment("3307", "");
    let output = release.run(&["plan", "--output", "json"]).success();
    let plan: Value = serde_json::from_str(&output.stdout).unwrap();
    let changed: Vec<&Value> = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["action"] != "keep")
        .collect();
    assert_eq!(changed.len(), 1, "{plan}");
    let expected = serde_json::json!([{
        "path": "spec.template.spec.containers[app].env[DATABASE_PORT].value",
        "before": {"value": "3306"}, "after": {"value": "3307"},
    }]);
    assert_eq!(changed[0]["differences"], expected);
    assert_eq!(
        object(release.name(), "deployment/app")["metadata"]["resourceVersion"],
        before
    );
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_change_by_others_is_named_by_field_manager_and_time_and_can_be_taken_over() {
    let release = Release::with_deployment("plan-conflict");
    release.run(&["apply"]).success();
    let patch = r#"{"spec":{"replicas":1,"paused":true}}"#;
    let theirs = [
        "--namespace",
        release.name(),
        "patch",
        "deployment",
        "app",
        "--type=merge",
        "--field-manager=kubectl-edit",
    ];
    kubectl(&[&theirs as &[&str], &["--patch", patch]].concat()).success();
    let output = release.run(&["plan"]);
    output.failure(
        2,
        &[
            "DT0201",
            "Deployment `app`: spec.replicas set by \"kubectl-edit\", 20",
            " ago)",
            "--take-over",
        ],
    );

    let output = release.run(&["plan", "--take-over"]).success();
    assert!(
        output.stdout.contains("takes spec.replicas over from \"kubectl-edit\""),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains("spec.replicas: 1 → 0"), "{}", output.stdout);
    assert_eq!(
        object(release.name(), "deployment/app")["spec"]["replicas"],
        1,
        "a plan writes nothing"
    );
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_field_that_never_changes_is_found_before_the_first_write() {
    let release = Release::with_deployment("plan-immutable");
    release.run(&["apply"]).success();
    release.write(
        "config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: later}\n",
    );
    let text = std::fs::read_to_string(release.path("app.yaml")).unwrap();
    release.write("app.yaml", &text.replace("app: app", "app: other"));
    release.run(&["apply"]).failure(
        1,
        &[
            "DT0203",
            &format!("kubectl delete deployment app --namespace {}", release.name()),
        ],
    );
    let later = kubectl(&["--namespace", release.name(), "get", "configmap", "later"]);
    assert_ne!(later.code, 0, "something was written");
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_saved_plan_is_applied_exactly_and_refused_once_something_has_changed() {
    let release = Release::with_deployment("plan-saved");
    release.run(&["apply"]).success();
    release.deployment("3307", "");
    let file = release.path("plan.saved");
    release.run(&["plan", "--save", &file]).success();
    // What the manifests say by now does not matter.
    release.deployment("3308", "");
    deploy_tool(&["apply", "--plan", &file]).success();
    let port = |expected: &str| {
        let live = object(release.name(), "deployment/app");
        assert_eq!(
            live["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"],
            expected
        );
    };
    port("3307");

    release.run(&["plan", "--save", &file]).success();
    kubectl(&["--namespace", release.name(), "label", "deployment", "app", "by=hand"]).success();
    deploy_tool(&["apply", "--plan", &file]).failure(2, &["DT0207", "Deployment `app` has been changed since"]);
    port("3307");
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_kind_and_an_object_of_it_in_one_folder_on_the_first_try() {
    let release = Release::new("plan-kinds");
    let group = unique("plan") + ".example.com";
    let schema = "{type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}";
    release.write(
        "widget.yaml",
        &format!(
            "apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: w}}\nspec: {{size: 3}}\n---\n\
             apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: widgets.{group}}}\n\
             spec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: Widget, plural: widgets}}\n  \
             versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {schema}}}}}]\n"
        ),
    );
    let applied = release.run(&["apply"]);
    let widgets = format!("widgets.{group}");
    let found = kubectl(&[
        "--namespace",
        release.name(),
        "get",
        &widgets,
        "w",
        "--output",
        "jsonpath={.spec.size}",
    ]);
    let again = release.run(&["plan", "--exit-code"]);
    kubectl(&["delete", "crd", &widgets, "--wait=false"]);
    applied.success();
    assert_eq!(found.success().stdout, "3");
    again.success();

    release.write(
        "widget.yaml",
        "apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: w}\n",
    );
    release
        .run(&["plan"])
        .failure(1, &["DT0101", "`apiVersion: apps/v1` and `kind: Deployment`"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_user_without_rights_gets_the_whole_list_before_anything_is_written() {
    let release = Release::with_deployment("plan-rights");
    release.run(&["apply"]).success();
    release.write(
        "config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: later}\n",
    );
    kubectl(&["--namespace", release.name(), "create", "serviceaccount", "reader"]).success();
    let may = "--clusterrole=view";
    let account = format!("--serviceaccount={}:reader", release.name());
    kubectl(&[
        "--namespace",
        release.name(),
        "create",
        "rolebinding",
        "reader",
        may,
        &account,
    ])
    .success();
    let token = kubectl(&["--namespace", release.name(), "create", "token", "reader"])
        .success()
        .stdout;
    let kubeconfig = as_user(&release, token.trim());

    let folder = release.folder.path().to_str().unwrap();
    let arguments = [
        "apply",
        "--context",
        "reader",
        "--manifests",
        folder,
        "--namespace",
        release.name(),
    ];
    let output = deploy_tool_command(&arguments)
        .env("KUBECONFIG", kubeconfig)
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    for part in [
        "DT0204",
        "configmaps",
        &format!("create, patch  in namespace {}", release.name()),
        "secrets",
        "kind: Role",
    ] {
        assert!(message.contains(part), "it does not say `{part}`:\n{message}");
    }
    let later = kubectl(&["--namespace", release.name(), "get", "configmap", "later"]);
    assert_ne!(later.code, 0, "something was written");
}

/// A kubeconfig for the cluster under test with one context, `reader`.
fn as_user(release: &Release, token: &str) -> String {
    let output = Command::new("docker")
        .args(["port", &format!("{}-control-plane", cluster()), "6443/tcp"])
        .output()
        .unwrap();
    let address = String::from_utf8(output.stdout).unwrap();
    let address = address
        .lines()
        .next()
        .expect("the API server is reached through a port of this host");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: reader\n\
         clusters: [{{name: c, cluster: {{server: 'https://{address}', insecure-skip-tls-verify: true}}}}]\n\
         users: [{{name: u, user: {{token: {token}}}}}]\ncontexts: [{{name: reader, context: {{cluster: c, user: u}}}}]\n"
    );
    release.write("kubeconfig", &text);
    release.path("kubeconfig")
}
