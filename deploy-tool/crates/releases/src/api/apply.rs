//! Edge: server-side apply with one field manager, wave by wave; the objects of a wave are applied concurrently.
//!
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/>

use futures::{StreamExt, TryStreamExt, stream};
use kube::Api;
use kube::api::DynamicObject;
use kube::core::Status;

use crate::api::discover::{Kinds, ResolvedObject, api};
use crate::api::send::{Mode, send, send_when_possible};
use crate::api::{change_event, claims, crd_wait, field_migration};
use crate::manifest::{self, Object, Wave};
use crate::plan::{self, Action, Plan, Step, Version};
use cluster::PARALLEL_REQUESTS;
use cluster::{Cluster, path_segment};
use diagnostics::{Error, Result};
use terminal::Progress;

/// How often an object is sent again that only its controller has changed in between.
const MOST_ATTEMPTS: usize = 5;

/// What applying an object did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    Created,
    /// It was there and is different now.
    Changed,
    /// It was there and is the same.
    Unchanged,
}

/// An object as the cluster stores it now.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The applied object.
    pub object: Object,
    /// The stored object.
    pub stored: DynamicObject,
    /// What that did.
    pub change: Change,
}

/// Applies the objects of a wave; those that the plan keeps are given back as they are, if they are there.
///
/// # Errors
/// When the server refuses one of them.
pub async fn apply_wave(
    cluster: &Cluster,
    kinds: &mut Kinds,
    plan: &Plan,
    wave: Wave,
    progress: &Progress,
) -> Result<Vec<Applied>> {
    kinds.add_definitions(plan.steps.iter().filter_map(|step| step.object.as_ref()));
    let steps = plan.steps.iter().filter(|step| step.wave == wave);
    let sent = steps.filter_map(|step| Some((step, step.object.as_ref()?)));
    let sent = sent.map(|(step, object)| apply_step(cluster, kinds, plan, step, object, progress));
    let sent: Vec<_> = sent.collect();
    let applied: Vec<Option<Applied>> = stream::iter(sent).buffered(PARALLEL_REQUESTS).try_collect().await?;
    if wave == Wave::Definitions {
        kinds.use_definitions();
    }
    Ok(applied.into_iter().flatten().collect())
}

async fn apply_step(
    cluster: &Cluster,
    kinds: &Kinds,
    plan: &Plan,
    step: &Step,
    object: &Object,
    progress: &Progress,
) -> Result<Option<Applied>> {
    let change = match step.action {
        Action::Create => Change::Created,
        // A saved plan does not contain the live objects.
        Action::Keep if step.live.is_some() || step.before.is_none() => {
            return Ok(step.live.clone().map(|stored| Applied {
                object: object.clone(),
                stored,
                change: Change::Unchanged,
            }));
        }
        _ => Change::Changed,
    };
    progress.activity(&object.title());
    let Some(kind) = kinds.find(&object.group_version_kind()) else {
        return Err(kinds.explain_unknown(object));
    };
    let api = api(cluster, &kind, object.namespace());
    let stored = if plan.exact || step.take_over {
        send_exactly(cluster, &api, object, step).await?
    } else {
        let live = read_current(cluster, &api, object, step.live.clone()).await?;
        let stored = send_when_possible(cluster, &api, step.untried, object, live.as_ref(), Mode::default()).await?;
        stored.map_err(|status| explain_refusal(cluster, object, &status, live.as_ref()))?
    };
    let stored = migrate_fields(cluster, &api, object, step, stored).await?;
    let stored = claims::claim(cluster, &api, &plan.release, stored).await?;
    let action = match change {
        Change::Created => terminal::Action::Created,
        _ => terminal::Action::Changed,
    };
    progress.changed(change_event::describe_change(action, step.wave, &step.identity));
    crd_wait::await_established(&api, object).await?;
    Ok(Some(Applied {
        object: object.clone(),
        stored,
        change,
    }))
}

/// Migrates the fields of other manifest tools to this field manager, where the plan has it, and applies the object again,
/// which removes the fields that the manifest does not have.
async fn migrate_fields(
    cluster: &Cluster,
    api: &Api<DynamicObject>,
    object: &Object,
    step: &Step,
    stored: DynamicObject,
) -> Result<DynamicObject> {
    let is_needed = !step.migrated.is_empty();
    if !is_needed || !field_migration::migrate(cluster, api, object, stored.clone(), &step.migrated).await? {
        return Ok(stored);
    }
    let reapplied = send(cluster, api, object, Some(&stored), Mode::default()).await?;
    reapplied.map_err(|status| explain_refusal(cluster, object, &status, Some(&stored)))
}

/// The object as it is now, where that matters: values that are made must not replace those that are there already.
async fn read_current(
    cluster: &Cluster,
    api: &Api<DynamicObject>,
    object: &Object,
    planned: Option<DynamicObject>,
) -> Result<Option<DynamicObject>> {
    if manifest::generated_keys(object).is_empty() {
        return Ok(planned);
    }
    let message = format!("cannot read {}", object.title());
    cluster.call(&message, api.get_opt(&path_segment(object.name()))).await
}

/// Sends an object on condition that it is still what the plan was made from. Its status may have changed.
async fn send_exactly(
    cluster: &Cluster,
    api: &Api<DynamicObject>,
    object: &Object,
    step: &Step,
) -> Result<DynamicObject> {
    let message = format!("cannot read {}", object.title());
    for _ in 0..MOST_ATTEMPTS {
        let live = cluster
            .call(&message, api.get_opt(&path_segment(object.name())))
            .await?;
        if let Some(live) = live.as_ref().filter(|live| plan::is_applied(object, live)) {
            return Ok(live.clone());
        }
        let same = match (&step.before, &live) {
            (None, None) => true,
            (Some(before), Some(live)) => before.is_same_content(&Version::from_object(live)),
            _ => false,
        };
        if !same {
            break;
        }
        let mode = Mode::if_unchanged(step.take_over);
        match send(cluster, api, object, live.as_ref(), mode).await? {
            Ok(stored) => return Ok(stored),
            Err(status) if status.code == 409 && plan::conflicts("", &status, None).is_empty() => {}
            Err(status) => return Err(explain_refusal(cluster, object, &status, live.as_ref())),
        }
    }
    Err(plan::outdated(&[format!("{} has been changed", object.title())]))
}

/// Between the plan and the write something has changed after all.
fn explain_refusal(cluster: &Cluster, object: &Object, status: &Status, live: Option<&DynamicObject>) -> Error {
    let conflicts = plan::conflicts(&object.title(), status, live);
    if conflicts.is_empty() {
        plan::refused(object, status)
    } else {
        plan::conflict_failure(&conflicts, cluster.now())
    }
}

/// Applies one object without a plan.
///
/// # Errors
/// When the server refuses it.
pub async fn apply(cluster: &Cluster, resolved: &ResolvedObject) -> Result<Applied> {
    let object = &resolved.object;
    let message = format!("cannot apply {} from {}", object.title(), object.source_location());
    let before = cluster
        .call(&message, resolved.api.get_opt(&path_segment(object.name())))
        .await?;
    let stored = send(cluster, &resolved.api, object, before.as_ref(), Mode::default()).await?;
    let stored = stored.map_err(|status| explain_refusal(cluster, object, &status, before.as_ref()))?;
    let version = |object: &DynamicObject| object.metadata.resource_version.clone();
    let change = match before {
        None => Change::Created,
        Some(before) if version(&before) == version(&stored) => Change::Unchanged,
        Some(_) => Change::Changed,
    };
    Ok(Applied {
        object: object.clone(),
        stored,
        change,
    })
}
