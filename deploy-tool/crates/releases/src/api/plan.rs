//! Edge: makes a plan: reads the live objects, and has the server try what is not applied already, without writing it.
//!
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run>

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use kube::api::DynamicObject;
use kube::core::Status;

use crate::api::apply::{Mode, send};
use crate::api::discover::{Kind, Kinds, api};
use crate::api::{live, preflight};
use crate::manifest::{Databases, Object, Wave};
use crate::plan::{self, Conflict, Plan, Step};
use crate::release::{Identity, Name};
use cluster::Cluster;
use cluster::PARALLEL_REQUESTS;
use diagnostics::Outcome;

/// What applying objects as a release would do. `inventory` is what the release has applied before; `take_over` says
/// that fields which others have set are to be the release's.
///
/// # Errors
/// When an object would be refused, or fields belong to others.
pub async fn plan(
    cluster: &Cluster,
    kinds: &mut Kinds,
    release: &Name,
    objects: Vec<Object>,
    inventory: &BTreeSet<Identity>,
    take_over: bool,
) -> Outcome<Plan> {
    kinds.learn(&objects);
    let settled = objects.into_iter().map(|object| {
        let (object, kind) = kinds.settle(object, &release.namespace)?;
        Ok((plan::owned_by(object, release), kind))
    });
    let (objects, places): (Vec<Object>, Vec<Kind>) = settled.collect::<Outcome<Vec<_>>>()?.into_iter().unzip();
    let tried = objects.clone();
    match attempt(cluster, kinds, release, objects, places, inventory, take_over).await {
        Err(failure) => Err(preflight::explained(cluster, kinds, release, tried, failure).await),
        plan => plan,
    }
}

async fn attempt(
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
    let mut live = live::objects(cluster, kinds, identities).await?;
    plan::refuse_other_releases(release, &objects, &live)?;
    let mut leaving = plan::take_leaving(&mut live, &wanted);

    let (databases, unborn) = (Databases::of(&objects), plan::unborn_namespaces(&objects, &live));
    let trials = objects.into_iter().zip(places).map(|(object, kind)| {
        let trial = Trial {
            wave: databases.wave(&object),
            unborn: object.namespace().is_some_and(|namespace| unborn.contains(namespace)),
            live: live.get(&object.identity()).cloned(),
            leaving: leaving.remove(&object.identity()),
            take_over,
            object,
            kind,
        };
        trial.run(cluster)
    });
    let results: Vec<Result<Step, Vec<Conflict>>> =
        stream::iter(trials).buffered(PARALLEL_REQUESTS).try_collect().await?;
    let (mut steps, mut conflicts) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(step) => steps.push(step),
            Err(more) => conflicts.extend(more),
        }
    }
    if !conflicts.is_empty() {
        return Err(plan::conflict_failure(&conflicts, cluster.now()));
    }
    steps.sort_by_key(|step| step.wave);
    steps.extend(plan::prunes(release, dropped, &live));
    Ok(Plan {
        release: release.clone(),
        steps,
        exact: false,
    })
}

/// An object, and what is needed to try it.
struct Trial {
    wave: Wave,
    object: Object,
    kind: Kind,
    live: Option<DynamicObject>,
    leaving: Option<DynamicObject>,
    unborn: bool,
    take_over: bool,
}

impl Trial {
    /// What would happen to the object; or which fields of it are others'.
    async fn run(self, cluster: &Cluster) -> Outcome<Result<Step, Vec<Conflict>>> {
        if let Some(leaving) = self.leaving {
            return Ok(Ok(plan::recreated(self.wave, self.object, leaving)));
        }
        if self.unborn {
            return Ok(Ok(self.unchecked("its namespace is made first")));
        }
        if !self.kind.served {
            return Ok(Ok(self.unchecked("its kind is defined first")));
        }
        if let Some(live) = self.live.clone().filter(|live| plan::is_applied(&self.object, live)) {
            return Ok(Ok(self.checked(&live)));
        }
        let refusal = match self.send(cluster, Mode::DRY_RUN).await? {
            Ok(after) => return Ok(Ok(self.checked(&after))),
            Err(refusal) => refusal,
        };
        if plan::cannot_be_tried(&refusal) {
            return Ok(Ok(self.unchecked("an admission webhook does not support dry runs")));
        }
        let conflicts = plan::conflicts(&self.object.title(), &refusal, self.live.as_ref());
        if conflicts.is_empty() {
            return Err(plan::refused(&self.object, &refusal));
        }
        if !self.take_over {
            return Ok(Err(conflicts));
        }
        match self.send(cluster, Mode::DRY_RUN.forced()).await? {
            Ok(after) => Ok(Ok(self.checked(&after).taking_over(&conflicts))),
            Err(refusal) => Err(plan::refused(&self.object, &refusal)),
        }
    }

    async fn send(&self, cluster: &Cluster, mode: Mode) -> Outcome<Result<DynamicObject, Status>> {
        let api = api(cluster, &self.kind, self.object.namespace());
        send(cluster, &api, &self.object, self.live.as_ref(), mode).await
    }

    fn checked(self, after: &DynamicObject) -> Step {
        plan::checked(self.wave, self.object, self.live, after)
    }

    fn unchecked(self, why: &str) -> Step {
        plan::unchecked(self.wave, self.object, self.live, why)
    }
}
