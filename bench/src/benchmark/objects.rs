//! The objects of a run: a namespace, a database, and for each variant a Deployment behind a port of the nodes.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Service};
use serde_json::{Error, Value, from_value, json};

use super::{Plan, Variant};
use oci_artifacts::image::{VARIANT, VARIANT_ANNOTATION};

/// Tells the namespace of a run from one of somebody else.
pub const LABEL: (&str, &str) = ("deploy-tool.dev/bench", "run");
/// The label by which a variant's pods are found.
pub const VARIANT_LABEL: &str = "deploy-tool.dev/variant";
/// The database's name, and that of its objects.
pub const DATABASE: &str = "mariadb";
/// Its image: the demonstration's.
pub const DATABASE_IMAGE: &str = "docker.io/library/mariadb:11.8";
/// For this one run, inside the cluster.
const USER: &str = "bench";
const PASSWORD: &str = "bench";

/// A Deployment, and the Service in front of it.
#[derive(Clone, Debug)]
pub struct Served {
    /// What runs.
    pub deployment: Deployment,
    /// How it is reached.
    pub service: Service,
}

/// The namespace.
///
/// # Errors
/// Never: a test makes one.
pub fn namespace(name: &str) -> Result<Namespace, Error> {
    from_value(json!({"metadata": {"name": name, "labels": {
        LABEL.0: LABEL.1, "pod-security.kubernetes.io/enforce": "restricted",
    }}}))
}

/// The database, with one database for each variant, on the node that all run on. Its files go with it.
///
/// # Errors
/// Never: a test makes one.
pub fn database(variants: &[Variant], node: &str) -> Result<Served, Error> {
    let create = variants
        .iter()
        .map(|variant| format!("CREATE DATABASE IF NOT EXISTS `{}`;", variant.name));
    let statements = format!(
        "{} CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO {USER}@'%';",
        create.collect::<String>()
    );
    // It has started as soon as there is a database for everybody, and it listens: the image's first server does not.
    let started = format!(
        "mariadb --user=root --password={PASSWORD} --execute \"$1\" && \
         exec mariadb-admin --protocol=tcp --host=127.0.0.1 --user={USER} --password={PASSWORD} status"
    );
    let container = json!({
        "name": DATABASE, "image": DATABASE_IMAGE, "imagePullPolicy": "IfNotPresent",
        "args": ["--max-connections=400", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=2"],
        "env": [{"name": "MARIADB_ROOT_PASSWORD", "value": PASSWORD}, {"name": "MARIADB_ROOT_HOST", "value": "localhost"}],
        "ports": [{"name": "mysql", "containerPort": 3306}],
        "startupProbe": {"exec": {"command": ["sh", "-c", started, "sh", statements]},
            "periodSeconds": 1, "timeoutSeconds": 5, "failureThreshold": 180},
        "securityContext": confined(),
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "volumeMounts": [{"name": "data", "mountPath": "/var/lib/mysql"}, {"name": "run", "mountPath": "/run/mysqld"},
            {"name": "tmp", "mountPath": "/tmp"}],
    });
    let pod = json!({
        "automountServiceAccountToken": false, "enableServiceLinks": false, "nodeName": node,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsNonRoot": true, "runAsUser": 999, "runAsGroup": 999, "fsGroup": 999,
            "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "run", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}],
    });
    served(
        DATABASE,
        1,
        &json!({}),
        &pod,
        &json!({"clusterIP": "None", "ports": [{"port": 3306, "targetPort": "mysql"}]}),
    )
}

/// A variant without pods. But for image and RuntimeClass, all are the same, and as in manifests/app.yaml.
///
/// # Errors
/// Never: a test makes one.
pub fn served_variant(
    variant: &Variant,
    image: &str,
    namespace: &str,
    node: &str,
    plan: &Plan,
) -> Result<Served, Error> {
    let probe = |path: &str, period: u32, failures: u32| {
        json!({"httpGet": {"path": path, "port": "http"}, "periodSeconds": period, "timeoutSeconds": 5,
            "failureThreshold": failures})
    };
    let variable = |name: &str, value: String| json!({"name": name, "value": value});
    let container = json!({
        "name": "app", "image": image, "imagePullPolicy": "IfNotPresent",
        "env": [
            variable("DATABASE_URL", format!("mysql://{USER}:{PASSWORD}@{DATABASE}.{namespace}.svc.cluster.local.:3306/{}", variant.name)),
            variable("LOG", "off".to_owned()),
        ],
        "ports": [{"name": "http", "containerPort": 8080}],
        "startupProbe": probe("/healthz", 1, 60),
        "readinessProbe": probe("/readyz", 2, 2),
        "livenessProbe": probe("/healthz", 10, 6),
        "lifecycle": {"preStop": {"sleep": {"seconds": plan.drain_seconds}}},
        "securityContext": confined(),
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "192Mi"}},
    });
    let pod = json!({
        "runtimeClassName": variant.runtime_class,
        "automountServiceAccountToken": false, "enableServiceLinks": false,
        "terminationGracePeriodSeconds": plan.drain_seconds + 5,
        "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"}},
        // Not by `nodeName`: that a pod is scheduled is where its time begins.
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]},
        ]}}},
        "containers": [container],
    });
    let service = json!({"type": "NodePort", "ports": [{"port": 80, "targetPort": "http"}]});
    served(&variant.name, 0, &json!({VARIANT_ANNOTATION: VARIANT}), &pod, &service)
}

/// The client in the database's container, with a statement.
pub fn sql(statement: &str) -> [String; 5] {
    [
        "mariadb".to_owned(),
        "--user=root".to_owned(),
        format!("--password={PASSWORD}"),
        "--execute".to_owned(),
        statement.to_owned(),
    ]
}

fn confined() -> Value {
    json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}})
}

fn served(name: &str, replicas: i32, annotations: &Value, pod: &Value, service: &Value) -> Result<Served, Error> {
    let labels = json!({VARIANT_LABEL: name});
    let mut service = json!({"metadata": {"name": name}, "spec": service});
    service["spec"]["selector"] = labels.clone();
    Ok(Served {
        deployment: from_value(json!({
            "metadata": {"name": name},
            "spec": {
                "replicas": replicas,
                "revisionHistoryLimit": 0,
                "selector": {"matchLabels": labels},
                "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": pod},
            },
        }))?,
        service: from_value(service)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::variants;

    #[test]
    fn variants_differ_in_name_image_and_runtime_class_alone() {
        let all = variants(&["tuned".into(), "stock".into()]);
        let text = |variant: &Variant| {
            let image = format!("image-of-{}", variant.name);
            let served = served_variant(variant, &image, "bench", "node", &Plan::QUICK).unwrap();
            let text = serde_json::to_string(&served.deployment).unwrap();
            text.replace(&image, "IMAGE")
                .replace(&variant.name, "NAME")
                .replace(&variant.runtime_class, "CLASS")
        };
        let texts: std::collections::BTreeSet<String> = all.iter().map(text).collect();
        assert_eq!(texts.len(), 1, "{texts:#?}");
        assert!(database(&all, "node").is_ok() && namespace("bench").is_ok());
    }
}
