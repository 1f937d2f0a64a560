//! Everything is checked before anything is changed: existence, autoscalers, the connections of databases.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Autoscaler, Bounds, Change, Edit};
use crate::connection_budget::{self, Connections};
use crate::workload::{self, Kind, Reference, Workload};
use diagnostics::code;
use diagnostics::{Error, Result};
use releases::FIELD_MANAGER;
use rollout::Target;

/// What a namespace has that matters here.
#[derive(Clone, Debug, Default)]
pub struct ScalingState {
    /// Its Deployments.
    pub deployments: Vec<Deployment>,
    /// Its StatefulSets.
    pub stateful_sets: Vec<StatefulSet>,
    /// Its autoscalers.
    pub autoscalers: Vec<HorizontalPodAutoscaler>,
    /// The ConfigMaps that its StatefulSets mount, as far as they may be read: they may have option files of a database.
    pub config_maps: Vec<ConfigMap>,
}

/// What the user has allowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Change the bounds of autoscalers.
    pub edit_autoscalers: bool,
    /// Go beyond what the databases have connections for.
    pub force: bool,
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// One a workload, in the order in which they were asked for.
    pub changes: Vec<Change>,
    /// What speaks against it, though not enough to refuse it.
    pub warnings: Vec<String>,
}

/// Decides what to change; `place` is a phrase with the location for messages.
///
/// # Errors
/// When a workload does not exist, is named twice, has an autoscaler, or needs more connections than its database allows.
pub fn decide(
    targets: &[(Reference, i32)],
    found: &ScalingState,
    location: &str,
    options: Options,
) -> Result<Decision> {
    let mut changes: Vec<Change> = Vec::new();
    let mut warnings = Vec::new();
    for (reference, replicas) in targets {
        let change = found.change(&found.workload(reference, location)?, *replicas, options)?;
        if changes.iter().any(|earlier| earlier.workload == change.workload) {
            return Err(Error::input(format!(
                "{} is there twice in the arguments",
                change.workload
            )));
        }
        changes.push(change);
    }
    for change in changes.iter().filter(|change| change.count().is_some()) {
        if found.metadata(&change.workload).is_some_and(is_in_the_manifest) {
            warnings.push(format!(
                "the manifest of {} sets `replicas`: the next `up` will find it changed; leave it out there, and the \
                 count stays with `deploy-tool scale`",
                change.workload
            ));
        }
    }
    warnings.extend(check_connections(&changes, found, options)?);
    Ok(Decision { changes, warnings })
}

impl ScalingState {
    fn workload(&self, reference: &Reference, location: &str) -> Result<Workload> {
        if let Some(kind @ (Kind::DaemonSet | Kind::Job | Kind::CronJob | Kind::Service | Kind::Pod)) = reference.kind {
            return Err(Error::input(format!("a {kind} cannot be scaled"))
                .hint("scale a Deployment or a StatefulSet: `deploy-tool scale NAME=NUMBER`"));
        }
        let all = self.workloads();
        let mut matches = all.iter().filter(|workload| reference.matches(workload));
        match (matches.next(), matches.next()) {
            (Some(only), None) => Ok(only.clone()),
            (Some(first), Some(second)) => Err(Error::input(format!("{reference} means {first} and {second}"))
                .code(&code::scale::AMBIGUOUS_NAME)
                .hint(format!("say which: {}=N or {}=N", first.argument(), second.argument()))),
            (None, _) => {
                let missing = match reference.kind {
                    Some(_) => reference.to_string(),
                    None => format!("Deployment or StatefulSet {reference}"),
                };
                Err(Error::input(format!("there is no {missing} in {location}"))
                    .code(&code::scale::NO_SUCH_WORKLOAD)
                    .cause(workload::list_names(&all))
                    .hint("deploy it first: run `deploy-tool up`; or name another one, or another --namespace"))
            }
        }
    }

    fn workloads(&self) -> Vec<Workload> {
        let named = |kind, metadata: &ObjectMeta| Workload {
            kind,
            name: metadata.name.clone().unwrap_or_default(),
        };
        let deployments = self
            .deployments
            .iter()
            .map(|deployment| named(Kind::Deployment, &deployment.metadata));
        let sets = self
            .stateful_sets
            .iter()
            .map(|stateful_set| named(Kind::StatefulSet, &stateful_set.metadata));
        deployments.chain(sets).collect()
    }

    fn deployment(&self, workload: &Workload) -> Option<&Deployment> {
        let mut all = self.deployments.iter().filter(|_| workload.kind == Kind::Deployment);
        all.find(|deployment| deployment.metadata.name.as_ref() == Some(&workload.name))
    }

    fn stateful_set(&self, name: &str) -> Option<&StatefulSet> {
        self.stateful_sets
            .iter()
            .find(|stateful_set| stateful_set.metadata.name.as_deref() == Some(name))
    }

    fn metadata(&self, workload: &Workload) -> Option<&ObjectMeta> {
        let deployment = self.deployment(workload).map(|deployment| &deployment.metadata);
        deployment.or_else(|| {
            self.stateful_set(&workload.name)
                .map(|stateful_set| &stateful_set.metadata)
        })
    }

