//! Pure: the parts of a plan besides the comparison of fields: owners, existing objects, pruning.

use std::collections::{BTreeMap, BTreeSet};

use kube::api::DynamicObject;

use super::{Action, Difference, Plan, Step, Untried, Version, same_ownership};
use crate::FIELD_MANAGER;
use crate::manifest::{self, GENERATE_ANNOTATION, Object, Wave};
use crate::release::{History, Identity, Name, RELEASE_ANNOTATION, claiming_releases};
use diagnostics::code;
use diagnostics::{Error, Result};

/// The live objects, by identity.
pub type Live = BTreeMap<Identity, DynamicObject>;

/// Adds the annotation of the release to a namespaced object. Cluster-scoped ones, such as a RuntimeClass, may belong to several
/// releases.
pub fn mark_owner(mut object: Object, release: &Name) -> Object {
    manifest::encode_string_data(&mut object);
    if object.namespace().is_some() {
        let annotations = object.value.metadata.annotations.get_or_insert_default();
        annotations.insert(RELEASE_ANNOTATION.to_owned(), release.to_string());
    }
    object
}

/// Refuses objects with the annotation of another release.
///
/// # Errors
/// When there are some.
pub fn refuse_other_releases<'o>(
    release: &Name,
    objects: impl IntoIterator<Item = &'o Object>,
    live: &Live,
) -> Result<()> {
    let foreign = objects.into_iter().filter_map(|object| {
        let owner = owner(live.get(&object.identity())?)?;
        (*owner != release.to_string())
            .then(|| format!("{} from {}: {owner}", object.title(), object.source_location()))
    });
    let foreign: Vec<String> = foreign.collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(
        Error::input(format!("release {release} cannot have objects of another release"))
            .code(&code::apply::OTHER_RELEASE)
            .detail(foreign.join("\n"))
            .hint("give them another name or namespace, or deploy as that release: --namespace, --release"),
    )
}

fn owner(object: &DynamicObject) -> Option<&String> {
    object.metadata.annotations.as_ref()?.get(RELEASE_ANNOTATION)
}

/// The namespaces that the objects create: a dry run of an object in a namespace that does not exist is not possible.
pub fn created_namespaces<'o>(objects: impl IntoIterator<Item = &'o Object>, live: &Live) -> BTreeSet<String> {
    let created = objects.into_iter().filter(|object| {
        let kind = object.group_version_kind();
        (kind.group.as_str(), kind.kind.as_str()) == ("", "Namespace") && !live.contains_key(&object.identity())
    });
    created.map(|object| object.name().to_owned()).collect()
}

/// Removes and returns the wanted objects that are terminating, or in a terminating namespace: they are created again
/// afterwards.
pub fn take_terminating(live: &mut Live, wanted: &BTreeSet<Identity>) -> Live {
    let is_leaving = |object: &DynamicObject| object.metadata.deletion_timestamp.is_some();
    let namespaces: BTreeSet<String> = live
        .iter()
        .filter(|(identity, object)| identity.kind == "Namespace" && identity.group.is_empty() && is_leaving(object))
        .map(|(identity, _)| identity.name.clone())
        .collect();
    let goes_along = |identity: &Identity| {
        let namespace = identity.namespace.as_ref();
        namespace.is_some_and(|namespace| namespaces.contains(namespace))
    };
    let (leaving, stay) = std::mem::take(live)
        .into_iter()
        .partition(|(identity, object)| wanted.contains(identity) && (is_leaving(object) || goes_along(identity)));
    *live = stay;
    leaving
}

/// The step of a terminating object, which is created again afterwards.
pub fn recreate_step(wave: Wave, object: Object, leaving: DynamicObject) -> Step {
    let finalizers = leaving.metadata.finalizers.iter().flatten();
    let holders: Vec<&str> = finalizers.map(String::as_str).collect();
    let held = match holders.as_slice() {
        [] => String::new(),
        holders => format!(" (held by {})", holders.join(", ")),
    };
    Step {
        notes: vec![format!("is being deleted{held}: made again once it is gone")],
        live: Some(leaving),
        untried: None,
        ..untried_step(wave, object, None, Untried::DryRun)
    }
}

/// A Job that has ended well and that its own `ttlSecondsAfterFinished` took away is not run again while its manifest
/// stays the same.
pub fn keep_completed_jobs(plan: &mut Plan, history: &History) {
    for step in &mut plan.steps {
        let (Action::Create, None, Some(object)) = (step.action, &step.live, &step.object) else {
            continue;
        };
        if let Some(number) = history.completed_in(object) {
            step.action = Action::Keep;
            step.notes = vec![format!(
                "has completed in revision {number}, and gone by its ttlSecondsAfterFinished: not run again"
            )];
        }
    }
}

