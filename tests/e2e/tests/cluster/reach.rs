//! Whatever `kubectl` reaches: by users with few rights, without Docker, and from a pod.

use std::process::Command;

use crate::harness::{
    CommandOutput, Namespace, cluster, context, deploy_tool_command, eventually, kubectl, kubectl_with_input,
};

const IMAGE: &str = "docker.io/library/mariadb:11.8";

/// What the revisions of a release and its pods take.
const BASE: &str = r#"
- {apiGroups: [""], resources: [secrets], verbs: [get, list, create, patch, delete]}
- {apiGroups: [""], resources: [pods, pods/log], verbs: [get, list, watch]}"#;

/// A namespace, and a user who may do in it what the rules say.
struct User {
    namespace: Namespace,
    folder: tempfile::TempDir,
}

impl User {
    fn with(purpose: &str, rules: &str) -> Self {
        let namespace = Namespace::create(purpose, &[]);
        let user = Self {
            folder: tempfile::tempdir().unwrap(),
            namespace,
        };
        let name = &user.namespace.name;
        let objects = format!(
            "apiVersion: v1
kind: ServiceAccount
metadata: {{name: ci, namespace: {name}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: ci, namespace: {name}}}
rules:{BASE}{rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: ci, namespace: {name}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: ci}}
subjects: [{{kind: ServiceAccount, name: ci, namespace: {name}}}]
"
        );
        kubectl_with_input(&["apply", "--filename", "-"], &objects).success();
        let token = kubectl(&["--namespace", name, "create", "token", "ci"])
            .success()
            .stdout;
        let address = Command::new("docker")
            .args(["port", &format!("{}-control-plane", cluster()), "6443/tcp"])
            .output()
            .unwrap();
        let address = String::from_utf8(address.stdout).unwrap();
        let text = format!(
            "clusters: [{{name: c, cluster: {{server: 'https://{}', insecure-skip-tls-verify: true}}}}]\n\
             users: [{{name: u, user: {{token: {}}}}}]\ncontexts: [{{name: ci, context: {{cluster: c, user: u}}}}]\n",
            address.lines().next().unwrap(),
            token.trim()
        );
        std::fs::write(user.folder.path().join("config"), text).unwrap();
        user
    }

    fn write(&self, text: &str) {
        std::fs::write(self.folder.path().join("manifest.yaml"), text).unwrap();
    }

    fn run(&self, verb: &str, more: &[&str]) -> CommandOutput {
        let manifest = self.folder.path().join("manifest.yaml");
        let mut command = deploy_tool_command(&[verb, "--context", "ci", "-n", &self.namespace.name]);
        command.args(more).env("KUBECONFIG", self.folder.path().join("config"));
        if verb == "apply" {
            command.arg("-f").arg(manifest);
        }
        CommandOutput::from(command.output().unwrap())
    }
}

