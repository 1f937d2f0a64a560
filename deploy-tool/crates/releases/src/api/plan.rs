//! Edge: makes a plan: reads the live objects, and applies those that are not up to date in a server-side dry run.
//!
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run>

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use kube::api::DynamicObject;
use kube::core::Status;

use crate::api::discover::{Kind, Kinds, api};
use crate::api::send::{Mode, send_when_possible};
use crate::api::{claims, field_migration, get_many, preflight};
use crate::manifest::{Databases, Object, Wave, refuse_duplicates};
use crate::plan::{self, Conflict, OnConflict, Plan, Step, UnansweredWebhook, Untried};
use crate::release::{Identity, Name};
use cluster::Cluster;
use cluster::PARALLEL_REQUESTS;
use diagnostics::{Error, Result};

/// What applying objects as a release would do. `inventory` is what the release has applied before. Fields of which it is to
/// be decided are in the plan, see [`plan::refuse_undecided`].
///
/// # Errors
/// When an object would be refused.
pub async fn make_plan(
    cluster: &Cluster,
    kinds: &mut Kinds,
    release: &Name,
    objects: Vec<Object>,
    inventory: &BTreeSet<Identity>,
    on_conflict: OnConflict,
) -> Result<Plan> {
    kinds.add_definitions(&objects);
    let settled = objects.into_iter().map(|object| {
        let (object, kind) = kinds.resolve_object(object, &release.namespace)?;
        Ok((plan::mark_owner(object, release), kind))
    });
    let (objects, kinds_of_objects): (Vec<Object>, Vec<Kind>) =
        settled.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    // Only now it is known which namespace those are in that name none.
    refuse_duplicates(&objects)?;
    let tried = objects.clone();
    match try_plan(
        cluster,
        kinds,
        release,
        objects,
        kinds_of_objects,
        inventory,
        on_conflict,
    )
    .await
    {
        Err(failure) => Err(preflight::explain_refusal(cluster, kinds, release, tried, failure).await),
        plan => plan,
    }
}

async fn try_plan(
    cluster: &Cluster,
    kinds: &Kinds,
    release: &Name,
    objects: Vec<Object>,
    kinds_of_objects: Vec<Kind>,
    inventory: &BTreeSet<Identity>,
    on_conflict: OnConflict,
) -> Result<Plan> {
    let wanted: BTreeSet<Identity> = objects.iter().map(Object::identity).collect();
    let dropped: Vec<&Identity> = inventory.difference(&wanted).collect();
    let identities = wanted.iter().chain(dropped.iter().copied()).cloned();
    kinds.refuse_unreachable(dropped.iter().copied())?;
    let mut live = get_many::read_objects(cluster, kinds, identities).await?;
    plan::refuse_other_releases(release, &objects, &live)?;
    let mut leaving = plan::take_terminating(&mut live, &wanted);

    let (databases, created) = (Databases::find(&objects), plan::created_namespaces(&objects, &live));
    let trials = objects.iter().zip(kinds_of_objects).map(|(object, kind)| {
        let trial = Trial {
            wave: databases.wave(object),
            in_new_namespace: object.namespace().is_some_and(|namespace| created.contains(namespace)),
            live: live.get(&object.identity()).cloned(),
            leaving: leaving.remove(&object.identity()),
            untried: None,
            on_conflict,
            object: object.clone(),
            kind,
            all: &objects,
        };
        trial.run(cluster)
    });
    let results: Vec<Result<Step, Error>> = stream::iter(trials).buffered(PARALLEL_REQUESTS).try_collect().await?;
    let mut steps = collect_steps(results)?;
    steps.sort_by_key(|step| step.wave);
    plan::claim_shared(release, &mut steps);
    steps.extend(plan::prune_steps(release, dropped, &live));
    claims::keep_shared(cluster, release, &mut steps).await?;
    plan::note_readers(&mut steps);
    Ok(Plan {
        release: release.clone(),
        steps,
        exact: false,
    })
}

/// Repeats the dry runs that were not possible when the plan was made, for these reasons.
///
/// # Errors
/// When an object would be refused, or there are conflicts to decide.
pub async fn try_again(cluster: &Cluster, kinds: &Kinds, plan: &Plan, reasons: &[Untried]) -> Result<()> {
    let all: Vec<Object> = plan.objects().cloned().collect();
    let steps = plan
        .steps
        .iter()
        .filter(|step| step.untried.is_some_and(|why| reasons.contains(&why)));
    let trials = steps.filter_map(|step| {
        let object = step.object.clone()?;
        let kind = kinds.find(&object.group_version_kind())?;
        let trial = Trial {
            wave: step.wave,
            in_new_namespace: false,
            live: step.live.clone(),
            leaving: None,
            untried: step.untried,
            on_conflict: OnConflict::from_flag(step.take_over),
            kind: Kind { served: true, ..kind },
            object,
            all: &all,
        };
        Some(trial.run(cluster))
    });
    let trials: Vec<_> = trials.collect();
    let results: Vec<_> = stream::iter(trials).buffered(PARALLEL_REQUESTS).try_collect().await?;
    let tried = Plan {
        release: plan.release.clone(),
        steps: collect_steps(results)?,
        exact: false,
    };
    plan::refuse_undecided(&tried, cluster.now())
}

