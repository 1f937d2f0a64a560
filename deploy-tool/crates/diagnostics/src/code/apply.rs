//! 02xx: the cluster takes an object otherwise than the manifest says, or not at all.

use super::Code;

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
];

/// Another manager has the field.
pub const FIELD_CONFLICT: Code = Code {
    number: 201,
    title: "another program has set a field of the manifest",
    meaning: "Every field has one owner \
        ([server-side apply](https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts)). Another \
        program, or a person with `kubectl edit`, has set a field that the manifest sets to something else. It is found \
        by a dry run, before anything is written, and left as it is.",
    mend: "undo the other change, or leave the field out of the manifest, and its owner keeps it; or take over exactly the \
        fields that the message lists: the same command with `--take-over`.",
};

/// Another release has the object.
pub const OTHER_RELEASE: Code = Code {
    number: 202,
    title: "an object belongs to another release",
    meaning: "The annotation `deploy-tool.dev/release` of an object names the release that has applied it. Two releases \
        with one object would undo each other's changes, and the first to be taken down would take it along.",
    mend: "give the object another name or namespace, or deploy it as that release (`--namespace`, `--release`). To move it \
        for good, take it out of the other release's manifests and remove the annotation: \
        `kubectl annotate KIND NAME deploy-tool.dev/release-`.",
};

/// The field never changes.
pub const IMMUTABLE_FIELD: Code = Code {
    number: 203,
    title: "a field that cannot be changed is different in the manifest",
    meaning: "Some fields stay what they were when the object was made: the selector of a Deployment, most of a \
        StatefulSet, a Job's pod template, a Service's `clusterIP`. A dry run has found it; nothing has been written.",
    mend: "undo the change in the manifest, give the object another name, or delete it and let the next `up` make it anew; \
        the message has the command that loses the least.",
};

/// Not allowed.
pub const PERMISSION_MISSING: Code = Code {
    number: 204,
    title: "the context's user lacks permissions",
    meaning: "Before the first write the API server is asked, for each kind of object and each verb, whether this user may \
        do it. Nothing has been written. The message lists everything that is missing at once, and the RBAC rules that \
        would allow it.",
    mend: "have an administrator apply the rules and bind them to the user, or use another context (`--context`).",
};

/// A policy says no.
pub const ADMISSION_REFUSED: Code = Code {
    number: 205,
    title: "a policy of the cluster refuses an object",
    meaning: "The manifest is right and the user may apply it, and yet a quota, a limit range, [Pod \
        Security](https://kubernetes.io/docs/concepts/security/pod-security-admission/) or an admission webhook refuses \
        the object. A dry run has found it; nothing has been written.",
    mend: "change what the message names, or have the policy changed by who is responsible for it.",
};

/// No place for it.
pub const NAMESPACE_MISSING: Code = Code {
    number: 206,
    title: "an object's namespace is not there",
    meaning: "The namespace does not exist and no manifest makes it, or it is being deleted and takes nothing new.",
    mend: "add a manifest of the Namespace, or name another one with `--namespace`; while it is being deleted, wait until it \
        is gone.",
};

/// Something else has happened since.
pub const PLAN_OUTDATED: Code = Code {
    number: 207,
    title: "a saved plan is out of date",
    meaning: "A saved plan is applied exactly as it was shown, or not at all. One of its objects has been changed, made or \
        deleted since, so that applying it would do something else than it says. Nothing has been written.",
    mend: "make the plan again and look at it: `deploy-tool plan --save FILE`.",
};

/// Another cluster.
pub const PLAN_OF_OTHER_CLUSTER: Code = Code {
    number: 208,
    title: "a saved plan is for another cluster",
    meaning: "The plan was made with another cluster than the one behind the context now: the uid of the namespace \
        `kube-system`, which never changes during a cluster's life, is another one.",
    mend: "name the context of the plan's cluster with `--context`, or make the plan anew for this one.",
};

/// No new kind.
pub const DEFINITION_REFUSED: Code = Code {
    number: 209,
    title: "a CustomResourceDefinition does not get established",
    meaning: "Objects of a new kind can be applied once the API server serves it, which the condition `Established` says. \
        It did not come in time: the schema may be refused, or the API server busy.",
    mend: "look at the conditions: `kubectl describe crd NAME`; then correct the definition.",
};

/// Nobody says yes or no.
pub const WEBHOOK_UNREACHABLE: Code = Code {
    number: 210,
    title: "an admission webhook does not answer",
    meaning: "The API server asks a webhook before it stores an object, and the Service behind it does not answer: it is not there, \
        has no ready pod, or is not trusted. With `failurePolicy: Fail` the object is refused then. A release that brings the \
        webhook itself is applied nevertheless: its workloads come first, then what the webhook checks.",
    mend: "mend what is behind the Service that the message names (`kubectl get pods,endpointslices -n NAMESPACE`). If it is gone for \
        good, delete the webhook's configuration: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations`.",
};

/// More than one.
pub const SEVERAL_REFUSED: Code = Code {
    number: 211,
    title: "the cluster refuses several objects",
    meaning: "Each object is tried before anything is written, and more than one is refused. The message has every one of them, with its \
        own number.",
    mend: "look up each number: `deploy-tool explain DT0102`.",
};
