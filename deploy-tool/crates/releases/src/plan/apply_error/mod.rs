//! Pure: explains why the server refuses to apply an object.

use kube::core::{GroupVersionKind, Status};

use super::{UnansweredWebhook, Untried};
use crate::manifest::Object;
use cluster::permission::{is_login_refused, is_missing_permission, login_refused};
use diagnostics::code;
use diagnostics::{Error, ExitStatus};

/// Of a value in an error, in bytes.
const LONGEST_VALUE: usize = 100;
const ACCOUNT_MISSING: &str = "error looking up service account";

/// Combines all refusals in one error. A missing permission is returned alone: it names all other missing ones.
pub fn all_refused(mut refusals: Vec<Error>) -> Option<Error> {
    let permission = |failure: &Error| failure.number() == Some(&code::apply::PERMISSION_MISSING);
    if let Some(index) = refusals.iter().position(permission) {
        return Some(refusals.swap_remove(index));
    }
    if refusals.len() < 2 {
        return refusals.pop();
    }
    let summary = format!("the cluster refuses {} objects", refusals.len());
    let failure = if refusals.iter().all(|refusal| refusal.status == ExitStatus::Input) {
        Error::input(summary)
    } else {
        Error::cluster(summary)
    };
    let same = refusals.windows(2).all(|two| two[0].number() == two[1].number());
    let number = refusals[0].number().filter(|_| same);
    let failure = failure.code(number.unwrap_or(&code::apply::SEVERAL_REFUSED));
    let lines = refusals.iter().map(|refusal| {
        let number = refusal.number().filter(|_| !same).map(|number| format!("{number}: "));
        format!(
            "{}{}: {}",
            number.unwrap_or_default(),
            refusal.message(),
            refusal.causes().join(": ")
        )
    });
    let failure = failure.detail(lines.collect::<Vec<_>>().join("\n"));
    let hints = refusals.iter().flat_map(Error::hints).cloned();
    Some(hints.fold(failure, Error::hint))
}

/// Explains one kind of refusal, below a summary; none of any other kind.
type Explanation = fn(&str, &Object, &Status) -> Option<Error>;

/// The first that explains a refusal counts: several kinds of refusals share a status.
const EXPLANATIONS: [Explanation; 8] = [
    login,
    missing_permission,
    missing_namespace,
    immutable_field,
    webhook_without_answer,
    unknown_field,
    admission,
    invalid_object,
];

/// Why an object is refused, conflicts aside, and what to do about it.
pub fn refused(object: &Object, status: &Status) -> Error {
    let summary = format!("cannot apply {} from {}", object.title(), object.source_location());
    let mut explained = EXPLANATIONS
        .iter()
        .filter_map(|explain| explain(&summary, object, status));
    explained.next().unwrap_or_else(|| {
        Error::cluster(&summary)
            .cause(&status.message)
            .hint("look at the API server, then run the same command again")
    })
}

fn login(summary: &str, _: &Object, status: &Status) -> Option<Error> {
    is_login_refused(status).then(|| login_refused(Error::cluster(summary), status))
}

fn missing_permission(summary: &str, _: &Object, status: &Status) -> Option<Error> {
    is_missing_permission(status).then(|| {
        Error::cluster(summary)
            .code(&code::apply::PERMISSION_MISSING)
            .cause(&status.message)
            .hint("use a context whose user may do this")
    })
}

fn missing_namespace(summary: &str, _: &Object, status: &Status) -> Option<Error> {
    let (failure, hint) = if status.message.contains("being terminated") {
        (
            Error::cluster(summary),
            "wait until it is gone, then run the same command again",
        )
    } else if status.code == 404 && status.message.contains("namespaces \"") {
        let hint = "add a manifest of the Namespace, make it with `kubectl create namespace NAME`, or name another one with --namespace";
        (Error::input(summary), hint)
    } else {
        return None;
    };
    let failure = failure.code(&code::apply::NAMESPACE_MISSING).cause(&status.message);
    Some(failure.hint(hint))
}

fn immutable_field(summary: &str, object: &Object, status: &Status) -> Option<Error> {
    (status.code == 422 && is_immutable(&status.message)).then(|| {
        Error::input(summary)
            .code(&code::apply::IMMUTABLE_FIELD)
            .cause(describe_invalid_fields(status))
            .hint(suggest_fix(object))
    })
}

fn webhook_without_answer(summary: &str, _: &Object, status: &Status) -> Option<Error> {
    let UnansweredWebhook { webhook, service } = UnansweredWebhook::from_status(status)?;
    let sentence = format!("the webhook `{webhook}`, which has to be asked, does not answer");
    let (sentence, hint) = match service {
        Some((namespace, name)) => (
            format!("{sentence}: Service `{name}` in namespace `{namespace}`"),
            format!("make the pods of that Service ready: `kubectl get pods,endpointslices --namespace {namespace}`"),
        ),
        None => (sentence, "make the server at its address answer".to_owned()),
    };
    let failure = Error::cluster(summary)
        .code(&code::apply::WEBHOOK_UNREACHABLE)
        .cause(sentence)
        .cause(&status.message)
        .hint(hint);
    Some(failure.hint("if it is gone for good, delete its configuration: `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations`"))
}

/// A field that the schema does not know comes as an internal error, or as one of decoding.
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation>
fn unknown_field(summary: &str, object: &Object, status: &Status) -> Option<Error> {
    let says = |part: &str| status.message.contains(part);
    (says("field not declared in schema") || says("unknown field")).then(|| {
        let kind = object.kind().to_ascii_lowercase();
        Error::input(summary)
            .code(&code::input::UNKNOWN_FIELD)
            .cause(&status.message)
            .hint(format!(
                "correct the field: `kubectl explain {kind} --recursive` lists those that there are"
            ))
    })
}

