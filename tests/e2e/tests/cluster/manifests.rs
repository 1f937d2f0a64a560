//! Manifests as people have them: lists, exported objects, new namespaces, webhooks of the release itself.

use std::process::Command;

use crate::harness::{CommandOutput, Namespace, deploy_tool, kubectl, kubectl_with_input, unique};

const IMAGE: &str = "docker.io/library/mariadb:11.8";

/// A namespace that no other test has, and a folder of manifests for it.
struct Release {
    namespace: Namespace,
    folder: tempfile::TempDir,
}

impl Release {
    fn new(purpose: &str) -> Self {
        Self {
            namespace: Namespace::named(purpose),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn name(&self) -> &str {
        &self.namespace.name
    }

    /// Writes a file; `NAMESPACE` stands for the namespace's name, `IMAGE` for an image that the nodes have.
    fn write(&self, name: &str, text: &str) {
        let text = text.replace("NAMESPACE", self.name()).replace("IMAGE", IMAGE);
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&self, arguments: &[&str]) -> CommandOutput {
        let folder = self.folder.path().to_str().unwrap();
        deploy_tool(&[arguments, &["--manifests", folder, "--namespace", self.name()]].concat())
    }

    /// The names of objects of some kinds in the namespace.
    fn names(&self, kinds: &str) -> Vec<String> {
        let output = kubectl(&["--namespace", self.name(), "get", kinds, "--output", "name"]).success();
        let mut names: Vec<String> = output.stdout.lines().map(str::to_owned).collect();
        // The controllers' own.
        names.retain(|name| name != "configmap/kube-root-ca.crt");
        names
    }
}

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: NAMESPACE}\n";

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn lists_and_empty_namespaces_are_read_as_by_kubectl() {
    let release = Release::new("lists");
    release.write("a.yaml", NAMESPACE);
    release.write(
        "lists.yaml",
        "apiVersion: v1\nkind: ConfigMapList\nitems:\n- {metadata: {name: one, namespace: ''}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}\n\
         ---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: three}}]}\n\
         ---\n{apiVersion: v1, kind: List}\n",
    );
    release.run(&["apply"]).success();
    assert_eq!(
        release.names("configmap"),
        ["configmap/one", "configmap/three", "configmap/two"]
    );
    release.run(&["plan", "--exit-code"]).success();
    // One with the namespace of the release, and one without: the same object.
    release.write(
        "twin.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: NAMESPACE}\n",
    );
    release
        .run(&["plan"])
        .failure(1, &["DT0108", "lists.yaml:4", "twin.yaml:1"]);
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_goes_into_a_new_namespace_is_checked_before_any_of_it_is_written() {
    let release = Release::new("half");
    release.write("a.yaml", NAMESPACE);
    release.write(
        "good.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\ndata: {a: b}\n",
    );
    let bad = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bad}\nspec:\n  replicas: 0\n  selector: {matchLabels: {app: bad}}\n  \
        template:\n    metadata: {labels: {app: bad}}\n    spec:\n      containers: [{name: a, image: 'IMAGE', comand: [sleep]}]\n";
    release.write("bad.yaml", bad);
    release.run(&["plan"]).success();
    release.run(&["apply"]).failure(1, &["DT0102", "comand", "bad.yaml:1"]);
    let written = release.names("configmap,deployment,secret");
    assert_eq!(written, [] as [&str; 0], "half a release");

    release.write("bad.yaml", &bad.replace("comand", "command"));
    release.run(&["apply"]).success();
    release.run(&["plan", "--exit-code"]).success();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn what_cannot_be_changed_is_told_of_all_objects_in_one_run() {
    let release = Release::new("fixed");
    let class = unique("fixed");
    let objects = |role: &str, value: &str, seconds: &str| {
        format!(
            "{NAMESPACE}---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: binding}}\n\
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}\n\
             subjects: [{{kind: ServiceAccount, name: default, namespace: NAMESPACE}}]\n---\n\
             apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {{name: {class}}}\nvalue: {value}\n---\n\
             apiVersion: v1\nkind: Pod\nmetadata: {{name: bare}}\n\
             spec: {{terminationGracePeriodSeconds: 0, containers: [{{name: a, image: 'IMAGE', command: [sleep, '{seconds}']}}]}}\n"
        )
    };
    release.write("a.yaml", &objects("view", "10", "99999"));
    release.run(&["apply"]).success();
    release.write("a.yaml", &objects("edit", "20", "99998"));
    let output = release.run(&["plan"]);
    let again = kubectl(&["delete", "priorityclass", &class]);
    output.failure(
        1,
        &[
            "DT0203",
            "refuses 3 objects",
            "kubectl delete rolebinding binding --namespace",
            &format!("kubectl delete priorityclass {class}"),
            "kubectl delete pod bare --namespace",
        ],
    );
    again.success();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn exported_objects_can_be_applied() {
    let release = Release::new("exported");
    release.write("a.yaml", NAMESPACE);
    release.write(
        "objects.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {key: value}\n---\n\
         apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {app: a}, ports: [{port: 80}]}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  replicas: 0\n  selector: {matchLabels: {app: a}}\n  \
         template:\n    metadata: {labels: {app: a}}\n    spec: {containers: [{name: a, image: 'IMAGE'}]}\n",
    );
    release.run(&["apply"]).success();
    let exported = kubectl(&[
        "--namespace",
        release.name(),
        "get",
        "configmap/a",
        "service/a",
        "deployment/a",
        "--output",
        "yaml",
        "--show-managed-fields",
    ]);
    release.write("objects.yaml", &exported.success().stdout);
    release.run(&["apply"]).success();
    release.run(&["plan", "--exit-code"]).success();
    // On another cluster the address may be taken.
    kubectl(&["delete", "namespace", release.name()]).success();
    release.run(&["apply"]).success();
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn a_webhook_of_the_release_does_not_stand_in_its_own_way() {
    let release = Release::new("hooked");
    let webhook = format!("{}.example.com", unique("hook"));
    let objects = |command: &str, host: &str| {
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: NAMESPACE, labels: {{hooked: NAMESPACE}}}}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: hook}}\nspec:\n  selector: {{matchLabels: {{app: hook}}}}\n  \
             template:\n    metadata: {{labels: {{app: hook}}}}\n    spec:\n      terminationGracePeriodSeconds: 0\n      \
             containers: [{{name: a, image: 'IMAGE', command: {command}}}]\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: {{name: hook}}\nspec: {{selector: {{app: hook}}, ports: [{{port: 443, targetPort: 9443}}]}}\n---\n\
             apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: {webhook}}}\nwebhooks:\n\
             - name: {webhook}\n  failurePolicy: Fail\n  sideEffects: None\n  admissionReviewVersions: [v1]\n  timeoutSeconds: 5\n  \
             namespaceSelector: {{matchLabels: {{hooked: NAMESPACE}}}}\n  \
             rules: [{{apiGroups: [networking.k8s.io], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [ingresses]}}]\n  \
             clientConfig: {{service: {{namespace: NAMESPACE, name: hook, path: /check}}}}\n---\n\
             apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: shop}}\n\
             spec: {{rules: [{{host: {host}, http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: hook, port: {{number: 443}}}}}}}}]}}}}]}}\n"
        )
    };
    release.write("a.yaml", &objects("[sleep, infinity]", "one.example.com"));
    let first = release.run(&["apply"]);
    let again = release.run(&["plan", "--exit-code"]);
    // The webhook answers nothing, so what it checks cannot be changed; what would mend it can.
    release.write("a.yaml", &objects("[sh, -c, sleep infinity]", "two.example.com"));
    let plan = release.run(&["plan"]);
    let second = release.run(&["apply"]);
    let command = kubectl(&[
        "--namespace",
        release.name(),
        "get",
        "deployment",
        "hook",
        "--output",
        "jsonpath={.spec.template.spec.containers[0].command[0]}",
    ]);
    kubectl(&["delete", "validatingwebhookconfiguration", &webhook]).success();
    first.success();
    again.success();
    let plan = plan.success();
    assert!(
        plan.stdout
            .contains("its webhook, which is of this release, does not answer"),
        "{}",
        plan.stdout
    );
    second.failure(
        2,
        &["DT0210", &webhook, "Service `hook`", "kubectl get pods,endpointslices"],
    );
    assert_eq!(
        command.success().stdout,
        "sh",
        "what would mend the webhook was not applied"
    );
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn unsigned_images_are_found_in_every_kind() {
    let release = Release::new("unsigned");
    for arguments in [
        &[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
        ][..],
        &["pkey", "-pubout", "-in"],
    ] {
        let mut openssl = Command::new("openssl");
        openssl.args(arguments).arg(release.path("private.pem"));
        if arguments.contains(&"-pubout") {
            openssl.args(["-out", &release.path("public.pem")]);
        }
        CommandOutput::from(openssl.output().unwrap()).success();
    }
    let spec = "{containers: [{name: a, image: 'localhost/unsigned:1'}]}";
    let volume =
        "{containers: [{name: a, image: 'IMAGE'}], volumes: [{name: v, image: {reference: 'localhost/unsigned:1'}}]}";
    let cases = [
        ("v1", "Pod", format!("spec: {spec}")),
        ("v1", "PodTemplate", format!("template: {{spec: {spec}}}")),
        (
            "batch/v1",
            "CronJob",
            format!(
                "spec: {{schedule: '0 3 * * *', suspend: true, jobTemplate: {{spec: {{template: {{spec: {spec}}}}}}}}}"
            ),
        ),
        (
            "apps/v1",
            "Deployment",
            format!(
                "spec: {{replicas: 0, selector: {{matchLabels: {{a: b}}}}, template: {{metadata: {{labels: {{a: b}}}}, spec: {volume}}}}}"
            ),
        ),
    ];
    let key = release.path("public.pem");
    let require = ["apply", "--require-signature", &key, "--allow-unsigned", IMAGE];
    release.write("a.yaml", NAMESPACE);
    for (version, kind, rest) in cases {
        release.write(
            "object.yaml",
            &format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n{rest}\n"),
        );
        release.run(&require).failure(1, &["DT0716", "localhost/unsigned:1"]);
    }
    release.write(
        "object.yaml",
        "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: a}\n",
    );
    release
        .run(&require)
        .failure(1, &["DT0113", "--allow-unsigned Widget.example.com"]);
    let there = kubectl_with_input(
        &["get", "--ignore-not-found", "--output=name", "--filename=-"],
        &NAMESPACE.replace("NAMESPACE", release.name()),
    );
    assert_eq!(there.success().stdout, "", "something was written");
}
