//! docs/roads/tls.yaml: the orders service with TLS as a pod, beside a MariaDB that takes nothing else.

use serde_json::json;
use service_tests::certificates::Certificates;

use crate::harness::{Deployment, kubectl, kubectl_with_input, repository};

/// The manifest with what the page adds to it.
fn with_tls(app: &str) -> String {
    let patch = std::fs::read_to_string(repository().join("docs/roads/tls.yaml")).unwrap();
    let (deployment, others) = app.split_once("\n---\n").unwrap();
    let arguments = ["patch", "--local", "--filename=-", "--output=yaml", "--patch", &patch];
    let patched = kubectl_with_input(&arguments, deployment).success();
    format!("{}---\n{others}", patched.stdout)
}

#[test]
#[ignore = "needs a cluster, see main.rs"]
fn pods_reach_a_database_that_asks_for_tls() {
    let deployment = Deployment::new("tls", |name, text| {
        Some(match name {
            "app.yaml" => with_tls(&text),
            "mariadb.yaml" => text
                .replace(
                    "        args:\n",
                    "        args:\n        - --ssl-cert=/tls/server.crt\n        - --ssl-key=/tls/server.key\n        \
                     - --require-secure-transport=ON\n",
                )
                .replace(
                    "        volumeMounts:\n",
                    "        volumeMounts:\n        - name: tls\n          mountPath: /tls\n",
                )
                .replace(
                    "      volumes:\n",
                    "      volumes:\n      - name: tls\n        secret:\n          secretName: database-tls\n",
                ),
            _ => text,
        })
    });
    let namespace = &deployment.namespace.name;
    let host = format!("mariadb.{namespace}.svc.cluster.local");
    let certificates = Certificates::make_for(&format!("DNS:{host}"));
    let file = |name: &str| std::fs::read_to_string(certificates.path(name)).unwrap();
    let secret = |name: &str, data: serde_json::Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "stringData": data});
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        secret("database-tls", json!({"server.crt": file("good.crt"), "server.key": file("good.key")})),
        secret("database-ca", json!({"ca.crt": file("ca.crt")})),
    ]});
    kubectl_with_input(&["create", "--filename=-"], &objects.to_string()).success();

    let (output, _) = deployment.up();
    let output = output.success();
    let path = format!("/api/v1/namespaces/{namespace}/services/app:http/proxy/orders");
    assert_eq!(
        kubectl(&["get", "--raw", &path]).success().stdout.trim(),
        "[]",
        "{}",
        output.stderr
    );
    let log = kubectl(&["--namespace", namespace, "logs", "deployment/app"])
        .success()
        .stdout;
    assert!(log.contains("(wasm, aot)"), "{log}");
}