/// The steps, or everything that the server refuses.
fn collect_steps(results: Vec<Result<Step, Error>>) -> Result<Vec<Step>> {
    let (mut steps, mut refusals) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(step) => steps.push(step),
            Err(failure) => refusals.push(failure),
        }
    }
    match plan::all_refused(refusals) {
        Some(failure) => Err(failure),
        None => Ok(steps),
    }
}

/// An object, and what its dry run needs.
#[derive(Clone)]
struct Trial<'a> {
    wave: Wave,
    object: Object,
    all: &'a [Object],
    kind: Kind,
    live: Option<DynamicObject>,
    leaving: Option<DynamicObject>,
    in_new_namespace: bool,
    /// Why it could not be tried before.
    untried: Option<Untried>,
    on_conflict: OnConflict,
}

impl Trial<'_> {
    /// What would happen to the object; or why the server refuses it.
    async fn run(self, cluster: &Cluster) -> Result<Result<Step, Error>> {
        if let Some(leaving) = self.leaving {
            return Ok(Ok(plan::recreate_step(self.wave, self.object, leaving)));
        }
        if !self.kind.served {
            return Ok(Ok(self.untried_step(Untried::Kind)));
        }
        if self.in_new_namespace {
            return Ok(Ok(self.untried_step(Untried::Namespace)));
        }
        if let Some(live) = self.live.as_ref().filter(|live| plan::is_applied(&self.object, live)) {
            return Ok(Ok(self.make_step(cluster, live).await?));
        }
        let refusal = match self.send(cluster, Mode::DRY_RUN).await? {
            Ok(after) => return Ok(Ok(self.make_step(cluster, &after).await?)),
            Err(refusal) => refusal,
        };
        if plan::cannot_be_tried(&refusal) {
            return Ok(Ok(self.untried_step(Untried::DryRun)));
        }
        if plan::is_made_first(&self.object, &refusal, self.all) {
            return Ok(Ok(self.untried_step(Untried::Reference)));
        }
        if UnansweredWebhook::from_status(&refusal).is_some_and(|unanswered| unanswered.is_of(self.all)) {
            let wave = Wave::Admission;
            return Ok(Ok(Self { wave, ..self }.untried_step(Untried::Webhook)));
        }
        let conflicts = plan::conflicts(&self.object.title(), &refusal, self.live.as_ref());
        match &self.live {
            Some(live) if !conflicts.is_empty() => self.resolve_conflicts(cluster, live, conflicts).await,
            _ => Ok(Err(plan::refused(&self.object, &refusal))),
        }
    }

    /// What becomes of the object when others have set some of its fields to something else.
    async fn resolve_conflicts(
        &self,
        cluster: &Cluster,
        live: &DynamicObject,
        conflicts: Vec<Conflict>,
    ) -> Result<Result<Step, Error>> {
        let keeps_replicas = self.on_conflict == OnConflict::KeepReplicas;
        let (kept, conflicts): (Vec<_>, Vec<_>) = conflicts
            .into_iter()
            .partition(|conflict| keeps_replicas && conflict.is_about_replicas());
        if !kept.is_empty() {
            let mut rest = self.object.clone();
            rest.value.data["spec"]
                .as_object_mut()
                .map(|spec| spec.remove("replicas"));
            let trial = Trial {
                object: rest,
                on_conflict: OnConflict::Ask,
                ..self.clone()
            };
            let step = Box::pin(trial.run(cluster)).await?;
            return Ok(step.map(|step| step.leave_alone(kept, live, &self.object)));
        }
        match self.send(cluster, Mode::DRY_RUN.with_force()).await? {
            Ok(after) => {
                let step = self.make_step(cluster, &after).await?;
                Ok(Ok(match self.on_conflict {
                    OnConflict::TakeOver => step.take_over(&conflicts),
                    OnConflict::Ask | OnConflict::KeepReplicas => step.ask_about(conflicts),
                }))
            }
            Err(refusal) => Ok(Err(plan::refused(&self.object, &refusal))),
        }
    }

    async fn send(&self, cluster: &Cluster, mode: Mode) -> Result<Result<DynamicObject, Status>> {
        let api = api(cluster, &self.kind, self.object.namespace());
        let live = self.live.as_ref();
        send_when_possible(cluster, &api, self.untried, &self.object, live, mode).await
    }

    /// The step of an object that a dry run has made into `after`.
    async fn make_step(&self, cluster: &Cluster, after: &DynamicObject) -> Result<Step> {
        let step = plan::tried_step(self.wave, self.object.clone(), self.live.clone(), after);
        let Some(live) = &self.live else { return Ok(step) };
        let api = api(cluster, &self.kind, self.object.namespace());
        let takes_over = self.on_conflict == OnConflict::TakeOver;
        field_migration::plan_migration(cluster, &api, &self.object, live, after, takes_over, step).await
    }

    fn untried_step(self, why: Untried) -> Step {
        plan::untried_step(self.wave, self.object, self.live, why)
    }
}