    fn change(&self, workload: &Workload, after: i32, options: Options) -> Result<Change> {
        let deployment = self.deployment(workload);
        let before = match deployment {
            Some(deployment) => deployment.spec.as_ref().and_then(|spec| spec.replicas),
            None => self
                .stateful_set(&workload.name)
                .and_then(|set| set.spec.as_ref()?.replicas),
        };
        let autoscaler = match Autoscaler::find_for(workload, &self.autoscalers) {
            None => None,
            Some(autoscaler) => Some(edit(workload, &autoscaler, before.unwrap_or(1), after, options)?),
        };
        let target = match deployment {
            Some(deployment) => Target::from_object(deployment),
            None => self.stateful_set(&workload.name).and_then(Target::from_object),
        };
        Ok(Change {
            workload: workload.clone(),
            before: before.unwrap_or(1),
            after,
            target,
            autoscaler,
        })
    }
}

/// Where the autoscaler would undo a count that is written past it, it gets new bounds, or nothing happens.
fn edit(workload: &Workload, autoscaler: &Autoscaler, before: i32, replicas: i32, options: Options) -> Result<Edit> {
    let edit = |after: Bounds| Edit {
        name: autoscaler.name.clone(),
        before: autoscaler.bounds,
        after,
    };
    if !options.edit_autoscalers && autoscaler.keeps_replicas(before, replicas) {
        return Ok(edit(autoscaler.bounds));
    }
    let refused = Error::input(format!("the number of replicas of {workload} belongs to an autoscaler"))
        .code(&code::scale::AUTOSCALED)
        .cause(autoscaler.describe());
    if let Some(object) = &autoscaler.scaled_object {
        return Err(refused
            .cause(format!(
                "KEDA made it from ScaledObject `{object}`, and undoes changes of it"
            ))
            .hint(format!(
                "set `minReplicaCount` and `maxReplicaCount` of ScaledObject `{object}`; its annotation \
                 autoscaling.keda.sh/paused-replicas: \"{replicas}\" holds the count there"
            )));
    }
    let after = autoscaler.bounds_for(replicas);
    if !options.edit_autoscalers {
        let refused = if autoscaler.bounds.minimum <= replicas && replicas <= autoscaler.bounds.maximum {
            refused.cause(format!(
                "it goes by what it measures, and would undo {replicas} within 15 s"
            ))
        } else {
            refused
        };
        return Err(refused
            .hint(format!(
                "--autoscaler sets its minReplicas to {} and its maxReplicas to {}",
                after.minimum, after.maximum
            ))
            .hint(format!(
                "or delete HorizontalPodAutoscaler `{}`, and scale again",
                autoscaler.name
            )));
    }
    Ok(edit(after))
}

/// All workloads count with their new numbers.
fn check_connections(changes: &[Change], found: &ScalingState, options: Options) -> Result<Vec<String>> {
    let mut deployments = found.deployments.clone();
    for deployment in &mut deployments {
        let name = deployment.metadata.name.clone().unwrap_or_default();
        let workload = Workload {
            kind: Kind::Deployment,
            name,
        };
        let change = changes.iter().find(|change| change.workload == workload);
        if let (Some(count), Some(spec)) = (change.and_then(Change::count), deployment.spec.as_mut()) {
            spec.replicas = Some(count);
        }
    }
    let mut warnings = Vec::new();
    for change in changes {
        let deployment = found.deployment(&change.workload);
        let Some((deployment, database)) =
            deployment.and_then(|deployment| Some((deployment, connection_budget::database_name(deployment)?)))
        else {
            continue;
        };
        let Some(set) = found.stateful_set(database) else {
            continue;
        };
        let connections = Connections::from_objects(deployment, &deployments, set, &found.config_maps);
        let refused = |replicas: i32| connections.refuse(u64::from(replicas.unsigned_abs()), database);
        match refused(change.after) {
            Some(reason) if change.after > change.before && !options.force => {
                return Err(connection_limit_error(change, &reason, &connections));
            }
            Some(reason) => warnings.push(format!("the database may run out of connections: {reason}")),
            None => {}
        }
        let maximum = change.autoscaler.as_ref().map(|edit| edit.after.maximum);
        if let Some(reason) = maximum.filter(|maximum| *maximum > change.after).and_then(refused) {
            warnings.push(format!(
                "the database may run out of connections when the autoscaler goes to its maximum: {reason}"
            ));
        }
    }
    Ok(warnings)
}

fn connection_limit_error(change: &Change, reason: &str, connections: &Connections) -> Error {
    Error::input(format!(
        "{}: {} replicas need more connections than the database takes",
        change.workload, change.after
    ))
    .code(&code::scale::TOO_FEW_CONNECTIONS)
    .cause(reason)
    .hint(format!(
        "scale to at most {}, make DATABASE_POOL_MAX smaller, or max_connections of the database greater; --force scales all the same",
        connections.most_replicas()
    ))
}

/// Whether `up` has set the number of replicas: <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>
fn is_in_the_manifest(metadata: &ObjectMeta) -> bool {
    metadata.managed_fields.iter().flatten().any(|entry| {
        let replicas = entry
            .fields_v1
            .as_ref()
            .and_then(|fields| fields.0.pointer("/f:spec/f:replicas"));
        entry.manager.as_deref() == Some(FIELD_MANAGER) && replicas.is_some()
    })
}
