//! 02xx: the cluster takes an object otherwise than the manifest says, or not at all.

use crate::error_code::Code;

pub(super) const CODES: &[&Code] = &[
    &FIELD_CONFLICT,
    &OTHER_RELEASE,
    &IMMUTABLE_FIELD,
    &PERMISSION_MISSING,
    &ADMISSION_REFUSED,
    &NAMESPACE_MISSING,
    &PLAN_OUTDATED,
    &PLAN_OF_OTHER_CLUSTER,
    &DEFINITION_REFUSED,
    &WEBHOOK_UNREACHABLE,
    &SEVERAL_REFUSED,
    &LOGIN_REFUSED,
];

/// DT0201: another program has set a field of the manifest.
pub const FIELD_CONFLICT: Code = Code {
    number: 201,
    title: "another program has set a field of the manifest",
    explanation: "Every field has one owner \
        ([server-side apply](https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts)). Another \
        program, or a person with `kubectl edit`, has set a field that the manifest sets to something else. It is found \
        by a dry run, before anything is written, and left as it is.",
    fix: "undo the other change, or leave the field out of the manifest, and its owner keeps it; or take over exactly the \
        fields that the message lists: the same command with `--take-over`. `deploy-tool plan` shows them beside the rest.",
};

/// DT0202: an object belongs to another release.
pub const OTHER_RELEASE: Code = Code {
    number: 202,
    title: "an object belongs to another release",
    explanation: "The annotation `deploy-tool.dev/release` of an object names the release that has applied it. Two releases \
        with one object would undo each other's changes, and the first to be taken down would take it along.",
    fix: "give the object another name or namespace, or deploy it as that release (`--namespace`, `--release`). To move it \
        for good, take it out of the other release's manifests and remove the annotation: \
        `kubectl annotate KIND NAME deploy-tool.dev/release-`.",
};

/// DT0203: a field that cannot be changed is different in the manifest.
pub const IMMUTABLE_FIELD: Code = Code {
    number: 203,
    title: "a field that cannot be changed is different in the manifest",
    explanation: "Some fields stay what they were when the object was made: the selector of a Deployment, most of a \
        StatefulSet, a Job's pod template, a Service's `clusterIP`. A dry run has found it; nothing has been written.",
    fix: "undo the change in the manifest, give the object another name, or delete it and let the next `up` recreate it; \
        the message has the command that loses the least.",
};

/// DT0204: the context's user lacks permissions.
pub const PERMISSION_MISSING: Code = Code {
    number: 204,
    title: "the context's user lacks permissions",
    explanation: "Before the first write the API server is asked, for each kind of object and each verb, whether this user may \
        do it. Nothing has been written. The message lists everything that is missing at once, and the RBAC rules that \
        would allow it.",
    fix: "have an administrator apply the rules and bind them to the user, or use another context (`--context`).",
};

/// DT0205: a policy of the cluster refuses an object.
pub const ADMISSION_REFUSED: Code = Code {
    number: 205,
    title: "a policy of the cluster refuses an object",
    explanation: "The manifest is right and the user may apply it, and yet a quota, a limit range, [Pod \
        Security](https://kubernetes.io/docs/concepts/security/pod-security-admission/) or an admission webhook refuses \
        the object. A dry run has found it; nothing has been written.",
    fix: "change what the message names, or have the policy changed by who is responsible for it.",
};

/// DT0206: an object's namespace is not there.
pub const NAMESPACE_MISSING: Code = Code {
    number: 206,
    title: "an object's namespace is not there",
    explanation: "The namespace does not exist and no manifest makes it, or it is being deleted and takes nothing new.",
    fix: "add a manifest of the Namespace, or name another one with `--namespace`; while it is being deleted, wait until it \
        is gone.",
};

/// DT0207: a saved plan is out of date.
pub const PLAN_OUTDATED: Code = Code {
    number: 207,
    title: "a saved plan is out of date",
    explanation: "A saved plan is applied exactly as it was shown, or not at all. One of its objects has been changed, made or \
        deleted since, so that applying it would do something else than it says. Nothing has been written.",
    fix: "make the plan again and look at it: `deploy-tool plan --save FILE`.",
};

/// DT0208: a saved plan is for another cluster.
pub const PLAN_OF_OTHER_CLUSTER: Code = Code {
    number: 208,
    title: "a saved plan is for another cluster",
    explanation: "The plan was made with another cluster than the one behind the context now: the uid of the namespace \
        `kube-system`, which never changes during a cluster's life, is another one.",
    fix: "name the context of the plan's cluster with `--context`, or make a new plan for this one.",
};

/// DT0209: a CustomResourceDefinition does not get established.
pub const DEFINITION_REFUSED: Code = Code {
    number: 209,
    title: "a CustomResourceDefinition does not get established",
    explanation: "Objects of a new kind can be applied once the API server serves it, which the condition `Established` says. \
        It did not come in time: the schema may be refused, or the API server busy.",
    fix: "look at the conditions: `kubectl describe crd NAME`; then correct the definition.",
};

/// DT0210: an admission webhook does not answer.
pub const WEBHOOK_UNREACHABLE: Code = Code {
    number: 210,
    title: "an admission webhook does not answer",
    explanation: "The API server asks a webhook before it stores an object, and the Service behind it does not answer: it is not there, \
        has no ready pod, or is not trusted. With `failurePolicy: Fail` the object is refused then. A release that brings the \
        webhook itself is applied nevertheless: its workloads come first, then what the webhook checks.",
    fix: "make the pods of the Service that the message names ready (`kubectl get pods,endpointslices -n NAMESPACE`). If it is gone for \
        good, delete the webhook's configuration: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations`.",
};

/// DT0211: the cluster refuses several objects.
pub const SEVERAL_REFUSED: Code = Code {
    number: 211,
    title: "the cluster refuses several objects",
    explanation: "Each object is tried before anything is written, and more than one is refused. The message has every one of them, with its \
        own number.",
    fix: "look up each number: `deploy-tool explain DT0102`.",
};

/// DT0212: the API server does not accept the login.
pub const LOGIN_REFUSED: Code = Code {
    number: 212,
    title: "the API server does not accept the login",
    explanation: "The API server answers 401: it does not know the user of the context. Most often a token or a certificate of the \
        kubeconfig has expired, or the cluster was recreated and has another authority. Permissions are not the cause: they are \
        looked at only for a user who is known.",
    fix: "log in again with the program that the kubeconfig names, fetch a new kubeconfig from the cluster's provider, or use another \
        context (`--context`).",
};