fn admission(summary: &str, _: &Object, status: &Status) -> Option<Error> {
    (status.message.contains("admission webhook") || status.code == 403).then(|| {
        Error::cluster(summary)
            .code(&code::apply::ADMISSION_REFUSED)
            .cause(&status.message)
            .hint("change what the message names, or have the policy changed by who is responsible for it")
    })
}

fn invalid_object(summary: &str, _: &Object, status: &Status) -> Option<Error> {
    (matches!(status.code, 400 | 422) || is_no_such_object(&status.message)).then(|| {
        Error::input(summary)
            .code(&code::input::INVALID_OBJECT)
            .cause(describe_invalid_fields(status))
            .hint("correct the field that the message names")
    })
}

/// Each field that is refused, and why; its value only when it is short: that of a Job's template is a page of Go.
fn describe_invalid_fields(status: &Status) -> String {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let fields = causes.filter(|cause| !cause.field.is_empty()).map(|cause| {
        let reason = cause.message.lines().next().unwrap_or_default();
        let value = reason
            .strip_prefix("Invalid value: ")
            .and_then(|rest| rest.rsplit_once(": "));
        match value {
            Some((value, reason)) if value.len() > LONGEST_VALUE => format!("{}: {reason}", cause.field),
            _ => format!("{}: {reason}", cause.field),
        }
    });
    let fields: Vec<String> = fields.collect();
    match (status.code, fields.is_empty()) {
        (422, false) => fields.join("; "),
        // What follows the first line of an error of 422 is a comparison of the values in Go.
        (422, true) => status.message.lines().next().unwrap_or_default().to_owned(),
        _ => status.message.clone(),
    }
}

/// What the server cannot take for an object of its kind comes as an internal error.
fn is_no_such_object(message: &str) -> bool {
    [
        "failed to create typed patch object",
        "failed to convert new object",
        "unable to convert unstructured object",
        "is not a list: no Items field",
    ]
    .into_iter()
    .any(|part| message.contains(part))
}

/// A webhook that has effects beyond its answer is not asked in a dry run, and the server refuses the whole request.
/// <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#side-effects>
pub fn cannot_be_tried(status: &Status) -> bool {
    status.message.contains("does not support dry run")
}

/// Whether what a Pod names is not there yet, and is made by the same release: unlike a workload, a Pod is refused without
/// its ServiceAccount, PriorityClass or RuntimeClass.
pub fn is_made_first(object: &Object, status: &Status, objects: &[Object]) -> bool {
    let message = status.message.as_str();
    let lacks = |part: &str, kind: &str, name: &str| {
        let mut made = objects
            .iter()
            .filter(|object| object.kind() == kind && object.name() == name);
        message.contains(part) && message.contains(name) && made.next().is_some()
    };
    let spec = |field: &str| object.value.data.get("spec").and_then(|spec| spec.get(field)?.as_str());
    let named = |part: &str, kind: &str, field: &str| spec(field).is_some_and(|name| lacks(part, kind, name));
    // Every namespace gets this one, a moment after it is made.
    let default_account = message.contains(ACCOUNT_MISSING) && message.contains("serviceaccount \"default\" not found");
    object.kind() == "Pod"
        && (default_account
            || named(
                "error looking up service account",
                "ServiceAccount",
                "serviceAccountName",
            )
            || named("no PriorityClass with name", "PriorityClass", "priorityClassName")
            || named("RuntimeClass", "RuntimeClass", "runtimeClassName"))
}

/// Whether an object that could not be tried is refused for something that comes by itself: the pods of its webhook are
/// ready, and a moment later they are behind its Service; a new namespace gets its ServiceAccount; a version that a
/// definition has got is served.
pub fn passes_by_itself(untried: Untried, status: &Status) -> bool {
    match untried {
        Untried::Webhook => UnansweredWebhook::from_status(status).is_some(),
        Untried::Namespace | Untried::Reference => status.message.contains(ACCOUNT_MISSING),
        Untried::Kind => is_not_served(status),
        Untried::DryRun => false,
    }
}

/// The server knows no such path, which is not the same as no such object.
fn is_not_served(status: &Status) -> bool {
    let says = |part: &str| status.message.contains(part);
    status.code == 404 && (says("page not found") || says("could not find the requested resource"))
}

fn is_immutable(message: &str) -> bool {
    let says = |part: &str| message.contains(part);
    [
        "immutable",
        "may not change",
        "may not be changed",
        "cannot change",
        "cannot be changed",
        "can not be changed",
        "must not be changed",
        "cannot be updated",
    ]
    .into_iter()
    .any(says)
        || says("updates to ") && says("forbidden")
}

/// The way that loses the least.
fn suggest_fix(object: &Object) -> String {
    let GroupVersionKind { group, kind, .. } = object.group_version_kind();
    // Several groups may have a kind of this name; of Kubernetes' own there is one.
    let kind = if object.hides_images() {
        format!("{}.{group}", kind.to_ascii_lowercase())
    } else {
        kind.to_ascii_lowercase()
    };
    let name = object.name();
    let namespace = object.namespace().map(|namespace| format!(" --namespace {namespace}"));
    let namespace = namespace.unwrap_or_default();
    match object.kind() {
        "StatefulSet" => format!(
            "undo the change, or let the set be recreated around its pods, which keep running and keep their data:\n\
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
            "undo the change, give it another name, or let it be recreated, with its pods stopped in between:\n\
             `kubectl delete {kind} {name}{namespace}`, then run the same command again"
        ),
        _ => format!(
            "undo the change, or let the object be recreated: `kubectl delete {kind} {name}{namespace}`, then run the same \
             command again"
        ),
    }
}

#[cfg(test)]
mod tests;
