//! Edge: makes a plan: reads the live objects, and has the server try what is not applied already, without writing it.
//!
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run>

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use kube::api::DynamicObject;
use kube::core::Status;

use crate::api::apply::{Mode, send};
use crate::api::discover::{Kind, Kinds, api};
use crate::api::{get_many, preflight};
use crate::manifest::{Databases, Object, Wave, refuse_twins};
use crate::plan::{self, Conflict, Plan, Step, UnansweredWebhook, Untried};
use crate::release::{Identity, Name};
use cluster::Cluster;
use cluster::PARALLEL_REQUESTS;
use diagnostics::{Failure, Outcome};

/// What applying objects as a release would do. `inventory` is what the release has applied before; `take_over` says
/// that fields which others have set are to be the release's.
///
/// # Errors
/// When an object would be refused, or fields belong to others.
pub async fn make_plan(
    cluster: &Cluster,
    kinds: &mut Kinds,
    release: &Name,
    objects: Vec<Object>,
    inventory: &BTreeSet<Identity>,
    take_over: bool,
) -> Outcome<Plan> {
    kinds.learn(&objects);
    let settled = objects.into_iter().map(|object| {
        let (object, kind) = kinds.resolve_object(object, &release.namespace)?;
        Ok((plan::owned_by(object, release), kind))
    });
    let (objects, places): (Vec<Object>, Vec<Kind>) = settled.collect::<Outcome<Vec<_>>>()?.into_iter().unzip();
    // Only now it is known which namespace those are in that name none.
    refuse_twins(&objects)?;
    let tried = objects.clone();
    match try_plan(cluster, kinds, release, objects, places, inventory, take_over).await {
        Err(failure) => Err(preflight::explain_refusal(cluster, kinds, release, tried, failure).await),
        plan => plan,
    }
}

async fn try_plan(
    cluster: &Cluster,
    kinds: &Kinds,
    release: &Name,
    objects: Vec<Object>,
    places: Vec<Kind>,
    inventory: &BTreeSet<Identity>,
    take_over: bool,
) -> Outcome<Plan> {
    let wanted: BTreeSet<Identity> = objects.iter().map(Object::identity).collect();
    let dropped: Vec<&Identity> = inventory.difference(&wanted).collect();
    let identities = wanted.iter().chain(dropped.iter().copied()).cloned();
    let mut live = get_many::read_objects(cluster, kinds, identities).await?;
    plan::refuse_other_releases(release, &objects, &live)?;
    let mut leaving = plan::take_leaving(&mut live, &wanted);

    let (databases, unborn) = (Databases::find(&objects), plan::unborn_namespaces(&objects, &live));
    let trials = objects.iter().zip(places).map(|(object, kind)| {
        let trial = Trial {
            wave: databases.wave(object),
            unborn: object.namespace().is_some_and(|namespace| unborn.contains(namespace)),
            live: live.get(&object.identity()).cloned(),
            leaving: leaving.remove(&object.identity()),
            take_over,
            object: object.clone(),
            kind,
            all: &objects,
        };
        trial.run(cluster)
    });
    let results: Vec<Result<Step, Objection>> = stream::iter(trials).buffered(PARALLEL_REQUESTS).try_collect().await?;
    let mut steps = unless_refused(cluster, results)?;
    steps.sort_by_key(|step| step.wave);
    steps.extend(plan::prunes(release, dropped, &live));
    plan::note_readers(&mut steps);
    Ok(Plan {
        release: release.clone(),
        steps,
        exact: false,
    })
}

/// Has the server try what it could not try when the plan was made, for one of these reasons: by now it can.
///
/// # Errors
/// When an object would be refused, or fields belong to others.
pub async fn try_again(cluster: &Cluster, kinds: &Kinds, plan: &Plan, reasons: &[Untried]) -> Outcome<()> {
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
            unborn: false,
            live: step.live.clone(),
            leaving: None,
            take_over: step.take_over,
            kind: Kind { served: true, ..kind },
            object,
            all: &all,
        };
        Some(trial.run(cluster))
    });
    let trials: Vec<_> = trials.collect();
    let results: Vec<_> = stream::iter(trials).buffered(PARALLEL_REQUESTS).try_collect().await?;
    unless_refused(cluster, results).map(drop)
}

