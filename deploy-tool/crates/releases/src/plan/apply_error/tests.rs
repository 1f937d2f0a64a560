use super::*;
use crate::manifest::parse;

fn refusal(kind: &str, code: u16, message: &str) -> Error {
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
            "Secret",
            500,
            "failed to convert new object (shop/app; /v1, Kind=Secret) to proper version: unable to convert unstructured object to /v1, Kind=Secret: error decoding from json: illegal base64 data at input byte 3",
            Some(103),
            ExitStatus::Input,
            "illegal base64 data",
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
            "RoleBinding",
            422,
            "RoleBinding.rbac.authorization.k8s.io \"app\" is invalid: roleRef: Invalid value: {\"apiGroup\":\"rbac.authorization.k8s.io\"}: cannot change roleRef",
            Some(203),
            ExitStatus::Input,
            "kubectl delete rolebinding app",
        ),
        (
            "PriorityClass",
            422,
            "PriorityClass.scheduling.k8s.io \"app\" is invalid: value: Forbidden: may not be changed in an update.",
            Some(203),
            ExitStatus::Input,
            "kubectl delete priorityclass app",
        ),
        (
            "StorageClass",
            422,
            "StorageClass.storage.k8s.io \"app\" is invalid: parameters: Forbidden: updates to parameters are forbidden.",
            Some(203),
            ExitStatus::Input,
            "kubectl delete storageclass app",
        ),
        (
            "ConfigMap",
            422,
            "ConfigMap \"app\" is invalid: data: Forbidden: field is immutable when `immutable` is set",
            Some(203),
            ExitStatus::Input,
            "kubectl delete configmap app",
        ),
        (
            "Pod",
            422,
            "Pod \"app\" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`\n  core.PodSpec{\n",
            Some(203),
            ExitStatus::Input,
            "kubectl delete pod app",
        ),
        (
            "Ingress",
            500,
            "Internal error occurred: failed calling webhook \"w\": failed to call webhook: Post \"https://hook.shop.svc:443/?timeout=5s\": no endpoints available for service \"hook\"",
            Some(210),
            ExitStatus::Cluster,
            "Service `hook` in namespace `shop`",
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
        assert!(!failure.hints().is_empty() && !text.contains("core.PodSpec"), "{text}");
    }
}

#[test]
fn long_values_of_refused_fields_are_left_out() {
    let template = "core.PodTemplateSpec{ObjectMeta:v1.ObjectMeta{Name:\"\"}, ".repeat(40);
    let status: Status = serde_json::from_value(serde_json::json!({"code": 422,
        "message": format!("Job.batch \"app\" is invalid: [spec.template: Invalid value: {template}: field is immutable]"),
        "details": {"causes": [
            {"reason": "FieldValueInvalid", "message": format!("Invalid value: {template}: field is immutable"), "field": "spec.template"},
            {"reason": "FieldValueInvalid", "message": "Invalid value: 3: field is immutable", "field": "spec.completions"}]}}))
    .unwrap();
    let job = parse("m.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: app}\n").unwrap();
    let refusal = refused(&job[0], &status);
    let expected = "spec.template: field is immutable; spec.completions: Invalid value: 3: field is immutable";
    assert_eq!(refusal.number(), Some(&code::apply::IMMUTABLE_FIELD));
    assert_eq!(refusal.causes(), [expected]);
}

#[test]
fn all_refusals_are_told_in_one_run() {
    assert_eq!(all_refused(Vec::new()), None);
    let fixed = || refusal("Pod", 422, "field is immutable");
    let unknown = || refusal("Pod", 500, ".spec.x: field not declared in schema");
    let denied = || refusal("Pod", 400, "admission webhook \"x.y\" denied the request: no");
    assert_eq!(all_refused(vec![fixed()]), Some(fixed()));
    let number = |failures: Vec<Error>| all_refused(failures).unwrap().number().map(|code| code.number);
    assert_eq!(number(vec![fixed(), fixed()]), Some(203));
    let both = all_refused(vec![fixed(), unknown(), denied()]).unwrap();
    let text = both.to_string();
    assert_eq!(
        (both.number(), both.status),
        (Some(&code::apply::SEVERAL_REFUSED), ExitStatus::Cluster)
    );
    for part in [
        "refuses 3 objects",
        "DT0203: cannot apply",
        "DT0102: cannot apply",
        "kubectl delete pod",
        "kubectl explain pod",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_pod_waits_for_what_the_release_makes_first() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {serviceAccountName: runner, priorityClassName: high}\n---\n\
        apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: runner}\n";
    let objects = parse("m.yaml", text).unwrap();
    let status = |message: &str| serde_json::from_value(serde_json::json!({"code": 403, "message": message})).unwrap();
    let lacks =
        "pods \"a\" is forbidden: error looking up service account shop/runner: serviceaccount \"runner\" not found";
    assert!(is_made_first(&objects[0], &status(lacks), &objects));
    assert!(!is_made_first(&objects[0], &status(lacks), &objects[..1]));
    let default =
        "pods \"a\" is forbidden: error looking up service account shop/default: serviceaccount \"default\" not found";
    assert!(is_made_first(&objects[0], &status(default), &objects[..1]));
    assert!(
        passes_by_itself(Untried::Namespace, &status(default)) && !passes_by_itself(Untried::Kind, &status(default))
    );
    let unserved = Status {
        code: 404,
        message: "404 page not found\n".into(),
        ..Status::default()
    };
    assert!(passes_by_itself(Untried::Kind, &unserved));
    let priority_class = "pods \"a\" is forbidden: no PriorityClass with name high was found";
    assert!(!is_made_first(&objects[0], &status(priority_class), &objects));
}
