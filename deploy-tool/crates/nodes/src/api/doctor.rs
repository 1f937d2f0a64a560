//! Edge: what `doctor` asks the cluster for, and the pods of its probes.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::node::v1::RuntimeClass;
use kube::api::{DeleteParams, ListParams, LogParams, PostParams};
use kube::{Api, ResourceExt};

use crate::doctor::{LIFETIME, Observed, SELECTOR, is_left_over, is_over};
use cluster::client::explain;
use cluster::watch::Watch;
use cluster::{Cluster, list};
use diagnostics::Result;
use host::cleanup::Cleanup;
use rollout::Target;

/// Time limit of a probe: the `activeDeadlineSeconds` of its pod, and time for the kubelet to report it.
const PROBE_LIMIT: Duration = Duration::from_secs(LIFETIME as u64 + 20);

/// All RuntimeClasses, or none where this user may not look.
///
/// # Errors
/// When the server does not answer, or refuses for another reason.
pub async fn known_runtime_classes(cluster: &Cluster) -> Result<Vec<RuntimeClass>> {
    let api: Api<RuntimeClass> = Api::all(cluster.client.clone());
    let all = ListParams::default();
    let found = cluster
        .call_if_allowed("cannot list the RuntimeClasses", api.list(&all))
        .await?;
    Ok(found.map_or_else(Vec::new, |list| list.items))
}

/// All RuntimeClasses.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn runtime_classes(cluster: &Cluster) -> Result<Vec<RuntimeClass>> {
    let api = Api::all(cluster.client.clone());
    list::all(cluster, &api, &ListParams::default(), "cannot list the RuntimeClasses").await
}

/// Has the API server try a pod without storing it.
///
/// # Errors
/// When it refuses.
pub async fn try_out(cluster: &Cluster, namespace: &str, pod: &Pod) -> Result<()> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let message = format!("namespace `{namespace}` refuses a pod");
    cluster.call(&message, api.create(&dry, pod)).await.map(|_| ())
}

/// Deletes the probes of runs that were cut off.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn remove_left_over(cluster: &Cluster, namespace: &str) -> Result<()> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let message = format!("cannot list the pods of namespace `{namespace}`");
    let probes = list::all(cluster, &api, &ListParams::default().labels(SELECTOR), &message).await?;
    for pod in probes.iter().filter(|pod| is_left_over(pod, cluster.now())) {
        remove(cluster.clone(), namespace.to_owned(), pod.name_any()).await?;
    }
    Ok(())
}

async fn remove(cluster: Cluster, namespace: String, name: String) -> Result<()> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &namespace);
    let message = format!("cannot delete the probe's pod `{name}` of namespace `{namespace}`");
    match cluster
        .answer(&message, api.delete(&name, &DeleteParams::default()))
        .await?
    {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        answer => cluster.call(&message, async { answer }).await.map(|_| ()),
    }
}

/// Runs a probe until there is nothing more to see, and deletes its pod, also when this is not waited for to the end.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn observe(cluster: &Cluster, cleanup: &Cleanup, namespace: &str, pod: &Pod) -> Result<Observed> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let message = format!("cannot create the probe's pod in namespace `{namespace}`");
    let pod = cluster.call(&message, api.create(&PostParams::default(), pod)).await?;
    let name = pod.name_any();
    let _removed = cleanup.guard(remove(cluster.clone(), namespace.to_owned(), name.clone()));
    let targets: Vec<Target> = Target::from_object(&pod).into_iter().collect();
    let mut watch = Watch::start(cluster, &targets).await?;
    let key = format!("{namespace}/{name}");
    let over = async {
        loop {
            watch.changed().await;
            let pod = watch.objects.pods.get(&key);
            if pod.is_some_and(|pod| is_over(pod, events_of(&watch, &name))) {
                return;
            }
        }
    };
    // After the time limit, the probe is judged by its state so far.
    let _ = tokio::time::timeout(PROBE_LIMIT, over).await;
    let pod = watch.objects.pods.get(&key).cloned().unwrap_or(pod);
    let events = events_of(&watch, &name).cloned().collect();
    let (logs, log_failure) = logs(cluster, &api, &pod).await;
    Ok(Observed {
        pod,
        events,
        logs,
        log_failure,
    })
}

/// The events of a pod.
fn events_of<'w>(watch: &'w Watch, pod: &str) -> impl Iterator<Item = &'w k8s_openapi::api::core::v1::Event> {
    let events = watch.objects.events.values();
    events.filter(move |event| event.involved_object.name.as_deref() == Some(pod))
}

/// The logs of the containers, and why one of them cannot be read. One that was never started has none.
async fn logs(cluster: &Cluster, api: &Api<Pod>, pod: &Pod) -> (BTreeMap<String, String>, Option<String>) {
    let (mut logs, mut failure, name) = (BTreeMap::new(), None, pod.name_any());
    let spec = pod.spec.iter();
    let containers = spec.flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()));
    for container in containers {
        let parameters = LogParams {
            container: Some(container.name.clone()),
            ..LogParams::default()
        };
        match cluster.answer("cannot read a log", api.logs(&name, &parameters)).await {
            Ok(Ok(log)) => _ = logs.insert(container.name.clone(), log),
            Ok(Err(kube::Error::Api(status))) if matches!(status.code, 400 | 404) => {}
            Ok(Err(error)) => failure = Some(explain(&error)),
            Err(error) => failure = Some(error.causes().join(": ")),
        }
    }
    (logs, failure)
}