/// The steps, or everything that stands in their way.
fn unless_refused(cluster: &Cluster, results: Vec<Result<Step, Objection>>) -> Outcome<Vec<Step>> {
    let (mut steps, mut conflicts, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(step) => steps.push(step),
            Err(Objection::Conflicts(more)) => conflicts.extend(more),
            Err(Objection::Refused(failure)) => refusals.push(*failure),
        }
    }
    if let Some(failure) = plan::all_refused(refusals) {
        return Err(failure);
    }
    match conflicts.is_empty() {
        true => Ok(steps),
        false => Err(plan::conflict_failure(&conflicts, cluster.now())),
    }
}

/// What the server has against an object.
enum Objection {
    /// Fields of it are others'.
    Conflicts(Vec<Conflict>),
    /// Something else.
    Refused(Box<Failure>),
}

/// An object, and what is needed to try it.
struct Trial<'a> {
    wave: Wave,
    object: Object,
    all: &'a [Object],
    kind: Kind,
    live: Option<DynamicObject>,
    leaving: Option<DynamicObject>,
    unborn: bool,
    take_over: bool,
}

impl Trial<'_> {
    /// What would happen to the object; or what the server has against it.
    async fn run(self, cluster: &Cluster) -> Outcome<Result<Step, Objection>> {
        if let Some(leaving) = self.leaving {
            return Ok(Ok(plan::recreated(self.wave, self.object, leaving)));
        }
        if !self.kind.served {
            return Ok(Ok(self.untried(Untried::Kind)));
        }
        if self.unborn {
            return Ok(Ok(self.untried(Untried::Namespace)));
        }
        if let Some(live) = self.live.clone().filter(|live| plan::is_applied(&self.object, live)) {
            return Ok(Ok(self.checked(&live)));
        }
        let refusal = match self.send(cluster, Mode::DRY_RUN).await? {
            Ok(after) => return Ok(Ok(self.checked(&after))),
            Err(refusal) => refusal,
        };
        if plan::cannot_be_tried(&refusal) {
            return Ok(Ok(self.untried(Untried::DryRun)));
        }
        if plan::is_made_first(&self.object, &refusal, self.all) {
            return Ok(Ok(self.untried(Untried::Reference)));
        }
        if UnansweredWebhook::from_status(&refusal).is_some_and(|unanswered| unanswered.is_of(self.all)) {
            let wave = Wave::Admission;
            return Ok(Ok(Self { wave, ..self }.untried(Untried::Webhook)));
        }
        let refused = |refusal: &Status| Ok(Err(Objection::Refused(Box::new(plan::refused(&self.object, refusal)))));
        let conflicts = plan::conflicts(&self.object.title(), &refusal, self.live.as_ref());
        if conflicts.is_empty() {
            return refused(&refusal);
        }
        if !self.take_over {
            return Ok(Err(Objection::Conflicts(conflicts)));
        }
        match self.send(cluster, Mode::DRY_RUN.forced()).await? {
            Ok(after) => Ok(Ok(self.checked(&after).taking_over(&conflicts))),
            Err(refusal) => refused(&refusal),
        }
    }

    async fn send(&self, cluster: &Cluster, mode: Mode) -> Outcome<Result<DynamicObject, Status>> {
        let api = api(cluster, &self.kind, self.object.namespace());
        send(cluster, &api, &self.object, self.live.as_ref(), mode).await
    }

    fn checked(self, after: &DynamicObject) -> Step {
        plan::checked(self.wave, self.object, self.live, after)
    }

    fn untried(self, why: Untried) -> Step {
        plan::unchecked(self.wave, self.object, self.live, why)
    }
}