fn template(command: &str) -> String {
    format!(
        "{{metadata: {{labels: {{a: b}}}}, spec: {{terminationGracePeriodSeconds: 0, containers: [{{name: a, image: \"{IMAGE}\", command: {command}}}]}}}}"
    )
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn the_rights_for_a_job_are_enough_for_a_job() {
    let user = User::with(
        "rights-job",
        "\n- {apiGroups: [batch], resources: [jobs], verbs: [get, list, watch, create, patch, delete]}",
    );
    let template = template("[\"true\"]").replace("spec: {", "spec: {restartPolicy: Never, ");
    user.write(&format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: one}}\nspec: {{template: {template}}}\n"
    ));
    user.run("apply", &[]).success();
    let shown = user.run("status", &[]).success();
    assert!(shown.stdout.contains("Job/one"), "{}", shown.stdout);
    assert!(shown.stderr.contains("the services are not shown"), "{}", shown.stderr);
    user.run("down", &[]).success();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_cannot_be_watched_is_refused_before_anything_is_written_and_deleted_all_the_same() {
    let rule = "\n- {apiGroups: [apps], resources: [daemonsets], verbs: [get, create, patch, delete";
    let user = User::with("rights-set", &format!("{rule}]}}"));
    let manifest = format!(
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: each}}\nspec: {{selector: {{matchLabels: {{a: b}}}}, template: {}}}\n",
        template("[sleep, infinity]")
    );
    user.write(&manifest);
    user.run("apply", &[]).failure(
        2,
        &["DT0204", "daemonsets.apps  list, watch", "nothing has been written"],
    );
    let name = user.namespace.name.clone();
    assert_ne!(kubectl(&["--namespace", &name, "get", "daemonset", "each"]).code, 0);

    // With the right to watch it comes up; without it, it can still be deleted.
    let role = |verbs: &str| {
        let patch = format!("[{{\"op\": \"replace\", \"path\": \"/rules/2/verbs\", \"value\": [{verbs}]}}]");
        kubectl(&[
            "--namespace",
            &name,
            "patch",
            "role",
            "ci",
            "--type=json",
            "--patch",
            &patch,
        ])
        .success();
    };
    role(r#""get", "create", "patch", "delete", "list", "watch""#);
    eventually("the right has come", || {
        (user.run("apply", &[]).code == 0).then_some(())
    });
    role(r#""get", "create", "patch", "delete""#);
    user.run("down", &["--timeout", "120s"]).success();
    assert_ne!(kubectl(&["--namespace", &name, "get", "daemonset", "each"]).code, 0);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn without_docker_what_the_api_server_knows_is_shown_and_applied() {
    let namespace = Namespace::create("no-docker", &[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.yaml");
    let manifest = format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{type: NodePort, selector: {{a: b}}, ports: [{{port: 80}}]}}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec: {{selector: {{matchLabels: {{a: b}}}}, template: {}}}\n",
        template("[sleep, infinity]")
    );
    std::fs::write(&path, manifest).unwrap();
    let context = context();
    let run = |arguments: &[&str]| {
        let mut command = deploy_tool_command(arguments);
        command.args(["--context", &context, "-n", &namespace.name]);
        CommandOutput::from(command.env("DOCKER_HOST", "tcp://127.0.0.1:1").output().unwrap())
    };
    run(&["apply", "-f", path.to_str().unwrap()]).success();
    let shown = run(&["status"]).success();
    for part in ["Deployment/d", "1 of 1 ready", "Service/s", "mariadb:11.8", "http://"] {
        assert!(shown.stdout.contains(part), "`{part}` is missing:\n{}", shown.stdout);
    }
    assert!(shown.stderr.contains("is not known"), "{}", shown.stderr);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_short_image_name_is_the_image_that_is_there() {
    let namespace = Namespace::create("short", &[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.yaml");
    let context = context();
    let apply = |image: &str| {
        let manifest = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec: {{selector: {{matchLabels: {{a: b}}}}, template: {}}}\n",
            template("[sleep, infinity]").replace(IMAGE, image)
        );
        std::fs::write(&path, manifest).unwrap();
        let arguments = [
            "apply",
            "--context",
            &context,
            "-n",
            &namespace.name,
            "-f",
            path.to_str().unwrap(),
        ];
        CommandOutput::from(deploy_tool_command(&arguments).output().unwrap())
            .success()
            .stderr
    };
    apply(IMAGE);
    let output = apply("mariadb:11.8");
    assert!(output.contains("unchanged") && !output.contains("loaded"), "{output}");
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_namespace_that_is_not_there_is_told_from_an_empty_one() {
    let empty = Namespace::create("empty", &[]);
    let context = context();
    let status = |namespace: &str| {
        let command = &mut deploy_tool_command(&["-n", namespace, "status", "--context", &context]);
        CommandOutput::from(command.output().unwrap()).success().stdout
    };
    // Each namespace gets a ConfigMap and a ServiceAccount by itself: neither is shown.
    assert!(status(&empty.name).contains(&format!("no pods in namespace `{}`", empty.name)));
    assert!(status("not-there").contains("has no namespace `not-there`"));
}

/// The tool runs in a pod, from a folder of its node, without any kubeconfig.
#[test]
#[ignore = "needs a cluster, see main.rs"]
fn in_a_pod_the_cluster_around_is_meant() {
    let user = User::with("in-cluster", "");
    let name = &user.namespace.name;
    let nodes = Command::new("docker")
        .args([
            "ps",
            "--filter",
            &format!("label=io.x-k8s.kind.cluster={}", cluster()),
            "--format",
            "{{.Names}}",
        ])
        .output()
        .unwrap();
    let tool = deploy_tool_command(&[]).get_program().to_owned();
    for node in String::from_utf8(nodes.stdout).unwrap().lines() {
        let made = Command::new("docker")
            .args(["exec", node, "mkdir", "-p", "/opt/deploy-tool-test"])
            .status();
        assert!(made.unwrap().success());
        let copied = Command::new("docker")
            .arg("cp")
            .arg(&tool)
            .arg(format!("{node}:/opt/deploy-tool-test/deploy-tool"))
            .status();
        assert!(copied.unwrap().success());
    }
    let pod = format!(
        "apiVersion: v1
kind: Pod
metadata: {{name: tool, namespace: {name}}}
spec:
  serviceAccountName: ci
  restartPolicy: Never
  containers:
  - name: tool
    image: {IMAGE}
    command: [/tool/deploy-tool, status, -n, {name}]
    volumeMounts: [{{name: tool, mountPath: /tool}}]
  volumes: [{{name: tool, hostPath: {{path: /opt/deploy-tool-test}}}}]
"
    );
    kubectl_with_input(&["apply", "--filename", "-"], &pod).success();
    let phase = eventually("the pod has ended", || {
        let output = kubectl(&[
            "--namespace",
            name,
            "get",
            "pod",
            "tool",
            "--output",
            "jsonpath={.status.phase}",
        ]);
        matches!(output.stdout.as_str(), "Succeeded" | "Failed").then_some(output.stdout)
    });
    let log = kubectl(&["--namespace", name, "logs", "tool"]).success();
    let output = format!("{}{}", log.stdout, log.stderr);
    assert_eq!(phase, "Succeeded", "{output}");
    assert!(output.contains("tool") && output.contains("POD"), "{output}");
}
