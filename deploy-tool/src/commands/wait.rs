//! Edge: waits for a roll-out. What the objects mean is decided in [`rollout`].

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, Preconditions};
use kube::core::GroupVersionKind;
use kube::{Api, ResourceExt};
use serde_json::json;

use cluster::client::explain;
use cluster::watch::Watch;
use cluster::{Cluster, pods};
use diagnostics::code::rollout::NOT_IN_TIME;
use diagnostics::{Failure, Outcome};
use rollout::{self, Clock, Controller, Objects, Problem, State, Target};
use terminal::Progress;

/// Of more objects than these, the sentence says only how many there are.
const MOST_NAMED: usize = 4;
/// Any change of a controller's object makes it look again.
const RETRIED_ANNOTATION: &str = "deploy-tool.dev/retried";
/// Some failures are decided by time alone, without any change in the cluster.
const RECKONING_INTERVAL: Duration = Duration::from_secs(1);

/// Waits until all targets are there. Returns the sentence that says so.
///
/// # Errors
/// When one of them will not come up, or the time is over.
pub async fn for_targets(
    cluster: &Cluster,
    progress: &Progress,
    targets: &[Target],
    since: Timestamp,
    limit: Duration,
) -> Outcome<String> {
    if targets.is_empty() {
        return Ok("nothing to wait for".to_owned());
    }
    let mut watch = Watch::start(cluster, targets).await?;
    let mut ticks = tokio::time::interval(RECKONING_INTERVAL);
    let mut last = "nothing is known of the objects yet".to_owned();
    let deadline = tokio::time::sleep(limit);
    tokio::pin!(deadline);
    let since = Clock::new(since, since).since;
    let mut nudged = false;
    let mut replaced = BTreeSet::new();
    loop {
        tokio::select! {
            () = watch.changed() => {}
            _ = ticks.tick() => {}
            () = &mut deadline => return Err(late(limit, &last, watch.trouble.as_deref())),
        }
        if !watch.complete() {
            continue;
        }
        if !nudged {
            nudged = true;
            nudge(cluster, targets, &watch, since).await?;
        }
        replace_broken_pods(cluster, targets, &watch, since, &mut replaced).await?;
        hear_last_words(cluster, &mut watch.objects).await;
        let clock = Clock::new(cluster.now(), since);
        let states: Vec<State> = targets
            .iter()
            .map(|target| rollout::state(target, &watch.objects, clock))
            .collect();
        progress.rows(
            rollout::rows(targets, &states, &watch.objects)
                .into_iter()
                .map(row)
                .collect(),
        );
        let overall = match rollout::overall(states) {
            // The rows have said each of them.
            State::Done(_) if targets.len() > MOST_NAMED => State::Done(format!("all {} objects", targets.len())),
            other => other,
        };
        match overall {
            State::Done(sentence) if replaced.is_empty() => return Ok(sentence),
            State::Done(sentence) => {
                let names: Vec<&str> = replaced.iter().map(String::as_str).collect();
                return Ok(format!("{sentence}; replaced broken pods: {}", names.join(", ")));
            }
            State::Failed(problem) => return Err(explained(cluster, *problem).await),
            State::Waiting(reason) => {
                progress.activity(&reason);
                last = reason;
            }
        }
    }
}

/// Asks for what containers wrote that have just ended and may have been no program for the node: it decides at once
/// what else would need several ends.
async fn hear_last_words(cluster: &Cluster, objects: &mut Objects) {
    for (container_id, evidence) in rollout::unheard(objects) {
        let words = pods::evidence(cluster, &evidence).await;
        objects.last_words.insert(container_id, words);
    }
}

/// Makes controllers try again at once that would wait for minutes, though what held them up may be put right.
async fn nudge(cluster: &Cluster, targets: &[Target], watch: &Watch, since: Timestamp) -> Outcome<()> {
    for Controller { kind, namespace, name } in targets
        .iter()
        .filter_map(|target| rollout::refused_before(target, &watch.objects, since))
    {
        let group = if kind == "Job" { "batch" } else { "apps" };
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
        let api: Api<DynamicObject> = Api::namespaced_with(cluster.client.clone(), &namespace, &resource);
        let patch = Patch::Merge(json!({"metadata": {"annotations": {RETRIED_ANNOTATION: since.to_string()}}}));
        let what = format!("cannot make {kind} `{name}` try again");
        cluster
            .call(&what, api.patch_metadata(&name, &PatchParams::default(), &patch))
            .await?;
    }
    Ok(())
}

/// Deletes broken pods, whose controllers make new ones.
async fn replace_broken_pods(
    cluster: &Cluster,
    targets: &[Target],
    watch: &Watch,
    since: Timestamp,
    replaced: &mut BTreeSet<String>,
) -> Outcome<()> {
    for pod in targets
        .iter()
        .flat_map(|target| rollout::pods_to_replace(target, &watch.objects, since))
    {
        let name = pod.name_any();
        let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &pod.namespace().unwrap_or_default());
        let preconditions = Preconditions {
            uid: pod.uid(),
            resource_version: None,
        };
        let parameters = DeleteParams::default().preconditions(preconditions);
        let what = format!("cannot delete the broken pod `{name}`");
        match cluster.answer(&what, api.delete(&name, &parameters)).await? {
            Ok(_) => _ = replaced.insert(name),
            // Somebody was faster.
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => {}
            Err(error) => return Err(Failure::cluster(what).because(explain(&error))),
        }
    }
    Ok(())
}

async fn explained(cluster: &Cluster, problem: Problem) -> Failure {
    let mut shown = Vec::new();
    for evidence in &problem.evidence {
        shown.push(pods::evidence(cluster, evidence).await);
    }
    problem.failure(&shown)
}

fn late(limit: Duration, last: &str, trouble: Option<&str>) -> Failure {
    let failure = Failure::cluster(format!("not ready within {} s", limit.as_secs()))
        .code(&NOT_IN_TIME)
        .because(last);
    let failure = match trouble {
        Some(trouble) => failure.because(format!("the watch is broken: {trouble}")),
        None => failure,
    };
    failure.next("look at the pods: `deploy-tool status`; wait longer with --timeout")
}

/// How the live table shows what is waited for.
fn row(row: rollout::Row) -> terminal::Row {
    terminal::Row {
        title: row.title,
        state: match row.state {
            rollout::RowState::Failed => terminal::RowState::Failed,
            rollout::RowState::Waiting => terminal::RowState::Waiting,
            rollout::RowState::Done => terminal::RowState::Done,
        },
        ready: row.ready,
        reason: row.reason,
    }
}
