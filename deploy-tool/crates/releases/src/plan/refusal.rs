//! Pure: what it means that the server refuses to apply an object.

use kube::core::Status;

use crate::manifest::Object;
use cluster::permission::is_missing_permission;
use diagnostics::Failure;
use diagnostics::code;

/// Why an object is refused, conflicts aside, and what to do about it.
pub fn refused(object: &Object, status: &Status) -> Failure {
    let what = format!("cannot apply {} from {}", object.title(), object.place());
    let message = status.message.as_str();
    let says = |part: &str| message.contains(part);
    if is_missing_permission(status) {
        return Failure::cluster(what)
            .code(&code::apply::PERMISSION_MISSING)
            .because(message)
            .next("use a context whose user may do this");
    }
    if says("being terminated") {
        return Failure::cluster(what)
            .code(&code::apply::NAMESPACE_MISSING)
            .because(message)
            .next("wait until it is gone, then run the same command again");
    }
    if status.code == 404 && says("namespaces \"") {
        return Failure::input(what)
            .code(&code::apply::NAMESPACE_MISSING)
            .because(message)
            .next("add a manifest of the Namespace, or name another namespace with --namespace");
    }
    if status.code == 422 && is_immutable(message) {
        return Failure::input(what)
            .code(&code::apply::IMMUTABLE_FIELD)
            .because(message)
            .next(way_out(object));
    }
    // A field that the schema does not know comes as an internal error, or as one of decoding.
    // https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
    if says("field not declared in schema") || says("unknown field") {
        return Failure::input(what).code(&code::input::UNKNOWN_FIELD).because(message);
    }
    if says("admission webhook") || status.code == 403 {
        return Failure::cluster(what)
            .code(&code::apply::ADMISSION_REFUSED)
            .because(message);
    }
    if matches!(status.code, 400 | 422) || says("failed to create typed patch object") {
        return Failure::input(what).code(&code::input::INVALID_OBJECT).because(message);
    }
    Failure::cluster(what).because(message)
}

/// A webhook that has effects beyond its answer is not asked in a dry run, and the server refuses the whole request.
/// <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#side-effects>
pub fn cannot_be_tried(status: &Status) -> bool {
    status.message.contains("does not support dry run")
}

fn is_immutable(message: &str) -> bool {
    ["immutable", "updates to statefulset spec", "may not change once set"]
        .iter()
        .any(|part| message.contains(part))
}

/// The way that loses the least.
fn way_out(object: &Object) -> String {
    let (kind, name) = (object.kind().to_ascii_lowercase(), object.name());
    let namespace = object.namespace().map(|namespace| format!(" --namespace {namespace}"));
    let namespace = namespace.unwrap_or_default();
    match object.kind() {
        "StatefulSet" => format!(
            "undo the change, or let the set be made anew around its pods, which keep running and keep their data:\n\
             `kubectl delete statefulset {name}{namespace} --cascade=orphan`, then run the same command again"
        ),
        "Job" => format!(
            "give the Job another name, or remove the one that has run:\n`kubectl delete job {name}{namespace}`, then run the \
             same command again"
        ),
        "PersistentVolumeClaim" => {
            "undo the change: only the size of a bound claim can grow; its data would have to be copied to a new claim"
                .into()
        }
        "Deployment" | "DaemonSet" | "ReplicaSet" => format!(
            "undo the change, give it another name, or let it be made anew, with its pods stopped in between:\n\
             `kubectl delete {kind} {name}{namespace}`, then run the same command again"
        ),
        _ => format!(
            "undo the change, or let the object be made anew: `kubectl delete {kind} {name}{namespace}`, then run the same \
             command again"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::parse;
    use diagnostics::ExitStatus;

    fn refusal(kind: &str, code: u16, message: &str) -> Failure {
        let text = format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: app, namespace: shop}}\n");
        let status = Status {
            code,
            message: message.into(),
            ..Status::default()
        };
        refused(&parse("m.yaml", &text).unwrap()[0], &status)
    }

    #[test]
    fn each_refusal_has_its_number_its_exit_code_and_a_way_out() {
        // Messages of Kubernetes 1.36.
        let cases = [
            (
                "Deployment",
                500,
                "failed to create typed patch object (shop/app; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema",
                Some(102),
                ExitStatus::Input,
                ".spec.replica",
            ),
            (
                "Deployment",
                422,
                "Deployment.apps \"app\" is invalid: spec.selector: Invalid value: {}: field is immutable",
                Some(203),
                ExitStatus::Input,
                "kubectl delete deployment app --namespace shop",
            ),
            (
                "StatefulSet",
                422,
                "StatefulSet.apps \"app\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
                Some(203),
                ExitStatus::Input,
                "--cascade=orphan",
            ),
            (
                "Service",
                422,
                "Service \"app\" is invalid: spec.clusterIPs[0]: Invalid value: [\"None\"]: may not change once set",
                Some(203),
                ExitStatus::Input,
                "kubectl delete service app",
            ),
            (
                "Deployment",
                422,
                "Deployment.apps \"app\" is invalid: spec.replicas: Invalid value: -1",
                Some(103),
                ExitStatus::Input,
                "spec.replicas",
            ),
            (
                "Pod",
                403,
                "pods \"app\" is forbidden: exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0",
                Some(205),
                ExitStatus::Cluster,
                "exceeded quota",
            ),
            (
                "Pod",
                400,
                "admission webhook \"x.y\" denied the request: no",
                Some(205),
                ExitStatus::Cluster,
                "denied",
            ),
            (
                "Secret",
                403,
                "secrets \"app\" is forbidden: unable to create new content in namespace shop because it is being terminated",
                Some(206),
                ExitStatus::Cluster,
                "wait until it is gone",
            ),
            (
                "Secret",
                404,
                "namespaces \"shop\" not found",
                Some(206),
                ExitStatus::Input,
                "--namespace",
            ),
            (
                "Secret",
                500,
                "etcdserver: request timed out",
                None,
                ExitStatus::Cluster,
                "etcdserver",
            ),
        ];
        for (kind, status, message, number, exit, part) in cases {
            let failure = refusal(kind, status, message);
            assert_eq!(failure.number().map(|code| code.number), number, "{failure}");
            assert_eq!(failure.status, exit, "{failure}");
            let text = failure.to_string();
            assert!(text.contains(part) && text.contains("from m.yaml:1"), "{text}");
        }
    }
}