/// The step of an object that the server has not tried.
pub fn untried_step(wave: Wave, object: Object, live: Option<DynamicObject>, why: Untried) -> Step {
    Step {
        action: match live {
            Some(_) => Action::Change,
            None => Action::Create,
        },
        notes: vec![format!("not checked by the server: {}", why.reason())],
        untried: Some(why),
        before: live.as_ref().map(Version::from_object),
        live,
        object: Some(object.clone()),
        ..Step::new(wave, object.identity())
    }
}

/// The step of an object after its dry run, with `after` as its result.
pub fn tried_step(wave: Wave, object: Object, live: Option<DynamicObject>, after: &DynamicObject) -> Step {
    let generated = manifest::generated_keys(&object);
    let differences: Vec<Difference> = match &live {
        Some(live) => super::differences(live, after, &generated),
        None => Vec::new(),
    };
    let mut notes = Vec::new();
    let action = match &live {
        None => Action::Create,
        Some(_) if !differences.is_empty() => Action::Change,
        Some(live) if !same_ownership(live, after) => {
            // Without the record, a field that the manifest has no longer would stay for ever.
            notes.push("no value changes, only the record of which fields are the manifest's".to_owned());
            Action::Change
        }
        Some(_) => Action::Keep,
    };
    if live.is_none() && !generated.is_empty() {
        notes.push(format!("generated: {}", generated.join(", ")));
    }
    Step {
        action,
        differences,
        notes,
        before: live.as_ref().map(Version::from_object),
        live,
        object: Some(object.clone()),
        ..Step::new(wave, object.identity())
    }
}

/// Turns the steps of unchanged cluster-scoped objects into changes, where they are not annotated with this release yet.
pub fn claim_shared(release: &Name, steps: &mut [Step]) {
    for step in steps {
        let is_kept = step.action == Action::Keep && step.object.is_some() && step.identity.namespace.is_none();
        let is_claimed = |live: &DynamicObject| claiming_releases(live).contains(release);
        if is_kept && step.live.as_ref().is_some_and(|live| !is_claimed(live)) {
            step.action = Action::Change;
            step.notes.push(format!(
                "no value changes, only the record that release {release} has it"
            ));
        }
    }
}

/// The steps of what the release has applied before and the manifests have no longer, in the opposite order of applying.
pub fn prune_steps<'i>(release: &Name, dropped: impl IntoIterator<Item = &'i Identity>, live: &Live) -> Vec<Step> {
    let mut steps: Vec<Step> = dropped
        .into_iter()
        .filter_map(|identity| prune_step(release, identity, live.get(identity)?))
        .collect();
    steps.sort_by_key(|step| std::cmp::Reverse(step.wave));
    steps
}

/// None if the object does not belong to this release: it was created again by others, or its annotation was changed.
fn prune_step(release: &Name, identity: &Identity, live: &DynamicObject) -> Option<Step> {
    let managers = live.metadata.managed_fields.iter().flatten();
    let mut managers = managers.filter_map(|entry| entry.manager.as_deref());
    // The server keeps no record of who has applied no field at all: a Namespace is often nothing but its name.
    let is_namespace = identity.group.is_empty() && identity.kind == "Namespace";
    let is_ours = (is_namespace || managers.any(|manager| manager == FIELD_MANAGER))
        && owner(live).is_none_or(|owner| *owner == release.to_string());
    if !is_ours {
        return None;
    }
    let (action, notes) = if holds_data(identity, live) {
        (
            Action::Keep,
            vec!["left, though the manifests have it no longer: it holds data".to_owned()],
        )
    } else {
        (Action::Prune, Vec::new())
    };
    Some(Step {
        action,
        notes,
        before: Some(Version::from_object(live)),
        live: Some(live.clone()),
        ..Step::new(Wave::for_kind(&identity.group, &identity.kind), identity.clone())
    })
}

/// Whether deleting an object deletes data: volumes and their claims, generated passwords, namespaces and definitions.
fn holds_data(identity: &Identity, live: &DynamicObject) -> bool {
    let kind = (identity.group.as_str(), identity.kind.as_str());
    let generates = || {
        let annotations = live.metadata.annotations.as_ref();
        annotations.is_some_and(|annotations| annotations.contains_key(GENERATE_ANNOTATION))
    };
    match kind {
        ("", "Namespace" | "PersistentVolumeClaim" | "PersistentVolume")
        | ("apiextensions.k8s.io", "CustomResourceDefinition") => true,
        ("", "Secret") => generates(),
        _ => false,
    }
}
